//! What a system has: memory, processors, adapters, networks.

use crate::sriov::IoAdapterChoice;
use crate::units::ProcessingUnits;
use crate::view::view;

view! {
    /// Memory of a system, in MB.
    pub struct SystemMemoryConfiguration = "AssociatedSystemMemoryConfiguration" in Uom {
        "AllowedHardwarePageTableRations" texts
            allowed_hardware_page_table_ratios push_allowed_hardware_page_table_ratio;
        "AllowedMemoryDeduplicationTableRatios" opaque;
        "AllowedMemoryRegionSize" text allowed_memory_region_size set_allowed_memory_region_size;
        "AvailableBarrierSynchronizationRegisterArrays" opaque;
        "BarrierSynchronizationRegisterArraySize" opaque;
        "ConfigurableHugePages" value(u64) configurable_huge_pages set_configurable_huge_pages;
        "ConfigurableSystemMemory" value(u64)
            configurable_system_memory set_configurable_system_memory;
        "ConfiguredMirroredMemory" opaque;
        "CurrentAddressBroadcastPolicy" text
            current_address_broadcast_policy set_current_address_broadcast_policy;
        "CurrentAvailableHugePages" value(u64)
            current_available_huge_pages set_current_available_huge_pages;
        "CurrentAvailableMirroredMemory" opaque;
        "CurrentAvailableSystemMemory" value(u64)
            current_available_system_memory set_current_available_system_memory;
        "CurrentLogicalMemoryBlockSize" value(u64)
            current_logical_memory_block_size set_current_logical_memory_block_size;
        "CurrentMemoryMirroringMode" opaque;
        "CurrentMirroredMemory" opaque;
        "DeconfiguredSystemMemory" value(u64)
            deconfigured_system_memory set_deconfigured_system_memory;
        "DefaultHardwarePageTableRatio" value(u64)
            default_hardware_page_table_ratio set_default_hardware_page_table_ratio;
        "DefaultPhysicalPageTableRatio" value(u64)
            default_physical_page_table_ratio set_default_physical_page_table_ratio;
        "DefaultHardwarePagingTableRatioForDedicatedMemoryPartition" opaque;
        "DefaultMemoryDeduplicationTableRatio" opaque;
        "HugePageCount" value(u64) huge_page_count set_huge_page_count;
        "HugePageSize" value(u64) huge_page_size set_huge_page_size;
        "InstalledSystemMemory" value(u64) installed_system_memory set_installed_system_memory;
        "MaximumHugePages" value(u64) maximum_huge_pages set_maximum_huge_pages;
        "MaximumMemoryPoolCount" value(u64) maximum_memory_pool_count set_maximum_memory_pool_count;
        "MaximumMirroredMemoryDefragmented" opaque;
        "MaximumPagingVirtualIOServersPerSharedMemoryPool" opaque;
        "MemoryDefragmentationState" text
            memory_defragmentation_state set_memory_defragmentation_state;
        "MemoryMirroringState" opaque;
        "MemoryRegionSize" value(u64) memory_region_size set_memory_region_size;
        "MemoryUsedByHypervisor" value(u64) memory_used_by_hypervisor set_memory_used_by_hypervisor;
        "MirrorableMemoryWithDefragmentation" opaque;
        "MirrorableMemoryWithoutDefragmentation" opaque;
        "MirroredMemoryUsedByHypervisor" opaque;
        "PendingAddressBroadcastPolicy" text
            pending_address_broadcast_policy set_pending_address_broadcast_policy;
        "PendingAvailableHugePages" value(u64)
            pending_available_huge_pages set_pending_available_huge_pages;
        "PendingAvailableSystemMemory" value(u64)
            pending_available_system_memory set_pending_available_system_memory;
        "PendingLogicalMemoryBlockSize" value(u64)
            pending_logical_memory_block_size set_pending_logical_memory_block_size;
        "PendingMemoryMirroringMode" opaque;
        "PendingMemoryRegionSize" value(u64)
            pending_memory_region_size set_pending_memory_region_size;
        "RequestedHugePages" value(u64) requested_huge_pages set_requested_huge_pages;
        "TemporaryMemoryForLogicalPartitionMobilityInUse" value(bool)
            temporary_memory_for_logical_partition_mobility_in_use
            set_temporary_memory_for_logical_partition_mobility_in_use;
        "TotalBarrierSynchronizationRegisterArrays" opaque;
        "SharedMemoryPool" links shared_memory_pool set_shared_memory_pool;
    }
}

view! {
    /// Processors of a system.
    pub struct SystemProcessorConfiguration = "AssociatedSystemProcessorConfiguration" in Uom {
        "ConfigurableSystemProcessorUnits" value(ProcessingUnits)
            configurable_system_processor_units set_configurable_system_processor_units;
        "CurrentAvailableSystemProcessorUnits" value(ProcessingUnits)
            current_available_system_processor_units set_current_available_system_processor_units;
        "CurrentMaximumProcessorsPerAIXOrLinuxPartition" value(u32)
            current_maximum_processors_per_aix_or_linux_partition
            set_current_maximum_processors_per_aix_or_linux_partition;
        "CurrentMaximumProcessorsPerIBMiPartition" value(u32)
            current_maximum_processors_per_ibmi_partition
            set_current_maximum_processors_per_ibmi_partition;
        "CurrentMaximumAllowedProcessorsPerPartition" value(u32)
            current_maximum_allowed_processors_per_partition
            set_current_maximum_allowed_processors_per_partition;
        "CurrentMaximumProcessorsPerPartition" value(u32)
            current_maximum_processors_per_partition set_current_maximum_processors_per_partition;
        "CurrentMaximumProcessorsPerVirtualIOServerPartition" value(u32)
            current_maximum_processors_per_virtual_io_server_partition
            set_current_maximum_processors_per_virtual_io_server_partition;
        "CurrentMaximumVirtualProcessorsPerAIXOrLinuxPartition" value(u32)
            current_maximum_virtual_processors_per_aix_or_linux_partition
            set_current_maximum_virtual_processors_per_aix_or_linux_partition;
        "CurrentMaximumVirtualProcessorsPerIBMiPartition" value(u32)
            current_maximum_virtual_processors_per_ibmi_partition
            set_current_maximum_virtual_processors_per_ibmi_partition;
        "CurrentMaximumVirtualProcessorsPerVirtualIOServerPartition" value(u32)
            current_maximum_virtual_processors_per_virtual_io_server_partition
            set_current_maximum_virtual_processors_per_virtual_io_server_partition;
        "DeconfiguredSystemProcessorUnits" value(ProcessingUnits)
            deconfigured_system_processor_units set_deconfigured_system_processor_units;
        "InstalledSystemProcessorUnits" value(ProcessingUnits)
            installed_system_processor_units set_installed_system_processor_units;
        "MaximumProcessorUnitsPerIBMiPartition" value(ProcessingUnits)
            maximum_processor_units_per_ibmi_partition
            set_maximum_processor_units_per_ibmi_partition;
        "MaximumAllowedVirtualProcessorsPerPartition" value(u32)
            maximum_allowed_virtual_processors_per_partition
            set_maximum_allowed_virtual_processors_per_partition;
        "MaximumVirtualProcessorsPerPartition" value(u32)
            maximum_virtual_processors_per_partition set_maximum_virtual_processors_per_partition;
        "MinimumProcessorUnitsPerVirtualProcessor" value(ProcessingUnits)
            minimum_processor_units_per_virtual_processor
            set_minimum_processor_units_per_virtual_processor;
        "NumberOfAllOSProcessorUnits" value(ProcessingUnits)
            number_of_all_os_processor_units set_number_of_all_os_processor_units;
        "NumberOfLinuxOnlyProcessorUnits" value(ProcessingUnits)
            number_of_linux_only_processor_units set_number_of_linux_only_processor_units;
        "NumberOfLinuxOrVIOSOnlyProcessorUnits" @ "V1_3_0" value(ProcessingUnits)
            number_of_linux_or_vios_only_processor_units
            set_number_of_linux_or_vios_only_processor_units;
        "NumberOfVirtualIOServerProcessorUnits" value(ProcessingUnits)
            number_of_virtual_io_server_processor_units
            set_number_of_virtual_io_server_processor_units;
        "PendingAvailableSystemProcessorUnits" value(ProcessingUnits)
            pending_available_system_processor_units set_pending_available_system_processor_units;
        "SharedProcessorPoolCount" value(u32)
            shared_processor_pool_count set_shared_processor_pool_count;
        "SupportedPartitionProcessorCompatibilityModes" texts
            supported_partition_processor_compatibility_modes
            push_supported_partition_processor_compatibility_mode;
        "TemporaryProcessorUnitsForLogicalPartitionMobilityInUse" value(bool)
            temporary_processor_units_for_logical_partition_mobility_in_use
            set_temporary_processor_units_for_logical_partition_mobility_in_use;
        "TurboCoreSupport" text turbo_core_support set_turbo_core_support;
        "SharedProcessorPool" links shared_processor_pools set_shared_processor_pools;
    }
}

view! {
    /// Adapters, slots and generated names of a system.
    pub struct SystemIoConfiguration = "AssociatedSystemIOConfiguration" in Uom {
        "AvailableWWPNs" value(u64) available_wwpns set_available_wwpns;
        "ChannelAdapter" opaque;
        "EthernetAdapter" opaque;
        "HostChannelAdapters" opaque;
        "HostEthernetAdapters" opaque;
        "IOAdapters" opaque;
        "IOBuses" opaque;
        "IOSlots" opaque;
        "MaximumIOPools" value(u32) maximum_io_pools set_maximum_io_pools;
        "SRIOVAdapters" list(IoAdapterChoice in "IOAdapterChoice")
            sriov_adapters push_sriov_adapter retain_sriov_adapters;
        "AssociatedSystemVirtualNetwork" child(SystemVirtualNetwork)
            virtual_network virtual_network_mut;
        /// What generated port names begin with: 12 hexadecimal digits, or on older levels a decimal number of
        /// 64 bits whose last 16 are 0.
        "WWPNPrefix" text wwpn_prefix set_wwpn_prefix;
    }
}

view! {
    /// Virtual networks of a system; there only when the group `SystemNetwork` was asked for.
    pub struct SystemVirtualNetwork = "AssociatedSystemVirtualNetwork" in Uom {
        "NetworkBridges" links network_bridges set_network_bridges;
        /// Six hexadecimal digits.
        "VirtualEthernetAdapterMACAddressPrefix" text mac_address_prefix set_mac_address_prefix;
        "VirtualNetworks" links virtual_networks set_virtual_networks;
        "VirtualSwitches" links virtual_switches set_virtual_switches;
    }
}
