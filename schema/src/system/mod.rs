//! Managed systems and the console that manages them.

mod capabilities;
mod console;
mod resources;

pub use capabilities::SystemCapabilities;
pub use console::{ManagementConsole, ManagementConsoleNetworkInterface, VersionInfo};
pub use resources::{
    SystemIoConfiguration, SystemMemoryConfiguration, SystemProcessorConfiguration,
    SystemVirtualNetwork,
};

use crate::view::{spelled, view};

spelled! {
    /// What a system is doing.
    pub enum SystemState {
        Error = "error",
        ErrorDumpInProgress = "error - dump in progress",
        ErrorTerminated = "error - terminated",
        FailedAuthentication = "failed authentication",
        Incomplete = "incomplete",
        Initializing = "initializing",
        NoConnection = "no connection",
        OnDemandRecovery = "on demand recovery",
        Operating = "operating",
        PendingAuthentication = "pending authentication - password updates required",
        PowerOff = "power off",
        PowerOffInProgress = "power off in progress",
        Recovery = "recovery",
        Standby = "standby",
        VersionMismatch = "version mismatch",
        ServiceProcessorFailover = "service processor failover",
        Unknown = "unknown",
    }
}

view! {
    /// What identifies a machine.
    pub struct MachineTypeModelAndSerialNumber = "MachineTypeModelAndSerialNumber" in Uom {
        "MachineType" text machine_type set_machine_type;
        "Model" text model set_model;
        "SerialNumber" text serial_number set_serial_number;
    }
}

view! {
    /// A POWER system, at `/rest/api/uom/ManagedSystem/<UUID>`.
    pub struct ManagedSystem = "ManagedSystem" in Uom {
        "AssociatedIPLConfiguration" opaque;
        "ActivatedLevel" text activated_level set_activated_level;
        "AssociatedLogicalPartitions" links logical_partitions set_logical_partitions;
        "AssociatedReservedStorageDevicePool" opaque;
        "AssociatedSystemCapabilities" child(SystemCapabilities) capabilities capabilities_mut;
        "AssociatedSystemIOConfiguration" child(SystemIoConfiguration) io io_mut;
        "AssociatedSystemMemoryConfiguration" child(SystemMemoryConfiguration) memory memory_mut;
        "AssociatedSystemProcessorConfiguration" child(SystemProcessorConfiguration)
            processors processors_mut;
        "AssociatedSystemSecurity" opaque;
        "AssociatedVirtualIOServers" @ "V1_2_0" links virtual_io_servers set_virtual_io_servers;
        "CurrentMaximumPartitionsPerHostChannelAdapter" opaque;
        "DetailedState" text detailed_state set_detailed_state;
        "AssociatedSystemVirtualStorage" opaque;
        "MachineTypeModelAndSerialNumber" child(MachineTypeModelAndSerialNumber)
            machine machine_mut;
        "ManufacturingDefaultConfigurationEnabled" value(bool)
            manufacturing_default_configuration_enabled
            set_manufacturing_default_configuration_enabled;
        "MaximumPartitions" value(u32) maximum_partitions set_maximum_partitions;
        "MaximumPowerControlPartitions" opaque;
        "MaximumRemoteRestartPartitions" opaque;
        "MaximumSharedProcessorCapablePartitionID" opaque;
        "MaximumSuspendablePartitions" opaque;
        "PendingMaximumPartitionsPerHostChannelAdapter" opaque;
        "MaximumBackingDevicesPerVNIC" opaque;
        "PhysicalSystemAttentionLEDState" value(bool)
            physical_system_attention_led_state set_physical_system_attention_led_state;
        "PrimaryIPAddress" text primary_ip_address set_primary_ip_address;
        "ServiceProcessorFailoverEnabled" opaque;
        "ServiceProcessorFailoverState" opaque;
        "SecondaryIPAddress" text secondary_ip_address set_secondary_ip_address;
        "Hostname" @ "V1_2_0" text hostname set_hostname;
        "ServiceProcessorVersion" text service_processor_version set_service_processor_version;
        "State" value(SystemState) state set_state;
        "SystemName" text name set_name;
        "SystemTime" value(u64) system_time set_system_time;
        "VirtualSystemAttentionLEDState" value(bool)
            virtual_system_attention_led_state set_virtual_system_attention_led_state;
        "SystemMigrationInformation" child(SystemMigrationInformation) migration migration_mut;
        "ReferenceCode" text reference_code set_reference_code;
        "MergedReferenceCode" @ "V1_2_0" text merged_reference_code set_merged_reference_code;
        "SystemFirmware" @ "V1_2_0" text system_firmware set_system_firmware;
        "IsPowerVMManagementMaster" @ "V1_3_0" value(bool)
            is_powervm_management_master set_is_powervm_management_master;
        "IsPowerVMManagementController" @ "V1_12_0" value(bool)
            is_powervm_management_controller set_is_powervm_management_controller;
        "IsClassicHMCManagement" @ "V1_3_0" value(bool)
            is_classic_hmc_management set_is_classic_hmc_management;
        "IsPowerVMManagementWithoutMaster" @ "V1_3_0" value(bool)
            is_powervm_management_without_master set_is_powervm_management_without_master;
        "IsManagementPartitionPowerVMManagementMaster" @ "V1_3_0" value(bool)
            is_management_partition_powervm_management_master
            set_is_management_partition_powervm_management_master;
        "IsHMCPowerVMManagementMaster" @ "V1_3_0" value(bool)
            is_hmc_powervm_management_master set_is_hmc_powervm_management_master;
        "IsNotPowerVMManagementMaster" @ "V1_3_0" value(bool)
            is_not_powervm_management_master set_is_not_powervm_management_master;
        "IsPowerVMManagementNormalMaster" @ "V1_3_0" value(bool)
            is_powervm_management_normal_master set_is_powervm_management_normal_master;
        "IsPowerVMManagementPersistentMaster" @ "V1_3_0" value(bool)
            is_powervm_management_persistent_master set_is_powervm_management_persistent_master;
        "IsPowerVMManagementTemporaryMaster" @ "V1_3_0" value(bool)
            is_powervm_management_temporary_master set_is_powervm_management_temporary_master;
        "IsPowerVMManagementPartitionEnabled" @ "V1_3_0" value(bool)
            is_powervm_management_partition_enabled set_is_powervm_management_partition_enabled;
        "Description" text description set_description;
        "SystemLocation" @ "V1_2_0" text system_location set_system_location;
        "MeteredPoolID" @ "V1_8_0" value(u32) metered_pool_id set_metered_pool_id;
        "ProcessorThrottling" @ "V1_8_0" value(bool) processor_throttling set_processor_throttling;
        "SupportedIBMiConsoleCodePage" @ "V1_8_0" texts
            supported_ibmi_console_code_pages push_supported_ibmi_console_code_page;
        "AssociatedGroups" @ "V1_2_0" links associated_groups set_associated_groups;
        "AssociatedTasks" opaque;
    }
}

view! {
    /// How many partitions can move at once.
    pub struct SystemMigrationInformation = "SystemMigrationInformation" in Uom {
        "AllowInactiveSourceStorageVios" @ "V1_3_0" text
            allow_inactive_source_storage_vios set_allow_inactive_source_storage_vios;
        "MaximumInactiveMigrations" value(u32)
            maximum_inactive_migrations set_maximum_inactive_migrations;
        "MaximumActiveMigrations" value(u32)
            maximum_active_migrations set_maximum_active_migrations;
        "NumberOfInactiveMigrationsInProgress" value(u32)
            number_of_inactive_migrations_in_progress
            set_number_of_inactive_migrations_in_progress;
        "NumberOfActiveMigrationsInProgress" value(u32)
            number_of_active_migrations_in_progress set_number_of_active_migrations_in_progress;
        "MaximumFirmwareActiveMigrations" value(u32)
            maximum_firmware_active_migrations set_maximum_firmware_active_migrations;
        "InactiveProfileMigrationPolicy" @ "V1_3_0" text
            inactive_profile_migration_policy set_inactive_profile_migration_policy;
        "LogicalPartitionAffinityCheckCapable" @ "V1_9_0" value(bool)
            logical_partition_affinity_check_capable set_logical_partition_affinity_check_capable;
    }
}
