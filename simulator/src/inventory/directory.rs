//! What stands beside the hardware: memory pools, virtual serial numbers, groups, enterprise pools, templates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

use super::hardware::missing;
use super::{Inventory, InventoryError, SystemInventory, defaults};
use crate::clock::Millis;
use crate::model::command::{Command, MemoryPoolRequest};
use crate::model::directory::{
    CapturedPartition, EnterprisePool, EnterprisePoolMember, Group, PartitionTemplate,
};
use crate::model::names::PartitionKind;
use crate::model::partition::{Partition, PartitionMemory, ProcessorSetting, SharedProcessors};
use crate::model::processor_pool::{NAME_LENGTH, POOLS, SharedProcessorPool};
use crate::model::serial_number::VirtualSerialNumber;
use crate::model::units::ProcUnits;
use crate::model::{Flavor, Owner, World};

/// A shared memory pool with the disks that its partitions page to.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryPoolInventory {
    /// Its memory in megabytes.
    pub memory_mb: u64,
    /// Its disks, each as `vios/hdisk1`; one or two Virtual I/O Servers page.
    pub disks: Vec<String>,
}

/// Partitions, Virtual I/O Servers and systems under one name (HMC).
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupInventory {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its color.
    #[serde(default = "defaults::group_color")]
    pub color: String,
    /// Names of systems, and of partitions and Virtual I/O Servers as `system/name`.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A Power enterprise pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterprisePoolInventory {
    /// Its number, four digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its mobile processors.
    #[serde(default)]
    pub processors: u32,
    /// Its mobile memory in megabytes.
    #[serde(default)]
    pub memory_mb: u64,
    /// The systems in it.
    #[serde(default)]
    pub members: Vec<EnterprisePoolMemberInventory>,
}

/// A system in an enterprise pool.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterprisePoolMemberInventory {
    /// The name of the system.
    pub system: String,
    /// The mobile processors that it has.
    #[serde(default)]
    pub processors: u32,
    /// The mobile memory that it has, in megabytes.
    #[serde(default)]
    pub memory_mb: u64,
}

/// A partition template besides those that an HMC comes with.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateInventory {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// The partition that it is captured from, as `system/partition`.
    pub partition: String,
}

/// The 64 processor pools of a system: the default one, the named ones, and the rest unused.
pub(super) fn processor_pools(
    system: Uuid,
    inventory: &SystemInventory,
) -> Result<imbl::OrdMap<u8, Arc<SharedProcessorPool>>, InventoryError> {
    let too_many = inventory.processor_pools.len() >= usize::from(POOLS);
    if too_many
        || inventory
            .processor_pools
            .iter()
            .any(|name| name.is_empty() || name.chars().count() > NAME_LENGTH)
    {
        return Err(InventoryError::Inconsistent(format!(
            "system {} names more than {} processor pools, or one with more than {NAME_LENGTH} characters",
            inventory.name,
            POOLS - 1
        )));
    }
    let pools = (0..POOLS).map(|id| {
        let mut pool = SharedProcessorPool::unused(system, id);
        if let Some(name) = usize::from(id)
            .checked_sub(1)
            .and_then(|index| inventory.processor_pools.get(index))
        {
            pool.name.clone_from(name);
            pool.maximum = ProcUnits::whole(inventory.processors);
        }
        (id, Arc::new(pool))
    });
    Ok(pools.collect())
}

/// What is made of a system once its servers are there, and before its partitions.
pub(super) fn equip(
    world: &mut World,
    uuid: Uuid,
    inventory: &SystemInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    for number in &inventory.serial_numbers {
        if !VirtualSerialNumber::is_valid(number) {
            return Err(InventoryError::Inconsistent(format!(
                "{number} is no virtual serial number: seven capital letters and digits"
            )));
        }
        if let Some(system) = world.systems.get_mut(&uuid).map(Arc::make_mut) {
            let unused = VirtualSerialNumber::unused(uuid, number, 1);
            system
                .serial_numbers
                .insert(number.clone(), Arc::new(unused));
        }
    }
    let Some(pool) = &inventory.memory_pool else {
        return Ok(());
    };
    let mut request = MemoryPoolRequest {
        system: uuid,
        size: Some(pool.memory_mb),
        ..MemoryPoolRequest::default()
    };
    let mut servers = Vec::new();
    let mut devices = Vec::new();
    for disk in &pool.disks {
        let (server, name) = disk.split_once('/').unwrap_or((disk, ""));
        let vios = world
            .vioses_of(uuid)
            .find(|vios| vios.partition.name == server)
            .ok_or_else(|| missing("Virtual I/O Server", server))?;
        let volume = vios
            .physical_volumes
            .iter()
            .find(|volume| volume.name == name)
            .ok_or_else(|| missing("disk", disk))?;
        let server = vios.partition.uuid;
        devices.push(volume.udid.clone());
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    request.paging_servers = Some(servers);
    request.devices = Some(devices);
    world.apply(then, Command::CreateMemoryPool(request))?;
    Ok(())
}

/// Groups, enterprise pools and templates, once everything that they refer to is there.
pub(super) fn register(
    world: &mut World,
    inventory: &Inventory,
    flavor: Flavor,
) -> Result<(), InventoryError> {
    for group in &inventory.groups {
        let group = group_of(world, group)?;
        world.groups.insert(group.uuid, Arc::new(group));
    }
    for pool in &inventory.enterprise_pools {
        let pool = enterprise_pool(world, pool)?;
        world.enterprise_pools.insert(pool.uuid, Arc::new(pool));
    }
    if flavor == Flavor::Hmc {
        for ibmi in [false, true] {
            for number in 1..=2 {
                let template = shipped(world, ibmi, number);
                world.templates.insert(template.uuid, Arc::new(template));
            }
        }
    }
    for template in &inventory.templates {
        let template = captured(world, template)?;
        world.templates.insert(template.uuid, Arc::new(template));
    }
    Ok(())
}

fn group_of(world: &mut World, inventory: &GroupInventory) -> Result<Group, InventoryError> {
    let mut group = Group {
        uuid: world.ids.named_uuid(),
        name: inventory.name.clone(),
        description: inventory.description.clone(),
        color: inventory.color.clone(),
        partitions: Vec::new(),
        vioses: Vec::new(),
        systems: Vec::new(),
        version: 1,
    };
    for member in &inventory.members {
        let Some((system, partition)) = member.split_once('/') else {
            group.systems.push(system_named(world, member)?);
            continue;
        };
        match partition_named(world, system, partition)? {
            Owner::Partition(uuid) => group.partitions.push(uuid),
            Owner::Vios(uuid) => group.vioses.push(uuid),
        }
    }
    Ok(group)
}

fn enterprise_pool(
    world: &mut World,
    inventory: &EnterprisePoolInventory,
) -> Result<EnterprisePool, InventoryError> {
    let mut members = Vec::new();
    for member in &inventory.members {
        let system = system_named(world, &member.system)?;
        members.push(EnterprisePoolMember {
            uuid: world.ids.named_uuid(),
            system,
            processors: member.processors,
            memory: member.memory_mb,
            inactive_processors: 0,
        });
    }
    Ok(EnterprisePool {
        uuid: world.ids.named_uuid(),
        id: inventory.id.clone(),
        name: inventory.name.clone(),
        processors: inventory.processors,
        memory: inventory.memory_mb,
        members,
        version: 1,
    })
}

/// The templates that an HMC comes with, such as `QuickStart_lpar_rpa_2` (cassette `refresher.yml`).
fn shipped(world: &mut World, ibmi: bool, number: u8) -> PartitionTemplate {
    let kind = if ibmi { "IBMi" } else { "rpa" };
    let units = |hundredths| ProcUnits::from_hundredths(hundredths);
    PartitionTemplate {
        uuid: world.ids.random_uuid(),
        name: format!("QuickStart_lpar_{kind}_{number}"),
        description: (number == 1).then(|| "without Virtualization capabilities".to_owned()),
        ibmi,
        memory: PartitionMemory {
            minimum: 1024,
            desired: 4096,
            maximum: 16_384,
            ..PartitionMemory::default()
        },
        processors: ProcessorSetting::Shared(SharedProcessors {
            minimum_units: units(10),
            desired_units: units(50),
            maximum_units: units(1000),
            minimum_virtual: 1,
            desired_virtual: 1,
            maximum_virtual: 10,
            pool: 0,
            uncapped_weight: Some(128),
        }),
        captured: None,
        version: 1,
    }
}

fn captured(
    world: &mut World,
    inventory: &TemplateInventory,
) -> Result<PartitionTemplate, InventoryError> {
    let (system, partition) = inventory
        .partition
        .split_once('/')
        .ok_or_else(|| missing("partition", &inventory.partition))?;
    let owner = partition_named(world, system, partition)?;
    let uuid = world.ids.random_uuid();
    let partition = world
        .partition(owner)
        .ok_or_else(|| missing("partition", partition))?;
    Ok(PartitionTemplate {
        uuid,
        name: inventory.name.clone(),
        description: inventory.description.clone(),
        ibmi: partition.kind == PartitionKind::IbmI,
        memory: partition.memory.clone(),
        processors: partition.processors.configured.clone(),
        captured: Some(captured_partition(world, partition)),
        version: 1,
    })
}

fn captured_partition(world: &World, partition: &Partition) -> CapturedPartition {
    let system = world.systems.get(&partition.system);
    let switch = |uuid: Uuid| {
        system
            .and_then(|system| system.switches.get(&uuid))
            .map(|switch| switch.name.clone())
            .unwrap_or_default()
    };
    CapturedPartition {
        id: partition.id,
        name: partition.name.clone(),
        serial: partition.logical_serial.clone(),
        location: system
            .map(|system| system.machine.location())
            .unwrap_or_default(),
        adapters: partition
            .network_adapters
            .values()
            .map(|adapter| {
                (
                    adapter.slot,
                    adapter.mac,
                    adapter.vlan,
                    switch(adapter.switch),
                )
            })
            .collect(),
        units: Vec::new(),
        optical_devices: Vec::new(),
    }
}

fn system_named(world: &World, name: &str) -> Result<Uuid, InventoryError> {
    world
        .systems
        .values()
        .find(|system| system.name == name)
        .map(|system| system.uuid)
        .ok_or_else(|| missing("system", name))
}

fn partition_named(world: &World, system: &str, name: &str) -> Result<Owner, InventoryError> {
    let system = system_named(world, system)?;
    let vios = world
        .vioses_of(system)
        .find(|vios| vios.partition.name == name)
        .map(|vios| Owner::Vios(vios.partition.uuid));
    let partition = || {
        world
            .partitions_of(system)
            .find(|partition| partition.name == name)
            .map(|partition| Owner::Partition(partition.uuid))
    };
    vios.or_else(partition)
        .ok_or_else(|| missing("partition", name))
}
