//! Performance and capacity monitoring: what is collected, and the load that there is to collect
//! (`docs/protocol/monitoring.md`).

pub mod load;
pub mod preferences;

pub use load::Load;

use crate::clock::Millis;

/// How often a long term sample is taken, in milliseconds.
pub const LONG_TERM_PERIOD: u64 = 30_000;
/// How often a short term sample is taken, in milliseconds.
pub const SHORT_TERM_PERIOD: u64 = 5_000;
/// How long samples are kept, in milliseconds.
pub const RETENTION: u64 = 2 * 3_600_000;

/// `ManagedSystemPcmPreference`: which collections are on, and since when.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Monitoring {
    /// `LongTermMonitorEnabled`
    pub long_term: Option<Millis>,
    /// `ShortTermMonitorEnabled`
    pub short_term: Option<Millis>,
    /// `AggregationEnabled`
    pub aggregation: Option<Millis>,
    /// `ComputeLTMEnabled`
    pub compute_long_term: bool,
    /// `EnergyMonitorEnabled` (HMC)
    pub energy: bool,
    /// Changes with the preferences.
    pub version: u64,
}

/// A collection of samples.
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
pub enum Collection {
    /// `RawMetrics/LongTermMonitor`
    LongTerm,
    /// `RawMetrics/ShortTermMonitor`
    ShortTerm,
    /// `ProcessedMetrics`
    Processed,
    /// `AggregatedMetrics`
    Aggregated,
}

impl Collection {
    /// Milliseconds between two samples.
    #[must_use]
    pub const fn period(self) -> u64 {
        match self {
            Self::LongTerm | Self::Processed => LONG_TERM_PERIOD,
            Self::ShortTerm => SHORT_TERM_PERIOD,
            Self::Aggregated => 300_000,
        }
    }
}

impl Monitoring {
    /// Since when a collection has been on. `None`: it is off.
    #[must_use]
    pub const fn since(&self, collection: Collection) -> Option<Millis> {
        match collection {
            Collection::LongTerm => self.long_term,
            Collection::ShortTerm => self.short_term,
            Collection::Processed | Collection::Aggregated => self.aggregation,
        }
    }

    /// The moments of the samples between two moments, oldest first, at most `most` (the newest count).
    #[must_use]
    pub fn samples(
        &self,
        collection: Collection,
        now: Millis,
        (start, end): (Option<Millis>, Option<Millis>),
        most: usize,
    ) -> Vec<Millis> {
        let Some(since) = self.since(collection) else {
            return Vec::new();
        };
        let period = collection.period();
        let oldest = Millis(now.0.saturating_sub(RETENTION)).max(since);
        let first = start.unwrap_or(oldest).max(oldest).0.div_ceil(period);
        let last = end.unwrap_or(now).min(now).0 / period;
        let count = (last + 1).saturating_sub(first);
        let skipped = count.saturating_sub(u64::try_from(most).unwrap_or(u64::MAX));
        (first + skipped..=last)
            .map(|number| Millis(number * period))
            .collect()
    }

    /// Whether there is a sample of this moment.
    #[must_use]
    pub fn has_sample(&self, collection: Collection, now: Millis, at: Millis) -> bool {
        self.since(collection).is_some_and(|since| {
            at >= since
                && at <= now
                && at.0.is_multiple_of(collection.period())
                && now.0.saturating_sub(at.0) <= RETENTION
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_lie_on_the_grid_while_the_collection_is_on() {
        let on = Monitoring {
            long_term: Some(Millis(100_000)),
            ..Monitoring::default()
        };
        let all = on.samples(Collection::LongTerm, Millis(200_000), (None, None), 10);
        assert_eq!(all, [120_000, 150_000, 180_000].map(Millis));
        let some = on.samples(
            Collection::LongTerm,
            Millis(200_000),
            (Some(Millis(130_000)), Some(Millis(170_000))),
            10,
        );
        assert_eq!(some, [Millis(150_000)]);
        assert_eq!(
            on.samples(Collection::LongTerm, Millis(200_000), (None, None), 1),
            [Millis(180_000)]
        );
        assert!(
            all.iter()
                .all(|at| on.has_sample(Collection::LongTerm, Millis(200_000), *at))
        );
        assert!(!on.has_sample(Collection::LongTerm, Millis(200_000), Millis(90_000)));
        assert!(!on.has_sample(Collection::LongTerm, Millis(10_000_000), Millis(120_000)));
        assert!(
            on.samples(Collection::ShortTerm, Millis(200_000), (None, None), 10)
                .is_empty()
        );
        let backwards = (Some(Millis(u64::MAX)), Some(Millis(0)));
        assert!(
            on.samples(Collection::LongTerm, Millis(200_000), backwards, 10)
                .is_empty()
        );
    }
}
