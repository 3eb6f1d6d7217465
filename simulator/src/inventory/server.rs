//! Virtual I/O Servers, and partitions that have been up for long.

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::hardware::{San, fc_adapters, physical_volume, volume_group};
use super::{InventoryError, NetworkInventory, SystemInventory, ViosInventory};
use crate::clock::Millis;
use crate::model::ids::Ids;
use crate::model::names::{
    CompatibilityMode, MigrationState, PartitionKind, PartitionState, RmcState,
};
use crate::model::network::{NetworkAdapter, SharedEthernetAdapter, Trunk};
use crate::model::partition::{
    Partition, PartitionCapabilities, PartitionMemory, PartitionProcessors, PartitionSettings,
    ProcessorSetting, SharedProcessors,
};
use crate::model::storage::PhysicalVolume;
use crate::model::units::ProcUnits;
use crate::model::vios::VirtualIoServer;

/// How long Virtual I/O Servers and the management partition have been up at the start, in milliseconds.
const UPTIME: u64 = 86_400_000;

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
        migration: MigrationState::NotMigrating,
        network_adapters: OrdMap::new(),
        console_open: false,
        activation: 1,
        version: 1,
        nvram_version: 1,
    }
}

pub(super) fn vios_of(
    ids: &mut Ids,
    system: &SystemInventory,
    inventory: &ViosInventory,
    (system_uuid, number): (Uuid, usize),
    san: &mut San,
    now: Millis,
) -> Result<VirtualIoServer, InventoryError> {
    let id = u16::try_from(number)
        .map_err(|_| InventoryError::Inconsistent("too many Virtual I/O Servers".to_owned()))?;
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
    partition.os_version = "VIOS 2.2.6.10".to_owned();
    partition.logical_serial = format!("{}{id:X}", system.serial);
    let unit = format!("U78CB.001.{}", system.serial);
    let mut disks: Vec<PhysicalVolume> = Vec::new();
    for (index, disk) in inventory.disks.iter().enumerate() {
        if disks.iter().any(|other| other.name == disk.name) {
            return Err(InventoryError::Inconsistent(format!(
                "{} has two disks named {}",
                inventory.name, disk.name
            )));
        }
        disks.push(physical_volume(disk, index, san, &unit, ids));
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
    let mut vios = VirtualIoServer {
        partition,
        level: "2.2.6.10".to_owned(),
        physical_volumes: disks.into_iter().map(Arc::new).collect(),
        volume_groups,
        buses: OrdMap::new(),
        fc_adapters: fc_adapters(inventory.fc_ports, &unit, 3, ids),
        shared_ethernet: Vec::new(),
        free_ports: (1..4)
            .map(|port| (format!("ent{port}"), format!("{unit}-P1-C7-T{}", port + 1)))
            .collect(),
        mappings_version: 1,
        fc_version: 1,
        storage_version: 1,
        network_version: 1,
    };
    if let Some(network) = &inventory.network {
        add_shared_ethernet(&mut vios, network, &unit, ids);
    }
    Ok(vios)
}

/// The trunk adapters get their switch in [`existing::populate`], which knows it.
fn add_shared_ethernet(
    vios: &mut VirtualIoServer,
    network: &NetworkInventory,
    unit: &str,
    ids: &mut Ids,
) {
    let mut trunk = |slot: u16, vlan: u16, tagged: &[u16], device: &str| NetworkAdapter {
        uuid: ids.named_uuid(),
        slot,
        mac: vios.partition.mac_prefix | u64::from(slot),
        vlan,
        tagged_vlans: tagged.to_vec(),
        tagged: !tagged.is_empty(),
        switch: Uuid::nil(),
        switch_id: 0,
        required: false,
        allowed_os_macs: "ALL".to_owned(),
        trunk: Some(Trunk {
            priority: network.priority,
            device: Some(device.to_owned()),
        }),
        mtu: None,
        ovs_bridge: None,
        ovs_external_ids: None,
        version: 1,
    };
    let mut trunks = vec![trunk(2, network.vlan, &[], "ent4")];
    if !network.tagged_vlans.is_empty() {
        trunks.push(trunk(3, 4094, &network.tagged_vlans, "ent5"));
    }
    vios.shared_ethernet.push(SharedEthernetAdapter {
        device: "ent6".to_owned(),
        udid: format!("10{}", ids.hex(16)),
        vlan: network.vlan,
        backing_device: "ent0".to_owned(),
        backing_location: format!("{unit}-P1-C7-T1"),
        availability_mode: "auto".to_owned(),
        trunks: trunks.iter().map(|adapter| adapter.uuid).collect(),
    });
    vios.partition.network_adapters = trunks
        .into_iter()
        .map(|adapter| (adapter.uuid, Arc::new(adapter)))
        .collect();
}
