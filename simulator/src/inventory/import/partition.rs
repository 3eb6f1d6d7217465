//! Logical partitions: identity, memory, processors, state.

use super::super::{
    ManagementInventory, PartitionInventory, ProcessorInventory, SystemInventory, defaults,
};
use super::Systems;
use super::documents::{Documents, Item, number, text};
use super::system::system_of;
use crate::model::Flavor;
use crate::model::units::ProcUnits;

/// The partitions of the systems found.
pub(super) fn partitions(
    documents: &Documents,
    found: &mut Systems,
    flavor: Flavor,
    remarks: &mut Vec<String>,
) {
    for item in documents.all("LogicalPartition") {
        let Some(name) = item.text("PartitionName") else {
            continue;
        };
        let Some(system) = system_of(item, found).and_then(|system| found.get_mut(&system)) else {
            continue;
        };
        let id = item.text("PartitionID").and_then(|id| id.parse().ok());
        let of_server = |name: &str, id: Option<u16>| {
            system
                .vioses
                .iter()
                .any(|vios| vios.name == name || id.is_some() && vios.id == id)
        };
        let twice = system
            .partitions
            .iter()
            .any(|other| other.name == name || id.is_some() && other.id == id);
        if twice || of_server(name, id) {
            remarks.push(format!(
                "partition {name} is left out: {} has another with its name or number",
                system.name
            ));
            continue;
        }
        let (minimum, desired, maximum) = memory_of(item);
        let memory = desired.unwrap_or_else(defaults::partition_memory_mb);
        if flavor == Flavor::NovaLink
            && item.text("IsManagementPartition") == Some("true")
            && system.management_partition.is_none()
            && !system.vioses.iter().any(|vios| vios.is_management)
        {
            system.management_partition = Some(ManagementInventory {
                name: name.to_owned(),
                uuid: Some(item.uuid),
                id,
                memory_mb: memory,
                disk_gb: defaults::management_disk_gb(),
            });
            continue;
        }
        let partition = PartitionInventory {
            name: name.to_owned(),
            uuid: Some(item.uuid),
            id,
            kind: item
                .text("PartitionType")
                .filter(|kind| *kind != "AIX/Linux")
                .map(str::to_owned),
            memory_mb: memory,
            memory_minimum_mb: minimum,
            memory_maximum_mb: maximum,
            maximum_slots: item.number(&["PartitionIOConfiguration", "MaximumVirtualIOSlots"]),
            virtual_processors: defaults::partition_processors(),
            processor_units_hundredths: defaults::partition_units(),
            processors: processors(item, system),
            vlan: defaults::vlan(),
            adapters: None,
            disk_gb: None,
            mappings: Vec::new(),
            fc_mappings: Vec::new(),
            description: item
                .text("Description")
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            shared_memory: item.text_at(&["PartitionMemoryConfiguration", "SharedMemoryEnabled"])
                == Some("true"),
            io_slots: io_slots(item),
            serial_number: item.text("VirtualSerialNumber").map(str::to_owned),
            sriov: false,
            running: item.text("PartitionState") == Some("running"),
            fc_adapters: 0,
        };
        system.partitions.push(partition);
    }
    for system in found.values_mut() {
        system.partitions.sort_by_key(|partition| partition.id);
    }
}

/// The physical slots that its default profile gives it, such as `C12` of `U78CB.001.1234567-P1-C12`.
fn io_slots(item: &Item) -> Vec<String> {
    let slots = item
        .child("PartitionIOConfiguration")
        .and_then(|configuration| configuration.child("ProfileIOSlots"));
    let slots = slots
        .into_iter()
        .flat_map(|slots| slots.children_named("ProfileIOSlot"));
    let places = slots.filter_map(|slot| {
        let place = text(slot, &["AssociatedIOSlot", "SlotPhysicalLocationCode"])?;
        place.rsplit('-').next()
    });
    places
        .filter(|place| !place.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The least, desired and most memory.
pub(super) fn memory_of(item: &Item) -> (Option<u64>, Option<u64>, Option<u64>) {
    let memory = |part: &str| {
        let memory: Option<u64> = item.number(&["PartitionMemoryConfiguration", part]);
        memory.filter(|memory| *memory > 0)
    };
    (
        memory("MinimumMemory"),
        memory("DesiredMemory").or_else(|| memory("CurrentMemory")),
        memory("MaximumMemory"),
    )
}

/// The share of processors in hundredths.
pub(super) fn units_of(item: &Item) -> Option<u32> {
    let configuration = item.child("PartitionProcessorConfiguration")?;
    let shared = text(
        configuration,
        &["SharedProcessorConfiguration", "DesiredProcessingUnits"],
    );
    let shared = shared.and_then(ProcUnits::parse).map(ProcUnits::hundredths);
    let dedicated = || {
        number::<u32>(
            configuration,
            &["DedicatedProcessorConfiguration", "DesiredProcessors"],
        )
    };
    shared
        .or_else(|| dedicated().map(|processors| processors * 100))
        .filter(|units| *units > 0)
}

fn processors(item: &Item, system: &SystemInventory) -> Option<ProcessorInventory> {
    let configuration = item.child("PartitionProcessorConfiguration")?;
    let mode = text(configuration, &["SharingMode"]).unwrap_or_default();
    if text(configuration, &["HasDedicatedProcessors"]) == Some("true") {
        let own = configuration.child("DedicatedProcessorConfiguration")?;
        let processors = |part: &str| number::<u16>(own, &[part]).filter(|number| *number > 0);
        let desired = processors("DesiredProcessors")?;
        return Some(ProcessorInventory {
            dedicated: true,
            minimum: processors("MinimumProcessors").unwrap_or(desired),
            desired,
            maximum: processors("MaximumProcessors").unwrap_or(desired),
            minimum_units_hundredths: 0,
            units_hundredths: 0,
            maximum_units_hundredths: 0,
            capped: false,
            weight: None,
            pool: None,
        });
    }
    let shared = configuration.child("SharedProcessorConfiguration")?;
    let processors = |part: &str| number::<u16>(shared, &[part]).filter(|number| *number > 0);
    let units = |part: &str| {
        text(shared, &[part])
            .and_then(ProcUnits::parse)
            .map(ProcUnits::hundredths)
    };
    let (desired, share) = (
        processors("DesiredVirtualProcessors")?,
        units("DesiredProcessingUnits")?,
    );
    let pool: Option<usize> = number(shared, &["SharedProcessorPoolID"]);
    let pool = pool
        .and_then(|id| id.checked_sub(1))
        .and_then(|index| system.processor_pools.get(index));
    Some(ProcessorInventory {
        dedicated: false,
        minimum: processors("MinimumVirtualProcessors").unwrap_or(desired),
        desired,
        maximum: processors("MaximumVirtualProcessors").unwrap_or(desired),
        minimum_units_hundredths: units("MinimumProcessingUnits").unwrap_or(share),
        units_hundredths: share,
        maximum_units_hundredths: units("MaximumProcessingUnits").unwrap_or(share),
        capped: mode == "capped",
        weight: number(shared, &["UncappedWeight"]),
        pool: pool.cloned(),
    })
}
