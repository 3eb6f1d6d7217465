//! Processors of a partition.

use super::SharingMode;
use crate::units::ProcessingUnits;
use crate::view::view;

view! {
    /// Processors of a partition: dedicated or shared, as configured, as now, as running.
    pub struct PartitionProcessorConfiguration = "PartitionProcessorConfiguration" in Uom {
        "DedicatedProcessorConfiguration" child(DedicatedProcessorConfiguration)
            dedicated dedicated_mut;
        "HasDedicatedProcessors" value(bool) has_dedicated_processors set_has_dedicated_processors;
        "SharedProcessorConfiguration" child(SharedProcessorConfiguration) shared shared_mut;
        "SharingMode" value(SharingMode) sharing_mode set_sharing_mode;
        "CurrentHasDedicatedProcessors" value(bool)
            current_has_dedicated_processors set_current_has_dedicated_processors;
        "CurrentSharingMode" value(SharingMode) current_sharing_mode set_current_sharing_mode;
        "CurrentDedicatedProcessorConfiguration" child(CurrentDedicatedProcessorConfiguration)
            current_dedicated current_dedicated_mut;
        "RuntimeHasDedicatedProcessors" value(bool)
            runtime_has_dedicated_processors set_runtime_has_dedicated_processors;
        "RuntimeSharingMode" value(SharingMode) runtime_sharing_mode set_runtime_sharing_mode;
        "CurrentSharedProcessorConfiguration" child(CurrentSharedProcessorConfiguration)
            current_shared current_shared_mut;
    }
}

view! {
    /// Whole processors, as configured.
    pub struct DedicatedProcessorConfiguration = "DedicatedProcessorConfiguration" in Uom {
        "DesiredProcessors" value(u32) desired_processors set_desired_processors;
        "MaximumProcessors" value(u32) maximum_processors set_maximum_processors;
        "MinimumProcessors" value(u32) minimum_processors set_minimum_processors;
    }
}

view! {
    /// Whole processors, as now.
    pub struct CurrentDedicatedProcessorConfiguration = "CurrentDedicatedProcessorConfiguration" in Uom {
        "CurrentMaximumProcessors" value(u32)
            current_maximum_processors set_current_maximum_processors;
        "CurrentMinimumProcessors" value(u32)
            current_minimum_processors set_current_minimum_processors;
        "CurrentProcessors" value(u32) current_processors set_current_processors;
        "RunProcessors" value(u32) run_processors set_run_processors;
    }
}

view! {
    /// Shares of the processor pool, as configured.
    pub struct SharedProcessorConfiguration = "SharedProcessorConfiguration" in Uom {
        "DesiredProcessingUnits" value(ProcessingUnits)
            desired_processing_units set_desired_processing_units;
        "DesiredVirtualProcessors" value(u32)
            desired_virtual_processors set_desired_virtual_processors;
        "MaximumProcessingUnits" value(ProcessingUnits)
            maximum_processing_units set_maximum_processing_units;
        "MaximumVirtualProcessors" value(u32)
            maximum_virtual_processors set_maximum_virtual_processors;
        "MinimumProcessingUnits" value(ProcessingUnits)
            minimum_processing_units set_minimum_processing_units;
        "MinimumVirtualProcessors" value(u32)
            minimum_virtual_processors set_minimum_virtual_processors;
        "SharedProcessorPoolID" value(u32) shared_processor_pool_id set_shared_processor_pool_id;
        /// 0 to 255; absent on a capped partition.
        "UncappedWeight" value(u32) uncapped_weight set_uncapped_weight;
    }
}

view! {
    /// Shares of the processor pool, as now.
    pub struct CurrentSharedProcessorConfiguration = "CurrentSharedProcessorConfiguration" in Uom {
        "AllocatedVirtualProcessors" value(u32)
            allocated_virtual_processors set_allocated_virtual_processors;
        "CurrentMaximumProcessingUnits" value(ProcessingUnits)
            current_maximum_processing_units set_current_maximum_processing_units;
        "CurrentMinimumProcessingUnits" value(ProcessingUnits)
            current_minimum_processing_units set_current_minimum_processing_units;
        "CurrentProcessingUnits" value(ProcessingUnits)
            current_processing_units set_current_processing_units;
        "CurrentSharedProcessorPoolID" value(u32)
            current_shared_processor_pool_id set_current_shared_processor_pool_id;
        "CurrentUncappedWeight" value(u32) current_uncapped_weight set_current_uncapped_weight;
        "CurrentMinimumVirtualProcessors" value(u32)
            current_minimum_virtual_processors set_current_minimum_virtual_processors;
        "CurrentMaximumVirtualProcessors" value(u32)
            current_maximum_virtual_processors set_current_maximum_virtual_processors;
        "RuntimeProcessingUnits" value(ProcessingUnits)
            runtime_processing_units set_runtime_processing_units;
        "RuntimeUncappedWeight" value(u32) runtime_uncapped_weight set_runtime_uncapped_weight;
    }
}
