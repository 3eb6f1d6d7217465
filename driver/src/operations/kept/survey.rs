//! Looks which slot each adapter of a partition has.

use powervm_schema::partition::LogicalPartition;
use powervm_schema::vios::{VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;

use crate::error::Result;
use crate::operations::driver::{Driver, path_of};
use crate::operations::plug;
use crate::partition::slots::{Occupant, disk_key};
use crate::partition::{PartitionUuid, SlotMap};
use crate::rest::Groups;
use crate::storage::fabric;
use crate::storage::mapping::{self, Client};

/// What an HMC or NovaLink gives a partition of which nobody said how many slots it is to have.
const USUAL: u32 = 64;

/// The partition's slots as they are now.
///
/// # Errors
/// Those of the requests.
pub(super) async fn look(driver: &Driver, partition: PartitionUuid) -> Result<SlotMap> {
    let path = path_of(partition);
    let servers = format!(
        "ManagedSystem/{}/VirtualIOServer",
        driver.shared.system.uuid
    );
    let has_ports = driver.config().volumes.npiv_fabrics().next().is_some();
    let groups: &[&str] = match has_ports {
        true => &[mapping::GROUP, fabric::GROUP],
        false => &[mapping::GROUP],
    };
    let session = driver.session();
    let (entry, interfaces, servers) = futures_util::try_join!(
        session.get_entry(&path, Groups::None),
        plug::interfaces(driver, partition),
        session.get_feed(&servers, Groups::Named(groups)),
    )?;
    let document = LogicalPartition(&entry.content);
    let base = document.partition();
    let max_slots = base
        .io()
        .and_then(|io| io.maximum_virtual_io_slots().ok().flatten());
    let mut slots = SlotMap::empty(max_slots.unwrap_or(USUAL));
    for plugged in interfaces {
        let (Some(slot), Some(mac)) = (plugged.info.slot, plugged.info.mac) else {
            continue;
        };
        let occupant = match plugged.line {
            Some(_) => Occupant::Adapter {
                mac,
                switch: plugged.info.switch,
            },
            None => Occupant::VirtualNic { mac },
        };
        slots.put(slot, occupant);
    }
    let client = Client {
        uuid: partition,
        id: base.id().ok().flatten(),
        href: driver.partition_href(partition),
    };
    for server in &servers.entries {
        disks(&server.content, &client, &mut slots);
        for port in fabric::lent_to(&server.content, &client) {
            if let Some(slot) = port.slot {
                let names = port.names.into_iter().collect();
                slots.put(slot, Occupant::Port { names });
            }
        }
    }
    Ok(slots)
}

fn disks(server: &Element, client: &Client, slots: &mut SlotMap) {
    let server = VirtualIoServer(server);
    let own = server
        .scsi_mappings()
        .filter(|mapping| mapping::client_of(mapping.as_view()) == Some(client.uuid));
    for mapping in own {
        let slot = client_slot(&mapping);
        let disk = mapping::mapped(mapping.as_view()).and_then(|mapped| disk_key(&mapped));
        if let (Some(slot), Some(disk)) = (slot, disk) {
            let target = mapping.target_device().and_then(|target| target.device());
            let address = target.and_then(|device| device.lua()).map(str::to_owned);
            slots.put(slot, Occupant::Disk { disk, address });
        }
    }
}

fn client_slot(mapping: &VirtualScsiMapping<&Element>) -> Option<u32> {
    mapping.client_adapter()?.adapter().slot().ok().flatten()
}
