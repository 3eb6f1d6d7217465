//! From an inventory to a world: systems and Virtual I/O Servers first, everything else by commands.

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::hardware::{Named, San, fc_adapters, missing, physical_volume, volume_group};
use super::{ClusterInventory, Inventory, InventoryError, NetworkInventory, SystemInventory, ViosInventory, existing};
use crate::clock::Millis;
use crate::model::agenda::Agenda;
use crate::model::events::EventLog;
use crate::model::ids::Ids;
use crate::model::names::{CompatibilityMode, MigrationState, PartitionKind, PartitionState, RmcState, SwitchMode};
use crate::model::network::{NetworkAdapter, SharedEthernetAdapter, Trunk, VirtualSwitch};
use crate::model::partition::{
    Partition, PartitionCapabilities, PartitionMemory, PartitionProcessors, PartitionSettings, ProcessorSetting, SharedProcessors,
};
use crate::model::pool::{Cluster, Node, SharedStoragePool, Tier};
use crate::model::storage::{PhysicalVolume, VolumeUsage};
use crate::model::system::{
    IoSlot, MachineId, ManagedSystem, ManagementConsole, MigrationLimits, SharedProcessorPool, SystemCapabilities, SystemMemory,
    SystemProcessors,
};
use crate::model::units::{Gigabytes, ProcUnits};
use crate::model::vios::VirtualIoServer;
use crate::model::{Flavor, Pace, World};

/// How long Virtual I/O Servers and the management partition have been up at the start, in milliseconds.
const UPTIME: u64 = 86_400_000;

pub(super) fn world(inventory: &Inventory, flavor: Flavor, seed: u64, now: Millis) -> Result<World, InventoryError> {
    if flavor == Flavor::NovaLink && inventory.systems.len() != 1 {
        return Err(InventoryError::Inconsistent("a NovaLink manages exactly one system".to_owned()));
    }
    let mut ids = Ids::new(seed, now.0);
    let mut world = World {
        flavor,
        console: Arc::new(console(inventory, flavor, &mut ids)),
        systems: OrdMap::new(),
        partitions: OrdMap::new(),
        vioses: OrdMap::new(),
        clusters: OrdMap::new(),
        pools: OrdMap::new(),
        tiers: OrdMap::new(),
        jobs: OrdMap::new(),
        files: OrdMap::new(),
        events: EventLog::new(now.0),
        agenda: Agenda::default(),
        ids,
        pace: Pace::calm(),
        generation: 1,
    };
    let mut san = San::default();
    let mut vioses = Named::new();
    for system in &inventory.systems {
        if world.systems.values().any(|other| other.name == system.name || other.machine.serial == system.serial) {
            return Err(InventoryError::Inconsistent(format!("there are two systems named {} or with its serial number", system.name)));
        }
        let uuid = add_system(&mut world, system)?;
        for (number, vios) in system.vioses.iter().enumerate() {
            let id = number + if system.management_partition.is_some() { 2 } else { 1 };
            let made = vios_of(&mut world.ids, system, vios, (uuid, id), &mut san, now)?;
            if vioses.insert(format!("{}/{}", system.name, vios.name), made.partition.uuid).is_some() {
                return Err(InventoryError::Inconsistent(format!("there are two Virtual I/O Servers named {}", vios.name)));
            }
            world.vioses.insert(made.partition.uuid, Arc::new(made));
        }
    }
    for cluster in &inventory.clusters {
        add_cluster(&mut world, cluster, &vioses, inventory)?;
    }
    existing::populate(&mut world, inventory, now)?;
    let pace = std::mem::take(&mut world.pace);
    Ok(World { events: EventLog::new(now.0), agenda: Agenda::default(), jobs: OrdMap::new(), pace, ..world })
}

fn console(inventory: &Inventory, flavor: Flavor, ids: &mut Ids) -> ManagementConsole {
    let machine = |machine_type: &str, model: &str, serial: String| MachineId {
        machine_type: machine_type.to_owned(),
        model: model.to_owned(),
        serial,
    };
    let novalink = flavor == Flavor::NovaLink;
    ManagementConsole {
        uuid: ids.named_uuid(),
        name: inventory.console.clone(),
        machine: machine("7042", "CR9", ids.hex(7).to_uppercase()),
        interfaces: vec![("eth0".to_owned(), "192.0.2.10 fe80:0:0:0:5054:ff:fed8:a951".to_owned())],
        public_ssh_key: novalink.then(|| format!("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC{} wlp@{}", ids.hex(64), inventory.console)),
        authorized_keys: Vec::new(),
        version: 1,
    }
}

fn add_system(world: &mut World, inventory: &SystemInventory) -> Result<Uuid, InventoryError> {
    let ids = &mut world.ids;
    let uuid = ids.named_uuid();
    let mut modes = vec![CompatibilityMode::Default];
    for name in &inventory.compatibility_modes {
        modes.push(CompatibilityMode::parse(name).ok_or_else(|| missing("processor compatibility mode", name))?);
    }
    let names = std::iter::once(VirtualSwitch::DEFAULT).chain(inventory.switches.iter().map(String::as_str));
    let switches = names.zip(0..).map(|(name, id)| {
        let uuid = ids.named_uuid();
        (uuid, Arc::new(VirtualSwitch { uuid, id, name: name.to_owned(), mode: SwitchMode::Veb, version: 1 }))
    });
    let switches = switches.collect();
    let pools = std::iter::once("DefaultPool").chain(inventory.processor_pools.iter().map(String::as_str));
    let processor_pools = pools.zip(0..).map(|(name, id)| SharedProcessorPool {
        uuid: ids.named_uuid(),
        id,
        name: name.to_owned(),
        maximum: if id == 0 { ProcUnits::ZERO } else { ProcUnits::whole(inventory.processors) },
    });
    let processor_pools = processor_pools.collect();
    let processors = ProcUnits::whole(inventory.processors);
    let most = u16::try_from(inventory.processors).unwrap_or(256).min(256);
    let system = ManagedSystem {
        uuid,
        name: inventory.name.clone(),
        machine: MachineId {
            machine_type: inventory.machine_type.clone(),
            model: inventory.model.clone(),
            serial: inventory.serial.clone(),
        },
        state: "operating".to_owned(),
        ip_address: "192.0.2.20".to_owned(),
        maximum_partitions: 1000,
        capabilities: capabilities(),
        memory: SystemMemory {
            installed: inventory.memory_mb,
            configurable: inventory.memory_mb,
            hypervisor: inventory.hypervisor_mb,
            region: inventory.memory_region_mb.max(1),
        },
        processors: SystemProcessors {
            installed: processors,
            configurable: processors,
            minimum_units_per_virtual: ProcUnits::from_hundredths(5),
            maximum_per_partition: most,
            maximum_virtual_per_partition: 256,
            compatibility_modes: modes,
        },
        migration: MigrationLimits { inactive: 16, active: 16 },
        io_slots: Vec::new(),
        wwpn_prefix: 0xC050_7606_0000_0000 | ids.between(0, 0xffff) << 16,
        available_wwpns: 65_536,
        processor_pools,
        switches,
        networks: OrdMap::new(),
        is_controller: true,
        version: 1,
    };
    world.systems.insert(uuid, Arc::new(system));
    Ok(uuid)
}

const fn capabilities() -> SystemCapabilities {
    SystemCapabilities {
        active_mobility: true,
        inactive_mobility: true,
        ibmi_mobility: true,
        simplified_remote_restart: true,
        dynamic_simplified_remote_restart: true,
        active_memory_expansion: true,
        physical_page_table_ratio: false,
        shared_processor_pools: true,
        vnic: true,
        vnic_failover: true,
        ibmi: true,
        aix: true,
        linux: true,
        custom_mac_address: true,
        secure_boot: false,
        io_slot_owner_assignment: false,
        dedicated_processors: true,
    }
}

/// A partition of the given size that has been up for a day.
pub(super) fn running(ids: &mut Ids, system: Uuid, id: u16, name: &str, memory_mb: u64, units: u32, now: Millis) -> Partition {
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
        processors: PartitionProcessors { configured: setting.clone(), current: setting, active: true },
        maximum_slots: 4000,
        settings: PartitionSettings { availability_priority: 191, ..PartitionSettings::default() },
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

fn vios_of(
    ids: &mut Ids,
    system: &SystemInventory,
    inventory: &ViosInventory,
    (system_uuid, number): (Uuid, usize),
    san: &mut San,
    now: Millis,
) -> Result<VirtualIoServer, InventoryError> {
    let id = u16::try_from(number).map_err(|_| InventoryError::Inconsistent("too many Virtual I/O Servers".to_owned()))?;
    let units = inventory.processor_units_hundredths;
    let mut partition = running(ids, system_uuid, id, &inventory.name, inventory.memory_mb, units, now);
    partition.os_version = "VIOS 2.2.6.10".to_owned();
    partition.logical_serial = format!("{}{id:X}", system.serial);
    let unit = format!("U78CB.001.{}", system.serial);
    let mut disks: Vec<PhysicalVolume> = Vec::new();
    for (index, disk) in inventory.disks.iter().enumerate() {
        if disks.iter().any(|other| other.name == disk.name) {
            return Err(InventoryError::Inconsistent(format!("{} has two disks named {}", inventory.name, disk.name)));
        }
        disks.push(physical_volume(disk, index, san, &unit, ids));
    }
    let mut volume_groups = Vec::new();
    for group in &inventory.volume_groups {
        volume_groups.push(volume_group(group, &mut disks, ids)?);
    }
    if inventory.volume_groups.iter().filter(|group| group.repository_gb.is_some()).count() > 1 {
        return Err(InventoryError::Inconsistent(format!("{} has more than one media repository", inventory.name)));
    }
    let mut vios = VirtualIoServer {
        partition,
        level: "2.2.6.10".to_owned(),
        physical_volumes: disks.into_iter().map(Arc::new).collect(),
        volume_groups,
        buses: OrdMap::new(),
        fc_adapters: fc_adapters(inventory.fc_ports, &unit, 3, ids),
        shared_ethernet: Vec::new(),
        free_ports: (1..4).map(|port| (format!("ent{port}"), format!("{unit}-P1-C7-T{}", port + 1))).collect(),
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
fn add_shared_ethernet(vios: &mut VirtualIoServer, network: &NetworkInventory, unit: &str, ids: &mut Ids) {
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
        trunk: Some(Trunk { priority: network.priority, device: Some(device.to_owned()) }),
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
    vios.partition.network_adapters = trunks.into_iter().map(|adapter| (adapter.uuid, Arc::new(adapter))).collect();
}

fn add_cluster(world: &mut World, inventory: &ClusterInventory, vioses: &Named, all: &Inventory) -> Result<(), InventoryError> {
    let (cluster_uuid, pool_uuid, tier_uuid) = (world.ids.named_uuid(), world.ids.named_uuid(), world.ids.named_uuid());
    let serial = format!("{}d311e58004000040f2e95d", world.ids.hex(10));
    let mut nodes = Vec::new();
    for (name, number) in inventory.nodes.iter().zip(1_u16..) {
        let vios = *vioses.get(name).ok_or_else(|| missing("Virtual I/O Server", name))?;
        let host = format!("{}.example.com", name.replace(['/', '_'], "-"));
        nodes.push(Node { vios, host, address: format!("192.0.2.{}", 150 + number % 100) });
    }
    let repository = take_volume(world, all, &inventory.repository, vioses, VolumeUsage::Repository(cluster_uuid))?;
    let mut volumes = Vec::new();
    for name in &inventory.volumes {
        volumes.push(take_volume(world, all, name, vioses, VolumeUsage::Pool(pool_uuid))?);
    }
    let capacity = volumes.iter().map(|volume| Gigabytes::from_megabytes(volume.megabytes)).sum();
    let udid = |prefix: &str, rest: String| format!("{prefix}{serial}{rest}");
    let tier = Tier {
        uuid: tier_uuid,
        pool: pool_uuid,
        name: "SYSTEM".to_owned(),
        udid: udid("25", world.ids.hex(32)),
        is_default: true,
        capacity,
        failure_group: "Default".to_owned(),
        failure_group_udid: udid("26", world.ids.hex(32)),
        units: OrdMap::new(),
        version: 1,
    };
    let pool = SharedStoragePool {
        uuid: pool_uuid,
        cluster: cluster_uuid,
        name: inventory.pool.clone(),
        udid: udid("24", world.ids.hex(32)),
        capacity,
        alert_threshold: 35,
        overcommit_percent: inventory.overcommit_percent,
        physical_volumes: volumes,
        tiers: vec![tier_uuid],
        version: 1,
    };
    let cluster =
        Cluster { uuid: cluster_uuid, name: inventory.name.clone(), id: udid("22", String::new()), repository, nodes, pool: pool_uuid, version: 1 };
    world.clusters.insert(cluster_uuid, Arc::new(cluster));
    world.pools.insert(pool_uuid, Arc::new(pool));
    world.tiers.insert(tier_uuid, Arc::new(tier));
    Ok(())
}

/// Marks a SAN volume as taken on every Virtual I/O Server that sees it.
fn take_volume(
    world: &mut World,
    inventory: &Inventory,
    volume: &str,
    vioses: &Named,
    usage: VolumeUsage,
) -> Result<PhysicalVolume, InventoryError> {
    let mut taken = None;
    for system in &inventory.systems {
        for vios in &system.vioses {
            let disk = vios.disks.iter().find(|disk| disk.san.as_deref() == Some(volume));
            let uuid = vioses.get(&format!("{}/{}", system.name, vios.name));
            let (Some(disk), Some(uuid)) = (disk, uuid) else { continue };
            let Some(vios) = world.vioses.get_mut(uuid).map(Arc::make_mut) else { continue };
            for physical in vios.physical_volumes.iter_mut().filter(|physical| physical.name == disk.name) {
                if physical.usage != VolumeUsage::Unused {
                    return Err(InventoryError::Inconsistent(format!("SAN volume {volume} is used twice")));
                }
                let physical = Arc::make_mut(physical);
                physical.usage = usage;
                taken.get_or_insert_with(|| physical.clone());
            }
        }
    }
    taken.ok_or_else(|| missing("SAN volume", volume))
}

/// Physical slots of a system: what its Virtual I/O Servers own, and one spare Ethernet adapter.
pub(super) fn io_slots(world: &World, system: Uuid, serial: &str) -> Vec<IoSlot> {
    let unit = format!("U78CB.001.{serial}");
    let slot = |description: &str, location: u32, class, vendor, device, owner| IoSlot {
        description: description.to_owned(),
        location: format!("C{location}"),
        unit_location: unit.clone(),
        drc_index: 553_713_664 + location,
        pci_class: class,
        pci_vendor: vendor,
        pci_device: device,
        owner,
    };
    let mut slots = vec![slot("PCIe3 4-port Ethernet Adapter", 12, 512, 5348, 5719, None)];
    for vios in world.vioses_of(system) {
        for adapter in &vios.fc_adapters {
            slots.push(slot(&adapter.description, adapter.id - 553_713_664, 3076, 4215, 9522, Some(vios.partition.uuid)));
        }
    }
    slots
}
