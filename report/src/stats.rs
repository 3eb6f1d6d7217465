//! Durations, summed up.

/// What durations come to, in microseconds; percentiles by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many.
    pub count: u64,
    /// Half of them took this long or less.
    pub p50_us: u64,
    /// 90 of 100 took this long or less.
    pub p90_us: u64,
    /// 95 of 100 took this long or less.
    pub p95_us: u64,
    /// 99 of 100 took this long or less.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl Summary {
    /// Sums durations up.
    #[must_use]
    pub fn of(mut durations: Vec<u64>) -> Self {
        durations.sort_unstable();
        Self {
            count: durations.len() as u64,
            p50_us: percentile(&durations, 50),
            p90_us: percentile(&durations, 90),
            p95_us: percentile(&durations, 95),
            p99_us: percentile(&durations, 99),
            max_us: durations.last().copied().unwrap_or_default(),
        }
    }
}

/// The nearest-rank percentile of sorted values; 0 of none.
#[must_use]
pub fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

/// Microseconds for people: `840 ms`, `12.3 s`, `4 min 05 s`.
#[must_use]
pub fn human(micros: u64) -> String {
    let milliseconds = micros / 1000;
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..120_000 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{Summary, human};

    #[test]
    fn percentiles_are_nearest_rank() {
        let summary = Summary::of((1..=200).rev().collect());
        assert_eq!(
            (summary.count, summary.p50_us, summary.p90_us),
            (200, 100, 180)
        );
        assert_eq!(
            (summary.p95_us, summary.p99_us, summary.max_us),
            (190, 198, 200)
        );
        assert_eq!(Summary::of(Vec::new()), Summary::default());
    }

    #[test]
    fn people_read_seconds() {
        assert_eq!(human(840_000), "840 ms");
        assert_eq!(human(12_345_678), "12.3 s");
        assert_eq!(human(245_000_000), "4 min 05 s");
    }
}
