//! Filling what stands: virtual disks, media, logical units, adapters and mappings that an inventory names exactly.

use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

use super::exact::{AdapterInventory, MappingInventory, VirtualDiskInventory};
use super::hardware::{missing, storage_options};
use super::{
    ClusterInventory, InventoryError, PartitionInventory, SystemInventory, VolumeGroupInventory,
};
use crate::clock::Millis;
use crate::model::command::{
    Command, CreateLogicalUnit, CreateNetworkAdapter, DiskRequest, FcMappingRequest, ScsiMapping,
    SlotChoice, StorageName, UpdateVios, UpdateVolumeGroup, WwpnChoice,
};
use crate::model::names::{LogicalUnitKind, MountType, PartitionKind, PartitionState, RmcState};
use crate::model::partition::PartitionCapabilities;
use crate::model::storage::{Content, OpticalMedium, StorageOptions, VirtualDisk, VolumeGroup};
use crate::model::units::Gigabytes;
use crate::model::{Outcome, Owner, Resource, World};

/// Makes the virtual disks and media of a volume group that is there.
pub(super) fn fill_group(
    world: &mut World,
    vios: Uuid,
    inventory: &VolumeGroupInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    if inventory.virtual_disks.is_empty() && inventory.media.is_empty() {
        return Ok(());
    }
    let group = world.vioses.get(&vios).and_then(|vios| {
        let mut groups = vios.volume_groups.iter();
        groups.find(|group| group.name == inventory.name)
    });
    let group = group.ok_or_else(|| missing("volume group", &inventory.name))?;
    let uuid = group.uuid;
    let disk = |disk: &VirtualDiskInventory| DiskRequest {
        udid: None,
        name: disk.name.clone(),
        label: None,
        capacity: Gigabytes::from_megabytes(disk.mb),
        base_image: None,
        kind: None,
        file_format: None,
        options: storage_options(disk.read_iops, disk.write_iops, disk.encrypted),
    };
    let mut disks = kept_disks(group);
    disks.extend(inventory.virtual_disks.iter().map(disk));
    let update = UpdateVolumeGroup {
        vios,
        group: uuid,
        disks: Some(disks),
        repositories: None,
        physical_volumes: None,
    };
    world.apply(then, Command::UpdateVolumeGroup(update))?;
    fill_repository(world, vios, uuid, inventory)
}

/// Media that lie in a repository may have names that no client can give (recording `refresher.yml` has some with
/// hyphens), so they are put there past the rules for new ones.
fn fill_repository(
    world: &mut World,
    vios: Uuid,
    group: Uuid,
    inventory: &VolumeGroupInventory,
) -> Result<(), InventoryError> {
    let inconsistent = |why: &str| {
        let text = format!("volume group {} {why}", inventory.name);
        Err(InventoryError::Inconsistent(text))
    };
    let mut server = world.vioses.get_mut(&vios);
    let groups = server.as_mut().map(|server| &mut server.volume_groups);
    let mut groups = groups.into_iter().flatten();
    let found = groups.find(|found| found.uuid == group).map(Arc::make_mut);
    let repository = found.and_then(|found| found.repository.as_mut());
    match repository {
        None if inventory.media.is_empty() => {}
        None => return inconsistent("has media and no repository: give it repository_gb"),
        Some(repository) => {
            for medium in &inventory.media {
                let size = Gigabytes::from_megabytes(medium.mb);
                if medium.name.is_empty() || repository.free() < size {
                    return inconsistent(&format!("has no room for the medium {:?}", medium.name));
                }
                let made = OpticalMedium {
                    name: medium.name.clone(),
                    mount: MountType::ReadWrite,
                    size,
                    content: None,
                };
                if repository
                    .media
                    .insert(medium.name.clone(), Arc::new(made))
                    .is_some()
                {
                    return inconsistent(&format!("has two media named {}", medium.name));
                }
            }
        }
    }
    Ok(())
}

/// The disks of a volume group as a request that leaves them as they are names them.
pub(super) fn kept_disks(group: &VolumeGroup) -> Vec<DiskRequest> {
    let kept = |disk: &Arc<VirtualDisk>| DiskRequest {
        udid: Some(disk.udid.clone()),
        name: disk.name.clone(),
        label: None,
        capacity: disk.capacity,
        base_image: None,
        kind: None,
        file_format: None,
        options: StorageOptions::default(),
    };
    group.disks.values().map(kept).collect()
}

/// Makes the logical units of a pool that is there.
pub(super) fn fill_pool(
    world: &mut World,
    inventory: &ClusterInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    let tier = world
        .pools
        .values()
        .find(|pool| pool.name == inventory.pool);
    let tier = tier.and_then(|pool| world.tiers_of(pool.uuid).next());
    let Some(tier) = tier.map(|tier| tier.uuid) else {
        return Err(missing("pool", &inventory.pool));
    };
    for unit in &inventory.logical_units {
        let image = unit.cloned_from.as_ref().map(|name| {
            let units = world.tiers.get(&tier).map(|tier| &tier.units);
            let image = units.and_then(|units| units.named(name).next());
            image
                .map(|unit| unit.udid.clone())
                .ok_or_else(|| missing("image", name))
        });
        let create = CreateLogicalUnit {
            tier,
            name: unit.name.clone(),
            capacity: Gigabytes::from_megabytes(unit.mb),
            thin: unit.thin,
            kind: unit.image.then_some(LogicalUnitKind::Image),
            cloned_from: image.transpose()?,
        };
        let made = world.apply(then, Command::CreateLogicalUnit(create))?;
        if let Outcome::Written(Resource::LogicalUnit { unit: made, .. }) = made
            && unit.image
        {
            let content = Content {
                bytes: unit.mb << 20,
                sha256: Sha256::digest(&unit.name).into(),
            };
            world.edit_unit(then, tier, made, |unit| unit.content = Some(content));
        }
    }
    Ok(())
}

/// Plugs a partition's adapters in.
pub(super) fn plug_adapters(
    world: &mut World,
    system: Uuid,
    partition: Uuid,
    adapters: &[AdapterInventory],
    then: Millis,
) -> Result<(), InventoryError> {
    for adapter in adapters {
        let switch = adapter.switch.as_ref().map(|name| {
            let switches = world.systems.get(&system).map(|system| &system.switches);
            let mut switches = switches.into_iter().flat_map(imbl::OrdMap::values);
            let switch = switches.find(|switch| switch.name == *name);
            switch
                .map(|switch| switch.uuid)
                .ok_or_else(|| missing("virtual switch", name))
        });
        let mac = adapter
            .mac
            .as_ref()
            .map(|text| text.replace(':', "").to_uppercase());
        let create = CreateNetworkAdapter {
            owner: Owner::Partition(partition),
            slot: slot(adapter.slot),
            mac,
            vlan: adapter.vlan,
            tagged_vlans: adapter.tagged_vlans.clone(),
            tagged: None,
            switch: switch.transpose()?,
            allowed_os_macs: None,
            quality_of_service: adapter.quality_of_service,
            enabled: None,
            required: None,
            station: None,
            trunk: None,
            mtu: adapter.mtu,
            ovs_bridge: adapter.ovs_bridge.clone(),
            ovs_external_ids: adapter.ovs_external_ids.clone(),
        };
        world.apply(then, Command::CreateNetworkAdapter(create))?;
    }
    Ok(())
}

/// Gives slots to a partition; each must be there and free.
pub(super) fn give_slots(
    world: &mut World,
    system: Uuid,
    partition: Uuid,
    inventory: &PartitionInventory,
) -> Result<(), InventoryError> {
    let system = world.systems.get_mut(&system).map(Arc::make_mut);
    let mut slots: Vec<_> = system
        .into_iter()
        .flat_map(|system| &mut system.io_slots)
        .collect();
    for name in &inventory.io_slots {
        let mut free = slots.iter_mut().filter(|slot| slot.owner.is_none());
        let slot = free.find(|slot| slot.location == *name);
        slot.ok_or_else(|| missing("free slot", name))?.owner = Some(partition);
    }
    Ok(())
}

/// Maps storage that is there to a partition.
pub(super) fn map_storage(
    world: &mut World,
    system: Uuid,
    partition: Uuid,
    inventory: &PartitionInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    for mapping in &inventory.mappings {
        let vios = server(world, system, &mapping.vios)?;
        let mut mappings = world.posted_mappings(vios);
        mappings.push(ScsiMapping {
            client: Some(partition),
            server_udid: pair_in_slot(world, vios, partition, mapping.server_slot),
            storage: Some(storage_name(&inventory.name, mapping)?),
            client_slot: slot(mapping.client_slot),
            server_slot: slot(mapping.server_slot),
            ..ScsiMapping::default()
        });
        let update = UpdateVios {
            vios,
            base: None,
            scsi_mappings: Some(mappings),
            fc_mappings: None,
        };
        world.apply(then, Command::UpdateVios(Box::new(update)))?;
    }
    for mapping in &inventory.fc_mappings {
        let vios = server(world, system, &mapping.vios)?;
        let wwpns = match &mapping.wwpns {
            None => WwpnChoice::Next,
            Some([one, other]) => WwpnChoice::Given([wwpn(one)?, wwpn(other)?]),
        };
        let mut mappings = world.posted_fc_mappings(vios);
        mappings.push(FcMappingRequest {
            client: Some(partition),
            port: mapping.port.clone(),
            wwpns,
            client_slot: slot(mapping.client_slot),
            server_slot: slot(mapping.server_slot),
            ..FcMappingRequest::default()
        });
        let update = UpdateVios {
            vios,
            base: None,
            scsi_mappings: None,
            fc_mappings: Some(mappings),
        };
        world.apply(then, Command::UpdateVios(Box::new(update)))?;
    }
    Ok(())
}

/// Partitions that are to run do so, with an operating system that answers, whatever is known of their disks.
pub(super) fn settle(world: &mut World, system: Uuid, inventory: &SystemInventory) {
    for partition in inventory
        .partitions
        .iter()
        .filter(|partition| partition.running)
    {
        let found = world.partitions.named(system, &partition.name).next();
        let Some(found) = found else {
            continue;
        };
        world.edit_partition(Owner::Partition(found), |partition| {
            let answers = partition.kind != PartitionKind::IbmI;
            if partition.state != PartitionState::Running && partition.memory.active {
                partition.state = PartitionState::Running;
                partition.reference_code = match partition.kind {
                    PartitionKind::IbmI => "00000000".to_owned(),
                    _ => "Linux ppc64le".to_owned(),
                };
            }
            if partition.state == PartitionState::Running && answers && !partition.rmc.is_up() {
                partition.rmc = RmcState::Active;
                partition.capabilities = PartitionCapabilities::ALL;
                let address = format!("198.51.100.{}", 1 + partition.id % 250);
                partition.rmc_address.get_or_insert(address);
            }
        });
    }
}

/// The pair of adapters that this partition has in a slot already: several devices may be behind one.
fn pair_in_slot(world: &World, vios: Uuid, partition: Uuid, slot: Option<u16>) -> Option<String> {
    let server = world.vioses.get(&vios)?;
    let bus = server.buses.get(&slot?)?;
    let own = bus
        .client
        .is_some_and(|client| client.partition == partition);
    own.then(|| world.server_udid(server, bus))
}

fn slot(given: Option<u16>) -> SlotChoice {
    given.map_or(SlotChoice::Next, SlotChoice::Given)
}

fn wwpn(text: &str) -> Result<u64, InventoryError> {
    let text = text.replace(':', "");
    u64::from_str_radix(&text, 16).map_err(|_| {
        InventoryError::Inconsistent(format!("{text} is no port name of 16 hexadecimal digits"))
    })
}

fn server(world: &World, system: Uuid, name: &str) -> Result<Uuid, InventoryError> {
    let mut servers = world.vioses_of(system);
    let server = servers.find(|vios| vios.partition.name == name);
    server
        .map(|vios| vios.partition.uuid)
        .ok_or_else(|| missing("Virtual I/O Server", name))
}

fn storage_name(
    partition: &str,
    mapping: &MappingInventory,
) -> Result<StorageName, InventoryError> {
    let named = |name: &String| Some(name.clone());
    let given = [
        mapping
            .disk
            .as_ref()
            .map(|name| StorageName::PhysicalVolume {
                udid: None,
                name: named(name),
            }),
        mapping
            .virtual_disk
            .as_ref()
            .map(|name| StorageName::VirtualDisk {
                udid: None,
                name: named(name),
            }),
        mapping
            .logical_unit
            .as_ref()
            .map(|name| StorageName::LogicalUnit {
                udid: None,
                name: named(name),
            }),
        mapping
            .medium
            .as_ref()
            .map(|name| StorageName::OpticalMedium { name: name.clone() }),
    ];
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(storage), None) => Ok(storage),
        _ => Err(InventoryError::Inconsistent(format!(
            "a mapping of partition {partition} names not exactly one of disk, virtual_disk, logical_unit and medium"
        ))),
    }
}
