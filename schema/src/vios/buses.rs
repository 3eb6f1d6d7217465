//! Storage adapters that are resources of their own.

use super::{ClientAdapter, ServerAdapter, Storage, TargetDevice};
use crate::view::view;

view! {
    /// A partition's virtual fibre channel adapter, at
    /// `/rest/api/uom/LogicalPartition/<UUID>/VirtualFibreChannelClientAdapter/<UUID>`.
    pub struct VirtualFibreChannelClientAdapter = "VirtualFibreChannelClientAdapter" in Uom
        extends ClientAdapter as (client, client_mut) {}
}

view! {
    /// A partition's virtual SCSI adapter, at
    /// `/rest/api/uom/LogicalPartition/<UUID>/VirtualSCSIClientAdapter/<UUID>`.
    pub struct VirtualScsiClientAdapter = "VirtualSCSIClientAdapter" in Uom
        extends ClientAdapter as (client, client_mut) {}
}

view! {
    /// A virtual SCSI bus with all its devices, at
    /// `/rest/api/uom/VirtualIOServer/<UUID>/VirtualSCSIBus/<UUID>`; a NovaLink's.
    pub struct VirtualScsiBus = "VirtualSCSIBus" in Uom {
        "AssociatedLogicalPartition" @ "V1_4_0" href partition_href set_partition_href;
        "ClientAdapter" @ "V1_4_0" child(ClientAdapter) client_adapter client_adapter_mut;
        "ServerAdapter" @ "V1_4_0" child(ServerAdapter) server_adapter server_adapter_mut;
        "AssociatedMappings" @ "V1_4_0"
            list(VirtualScsiStorageAndTargetDevice in "VirtualSCSIStorageAndTargetDevice")
            mappings push_mapping retain_mappings;
    }
}

view! {
    /// A device of a bus.
    pub struct VirtualScsiStorageAndTargetDevice = "VirtualSCSIStorageAndTargetDevice" in Uom {
        "Storage" @ "V1_4_0" child(Storage) storage storage_mut;
        "TargetDevice" @ "V1_4_0" child(TargetDevice) target_device target_device_mut;
    }
}
