//! Simulated time: tokio's clock, multiplied by a scale, counted from a fixed date.
//!
//! Under tokio's paused clock a run is deterministic: nothing here reads the wall clock, and every wait goes
//! through [`Clock::sleep`] or [`Clock::sleep_until`]. See `docs/decisions/time.md`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// A moment of simulated time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// REST documents carry such numbers as they are (`TimeStarted`, `AtomCreated`, `DateModified`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// When every simulated world begins: 2026-01-01T00:00:00Z. Fixed, so that two runs print the same dates.
    pub const EPOCH: Self = Self(1_767_225_600_000);

    /// The moment `milliseconds` later; stays at the largest value instead of wrapping round.
    #[must_use]
    pub const fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// The moment `duration` later, cut to whole milliseconds.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        self.plus(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    /// The time from `earlier` to this moment; zero if `earlier` lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// ISO 8601 with milliseconds in UTC, as Atom's `published` and `updated` have it: `2026-01-01T00:00:00.000Z`.
impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = i64::try_from(self.0)
            .ok()
            .and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok())
            .unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{moment:.3}")
    }
}

/// The clock of one simulator. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    started: Instant,
    scale: f64,
    skipped: AtomicU64,
    skip: Notify,
}

impl Clock {
    /// A clock that starts at [`Millis::EPOCH`] now and runs `scale` times as fast as tokio's.
    ///
    /// A `scale` that is not a finite number above zero counts as 1.
    #[must_use]
    pub fn new(scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 {
            scale
        } else {
            1.0
        };
        Self {
            shared: Arc::new(Shared {
                started: Instant::now(),
                scale,
                skipped: AtomicU64::new(0),
                skip: Notify::new(),
            }),
        }
    }

    /// The simulated present.
    #[must_use]
    pub fn now(&self) -> Millis {
        let elapsed = self.shared.started.elapsed();
        let simulated = if self.shared.scale == 1.0 {
            elapsed
        } else {
            Duration::try_from_secs_f64(elapsed.as_secs_f64() * self.shared.scale)
                .unwrap_or(Duration::MAX)
        };
        Millis::EPOCH
            .plus(self.shared.skipped.load(Ordering::Acquire))
            .after(simulated)
    }

    /// How much simulated time passes in one second of tokio's.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.shared.scale
    }

    /// Waits for `duration` of simulated time. A wait of zero returns at once.
    pub async fn sleep(&self, duration: Duration) {
        if !duration.is_zero() {
            self.sleep_until(self.now().after(duration)).await;
        }
    }

    /// Waits until the simulated present is at or past `moment`; also ends when [`Clock::advance`] jumps past it.
    pub async fn sleep_until(&self, moment: Millis) {
        loop {
            let skipped = self.shared.skip.notified();
            tokio::pin!(skipped);
            skipped.as_mut().enable();
            let now = self.now();
            if now >= moment {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(self.real(moment.since(now))) => {}
                () = skipped => {}
            }
        }
    }

    /// Jumps `duration` ahead and wakes whoever waits for a moment that has now come.
    pub fn advance(&self, duration: Duration) {
        let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let add = |skipped: u64| Some(skipped.saturating_add(milliseconds));
        let _ = self
            .shared
            .skipped
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        self.shared.skip.notify_waiters();
    }

    /// The tokio time that `simulated` takes, rounded up to tokio's grain of a millisecond by its timers.
    fn real(&self, simulated: Duration) -> Duration {
        if self.shared.scale == 1.0 {
            simulated
        } else {
            Duration::try_from_secs_f64(simulated.as_secs_f64() / self.shared.scale)
                .unwrap_or(Duration::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_prints_as_its_date() {
        assert_eq!(Millis::EPOCH.to_string(), "2026-01-01T00:00:00.000Z");
        assert_eq!(
            Millis::EPOCH.plus(61_007).to_string(),
            "2026-01-01T00:01:01.007Z"
        );
        assert!(!Millis(u64::MAX).to_string().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_scaled_clock_sleeps_shorter() {
        let clock = Clock::new(100.0);
        let before = Instant::now();
        clock.sleep(Duration::from_secs(100)).await;
        assert!(before.elapsed() <= Duration::from_millis(1002));
        assert!(clock.now() >= Millis::EPOCH.plus(100_000));
    }

    #[tokio::test(start_paused = true)]
    async fn advancing_wakes_a_sleeper() {
        let clock = Clock::new(1.0);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(3600)).await;
                Instant::now()
            }
        });
        tokio::task::yield_now().await;
        let before = Instant::now();
        clock.advance(Duration::from_secs(3600));
        let woken = sleeper.await.unwrap();
        assert!(woken.duration_since(before) < Duration::from_secs(1));
        assert_eq!(clock.now(), Millis::EPOCH.plus(3_600_000));
    }

    #[tokio::test]
    async fn nonsense_scales_count_as_one() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Clock::new(scale).scale(), 1.0);
        }
    }
}
