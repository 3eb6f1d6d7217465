//! `PartitionProcessorConfiguration`: what is asked for, and what the partition has.

use super::writer::{CUD, ROR, Writer};
use crate::model::partition::{PartitionProcessors, ProcessorSetting, SharedProcessors};
use crate::model::units::ProcUnits;

/// Writes the section; `RuntimeSharingMode` is shown of Virtual I/O Servers alone (recordings
/// `fake_vios_feed3`, `fake_vios_hosting_vios_feed`).
pub(crate) fn write(w: &mut Writer, processors: &PartitionProcessors, runtime_sharing: bool) {
    let (configured, current) = (&processors.configured, &processors.current);
    w.section("PartitionProcessorConfiguration", CUD, |w| {
        write_configured(w, configured);
        w.flag("CurrentHasDedicatedProcessors", ROR, is_dedicated(current));
        w.value("CurrentSharingMode", ROR, current.sharing());
        if let ProcessorSetting::Dedicated {
            minimum,
            desired,
            maximum,
            ..
        } = current
        {
            // Recorded of partitions of both products, of Virtual I/O Servers in the cassette `refresher.yml` alone.
            w.section("CurrentDedicatedProcessorConfiguration", ROR, |w| {
                w.value("CurrentMaximumProcessors", ROR, maximum);
                w.value("CurrentMinimumProcessors", ROR, minimum);
                w.value("CurrentProcessors", ROR, desired);
                w.value(
                    "RunProcessors",
                    ROR,
                    if processors.active { *desired } else { 0 },
                );
            });
        }
        w.flag("RuntimeHasDedicatedProcessors", ROR, is_dedicated(current));
        if runtime_sharing {
            w.value("RuntimeSharingMode", ROR, current.sharing());
        }
        if let ProcessorSetting::Shared(shared) = current {
            w.section("CurrentSharedProcessorConfiguration", ROR, |w| {
                current_shares(w, shared, processors.active)
            });
        }
    });
}

/// What is asked for, as a partition and a profile show it.
pub(crate) fn write_configured(w: &mut Writer, configured: &ProcessorSetting) {
    if let ProcessorSetting::Dedicated {
        minimum,
        desired,
        maximum,
        ..
    } = configured
    {
        // As above: of Virtual I/O Servers in the cassette `refresher.yml` alone.
        w.section("DedicatedProcessorConfiguration", CUD, |w| {
            w.value("DesiredProcessors", CUD, desired);
            w.value("MaximumProcessors", CUD, maximum);
            w.value("MinimumProcessors", CUD, minimum);
        });
    }
    w.flag("HasDedicatedProcessors", CUD, is_dedicated(configured));
    if let ProcessorSetting::Shared(shared) = configured {
        w.section("SharedProcessorConfiguration", CUD, |w| {
            configured_shares(w, shared)
        });
    }
    w.value("SharingMode", CUD, configured.sharing());
}

/// Whether the setting is of whole processors.
pub(crate) const fn is_dedicated(setting: &ProcessorSetting) -> bool {
    matches!(setting, ProcessorSetting::Dedicated { .. })
}

fn configured_shares(w: &mut Writer, shared: &SharedProcessors) {
    w.value("DesiredProcessingUnits", CUD, shared.desired_units);
    w.value("DesiredVirtualProcessors", CUD, shared.desired_virtual);
    w.value("MaximumProcessingUnits", CUD, shared.maximum_units);
    w.value("MaximumVirtualProcessors", CUD, shared.maximum_virtual);
    w.value("MinimumProcessingUnits", CUD, shared.minimum_units);
    w.value("MinimumVirtualProcessors", CUD, shared.minimum_virtual);
    w.value("SharedProcessorPoolID", CUD, shared.pool);
    if let Some(weight) = shared.uncapped_weight {
        w.value("UncappedWeight", CUD, weight);
    }
}

fn current_shares(w: &mut Writer, shared: &SharedProcessors, active: bool) {
    w.value("AllocatedVirtualProcessors", ROR, shared.desired_virtual);
    w.value("CurrentMaximumProcessingUnits", ROR, shared.maximum_units);
    w.value("CurrentMinimumProcessingUnits", ROR, shared.minimum_units);
    w.value("CurrentProcessingUnits", ROR, shared.desired_units);
    w.value("CurrentSharedProcessorPoolID", ROR, shared.pool);
    if let Some(weight) = shared.uncapped_weight {
        w.value("CurrentUncappedWeight", ROR, weight);
    }
    w.value(
        "CurrentMinimumVirtualProcessors",
        ROR,
        shared.minimum_virtual,
    );
    w.value(
        "CurrentMaximumVirtualProcessors",
        ROR,
        shared.maximum_virtual,
    );
    w.value(
        "RuntimeProcessingUnits",
        ROR,
        if active {
            shared.desired_units
        } else {
            ProcUnits::ZERO
        },
    );
    if let Some(weight) = shared.uncapped_weight {
        w.value(
            "RuntimeUncappedWeight",
            ROR,
            if active { weight } else { 0 },
        );
    }
}
