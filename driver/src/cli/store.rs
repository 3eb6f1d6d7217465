//! `powervm store …`

use serde::Serialize;

use super::arguments::StoreVerb;
use super::dry_run;
use super::output::{Output, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Control, Driver, ServerRef};
use crate::partition::SlotMap;
use crate::partition::slots::Occupant;

pub(super) async fn run(
    driver: &Driver,
    verb: &StoreVerb,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match verb {
        StoreVerb::Show { server } => {
            let reference = ServerRef::parse(server);
            let slots = driver.slot_map(reference.clone()).await?;
            let has_nvram = driver.has_nvram(reference).await?;
            if slots.is_none() && !has_nvram {
                return Err(Error::operation(
                    ErrorKind::NotFound,
                    format!("nothing is kept of {server}"),
                    "give its UUID if it is not on this host, or save it",
                ));
            }
            output.print(&Kept { slots, has_nvram }, table)
        }
        StoreVerb::Save { server } => {
            if control.is_dry_run() {
                driver.power_state(ServerRef::parse(server)).await?;
            }
            dry_run::instead(control, &format!("keep the slots and NVRAM of {server}"))?;
            let (slots, has_nvram) = driver.keep(ServerRef::parse(server)).await?;
            let slots = Some(slots);
            output.print(&Kept { slots, has_nvram }, table)
        }
        StoreVerb::Delete { server } => {
            dry_run::instead(control, &format!("forget what is kept of {server}"))?;
            driver.forget_kept(ServerRef::parse(server)).await?;
            output.print(&serde_json::json!({"deleted": server}), |_| {
                let mut table = Table::with(&["Deleted"]);
                table.row([server]);
                table
            })
        }
    }
}

#[derive(Serialize)]
struct Kept {
    slots: Option<SlotMap>,
    has_nvram: bool,
}

fn table(kept: &Kept) -> Table {
    let mut table = Table::of_fields();
    if let Some(map) = &kept.slots {
        table.field("max_slots", map.max_slots);
        for (slot, occupants) in &map.slots {
            for occupant in occupants {
                table.field(format!("slot {slot}").as_str(), told(occupant));
            }
        }
    }
    table.field("nvram", if kept.has_nvram { "yes" } else { "no" });
    table
}

fn told(occupant: &Occupant) -> String {
    match occupant {
        Occupant::Adapter { mac, switch } => match switch {
            Some(switch) => format!("interface {mac} on {switch}"),
            None => format!("interface {mac}"),
        },
        Occupant::VirtualNic { mac } => format!("virtual NIC {mac}"),
        Occupant::Disk { disk, address } => match address {
            Some(address) => format!("disk {disk} at {address}"),
            None => format!("disk {disk}"),
        },
        Occupant::Port { names } => {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            format!("port {}", names.join(" "))
        }
    }
}
