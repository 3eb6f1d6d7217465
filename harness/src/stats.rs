//! Durations of operations, summed up.

use std::time::Duration;

use serde::Serialize;

pub use powervm_report::stats::percentile;

/// What the durations of a step's operations come to, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// How many operations.
    pub count: usize,
    /// The median: half of them took this long or less (nearest rank).
    pub p50_ms: u64,
    /// 95 of 100 took this long or less (nearest rank).
    pub p95_ms: u64,
    /// The longest.
    pub max_ms: u64,
    /// From the begin of the first to the end of the last.
    pub makespan_ms: u64,
}

impl Summary {
    /// Sums up operations by their begin and end, both counted from the same moment.
    #[must_use]
    pub fn of(operations: &[(Duration, Duration)]) -> Self {
        let mut durations: Vec<u64> = operations
            .iter()
            .map(|(begin, end)| millis(end.saturating_sub(*begin)))
            .collect();
        durations.sort_unstable();
        let first = operations
            .iter()
            .map(|(begin, _)| *begin)
            .min()
            .unwrap_or_default();
        let last = operations
            .iter()
            .map(|(_, end)| *end)
            .max()
            .unwrap_or_default();
        Self {
            count: durations.len(),
            p50_ms: percentile(&durations, 50),
            p95_ms: percentile(&durations, 95),
            max_ms: durations.last().copied().unwrap_or_default(),
            makespan_ms: millis(last.saturating_sub(first)),
        }
    }
}

/// A duration in whole milliseconds.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds for people: `840 ms`, `12.3 s`, `4 min 05 s`.
#[must_use]
pub fn human(milliseconds: u64) -> String {
    powervm_report::stats::human(milliseconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Summary, human, percentile};

    #[test]
    fn percentiles_are_nearest_rank() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(
            (
                percentile(&hundred, 50),
                percentile(&hundred, 95),
                percentile(&hundred, 100)
            ),
            (50, 95, 100)
        );
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[1, 2, 3], 95), 3);
        assert_eq!(percentile(&[], 95), 0);
    }

    #[test]
    fn makespan_is_from_the_first_begin_to_the_last_end() {
        let s = Duration::from_secs;
        let summary = Summary::of(&[(s(5), s(8)), (s(4), s(6)), (s(5), s(15))]);
        assert_eq!(
            (summary.count, summary.p50_ms, summary.p95_ms),
            (3, 3000, 10_000)
        );
        assert_eq!((summary.max_ms, summary.makespan_ms), (10_000, 11_000));
        assert_eq!(Summary::of(&[]), Summary::default());
    }

    #[test]
    fn people_read_seconds() {
        assert_eq!(human(840), "840 ms");
        assert_eq!(human(12_345), "12.3 s");
        assert_eq!(human(245_000), "4 min 05 s");
    }
}
