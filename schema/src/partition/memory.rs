//! Memory of a partition.

use crate::view::view;

view! {
    /// Memory of a partition, in MB. `Desired`, `Maximum` and `Minimum` are the configuration, `Current` what is
    /// allotted now, `Runtime` what the running system has (0 before the first activation).
    pub struct PartitionMemoryConfiguration = "PartitionMemoryConfiguration" in Uom {
        "ActiveMemoryExpansionEnabled" value(bool)
            active_memory_expansion_enabled set_active_memory_expansion_enabled;
        "ActiveMemorySharingEnabled" value(bool)
            active_memory_sharing_enabled set_active_memory_sharing_enabled;
        "DesiredEntitledMemory" opaque;
        "BarrierSynchronizationRegisterArrayCount" opaque;
        "DesiredHugePageCount" value(u32) desired_huge_page_count set_desired_huge_page_count;
        "DesiredMemory" value(u64) desired_memory set_desired_memory;
        /// 0 without active memory expansion, else 1 to 10.
        "ExpansionFactor" value(f64) expansion_factor set_expansion_factor;
        /// The logarithm of the ratio: 7 means 1:128.
        "PhysicalPageTableRatio" value(u32) physical_page_table_ratio set_physical_page_table_ratio;
        /// The logarithm of the ratio: 6 means 1:64.
        "HardwarePageTableRatio" value(u32) hardware_page_table_ratio set_hardware_page_table_ratio;
        "ManualEntitledModeEnabled" opaque;
        "MaximumHugePageCount" value(u32) maximum_huge_page_count set_maximum_huge_page_count;
        "MaximumMemory" value(u64) maximum_memory set_maximum_memory;
        "MemoryWeight" opaque;
        "MinimumHugePageCount" value(u32) minimum_huge_page_count set_minimum_huge_page_count;
        "MinimumMemory" value(u64) minimum_memory set_minimum_memory;
        "PrimaryPagingServicePartition" opaque;
        "SecondaryPagingServicePartition" opaque;
        "AutoEntitledMemoryEnabled" opaque;
        "CurrentBarrierSynchronizationRegisterArrays" opaque;
        /// MB, or `AUTO`.
        "CurrentEntitledMemory" text current_entitled_memory;
        "CurrentExpansionFactor" value(f64) current_expansion_factor set_current_expansion_factor;
        "CurrentPhysicalPageTableRatio" value(u32) current_physical_page_table_ratio;
        "CurrentHardwarePageTableRatio" value(u32)
            current_hardware_page_table_ratio set_current_hardware_page_table_ratio;
        "CurrentHugePageCount" opaque;
        "CurrentMaximumHugePageCount" opaque;
        "CurrentMaximumMemory" value(u64) current_maximum_memory set_current_maximum_memory;
        "CurrentMemory" value(u64) current_memory set_current_memory;
        "CurrentMemoryWeight" opaque;
        "CurrentMinimumHugePageCount" opaque;
        "CurrentMinimumMemory" value(u64) current_minimum_memory set_current_minimum_memory;
        "CurrentPagingServicePartition" opaque;
        "MemoryExpansionHardwareAccessEnabled" value(bool)
            memory_expansion_hardware_access_enabled set_memory_expansion_hardware_access_enabled;
        "MemoryEncryptionHardwareAccessEnabled" value(bool)
            memory_encryption_hardware_access_enabled
            set_memory_encryption_hardware_access_enabled;
        "MemoryExpansionEnabled" value(bool) memory_expansion_enabled set_memory_expansion_enabled;
        "MemoryReleaseable" opaque;
        "MemoryToRelease" opaque;
        "RedundantErrorPathReportingEnabled" value(bool)
            redundant_error_path_reporting_enabled set_redundant_error_path_reporting_enabled;
        "RequiredMinimumForMaximum" value(u64) required_minimum_for_maximum;
        "RuntimeEntitledMemory" opaque;
        "RuntimeExpansionFactor" opaque;
        "RuntimeHugePageCount" opaque;
        "RuntimeMemory" value(u64) runtime_memory set_runtime_memory;
        "RuntimeMemoryWeight" opaque;
        "RuntimeMinimumMemory" value(u64) runtime_minimum_memory set_runtime_minimum_memory;
        "SharedMemoryEnabled" value(bool) shared_memory_enabled set_shared_memory_enabled;
    }
}
