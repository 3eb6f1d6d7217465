//! What is known exactly of storage and partitions that are there already: identities, sizes, adapters, mappings. An
//! inventory made of recordings says most of this; one written by hand need not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use uuid::Uuid;

use super::hardware::missing;
use super::{
    ClusterInventory, InventoryError, PartitionInventory, SystemInventory, VolumeGroupInventory,
};
use crate::clock::Millis;
use crate::model::command::{
    Command, CreateLogicalUnit, CreateNetworkAdapter, CreatePartition, DiskRequest,
    FcMappingRequest, MemoryRequest, ProcessorRequest, ScsiMapping, SlotChoice, StorageName,
    UpdateVios, UpdateVolumeGroup, WwpnChoice,
};
use crate::model::names::{
    LogicalUnitKind, MountType, PartitionKind, PartitionState, RmcState, SharingMode,
};
use crate::model::partition::{PartitionCapabilities, PartitionSettings};
use crate::model::storage::{Content, OpticalMedium, StorageOptions, VirtualDisk, VolumeGroup};
use crate::model::units::{Gigabytes, ProcUnits};
use crate::model::{Outcome, Owner, Resource, World};

/// A virtual disk in a volume group.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VirtualDiskInventory {
    /// Its name, up to 15 characters.
    pub name: String,
    /// Its size in megabytes.
    pub mb: u64,
}

/// A virtual optical medium in a media repository.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MediumInventory {
    /// Its name.
    pub name: String,
    /// Its size in megabytes.
    pub mb: u64,
}

/// A logical unit in the default tier of a pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogicalUnitInventory {
    /// Its name, unique in the pool if a partition is to have it.
    pub name: String,
    /// Its size in megabytes.
    pub mb: u64,
    /// Whether it holds an image that others are clones of.
    #[serde(default)]
    pub image: bool,
    /// The name of the image that it is a clone of; one further up in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloned_from: Option<String>,
    /// Whether it takes room only as it fills; the pool's usual way if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thin: Option<bool>,
}

/// The processors of a partition in full.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessorInventory {
    /// Whether they are whole processors of its own.
    #[serde(default)]
    pub dedicated: bool,
    /// The fewest virtual, or dedicated, processors.
    pub minimum: u16,
    /// How many it wants.
    pub desired: u16,
    /// The most.
    pub maximum: u16,
    /// The least share in hundredths; of shared processors only, as the following ones.
    #[serde(default)]
    pub minimum_units_hundredths: u32,
    /// The share that it wants.
    #[serde(default)]
    pub units_hundredths: u32,
    /// The largest share.
    #[serde(default)]
    pub maximum_units_hundredths: u32,
    /// Whether it may not have more than its share.
    #[serde(default)]
    pub capped: bool,
    /// Its weight when there is more to have, 0 to 255; 128 if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u8>,
    /// The name of its shared processor pool; the default one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// A network adapter of a partition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdapterInventory {
    /// The VLAN of untagged frames.
    #[serde(default = "super::defaults::vlan")]
    pub vlan: u16,
    /// VLANs of tagged frames.
    #[serde(default)]
    pub tagged_vlans: Vec<u16>,
    /// Its MAC address, 12 hexadecimal digits; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Its slot; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u16>,
    /// The name of its virtual switch; the default one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
}

/// Storage that a Virtual I/O Server shows to a partition: exactly one of `disk`, `virtual_disk`, `logical_unit` and
/// `medium`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingInventory {
    /// The name of the Virtual I/O Server.
    pub vios: String,
    /// One of its disks, such as `hdisk5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// A virtual disk of one of its volume groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_disk: Option<String>,
    /// A logical unit of its pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_unit: Option<String>,
    /// A medium of its repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// The slot of the partition's adapter; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_slot: Option<u16>,
    /// The slot of the server's adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_slot: Option<u16>,
}

/// A virtual Fibre Channel adapter of a partition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FcMappingInventory {
    /// The name of the Virtual I/O Server.
    pub vios: String,
    /// Its port, such as `fcs0`; not plugged if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The adapter's two port names of 16 hexadecimal digits; drawn if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wwpns: Option<[String; 2]>,
    /// The slot of the partition's adapter; the next one if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_slot: Option<u16>,
    /// The slot of the server's adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_slot: Option<u16>,
}

impl PartitionInventory {
    /// Whether there is anything to boot from.
    pub(super) fn has_storage(&self) -> bool {
        self.disk_gb.is_some()
            || !self.mappings.is_empty()
            || !self.fc_mappings.is_empty()
            || self.fc_adapters > 0
    }

    /// The request that makes it.
    pub(super) fn creation(
        &self,
        system: Uuid,
        hardware: &SystemInventory,
    ) -> Result<CreatePartition, InventoryError> {
        let kind = self
            .kind
            .as_deref()
            .map_or(Ok(PartitionKind::AixLinux), |name| {
                PartitionKind::parse(name)
                    .filter(|kind| *kind != PartitionKind::VirtualIoServer)
                    .ok_or_else(|| missing("partition type", name))
            })?;
        Ok(CreatePartition {
            system,
            uuid: self.uuid,
            id: self.id,
            name: self.name.clone(),
            description: None,
            kind,
            memory: MemoryRequest {
                minimum: self.memory_minimum_mb,
                desired: Some(self.memory_mb),
                maximum: self.memory_maximum_mb,
                ..MemoryRequest::default()
            },
            processors: Some(self.processor_request(hardware)?),
            maximum_slots: self.maximum_slots,
            settings: PartitionSettings::default(),
            nvram: None,
            serial_number: None,
        })
    }

    fn processor_request(
        &self,
        hardware: &SystemInventory,
    ) -> Result<ProcessorRequest, InventoryError> {
        let Some(exact) = &self.processors else {
            let units = Some(ProcUnits::from_hundredths(self.processor_units_hundredths));
            let processors = Some(self.virtual_processors);
            return Ok(ProcessorRequest {
                dedicated: Some(false),
                sharing: Some(SharingMode::Uncapped),
                minimum_units: units,
                desired_units: units,
                maximum_units: units,
                minimum_virtual: processors,
                desired_virtual: processors,
                maximum_virtual: processors,
                ..ProcessorRequest::default()
            });
        };
        if exact.dedicated {
            return Ok(ProcessorRequest {
                dedicated: Some(true),
                sharing: Some(SharingMode::SharedIdle),
                minimum_processors: Some(exact.minimum),
                desired_processors: Some(exact.desired),
                maximum_processors: Some(exact.maximum),
                ..ProcessorRequest::default()
            });
        }
        let pool = exact.pool.as_ref().map(|name| {
            let names = hardware.processor_pools.iter().zip(1_u8..);
            let mut named = names.filter(|(other, _)| *other == name);
            let found = named.next().map(|(_, id)| id);
            found.ok_or_else(|| missing("processor pool", name))
        });
        let units = |hundredths: u32| Some(ProcUnits::from_hundredths(hundredths));
        Ok(ProcessorRequest {
            dedicated: Some(false),
            sharing: Some(if exact.capped {
                SharingMode::Capped
            } else {
                SharingMode::Uncapped
            }),
            minimum_units: units(exact.minimum_units_hundredths),
            desired_units: units(exact.units_hundredths),
            maximum_units: units(exact.maximum_units_hundredths),
            minimum_virtual: Some(exact.minimum),
            desired_virtual: Some(exact.desired),
            maximum_virtual: Some(exact.maximum),
            pool: pool.transpose()?,
            uncapped_weight: exact.weight.filter(|_| !exact.capped),
            ..ProcessorRequest::default()
        })
    }
}

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
        options: StorageOptions::default(),
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
    let groups = world
        .vioses
        .get_mut(&vios)
        .map(|vios| &mut Arc::make_mut(vios).volume_groups);
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
            let mut units = units.into_iter().flat_map(imbl::OrdMap::values);
            let image = units.find(|unit| unit.name == *name);
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
            quality_of_service: None,
            enabled: None,
            required: None,
            station: None,
            trunk: None,
            mtu: None,
            ovs_bridge: None,
            ovs_external_ids: None,
        };
        world.apply(then, Command::CreateNetworkAdapter(create))?;
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
        let found = world
            .partitions_of(system)
            .find(|other| other.name == partition.name);
        let Some(found) = found.map(|found| found.uuid) else {
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
