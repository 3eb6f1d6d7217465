//! Storage that several Virtual I/O Servers share: clusters, pools, tiers, logical units.

use super::{PhysicalVolume, StorageElement};
use crate::system::MachineTypeModelAndSerialNumber;
use crate::units::{Gigabytes, Percent};
use crate::view::{spelled, view};

spelled! {
    /// What a logical unit is for.
    pub enum LogicalUnitType {
        Disk = "VirtualIO_Disk",
        /// A source of clones.
        Image = "VirtualIO_Image",
        Hibernation = "VirtualIO_Hibernation",
        ActiveMemorySharing = "VirtualIO_Active_Memory_Sharing",
    }
}

spelled! {
    /// Whether a member of a cluster answers.
    pub enum NodeState {
        Up = "Up",
        Down = "Down",
        Unknown = "Unknown",
    }
}

spelled! {
    /// What a tier may hold.
    pub enum TierType {
        RestrictedSystem = "RestrictedSystemTier",
        UnrestrictedSystem = "UnrestrictedSystemTier",
        User = "UserTier",
        Unknown = "Unknown",
    }
}

view! {
    /// A cluster of Virtual I/O Servers, at `/rest/api/uom/Cluster/<UUID>`.
    pub struct Cluster = "Cluster" in Uom {
        "ClusterName" text name set_name;
        /// `22` and 32 hexadecimal digits.
        "ClusterID" text id set_id;
        "RepositoryDisk" list(PhysicalVolume in "PhysicalVolume")
            repository_disks push_repository_disk retain_repository_disks;
        "ClusterSharedStoragePool" href shared_storage_pool set_shared_storage_pool;
        "Node" list(Node in "Node") nodes push_node retain_nodes;
        "ClusterCapabilities" opaque;
    }
}

view! {
    /// A member of a cluster.
    pub struct Node = "Node" in Uom {
        "HostName" text host_name set_host_name;
        "PartitionID" value(u32) partition_id set_partition_id;
        "PartitionName" text partition_name set_partition_name;
        "MachineTypeModelAndSerialNumber" child(MachineTypeModelAndSerialNumber)
            machine machine_mut;
        "VirtualIOServerLevel" text virtual_io_server_level set_virtual_io_server_level;
        /// Runs through the server's managed system.
        "VirtualIOServer" href virtual_io_server set_virtual_io_server;
        "IPAddress" text ip_address set_ip_address;
        "State" value(NodeState) state set_state;
    }
}

view! {
    /// A shared storage pool, at `/rest/api/uom/SharedStoragePool/<UUID>`.
    pub struct SharedStoragePool = "SharedStoragePool" in Uom {
        "LogicalUnits" list(LogicalUnit in "LogicalUnit")
            logical_units push_logical_unit retain_logical_units;
        "MultiDataTierConfigured" value(bool)
            multi_data_tier_configured set_multi_data_tier_configured;
        "MultiFailureGroupConfigured" value(bool)
            multi_failure_group_configured set_multi_failure_group_configured;
        "PhysicalVolumes" list(PhysicalVolume in "PhysicalVolume")
            physical_volumes push_physical_volume retain_physical_volumes;
        "Capacity" value(Gigabytes) capacity set_capacity;
        "FreeSpace" value(Gigabytes) free_space set_free_space;
        "OverCommitSpace" value(Gigabytes) over_commit_space set_over_commit_space;
        "TotalLogicalUnitSize" value(Gigabytes) total_logical_unit_size set_total_logical_unit_size;
        "AlertThreshold" value(Percent) alert_threshold set_alert_threshold;
        "StoragePoolName" text name set_name;
        /// `24` and 32 hexadecimal digits.
        "UniqueDeviceID" text udid set_udid;
        "AssociatedTiers" @ "V1_3_0" links tiers set_tiers;
        "AssociatedCluster" @ "V1_3_0" href cluster set_cluster;
    }
}

view! {
    /// A class of storage within a pool, at `/rest/api/uom/Tier/<UUID>`.
    pub struct Tier = "Tier" in Uom {
        "Name" text name set_name;
        /// `25` and 48 hexadecimal digits.
        "UniqueDeviceID" text udid set_udid;
        "Type" value(TierType) tier_type set_tier_type;
        /// Whether new logical units go here unless told otherwise.
        "IsDefault" value(bool) is_default set_is_default;
        "Capacity" value(Gigabytes) capacity set_capacity;
        "MirrorState" text mirror_state set_mirror_state;
        "FailureGroups" list(FailureGroup in "FailureGroup")
            failure_groups push_failure_group retain_failure_groups;
        "AssociatedSharedStoragePool" href shared_storage_pool set_shared_storage_pool;
    }
}

view! {
    /// Disks of a tier that fail together.
    pub struct FailureGroup = "FailureGroup" in Uom {
        "Name" text name set_name;
        /// `26` and 48 hexadecimal digits.
        "UniqueDeviceID" text udid set_udid;
        "Capacity" value(Gigabytes) capacity set_capacity;
        "State" text state set_state;
        "PhysicalVolumes" list(PhysicalVolume in "PhysicalVolume")
            physical_volumes push_physical_volume retain_physical_volumes;
    }
}

view! {
    /// A disk or image in a tier, at `/rest/api/uom/Tier/<UUID>/LogicalUnit/<UUID>`.
    pub struct LogicalUnit = "LogicalUnit" in Uom extends StorageElement as (storage, storage_mut) {
        "ThinDevice" value(bool) thin set_thin;
        /// `27` (disk) or `29` (image) and hexadecimal digits.
        "UniqueDeviceID" text udid set_udid;
        "UnitCapacity" value(Gigabytes) capacity set_capacity;
        "LogicalUnitType" value(LogicalUnitType) unit_type set_unit_type;
        /// UDID of the image that a clone shares its blocks with.
        "ClonedFrom" text cloned_from set_cloned_from;
        /// Whether it is mapped.
        "InUse" value(bool) in_use set_in_use;
        /// At most 79 characters.
        "UnitName" text name set_name;
        "LogicalUnitMigration" opaque;
    }
}
