//! Shared storage: clusters, their pool, its tiers and logical units.

pub mod cluster;
pub mod logical_unit;
mod named;
mod units;

use std::sync::Arc;
use uuid::Uuid;

use super::names::LogicalUnitKind;
use super::storage::{Content, PhysicalVolume};
use super::units::Gigabytes;
pub use units::Units;

/// `Cluster`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Its UUID.
    pub uuid: Uuid,
    /// `ClusterName`
    pub name: String,
    /// `ClusterID`, prefix `22`.
    pub id: String,
    /// `RepositoryDisk`
    pub repository: PhysicalVolume,
    /// Its members.
    pub nodes: Vec<Node>,
    /// The UUID of its pool.
    pub pool: Uuid,
    /// Changes with the document.
    pub version: u64,
}

/// A Virtual I/O Server as member of a cluster.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The UUID of the Virtual I/O Server.
    pub vios: Uuid,
    /// `HostName`
    pub host: String,
    /// `IPAddress`
    pub address: String,
}

/// `SharedStoragePool`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedStoragePool {
    /// Its UUID.
    pub uuid: Uuid,
    /// The UUID of its cluster.
    pub cluster: Uuid,
    /// `StoragePoolName`
    pub name: String,
    /// `UniqueDeviceID`, prefix `24`.
    pub udid: String,
    /// `Capacity`
    pub capacity: Gigabytes,
    /// `AlertThreshold` in percent.
    pub alert_threshold: u8,
    /// How much of the capacity may be promised to logical units, in percent.
    pub overcommit_percent: u32,
    /// `PhysicalVolumes`
    pub physical_volumes: Vec<PhysicalVolume>,
    /// Its tiers, the default one first.
    pub tiers: Vec<Uuid>,
    /// Changes with the document, its logical units included.
    pub version: u64,
}

/// `Tier`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its UUID.
    pub uuid: Uuid,
    /// The UUID of its pool.
    pub pool: Uuid,
    /// `Name`
    pub name: String,
    /// `UniqueDeviceID`, prefix `25`.
    pub udid: String,
    /// `IsDefault`
    pub is_default: bool,
    /// `Capacity`
    pub capacity: Gigabytes,
    /// The name of its failure group.
    pub failure_group: String,
    /// The UDID of its failure group, prefix `26`.
    pub failure_group_udid: String,
    /// Its logical units by UUID.
    pub units: Units,
    /// Changes with the document of the tier itself.
    pub version: u64,
}

impl Tier {
    /// The unit with this UDID.
    #[must_use]
    pub fn unit(&self, udid: &str) -> Option<&Arc<LogicalUnit>> {
        self.units.with_udid(udid)
    }

    /// What its units promise to their clients (`TotalLogicalUnitSize`).
    #[must_use]
    pub fn promised(&self) -> Gigabytes {
        self.units.promised()
    }

    /// What its units really take.
    #[must_use]
    pub fn allocated(&self) -> Gigabytes {
        self.units.allocated()
    }
}

/// `LogicalUnit`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct LogicalUnit {
    /// Its UUID.
    pub uuid: Uuid,
    /// `UnitName`
    pub name: String,
    /// `UniqueDeviceID`: `27` (disk) or `29` (image) and 64 hexadecimal digits.
    pub udid: String,
    /// `UnitCapacity`
    pub capacity: Gigabytes,
    /// `ThinDevice`
    pub thin: bool,
    /// `LogicalUnitType`
    pub kind: LogicalUnitKind,
    /// `ClonedFrom`: the UDID of the image.
    pub cloned_from: Option<String>,
    /// `InUse`: mapped by some Virtual I/O Server.
    pub in_use: bool,
    /// What lies on it.
    pub content: Option<Content>,
    /// Changes with the document.
    pub version: u64,
}

impl LogicalUnit {
    /// What it takes of the pool: all of a thick unit; of a thin one what was written, which a clone shares with its
    /// image (`docs/protocol/storage.md`).
    #[must_use]
    pub fn allocated(&self) -> Gigabytes {
        match (self.thin, &self.cloned_from, &self.content) {
            (false, ..) => self.capacity,
            (true, None, Some(content)) => Gigabytes::holding_bytes(content.bytes),
            (true, ..) => Gigabytes::ZERO,
        }
    }
}
