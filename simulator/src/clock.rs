//! Simulated time: tokio's clock, multiplied by a scale, counted from a fixed date.
//!
//! Under tokio's paused clock a run is deterministic: nothing here reads the wall clock, and every wait goes
//! through [`Clock::sleep`] or [`Clock::sleep_until`]. See `docs/decisions/time.md`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A moment of simulated time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// REST documents carry such numbers as they are (`TimeStarted`, `AtomCreated`, `DateModified`).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
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
    reading: ArcSwap<Reading>,
    /// Held while one reading replaces another.
    setting: Mutex<()>,
    changed: Notify,
    sleepers: Mutex<BTreeMap<Millis, usize>>,
    waiting: AtomicUsize,
}

/// What the clock showed at one moment of tokio's time, and how fast it has run since.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    shown: Duration,
    scale: f64,
}

impl Reading {
    /// Simulated time since [`Millis::EPOCH`].
    fn now(&self) -> Duration {
        let elapsed = self.at.elapsed();
        let simulated = if self.scale == 1.0 {
            elapsed
        } else {
            Duration::try_from_secs_f64(elapsed.as_secs_f64() * self.scale).unwrap_or(Duration::MAX)
        };
        self.shown.saturating_add(simulated)
    }
}

/// The fastest that a clock runs: a year of simulated time in half a minute.
pub const FASTEST: f64 = 1e6;

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
        let reading = Reading {
            at: Instant::now(),
            shown: Duration::ZERO,
            scale,
        };
        Self {
            shared: Arc::new(Shared {
                reading: ArcSwap::from_pointee(reading),
                setting: Mutex::default(),
                changed: Notify::new(),
                sleepers: Mutex::default(),
                waiting: AtomicUsize::new(0),
            }),
        }
    }

    /// The simulated present.
    #[must_use]
    pub fn now(&self) -> Millis {
        Millis::EPOCH.after(self.shared.reading.load().now())
    }

    /// How much simulated time passes in one second of tokio's; 0 while the clock stands.
    #[must_use]
    pub fn scale(&self) -> f64 {
        self.shared.reading.load().scale
    }

    /// Lets the clock run `scale` times as fast as tokio's from now on; 0 stops it, so that only
    /// [`Clock::advance`] moves it. False, and nothing changed, unless `scale` is 0 to [`FASTEST`].
    pub fn set_scale(&self, scale: f64) -> bool {
        let good = (0.0..=FASTEST).contains(&scale);
        if good {
            self.replace(|reading| Reading {
                at: Instant::now(),
                shown: reading.now(),
                scale,
            });
        }
        good
    }

    /// Sets the clock, ahead or back; one before [`Millis::EPOCH`] counts as that.
    pub fn set(&self, moment: Millis) {
        self.replace(|reading| Reading {
            at: Instant::now(),
            shown: moment.since(Millis::EPOCH),
            scale: reading.scale,
        });
    }

    /// Waits for `duration` of simulated time. A wait of zero returns at once.
    pub async fn sleep(&self, duration: Duration) {
        if !duration.is_zero() {
            self.sleep_until(self.now().after(duration)).await;
        }
    }

    /// Waits until the simulated present is at or past `moment`; also ends when the clock is set past it. The wait is
    /// work that takes its time, and so counts for [`Clock::next_sleeper`].
    pub async fn sleep_until(&self, moment: Millis) {
        if self.now() < moment {
            let _sleeper = Sleeper::new(self, moment);
            self.wait_until(moment).await;
        }
    }

    /// As [`Clock::sleep_until`], for who waits for nothing in particular, as a long poll does.
    pub async fn wait_until(&self, moment: Millis) {
        let _waiting = Waiting::new(&self.shared.waiting);
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.now();
            if now >= moment {
                return;
            }
            match self.real(moment.since(now)) {
                Some(real) => tokio::select! {
                    () = tokio::time::sleep(real) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// The next moment for which somebody sleeps.
    #[must_use]
    pub fn next_sleeper(&self) -> Option<Millis> {
        self.sleepers().first_key_value().map(|(moment, _)| *moment)
    }

    /// How many sleep or wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Acquire)
    }

    /// Jumps `duration` ahead and wakes whoever waits for a moment that has now come.
    pub fn advance(&self, duration: Duration) {
        self.replace(|reading| Reading {
            shown: reading.shown.saturating_add(duration),
            ..*reading
        });
    }

    fn replace(&self, next: impl FnOnce(&Reading) -> Reading) {
        let setting = self
            .shared
            .setting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let next = next(&self.shared.reading.load());
        self.shared.reading.store(Arc::new(next));
        drop(setting);
        self.shared.changed.notify_waiters();
    }

    /// The tokio time that `simulated` takes, rounded up to tokio's grain of a millisecond by its timers; none while
    /// the clock stands.
    fn real(&self, simulated: Duration) -> Option<Duration> {
        let scale = self.scale();
        if scale == 1.0 {
            Some(simulated)
        } else if scale > 0.0 {
            Some(
                Duration::try_from_secs_f64(simulated.as_secs_f64() / scale)
                    .unwrap_or(Duration::MAX),
            )
        } else {
            None
        }
    }

    fn sleepers(&self) -> MutexGuard<'_, BTreeMap<Millis, usize>> {
        self.shared
            .sleepers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who sleeps, for as long as this lives.
struct Sleeper<'a> {
    clock: &'a Clock,
    moment: Millis,
}

impl<'a> Sleeper<'a> {
    fn new(clock: &'a Clock, moment: Millis) -> Self {
        *clock.sleepers().entry(moment).or_default() += 1;
        Self { clock, moment }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let mut sleepers = self.clock.sleepers();
        if let Some(number) = sleepers.get_mut(&self.moment) {
            *number -= 1;
            if *number == 0 {
                sleepers.remove(&self.moment);
            }
        }
    }
}

/// One who waits, for as long as this lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(number: &'a AtomicUsize) -> Self {
        number.fetch_add(1, Ordering::AcqRel);
        Self(number)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
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

    #[tokio::test(start_paused = true)]
    async fn a_standing_clock_moves_only_when_told() {
        let clock = Clock::new(1.0);
        assert!(clock.set_scale(0.0));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(5)).await }
        });
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.now(), Millis::EPOCH);
        assert_eq!(clock.next_sleeper(), Some(Millis::EPOCH.plus(5000)));
        clock.advance(Duration::from_secs(5));
        sleeper.await.unwrap();
        assert_eq!(clock.next_sleeper(), None);
        assert!(clock.set_scale(2.0));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.now(), Millis::EPOCH.plus(7000));
        for nonsense in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(!clock.set_scale(nonsense));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_can_be_set_back() {
        let clock = Clock::new(1.0);
        clock.advance(Duration::from_secs(60));
        clock.set(Millis::EPOCH.plus(5));
        assert_eq!(clock.now(), Millis::EPOCH.plus(5));
        clock.set(Millis(3));
        assert_eq!(clock.now(), Millis::EPOCH);
    }

    #[tokio::test]
    async fn nonsense_scales_count_as_one() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Clock::new(scale).scale(), 1.0);
        }
    }
}
