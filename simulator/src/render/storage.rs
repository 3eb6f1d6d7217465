//! Storage elements that stand in volume groups, pools and mappings alike.
//!
//! A client removes a medium by comparing the element of a mapping with that of the volume group, so each kind is
//! written by one function.

use super::writer::{COD, COR, CUD, CUR, ROR, Writer};
use crate::model::names::VirtualDiskKind;
use crate::model::pool::LogicalUnit;
use crate::model::storage::{OpticalMedium, VirtualDisk};

/// `VirtualDisk`. Inside a volume group it links the group, inside a mapping it does not (recordings
/// `fake_volume_group2`, `fake_vios_feed`). Only those that are no logical volumes name their kind.
pub(crate) fn virtual_disk(w: &mut Writer, disk: &VirtualDisk, group: Option<&str>) {
    w.member("VirtualDisk", |w| {
        w.value("DiskCapacity", CUR, disk.capacity);
        w.text("DiskLabel", CUR, &disk.label);
        w.text("DiskName", CUR, &disk.name);
        if let Some(group) = group {
            w.reference("VolumeGroup", ROR, group);
        }
        w.text("UniqueDeviceID", ROR, &disk.udid);
        if disk.kind != VirtualDiskKind::LogicalVolume {
            w.value("VirtualDiskType", CUD.since("V1_5_0"), disk.kind);
        }
    });
}

/// `VirtualOpticalMedia`
pub(crate) fn optical_medium(w: &mut Writer, medium: &OpticalMedium) {
    w.member("VirtualOpticalMedia", |w| {
        w.text("MediaName", CUR, &medium.name);
        w.text("MediaUDID", ROR, &medium.udid());
        w.value("MountType", CUD, medium.mount);
        w.value("Size", CUR, medium.size);
    });
}

/// The properties of a `LogicalUnit`, whatever is around them.
pub(crate) fn logical_unit_properties(w: &mut Writer, unit: &LogicalUnit) {
    w.value("ThinDevice", CUR, unit.thin);
    w.text("UniqueDeviceID", ROR, &unit.udid);
    w.value("UnitCapacity", COR, unit.capacity);
    w.value("LogicalUnitType", COD, unit.kind);
    w.optional("ClonedFrom", COD, unit.cloned_from.as_deref());
    w.value("InUse", ROR, unit.in_use);
    w.text("UnitName", CUR, &unit.name);
}
