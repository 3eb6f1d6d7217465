//! Requests about virtual SCSI mappings.

use uuid::Uuid;

use super::UpdatePartition;

/// See [`Command::UpdateVios`](super::Command::UpdateVios). A part whose group the URL did not name is `None`, whatever the document held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateVios {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// Changes of the base.
    pub base: Option<UpdatePartition>,
    /// `VirtualSCSIMappings`: what shall be there from now on; what is not listed goes.
    pub scsi_mappings: Option<Vec<ScsiMapping>>,
}

/// A mapping as posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScsiMapping {
    /// The last UUID in the link to the client partition.
    pub client: Option<Uuid>,
    /// `UniqueDeviceID` of the server adapter: the mapping belongs to that bus.
    pub server_udid: Option<String>,
    /// The slot of the client adapter.
    pub client_slot: SlotChoice,
    /// The slot of the server adapter.
    pub server_slot: SlotChoice,
    /// The storage, named barely or in full.
    pub storage: Option<StorageName>,
    /// What was said of the target device.
    pub target: Option<TargetName>,
}

/// How a slot is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotChoice {
    /// The lowest free one (`UseNextAvailableSlotID`, and whenever nothing was said).
    #[default]
    Next,
    /// One above the highest in use (`UseNextAvailableHighSlotID`).
    NextHigh,
    /// This one.
    Given(u16),
}

/// Storage as a mapping names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageName {
    /// `LogicalUnit`
    LogicalUnit {
        /// `UniqueDeviceID`
        udid: Option<String>,
        /// `UnitName`
        name: Option<String>,
    },
    /// `PhysicalVolume`
    PhysicalVolume {
        /// `UniqueDeviceID`
        udid: Option<String>,
        /// `VolumeName`
        name: Option<String>,
    },
    /// `VirtualDisk`
    VirtualDisk {
        /// `UniqueDeviceID`
        udid: Option<String>,
        /// `DiskName`
        name: Option<String>,
    },
    /// `VirtualOpticalMedia`
    OpticalMedium {
        /// `MediaName`
        name: String,
    },
}

/// What a posted mapping says of its target device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetName {
    /// `LogicalUnitAddress`
    pub lua: Option<String>,
    /// `TargetName`
    pub name: Option<String>,
    /// `UniqueDeviceID`
    pub udid: Option<String>,
}
