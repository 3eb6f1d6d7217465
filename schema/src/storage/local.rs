//! Storage that one Virtual I/O Server owns: volume groups with disks and media.

use super::{PhysicalVolume, StorageElement};
use crate::units::Gigabytes;
use crate::view::{spelled, view};

spelled! {
    /// What a virtual disk is made of.
    pub enum VirtualDiskType {
        File = "File",
        LogicalVolume = "LogicalVolume",
        Rbd = "RBD",
    }
}

spelled! {
    /// How a file or block device is served as a disk.
    pub enum BackStoreType {
        FileIo = "fileio",
        UserQcow = "user:qcow",
        Loop = "loop",
        UserRbd = "user:rbd",
    }
}

spelled! {
    /// Format of the bytes of a disk.
    pub enum FileFormat {
        Raw = "raw",
        Qcow2 = "qcow2",
    }
}

spelled! {
    /// Whether media can be written.
    pub enum MountType {
        ReadWrite = "rw",
        ReadOnly = "ro",
    }
}

view! {
    /// A volume group, at `/rest/api/uom/VirtualIOServer/<UUID>/VolumeGroup/<UUID>`.
    ///
    /// Disks and media are made and removed by sending it back with more or fewer members.
    pub struct VolumeGroup = "VolumeGroup" in Uom {
        "AvailableSize" value(Gigabytes) available_size set_available_size;
        "BackingDeviceCount" value(u32) backing_device_count set_backing_device_count;
        "FreeSpace" value(Gigabytes) free_space set_free_space;
        "GroupCapacity" value(Gigabytes) capacity set_capacity;
        "GroupName" text name set_name;
        "GroupSerialID" text serial_id set_serial_id;
        "GroupState" text state set_state;
        "MaximumLogicalVolumes" value(u32) maximum_logical_volumes set_maximum_logical_volumes;
        "MediaRepositories" list(VirtualMediaRepository in "VirtualMediaRepository")
            media_repositories push_media_repository retain_media_repositories;
        "MinimumAllocationSize" value(Gigabytes)
            minimum_allocation_size set_minimum_allocation_size;
        /// Gigabytes.
        "PartitionSize" value(Gigabytes) partition_size set_partition_size;
        "PhysicalVolumes" list(PhysicalVolume in "PhysicalVolume")
            physical_volumes push_physical_volume retain_physical_volumes;
        /// `04` and the serial.
        "UniqueDeviceID" text udid set_udid;
        "VirtualDisks" list(VirtualDisk in "VirtualDisk")
            virtual_disks push_virtual_disk retain_virtual_disks;
    }
}

view! {
    /// A logical volume, file or block device that serves as a disk.
    pub struct VirtualDisk = "VirtualDisk" in Uom extends StorageElement as (storage, storage_mut) {
        "DiskCapacity" value(Gigabytes) capacity set_capacity;
        "DiskLabel" text label set_label;
        /// At most 15 characters for a logical volume; a path for a file.
        "DiskName" text name set_name;
        "MaxLogicalVolumes" value(u32) max_logical_volumes set_max_logical_volumes;
        "PartitionSize" value(Gigabytes) partition_size set_partition_size;
        "VolumeGroup" href volume_group set_volume_group;
        /// UDID of the disk whose bytes a new one starts with.
        "BaseImage" text base_image set_base_image;
        /// `03`, the serial of the volume group, a dot and a number.
        "UniqueDeviceID" text udid set_udid;
        "VirtualDiskType" @ "V1_5_0" value(VirtualDiskType) disk_type set_disk_type;
        "BackStoreType" @ "V1_5_0" value(BackStoreType) back_store_type set_back_store_type;
        "FileFormat" @ "V1_5_0" value(FileFormat) file_format set_file_format;
        "RbdUser" text rbd_user set_rbd_user;
        "OptionalParameters" text optional_parameters set_optional_parameters;
    }
}

view! {
    /// Where the optical media of a Virtual I/O Server are kept.
    pub struct VirtualMediaRepository = "VirtualMediaRepository" in Uom {
        "OpticalMedia" list(VirtualOpticalMedia in "VirtualOpticalMedia")
            optical_media push_optical_media retain_optical_media;
        "RepositoryName" text name set_name;
        "RepositorySize" value(Gigabytes) size set_size;
    }
}

view! {
    /// An image of an optical disk.
    pub struct VirtualOpticalMedia = "VirtualOpticalMedia" in Uom extends StorageElement as (storage, storage_mut) {
        /// At most 37 characters.
        "MediaName" text name set_name;
        /// `0e` and the name.
        "MediaUDID" text udid set_udid;
        "MountType" value(MountType) mount_type set_mount_type;
        "Size" value(Gigabytes) size set_size;
    }
}
