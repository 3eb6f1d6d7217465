//! What a system can do.

use crate::view::view;

view! {
    /// What a system can do. Absent means no, but for those that the known clients take for granted:
    /// Linux, dedicated processors, custom MAC addresses.
    pub struct SystemCapabilities = "AssociatedSystemCapabilities" in Uom {
        "ActiveLogicalPartitionMobilityCapable" value(bool)
            active_logical_partition_mobility_capable
            set_active_logical_partition_mobility_capable;
        "ActiveLogicalPartitionSharedIdeProcessorsCapable" value(bool)
            active_logical_partition_shared_ide_processors_capable
            set_active_logical_partition_shared_ide_processors_capable;
        "ActiveMemoryDeduplicationCapable" value(bool)
            active_memory_deduplication_capable set_active_memory_deduplication_capable;
        "ActiveMemoryExpansionCapable" value(bool)
            active_memory_expansion_capable set_active_memory_expansion_capable;
        "ActiveMemoryMirroringCapable" value(bool)
            active_memory_mirroring_capable set_active_memory_mirroring_capable;
        "ActiveMemorySharingCapable" value(bool)
            active_memory_sharing_capable set_active_memory_sharing_capable;
        "ActiveSystemOptimizerCapable" value(bool)
            active_system_optimizer_capable set_active_system_optimizer_capable;
        "AddressBroadcastPolicyCapable" value(bool)
            address_broadcast_policy_capable set_address_broadcast_policy_capable;
        "AIXCapable" text aix_capable set_aix_capable;
        "AutorecoveryPowerOnCapable" value(bool)
            autorecovery_power_on_capable set_autorecovery_power_on_capable;
        "BarrierSynchronizationRegisterCapable" value(bool)
            barrier_synchronization_register_capable set_barrier_synchronization_register_capable;
        "CapacityOnDemandMemoryCapable" value(bool)
            capacity_on_demand_memory_capable set_capacity_on_demand_memory_capable;
        "CapacityOnDemandProcessorCapable" value(bool)
            capacity_on_demand_processor_capable set_capacity_on_demand_processor_capable;
        "CAPICapable" @ "V1_3_0" value(bool) capi_capable set_capi_capable;
        "CustomLogicalPartitionPlacementCapable" value(bool)
            custom_logical_partition_placement_capable
            set_custom_logical_partition_placement_capable;
        "ElectronicErrorReportingCapable" value(bool)
            electronic_error_reporting_capable set_electronic_error_reporting_capable;
        "ExternalIntrusionDetectionCapable" value(bool)
            external_intrusion_detection_capable set_external_intrusion_detection_capable;
        "FirmwarePowerSaverCapable" value(bool)
            firmware_power_saver_capable set_firmware_power_saver_capable;
        "HardwareDiscoveryCapable" value(bool)
            hardware_discovery_capable set_hardware_discovery_capable;
        "HardwareMemoryCompressionCapable" value(bool)
            hardware_memory_compression_capable set_hardware_memory_compression_capable;
        "HardwareMemoryEncryptionCapable" value(bool)
            hardware_memory_encryption_capable set_hardware_memory_encryption_capable;
        "HardwarePowerSaverCapable" value(bool)
            hardware_power_saver_capable set_hardware_power_saver_capable;
        "HostChannelAdapterCapable" value(bool)
            host_channel_adapter_capable set_host_channel_adapter_capable;
        "HugePageMemoryCapable" value(bool) huge_page_memory_capable set_huge_page_memory_capable;
        "HugePageMemoryOverrideCapable" value(bool)
            huge_page_memory_override_capable set_huge_page_memory_override_capable;
        "IBMiCapable" value(bool) ibmi_capable set_ibmi_capable;
        "IBMiLogicalPartitionMobilityCapable" value(bool)
            ibmi_logical_partition_mobility_capable set_ibmi_logical_partition_mobility_capable;
        "IBMiLogicalPartitionSuspendCapable" value(bool)
            ibmi_logical_partition_suspend_capable set_ibmi_logical_partition_suspend_capable;
        "IBMiNetworkInstallCapable" value(bool)
            ibmi_network_install_capable set_ibmi_network_install_capable;
        "IBMiRestrictedIOModeCapable" value(bool)
            ibmi_restricted_io_mode_capable set_ibmi_restricted_io_mode_capable;
        "IBMiNetworkInstallVlanCapable" @ "V1_3_0" value(bool)
            ibmi_network_install_vlan_capable set_ibmi_network_install_vlan_capable;
        "InactiveLogicalPartitionMobilityCapable" value(bool)
            inactive_logical_partition_mobility_capable
            set_inactive_logical_partition_mobility_capable;
        "IntelligentPlatformManagementInterfaceCapable" value(bool)
            intelligent_platform_management_interface_capable
            set_intelligent_platform_management_interface_capable;
        "LinuxCapable" value(bool) linux_capable set_linux_capable;
        "LogicalHostEthernetAdapterCapable" value(bool)
            logical_host_ethernet_adapter_capable set_logical_host_ethernet_adapter_capable;
        "LogicalPartitionAffinityGroupCapable" value(bool)
            logical_partition_affinity_group_capable set_logical_partition_affinity_group_capable;
        "LogicalPartitionAvailabilityPriorityCapable" value(bool)
            logical_partition_availability_priority_capable
            set_logical_partition_availability_priority_capable;
        "LogicalPartitionEnergyManagementCapable" value(bool)
            logical_partition_energy_management_capable
            set_logical_partition_energy_management_capable;
        "LogicalPartitionProcessorCompatibilityModeCapable" value(bool)
            logical_partition_processor_compatibility_mode_capable
            set_logical_partition_processor_compatibility_mode_capable;
        "LogicalPartitionRemoteRestartCapable" value(bool)
            logical_partition_remote_restart_capable set_logical_partition_remote_restart_capable;
        "LogicalPartitionSuspendCapable" value(bool)
            logical_partition_suspend_capable set_logical_partition_suspend_capable;
        "MemoryMirroringCapable" value(bool) memory_mirroring_capable set_memory_mirroring_capable;
        "MicroLogicalPartitionCapable" value(bool)
            micro_logical_partition_capable set_micro_logical_partition_capable;
        "PowerVMLogicalPartitionSimplifiedRemoteRestartCapable" @ "V1_2_0" value(bool)
            powervm_logical_partition_simplified_remote_restart_capable
            set_powervm_logical_partition_simplified_remote_restart_capable;
        "RedundantErrorPathReportingCapable" value(bool)
            redundant_error_path_reporting_capable set_redundant_error_path_reporting_capable;
        "RemoteRestartToggleCapable" value(bool)
            remote_restart_toggle_capable set_remote_restart_toggle_capable;
        "ServiceProcessorConcurrentMaintenanceCapable" value(bool)
            service_processor_concurrent_maintenance_capable
            set_service_processor_concurrent_maintenance_capable;
        "ServiceProcessorFailoverCapable" value(bool)
            service_processor_failover_capable set_service_processor_failover_capable;
        "ServiceProcessorAutonomicIPLCapable" @ "V1_3_0" value(bool)
            service_processor_autonomic_ipl_capable set_service_processor_autonomic_ipl_capable;
        "SharedEthernetFailoverCapable" value(bool)
            shared_ethernet_failover_capable set_shared_ethernet_failover_capable;
        "SharedProcessorPoolCapable" value(bool)
            shared_processor_pool_capable set_shared_processor_pool_capable;
        "SRIOVCapable" value(bool) sriov_capable set_sriov_capable;
        "SRIOVRoCECapable" @ "V1_4_0" value(bool) sriov_roce_capable set_sriov_roce_capable;
        "SwitchNetworkInterfaceMessagePassingCapable" value(bool)
            switch_network_interface_message_passing_capable
            set_switch_network_interface_message_passing_capable;
        "SystemPartitionProcessorLimitCapable" @ "V1_3_0" value(bool)
            system_partition_processor_limit_capable set_system_partition_processor_limit_capable;
        "Telnet5250ApplicationCapable" value(bool)
            telnet5250_application_capable set_telnet5250_application_capable;
        "TurboCoreCapable" value(bool) turbo_core_capable set_turbo_core_capable;
        "VirtualEthernetAdapterDynamicLogicalPartitionCapable" value(bool)
            virtual_ethernet_adapter_dynamic_logical_partition_capable
            set_virtual_ethernet_adapter_dynamic_logical_partition_capable;
        "VirtualEthernetQualityOfServiceCapable" value(bool)
            virtual_ethernet_quality_of_service_capable
            set_virtual_ethernet_quality_of_service_capable;
        "VirtualFiberChannelCapable" value(bool)
            virtual_fiber_channel_capable set_virtual_fiber_channel_capable;
        "VirtualIOServerCapable" value(bool)
            virtual_io_server_capable set_virtual_io_server_capable;
        "VirtualizationEngineTechnologiesActivationCapable" value(bool)
            virtualization_engine_technologies_activation_capable
            set_virtualization_engine_technologies_activation_capable;
        "VirtualServerNetworkingPhase2Capable" value(bool)
            virtual_server_networking_phase2_capable set_virtual_server_networking_phase2_capable;
        "VirtualSwitchCapable" value(bool) virtual_switch_capable set_virtual_switch_capable;
        "VirtualTrustedPlatformModuleCapable" value(bool)
            virtual_trusted_platform_module_capable set_virtual_trusted_platform_module_capable;
        "VLANStatisticsCapable" value(bool) vlan_statistics_capable set_vlan_statistics_capable;
        "VirtualEthernetCustomMACAddressCapable" value(bool)
            virtual_ethernet_custom_mac_address_capable
            set_virtual_ethernet_custom_mac_address_capable;
        "ManagementVLANForControlChannelCapable" value(bool)
            management_vlan_for_control_channel_capable
            set_management_vlan_for_control_channel_capable;
        "VirtualNICDedicatedSRIOVCapable" @ "V1_3_0" value(bool)
            virtual_nic_dedicated_sriov_capable set_virtual_nic_dedicated_sriov_capable;
        "VirtualNICSharedSRIOVCapable" @ "V1_3_0" value(bool)
            virtual_nic_shared_sriov_capable set_virtual_nic_shared_sriov_capable;
        "DynamicPlatformOptimizationCapable" @ "V1_3_0" value(bool)
            dynamic_platform_optimization_capable set_dynamic_platform_optimization_capable;
        "VirtualNICFailOverCapable" @ "V1_4_0" value(bool)
            virtual_nic_failover_capable set_virtual_nic_failover_capable;
        "AdvancedBootListSupportCapable" @ "V1_5_0" value(bool)
            advanced_boot_list_support_capable set_advanced_boot_list_support_capable;
        "DynamicSimplifiedRemoteRestartToggleCapable" @ "V1_5_0" value(bool)
            dynamic_simplified_remote_restart_toggle_capable
            set_dynamic_simplified_remote_restart_toggle_capable;
        "IBMiNativeIOCapable" @ "V1_5_0" value(bool)
            ibmi_native_io_capable set_ibmi_native_io_capable;
        "CustomPhysicalPageTableRatioCapable" @ "V1_6_0" value(bool)
            custom_physical_page_table_ratio_capable set_custom_physical_page_table_ratio_capable;
        "PartitionSecureBootCapable" @ "V1_8_0" value(bool)
            partition_secure_boot_capable set_partition_secure_boot_capable;
        "IOSlotOwnerAssignmentCapable" @ "V1_6_0" value(bool)
            io_slot_owner_assignment_capable set_io_slot_owner_assignment_capable;
        "DedicatedProcessorPartitionCapable" @ "V1_8_0" value(bool)
            dedicated_processor_partition_capable set_dedicated_processor_partition_capable;
        "MinimumKeyStoreSize" @ "V1_13_1" value(u32)
            minimum_key_store_size set_minimum_key_store_size;
        "MaximumKeyStoreSize" @ "V1_13_1" value(u32)
            maximum_key_store_size set_maximum_key_store_size;
    }
}

impl SystemCapabilities<&crate::xml::Element> {
    /// Whether AIX can run: everything but the word `Inactive`.
    pub fn runs_aix(&self) -> bool {
        !self
            .aix_capable()
            .is_some_and(|text| text.eq_ignore_ascii_case("inactive"))
    }
}
