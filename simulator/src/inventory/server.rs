//! Virtual I/O Servers, and partitions that have been up for long.

use imbl::OrdMap;
use std::ops::RangeFrom;
use std::sync::Arc;
use uuid::Uuid;

use super::hardware::{fc_adapters, missing, physical_volume, volume_group};
use super::{InventoryError, SystemInventory, ViosInventory};
use crate::clock::Millis;
use crate::model::ids::Ids;
use crate::model::monitoring::Load;
use crate::model::names::{
    CompatibilityMode, MigrationState, PartitionKind, PartitionState, ReservePolicy, RmcState,
    SharingMode,
};
use crate::model::partition::{
    Partition, PartitionCapabilities, PartitionMemory, PartitionProcessors, PartitionSettings,
    ProcessorSetting, SharedProcessors,
};
use crate::model::san::San;
use crate::model::storage::PhysicalVolume;
use crate::model::units::ProcUnits;
use crate::model::vios::{Buses, IscsiInitiator, VirtualIoServer};

/// The most partitions of a system, Virtual I/O Servers included.
pub(super) const MAXIMUM_PARTITIONS: u16 = 1000;
/// How long Virtual I/O Servers and the management partition have been up at the start, in milliseconds.
const UPTIME: u64 = 86_400_000;
/// How many slots further the next Virtual I/O Server has its adapters.
const SLOTS_EACH: u16 = 16;

/// A partition of the given size that has been up for a day.
pub(super) fn running(
    ids: &mut Ids,
    system: Uuid,
    id: u16,
    name: &str,
    memory_mb: u64,
    units: u32,
    now: Millis,
) -> Partition {
    let units = ProcUnits::from_hundredths(units.max(5));
    let virtual_processors = u16::try_from(units.hundredths().div_ceil(50)).unwrap_or(1);
    let setting = ProcessorSetting::Shared(SharedProcessors {
        minimum_units: units,
        desired_units: units,
        maximum_units: units,
        minimum_virtual: virtual_processors,
        desired_virtual: virtual_processors,
        maximum_virtual: virtual_processors,
        pool: 0,
        uncapped_weight: Some(255),
    });
    Partition {
        uuid: ids.random_uuid(),
        system,
        id,
        name: name.to_owned(),
        description: None,
        kind: PartitionKind::VirtualIoServer,
        state: PartitionState::Running,
        rmc: RmcState::Active,
        rmc_address: Some(format!("192.0.2.{}", 100 + id % 100)),
        os_version: String::new(),
        reference_code: String::new(),
        started: Some(Millis(now.0.saturating_sub(UPTIME))),
        capabilities: PartitionCapabilities::ALL,
        memory: PartitionMemory {
            minimum: memory_mb,
            desired: memory_mb,
            maximum: memory_mb,
            current_minimum: memory_mb,
            current: memory_mb,
            current_maximum: memory_mb,
            active: true,
            expansion_factor: 0,
            page_table_ratio: 7,
            physical_page_table_ratio: None,
            shared: None,
        },
        processors: PartitionProcessors {
            configured: setting.clone(),
            current: setting,
            active: true,
        },
        maximum_slots: 4000,
        settings: PartitionSettings {
            availability_priority: 191,
            ..PartitionSettings::default()
        },
        current_compatibility: CompatibilityMode::Power8,
        current_secure_boot: 0,
        nvram: None,
        mac_prefix: ids.mac_prefix(),
        logical_serial: String::new(),
        is_management: false,
        profile: ids.named_uuid(),
        profiles: Vec::new(),
        migration: MigrationState::NotMigrating,
        progress: None,
        serial_number: None,
        load: Load::default(),
        network_adapters: OrdMap::new(),
        logical_ports: OrdMap::new(),
        vnics: OrdMap::new(),
        console_open: false,
        activation: 1,
        version: 1,
        nvram_version: 1,
    }
}

/// The most Fibre Channel ports of a Virtual I/O Server.
const MOST_FC_PORTS: u16 = 64;
/// How many Fibre Channel adapters there is room for before a Virtual I/O Server's Ethernet adapter.
const NEAR_FC_ADAPTERS: usize = 4;

/// The slots of a Virtual I/O Server's first Fibre Channel adapter, of its Ethernet adapter and of its disks' adapter;
/// each server has its own, as a slot belongs to one partition.
pub(super) const fn vios_slots(id: u16) -> [u16; 3] {
    let first = SLOTS_EACH.wrapping_mul(id.saturating_sub(1));
    [3 + first, 7 + first, 14 + first]
}

/// Slots behind those that the Virtual I/O Servers of a system and its SR-IOV adapters have: Fibre Channel adapters for
/// which there is no room in front.
pub(super) fn further_slots(system: &SystemInventory) -> RangeFrom<u32> {
    let given = system.vioses.iter().filter_map(|vios| vios.id);
    let counted = u16::try_from(system.vioses.len()).unwrap_or(u16::MAX);
    let last = given.max().unwrap_or(0).max(counted.saturating_add(1));
    let blocks = u32::from(SLOTS_EACH) * (u32::from(last) + 1);
    let sriov = system.sriov.iter().map(|adapter| u32::from(adapter.slot));
    blocks.max(sriov.max().unwrap_or(0) + 1)..
}

pub(super) fn vios_of(
    ids: &mut Ids,
    system: &SystemInventory,
    inventory: &ViosInventory,
    (system_uuid, number): (Uuid, usize),
    (san, further): (&mut San, &mut RangeFrom<u32>),
    now: Millis,
) -> Result<VirtualIoServer, InventoryError> {
    let id = u16::try_from(number)
        .ok()
        .filter(|id| (1..=MAXIMUM_PARTITIONS).contains(id))
        .ok_or_else(|| {
            InventoryError::Inconsistent(format!(
                "the number {number} of Virtual I/O Server {} must lie between 1 and {MAXIMUM_PARTITIONS}",
                inventory.name
            ))
        })?;
    if inventory.fc_ports > MOST_FC_PORTS {
        return Err(InventoryError::Inconsistent(format!(
            "{} has {} Fibre Channel ports, and {MOST_FC_PORTS} are the most",
            inventory.name, inventory.fc_ports
        )));
    }
    let units = inventory.processor_units_hundredths;
    let mut partition = running(
        ids,
        system_uuid,
        id,
        &inventory.name,
        inventory.memory_mb,
        units,
        now,
    );
    partition.uuid = inventory.uuid.unwrap_or(partition.uuid);
    if let Some(processors) = inventory.dedicated_processors {
        let setting = ProcessorSetting::Dedicated {
            minimum: 1,
            desired: processors,
            maximum: processors,
            sharing: SharingMode::SharedIdle,
        };
        partition.processors = PartitionProcessors {
            configured: setting.clone(),
            current: setting,
            active: true,
        };
    }
    partition.is_management = inventory.is_management;
    partition.os_version = format!("VIOS {}", inventory.level);
    partition.logical_serial = format!("{}{id:X}", system.serial);
    let unit = format!("U78CB.001.{}", system.serial);
    let [fc, ethernet, disk_adapter] = vios_slots(id);
    let slots = (u32::from(fc)..).take(NEAR_FC_ADAPTERS).chain(further);
    let fc_adapters = fc_adapters(inventory.fc_ports, &unit, slots, san.fabrics.len(), ids);
    let first_port = fc_adapters
        .first()
        .and_then(|adapter| adapter.ports.first());
    let mut disks: Vec<PhysicalVolume> = Vec::new();
    for disk in &inventory.disks {
        if disks.iter().any(|other| other.name == disk.name) {
            return Err(InventoryError::Inconsistent(format!(
                "{} has two disks named {}",
                inventory.name, disk.name
            )));
        }
        let policy = disk.reserve_policy.as_deref();
        if policy.is_some_and(|policy| ReservePolicy::parse(policy).is_none()) {
            return Err(missing("reserve policy", policy.unwrap_or_default()));
        }
        disks.push(physical_volume(
            disk,
            san,
            (first_port, &format!("{unit}-P1-C{disk_adapter}")),
            ids,
        ));
    }
    let mut volume_groups = Vec::new();
    for group in &inventory.volume_groups {
        volume_groups.push(volume_group(group, &mut disks, ids)?);
    }
    if inventory
        .volume_groups
        .iter()
        .filter(|group| group.repository_gb.is_some())
        .count()
        > 1
    {
        return Err(InventoryError::Inconsistent(format!(
            "{} has more than one media repository",
            inventory.name
        )));
    }
    let initiator = inventory.iscsi.then(|| {
        let name = format!("{}-{}", inventory.name, system.serial).to_lowercase();
        format!("iqn.1994-05.com.ibm:{}", name.replace('_', "-"))
    });
    let vios = VirtualIoServer {
        partition,
        level: inventory.level.clone(),
        mover: true,
        physical_volumes: disks.into_iter().map(Arc::new).collect(),
        volume_groups,
        buses: Buses::default(),
        fc_adapters,
        fc_mappings: OrdMap::new(),
        external_disks: OrdMap::new(),
        iscsi: IscsiInitiator {
            initiator,
            ..IscsiInitiator::default()
        },
        shared_ethernet: Vec::new(),
        free_ports: (0..4)
            .map(|port| {
                (
                    format!("ent{port}"),
                    format!("{unit}-P1-C{ethernet}-T{}", port + 1),
                )
            })
            .collect(),
        mappings_version: 1,
        fc_version: 1,
        storage_version: 1,
        network_version: 1,
    };
    Ok(vios)
}
