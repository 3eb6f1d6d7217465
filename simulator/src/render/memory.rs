//! `PartitionMemoryConfiguration`, in megabytes.
//!
//! Entitlement, weight and paging servers are those of a partition with shared memory (`DesiredEntitledMemory`,
//! `ManualEntitledModeEnabled`, `MemoryWeight`, `AutoEntitledMemoryEnabled`, `Current…` and `Runtime…` of them,
//! `PrimaryPagingServicePartition`, `CurrentPagingServicePartition`: cassette `refresher.yml`, as no NovaLink with such a
//! partition is recorded); Virtual I/O Servers of both flavours say that they have none (recordings `fake_vios_feed3`,
//! `fake_vios_hosting_vios_feed`).

use super::context::Context;
use super::writer::{CUD, ROR, Writer};
use crate::model::memory_pool::SharedMemory;
use crate::model::names::PartitionKind;
use crate::model::partition::Partition;

/// Writes the section.
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let memory = &partition.memory;
    let shared = memory.shared.as_ref();
    let client = partition.kind != PartitionKind::VirtualIoServer;
    let factor = expansion_factor(memory.expansion_factor);
    let expanded = memory.expansion_factor > 0;
    let runtime = |megabytes: u64| if memory.active { megabytes } else { 0 };
    let weight = shared.map_or(0, |shared| shared.weight);
    // A NovaLink's logical partition without shared memory says nothing of entitlement (recording `lpar`).
    let entitlement = shared.is_some() || !client;
    let paging = cx.world.paging_server(partition);
    let paging = paging.map(|vios| cx.vios(partition.system, vios));
    w.section("PartitionMemoryConfiguration", CUD, |w| {
        w.value("ActiveMemoryExpansionEnabled", CUD, expanded);
        w.value("ActiveMemorySharingEnabled", CUD, shared.is_some());
        if let Some(shared) = shared {
            w.value("DesiredEntitledMemory", CUD, shared.entitled);
        }
        w.value("BarrierSynchronizationRegisterArrayCount", CUD, 0);
        if client {
            w.value("DesiredHugePageCount", CUD, 0);
        }
        w.value("DesiredMemory", CUD, memory.desired);
        w.value("ExpansionFactor", CUD, &factor);
        if let Some(ratio) = memory.physical_page_table_ratio {
            w.value("PhysicalPageTableRatio", CUD.since("V1_6_0"), ratio);
        }
        w.value("HardwarePageTableRatio", CUD, memory.page_table_ratio);
        if entitlement {
            w.flag("ManualEntitledModeEnabled", ROR, false);
        }
        if client {
            w.value("MaximumHugePageCount", CUD, 0);
        }
        w.value("MaximumMemory", CUD, memory.maximum);
        if shared.is_some() {
            w.value("MemoryWeight", CUD, weight);
        }
        if client {
            w.value("MinimumHugePageCount", CUD, 0);
        }
        w.value("MinimumMemory", CUD, memory.minimum);
        if let Some(server) = paging.as_ref().filter(|_| shared.is_some()) {
            w.reference("PrimaryPagingServicePartition", CUD, server);
        }
        if entitlement {
            let worked_out = |shared: &SharedMemory| shared.entitled == SharedMemory::WORKED_OUT;
            let worked_out = shared.is_some_and(worked_out);
            w.value("AutoEntitledMemoryEnabled", CUD, worked_out);
        }
        w.value("CurrentBarrierSynchronizationRegisterArrays", ROR, 0);
        match shared {
            Some(shared) => w.value("CurrentEntitledMemory", ROR, shared.entitled),
            None if entitlement => w.text("CurrentEntitledMemory", ROR, "AUTO"),
            None => {}
        }
        w.value("CurrentExpansionFactor", ROR, &factor);
        w.value(
            "CurrentHardwarePageTableRatio",
            ROR,
            memory.page_table_ratio,
        );
        w.value("CurrentHugePageCount", ROR, 0);
        w.value("CurrentMaximumHugePageCount", ROR, 0);
        w.value("CurrentMaximumMemory", ROR, memory.current_maximum);
        w.value("CurrentMemory", ROR, memory.current);
        if entitlement {
            w.value("CurrentMemoryWeight", ROR, weight);
        }
        w.value("CurrentMinimumHugePageCount", ROR, 0);
        w.value("CurrentMinimumMemory", ROR, memory.current_minimum);
        if let Some(server) = paging.as_ref().filter(|_| memory.active) {
            w.reference("CurrentPagingServicePartition", ROR, server);
        }
        w.value("MemoryExpansionHardwareAccessEnabled", ROR, expanded);
        w.flag("MemoryEncryptionHardwareAccessEnabled", ROR, true);
        w.value("MemoryExpansionEnabled", ROR, expanded);
        w.value(
            "RedundantErrorPathReportingEnabled",
            ROR,
            partition.settings.error_path_reporting,
        );
        if let Some(shared) = shared {
            w.value("RuntimeEntitledMemory", ROR, runtime(shared.entitled));
        }
        w.value("RuntimeHugePageCount", ROR, 0);
        w.value("RuntimeMemory", ROR, runtime(memory.current));
        if entitlement {
            let weight = if memory.active { weight } else { 0 };
            w.value("RuntimeMemoryWeight", ROR, weight);
        }
        w.value("RuntimeMinimumMemory", ROR, runtime(memory.current_minimum));
        w.value("SharedMemoryEnabled", CUD, shared.is_some());
    });
}

/// `0.0` if off, else to as many decimals as it has: `1.5`, `1.25`.
pub(crate) fn expansion_factor(hundredths: u32) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    if rest.is_multiple_of(10) {
        format!("{whole}.{}", rest / 10)
    } else {
        format!("{whole}.{rest:02}")
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn factors_keep_a_decimal() {
        let texts = [0, 100, 150, 125, 105].map(super::expansion_factor);
        assert_eq!(texts, ["0.0", "1.0", "1.5", "1.25", "1.05"]);
    }
}
