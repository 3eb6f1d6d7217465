//! What stands on the hardware at the start: made by the same commands that clients send.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

use super::build::io_slots;
use super::server::running;
use super::{Inventory, InventoryError, ManagementInventory, PartitionInventory, SystemInventory};
use crate::clock::Millis;
use crate::model::command::{
    Command, CreateLogicalUnit, CreateNetworkAdapter, CreatePartition, DiskRequest, MemoryRequest,
    ProcessorRequest, ScsiMapping, SlotChoice, StorageName, SubmitJob, UpdateVios,
    UpdateVolumeGroup,
};
use crate::model::job::JobTarget;
use crate::model::names::{LogicalUnitKind, PartitionKind, PartitionState, SharingMode};
use crate::model::network::VirtualSwitch;
use crate::model::partition::PartitionSettings;
use crate::model::storage::Content;
use crate::model::units::{Gigabytes, ProcUnits};
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
    for system in &inventory.systems {
        let Some(uuid) = world
            .systems
            .values()
            .find(|made| made.name == system.name)
            .map(|made| made.uuid)
        else {
            continue;
        };
        plug_trunks(world, uuid);
        let slots = io_slots(world, uuid, &system.serial);
        if let Some(made) = world.systems.get_mut(&uuid).map(Arc::make_mut) {
            made.io_slots = slots;
        }
        world.derive_networks(then, uuid);
        if let Some(management) = &system.management_partition {
            add_management(world, uuid, management, now)?;
        }
        for partition in &system.partitions {
            add_partition(world, uuid, system, partition, then)?;
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
    Ok(())
}

/// Trunk adapters of shared Ethernet adapters sit on the default switch.
fn plug_trunks(world: &mut World, system: Uuid) {
    let switch = world
        .systems
        .get(&system)
        .and_then(|system| system.switch_by_id(0))
        .map(|switch| switch.uuid);
    let vioses: Vec<Uuid> = world
        .vioses_of(system)
        .map(|vios| vios.partition.uuid)
        .collect();
    for vios in vioses {
        let Some(server) = world.vioses.get_mut(&vios).map(Arc::make_mut) else {
            continue;
        };
        let plugged = server
            .partition
            .network_adapters
            .iter()
            .map(|(uuid, adapter)| {
                let mut adapter = (**adapter).clone();
                adapter.switch = switch.unwrap_or_default();
                (*uuid, Arc::new(adapter))
            });
        server.partition.network_adapters = plugged.collect();
    }
}

/// The NovaLink partition boots from a virtual disk on each Virtual I/O Server, so it has a mapping on each.
fn add_management(
    world: &mut World,
    system: Uuid,
    inventory: &ManagementInventory,
    now: Millis,
) -> Result<(), InventoryError> {
    let mut partition = running(
        &mut world.ids,
        system,
        1,
        &inventory.name,
        inventory.memory_mb,
        50,
        now,
    );
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
        .map(|made| format!("{}1", made.machine.serial))
        .unwrap_or_default();
    let uuid = partition.uuid;
    world.partitions.insert(uuid, Arc::new(partition));
    let vioses: Vec<Uuid> = world
        .vioses_of(system)
        .map(|vios| vios.partition.uuid)
        .collect();
    for vios in vioses {
        let Some(group) = world
            .vioses
            .get(&vios)
            .and_then(|vios| vios.volume_groups.first())
            .map(|group| group.uuid)
        else {
            continue;
        };
        let disk = DiskRequest {
            udid: None,
            name: MANAGEMENT_DISK.to_owned(),
            label: None,
            capacity: Gigabytes::whole(inventory.disk_gb),
            base_image: None,
            kind: None,
            file_format: None,
        };
        let update = UpdateVolumeGroup {
            vios,
            group,
            disks: Some(vec![disk]),
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

fn add_partition(
    world: &mut World,
    system: Uuid,
    hardware: &SystemInventory,
    inventory: &PartitionInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    if inventory.running && inventory.disk_gb.is_none() {
        return Err(InventoryError::Inconsistent(format!(
            "partition {} runs without a disk: give it disk_gb",
            inventory.name
        )));
    }
    let units = Some(ProcUnits::from_hundredths(
        inventory.processor_units_hundredths,
    ));
    let processors = Some(inventory.virtual_processors);
    let create = CreatePartition {
        system,
        uuid: None,
        id: None,
        name: inventory.name.clone(),
        description: None,
        kind: PartitionKind::AixLinux,
        memory: MemoryRequest {
            desired: Some(inventory.memory_mb),
            ..MemoryRequest::default()
        },
        processors: Some(ProcessorRequest {
            dedicated: Some(false),
            sharing: Some(SharingMode::Uncapped),
            minimum_units: units,
            desired_units: units,
            maximum_units: units,
            minimum_virtual: processors,
            desired_virtual: processors,
            maximum_virtual: processors,
            ..ProcessorRequest::default()
        }),
        maximum_slots: None,
        settings: PartitionSettings::default(),
        nvram: None,
    };
    let Outcome::Written(Resource::LogicalPartition(partition)) =
        world.apply(then, Command::CreatePartition(Box::new(create)))?
    else {
        return Ok(());
    };
    plug(
        world,
        then,
        Owner::Partition(partition),
        None,
        inventory.vlan,
    )?;
    if let Some(gigabytes) = inventory.disk_gb {
        add_disk(world, system, partition, inventory, gigabytes, then)?;
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

/// A clone of one image, mapped by every Virtual I/O Server of the pool on this system.
fn add_disk(
    world: &mut World,
    system: Uuid,
    partition: Uuid,
    inventory: &PartitionInventory,
    gigabytes: u64,
    then: Millis,
) -> Result<(), InventoryError> {
    let servers: Vec<Uuid> = world
        .vioses_of(system)
        .map(|vios| vios.partition.uuid)
        .collect();
    let pool = servers
        .iter()
        .find_map(|vios| world.cluster_of(*vios))
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
    let image = match tier.units.values().find(|unit| unit.name == IMAGE) {
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
    for vios in servers {
        if world
            .cluster_of(vios)
            .is_some_and(|cluster| cluster.pool == tier.pool)
        {
            map(
                world,
                then,
                vios,
                partition,
                StorageName::LogicalUnit {
                    udid: None,
                    name: Some(name.clone()),
                },
            )?;
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
    let mut mappings = world.posted_mappings(vios);
    mappings.push(ScsiMapping {
        client: Some(client),
        storage: Some(storage),
        ..ScsiMapping::default()
    });
    let update = UpdateVios {
        vios,
        base: None,
        scsi_mappings: Some(mappings),
    };
    world
        .apply(at, Command::UpdateVios(Box::new(update)))
        .map(|_| ())
}
