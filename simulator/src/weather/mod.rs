//! How long things take and what goes wrong: latency, busy Virtual I/O Servers, slow jobs, faults.
//!
//! Every draw comes from a stream of its own, derived from the seed, the class of the request and how many requests
//! of that class came before: the same seed and the same requests give the same weather, whatever else runs. See
//! `docs/decisions/weather.md`.

pub mod class;
pub mod faults;
pub mod file;
pub mod firmware;
pub mod latency;
pub mod queue;
mod rule;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use class::Class;
pub use faults::{FaultError, Faults};
pub use firmware::FirmwareError;
pub use latency::Latency;
pub use queue::Queues;
pub use rule::{Asked, Fault, Rule, When};

use crate::http::Problem;
use crate::model::Pace;
use crate::model::job::gate::Fate;

/// Which weather a simulator has.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Weather {
    /// Everything at once; jobs still take the model's own shortest time.
    #[default]
    Calm,
    /// The medians of a real server with a narrow spread; one change at a time per Virtual I/O Server.
    Typical,
    /// The full tails of a real server, busy Virtual I/O Servers, refusals with 503, slow jobs.
    Stormy,
    /// As a weather file says ([`file::parse`]).
    Custom(Box<Forecast>),
}

impl Weather {
    /// The numbers behind the name.
    #[must_use]
    pub fn forecast(&self) -> Forecast {
        match self {
            Self::Calm => Forecast::calm(),
            Self::Typical => Forecast::typical(),
            Self::Stormy => Forecast::stormy(),
            Self::Custom(forecast) => (**forecast).clone(),
        }
    }
}

/// The numbers of a weather.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// How long each class of request takes.
    pub latency: BTreeMap<Class, Latency>,
    /// What every partition adds to a feed of partitions.
    pub per_partition: Duration,
    /// How fast file contents arrive, in bytes of simulated time's second; absent means at once.
    pub upload_bytes_per_second: Option<u64>,
    /// How often a request that changes or asks a Virtual I/O Server finds it busy, 0 to 1.
    pub vios_busy: f64,
    /// How often any request is refused with 503, 0 to 1.
    pub unavailable: f64,
    /// How often a job is slow, 0 to 1.
    pub slow_job: f64,
    /// How many times as long a slow job takes.
    pub slow_job_factor: f64,
    /// Durations of what happens inside the machine.
    pub pace: Pace,
}

/// The 95th percentile of `typical` weather, as a multiple of the median.
const TYPICAL_SPREAD: f64 = 1.25;

impl Forecast {
    /// Whether no request takes any time and none is refused.
    fn is_still(&self) -> bool {
        let troubles = [self.vios_busy, self.unavailable, self.slow_job];
        troubles.iter().all(|often| *often <= 0.0)
            && self
                .latency
                .values()
                .all(|latency| latency.median_ms() <= 0.0)
    }

    /// No latency anywhere.
    #[must_use]
    pub fn calm() -> Self {
        let nothing = Latency::new(0.0, 0.0);
        Self {
            latency: Class::EVERY.iter().map(|class| (*class, nothing)).collect(),
            per_partition: Duration::ZERO,
            upload_bytes_per_second: None,
            vios_busy: 0.0,
            unavailable: 0.0,
            slow_job: 0.0,
            slow_job_factor: 1.0,
            pace: Pace::calm(),
        }
    }

    /// The medians of a real server, 95 of 100 requests within 1.25 times the median.
    #[must_use]
    pub fn typical() -> Self {
        let mut forecast = Self::stormy();
        for latency in forecast.latency.values_mut() {
            *latency = latency.narrowed(TYPICAL_SPREAD);
        }
        Self {
            pace: Pace::typical(),
            vios_busy: 0.0,
            unavailable: 0.0,
            slow_job: 0.0,
            slow_job_factor: 1.0,
            ..forecast
        }
    }

    /// The full tails of a real server, and trouble.
    #[must_use]
    pub fn stormy() -> Self {
        let measured = |class: &Class| {
            let (median, p95) = class.measured();
            (*class, Latency::new(f64::from(median), f64::from(p95)))
        };
        Self {
            latency: Class::EVERY.iter().map(measured).collect(),
            per_partition: Duration::from_millis(12),
            upload_bytes_per_second: Some(150_000_000),
            vios_busy: 0.05,
            unavailable: 0.01,
            slow_job: 0.05,
            slow_job_factor: 10.0,
            pace: Pace::stormy(),
        }
    }
}

/// What one request meets.
#[derive(Clone, Debug)]
pub struct Draw {
    /// How long it takes.
    pub latency: Duration,
    /// What it is refused with instead of being served.
    pub trouble: Option<Problem>,
    /// By how much the job that it starts is slowed down; 1 for most.
    pub job_factor: f64,
    /// How the job that it starts ends, if a fault decided that.
    pub fate: Option<Fate>,
}

impl Default for Draw {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            trouble: None,
            job_factor: 1.0,
            fate: None,
        }
    }
}

/// The weather at work: draws for one request after the other.
#[derive(Clone, Debug)]
pub struct Sky {
    forecast: Arc<Forecast>,
    /// Whether nothing takes time and nothing goes wrong: then there is nothing to draw.
    still: bool,
    seed: u64,
    drawn: Arc<Mutex<BTreeMap<Class, u64>>>,
}

impl Sky {
    /// The weather with this seed.
    #[must_use]
    pub fn new(forecast: Forecast, seed: u64) -> Self {
        Self {
            still: forecast.is_still(),
            forecast: Arc::new(forecast),
            seed,
            drawn: Arc::default(),
        }
    }

    /// The numbers behind it.
    #[must_use]
    pub fn forecast(&self) -> &Forecast {
        &self.forecast
    }

    /// What the next request of this class meets.
    #[must_use]
    pub fn draw(&self, class: Class) -> Draw {
        let number = {
            let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            let number = drawn.entry(class).or_default();
            *number += 1;
            *number
        };
        if self.still {
            return Draw::default();
        }
        let mut random = stream(self.seed, class, number);
        let latency = self
            .forecast
            .latency
            .get(&class)
            .map_or(Duration::ZERO, |latency| latency.sample(&mut random));
        let (busy, unavailable, slow): (f64, f64, f64) =
            (random.random(), random.random(), random.random());
        let vios = matches!(class, Class::ViosWrite | Class::ViosRead);
        let spared = matches!(
            class,
            Class::Logon | Class::Logoff | Class::FileContents | Class::Event
        );
        let trouble = if vios && busy < self.forecast.vios_busy {
            Some(vios_busy(number))
        } else if !spared && unavailable < self.forecast.unavailable {
            Some(unavailable_now())
        } else {
            None
        };
        let job_factor = if slow < self.forecast.slow_job {
            self.forecast.slow_job_factor
        } else {
            1.0
        };
        Draw {
            latency,
            trouble,
            job_factor,
            fate: None,
        }
    }

    /// How many requests of each class have drawn their weather so far.
    #[must_use]
    pub fn drawn(&self) -> BTreeMap<String, u64> {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn
            .iter()
            .map(|(class, number)| (class.name().to_owned(), *number))
            .collect()
    }

    /// Goes on after so many requests of each class. Names of no class are left out.
    pub fn resume(&self, drawn: &BTreeMap<String, u64>) {
        let number = |class: &Class| drawn.get(class.name()).map(|number| (*class, *number));
        *self.drawn.lock().unwrap_or_else(PoisonError::into_inner) =
            Class::EVERY.iter().filter_map(number).collect();
    }

    /// The same weather with counts of its own.
    #[must_use]
    pub fn fork(&self) -> Self {
        let fork = Self {
            forecast: Arc::clone(&self.forecast),
            still: self.still,
            seed: self.seed,
            drawn: Arc::default(),
        };
        fork.resume(&self.drawn());
        fork
    }

    /// How long `bytes` of file contents take to arrive.
    #[must_use]
    pub fn upload(&self, bytes: u64) -> Duration {
        match self.forecast.upload_bytes_per_second {
            Some(rate) if rate > 0 => Duration::from_secs_f64(bytes as f64 / rate as f64),
            _ => Duration::ZERO,
        }
    }
}

/// The stream of the `number`th request of a class. Fixed arithmetic: reports of old runs stay reproducible.
fn stream(seed: u64, class: Class, number: u64) -> ChaCha8Rng {
    let name = class
        .name()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ name.rotate_left(17));
    random.set_stream(number);
    random
}

/// The two texts by which clients know that waiting helps, in turn.
fn vios_busy(number: u64) -> Problem {
    let message = if number.is_multiple_of(2) {
        "HSCL3205 The Virtual I/O Server is busy processing some other request. Please retry the operation after sometime."
    } else {
        "Unable to send command to VIOS at this moment. VIOS is busy processing some other request. Please retry the operation after sometime. VIOS0014"
    };
    Problem::new(500, UNKNOWN_ERROR, message)
}

fn unavailable_now() -> Problem {
    Problem::new(
        503,
        UNKNOWN_ERROR,
        "The system is currently too busy to complete the specified request. Please retry the operation after sometime.",
    )
}

/// `ReasonCode` of most errors that are not about the URL (recording `fake_httperror`).
pub const UNKNOWN_ERROR: &str = "Unknown internal error.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_weather_in_any_order_of_classes() {
        let draws = |order: &[Class]| {
            let sky = Sky::new(Forecast::stormy(), 7);
            let mut seen: Vec<(Class, Duration, bool)> = order
                .iter()
                .map(|class| (*class, sky.draw(*class)))
                .map(|(class, draw)| (class, draw.latency, draw.trouble.is_some()))
                .collect();
            seen.sort();
            seen
        };
        let one = draws(&[
            Class::ViosWrite,
            Class::Entry,
            Class::ViosWrite,
            Class::Quick,
        ]);
        let other = draws(&[
            Class::Quick,
            Class::ViosWrite,
            Class::ViosWrite,
            Class::Entry,
        ]);
        assert_eq!(one, other);
    }

    #[test]
    fn typical_stays_close_to_the_median() {
        let sky = Sky::new(Forecast::typical(), 1);
        let mut samples: Vec<u128> = (0..1000)
            .map(|_| sky.draw(Class::ViosWrite))
            .inspect(|draw| assert!(draw.trouble.is_none()))
            .map(|draw| draw.latency.as_millis())
            .collect();
        samples.sort_unstable();
        assert!((4800..5200).contains(&samples[500]), "{}", samples[500]);
        assert!((6000..6500).contains(&samples[950]), "{}", samples[950]);
    }

    #[test]
    fn storms_bring_trouble_and_calm_none() {
        let sky = Sky::new(Forecast::stormy(), 1);
        let trouble = (0..1000)
            .filter(|_| sky.draw(Class::ViosWrite).trouble.is_some())
            .count();
        assert!((20..120).contains(&trouble), "{trouble}");
        let sky = Sky::new(Forecast::calm(), 1);
        assert!((0..100).all(|_| sky.draw(Class::ViosWrite).latency.is_zero()));
        assert_eq!(sky.upload(u64::MAX), Duration::ZERO);
    }

    #[test]
    fn uploads_take_their_bytes_time() {
        assert_eq!(
            Sky::new(Forecast::typical(), 1).upload(300_000_000),
            Duration::from_secs(2)
        );
    }
}
