//! Requests about partitions.

use uuid::Uuid;

use crate::model::names::{PartitionKind, SharingMode};
use crate::model::partition::PartitionSettings;
use crate::model::resource::Owner;
use crate::model::units::ProcUnits;

/// Bounds in megabytes. What is missing is taken from what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryRequest {
    /// `MinimumMemory`
    pub minimum: Option<u64>,
    /// `DesiredMemory`
    pub desired: Option<u64>,
    /// `MaximumMemory`
    pub maximum: Option<u64>,
    /// `ExpansionFactor` in hundredths.
    pub expansion_factor: Option<u32>,
    /// `HardwarePageTableRatio`
    pub page_table_ratio: Option<u8>,
    /// `PhysicalPageTableRatio`
    pub physical_page_table_ratio: Option<u8>,
    /// `SharedMemoryEnabled`, or `ActiveMemorySharingEnabled`
    pub shared: Option<bool>,
    /// `DesiredEntitledMemory`
    pub entitled: Option<u64>,
    /// `MemoryWeight`
    pub weight: Option<u8>,
}

/// `PartitionProcessorConfiguration` as sent. `HasDedicatedProcessors` decides which part counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorRequest {
    /// `HasDedicatedProcessors`
    pub dedicated: Option<bool>,
    /// `SharingMode`
    pub sharing: Option<SharingMode>,
    /// `MinimumProcessors`
    pub minimum_processors: Option<u16>,
    /// `DesiredProcessors`
    pub desired_processors: Option<u16>,
    /// `MaximumProcessors`
    pub maximum_processors: Option<u16>,
    /// `MinimumProcessingUnits`
    pub minimum_units: Option<ProcUnits>,
    /// `DesiredProcessingUnits`
    pub desired_units: Option<ProcUnits>,
    /// `MaximumProcessingUnits`
    pub maximum_units: Option<ProcUnits>,
    /// `MinimumVirtualProcessors`
    pub minimum_virtual: Option<u16>,
    /// `DesiredVirtualProcessors`
    pub desired_virtual: Option<u16>,
    /// `MaximumVirtualProcessors`
    pub maximum_virtual: Option<u16>,
    /// `SharedProcessorPoolID`
    pub pool: Option<u8>,
    /// `UncappedWeight`
    pub uncapped_weight: Option<u8>,
}

/// See [`Command::CreatePartition`](super::Command::CreatePartition).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePartition {
    /// The managed system.
    pub system: Uuid,
    /// `PartitionUUID` or the AtomID of the document.
    pub uuid: Option<Uuid>,
    /// `PartitionID`
    pub id: Option<u16>,
    /// `PartitionName`
    pub name: String,
    /// `Description`
    pub description: Option<String>,
    /// `PartitionType`
    pub kind: PartitionKind,
    /// Its memory.
    pub memory: MemoryRequest,
    /// Its processors; a partition without any wish gets one dedicated processor.
    pub processors: Option<ProcessorRequest>,
    /// `MaximumVirtualIOSlots`
    pub maximum_slots: Option<u32>,
    /// Everything else that was set; start from the default.
    pub settings: PartitionSettings,
    /// `PartitionNVRAM`
    pub nvram: Option<String>,
    /// `VirtualSerialNumber`: a number, or `auto` for any.
    pub serial_number: Option<String>,
    /// `ProfileIOSlots`; none if the document had no such element.
    pub io_slots: Option<Vec<IoSlotName>>,
}

/// A physical slot that a client names: the index decides, the location counts without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IoSlotName {
    /// `SlotDynamicReconfigurationConnectorIndex`
    pub index: Option<u32>,
    /// `SlotDynamicReconfigurationConnectorName`
    pub name: Option<String>,
}

/// See [`Command::UpdatePartition`](super::Command::UpdatePartition). Only differences from what is there count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePartition {
    /// The partition or Virtual I/O Server.
    pub owner: Owner,
    /// `PartitionName`
    pub name: Option<String>,
    /// `Description`
    pub description: Option<String>,
    /// Its memory.
    pub memory: MemoryRequest,
    /// Its processors.
    pub processors: Option<ProcessorRequest>,
    /// `MaximumVirtualIOSlots`
    pub maximum_slots: Option<u32>,
    /// Everything else; start from what is there.
    pub settings: Option<PartitionSettings>,
    /// `PartitionNVRAM`
    pub nvram: Option<String>,
    /// `VirtualSerialNumber`; empty takes the number back.
    pub serial_number: Option<String>,
    /// `resetAutoAssign=true`: a number that is taken back may be assigned to any partition again.
    pub reset_serial_number: bool,
    /// `ProfileIOSlots`, the whole list; none if the document had no such element.
    pub io_slots: Option<Vec<IoSlotName>>,
    /// `MoverServicePartition` of a Virtual I/O Server.
    pub mover: Option<bool>,
    /// `force=true`: memory and processors change although the operating system cannot follow.
    pub force: bool,
}

impl UpdatePartition {
    /// A change of nothing.
    #[must_use]
    pub fn of(owner: Owner) -> Self {
        Self {
            owner,
            name: None,
            description: None,
            memory: MemoryRequest::default(),
            processors: None,
            maximum_slots: None,
            settings: None,
            nvram: None,
            serial_number: None,
            reset_serial_number: false,
            io_slots: None,
            mover: None,
            force: false,
        }
    }
}
