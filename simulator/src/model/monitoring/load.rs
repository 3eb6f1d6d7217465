//! What a partition does all day: a load that follows its state, the same for every run of one world.
//!
//! A partition remembers when its state or its entitlement changed and what had added up by then. Counters of any
//! moment follow from that, so samples of the past can still be shown, and no counter ever falls.

use std::sync::Arc;

use uuid::Uuid;

use super::RETENTION;
use crate::clock::Millis;
use crate::model::names::PartitionState;
use crate::model::partition::Partition;

/// How many changes are remembered at most.
const CHANGES: usize = 64;

/// The changes of a partition's state and entitlement, oldest first.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Load {
    changes: Arc<Vec<Change>>,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    at: Millis,
    state: PartitionState,
    /// Hundredths of a processor that it is entitled to from here on; zero while it does not run.
    units: u32,
    /// Milliseconds that it had run by then.
    ran: u64,
    /// Hundredths of a processor times milliseconds that it had been entitled to by then.
    entitled: u64,
}

/// What has added up by a moment.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The state at that moment.
    pub state: PartitionState,
    /// Milliseconds that the partition had run.
    pub ran: u64,
    /// Hundredths of a processor times milliseconds that it had been entitled to.
    pub entitled: u64,
}

impl Load {
    /// Notes what a partition is from now on.
    pub fn note(&mut self, now: Millis, state: PartitionState, units: u32) {
        let units = if state.works() { units } else { 0 };
        let last = self.changes.last().copied();
        if last.is_some_and(|last| last.state == state && last.units == units) {
            return;
        }
        let sum = self.sum(now);
        let change = Change {
            at: now,
            state,
            units,
            ran: sum.map_or(0, |sum| sum.ran),
            entitled: sum.map_or(0, |sum| sum.entitled),
        };
        let changes = Arc::make_mut(&mut self.changes);
        let stale = |next: &Change| now.0.saturating_sub(next.at.0) > RETENTION;
        while changes.len() >= CHANGES || changes.get(1).is_some_and(stale) {
            changes.remove(0);
        }
        changes.push(change);
    }

    /// Tells its moments by another clock.
    pub fn set_clock(&mut self, told: impl Fn(Millis) -> Millis) {
        for change in Arc::make_mut(&mut self.changes) {
            change.at = told(change.at);
        }
    }

    /// What had added up by a moment. Before the first change that is remembered: what that began with.
    #[must_use]
    pub fn sum(&self, at: Millis) -> Option<Sum> {
        let before = self.changes.iter().rev().find(|change| change.at <= at);
        let change = before.or_else(|| self.changes.first())?;
        let passed = at.0.saturating_sub(change.at.0);
        let ran = if change.state.works() { passed } else { 0 };
        Some(Sum {
            state: change.state,
            ran: change.ran + ran,
            entitled: change
                .entitled
                .saturating_add(ran.saturating_mul(u64::from(change.units))),
        })
    }
}

/// How long a system had been on when the simulated world began: ten days, which makes its counters as large as those of
/// the recordings.
const UP_BEFORE: u64 = 10 * 24 * 60 * 60 * 1000;

/// Milliseconds for which a system has been on. Its counters begin there; clients take the first one that they read for
/// the time since then.
#[must_use]
pub const fn up_time(at: Millis) -> u64 {
    at.0.saturating_sub(Millis::EPOCH.0) + UP_BEFORE
}

impl PartitionState {
    /// Whether a partition in this state uses processors.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(
            self,
            Self::Running | Self::OpenFirmware | Self::ShuttingDown | Self::MigratingRunning
        )
    }
}

impl Partition {
    /// Writes down what the partition has become, for its load.
    pub(in crate::model) fn note_load(&mut self, now: Millis) {
        let units = self.processors.current.desired_units().hundredths();
        self.load.note(now, self.state, units);
    }
}

/// A steady number from 0 to 99 for one partition and one purpose.
#[must_use]
pub fn trait_of(partition: Uuid, purpose: u8) -> u64 {
    let (high, low) = partition.as_u64_pair();
    let mixed = (high ^ low.rotate_left(u32::from(purpose) % 64))
        .wrapping_add(u64::from(purpose))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) % 100
}

/// How much of something adds up while a partition runs: `per_second` on average, in waves of ten minutes, never less
/// than half of it.
#[must_use]
pub fn in_waves(ran: u64, per_second: u64) -> u64 {
    const WAVE: u64 = 600_000;
    let (whole, rest) = (ran / WAVE, ran % WAVE);
    let half = WAVE / 2;
    // The rate rises from one half to three halves and falls again; what adds up is its integral.
    let rising = rest.min(half);
    let falling = rest - rising;
    let grown = |time: u64| time / 2 + time * time / WAVE;
    let wave = grown(rising) + falling * 3 / 2 - falling * falling / WAVE;
    let weighted = u128::from(whole) * u128::from(WAVE) + u128::from(wave);
    let total = weighted.saturating_mul(u128::from(per_second)) / 1000;
    u64::try_from(total).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_running_time_adds_up() {
        let mut load = Load::default();
        assert_eq!(load.sum(Millis(5)), None);
        load.note(Millis(0), PartitionState::NotActivated, 50);
        load.note(Millis(1000), PartitionState::Running, 50);
        load.note(Millis(3000), PartitionState::Running, 50);
        load.note(Millis(4000), PartitionState::Running, 100);
        load.note(Millis(5000), PartitionState::NotActivated, 100);
        let at = |time: u64| load.sum(Millis(time)).unwrap();
        assert_eq!(
            (at(500).ran, at(2000).ran, at(2000).entitled),
            (0, 1000, 50_000)
        );
        assert_eq!((at(4500).ran, at(4500).entitled), (3500, 200_000));
        assert_eq!((at(9000).ran, at(9000).entitled), (4000, 250_000));
        assert_eq!(at(2000).state, PartitionState::Running);
    }

    #[test]
    fn counters_never_fall_however_much_happens() {
        let mut load = Load::default();
        for step in 0..1000_u64 {
            let state = if step % 3 == 0 {
                PartitionState::NotActivated
            } else {
                PartitionState::Running
            };
            load.note(Millis(step * 7000), state, (step % 5) as u32 * 10);
        }
        assert!(load.changes.len() <= CHANGES);
        let sums: Vec<Sum> = (0..8000)
            .map(|step| load.sum(Millis(step * 1000)).unwrap())
            .collect();
        assert!(
            sums.windows(2)
                .all(|pair| pair[0].ran <= pair[1].ran && pair[0].entitled <= pair[1].entitled)
        );
    }

    #[test]
    fn waves_rise_at_no_less_than_half_the_average() {
        let values: Vec<u64> = (0..4000).map(|step| in_waves(step * 1000, 1000)).collect();
        assert!(
            values
                .windows(2)
                .all(|pair| (499..=1501).contains(&(pair[1] - pair[0])))
        );
        assert_eq!(in_waves(600_000, 1000), 600_000);
        assert_eq!(in_waves(u64::MAX, u64::MAX), u64::MAX);
    }
}
