//! Mappings: which storage of a Virtual I/O Server which partition sees.

use super::{ClientAdapter, ServerAdapter};
use crate::partition::PhysicalFibreChannelPort;
use crate::storage::{LogicalUnit, PhysicalVolume, VirtualDisk, VirtualOpticalMedia};
use crate::view::view;
use crate::xml::Element;

view! {
    /// One device that a partition sees on a virtual SCSI bus.
    ///
    /// Without a client adapter the mapping is an orphan; without storage it is a bus alone.
    pub struct VirtualScsiMapping = "VirtualSCSIMapping" in Uom {
        /// Ends with the partition's UUID in upper case.
        "AssociatedLogicalPartition" href partition_href set_partition_href;
        "ClientAdapter" child(ClientAdapter) client_adapter client_adapter_mut;
        "ServerAdapter" child(ServerAdapter) server_adapter server_adapter_mut;
        "Storage" child(Storage) storage storage_mut;
        "TargetDevice" child(TargetDevice) target_device target_device_mut;
    }
}

view! {
    /// A partition's access to a fibre channel fabric.
    pub struct VirtualFibreChannelMapping = "VirtualFibreChannelMapping" in Uom {
        "AssociatedLogicalPartition" href partition_href set_partition_href;
        "ClientAdapter" child(ClientAdapter) client_adapter client_adapter_mut;
        "Port" child(PhysicalFibreChannelPort) port port_mut;
        "ServerAdapter" child(ServerAdapter) server_adapter server_adapter_mut;
        "Storage" opaque;
    }
}

view! {
    /// What is mapped: exactly one of its children.
    pub struct Storage = "Storage" in Uom, bare, {
        "LogicalUnit" child(LogicalUnit) logical_unit logical_unit_mut;
        "PhysicalVolume" child(PhysicalVolume) physical_volume physical_volume_mut;
        "VirtualDisk" child(VirtualDisk) virtual_disk virtual_disk_mut;
        "VirtualOpticalMedia" child(VirtualOpticalMedia) optical_media optical_media_mut;
    }
}

/// What is mapped, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappedStorage<'e> {
    /// A disk in a shared storage pool.
    LogicalUnit(LogicalUnit<&'e Element>),
    /// A whole disk of the server.
    PhysicalVolume(PhysicalVolume<&'e Element>),
    /// A logical volume or file.
    VirtualDisk(VirtualDisk<&'e Element>),
    /// An image in the media repository.
    OpticalMedia(VirtualOpticalMedia<&'e Element>),
}

impl<'e> Storage<&'e Element> {
    /// What is mapped; `None` when the element is empty or holds something unknown.
    pub fn mapped(&self) -> Option<MappedStorage<'e>> {
        self.0
            .children()
            .find_map(|child| match child.local_name() {
                "LogicalUnit" => Some(MappedStorage::LogicalUnit(LogicalUnit(child))),
                "PhysicalVolume" => Some(MappedStorage::PhysicalVolume(PhysicalVolume(child))),
                "VirtualDisk" => Some(MappedStorage::VirtualDisk(VirtualDisk(child))),
                "VirtualOpticalMedia" => {
                    Some(MappedStorage::OpticalMedia(VirtualOpticalMedia(child)))
                }
                _ => None,
            })
    }
}

impl<'e> MappedStorage<'e> {
    /// The name that the server knows the storage by.
    pub fn name(&self) -> Option<&'e str> {
        match self {
            Self::LogicalUnit(unit) => unit.name(),
            Self::PhysicalVolume(volume) => volume.name(),
            Self::VirtualDisk(disk) => disk.name(),
            Self::OpticalMedia(media) => media.name(),
        }
    }

    /// The unique device identifier; absent in what clients send for new mappings.
    pub fn udid(&self) -> Option<&'e str> {
        match self {
            Self::LogicalUnit(unit) => unit.udid(),
            Self::PhysicalVolume(volume) => volume.udid(),
            Self::VirtualDisk(disk) => disk.udid(),
            Self::OpticalMedia(media) => media.udid(),
        }
    }
}

view! {
    /// How the device looks on the bus: exactly one of its children.
    pub struct TargetDevice = "TargetDevice" in Uom, bare, {
        "LogicalVolumeVirtualTargetDevice" child(VirtualTargetDevice)
            logical_volume logical_volume_mut;
        "VirtualOpticalTargetDevice" child(VirtualTargetDevice) optical optical_mut;
        "PhysicalVolumeVirtualTargetDevice" child(VirtualTargetDevice)
            physical_volume physical_volume_mut;
        "SharedStoragePoolLogicalUnitVirtualTargetDevice" child(VirtualTargetDevice)
            logical_unit logical_unit_mut;
    }
}

impl<'e> TargetDevice<&'e Element> {
    /// The device, of whichever kind it is.
    pub fn device(&self) -> Option<VirtualTargetDevice<&'e Element>> {
        self.0
            .children()
            .find(|child| child.local_name().ends_with("TargetDevice"))
            .map(VirtualTargetDevice)
    }
}

view! {
    /// A device on the bus.
    pub struct VirtualTargetDevice = "VirtualTargetDevice" in Uom {
        /// `0x8100000000000000`, or `lun1` on a Linux server.
        "LogicalUnitAddress" text lua set_lua;
        /// `vtscsi0`, `vtopt0` …
        "TargetName" text name set_name;
        /// Starts with `08` (volume), `09` (disk), `0a` (logical unit) or `19` (optical).
        "UniqueDeviceID" text udid set_udid;
    }
}
