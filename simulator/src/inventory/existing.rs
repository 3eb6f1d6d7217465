//! What stands on the hardware at the start: made by the same commands that clients send.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use super::build::{check_identity, io_slots};
use super::directory::equip;
use super::furnish::{
    fill_group, fill_pool, give_slots, kept_disks, map_storage, plug_adapters, settle,
};
use super::network::{add_sriov, bridge};
use super::server::{MAXIMUM_PARTITIONS, running};
use super::{Inventory, InventoryError, ManagementInventory, PartitionInventory, SystemInventory};
use crate::clock::Millis;
use crate::model::command::{
    Command, CreateLogicalUnit, CreateNetworkAdapter, DiskRequest, FcMappingRequest, ScsiMapping,
    SlotChoice, StorageName, SubmitJob, UpdateVios, UpdateVolumeGroup,
};
use crate::model::job::JobTarget;
use crate::model::names::{LogicalUnitKind, PartitionKind, PartitionState};
use crate::model::network::VirtualSwitch;
use crate::model::partition::PartitionSettings;
use crate::model::storage::{Content, StorageOptions};
use crate::model::system::IoSlot;
use crate::model::units::Gigabytes;
use crate::model::{Outcome, Owner, Refusal, Resource, World};

/// How long before the start the partitions were made, in milliseconds: long enough for everything to have settled.
const AGE: u64 = 3_600_000;
const MANAGEMENT_DISK: &str = "novalink_boot";
const IMAGE: &str = "image_existing";
const MANAGEMENT_VLAN: u16 = 4094;

pub(super) fn populate(
    world: &mut World,
    inventory: &Inventory,
    now: Millis,
) -> Result<(), InventoryError> {
    let then = Millis(now.0.saturating_sub(AGE));
    for cluster in &inventory.clusters {
        fill_pool(world, cluster, then)?;
    }
    for system in &inventory.systems {
        let Some(uuid) = world
            .systems
            .values()
            .find(|made| made.name == system.name)
            .map(|made| made.uuid)
        else {
            continue;
        };
        bridge(world, uuid, system, then)?;
        let slots = io_slots(world, uuid, &system.serial);
        check_slots(system, &slots)?;
        if let Some(made) = world.systems.get_mut(&uuid).map(Arc::make_mut) {
            made.io_slots = slots;
        }
        world.derive_networks(then, uuid);
        equip(world, uuid, system, then)?;
        for vios in &system.vioses {
            let server = world
                .vioses_of(uuid)
                .find(|server| server.partition.name == vios.name)
                .map(|server| server.partition.uuid);
            if let Some(server) = server {
                for group in &vios.volume_groups {
                    fill_group(world, server, group, then)?;
                }
            }
        }
        check_management(system)?;
        if let Some(management) = &system.management_partition {
            add_management(world, uuid, management, now)?;
        }
        let runs = system
            .partitions
            .chunk_by(|one, next| one.is_plain() && next.is_plain());
        for run in runs {
            add_partitions(world, uuid, system, run, then)?;
        }
        let available = world.available_memory(uuid);
        if available == 0 {
            return Err(InventoryError::Inconsistent(format!(
                "system {} has no memory left for partitions",
                system.name
            )));
        }
    }
    world.advance(now);
    for system in &inventory.systems {
        let made = world.systems.values().find(|made| made.name == system.name);
        if let Some(made) = made.map(|made| made.uuid) {
            settle(world, made, system);
        }
    }
    Ok(())
}

/// A physical slot holds one adapter. Those of SR-IOV adapters are given; Virtual I/O Servers have theirs by number.
fn check_slots(system: &SystemInventory, slots: &[IoSlot]) -> Result<(), InventoryError> {
    let mut taken: BTreeMap<u32, &IoSlot> = BTreeMap::new();
    for slot in slots {
        if let Some(other) = taken.insert(slot.drc_index, slot) {
            return Err(InventoryError::Inconsistent(format!(
                "slot {} of system {} would hold two adapters, {} and {}: give the SR-IOV adapter another slot",
                slot.location, system.name, other.description, slot.description
            )));
        }
    }
    Ok(())
}

/// NovaLink runs on one partition: one of its own, or a Virtual I/O Server.
fn check_management(system: &SystemInventory) -> Result<(), InventoryError> {
    let servers = system.vioses.iter().filter(|vios| vios.is_management);
    let own = usize::from(system.management_partition.is_some());
    if servers.count() + own > 1 {
        return Err(InventoryError::Inconsistent(format!(
            "system {} has more than one management partition: NovaLink runs on management_partition, or on one Virtual I/O Server with is_management",
            system.name
        )));
    }
    Ok(())
}

/// The NovaLink partition boots from a virtual disk on each Virtual I/O Server, so it has a mapping on each.
fn add_management(
    world: &mut World,
    system: Uuid,
    inventory: &ManagementInventory,
    now: Millis,
) -> Result<(), InventoryError> {
    let id = inventory.id.unwrap_or(1);
    if !(1..=MAXIMUM_PARTITIONS).contains(&id) {
        return Err(InventoryError::Inconsistent(format!(
            "the number {id} of the management partition must lie between 1 and {MAXIMUM_PARTITIONS}"
        )));
    }
    let mut partition = running(
        &mut world.ids,
        system,
        id,
        &inventory.name,
        inventory.memory_mb,
        50,
        now,
    );
    partition.uuid = inventory.uuid.unwrap_or(partition.uuid);
    partition.kind = PartitionKind::AixLinux;
    partition.is_management = true;
    partition.os_version = "Linux/Ubuntu 4.15.0-generic 18.04".to_owned();
    partition.reference_code = "Linux ppc64le".to_owned();
    partition.maximum_slots = 4000;
    partition.settings = PartitionSettings {
        availability_priority: 191,
        ..PartitionSettings::default()
    };
    partition.logical_serial = world
        .systems
        .get(&system)
        .map(|made| format!("{}{:X}", made.machine.serial, partition.id))
        .unwrap_or_default();
    let uuid = partition.uuid;
    check_identity(world, &partition)?;
    world.partitions.insert(uuid, Arc::new(partition));
    let vioses: Vec<Uuid> = world
        .vioses_of(system)
        .map(|vios| vios.partition.uuid)
        .collect();
    for vios in vioses {
        let group = world
            .vioses
            .get(&vios)
            .and_then(|vios| vios.volume_groups.first());
        let Some((group, mut disks)) = group.map(|group| (group.uuid, kept_disks(group))) else {
            continue;
        };
        disks.push(DiskRequest {
            udid: None,
            name: MANAGEMENT_DISK.to_owned(),
            label: None,
            capacity: Gigabytes::whole(inventory.disk_gb),
            base_image: None,
            kind: None,
            file_format: None,
            options: StorageOptions::default(),
        });
        let update = UpdateVolumeGroup {
            vios,
            group,
            disks: Some(disks),
            repositories: None,
            physical_volumes: None,
        };
        world.apply(now, Command::UpdateVolumeGroup(update))?;
        let storage = StorageName::VirtualDisk {
            udid: None,
            name: Some(MANAGEMENT_DISK.to_owned()),
        };
        map(world, now, vios, uuid, storage)?;
    }
    let switch = world.systems.get(&system).and_then(|system| {
        system
            .switches
            .values()
            .find(|switch| switch.name == VirtualSwitch::MANAGEMENT)
            .map(|switch| switch.uuid)
    });
    if switch.is_some() {
        plug(world, now, Owner::Partition(uuid), switch, MANAGEMENT_VLAN)?;
    }
    Ok(())
}

/// Partitions one after another, but their boot disks mapped together: a list of mappings is posted as a whole, so one
/// after another would cost the square of their number.
fn add_partitions(
    world: &mut World,
    system: Uuid,
    hardware: &SystemInventory,
    run: &[PartitionInventory],
    then: Millis,
) -> Result<(), InventoryError> {
    let mut made = Vec::new();
    let mut disks: Vec<(Uuid, Vec<ScsiMapping>)> = world
        .vioses_of(system)
        .map(|vios| (vios.partition.uuid, Vec::new()))
        .collect();
    for inventory in run {
        let Some(partition) = add_partition(world, system, hardware, inventory, then)? else {
            continue;
        };
        if let Some(gigabytes) = inventory.disk_gb {
            add_disk(world, &mut disks, partition, inventory, gigabytes, then)?;
        }
        made.push((inventory, partition));
    }
    for (vios, new) in disks {
        if !new.is_empty() {
            map_all(world, then, vios, new)?;
        }
    }
    for (inventory, partition) in made {
        finish_partition(world, (system, partition), hardware, inventory, then)?;
    }
    Ok(())
}

fn add_partition(
    world: &mut World,
    system: Uuid,
    hardware: &SystemInventory,
    inventory: &PartitionInventory,
    then: Millis,
) -> Result<Option<Uuid>, InventoryError> {
    // One with an identity was recorded: it runs from disks that no document tells of.
    if inventory.running && inventory.uuid.is_none() && !inventory.has_storage() {
        return Err(InventoryError::Inconsistent(format!(
            "partition {} runs without a disk: give it disk_gb",
            inventory.name
        )));
    }
    let create = inventory.creation(system, hardware)?;
    let Outcome::Written(Resource::LogicalPartition(partition)) =
        world.apply(then, Command::CreatePartition(Box::new(create)))?
    else {
        return Ok(None);
    };
    match &inventory.adapters {
        Some(adapters) => plug_adapters(world, system, partition, adapters, then)?,
        None => plug(
            world,
            then,
            Owner::Partition(partition),
            None,
            inventory.vlan,
        )?,
    }
    Ok(Some(partition))
}

/// What comes after a partition's boot disk.
fn finish_partition(
    world: &mut World,
    (system, partition): (Uuid, Uuid),
    hardware: &SystemInventory,
    inventory: &PartitionInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    give_slots(world, system, partition, inventory)?;
    map_storage(world, system, partition, inventory, then)?;
    add_fc_adapters(world, system, partition, inventory.fc_adapters, then)?;
    if inventory.sriov {
        add_sriov(world, system, partition, then)?;
    }
    if inventory.running {
        let job = SubmitJob {
            target: JobTarget::LogicalPartition(partition),
            operation: "PowerOn".to_owned(),
            parameters: Vec::new(),
        };
        world.apply(then, Command::SubmitJob(job))?;
        let state = world
            .partitions
            .get(&partition)
            .map(|partition| partition.state);
        if state != Some(PartitionState::Running) {
            return Err(InventoryError::Inconsistent(format!(
                "partition {} cannot run: system {} has not enough memory or processors",
                inventory.name, hardware.name
            )));
        }
    }
    Ok(())
}

/// Virtual Fibre Channel adapters, one after another on each server's ports in turn.
fn add_fc_adapters(
    world: &mut World,
    system: Uuid,
    partition: Uuid,
    count: u16,
    then: Millis,
) -> Result<(), InventoryError> {
    let servers: Vec<(Uuid, Vec<String>)> = world
        .vioses_of(system)
        .map(|vios| {
            let names = vios.fc_ports().map(|port| port.name.clone());
            (vios.partition.uuid, names.collect::<Vec<String>>())
        })
        .filter(|(_, ports)| !ports.is_empty())
        .collect();
    for (turn, (vios, ports)) in (0..usize::from(count)).zip(servers.iter().cycle()) {
        let mut mappings = world.posted_fc_mappings(*vios);
        mappings.push(FcMappingRequest {
            client: Some(partition),
            port: ports.get(turn / servers.len() % ports.len()).cloned(),
            ..FcMappingRequest::default()
        });
        let update = UpdateVios {
            vios: *vios,
            base: None,
            scsi_mappings: None,
            fc_mappings: Some(mappings),
        };
        world.apply(then, Command::UpdateVios(Box::new(update)))?;
    }
    Ok(())
}

/// A clone of one image, to be mapped by every Virtual I/O Server of the pool on this system.
fn add_disk(
    world: &mut World,
    mappings: &mut [(Uuid, Vec<ScsiMapping>)],
    partition: Uuid,
    inventory: &PartitionInventory,
    gigabytes: u64,
    then: Millis,
) -> Result<(), InventoryError> {
    let pool = mappings
        .iter()
        .find_map(|(vios, _)| world.cluster_of(*vios))
        .map(|cluster| cluster.pool);
    let tier = pool
        .and_then(|pool| world.tiers_of(pool).next())
        .map(Arc::clone);
    let tier = tier.ok_or_else(|| {
        InventoryError::Inconsistent(format!(
            "partition {} has a disk, but no shared storage pool is there to hold it",
            inventory.name
        ))
    })?;
    let image = match tier.units.named(IMAGE).next() {
        Some(image) => image.udid.clone(),
        None => add_image(world, tier.uuid, then)?,
    };
    let name = format!("boot_{}", inventory.name);
    let create = CreateLogicalUnit {
        tier: tier.uuid,
        name: name.clone(),
        capacity: Gigabytes::whole(gigabytes),
        thin: None,
        kind: None,
        cloned_from: Some(image),
    };
    world.apply(then, Command::CreateLogicalUnit(create))?;
    for (vios, new) in mappings {
        let cluster = world.cluster_of(*vios);
        if cluster.is_some_and(|cluster| cluster.pool == tier.pool) {
            new.push(ScsiMapping {
                client: Some(partition),
                storage: Some(StorageName::LogicalUnit {
                    udid: None,
                    name: Some(name.clone()),
                }),
                ..ScsiMapping::default()
            });
        }
    }
    Ok(())
}

fn add_image(world: &mut World, tier: Uuid, then: Millis) -> Result<String, InventoryError> {
    let create = CreateLogicalUnit {
        tier,
        name: IMAGE.to_owned(),
        capacity: Gigabytes::whole(1),
        thin: None,
        kind: Some(LogicalUnitKind::Image),
        cloned_from: None,
    };
    let Outcome::Written(Resource::LogicalUnit { unit, .. }) =
        world.apply(then, Command::CreateLogicalUnit(create))?
    else {
        return Ok(String::new());
    };
    let content = Content {
        bytes: 1 << 30,
        sha256: Sha256::digest(IMAGE).into(),
    };
    world.edit_unit(then, tier, unit, |unit| unit.content = Some(content));
    Ok(world
        .logical_unit(tier, unit)
        .map(|unit| unit.udid.clone())
        .unwrap_or_default())
}

fn plug(
    world: &mut World,
    at: Millis,
    owner: Owner,
    switch: Option<Uuid>,
    vlan: u16,
) -> Result<(), Refusal> {
    let create = CreateNetworkAdapter {
        owner,
        slot: SlotChoice::Next,
        mac: None,
        vlan,
        tagged_vlans: Vec::new(),
        tagged: None,
        switch,
        allowed_os_macs: None,
        quality_of_service: None,
        enabled: None,
        required: None,
        station: None,
        trunk: None,
        mtu: None,
        ovs_bridge: None,
        ovs_external_ids: None,
    };
    world
        .apply(at, Command::CreateNetworkAdapter(create))
        .map(|_| ())
}

/// Adds one mapping to those that a Virtual I/O Server has.
fn map(
    world: &mut World,
    at: Millis,
    vios: Uuid,
    client: Uuid,
    storage: StorageName,
) -> Result<(), Refusal> {
    let mapping = ScsiMapping {
        client: Some(client),
        storage: Some(storage),
        ..ScsiMapping::default()
    };
    map_all(world, at, vios, vec![mapping])
}

/// Adds mappings to those that a Virtual I/O Server has.
fn map_all(
    world: &mut World,
    at: Millis,
    vios: Uuid,
    new: Vec<ScsiMapping>,
) -> Result<(), Refusal> {
    let mut mappings = world.posted_mappings(vios);
    mappings.extend(new);
    let update = UpdateVios {
        vios,
        base: None,
        scsi_mappings: Some(mappings),
        fc_mappings: None,
    };
    world
        .apply(at, Command::UpdateVios(Box::new(update)))
        .map(|_| ())
}
