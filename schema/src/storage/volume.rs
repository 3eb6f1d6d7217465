//! Physical volumes.

use super::StorageElement;
use crate::view::{spelled, view};

spelled! {
    /// Whether the disk is there.
    pub enum PhysicalVolumeState {
        Active = "active",
        Missing = "missing",
        Removed = "removed",
        VariedOff = "varied off",
    }
}

spelled! {
    /// Who may write to the disk.
    pub enum ReservePolicy {
        ClusterReserve = "ClusterReserve",
        ExclusivePersistent = "ExclusivePersistent",
        NoReserve = "NoReserve",
        Scsi2 = "SCSI-2",
        SharedPersistent = "SharedPersistent",
        SinglePath = "SinglePath",
    }
}

view! {
    /// A disk of a Virtual I/O Server.
    pub struct PhysicalVolume = "PhysicalVolume" in Uom extends StorageElement as (storage, storage_mut) {
        "AvailablePhysicalPartitions" value(u64) available_physical_partitions;
        "Description" text description set_description;
        "LocationCode" text location_code set_location_code;
        "PersistentReserveKeyValue" text
            persistent_reserve_key_value set_persistent_reserve_key_value;
        "ReservePolicy" value(ReservePolicy) reserve_policy set_reserve_policy;
        "ReservePolicyAlgorithm" text reserve_policy_algorithm set_reserve_policy_algorithm;
        "TotalPhysicalPartitions" value(u64) total_physical_partitions;
        /// `01` and base64.
        "UniqueDeviceID" text udid set_udid;
        /// Whether nothing uses it.
        "AvailableForUsage" value(bool) available_for_usage set_available_for_usage;
        /// How older servers spell `AvailableForUsage`.
        "Usage" value(bool) usage;
        /// MB.
        "VolumeCapacity" value(u64) capacity set_capacity;
        /// `hdisk0` …
        "VolumeName" text name set_name;
        "VolumeState" value(PhysicalVolumeState) state set_state;
        "VolumeUniqueID" text volume_unique_id set_volume_unique_id;
        "IsFibreChannelBacked" value(bool) is_fibre_channel_backed set_is_fibre_channel_backed;
        /// Base64.
        "StorageLabel" @ "V1_3_0" text storage_label set_storage_label;
        /// Base64 of the hexadecimal NAA identifier.
        "DescriptorPage83" @ "V1_5_0" text descriptor_page83 set_descriptor_page83;
    }
}
