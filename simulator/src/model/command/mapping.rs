//! Requests about virtual SCSI mappings.

use uuid::Uuid;

use super::UpdatePartition;
use crate::model::names::{BackStoreType, VirtualDiskKind};

/// See [`Command::UpdateVios`](super::Command::UpdateVios). A part whose group the URL did not name is `None`, whatever the document held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateVios {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// Changes of the base.
    pub base: Option<UpdatePartition>,
    /// `VirtualSCSIMappings`: what shall be there from now on; what is not listed goes.
    pub scsi_mappings: Option<Vec<ScsiMapping>>,
    /// `VirtualFibreChannelMappings`: what shall be there from now on; what is not listed goes.
    pub fc_mappings: Option<Vec<FcMappingRequest>>,
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
    /// `Tag` of the storage.
    pub tag: Option<String>,
}

/// A virtual Fibre Channel mapping as posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FcMappingRequest {
    /// The last UUID in the link to the client partition.
    pub client: Option<Uuid>,
    /// `UniqueDeviceID` of the server adapter: an existing mapping.
    pub server_udid: Option<String>,
    /// The slot of the client adapter.
    pub client_slot: SlotChoice,
    /// The slot of the server adapter.
    pub server_slot: SlotChoice,
    /// `WWPNs` of the client adapter.
    pub wwpns: WwpnChoice,
    /// `PortName` of the physical port, or `MapPort`.
    pub port: Option<String>,
}

/// Which port names a client adapter gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WwpnChoice {
    /// The next pair of the system's pool.
    #[default]
    Next,
    /// These two.
    Given([u64; 2]),
}

/// See [`Command::CreateScsiBus`](super::Command::CreateScsiBus).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateScsiBus {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// The last UUID in the link to the client partition.
    pub client: Uuid,
    /// The slot of the client adapter.
    pub client_slot: SlotChoice,
    /// The slot of the server adapter.
    pub server_slot: SlotChoice,
    /// `AssociatedMappings`: storage and target of each device.
    pub devices: Vec<ScsiMapping>,
}

/// See [`Command::UpdateScsiBus`](super::Command::UpdateScsiBus).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateScsiBus {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// The UUID of the bus.
    pub bus: Uuid,
    /// `AssociatedMappings`: all devices that the bus shall have.
    pub devices: Vec<ScsiMapping>,
}

/// A `VirtualDisk` of type `File` or `RBD` as a mapping names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalName {
    /// `DiskName`: a path, or `pool/image`.
    pub name: String,
    /// `VirtualDiskType`
    pub kind: VirtualDiskKind,
    /// `BackStoreType`
    pub back_store: Option<BackStoreType>,
    /// `RbdUser`
    pub rbd_user: Option<String>,
    /// `Tag`
    pub tag: Option<String>,
}

/// How a slot is chosen.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// `VirtualDisk` of type `File` or `RBD`
    External(ExternalName),
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
