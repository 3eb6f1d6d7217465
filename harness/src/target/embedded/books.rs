//! The simulator's own books: everything in its world as an inventory, and what lies on its disks.
//!
//! The REST API shows what a client may see; the books show what is there.

use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::storage::{Content as Stored, VolumeGroup};
use powervm_simulator::model::units::ProcUnits;
use powervm_simulator::model::vios::{Backing, ScsiBus, VirtualIoServer};
use powervm_simulator::model::{Owner, World};
use uuid::Uuid;

use crate::audit::{Inventory, ItemKind};
use crate::target::Content;

/// What reports call this view of a host.
pub const VIEW: &str = "the simulator's books";

/// Everything in the world.
#[must_use]
pub fn inventory(world: &World) -> Inventory {
    let mut inventory = Inventory::new(VIEW.to_owned());
    for system in world.systems.values() {
        inventory.measure(
            "free memory, MB",
            &system.name,
            world.available_memory(system.uuid),
        );
        inventory.measure(
            "free processing units, 1/100",
            &system.name,
            hundredths(world.available_processors(system.uuid)),
        );
        for network in system.networks.values() {
            inventory.add(ItemKind::VirtualNetwork, &network.name, &system.name);
        }
        for partition in world.all_partitions_of(system.uuid) {
            inventory.add(ItemKind::Partition, &partition.name, "");
            for adapter in partition.network_adapters.values() {
                let name = format!("Ethernet {} in slot {}", adapter.mac_text(), adapter.slot);
                inventory.add(ItemKind::Adapter, name, &partition.name);
                if let Some(trunk) = &adapter.trunk {
                    for vlan in std::iter::once(&adapter.vlan).chain(&adapter.tagged_vlans) {
                        let name = format!("{vlan} with priority {}", trunk.priority);
                        inventory.add(ItemKind::BridgedVlan, name, &partition.name);
                    }
                }
            }
            for nic in partition.vnics.values() {
                let name = format!("virtual NIC {:012X} in slot {}", nic.mac, nic.slot);
                inventory.add(ItemKind::Adapter, name, &partition.name);
            }
            for port in partition.logical_ports.values() {
                let name = format!(
                    "{} of port {} of adapter {}",
                    port.number, port.port, port.adapter
                );
                inventory.add(ItemKind::LogicalPort, name, &partition.name);
            }
        }
    }
    for vios in world.vioses.values() {
        server(world, vios, &mut inventory);
    }
    for tier in world.tiers.values() {
        for unit in tier.units.values() {
            inventory.add(
                ItemKind::LogicalUnit,
                &unit.name,
                format!("tier {}", tier.name),
            );
        }
    }
    for pool in world.pools.values() {
        inventory.measure(
            "free space, MB",
            format!("pool {}", pool.name),
            world.free_in_pool(pool.uuid).megabytes(),
        );
    }
    for file in world.files.values() {
        inventory.add(ItemKind::File, &file.name, name_of(world, file.vios));
    }
    for job in world.jobs.values() {
        let target = job.target.uuid().map_or_else(
            || job.target.group_name().to_owned(),
            |uuid| job_target(world, job.target, uuid),
        );
        let running = if job.status.is_final() {
            ""
        } else {
            ", running"
        };
        inventory.add(
            ItemKind::Job,
            format!("{} {}{running}", job.operation, job.id),
            target,
        );
    }
    inventory
}

fn server(world: &World, vios: &VirtualIoServer, inventory: &mut Inventory) {
    let server = &vios.partition.name;
    for bus in vios.buses.values() {
        inventory.add(
            ItemKind::Adapter,
            format!("SCSI {}", bus.adapter_name()),
            server,
        );
        for device in &bus.devices {
            let backing = backing(world, vios, &device.backing);
            let name = format!(
                "{} to {}: {backing}",
                bus.adapter_name(),
                client(world, bus)
            );
            inventory.add(ItemKind::Mapping, name, server);
        }
    }
    for mapping in vios.fc_mappings.values() {
        let adapter = mapping.adapter_name();
        inventory.add(
            ItemKind::Adapter,
            format!("Fibre Channel {adapter}"),
            server,
        );
        let client = mapping.client.map_or_else(
            || "any partition".to_owned(),
            |client| {
                let [first, second] = client.wwpns;
                let name = name_of(world, client.partition);
                format!("{name} ({first:016x} {second:016x})")
            },
        );
        let port = mapping.port.as_deref().unwrap_or("no port");
        inventory.add(
            ItemKind::Mapping,
            format!("{adapter} to {client}: {port}"),
            server,
        );
    }
    for disk in &vios.physical_volumes {
        let label = disk.label.as_deref().unwrap_or("local");
        inventory.add(ItemKind::Disk, format!("{} ({label})", disk.name), server);
    }
    for group in &vios.volume_groups {
        let place = format!("{} of {server}", group.name);
        for disk in group.disks.values() {
            inventory.add(ItemKind::VirtualDisk, &disk.name, &place);
        }
        inventory.measure("free space, MB", &place, group.free().megabytes());
        if let Some(repository) = &group.repository {
            inventory.add(ItemKind::MediaRepository, &repository.name, &place);
            for medium in repository.media.values() {
                inventory.add(
                    ItemKind::Media,
                    &medium.name,
                    format!("{} in {place}", repository.name),
                );
            }
        }
    }
}

fn client(world: &World, bus: &ScsiBus) -> String {
    match &bus.client {
        None => "any partition".to_owned(),
        Some(client) => name_of(world, client.partition),
    }
}

fn backing(world: &World, vios: &VirtualIoServer, backing: &Backing) -> String {
    match backing {
        Backing::LogicalUnit { tier, unit } => world
            .logical_unit(*tier, *unit)
            .map_or_else(|| unit.to_string(), |unit| unit.name.clone()),
        Backing::PhysicalVolume { name }
        | Backing::OpticalMedium { name, .. }
        | Backing::External { name } => name.clone(),
        Backing::VirtualDisk { group, udid } => vios
            .volume_group(*group)
            .and_then(|group| group.disk(udid))
            .map_or_else(|| udid.clone(), |disk| disk.name.clone()),
    }
}

fn name_of(world: &World, partition: Uuid) -> String {
    let found = world
        .owner(partition)
        .and_then(|owner: Owner| world.partition(owner));
    found.map_or_else(|| partition.to_string(), |partition| partition.name.clone())
}

fn job_target(world: &World, target: JobTarget, uuid: Uuid) -> String {
    match target {
        JobTarget::LogicalPartition(_) | JobTarget::VirtualIoServer(_) => name_of(world, uuid),
        _ => format!("{} {uuid}", target.group_name()),
    }
}

fn hundredths(units: ProcUnits) -> u64 {
    u64::from(units.hundredths())
}

/// What lies on the disk that a partition boots from: the logical unit or virtual disk that is mapped to it.
#[must_use]
pub fn content(world: &World, partition: Uuid) -> Content {
    let mut found: Option<(String, Option<Stored>)> = None;
    for vios in world.vioses.values() {
        for (bus, device) in vios.devices() {
            if bus
                .client
                .as_ref()
                .is_none_or(|client| client.partition != partition)
            {
                continue;
            }
            let disk = match &device.backing {
                Backing::LogicalUnit { tier, unit } => world
                    .logical_unit(*tier, *unit)
                    .map(|unit| (unit.name.clone(), unit.content)),
                Backing::VirtualDisk { group, udid } => {
                    disk(vios.volume_group(*group).map(AsRef::as_ref), udid)
                }
                Backing::PhysicalVolume { .. }
                | Backing::OpticalMedium { .. }
                | Backing::External { .. } => None,
            };
            // A server that is rescued has another disk beside its own.
            let disk =
                disk.filter(|(name, _)| !name.starts_with("rescue_") && !name.starts_with("r_"));
            match (&found, disk) {
                (_, None) => {}
                (Some((known, _)), Some((other, _))) if *known == other => {}
                (Some((known, _)), Some((other, _))) => {
                    return Content::Missing(format!("two disks are mapped, {known} and {other}"));
                }
                (None, disk) => found = disk,
            }
        }
    }
    match found {
        None => Content::Missing("no disk is mapped to the partition".to_owned()),
        Some((disk, None)) => Content::Missing(format!("nothing was ever written to {disk}")),
        Some((disk, Some(content))) => Content::Sha256 {
            disk,
            sha256: content.sha256_hex(),
            bytes: content.bytes,
        },
    }
}

fn disk(group: Option<&VolumeGroup>, udid: &str) -> Option<(String, Option<Stored>)> {
    group?
        .disk(udid)
        .map(|disk| (disk.name.clone(), disk.content))
}
