//! Memory and processors of a managed system. Sizes are megabytes, processors are units.

use super::context::Context;
use super::writer::{COR, CUD, ROR, Writer};
use crate::model::system::ManagedSystem;
use crate::model::units::ProcUnits;

/// `AssociatedSystemMemoryConfiguration`. The names are the product's own spelling.
pub(crate) fn memory(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    let memory = &system.memory;
    let (available, region) = (cx.world.available_memory(system.uuid), memory.region);
    w.section("AssociatedSystemMemoryConfiguration", CUD, |w| {
        for ratio in 5..=9 {
            w.value("AllowedHardwarePageTableRations", ROR, ratio);
        }
        w.text(
            "AllowedMemoryDeduplicationTableRatios",
            ROR,
            "1:256,1:512,1:1024,1:2048,1:4096,1:8192",
        );
        w.text("AllowedMemoryRegionSize", ROR, "auto,16,32,64,128,256");
        w.value("AvailableBarrierSynchronizationRegisterArrays", ROR, 0);
        w.value("BarrierSynchronizationRegisterArraySize", CUD, 0);
        w.value("ConfigurableHugePages", ROR, 0);
        w.value("ConfigurableSystemMemory", ROR, memory.configurable);
        w.value("ConfiguredMirroredMemory", CUD, 0);
        w.text("CurrentAddressBroadcastPolicy", ROR, "No Affinity");
        w.value("CurrentAvailableHugePages", ROR, 0);
        w.value("CurrentAvailableMirroredMemory", ROR, 0);
        w.value("CurrentAvailableSystemMemory", ROR, available);
        w.value("CurrentLogicalMemoryBlockSize", ROR, region);
        w.text("CurrentMemoryMirroringMode", ROR, "none");
        w.value("CurrentMirroredMemory", ROR, 0);
        w.value("DeconfiguredSystemMemory", CUD, 0);
        w.value("DefaultHardwarePageTableRatio", COR, 6);
        w.value("DefaultPhysicalPageTableRatio", COR, 4);
        w.value(
            "DefaultHardwarePagingTableRatioForDedicatedMemoryPartition",
            CUD,
            7,
        );
        if cx.is_hmc() {
            w.value("DefaultMemoryDeduplicationTableRatio", CUD, 10);
        }
        w.value("HugePageCount", CUD, 0);
        w.value("HugePageSize", CUD, 16384);
        w.value("InstalledSystemMemory", ROR, memory.installed);
        w.value("MaximumHugePages", ROR, memory.installed / 16384);
        w.value("MaximumMemoryPoolCount", ROR, 1);
        w.value("MaximumMirroredMemoryDefragmented", CUD, 0);
        if cx.is_hmc() {
            w.value("MaximumPagingVirtualIOServersPerSharedMemoryPool", ROR, 2);
        }
        w.text("MemoryDefragmentationState", CUD, "Not_In_Progress");
        w.text("MemoryMirroringState", CUD, "Off");
        w.value("MemoryRegionSize", CUD, region);
        w.value(
            "MemoryUsedByHypervisor",
            ROR,
            cx.world.hypervisor_memory(system.uuid),
        );
        w.value("MirrorableMemoryWithDefragmentation", ROR, 0);
        w.value("MirrorableMemoryWithoutDefragmentation", ROR, 0);
        w.value("MirroredMemoryUsedByHypervisor", ROR, 0);
        w.text("PendingAddressBroadcastPolicy", CUD, "No Affinity");
        w.value("PendingAvailableHugePages", CUD, 0);
        w.value("PendingAvailableSystemMemory", CUD, available);
        w.value("PendingLogicalMemoryBlockSize", CUD, region);
        w.text("PendingMemoryMirroringMode", CUD, "none");
        w.value("PendingMemoryRegionSize", CUD, region);
        w.value("RequestedHugePages", CUD, 0);
        w.flag(
            "TemporaryMemoryForLogicalPartitionMobilityInUse",
            CUD,
            false,
        );
        w.value("TotalBarrierSynchronizationRegisterArrays", ROR, 0);
        let pool = system.memory_pool.iter();
        // With a link in the cassette `refresher.yml` alone; elsewhere recorded empty.
        w.links(
            "SharedMemoryPool",
            CUD,
            pool.map(|pool| cx.system_child(system.uuid, "SharedMemoryPool", pool.uuid)),
        );
    });
}

/// `AssociatedSystemProcessorConfiguration`
pub(crate) fn processors(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    let processors = &system.processors;
    let available = cx.world.available_processors(system.uuid);
    let (dedicated, virtually) = (
        processors.maximum_per_partition,
        processors.maximum_virtual_per_partition,
    );
    w.section("AssociatedSystemProcessorConfiguration", CUD, |w| {
        w.value(
            "ConfigurableSystemProcessorUnits",
            ROR,
            processors.configurable,
        );
        w.value("CurrentAvailableSystemProcessorUnits", ROR, available);
        w.value(
            "CurrentMaximumProcessorsPerAIXOrLinuxPartition",
            ROR,
            dedicated,
        );
        w.value("CurrentMaximumProcessorsPerIBMiPartition", ROR, dedicated);
        w.value(
            "CurrentMaximumAllowedProcessorsPerPartition",
            ROR,
            dedicated,
        );
        w.value("CurrentMaximumProcessorsPerPartition", ROR, dedicated);
        w.value(
            "CurrentMaximumProcessorsPerVirtualIOServerPartition",
            ROR,
            dedicated,
        );
        w.value(
            "CurrentMaximumVirtualProcessorsPerAIXOrLinuxPartition",
            ROR,
            virtually,
        );
        w.value(
            "CurrentMaximumVirtualProcessorsPerIBMiPartition",
            ROR,
            virtually,
        );
        w.value(
            "CurrentMaximumVirtualProcessorsPerVirtualIOServerPartition",
            ROR,
            virtually,
        );
        w.value("DeconfiguredSystemProcessorUnits", ROR, ProcUnits::ZERO);
        w.value("InstalledSystemProcessorUnits", ROR, processors.installed);
        w.value("MaximumProcessorUnitsPerIBMiPartition", ROR, 0);
        w.value(
            "MaximumAllowedVirtualProcessorsPerPartition",
            ROR,
            virtually,
        );
        w.value("MaximumVirtualProcessorsPerPartition", ROR, virtually);
        w.value(
            "MinimumProcessorUnitsPerVirtualProcessor",
            ROR,
            processors.minimum_units_per_virtual,
        );
        if cx.is_hmc() {
            w.value("NumberOfAllOSProcessorUnits", ROR, processors.installed);
            w.value("NumberOfLinuxOnlyProcessorUnits", ROR, 0);
            w.value(
                "NumberOfLinuxOrVIOSOnlyProcessorUnits",
                ROR.since("V1_3_0"),
                0,
            );
            w.value("NumberOfVirtualIOServerProcessorUnits", ROR, 0);
        }
        w.value("PendingAvailableSystemProcessorUnits", CUD, available);
        w.value(
            "SharedProcessorPoolCount",
            ROR,
            system.processor_pools.len(),
        );
        for mode in &processors.compatibility_modes {
            w.value("SupportedPartitionProcessorCompatibilityModes", ROR, mode);
        }
        w.flag(
            "TemporaryProcessorUnitsForLogicalPartitionMobilityInUse",
            ROR,
            false,
        );
        w.text("TurboCoreSupport", ROR, "Not_Supported");
        let pools = system.processor_pools.values();
        w.links(
            "SharedProcessorPool",
            CUD,
            pools.map(|pool| cx.system_child(system.uuid, "SharedProcessorPool", pool.uuid)),
        );
    });
}
