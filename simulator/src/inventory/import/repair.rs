//! An inventory that makes a world: what the model refuses is left out, piece by piece, with the reason.

use super::super::{
    FcMappingInventory, Inventory, InventoryError, MappingInventory, PartitionInventory,
    ViosInventory, VolumeGroupInventory, defaults,
};
use crate::clock::Millis;
use crate::model::Flavor;

/// As much of the inventory as makes a world.
pub(super) fn repair(wished: Inventory, flavor: Flavor, remarks: &mut Vec<String>) -> Inventory {
    if check(&wished, flavor).is_ok() {
        return wished;
    }
    let mut made = skeleton(&wished);
    let mut add = |what: String, made: &mut Inventory, change: &dyn Fn(&mut Inventory)| {
        let mut candidate = made.clone();
        change(&mut candidate);
        match check(&candidate, flavor) {
            Ok(()) => {
                *made = candidate;
                true
            }
            Err(why) => {
                remarks.push(format!("{what} is left out: {why}"));
                false
            }
        }
    };
    for (index, system) in wished.systems.iter().enumerate() {
        for vios in &system.vioses {
            let name = &vios.name;
            let what = format!("Virtual I/O Server {name}");
            let added = add(what, &mut made, &|made| {
                if let Some(own) = made.systems.get_mut(index) {
                    own.vioses.push(bare_server(vios));
                }
            });
            if !added {
                continue;
            }
            add(format!("the bridge of {name}"), &mut made, &|made| {
                edit_server(made, index, |own| own.network.clone_from(&vios.network));
            });
            for (number, group) in vios.volume_groups.iter().enumerate() {
                fill_group(name, group, (index, number), &mut made, &mut add);
            }
        }
    }
    for cluster in &wished.clusters {
        let added = add(format!("cluster {}", cluster.name), &mut made, &|made| {
            let mut bare = cluster.clone();
            bare.logical_units.clear();
            made.clusters.push(bare);
        });
        for unit in cluster.logical_units.iter().filter(|_| added) {
            add(format!("logical unit {}", unit.name), &mut made, &|made| {
                if let Some(cluster) = made.clusters.last_mut() {
                    cluster.logical_units.push(unit.clone());
                }
            });
        }
    }
    for (index, system) in wished.systems.iter().enumerate() {
        if system.management_partition.is_some() {
            add("the management partition".to_owned(), &mut made, &|made| {
                if let Some(own) = made.systems.get_mut(index) {
                    own.management_partition
                        .clone_from(&system.management_partition);
                }
            });
        }
        if system.memory_pool.is_some() {
            add("the shared memory pool".to_owned(), &mut made, &|made| {
                if let Some(own) = made.systems.get_mut(index) {
                    own.memory_pool.clone_from(&system.memory_pool);
                }
            });
        }
        for partition in &system.partitions {
            let whole = |made: &mut Inventory| push(made, index, partition.clone());
            let mut candidate = made.clone();
            whole(&mut candidate);
            if check(&candidate, flavor).is_ok() {
                made = candidate;
                continue;
            }
            let name = &partition.name;
            if add(format!("partition {name}"), &mut made, &|made| {
                push(made, index, bare(partition))
            }) {
                piece_by_piece(partition, index, &mut made, &mut add);
            }
        }
    }
    made
}

/// Adds one change with its name, or tells why not.
type Add<'a> = &'a mut dyn FnMut(String, &mut Inventory, &dyn Fn(&mut Inventory)) -> bool;

fn piece_by_piece(
    partition: &PartitionInventory,
    index: usize,
    made: &mut Inventory,
    add: Add<'_>,
) {
    let name = &partition.name;
    let exact = |made: &mut Inventory| {
        edit(made, index, |own| {
            own.processors.clone_from(&partition.processors);
            own.memory_minimum_mb = partition.memory_minimum_mb;
            own.memory_maximum_mb = partition.memory_maximum_mb;
            own.memory_mb = partition.memory_mb;
            own.maximum_slots = partition.maximum_slots;
        });
    };
    add(format!("the exact size of {name}"), made, &exact);
    if partition.shared_memory {
        add(format!("the shared memory of {name}"), made, &|made| {
            edit(made, index, |own| own.shared_memory = true);
        });
    }
    if let Some(number) = &partition.serial_number {
        let what = format!("the virtual serial number {number} of {name}");
        add(what, made, &|made| {
            edit(made, index, |own| own.serial_number = Some(number.clone()));
        });
    }
    for slot in &partition.io_slots {
        add(
            format!("the physical slot {slot} of {name}"),
            made,
            &|made| {
                edit(made, index, |own| own.io_slots.push(slot.clone()));
            },
        );
    }
    for adapter in partition.adapters.iter().flatten() {
        let slot = adapter.slot.unwrap_or(0);
        add(
            format!("the network adapter in slot {slot} of {name}"),
            made,
            &|made| {
                edit(made, index, |own| {
                    own.adapters.get_or_insert_default().push(adapter.clone())
                });
            },
        );
    }
    for mapping in &partition.mappings {
        let storage = [
            &mapping.disk,
            &mapping.virtual_disk,
            &mapping.logical_unit,
            &mapping.medium,
        ];
        let storage = storage.into_iter().flatten().next();
        let storage = storage.map_or("", String::as_str);
        let what = format!("the mapping of {storage} by {} to {name}", mapping.vios);
        let elsewhere = MappingInventory {
            client_slot: None,
            server_slot: None,
            ..mapping.clone()
        };
        let exact = |made: &mut Inventory| {
            edit(made, index, |own| own.mappings.push(mapping.clone()));
        };
        if !add(format!("the exact place of {what}"), made, &exact) {
            add(what, made, &|made| {
                edit(made, index, |own| own.mappings.push(elsewhere.clone()));
            });
        }
    }
    for mapping in &partition.fc_mappings {
        let what = format!(
            "a virtual Fibre Channel adapter of {name} on {}",
            mapping.vios
        );
        let elsewhere = FcMappingInventory {
            client_slot: None,
            server_slot: None,
            ..mapping.clone()
        };
        // The port names are the partition's identity in the SAN; better on no port than without them.
        let unplugged = FcMappingInventory {
            port: None,
            ..elsewhere.clone()
        };
        let mut added = false;
        for (how, mapping) in [
            ("the exact place of ", mapping),
            ("the port of ", &elsewhere),
            ("", &unplugged),
        ] {
            let put = |made: &mut Inventory| {
                edit(made, index, |own| own.fc_mappings.push(mapping.clone()));
            };
            added = added || add(format!("{how}{what}"), made, &put);
        }
    }
    if partition.running {
        add(format!("that {name} runs"), made, &|made| {
            edit(made, index, |own| own.running = true)
        });
    }
}

/// The partition with nothing but its identity.
fn bare(partition: &PartitionInventory) -> PartitionInventory {
    PartitionInventory {
        memory_mb: defaults::partition_memory_mb(),
        memory_minimum_mb: None,
        memory_maximum_mb: None,
        maximum_slots: None,
        processors: None,
        adapters: partition.adapters.as_ref().map(|_| Vec::new()),
        mappings: Vec::new(),
        fc_mappings: Vec::new(),
        shared_memory: false,
        io_slots: Vec::new(),
        serial_number: None,
        running: false,
        ..partition.clone()
    }
}

/// What lies in a volume group, at once if that can be, else one by one.
fn fill_group(
    server: &str,
    wished: &VolumeGroupInventory,
    (index, number): (usize, usize),
    made: &mut Inventory,
    add: Add<'_>,
) {
    let change = |made: &mut Inventory, change: &dyn Fn(&mut VolumeGroupInventory)| {
        edit_server(made, index, |own| {
            if let Some(group) = own.volume_groups.get_mut(number) {
                change(group);
            }
        });
    };
    let of = |part: &str| format!("{part} in {} of {server}", wished.name);
    let bare = |own: &mut VolumeGroupInventory| {
        own.reserved_gb = wished.reserved_gb;
        own.repository_gb = wished.repository_gb;
    };
    if !add(of("the repository"), made, &|made| change(made, &bare)) {
        return;
    }
    for disk in &wished.virtual_disks {
        add(
            of(&format!("the virtual disk {}", disk.name)),
            made,
            &|made| {
                change(made, &|own| own.virtual_disks.push(disk.clone()));
            },
        );
    }
    for medium in &wished.media {
        add(of(&format!("the medium {}", medium.name)), made, &|made| {
            change(made, &|own| own.media.push(medium.clone()));
        });
    }
}

/// The systems with nothing in them.
fn skeleton(wished: &Inventory) -> Inventory {
    let mut made = wished.clone();
    made.clusters.clear();
    for system in &mut made.systems {
        system.partitions.clear();
        system.vioses.clear();
        system.management_partition = None;
        system.memory_pool = None;
    }
    made
}

/// A server with its disks, and empty volume groups.
fn bare_server(vios: &ViosInventory) -> ViosInventory {
    let mut bare = vios.clone();
    bare.network = None;
    for group in &mut bare.volume_groups {
        group.virtual_disks.clear();
        group.media.clear();
        group.reserved_gb = 0;
        group.repository_gb = None;
    }
    bare
}

fn check(inventory: &Inventory, flavor: Flavor) -> Result<(), String> {
    match inventory.world(flavor, 0, Millis::EPOCH) {
        Ok(world) => match world.violations().first() {
            None => Ok(()),
            Some(violation) => Err(violation.to_string()),
        },
        Err(InventoryError::Refused(refusal)) => Err(refusal.message),
        Err(error) => Err(error.to_string()),
    }
}

/// Changes the server that was added last.
fn edit_server(made: &mut Inventory, system: usize, change: impl FnOnce(&mut ViosInventory)) {
    let own = made.systems.get_mut(system);
    if let Some(vios) = own.and_then(|own| own.vioses.last_mut()) {
        change(vios);
    }
}

fn push(made: &mut Inventory, system: usize, partition: PartitionInventory) {
    if let Some(own) = made.systems.get_mut(system) {
        own.partitions.push(partition);
    }
}

/// Changes the partition that was added last.
fn edit(made: &mut Inventory, system: usize, change: impl FnOnce(&mut PartitionInventory)) {
    let own = made.systems.get_mut(system);
    if let Some(partition) = own.and_then(|own| own.partitions.last_mut()) {
        change(partition);
    }
}
