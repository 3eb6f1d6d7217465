//! Storage: volume groups, virtual disks and optical media, physical volumes, shared storage pools.

mod local;
mod pool;
mod volume;

pub use local::{
    BackStoreType, FileFormat, MountType, VirtualDisk, VirtualDiskType, VirtualMediaRepository,
    VirtualOpticalMedia, VolumeGroup,
};
pub use pool::{
    Cluster, FailureGroup, LogicalUnit, LogicalUnitType, Node, NodeState, SharedStoragePool, Tier,
    TierType,
};
pub use volume::{PhysicalVolume, PhysicalVolumeState, ReservePolicy};

use crate::view::view;

view! {
    /// What everything that can be mapped to a partition has in common.
    pub struct StorageElement = "Storage" in Uom {
        "ReadIOPS" @ "V1_7_0" value(u32) read_iops set_read_iops;
        "WriteIOPS" @ "V1_7_0" value(u32) write_iops set_write_iops;
        "EncryptionState" @ "V1_7_0" text encryption_state set_encryption_state;
        "EncryptionKey" opaque;
        "EncryptionAgent" opaque;
        "Tag" @ "V1_9_0" text tag set_tag;
        "EmulateModel" value(bool) emulate_model set_emulate_model;
    }
}
