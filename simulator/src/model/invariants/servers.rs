//! Virtual I/O Servers: disks, media and mappings.

use std::collections::BTreeMap;

use super::Found;
use crate::model::names::{MountType, PartitionKind};
use crate::model::storage::{VolumeGroup, VolumeUsage};
use crate::model::units::Gigabytes;
use crate::model::vios::backing::Storage;
use crate::model::vios::{Backing, ScsiBus, VirtualIoServer};
use crate::model::world::World;

pub(super) fn check(world: &World, found: &mut Found) {
    for (uuid, vios) in &world.vioses {
        let name = vios.partition.name.as_str();
        found.require(
            *uuid == vios.partition.uuid,
            "server-under-wrong-uuid",
            || name.to_owned(),
        );
        found.require(
            vios.partition.kind == PartitionKind::VirtualIoServer,
            "server-of-other-kind",
            || name.to_owned(),
        );
        check_volumes(vios, found);
        for group in &vios.volume_groups {
            check_group(vios, group, found);
        }
        let disks = || {
            vios.volume_groups
                .iter()
                .flat_map(|group| group.disks.values())
        };
        found.unique(
            "virtual-disk-name-twice",
            name,
            disks().map(|disk| disk.name.as_str()),
        );
        found.unique(
            "virtual-disk-udid-twice",
            name,
            disks().map(|disk| disk.udid.as_str()),
        );
        let repositories = vios
            .volume_groups
            .iter()
            .filter(|group| group.repository.is_some())
            .count();
        found.require(repositories <= 1, "several-media-repositories", || {
            name.to_owned()
        });
        check_mappings(world, vios, found);
        for trunk in vios
            .shared_ethernet
            .iter()
            .flat_map(|adapter| &adapter.trunks)
        {
            found.require(
                vios.partition.network_adapters.contains_key(trunk),
                "bridge-without-trunk",
                || format!("{trunk} on {name}"),
            );
        }
    }
}

fn check_volumes(vios: &VirtualIoServer, found: &mut Found) {
    let name = vios.partition.name.as_str();
    found.unique(
        "physical-volume-twice",
        name,
        vios.physical_volumes
            .iter()
            .map(|volume| volume.name.as_str()),
    );
    for volume in &vios.physical_volumes {
        if let VolumeUsage::VolumeGroup(group) = volume.usage {
            let listed = vios
                .volume_group(group)
                .is_some_and(|group| group.physical_volumes.contains(&volume.name));
            found.require(listed, "volume-of-no-group", || {
                format!("{} on {name}", volume.name)
            });
        }
    }
}

fn check_group(vios: &VirtualIoServer, group: &VolumeGroup, found: &mut Found) {
    let place = || format!("{} on {}", group.name, vios.partition.name);
    let volumes = || {
        group
            .physical_volumes
            .iter()
            .filter_map(|name| vios.physical_volume(name))
    };
    let owned = volumes()
        .filter(|volume| volume.usage == VolumeUsage::VolumeGroup(group.uuid))
        .count();
    found.require(
        owned == group.physical_volumes.len(),
        "group-of-foreign-volumes",
        place,
    );
    let capacity: Gigabytes = volumes()
        .map(|volume| Gigabytes::from_megabytes(volume.megabytes))
        .sum();
    found.require(
        capacity == group.capacity,
        "group-capacity-is-not-its-volumes",
        place,
    );
    found.require(
        group.allocated() <= group.capacity,
        "group-over-full",
        place,
    );
    found.require(
        group.free().plus(group.allocated()) == group.capacity,
        "free-is-not-total-minus-allocated",
        place,
    );
    for (number, disk) in &group.disks {
        let disk_place = || format!("{} in {}", disk.name, place());
        found.require(
            *number < group.next_disk,
            "disk-number-would-come-again",
            disk_place,
        );
        found.require(
            disk.udid == format!("03{}.{number}", group.serial),
            "disk-with-wrong-udid",
            disk_place,
        );
        found.require(
            disk.content
                .is_none_or(|content| content.bytes <= disk.capacity.bytes()),
            "disk-over-full",
            disk_place,
        );
    }
    if let Some(repository) = &group.repository {
        let used: Gigabytes = repository.media.values().map(|medium| medium.size).sum();
        found.require(used <= repository.size, "repository-over-full", place);
        found.require(
            repository.free().plus(used) == repository.size,
            "free-is-not-total-minus-allocated",
            place,
        );
        let named = repository
            .media
            .iter()
            .all(|(name, medium)| *name == medium.name);
        found.require(named, "medium-under-wrong-name", place);
    }
}

fn check_mappings(world: &World, vios: &VirtualIoServer, found: &mut Found) {
    let name = vios.partition.name.as_str();
    found.unique(
        "vhost-twice",
        name,
        vios.buses.values().map(|bus| bus.adapter_name()),
    );
    found.unique(
        "target-name-twice",
        name,
        vios.devices().map(|(_, device)| device.target.as_str()),
    );
    found.unique(
        "target-udid-twice",
        name,
        vios.devices()
            .map(|(_, device)| device.target_udid.as_str()),
    );
    let mut drives: BTreeMap<&Backing, usize> = BTreeMap::new();
    for (slot, bus) in &vios.buses {
        found.require(*slot == bus.slot, "adapter-in-wrong-slot", || {
            format!("{} on {name}", bus.adapter_name())
        });
        check_pair(world, vios, bus, found);
        let place = format!("{} on {name}", bus.adapter_name());
        found.unique(
            "address-twice",
            &place,
            bus.devices.iter().map(|device| device.lua.as_str()),
        );
        for device in &bus.devices {
            *drives.entry(&device.backing).or_default() += 1;
            found.require(
                world.storage(vios, &device.backing).is_some(),
                "mapping-of-nothing",
                || format!("{} behind {place}", device.target),
            );
        }
    }
    for (backing, count) in drives {
        match world.storage(vios, backing) {
            Some(Storage::OpticalMedium(medium)) => {
                let alone = count == 1 || medium.mount == MountType::ReadOnly;
                found.require(alone, "writable-medium-in-several-drives", || {
                    format!("{} on {name}", medium.name)
                });
            }
            Some(Storage::PhysicalVolume(volume)) => {
                found.require(
                    volume.usage == VolumeUsage::Unused,
                    "mapped-volume-in-use",
                    || format!("{} on {name}", volume.name),
                );
            }
            Some(Storage::LogicalUnit(unit)) => {
                let Backing::LogicalUnit { tier, .. } = backing else {
                    continue;
                };
                let pool = world
                    .cluster_of(vios.partition.uuid)
                    .map(|cluster| cluster.pool);
                let reachable = world
                    .tiers
                    .get(tier)
                    .is_some_and(|tier| Some(tier.pool) == pool);
                found.require(reachable, "unit-of-foreign-pool", || {
                    format!("{} on {name}", unit.name)
                });
            }
            _ => {}
        }
    }
}

fn check_pair(world: &World, vios: &VirtualIoServer, bus: &ScsiBus, found: &mut Found) {
    let place = || format!("{} on {}", bus.adapter_name(), vios.partition.name);
    let Some(client) = bus.client else {
        found.require(bus.awaited.is_some(), "adapter-without-partner", place);
        return;
    };
    let partner = world.partitions.get(&client.partition);
    found.require(partner.is_some(), "orphan-adapter", place);
    let same = partner.is_none_or(|partner| {
        partner.id == client.partition_id && partner.system == vios.partition.system
    });
    found.require(same, "adapter-with-wrong-partner", place);
}
