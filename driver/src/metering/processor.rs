//! What a partition uses of processors.

use serde::Serialize;

use super::feed::History;
use super::raw::{Partition, PartitionProcessor};
use super::{growth, nanoseconds};

/// What a server uses of processors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CpuMeters {
    /// Its virtual processors, or dedicated ones.
    pub number: u32,
    /// Time of processors that it has used since the hypervisor counts it, in nanoseconds.
    pub time_ns: u64,
    /// What it has used between the two newest samples, in percent of what it is entitled to: above 100 for an
    /// uncapped one that was given more. None without an earlier sample, as after a migration.
    pub utilisation_percent: Option<f64>,
}

impl PartitionProcessor {
    /// Cycles that were given to it.
    pub(super) fn given(&self) -> u64 {
        let (capped, uncapped) = (
            self.utilized_capped_proc_cycles.0,
            self.utilized_un_capped_proc_cycles.0,
        );
        capped.saturating_add(uncapped)
    }

    /// Whether nothing was ever counted: it is new here, and what it counts next may come from elsewhere.
    pub(super) fn is_blank(&self) -> bool {
        self.given() == 0 && self.entitled_proc_cycles.0 == 0
    }
}

impl CpuMeters {
    pub(super) fn of(
        partition: &Partition,
        before: Option<&Partition>,
        number: u32,
        history: &History,
    ) -> Self {
        let per_second = history.now.hypervisor.processor.proc_cycles_per_second.0;
        let before = before
            .map(|before| &before.processor)
            .filter(|before| !before.is_blank());
        Self {
            number,
            time_ns: nanoseconds(partition.processor.given(), per_second),
            utilisation_percent: before
                .and_then(|before| utilisation(&partition.processor, before)),
        }
    }
}

/// In percent; none for counters that were set back.
fn utilisation(now: &PartitionProcessor, before: &PartitionProcessor) -> Option<f64> {
    let given = growth(now.given(), before.given())?;
    let idle = growth(now.idle_proc_cycles.0, before.idle_proc_cycles.0)?;
    let donated = growth(now.donated_proc_cycles.0, before.donated_proc_cycles.0)?;
    let entitled = growth(now.entitled_proc_cycles.0, before.entitled_proc_cycles.0)?;
    if entitled == 0 {
        return Some(0.0);
    }
    let used = given.saturating_sub(idle).saturating_sub(donated);
    // Cycles between two samples are far below what a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let percent = 100.0 * used as f64 / entitled as f64;
    Some(percent)
}

#[cfg(test)]
mod tests {
    use super::super::count::Count;
    use super::*;

    fn processor(
        entitled: u64,
        capped: u64,
        uncapped: u64,
        idle: u64,
        donated: u64,
    ) -> PartitionProcessor {
        PartitionProcessor {
            entitled_proc_cycles: Count(entitled),
            utilized_capped_proc_cycles: Count(capped),
            utilized_un_capped_proc_cycles: Count(uncapped),
            idle_proc_cycles: Count(idle),
            donated_proc_cycles: Count(donated),
        }
    }

    #[test]
    fn utilisation_is_of_the_entitlement_and_less_what_was_idle_or_lent() {
        let before = processor(1000, 100, 10, 5, 1);
        assert_eq!(
            utilisation(&processor(2000, 600, 60, 155, 51), &before),
            Some(35.0)
        );
        assert_eq!(
            utilisation(&processor(1100, 200, 110, 5, 1), &before),
            Some(200.0)
        );
        assert_eq!(
            utilisation(&processor(1000, 200, 10, 5, 1), &before),
            Some(0.0)
        );
        // The hypervisor was restarted.
        assert_eq!(utilisation(&processor(10, 5, 0, 0, 0), &before), None);
    }
}
