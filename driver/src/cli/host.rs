//! `powervm host …`

use super::arguments::HostVerb;
use super::output::{Output, Table};
use crate::error::Result;
use crate::operations::{Control, Driver, HostInfo, Inventory};

pub(super) async fn run(
    driver: &Driver,
    verb: &HostVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        HostVerb::Show => output.print(&driver.host().await?, shown),
        HostVerb::Stats => super::meters::host(driver, output).await,
        HostVerb::Uptime => super::meters::uptime(driver, output).await,
        HostVerb::Monitor { on, off } => {
            super::meters::monitor(driver, *on, *off, output, control).await
        }
        HostVerb::Inventory => output.print(&driver.inventory().await?, listed),
    }
}

fn shown(host: &HostInfo) -> Table {
    let capacity = &host.capacity;
    let mut table = Table::of_fields();
    table
        .field("name", &host.name)
        .field("id", &host.id)
        .field("machine", &host.machine)
        .field("managed_by", host.managed_by)
        .field(
            "proc_units",
            format!(
                "{} of {} used",
                capacity.proc_units_used, capacity.proc_units
            ),
        )
        .field(
            "memory_mb",
            format!("{} of {} used", capacity.memory_mb_used, capacity.memory_mb),
        )
        .field("memory_block_mb", capacity.memory_block_mb)
        .field("disk_driver", &host.disk_driver)
        .field("disk_location", &host.disk_location)
        .field(
            "disk_gb",
            format!(
                "{} of {} used",
                capacity.disk.used_gb, capacity.disk.total_gb
            ),
        );
    for vios in &host.virtual_io_servers {
        table.field(
            "virtual_io_server",
            format!("{}: {}, RMC {}", vios.name, vios.state, vios.rmc),
        );
    }
    table
}

fn listed(inventory: &Inventory) -> Table {
    let mut table = Table::with(&["Kind", "Name", "Place"]);
    for item in &inventory.items {
        table.row([
            format!("{:?}", item.kind),
            item.name.clone(),
            item.place.clone(),
        ]);
    }
    table
}
