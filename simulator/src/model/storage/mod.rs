//! Disks of a Virtual I/O Server: physical volumes, volume groups, virtual disks and optical media.

pub mod media;
mod options;
pub mod volume_group;

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::names::{MountType, ReservePolicy, VirtualDiskKind, VolumeState};
use super::units::Gigabytes;
pub use options::{LuksEncryptor, StorageOptions};

/// What lies on a disk: not the bytes, but how many there are and their digest.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// The number of bytes written.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

impl Content {
    /// The digest in lower-case hexadecimal digits.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        self.sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// `PhysicalVolume`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct PhysicalVolume {
    /// `VolumeName`, such as `hdisk1`; unique on its Virtual I/O Server.
    pub name: String,
    /// `UniqueDeviceID`, prefix `01`; the same on every Virtual I/O Server that sees the disk.
    pub udid: String,
    /// `VolumeUniqueID`
    pub unique_id: String,
    /// `VolumeCapacity` in megabytes.
    pub megabytes: u64,
    /// `Description`
    pub description: String,
    /// `LocationCode`
    pub location: String,
    /// `VolumeState`
    pub state: VolumeState,
    /// `ReservePolicy`
    pub reserve_policy: ReservePolicy,
    /// How it is attached.
    pub transport: Transport,
    /// What its storage calls it: `StorageLabel`; none for disks without a label.
    pub label: Option<String>,
    /// Limits, encryption, and the tag that its last mapping brought.
    pub options: StorageOptions,
    /// The NAA name in hexadecimal digits; `DescriptorPage83` is the base64 of it.
    pub naa: Option<String>,
    /// What the Virtual I/O Server itself uses it for. A mapping to a client shows in the mappings alone.
    pub usage: VolumeUsage,
    /// What lies on it, as far as known.
    pub content: Option<Content>,
}

/// How a physical volume is attached to its Virtual I/O Server.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In the enclosure itself.
    Local,
    /// Over Fibre Channel, first found at this target under this number.
    FibreChannel {
        /// The port of the storage.
        target: u64,
        /// The number of the logical unit.
        lun: u32,
    },
    /// Over iSCSI.
    Iscsi {
        /// The name of the target.
        iqn: String,
        /// The number of the logical unit.
        lun: u32,
    },
}

impl PhysicalVolume {
    /// `IsFibreChannelBacked`
    #[must_use]
    pub const fn is_fibre_channel(&self) -> bool {
        matches!(self.transport, Transport::FibreChannel { .. })
    }
}

/// Who has a physical volume on its Virtual I/O Server.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeUsage {
    /// Nobody; it may be mapped to a client.
    Unused,
    /// This volume group.
    VolumeGroup(Uuid),
    /// This shared storage pool.
    Pool(Uuid),
    /// The repository of this cluster.
    Repository(Uuid),
    /// A shared memory pool pages to it.
    Paging,
}

/// `VolumeGroup`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VolumeGroup {
    /// Its UUID.
    pub uuid: Uuid,
    /// `GroupName`
    pub name: String,
    /// `GroupSerialID`: 32 hexadecimal digits.
    pub serial: String,
    /// `GroupCapacity`
    pub capacity: Gigabytes,
    /// What the system itself takes of it, such as the Virtual I/O Server's own file systems on `rootvg`.
    pub reserved: Gigabytes,
    /// `PartitionSize` in megabytes: capacities are multiples of it.
    pub partition_size: u64,
    /// `MaximumLogicalVolumes`
    pub maximum_volumes: u32,
    /// The names of its physical volumes.
    pub physical_volumes: Vec<String>,
    /// Its virtual disks by the number in their UDIDs.
    pub disks: OrdMap<u32, Arc<VirtualDisk>>,
    /// The number of the next virtual disk.
    pub next_disk: u32,
    /// Its media repository; at most one on a Virtual I/O Server.
    pub repository: Option<MediaRepository>,
    /// Changes with the document.
    pub version: u64,
}

impl VolumeGroup {
    /// `UniqueDeviceID`: `04` and the serial.
    #[must_use]
    pub fn udid(&self) -> String {
        format!("04{}", self.serial)
    }

    /// `FreeSpace` and `AvailableSize`: what disks, repository and the system leave.
    #[must_use]
    pub fn free(&self) -> Gigabytes {
        self.capacity.minus(self.allocated())
    }

    /// What disks, repository and the system take.
    #[must_use]
    pub fn allocated(&self) -> Gigabytes {
        let disks: Gigabytes = self.disks.values().map(|disk| disk.capacity).sum();
        let repository = self
            .repository
            .as_ref()
            .map_or(Gigabytes::ZERO, |repository| repository.size);
        self.reserved.plus(disks).plus(repository)
    }

    /// The disk with this UDID.
    #[must_use]
    pub fn disk(&self, udid: &str) -> Option<&Arc<VirtualDisk>> {
        // The number after the last dot leads to it; disks of imported inventories may have others.
        let number = udid
            .rsplit_once('.')
            .and_then(|(_, number)| number.parse().ok());
        let by_number = number.and_then(|number: u32| self.disks.get(&number));
        by_number
            .filter(|disk| disk.udid == udid)
            .or_else(|| self.disks.values().find(|disk| disk.udid == udid))
    }
}

/// `VirtualDisk`: a logical volume.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VirtualDisk {
    /// `UniqueDeviceID`: `03`, the serial of the group, a dot and a number.
    pub udid: String,
    /// `DiskName`
    pub name: String,
    /// `DiskLabel`, usually `None`.
    pub label: String,
    /// `DiskCapacity`
    pub capacity: Gigabytes,
    /// `VirtualDiskType`
    pub kind: VirtualDiskKind,
    /// `FileFormat`, as sent.
    pub file_format: Option<String>,
    /// Limits, encryption, tag.
    pub options: StorageOptions,
    /// What lies on it.
    pub content: Option<Content>,
}

/// `VirtualMediaRepository`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct MediaRepository {
    /// `RepositoryName`
    pub name: String,
    /// `RepositorySize`
    pub size: Gigabytes,
    /// Its media by name.
    pub media: OrdMap<String, Arc<OpticalMedium>>,
}

impl MediaRepository {
    /// What its media leave.
    #[must_use]
    pub fn free(&self) -> Gigabytes {
        self.size
            .minus(self.media.values().map(|medium| medium.size).sum())
    }
}

/// `VirtualOpticalMedia`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct OpticalMedium {
    /// `MediaName`
    pub name: String,
    /// `MountType`
    pub mount: MountType,
    /// `Size`
    pub size: Gigabytes,
    /// What lies on it.
    pub content: Option<Content>,
}

impl OpticalMedium {
    /// `MediaUDID`: `0e` and the name.
    #[must_use]
    pub fn udid(&self) -> String {
        format!("0e{}", self.name)
    }
}
