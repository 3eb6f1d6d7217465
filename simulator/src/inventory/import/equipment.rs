//! What a system hands out to its partitions: virtual serial numbers, and the memory of a shared pool.

use std::collections::BTreeSet;

use super::super::{MemoryPoolInventory, SystemInventory};
use super::Systems;
use super::documents::{Documents, Item, last_uuid, text};
use super::system::system_of;
use crate::model::serial_number::VirtualSerialNumber;

/// Serial numbers and memory pools of the systems found, whose servers have their disks already.
pub(super) fn equipment(documents: &Documents, found: &mut Systems, remarks: &mut Vec<String>) {
    for item in documents.all("VirtualSerialNumberInformation") {
        let system = system_of(item, found).and_then(|system| found.get_mut(&system));
        let number = item.text("VirtualSerialNumber");
        if let (Some(system), Some(number)) = (system, number) {
            system.serial_numbers.push(number.to_owned());
        }
    }
    for system in found.values_mut() {
        let partitions = system.partitions.iter();
        let given = partitions.filter_map(|partition| partition.serial_number.clone());
        let all: BTreeSet<String> = system.serial_numbers.drain(..).chain(given).collect();
        system.serial_numbers = all
            .into_iter()
            .filter(|number| VirtualSerialNumber::is_valid(number))
            .collect();
    }
    for item in documents.all("SharedMemoryPool") {
        let system = system_of(item, found).and_then(|system| found.get_mut(&system));
        if let Some(system) = system.filter(|system| system.memory_pool.is_none()) {
            system.memory_pool = pool(item, system, remarks);
        }
    }
}

fn pool(
    item: &Item,
    system: &SystemInventory,
    remarks: &mut Vec<String>,
) -> Option<MemoryPoolInventory> {
    let size = ["PoolSize", "CurrentPoolMemory"];
    let memory_mb = size.iter().find_map(|size| item.number::<u64>(&[size]))?;
    let names = ["PagingServicePartitionOne", "PagingServicePartitionTwo"];
    let links = names.iter().filter_map(|name| item.child(name));
    let servers: Vec<_> = links
        .filter_map(|link| last_uuid(link.attribute("href")?))
        .filter_map(|uuid| system.vioses.iter().find(|vios| vios.uuid == Some(uuid)))
        .collect();
    let mut disks = Vec::new();
    for device in item.members("PagingDevices", "ReservedStorageDevice") {
        let (name, udid) = (
            text(device, &["DeviceName"]),
            text(device, &["UniqueDeviceID"]),
        );
        // Two servers may see one disk under different names.
        let found = servers.iter().find_map(|vios| {
            let same = |disk: &&super::super::DiskInventory| match (&disk.udid, udid) {
                (Some(own), Some(udid)) => own == udid,
                _ => Some(disk.name.as_str()) == name,
            };
            let disk = vios.disks.iter().find(same)?;
            Some(format!("{}/{}", vios.name, disk.name))
        });
        match found {
            Some(disk) => disks.push(disk),
            None => remarks.push(format!(
                "the paging device {} of {} is left out: no paging server shows it",
                name.unwrap_or("without a name"),
                system.name
            )),
        }
    }
    Some(MemoryPoolInventory { memory_mb, disks })
}
