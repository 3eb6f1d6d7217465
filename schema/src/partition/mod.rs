//! Logical partitions, and what they share with Virtual I/O Servers.

mod io;
mod memory;
mod processors;
mod states;

pub use io::{
    IoAdapter, IoSlot, PartitionIoConfiguration, PhysicalFibreChannelAdapter,
    PhysicalFibreChannelPort, ProfileIoSlot, RelatedIoAdapter, TaggedIo,
};
pub use memory::PartitionMemoryConfiguration;
pub use processors::{
    CurrentDedicatedProcessorConfiguration, CurrentSharedProcessorConfiguration,
    DedicatedProcessorConfiguration, PartitionProcessorConfiguration, SharedProcessorConfiguration,
};
pub use states::{
    BootMode, KeylockPosition, MigrationState, PartitionState, PartitionType, ProfileSync,
    RemoteRestartState, RmcState, SharingMode,
};

use crate::view::view;

view! {
    /// What logical partitions and Virtual I/O Servers have in common.
    ///
    /// `PartitionNVRAM` is there only when the group `NVRAM` was asked for.
    pub struct BasePartition = "LogicalPartition" in Uom {
        "AllowPerformanceDataCollection" value(bool)
            allow_performance_data_collection set_allow_performance_data_collection;
        "AssociatedPartitionProfile" href
            associated_partition_profile set_associated_partition_profile;
        /// 127 on a partition, 191 on a Virtual I/O Server, unless set.
        "AvailabilityPriority" value(u32) availability_priority set_availability_priority;
        "CurrentAllocatedBarrierSynchronizationRegisterArrays" opaque;
        /// `default`, `POWER8` …
        "CurrentProcessorCompatibilityMode" text
            current_processor_compatibility_mode set_current_processor_compatibility_mode;
        "CurrentProfileSync" value(ProfileSync) current_profile_sync set_current_profile_sync;
        "Hostname" text hostname set_hostname;
        "IsCallHomeEnabled" value(bool) is_call_home_enabled set_is_call_home_enabled;
        "IsBootable" @ "V1_3_0" value(bool) is_bootable set_is_bootable;
        "IsConnectionMonitoringEnabled" value(bool)
            is_connection_monitoring_enabled set_is_connection_monitoring_enabled;
        "IsOperationInProgress" value(bool) is_operation_in_progress set_is_operation_in_progress;
        "IsRedundantErrorPathReportingEnabled" value(bool)
            is_redundant_error_path_reporting_enabled
            set_is_redundant_error_path_reporting_enabled;
        "IsTimeReferencePartition" value(bool)
            is_time_reference_partition set_is_time_reference_partition;
        "IsVirtualServiceAttentionLEDOn" value(bool)
            is_virtual_service_attention_led_on set_is_virtual_service_attention_led_on;
        "IsVirtualTrustedPlatformModuleEnabled" value(bool)
            is_virtual_trusted_platform_module_enabled
            set_is_virtual_trusted_platform_module_enabled;
        "KeylockPosition" value(KeylockPosition) keylock_position set_keylock_position;
        /// Serial number of the system and the partition's number in hexadecimal.
        "LogicalSerialNumber" text logical_serial_number set_logical_serial_number;
        "OperatingSystemVersion" text operating_system_version set_operating_system_version;
        "PartitionCapabilities" child(PartitionCapabilities) capabilities capabilities_mut;
        "PartitionID" value(u32) id set_id;
        "PartitionIOConfiguration" child(PartitionIoConfiguration) io io_mut;
        "PartitionMemoryConfiguration" child(PartitionMemoryConfiguration) memory memory_mut;
        /// At most 31 characters.
        "PartitionName" text name set_name;
        "PartitionProcessorConfiguration" child(PartitionProcessorConfiguration)
            processors processors_mut;
        "PartitionProfiles" links profiles set_profiles;
        "PartitionState" value(PartitionState) state set_state;
        "PartitionType" value(PartitionType) partition_type set_partition_type;
        /// Upper case.
        "PartitionUUID" text uuid set_uuid;
        "PendingProcessorCompatibilityMode" text
            pending_processor_compatibility_mode set_pending_processor_compatibility_mode;
        "ProcessorPool" href processor_pool set_processor_pool;
        "ProgressPartitionDataRemaining" value(u64)
            progress_partition_data_remaining set_progress_partition_data_remaining;
        "ProgressPartitionDataTotal" value(u64)
            progress_partition_data_total set_progress_partition_data_total;
        "ProgressState" text progress_state set_progress_state;
        "ResourceMonitoringControlState" value(RmcState) rmc_state set_rmc_state;
        "ResourceMonitoringIPAddress" text rmc_ip_address set_rmc_ip_address;
        "ValidInteractivePerformance" opaque;
        "AssociatedManagedSystem" href associated_managed_system set_associated_managed_system;
        "LogicalPorts" opaque;
        "SRIOVEthernetLogicalPorts" links
            sriov_ethernet_logical_ports set_sriov_ethernet_logical_ports;
        "SRIOVRoCELogicalPorts" links sriov_roce_logical_ports;
        "SRIOVFibreChannelOverEthernetLogicalPorts" opaque;
        "ClientNetworkAdapters" links client_network_adapters set_client_network_adapters;
        "HostEthernetAdapterLogicalPorts" opaque;
        "HostEthernetAdapterLogicalPort" opaque;
        /// A MAC address as a decimal number, its last byte 0; generated addresses put the slot there.
        "MACAddressPrefix" value(u64) mac_address_prefix set_mac_address_prefix;
        "IsServicePartition" value(bool) is_service_partition set_is_service_partition;
        "PowerVMManagementCapable" @ "V1_5_0" value(bool)
            powervm_management_capable set_powervm_management_capable;
        "ReferenceCode" text reference_code set_reference_code;
        "ReferenceCodeFull" text reference_code_full set_reference_code_full;
        "IsManagementPartition" @ "V1_4_0" value(bool)
            is_management_partition set_is_management_partition;
        "AutoStart" value(bool) auto_start set_auto_start;
        "BootMode" value(BootMode) boot_mode set_boot_mode;
        /// Base64.
        "PartitionNVRAM" text nvram set_nvram;
        /// Seconds.
        "Uptime" @ "V1_5_0" value(u64) uptime set_uptime;
        "DisableSecureBoot" value(bool) disable_secure_boot set_disable_secure_boot;
        /// 0 off, 1 log, 2 enforce.
        "PendingSecureBoot" @ "V1_8_0" value(u8) pending_secure_boot set_pending_secure_boot;
        "CurrentSecureBoot" @ "V1_8_0" value(u8) current_secure_boot set_current_secure_boot;
        "AssociatedPersistentMemoryConfiguration" opaque;
        "AssociatedGroups" links associated_groups set_associated_groups;
        "PowerOnWithHypervisor" @ "V1_2_0" value(bool)
            power_on_with_hypervisor set_power_on_with_hypervisor;
        "AssociatedTasks" opaque;
        "Description" @ "V1_2_0" text description set_description;
        /// KB.
        "KeyStoreSize" @ "V1_13_1" value(u32) key_store_size set_key_store_size;
        "LparPlacement" value(u32) lpar_placement set_lpar_placement;
    }
}

view! {
    /// A logical partition, at `/rest/api/uom/LogicalPartition/<UUID>`.
    pub struct LogicalPartition = "LogicalPartition" in Uom extends BasePartition as (partition, partition_mut) {
        "MigrationStorageViosDataStatus" @ "V1_3_0" text
            migration_storage_vios_data_status set_migration_storage_vios_data_status;
        "MigrationStorageViosDataTimestamp" @ "V1_3_0" text
            migration_storage_vios_data_timestamp set_migration_storage_vios_data_timestamp;
        "RemoteRestartCapable" value(bool) remote_restart_capable set_remote_restart_capable;
        "SimplifiedRemoteRestartCapable" @ "V1_2_0" value(bool)
            simplified_remote_restart_capable set_simplified_remote_restart_capable;
        "HasDedicatedProcessorsForMigration" value(bool)
            has_dedicated_processors_for_migration set_has_dedicated_processors_for_migration;
        "SuspendCapable" value(bool) suspend_capable set_suspend_capable;
        "MigrationDisable" @ "V1_3_0" value(bool) migration_disable set_migration_disable;
        "MigrationState" value(MigrationState) migration_state set_migration_state;
        "RemoteRestartState" value(RemoteRestartState)
            remote_restart_state set_remote_restart_state;
        "PrimaryPagingServicePartition" href
            primary_paging_service_partition set_primary_paging_service_partition;
        "PowerManagementMode" text power_management_mode set_power_management_mode;
        "SecondaryPagingServicePartition" href
            secondary_paging_service_partition set_secondary_paging_service_partition;
        "UsesHighSpeedLinkOpticonnect" value(bool)
            uses_high_speed_link_opticonnect set_uses_high_speed_link_opticonnect;
        "UsesVirtualOpticonnect" value(bool) uses_virtual_opticonnect set_uses_virtual_opticonnect;
        "VirtualFibreChannelClientAdapters" links
            virtual_fibre_channel_client_adapters set_virtual_fibre_channel_client_adapters;
        "VirtualSerialNumber" @ "V1_13_0" text virtual_serial_number set_virtual_serial_number;
        "VirtualSCSIClientAdapters" links
            virtual_scsi_client_adapters set_virtual_scsi_client_adapters;
        "IsRestrictedIOPartition" value(bool)
            is_restricted_io_partition set_is_restricted_io_partition;
        "StorageDeviceUniqueDeviceID" text
            storage_device_unique_device_id set_storage_device_unique_device_id;
        /// `a` to `d`, or `Unknown`; IBM i only.
        "DesignatedIPLSource" text designated_ipl_source set_designated_ipl_source;
        "DedicatedVirtualNICs" @ "V1_3_0" links dedicated_virtual_nics set_dedicated_virtual_nics;
        "BootListInformation" child(BootListInformation) boot_list boot_list_mut;
        "AssociatedIBMiVirtualSoftwareTier" text
            ibmi_virtual_software_tier set_ibmi_virtual_software_tier;
        "KvmCapable" value(bool) kvm_capable set_kvm_capable;
        "KvmMemoryOverhead" text kvm_memory_overhead set_kvm_memory_overhead;
        "MinimumAffinityScore" value(u32) minimum_affinity_score set_minimum_affinity_score;
        "MinimumAffinityScoreAction" text
            minimum_affinity_score_action set_minimum_affinity_score_action;
    }
}

view! {
    /// What can be changed while the partition runs.
    pub struct PartitionCapabilities = "PartitionCapabilities" in Uom {
        "DynamicLogicalPartitionIOCapable" value(bool) dynamic_io set_dynamic_io;
        "DynamicLogicalPartitionMemoryCapable" value(bool) dynamic_memory set_dynamic_memory;
        "DynamicLogicalPartitionVIOSCapable" @ "V1_5_0" value(bool) dynamic_vios set_dynamic_vios;
        "DynamicLogicalPartitionProcessorCapable" value(bool)
            dynamic_processor set_dynamic_processor;
        "InternalAndExternalIntrusionDetectionCapable" value(bool)
            intrusion_detection set_intrusion_detection;
        "ResourceMonitoringControlOperatingSystemShutdownCapable" value(bool)
            operating_system_shutdown set_operating_system_shutdown;
    }
}

view! {
    /// Devices that the firmware boots from, as Open Firmware paths.
    pub struct BootListInformation = "BootListInformation" in Uom {
        "PendingBootString" text pending_boot_string set_pending_boot_string;
        "BootDeviceList" text boot_device_list set_boot_device_list;
        "ShadowBootDeviceList" text shadow_boot_device_list set_shadow_boot_device_list;
        "LastBootedDeviceString" text last_booted_device_string set_last_booted_device_string;
    }
}
