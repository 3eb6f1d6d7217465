//! Requests about volume groups, media and logical units.

use uuid::Uuid;

use crate::model::names::{LogicalUnitKind, MountType, VirtualDiskKind};
use crate::model::storage::StorageOptions;
use crate::model::units::Gigabytes;

/// See [`Command::CreateVolumeGroup`](super::Command::CreateVolumeGroup).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateVolumeGroup {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// `GroupName`
    pub name: String,
    /// `VolumeName` of each physical volume.
    pub physical_volumes: Vec<String>,
}

/// See [`Command::UpdateVolumeGroup`](super::Command::UpdateVolumeGroup). Lists are complete: what is not listed goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateVolumeGroup {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// The volume group.
    pub group: Uuid,
    /// `VirtualDisks`; none if the document had no such element.
    pub disks: Option<Vec<DiskRequest>>,
    /// `MediaRepositories`; none if the document had no such element.
    pub repositories: Option<Vec<RepositoryRequest>>,
    /// `VolumeName` of each physical volume; none if the document had no such element.
    pub physical_volumes: Option<Vec<String>>,
}

/// A `VirtualDisk` as posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskRequest {
    /// `UniqueDeviceID`: an existing disk.
    pub udid: Option<String>,
    /// `DiskName`
    pub name: String,
    /// `DiskLabel`
    pub label: Option<String>,
    /// `DiskCapacity`
    pub capacity: Gigabytes,
    /// `BaseImage`: UDID of the disk whose content is copied.
    pub base_image: Option<String>,
    /// `VirtualDiskType`
    pub kind: Option<VirtualDiskKind>,
    /// `FileFormat`
    pub file_format: Option<String>,
    /// Limits, encryption, tag; of an existing disk what is not said stays.
    pub options: StorageOptions,
}

/// A `VirtualMediaRepository` as posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryRequest {
    /// `RepositoryName`
    pub name: String,
    /// `RepositorySize`
    pub size: Gigabytes,
    /// `OpticalMedia`
    pub media: Vec<MediumRequest>,
}

/// A `VirtualOpticalMedia` as posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediumRequest {
    /// `MediaName`
    pub name: String,
    /// `MountType`
    pub mount: Option<MountType>,
    /// `Size`
    pub size: Option<Gigabytes>,
}

/// See [`Command::UpdatePool`](super::Command::UpdatePool).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePool {
    /// The pool.
    pub pool: Uuid,
    /// `StoragePoolName`
    pub name: Option<String>,
    /// `AlertThreshold` in percent.
    pub alert_threshold: Option<u8>,
    /// The logical units that there are to be, if the request names them.
    pub units: Option<PoolUnits>,
    /// `PhysicalVolumes`, the whole list; none if the document had no such element.
    pub volumes: Option<Vec<VolumeName>>,
}

/// A `PhysicalVolume` that a client names: the unique device ID decides, the name counts without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeName {
    /// `VolumeName`, as the first node of the cluster knows the disk.
    pub name: Option<String>,
    /// `UniqueDeviceID`
    pub udid: Option<String>,
}

/// Job `Create` of `Cluster`: what its parameters `clusterXml` and `sspXml` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateCluster {
    /// `ClusterName`
    pub name: String,
    /// `RepositoryDisk`
    pub repository: VolumeName,
    /// `Node`
    pub nodes: Vec<NodeRequest>,
    /// `StoragePoolName`
    pub pool: String,
    /// `PhysicalVolumes` of the pool.
    pub volumes: Vec<VolumeName>,
}

/// A `Node` as posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeRequest {
    /// The last UUID of the link `VirtualIOServer`.
    pub vios: Option<Uuid>,
    /// `HostName`
    pub host: Option<String>,
    /// `MachineTypeModelAndSerialNumber` (`8247-22L*1234567`) and `PartitionID`.
    pub partition: Option<(String, u16)>,
}

/// See [`Command::UpdateCluster`](super::Command::UpdateCluster).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateCluster {
    /// The cluster.
    pub cluster: Uuid,
    /// `Node`, the whole list; none if the document had no such element.
    pub nodes: Option<Vec<NodeRequest>>,
}

/// `LogicalUnits` of a pool: what is not kept goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolUnits {
    /// The UDIDs of those that stay.
    pub kept: Vec<String>,
    /// New ones, which go to the default tier whatever tier they name.
    pub new: Vec<CreateLogicalUnit>,
}

/// See [`Command::UpdateLogicalUnit`](super::Command::UpdateLogicalUnit).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateLogicalUnit {
    /// The tier.
    pub tier: Uuid,
    /// The unit.
    pub unit: Uuid,
    /// `UnitName`
    pub name: Option<String>,
    /// `ThinDevice`; it stays as it was made.
    pub thin: Option<bool>,
    /// `UnitCapacity`; a unit only grows.
    pub capacity: Option<Gigabytes>,
}

/// See [`Command::CreateLogicalUnit`](super::Command::CreateLogicalUnit).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateLogicalUnit {
    /// The tier.
    pub tier: Uuid,
    /// `UnitName`
    pub name: String,
    /// `UnitCapacity`
    pub capacity: Gigabytes,
    /// `ThinDevice`; thin if nothing was said.
    pub thin: Option<bool>,
    /// `LogicalUnitType`; a disk if nothing was said.
    pub kind: Option<LogicalUnitKind>,
    /// `ClonedFrom`: UDID of the image.
    pub cloned_from: Option<String>,
}
