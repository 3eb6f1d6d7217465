//! The simulated machine room with a driver for each of its systems.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use powervm_driver::Error;
use powervm_driver::config::{Config, DiskDriver};
use powervm_driver::journal::JournalFile;
use powervm_driver::operations::{Control, Driver};
use powervm_driver::rest::{Credentials, Endpoint, ServiceTransport, Session, SessionOptions};
use powervm_simulator::Simulator;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::Owner;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Ledger, Mixed, Until};
use crate::image::Image;
use crate::target::metered::MeteredTransport;
use crate::target::{Flavor, Meter, TargetError};

/// Where links of the simulator point; nothing listens there.
const ORIGIN: &str = "http://localhost:12080";
/// A NovaLink has one system; of two behind an HMC one can take the other's partitions.
const SYSTEMS: u16 = 2;

/// How often something is put back before it counts as a leak; an hour or more apart at the end, no storm lasts that
/// long.
const TRIES: u64 = 20;

/// One system and who drives it.
pub(super) struct Home {
    pub(super) system: Uuid,
    pub(super) name: String,
    pub(super) driver: Driver,
    /// One recovery at a time.
    pub(super) recovery: tokio::sync::Mutex<()>,
}

/// The machine room.
pub(super) struct Hall {
    pub(super) simulator: Simulator,
    pub(super) homes: Vec<Home>,
    pub(super) meter: Arc<Meter>,
    pub(super) image: Image,
    pub(super) seed: u64,
    pub(super) operators: u16,
    ledger: Mutex<Ledger>,
    began: Instant,
    /// When no new work begins any more; none for a number of deploys.
    over: Option<Instant>,
    /// How many deploys are left.
    left: AtomicUsize,
    cancel: CancellationToken,
}

impl Hall {
    pub(super) async fn open(mixed: &Mixed) -> Result<Self, TargetError> {
        let told = |error: Error| TargetError::Simulator(error.to_string());
        let systems = match mixed.flavor {
            Flavor::Hmc => SYSTEMS,
            Flavor::NovaLink => 1,
        };
        let sizes = Sizes {
            systems,
            // Two for each operator on its system: one that runs and one that does not.
            partitions: 2 * mixed.operators.max(1),
            ..Sizes::default()
        };
        let mut inventory = Inventory::sized(mixed.flavor.into(), sizes).with_shared_storage();
        let systems = inventory.systems.iter_mut();
        for partition in systems.flat_map(|system| &mut system.partitions) {
            // What operators resize has to have room for it.
            partition.memory_minimum_mb = Some(partition.memory_mb / 2);
            partition.memory_maximum_mb = Some(partition.memory_mb * 2);
        }
        let simulator = Simulator::builder()
            .flavor(mixed.flavor.into())
            .seed(mixed.seed)
            .inventory(inventory)
            .weather(mixed.weather.clone())
            .check_invariants(mixed.check_invariants)
            .build()
            .map_err(|error| TargetError::Simulator(error.to_string()))?;
        let meter = Arc::new(Meter::default());
        let world = simulator.world();
        let mut homes = Vec::new();
        for (number, system) in (0_u64..).zip(world.systems.values()) {
            let session = session(&simulator, mixed.seed ^ (number << 32), &meter);
            let config = Config {
                disk_driver: DiskDriver::Ssp,
                managed_system: system.name.clone(),
                ..Config::default()
            };
            let journal = Arc::new(JournalFile::in_memory().map_err(told)?);
            let driver = Driver::connect_with(session.await.map_err(told)?, config, journal);
            homes.push(Home {
                system: system.uuid,
                name: system.name.clone(),
                driver: driver.await.map_err(told)?,
                recovery: tokio::sync::Mutex::default(),
            });
        }
        let began = Instant::now();
        Ok(Self {
            simulator,
            homes,
            meter,
            image: mixed.image.clone(),
            seed: mixed.seed,
            operators: mixed.operators,
            ledger: Mutex::default(),
            began,
            over: match mixed.until {
                Until::Hours(hours) => Some(began + Duration::from_secs(3600 * hours)),
                Until::Deploys(_) => None,
            },
            left: AtomicUsize::new(match mixed.until {
                Until::Hours(_) => usize::MAX,
                Until::Deploys(deploys) => deploys,
            }),
            cancel: mixed.cancel.clone(),
        })
    }

    /// A stream of chance for somebody.
    pub(super) fn chance(&self, who: &str, number: u16) -> Chance {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let name = who.bytes().fold(u64::from(number), |sum, byte| {
            sum.wrapping_mul(257).wrapping_add(u64::from(byte))
        });
        random.set_stream(name);
        Chance(random)
    }

    /// Whether new work begins.
    pub(super) fn is_open(&self) -> bool {
        let is_over = self.over.is_some_and(|over| Instant::now() >= over);
        !is_over && !self.cancel.is_cancelled()
    }

    /// Whether another server is made.
    pub(super) fn is_another(&self) -> bool {
        let one_less = |left: usize| left.checked_sub(1);
        let (done, seen) = (Ordering::Relaxed, Ordering::Relaxed);
        self.is_open() && self.left.fetch_update(done, seen, one_less).is_ok()
    }

    /// Whether servers are made one after the other, without a pause.
    pub(super) fn is_busy(&self) -> bool {
        self.over.is_none()
    }

    /// Waits for so many minutes, or until no new work begins.
    pub(super) async fn pause(&self, minutes: u64) {
        let then = Instant::now() + Duration::from_secs(60 * minutes);
        tokio::select! {
            () = tokio::time::sleep_until(self.over.map_or(then, |over| then.min(over))) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    pub(super) fn note<T>(&self, operation: &str, ended: Result<T, Error>) -> Option<T> {
        self.lock().note(operation, ended)
    }

    /// Tried until it works, for what was changed has to be put back.
    pub(super) async fn restored<T, F: Future<Output = Result<T, Error>>>(
        &self,
        what: &str,
        mut again: impl FnMut() -> F,
    ) -> Option<T> {
        for attempt in 1..=TRIES {
            let restored = self.note(what, again().await);
            if restored.is_some() {
                return restored;
            }
            tokio::time::sleep(Duration::from_secs(30 * attempt * attempt)).await;
        }
        self.unexpected(format!("{what}: not within {TRIES} tries"));
        None
    }

    pub(super) fn unexpected(&self, what: String) {
        self.lock().unexpected(what);
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.lock().clone()
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Finishes and undoes what the journals have, as an operator who saw that something is left does.
    pub(super) async fn recover(&self) {
        for home in &self.homes {
            let _turn = home.recovery.lock().await;
            self.restored("recover", || async {
                let recovered = home.driver.recover(&Control::default()).await?;
                recovered.into_iter().try_for_each(|one| one.result)
            })
            .await;
        }
    }

    /// On which of the systems the partition is.
    pub(super) fn home_of(&self, partition: Uuid) -> Option<&Home> {
        let world = self.simulator.world();
        let system = world.partition(Owner::Partition(partition))?.system;
        self.homes.iter().find(|home| home.system == system)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn session(simulator: &Simulator, seed: u64, meter: &Arc<Meter>) -> Result<Session, Error> {
    let credentials = simulator.credentials();
    let endpoint = Endpoint::new(ORIGIN)?.credentials(Credentials::Password {
        user: credentials.user.clone(),
        password: credentials.password.clone(),
    });
    let transport = Arc::new(ServiceTransport::new(simulator.router()));
    let transport = Arc::new(MeteredTransport::new(transport, Arc::clone(meter)));
    let observer = Arc::clone(meter);
    let options = SessionOptions {
        seed,
        observer: Some(observer),
        ..SessionOptions::default()
    };
    Session::logon(endpoint, transport, options).await
}

/// Choices from a seeded stream.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// A number of this range, both ends included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0.random_range(low..=high)
    }

    /// One of these.
    pub(super) fn of<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let last = choices.len().checked_sub(1)?;
        choices.get(self.0.random_range(0..=last))
    }
}
