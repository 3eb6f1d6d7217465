//! From an inventory to a world: systems and Virtual I/O Servers first, everything else by commands.

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::cluster::add_cluster;
use super::directory::{processor_pools, register};
use super::hardware::{Named, missing};
use super::network::{FIRST_SLOT, sriov_adapters};
use super::server::{MAXIMUM_PARTITIONS, further_slots, vios_of, vios_slots};
use super::{Inventory, InventoryError, SystemInventory, defaults, existing};
use crate::clock::Millis;
use crate::model::agenda::Agenda;
use crate::model::events::EventLog;
use crate::model::ids::Ids;
use crate::model::job::gate::Gate;
use crate::model::monitoring::Monitoring;
use crate::model::names::{CompatibilityMode, SwitchMode, SystemState};
use crate::model::network::VirtualSwitch;
use crate::model::partition::Partition;
use crate::model::population::Population;
use crate::model::profile::DEFAULT;
use crate::model::storage::Transport;
use crate::model::system::{
    IoSlot, MachineId, ManagedSystem, ManagementConsole, MigrationLimits, SystemCapabilities,
    SystemMemory, SystemProcessors,
};
use crate::model::units::ProcUnits;
use crate::model::{Flavor, Pace, World};

pub(super) fn world(
    inventory: &Inventory,
    flavor: Flavor,
    seed: u64,
    now: Millis,
) -> Result<World, InventoryError> {
    if flavor == Flavor::NovaLink && inventory.systems.is_empty() {
        return Err(InventoryError::Inconsistent(
            "a NovaLink runs on the system that it manages, and there is none".to_owned(),
        ));
    }
    let mut ids = Ids::new(seed, now.0);
    let mut world = World {
        flavor,
        console: Arc::new(console(inventory, flavor, &mut ids)),
        neighbours: OrdMap::new(),
        whole: None,
        systems: OrdMap::new(),
        partitions: Population::default(),
        vioses: Population::default(),
        clusters: OrdMap::new(),
        pools: OrdMap::new(),
        tiers: OrdMap::new(),
        san: Arc::default(),
        groups: OrdMap::new(),
        enterprise_pools: OrdMap::new(),
        templates: OrdMap::new(),
        migrations: OrdMap::new(),
        peers: Arc::default(),
        errands: OrdMap::new(),
        journeys_ended: imbl::Vector::new(),
        jobs: OrdMap::new(),
        files: OrdMap::new(),
        events: EventLog::new(now.0),
        now,
        agenda: Agenda::default(),
        gate: Gate::default(),
        ids,
        pace: Pace::calm(),
        generation: 1,
    };
    let mut san = inventory.san.build()?;
    let mut vioses = Named::new();
    for system in &inventory.systems {
        if world
            .systems
            .values()
            .any(|other| other.name == system.name || other.machine.serial == system.serial)
        {
            return Err(InventoryError::Inconsistent(format!(
                "there are two systems named {} or with its serial number",
                system.name
            )));
        }
        if system
            .uuid
            .is_some_and(|uuid| world.systems.contains_key(&uuid))
        {
            return Err(InventoryError::Inconsistent(format!(
                "system {} has the UUID of another one",
                system.name
            )));
        }
        let uuid = add_system(&mut world, system)?;
        let mut further = further_slots(system);
        for (number, vios) in system.vioses.iter().enumerate() {
            let id = number
                + if system.management_partition.is_some() {
                    2
                } else {
                    1
                };
            let id = vios.id.map_or(id, usize::from);
            let hardware = (&mut san, &mut further);
            let mut made = vios_of(&mut world.ids, system, vios, (uuid, id), hardware, now)?;
            check_identity(&world, &made.partition)?;
            let name = format!("{}/{}", system.name, vios.name);
            vioses.insert(name, made.partition.uuid);
            if flavor == Flavor::Hmc {
                let partition = &mut made.partition;
                let profile = partition.as_profile(partition.profile, DEFAULT, 1);
                partition.profiles.push(Arc::new(profile));
            }
            world.vioses.insert(made.partition.uuid, Arc::new(made));
        }
    }
    if flavor == Flavor::NovaLink {
        settle_consoles(&mut world, inventory);
    }
    world.san = Arc::new(san);
    for cluster in &inventory.clusters {
        add_cluster(&mut world, cluster, &vioses, inventory)?;
    }
    existing::populate(&mut world, inventory, now)?;
    register(&mut world, inventory, flavor)?;
    let pace = std::mem::take(&mut world.pace);
    Ok(World {
        events: EventLog::new(now.0),
        agenda: Agenda::default(),
        jobs: OrdMap::new(),
        pace,
        ..world
    })
}

/// Whether a partition that no command makes has a number and a name of its own on its system, and a UUID of its own.
pub(super) fn check_identity(world: &World, partition: &Partition) -> Result<(), InventoryError> {
    let taken = |what: String, other: &Partition| {
        InventoryError::Inconsistent(format!(
            "{} cannot have the {what}: {} has it. Give one of them another",
            partition.name, other.name
        ))
    };
    if let Some(other) = world
        .owner(partition.uuid)
        .and_then(|owner| world.partition(owner))
    {
        return Err(taken(format!("UUID {}", partition.uuid), other));
    }
    for other in world.all_partitions_of(partition.system) {
        if other.id == partition.id {
            return Err(taken(format!("partition number {}", partition.id), other));
        }
        if other.name == partition.name {
            return Err(taken("name".to_owned(), other));
        }
    }
    Ok(())
}

fn console(inventory: &Inventory, flavor: Flavor, ids: &mut Ids) -> ManagementConsole {
    let machine = |machine_type: &str, model: &str, serial: String| MachineId {
        machine_type: machine_type.to_owned(),
        model: model.to_owned(),
        serial,
    };
    let novalink = flavor == Flavor::NovaLink;
    let given = inventory.console.as_deref();
    let name = given.unwrap_or_else(|| defaults::console(flavor));
    ManagementConsole {
        uuid: ids.named_uuid(),
        system: None,
        name: name.to_owned(),
        machine: machine("7042", "CR9", ids.hex(7).to_uppercase()),
        interfaces: vec![(
            "eth0".to_owned(),
            "192.0.2.10 fe80:0:0:0:5054:ff:fed8:a951".to_owned(),
        )],
        public_ssh_key: novalink.then(|| {
            format!(
                "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC{} wlp@{}",
                ids.hex(64),
                name
            )
        }),
        authorized_keys: inventory.authorized_keys.clone(),
        version: 1,
    }
}

/// Each system has a NovaLink of its own; the first system's is the one that was made.
fn settle_consoles(world: &mut World, inventory: &Inventory) {
    let first = world.systems_in_order().first().map(|system| system.uuid);
    Arc::make_mut(&mut world.console).system = first;
    let others: Vec<Uuid> = world
        .systems_in_order()
        .into_iter()
        .skip(1)
        .map(|system| system.uuid)
        .collect();
    for system in others {
        let neighbour = ManagementConsole {
            system: Some(system),
            ..console(inventory, Flavor::NovaLink, &mut world.ids)
        };
        world.neighbours.insert(system, Arc::new(neighbour));
    }
}

fn add_system(world: &mut World, inventory: &SystemInventory) -> Result<Uuid, InventoryError> {
    let ids = &mut world.ids;
    let drawn = ids.named_uuid();
    let uuid = inventory.uuid.unwrap_or(drawn);
    let mut modes = vec![CompatibilityMode::Default];
    for name in &inventory.compatibility_modes {
        modes.push(
            CompatibilityMode::parse(name)
                .ok_or_else(|| missing("processor compatibility mode", name))?,
        );
    }
    let names = std::iter::once(VirtualSwitch::DEFAULT)
        .chain(inventory.switches.iter().map(String::as_str));
    let switches = names.zip(0..).map(|(name, id)| {
        let uuid = ids.named_uuid();
        (
            uuid,
            Arc::new(VirtualSwitch {
                uuid,
                id,
                name: name.to_owned(),
                mode: SwitchMode::Veb,
                version: 1,
            }),
        )
    });
    let switches = switches.collect();
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
        description: inventory.description.clone(),
        location: inventory.location.clone(),
        state: SystemState::Operating,
        ip_address: "192.0.2.20".to_owned(),
        maximum_partitions: MAXIMUM_PARTITIONS,
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
        migration: MigrationLimits {
            inactive: 16,
            active: 16,
        },
        io_slots: Vec::new(),
        wwpn_prefix: 0xC050_7606_0000_0000 | ids.between(0, 0xffff) << 16,
        available_wwpns: 65_536,
        processor_pools: processor_pools(uuid, inventory)?,
        memory_pool: None,
        serial_numbers: OrdMap::new(),
        monitoring: Monitoring::default(),
        switches,
        networks: OrdMap::new(),
        bridges: OrdMap::new(),
        sriov_adapters: sriov_adapters(inventory),
        is_controller: true,
        is_temporary_controller: false,
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
        active_memory_sharing: true,
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

/// Physical slots of a system: what its Virtual I/O Servers own, and one spare Ethernet adapter.
pub(super) fn io_slots(world: &World, system: Uuid, serial: &str) -> Vec<IoSlot> {
    let unit = format!("U78CB.001.{serial}");
    let slot = |description: &str, location: u32, class, vendor, device, owner| IoSlot {
        description: description.to_owned(),
        location: format!("C{location}"),
        unit_location: unit.clone(),
        drc_index: FIRST_SLOT + location,
        pci_class: class,
        pci_vendor: vendor,
        pci_device: device,
        owner,
    };
    let mut slots = vec![
        slot("PCIe3 4-port Ethernet Adapter", 12, 512, 5348, 5719, None),
        slot("Universal Serial Bus UHC Spec", 13, 3075, 4172, 33345, None),
    ];
    let sriov = world.systems.get(&system);
    for adapter in sriov.iter().flat_map(|system| &system.sriov_adapters) {
        let location = adapter.drc_index - FIRST_SLOT;
        slots.push(slot(&adapter.description, location, 512, 4319, 1808, None));
    }
    for vios in world.vioses_of(system) {
        let owner = Some(vios.partition.uuid);
        for adapter in &vios.fc_adapters {
            let location = adapter.id - FIRST_SLOT;
            let description = &adapter.description;
            slots.push(slot(description, location, 3076, 4319, 61696, owner));
        }
        let place = |number: u16| u32::from(number);
        let [_, ethernet, disks] = vios_slots(vios.partition.id).map(place);
        let description = "PCIe2 4-Port Adapter (1GbE RJ45)";
        slots.push(slot(description, ethernet, 512, 5348, 5719, owner));
        let mut volumes = vios.physical_volumes.iter();
        if volumes.any(|volume| volume.transport == Transport::Local) {
            let description = "PCIe3 x8 SAS RAID Internal Adapter 6Gb";
            slots.push(slot(description, disks, 260, 4116, 842, owner));
        }
    }
    slots
}
