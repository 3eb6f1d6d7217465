//! Storage elements that stand in volume groups, pools and mappings alike.
//!
//! A client removes a medium by comparing the element of a mapping with that of the volume group, so each kind is
//! written by one function.

use super::writer::{COD, COR, CUD, CUR, ROR, Writer};
use crate::model::names::VirtualDiskKind;
use crate::model::pool::LogicalUnit;
use crate::model::storage::{OpticalMedium, StorageOptions, VirtualDisk};
use crate::model::vios::ExternalDisk;

/// `VirtualDisk`. Inside a volume group it links the group, inside a mapping it does not (recordings
/// `fake_volume_group2`, `fake_vios_feed`). Only those that are no logical volumes name their kind.
pub(crate) fn virtual_disk(w: &mut Writer, disk: &VirtualDisk, group: Option<&str>) {
    w.member("VirtualDisk", |w| {
        options(w, &disk.options);
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

/// Limits, encryption and tag, which stand first in every kind of disk (recordings `fake_volume_group`,
/// `fake_vios_ssp_npiv`). What nobody said is not written. No recording has a tag, as its clients gave none.
pub(crate) fn options(w: &mut Writer, options: &StorageOptions) {
    let since = CUD.since("V1_7_0");
    if let Some(limit) = options.read_iops {
        w.value("ReadIOPS", since, limit);
    }
    if let Some(limit) = options.write_iops {
        w.value("WriteIOPS", since, limit);
    }
    if let Some(state) = options.encryption_state {
        w.value("EncryptionState", since, state);
    }
    if let Some(luks) = &options.encryption {
        w.choice("EncryptionAgent", since, |w| {
            w.member("LUKSEncryptor", |w| {
                w.optional("Cipher", since, luks.cipher.as_deref());
                if let Some(size) = luks.key_size {
                    w.value("KeySize", since, size);
                }
                w.optional("Hash", since, luks.hash.as_deref());
            });
        });
    }
    w.optional("Tag", CUD.since("V1_9_0"), options.tag.as_deref());
}

/// A `VirtualDisk` that is a file or a Ceph image (recording `fake_vios_hosting_vios_feed`). What a client said of it when
/// it was mapped is repeated: `Tag`, `BackStoreType`, `RbdUser`, which no recording has.
pub(crate) fn external_disk(w: &mut Writer, disk: &ExternalDisk) {
    w.member("VirtualDisk", |w| {
        w.optional("Tag", CUD.since("V1_9_0"), disk.tag.as_deref());
        w.value("DiskCapacity", CUR, disk.capacity);
        w.text("DiskLabel", CUR, &disk.name);
        w.text("DiskName", CUR, &disk.name);
        w.text("UniqueDeviceID", ROR, &disk.udid);
        w.value("VirtualDiskType", CUD.since("V1_5_0"), disk.kind);
        if let Some(back_store) = disk.back_store {
            w.value("BackStoreType", CUD.since("V1_5_0"), back_store);
        }
        w.optional("RbdUser", CUD.since("V1_9_0"), disk.rbd_user.as_deref());
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
    // Recorded of the unit itself (`lufeed`); its pool lists the same element.
    w.optional("ClonedFrom", COD, unit.cloned_from.as_deref());
    // Recorded of the unit (`lufeed`) and, in the cassette `refresher.yml`, of the unit in a mapping.
    w.value("InUse", ROR, unit.in_use);
    w.text("UnitName", CUR, &unit.name);
}
