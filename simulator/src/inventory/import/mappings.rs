//! What Virtual I/O Servers show to partitions: virtual SCSI and virtual Fibre Channel.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::super::{FcMappingInventory, MappingInventory, PartitionInventory, SystemInventory};
use super::Systems;
use super::documents::{Documents, last_uuid, number, text};

/// The mappings of the partitions found.
pub(super) fn mappings(documents: &Documents, found: &mut Systems, remarks: &mut Vec<String>) {
    for system in found.values_mut() {
        let servers: Vec<(String, Uuid)> = system
            .vioses
            .iter()
            .filter_map(|vios| Some((vios.name.clone(), vios.uuid?)))
            .collect();
        let mut lost = 0;
        let mut boots = Vec::new();
        for (name, uuid) in servers {
            let Some(item) = documents.get("VirtualIOServer", uuid) else {
                continue;
            };
            for mapping in item.members("VirtualSCSIMappings", "VirtualSCSIMapping") {
                if is_management(system, mapping) {
                    boots.extend(scsi(&name, mapping));
                    continue;
                }
                match (client(system, mapping), scsi(&name, mapping)) {
                    (Some(client), Some(mapping)) => client.mappings.push(mapping),
                    (None, Some(_)) if mapping.child("AssociatedLogicalPartition").is_some() => {
                        lost += 1
                    }
                    _ => {}
                }
            }
            for mapping in item.members("VirtualFibreChannelMappings", "VirtualFibreChannelMapping")
            {
                match client(system, mapping) {
                    Some(client) => client.fc_mappings.push(fibre_channel(&name, mapping)),
                    None => {
                        lost += usize::from(mapping.child("AssociatedLogicalPartition").is_some())
                    }
                }
            }
        }
        for mapping in boots {
            boot_disk(system, &mapping, remarks);
        }
        if lost > 0 {
            remarks.push(format!(
                "{lost} mappings of system {} are left out: no document describes their partitions",
                system.name
            ));
        }
    }
}

fn is_management(system: &SystemInventory, mapping: &Element) -> bool {
    let link = mapping.child("AssociatedLogicalPartition");
    let uuid = link.and_then(|link| last_uuid(link.attribute("href")?));
    let management = system.management_partition.as_ref();
    uuid.is_some() && management.and_then(|management| management.uuid) == uuid
}

/// The management partition's own disk: an inventory tells its size only, so the disk itself gives way to it.
fn boot_disk(system: &mut SystemInventory, mapping: &MappingInventory, remarks: &mut Vec<String>) {
    let Some(management) = &mut system.management_partition else {
        return;
    };
    let Some(name) = &mapping.virtual_disk else {
        remarks.push(format!(
            "a mapping of the management partition {} on {} is left out: an inventory gives it virtual disks only",
            management.name, mapping.vios
        ));
        return;
    };
    let servers = system.vioses.iter_mut();
    for vios in servers.filter(|vios| vios.name == mapping.vios) {
        for group in &mut vios.volume_groups {
            group.virtual_disks.retain(|disk| {
                let own = disk.name == *name;
                if own {
                    management.disk_gb = disk.mb.div_ceil(1024);
                }
                !own
            });
        }
    }
}

fn client<'a>(
    system: &'a mut SystemInventory,
    mapping: &Element,
) -> Option<&'a mut PartitionInventory> {
    let link = mapping.child("AssociatedLogicalPartition")?;
    let uuid = last_uuid(link.attribute("href")?)?;
    let mut partitions = system.partitions.iter_mut();
    partitions.find(|partition| partition.uuid == Some(uuid))
}

/// The mapping of a device; none for adapters without one, which come with their first device.
fn scsi(vios: &str, mapping: &Element) -> Option<MappingInventory> {
    let storage = mapping.child("Storage")?.children().next()?;
    let name = |part: &str| text(storage, &[part]).map(str::to_owned);
    let mut made = MappingInventory {
        vios: vios.to_owned(),
        client_slot: number(mapping, &["ClientAdapter", "VirtualSlotNumber"]),
        server_slot: number(mapping, &["ServerAdapter", "VirtualSlotNumber"]),
        ..MappingInventory::default()
    };
    match storage.local_name() {
        "PhysicalVolume" => made.disk = Some(name("VolumeName")?),
        "VirtualDisk" => made.virtual_disk = Some(name("DiskName")?),
        "LogicalUnit" => made.logical_unit = Some(name("UnitName")?),
        "VirtualOpticalMedia" => made.medium = Some(name("MediaName")?),
        _ => return None,
    }
    Some(made)
}

fn fibre_channel(vios: &str, mapping: &Element) -> FcMappingInventory {
    let wwpns = text(mapping, &["ClientAdapter", "WWPNs"]).unwrap_or_default();
    let mut wwpns = wwpns.split_ascii_whitespace().map(str::to_uppercase);
    let port = text(mapping, &["Port", "PortName"])
        .or_else(|| text(mapping, &["ServerAdapter", "MapPort"]));
    FcMappingInventory {
        vios: vios.to_owned(),
        port: port.map(str::to_owned),
        wwpns: wwpns
            .next()
            .zip(wwpns.next())
            .map(|(one, other)| [one, other]),
        client_slot: number(mapping, &["ClientAdapter", "VirtualSlotNumber"]),
        server_slot: number(mapping, &["ServerAdapter", "VirtualSlotNumber"]),
    }
}
