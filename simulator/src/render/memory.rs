//! `PartitionMemoryConfiguration`, in megabytes.

use super::context::Context;
use super::writer::{CUD, ROR, Writer};
use crate::model::names::PartitionKind;
use crate::model::partition::Partition;

/// Writes the section.
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, partition: &Partition) {
    let memory = &partition.memory;
    let novalink = !cx.is_hmc();
    let client = partition.kind != PartitionKind::VirtualIoServer;
    let factor = expansion_factor(memory.expansion_factor);
    let expanded = memory.expansion_factor > 0;
    let runtime = |megabytes: u64| if memory.active { megabytes } else { 0 };
    w.section("PartitionMemoryConfiguration", CUD, |w| {
        w.value("ActiveMemoryExpansionEnabled", CUD, expanded);
        w.value("ActiveMemorySharingEnabled", CUD, false);
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
        if novalink {
            w.value("ManualEntitledModeEnabled", ROR, false);
        }
        if client {
            w.value("MaximumHugePageCount", CUD, 0);
        }
        w.value("MaximumMemory", CUD, memory.maximum);
        if client {
            w.value("MinimumHugePageCount", CUD, 0);
        }
        w.value("MinimumMemory", CUD, memory.minimum);
        if novalink {
            w.value("AutoEntitledMemoryEnabled", CUD, false);
        }
        w.value("CurrentBarrierSynchronizationRegisterArrays", ROR, 0);
        if novalink {
            w.value("CurrentEntitledMemory", ROR, "AUTO");
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
        if novalink {
            w.value("CurrentMemoryWeight", ROR, 0);
        }
        w.value("CurrentMinimumHugePageCount", ROR, 0);
        w.value("CurrentMinimumMemory", ROR, memory.current_minimum);
        w.value("MemoryExpansionHardwareAccessEnabled", ROR, expanded);
        w.value("MemoryEncryptionHardwareAccessEnabled", ROR, true);
        w.value("MemoryExpansionEnabled", ROR, expanded);
        w.value(
            "RedundantErrorPathReportingEnabled",
            ROR,
            partition.settings.error_path_reporting,
        );
        w.value("RuntimeHugePageCount", ROR, 0);
        w.value("RuntimeMemory", ROR, runtime(memory.current));
        if novalink {
            w.value("RuntimeMemoryWeight", ROR, 0);
        }
        w.value("RuntimeMinimumMemory", ROR, runtime(memory.current_minimum));
        w.value("SharedMemoryEnabled", CUD, false);
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
