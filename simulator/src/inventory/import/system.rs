//! Managed systems, and room in them for what they have.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::super::{SystemInventory, defaults};
use super::Systems;
use super::documents::{Documents, Item, last_uuid, text};
use crate::model::names::CompatibilityMode;
use crate::model::partition::page_table;
use crate::model::units::ProcUnits;

/// The systems of the documents, and those that partitions and servers name without one.
pub(super) fn systems(documents: &Documents, remarks: &mut Vec<String>) -> Systems {
    let mut found = Systems::new();
    let mut serials = BTreeSet::new();
    for item in documents.all("ManagedSystem") {
        let Some(name) = item.text("SystemName") else {
            continue;
        };
        let serial = item.text_at(&["MachineTypeModelAndSerialNumber", "SerialNumber"]);
        let memory = item.number::<u64>(&[
            "AssociatedSystemMemoryConfiguration",
            "ConfigurableSystemMemory",
        ]);
        let Some(serial) = serial.filter(|_| memory != Some(0)) else {
            remarks.push(format!(
                "system {name} is left out: the console had no connection to it"
            ));
            continue;
        };
        if !serials.insert(serial.to_owned()) {
            remarks.push(format!(
                "system {name} is left out: another one has its serial number {serial}"
            ));
            continue;
        }
        found.insert(item.uuid, described(documents, item, name, serial, memory));
    }
    for kind in ["VirtualIOServer", "LogicalPartition"] {
        for item in documents.all(kind) {
            let uuid = item.system().unwrap_or_else(Uuid::nil);
            if found.contains_key(&uuid) || documents.get("ManagedSystem", uuid).is_some() {
                continue;
            }
            let system = undescribed(documents, item, uuid, &serials);
            remarks.push(format!(
                "system {} is made up: no document describes it",
                system.name
            ));
            serials.insert(system.serial.clone());
            found.insert(uuid, system);
        }
    }
    let mut names = BTreeSet::new();
    for system in found.values_mut() {
        if !names.insert(system.name.clone()) {
            system.name = format!("{}-{}", system.name, system.serial);
            names.insert(system.name.clone());
        }
    }
    found
}

fn described(
    documents: &Documents,
    item: &Item,
    name: &str,
    serial: &str,
    memory: Option<u64>,
) -> SystemInventory {
    let mtms = |part: &str| {
        item.text_at(&["MachineTypeModelAndSerialNumber", part])
            .map(str::to_owned)
    };
    let processors = "AssociatedSystemProcessorConfiguration";
    let memory_of = |part: &str| item.number::<u64>(&["AssociatedSystemMemoryConfiguration", part]);
    let cores = item
        .text_at(&[processors, "ConfigurableSystemProcessorUnits"])
        .and_then(ProcUnits::parse);
    let modes = item
        .child(processors)
        .into_iter()
        .flat_map(|configuration| {
            configuration.children_named("SupportedPartitionProcessorCompatibilityModes")
        });
    let modes: Vec<String> = modes
        .filter_map(|mode| text(mode, &[]))
        .filter(|mode| *mode != "default" && CompatibilityMode::parse(mode).is_some())
        .map(str::to_owned)
        .collect();
    SystemInventory {
        uuid: Some(item.uuid),
        machine_type: mtms("MachineType").unwrap_or_else(defaults::machine_type),
        model: mtms("Model").unwrap_or_else(defaults::model),
        description: item.text("Description").unwrap_or_default().to_owned(),
        location: item.text("SystemLocation").unwrap_or_default().to_owned(),
        memory_mb: memory.unwrap_or_else(defaults::memory_mb),
        hypervisor_mb: memory_of("MemoryUsedByHypervisor").unwrap_or_else(defaults::hypervisor_mb),
        memory_region_mb: memory_of("MemoryRegionSize")
            .filter(|region| *region > 0)
            .unwrap_or_else(defaults::memory_region_mb),
        processors: cores.map_or_else(defaults::processors, |cores| {
            cores.hundredths().div_ceil(100).max(1)
        }),
        compatibility_modes: if modes.is_empty() {
            defaults::compatibility_modes()
        } else {
            modes
        },
        switches: switches(documents, item.uuid),
        processor_pools: pools(documents, item.uuid),
        ..empty(name, serial)
    }
}

fn empty(name: &str, serial: &str) -> SystemInventory {
    SystemInventory {
        name: name.to_owned(),
        uuid: None,
        machine_type: defaults::machine_type(),
        model: defaults::model(),
        serial: serial.to_owned(),
        description: String::new(),
        location: String::new(),
        memory_mb: defaults::memory_mb(),
        hypervisor_mb: defaults::hypervisor_mb(),
        memory_region_mb: defaults::memory_region_mb(),
        processors: defaults::processors(),
        compatibility_modes: defaults::compatibility_modes(),
        switches: Vec::new(),
        processor_pools: Vec::new(),
        memory_pool: None,
        serial_numbers: Vec::new(),
        sriov: Vec::new(),
        management_partition: None,
        vioses: Vec::new(),
        partitions: Vec::new(),
    }
}

/// A system of which only something in it is known. Virtual adapters tell its machine type, model and serial number.
fn undescribed(
    documents: &Documents,
    item: &Item,
    uuid: Uuid,
    taken: &BTreeSet<String>,
) -> SystemInventory {
    let code = item.anywhere("LocationCode").into_iter().find_map(|code| {
        let (machine, _) = text(code, &[])?.split_once("-V")?;
        let mut parts = machine.strip_prefix('U')?.split('.').map(str::to_owned);
        Some((parts.next()?, parts.next()?, parts.next()?))
    });
    let free = (1..).map(|number: u32| format!("99{number:04X}A"));
    let free = || {
        free.into_iter()
            .find(|serial| !taken.contains(serial))
            .unwrap_or_default()
    };
    let (machine_type, model, serial) = code
        .filter(|(_, _, serial)| !taken.contains(serial))
        .unwrap_or_else(|| (defaults::machine_type(), defaults::model(), free()));
    SystemInventory {
        uuid: (!uuid.is_nil()).then_some(uuid),
        machine_type,
        model,
        switches: switches(documents, uuid),
        ..empty(&format!("system-{serial}"), &serial)
    }
}

/// The switches besides the default one, in the order of their numbers.
fn switches(documents: &Documents, system: Uuid) -> Vec<String> {
    let mut numbered: BTreeMap<u16, String> = BTreeMap::new();
    for item in documents.all("VirtualSwitch") {
        let of_system = item
            .above("ManagedSystem")
            .is_none_or(|above| above == system);
        let (id, name) = (item.text("SwitchID"), item.text("SwitchName"));
        if let (true, Some(id), Some(name)) = (of_system, id.and_then(|id| id.parse().ok()), name) {
            numbered.insert(id, name.to_owned());
        }
    }
    numbered.remove(&0);
    let mut names = BTreeSet::new();
    numbered
        .into_values()
        .filter(|name| names.insert(name.clone()))
        .collect()
}

/// The processor pools up to the last one that is used; those between have their usual names.
fn pools(documents: &Documents, system: Uuid) -> Vec<String> {
    let mut numbered: BTreeMap<u8, String> = BTreeMap::new();
    for item in documents.all("SharedProcessorPool") {
        let of_system = item.system().is_none_or(|above| above == system);
        let id = item.text("PoolID").and_then(|id| id.parse().ok());
        let used = item
            .text("MaximumProcessingUnits")
            .and_then(ProcUnits::parse);
        let used = used.is_some_and(|units| units > ProcUnits::ZERO);
        if let (true, true, Some(id), Some(name)) = (of_system, used, id, item.text("PoolName")) {
            numbered.insert(id, name.to_owned());
        }
    }
    let last = numbered.keys().next_back().copied().unwrap_or(0);
    let name = |id: u8| {
        numbered
            .get(&id)
            .cloned()
            .unwrap_or_else(|| format!("SharedPool{id:02}"))
    };
    (1..=last).map(name).collect()
}

/// Systems get as much as their partitions need, and the hypervisor's memory becomes that without partitions.
pub(super) fn make_room(systems: &mut [SystemInventory], remarks: &mut Vec<String>) {
    for system in systems {
        let region = system.memory_region_mb;
        let overhead = |memory: u64| page_table(memory, 7, region);
        let servers = system
            .vioses
            .iter()
            .map(|vios| (vios.memory_mb, vios.memory_mb));
        let management = system
            .management_partition
            .iter()
            .map(|own| (own.memory_mb, own.memory_mb));
        let running = system
            .partitions
            .iter()
            .filter(|partition| partition.running)
            .map(|partition| {
                let most = partition.memory_maximum_mb.unwrap_or(partition.memory_mb);
                let own = if partition.shared_memory {
                    0
                } else {
                    partition.memory_mb
                };
                (own, most)
            });
        let active: Vec<(u64, u64)> = servers.chain(management).chain(running).collect();
        let overheads: u64 = active.iter().map(|(_, most)| overhead(*most)).sum();
        system.hypervisor_mb = system.hypervisor_mb.saturating_sub(overheads).max(region);
        let pooled = system.memory_pool.as_ref().map_or(0, |pool| pool.memory_mb);
        let own: u64 = active.iter().map(|(memory, _)| memory).sum();
        let needed = own + pooled + overheads + system.hypervisor_mb;
        let largest = system
            .partitions
            .iter()
            .filter_map(|partition| partition.memory_maximum_mb)
            .max();
        let needed = (needed + region)
            .max(largest.unwrap_or(0))
            .next_multiple_of(region);
        if needed > system.memory_mb {
            remarks.push(format!(
                "system {} gets {needed} MB instead of {} MB: its partitions need them here",
                system.name, system.memory_mb
            ));
            system.memory_mb = needed;
        }
        let units = |partition: &super::super::PartitionInventory| match &partition.processors {
            Some(exact) if exact.dedicated => u32::from(exact.desired) * 100,
            Some(exact) => exact.units_hundredths,
            None => partition.processor_units_hundredths,
        };
        let running = system
            .partitions
            .iter()
            .filter(|partition| partition.running);
        let servers = system
            .vioses
            .iter()
            .map(|vios| vios.processor_units_hundredths);
        let own = if system.management_partition.is_some() {
            50
        } else {
            0
        };
        let needed = (running.map(units).sum::<u32>() + servers.sum::<u32>() + own).div_ceil(100);
        if needed > system.processors {
            remarks.push(format!(
                "system {} gets {needed} processors instead of {}: its partitions need them here",
                system.name, system.processors
            ));
            system.processors = needed;
        }
    }
}

/// The system among those found that a resource belongs to; one without a link belongs to the only one there is.
pub(super) fn system_of(item: &Item, found: &Systems) -> Option<Uuid> {
    let linked = item.system().or_else(|| {
        let link = item.child("ManagedSystem")?;
        last_uuid(link.attribute("href")?)
    });
    match linked {
        Some(uuid) => found.contains_key(&uuid).then_some(uuid),
        None if found.contains_key(&Uuid::nil()) => Some(Uuid::nil()),
        None => found.keys().next().copied().filter(|_| found.len() == 1),
    }
}
