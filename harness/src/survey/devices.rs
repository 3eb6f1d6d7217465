//! Devices that volumes and interfaces leave: disks and Fibre Channel mappings of Virtual I/O Servers, VLANs of their trunk
//! adapters, virtual NICs of partitions.

use powervm_driver::Result;
use powervm_driver::rest::{Groups, Session};
use powervm_schema::sriov::VirtualNicDedicated;
use powervm_schema::vios::{VirtualFibreChannelMapping, VirtualIoServer};
use powervm_schema::xml::Element;

use crate::audit::ItemKind;

/// A device: what it is, its name, and what has it.
pub(super) type Device = (ItemKind, String, String);

/// The groups that a Virtual I/O Server has to be read with.
pub(super) const GROUPS: [&str; 4] = [
    "ViosFCMapping",
    "ViosNetwork",
    "ViosSCSIMapping",
    "ViosStorage",
];

/// Devices of a Virtual I/O Server.
pub(super) fn of_server(name: &str, vios: &VirtualIoServer<&Element>) -> Vec<Device> {
    let mut found = Vec::new();
    for mapping in vios.fibre_channel_mappings() {
        found.push((ItemKind::Mapping, fibre_channel(&mapping), name.to_owned()));
    }
    for disk in vios.physical_volumes() {
        let disk = disk.name().unwrap_or_default().to_owned();
        found.push((ItemKind::Disk, disk, name.to_owned()));
    }
    for trunk in vios.trunk_adapters() {
        let own = trunk.port_vlan().ok().flatten();
        let tagged = trunk.tagged_vlan_ids().unwrap_or_default();
        let priority = trunk.trunk_priority().ok().flatten().unwrap_or_default();
        for vlan in own.into_iter().chain(tagged) {
            let vlan = format!("{vlan} with priority {priority}");
            found.push((ItemKind::BridgedVlan, vlan, name.to_owned()));
        }
    }
    found
}

fn fibre_channel(mapping: &VirtualFibreChannelMapping<&Element>) -> String {
    let server = mapping.server_adapter();
    let adapter = server.as_ref().and_then(|server| server.adapter().name());
    let client = mapping.client_adapter();
    let names = client.as_ref().and_then(|client| client.wwpns());
    let port = mapping.port().and_then(|port| port.port_name());
    format!(
        "{} to {}: {}",
        adapter.unwrap_or("an adapter"),
        names.unwrap_or("any partition"),
        port.unwrap_or("no port")
    )
}

/// Virtual NICs of a partition.
///
/// # Errors
/// Those of the request; servers that have no virtual NICs may not know the word.
pub(super) async fn of_partition(session: &Session, uuid: &str, name: &str) -> Result<Vec<Device>> {
    let path = format!("LogicalPartition/{uuid}/VirtualNICDedicated");
    let nics = match session.get_feed(&path, Groups::None).await {
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        nics => nics?,
    };
    let nics = nics.entries.iter().map(|entry| {
        let nic = VirtualNicDedicated(&entry.content);
        let mac = nic.details().and_then(|details| details.mac_address());
        let text = format!("virtual NIC {}", mac.unwrap_or_default().to_uppercase());
        (ItemKind::Adapter, text, name.to_owned())
    });
    Ok(nics.collect())
}
