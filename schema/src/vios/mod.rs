//! Virtual I/O Servers and the mappings that connect storage to partitions.

mod adapters;
mod buses;
mod mappings;

pub use adapters::{AdapterType, ClientAdapter, NportLoginStatus, ServerAdapter, VirtualAdapter};
pub use buses::{
    VirtualFibreChannelClientAdapter, VirtualScsiBus, VirtualScsiClientAdapter,
    VirtualScsiStorageAndTargetDevice,
};
pub use mappings::{
    MappedStorage, Storage, TargetDevice, VirtualFibreChannelMapping, VirtualScsiMapping,
    VirtualTargetDevice,
};

use crate::network::{EthernetBackingDevice, SharedEthernetAdapter, TrunkAdapter};
use crate::partition::BasePartition;
use crate::sriov::VirtualNicBackingDeviceChoice;
use crate::storage::{PhysicalVolume, VirtualMediaRepository};
use crate::view::view;

view! {
    /// A Virtual I/O Server, at `/rest/api/uom/VirtualIOServer/<UUID>`.
    ///
    /// Mappings, storage and network are there only when their groups were asked for: `ViosSCSIMapping`,
    /// `ViosFCMapping`, `ViosStorage`, `ViosNetwork`.
    pub struct VirtualIoServer = "VirtualIOServer" in Uom extends BasePartition as (partition, partition_mut) {
        "APICapable" value(bool) api_capable set_api_capable;
        "IsVNICCapable" @ "V1_3_0" value(bool) is_vnic_capable set_is_vnic_capable;
        "VNICFailOverCapable" @ "V1_4_0" value(bool)
            vnic_failover_capable set_vnic_failover_capable;
        "ServerInstallConfiguration" opaque;
        "LinkAggregations" opaque;
        "ManagerPassthroughCapable" value(bool)
            manager_passthrough_capable set_manager_passthrough_capable;
        "MediaRepositories" list(VirtualMediaRepository in "VirtualMediaRepository")
            media_repositories push_media_repository retain_media_repositories;
        "MoverServicePartition" value(bool) mover_service_partition set_mover_service_partition;
        "NetworkBootDevices" opaque;
        "PagingServicePartition" value(bool) paging_service_partition set_paging_service_partition;
        "PhysicalVolumes" list(PhysicalVolume in "PhysicalVolume")
            physical_volumes push_physical_volume retain_physical_volumes;
        "SharedEthernetAdapters" list(SharedEthernetAdapter in "SharedEthernetAdapter")
            shared_ethernet_adapters push_shared_ethernet_adapter retain_shared_ethernet_adapters;
        "SharedStoragePoolCapable" value(bool)
            shared_storage_pool_capable set_shared_storage_pool_capable;
        "SharedStoragePoolVersion" text shared_storage_pool_version set_shared_storage_pool_version;
        /// Links to volume groups.
        "StoragePools" links storage_pools set_storage_pools;
        "TrunkAdapters" list(TrunkAdapter in "TrunkAdapter")
            trunk_adapters push_trunk_adapter retain_trunk_adapters;
        "VirtualIOServerLicense" opaque;
        "VirtualIOServerLicenseAccepted" value(bool) license_accepted set_license_accepted;
        "VirtualFibreChannelMappings" list(VirtualFibreChannelMapping in "VirtualFibreChannelMapping")
            fibre_channel_mappings push_fibre_channel_mapping retain_fibre_channel_mappings;
        "VirtualSCSIMappings" list(VirtualScsiMapping in "VirtualSCSIMapping")
            scsi_mappings push_scsi_mapping retain_scsi_mappings;
        "FreeIOAdaptersForLinkAggregation" opaque;
        "FreeEthenetBackingDevicesForSEA" list(FreeBackingDevice in "IOAdapterChoice")
            free_backing_devices push_free_backing_device retain_free_backing_devices;
        /// Only with the group `VNIC`.
        "VirtualNICBackingDevices"
            list(VirtualNicBackingDeviceChoice in "VirtualNICBackingDeviceChoice")
            virtual_nic_backing_devices push_virtual_nic_backing_device
            retain_virtual_nic_backing_devices;
        "VirtualIOServerCapabilities" opaque;
        "VirtualSCSIBus" opaque;
    }
}

view! {
    /// A port that a shared Ethernet adapter could sit on.
    pub struct FreeBackingDevice = "IOAdapterChoice" in Uom, bare, {
        "EthernetBackingDevice" child(EthernetBackingDevice) ethernet ethernet_mut;
    }
}
