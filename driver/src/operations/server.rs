//! Servers as the operations report them.

use serde::{Serialize, Serializer};

use crate::network::Mac;
use crate::partition::{PartitionUuid, PowerState};

/// A server in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServerSummary {
    /// UUID of its partition.
    #[serde(serialize_with = "lower_case")]
    pub id: PartitionUuid,
    /// Its partition's name.
    pub name: String,
    /// Its power state.
    pub status: PowerState,
    /// The partition's state as the server names it.
    pub state: String,
    /// Number of its partition; the hypervisor gives it to another one later.
    pub partition_id: Option<u32>,
    /// State of its RMC connection.
    pub rmc: String,
}

/// A server with all that it has.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Server {
    /// What a listing has of it.
    #[serde(flatten)]
    pub summary: ServerSummary,
    /// Memory in MB.
    pub memory_mb: u64,
    /// Virtual processors, or dedicated ones.
    pub vcpus: u32,
    /// Processing units; none when the processors are dedicated.
    pub proc_units: Option<f64>,
    /// Reference code that its firmware or operating system shows.
    pub reference_code: Option<String>,
    /// Its interfaces, in slot order.
    pub interfaces: Vec<InterfaceInfo>,
    /// Its disks and media, by the Virtual I/O Servers that serve them.
    pub storage: Vec<StorageInfo>,
}

/// An interface of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterfaceInfo {
    /// Its address.
    pub mac: Option<Mac>,
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// Name of its switch.
    pub switch: Option<String>,
    /// Its slot in the partition.
    pub slot: Option<u32>,
}

/// A disk or medium of a server, as one Virtual I/O Server serves it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StorageInfo {
    /// What it is.
    pub kind: StorageKind,
    /// Its name.
    pub name: String,
    /// Name of the Virtual I/O Server.
    pub served_by: String,
}

/// Kinds of storage that a mapping serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StorageKind {
    /// A logical unit of a shared storage pool.
    LogicalUnit,
    /// A virtual disk of a volume group, or a file.
    VirtualDisk,
    /// A physical volume.
    PhysicalVolume,
    /// An optical medium.
    OpticalMedium,
    /// An adapter without storage.
    None,
}

/// The instance's spelling: OpenStack writes UUIDs in lower case.
pub(crate) fn lower_case<S: Serializer>(
    uuid: &PartitionUuid,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&uuid.as_uuid())
}
