//! Requests about what belongs to a managed system.

use uuid::Uuid;

use super::{MemoryRequest, ProcessorRequest};
use crate::model::resource::Owner;
use crate::model::units::ProcUnits;

/// See [`Command::UpdateProcessorPool`](super::Command::UpdateProcessorPool). What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateProcessorPool {
    /// The managed system.
    pub system: Uuid,
    /// The pool.
    pub pool: Uuid,
    /// `PoolName`
    pub name: Option<String>,
    /// `MaximumProcessingUnits`
    pub maximum: Option<ProcUnits>,
    /// `PendingReservedProcessingUnits`
    pub reserved: Option<ProcUnits>,
}

/// A shared memory pool as sent, in megabytes. What is `None` stays, or gets its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryPoolRequest {
    /// The managed system.
    pub system: Uuid,
    /// `PendingPoolMemory`, or `PoolSize`
    pub size: Option<u64>,
    /// `PendingMaximumPoolMemory`
    pub maximum: Option<u64>,
    /// `MemoryDeduplicationEnabled`
    pub deduplication: Option<bool>,
    /// The last UUIDs of `PagingServicePartitionOne` and `PagingServicePartitionTwo`.
    pub paging_servers: Option<Vec<Uuid>>,
    /// `UniqueDeviceID`, or else `DeviceName`, of each of `PagingDevices`.
    pub devices: Option<Vec<String>>,
}

/// See [`Command::UpdateMonitoring`](super::Command::UpdateMonitoring). What is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateMonitoring {
    /// The managed system.
    pub system: Uuid,
    /// `LongTermMonitorEnabled`
    pub long_term: Option<bool>,
    /// `ShortTermMonitorEnabled`
    pub short_term: Option<bool>,
    /// `AggregationEnabled`
    pub aggregation: Option<bool>,
    /// `ComputeLTMEnabled`
    pub compute_long_term: Option<bool>,
    /// `EnergyMonitorEnabled`
    pub energy: Option<bool>,
}

/// A partition profile as sent. What is `None` stays, or is taken from the partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileRequest {
    /// The partition or Virtual I/O Server.
    pub owner: Owner,
    /// `ProfileName`
    pub name: Option<String>,
    /// `ProfileMemory`
    pub memory: MemoryRequest,
    /// `ProcessorAttributes`
    pub processors: Option<ProcessorRequest>,
    /// `MaximumVirtualIOSlots` of `IOConfigurationInstance`
    pub maximum_slots: Option<u32>,
}
