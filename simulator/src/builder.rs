//! Building a simulator: flavour, inventory, seed, weather, sessions.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::counters::Tally;
use crate::http::sessions::{Credentials, SessionRules, Sessions};
use crate::inventory::{Inventory, InventoryError};
use crate::model::Flavor;
use crate::peer::{Peer, Peers, Remote, RemoteError};
use crate::render::Renderer;
use crate::requests::RequestLog;
use crate::simulator::{Shared, Simulator};
use crate::state::{self, Shelf, StateError, StateFile};
use crate::weather::{Faults, Queues, Sky, Weather};

/// Why a simulator cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The inventory makes no world.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A peer cannot be asked.
    #[error(transparent)]
    Peer(#[from] RemoteError),
    /// The state file cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The first transaction number, as on a freshly started server.
const FIRST_TRANSACTION: u64 = 10_000_000;

/// Keeps the streams of random values apart that one seed feeds.
mod stream {
    pub(super) const PASSWORD: u64 = 0x7061_7373;
    pub(super) const TOKENS: u64 = 0x746f_6b65_6e73;
    pub(super) const WEATHER: u64 = 0x0077_6561_7468_6572;
}

/// A [`Simulator`] to be. Every setting has a default.
#[derive(Clone, Debug)]
pub struct Builder {
    flavor: Flavor,
    inventory: Option<Inventory>,
    seed: u64,
    secret_seed: Option<u64>,
    weather: Weather,
    time_scale: f64,
    check_invariants: bool,
    user: Option<String>,
    password: Option<SecretString>,
    rules: SessionRules,
    authority: String,
    state_file: Option<PathBuf>,
    only_system: Option<String>,
    peers: Vec<(String, Arc<dyn Peer>)>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            flavor: Flavor::NovaLink,
            inventory: None,
            seed: 0,
            secret_seed: None,
            weather: Weather::Calm,
            time_scale: 1.0,
            check_invariants: false,
            user: None,
            password: None,
            rules: SessionRules::default(),
            authority: "localhost:12080".to_owned(),
            state_file: None,
            only_system: None,
            peers: Vec::new(),
        }
    }
}

impl Builder {
    /// Which product to emulate; a NovaLink if not set.
    #[must_use]
    pub fn flavor(self, flavor: Flavor) -> Self {
        Self { flavor, ..self }
    }

    /// What stands in the machine room; [`Inventory::default_for`] the flavour if not set.
    #[must_use]
    pub fn inventory(self, inventory: Inventory) -> Self {
        Self {
            inventory: Some(inventory),
            ..self
        }
    }

    /// The seed of everything random: identifiers, weather, tokens.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// A seed of its own for tokens and the generated password, so that a public seed does not give them away.
    #[must_use]
    pub fn secret_seed(self, seed: u64) -> Self {
        Self {
            secret_seed: Some(seed),
            ..self
        }
    }

    /// The weather; calm if not set.
    #[must_use]
    pub fn weather(self, weather: Weather) -> Self {
        Self { weather, ..self }
    }

    /// How many times as fast as tokio's clock simulated time runs; 1 if not set.
    #[must_use]
    pub fn time_scale(self, time_scale: f64) -> Self {
        Self { time_scale, ..self }
    }

    /// Whether every change is checked against the invariants of the model, and refused with 500 if it violates one.
    #[must_use]
    pub fn check_invariants(self, check_invariants: bool) -> Self {
        Self {
            check_invariants,
            ..self
        }
    }

    /// The user that may log on; `hscroot` on an HMC and `neo` on a NovaLink if not set.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        Self {
            user: Some(user.into()),
            ..self
        }
    }

    /// The user's password; generated if not set, see [`Simulator::credentials`].
    #[must_use]
    pub fn password(self, password: SecretString) -> Self {
        Self {
            password: Some(password),
            ..self
        }
    }

    /// After how much simulated time without a request a session ends; two hours if not set.
    #[must_use]
    pub fn session_idle(mut self, idle: Duration) -> Self {
        self.rules.idle = idle;
        self
    }

    /// How many sessions there may be at a time; 10,000 if not set.
    #[must_use]
    pub fn most_sessions(mut self, most: usize) -> Self {
        self.rules.most = most.max(1);
        self
    }

    /// The folder for token files; a private temporary one if not set.
    #[must_use]
    pub fn token_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.rules.token_folder = Some(folder.into());
        self
    }

    /// Host and port of links where a request names no usable `Host`; `localhost:12080` if not set.
    #[must_use]
    pub fn authority(self, authority: impl Into<String>) -> Self {
        Self {
            authority: authority.into(),
            ..self
        }
    }

    /// Where the state survives: read now if the file is there, in the place of what the inventory says; written by
    /// [`Simulator::persist`].
    #[must_use]
    pub fn state_file(self, path: impl Into<PathBuf>) -> Self {
        Self {
            state_file: Some(path.into()),
            ..self
        }
    }

    /// Simulates only the system of this name; the rest of the machine room is elsewhere ([`World::part`]).
    ///
    /// [`World::part`]: crate::model::World::part
    #[must_use]
    pub fn only_system(self, name: impl Into<String>) -> Self {
        Self {
            only_system: Some(name.into()),
            ..self
        }
    }

    /// Another simulator that partitions can move to, by the name that migrations give as `TargetRemoteHMCIPAddress`
    /// ([`Simulator::add_peer`]).
    #[must_use]
    pub fn peer(mut self, name: impl Into<String>, peer: Arc<dyn Peer>) -> Self {
        self.peers.push((name.into(), peer));
        self
    }

    /// Builds the simulator. Its clock starts now, or where that of its state file stopped.
    ///
    /// # Errors
    /// [`BuildError`] if the inventory is not consistent, or the state file cannot be used.
    pub fn build(self) -> Result<Simulator, BuildError> {
        let state_file = self.state_file.map(StateFile::open).transpose()?;
        let saved = match &state_file {
            Some(file) => state::read(file.path())?,
            None => None,
        };
        let clock = Clock::new(self.time_scale);
        let inventory = self
            .inventory
            .unwrap_or_else(|| Inventory::default_for(self.flavor));
        let forecast = self.weather.forecast();
        let mut world = inventory.world(self.flavor, self.seed, clock.now())?;
        if let Some(name) = self.only_system {
            let mut systems = world.systems.values();
            let named = systems.find(|system| system.name == name);
            let system = named.map(|system| system.uuid).ok_or_else(|| {
                InventoryError::Inconsistent(format!(
                    "there is no system {name} to be the only one"
                ))
            })?;
            world = world.part(system, self.seed);
        }
        let mut peers = self.peers;
        for peer in &inventory.peers {
            let remote: Arc<dyn Peer> = Arc::new(Remote::new(&peer.ready_file)?);
            peers.push((peer.name.clone(), remote));
        }
        world.pace = forecast.pace.clone();
        let secret_seed = self.secret_seed.unwrap_or(self.seed);
        let user = self
            .user
            .unwrap_or_else(|| default_user(self.flavor).to_owned());
        let password = self
            .password
            .unwrap_or_else(|| generated_password(secret_seed));
        let rules = SessionRules {
            locks: self.flavor == Flavor::Hmc,
            ..self.rules
        };
        let simulator = Simulator::from_shared(Shared {
            world: ArcSwap::from_pointee(world),
            writer: Mutex::new(()),
            events: Notify::new(),
            changed: Notify::new(),
            peers: Peers::default(),
            clock,
            sky: Sky::new(forecast, self.seed ^ stream::WEATHER),
            queues: Queues::default(),
            faults: Faults::default(),
            tally: Tally::default(),
            sessions: Sessions::new(
                Credentials { user, password },
                rules,
                secret_seed ^ stream::TOKENS,
            ),
            renderer: Renderer::default(),
            check_invariants: self.check_invariants,
            violations: Mutex::default(),
            transactions: AtomicU64::new(FIRST_TRANSACTION + 1),
            authority: self.authority,
            requests: RequestLog::default(),
            present: AtomicUsize::new(0),
            shelf: Shelf::default(),
            state_file,
        });
        if let Some(saved) = &saved {
            simulator.restore(saved)?;
        }
        for (name, peer) in peers {
            simulator.add_peer(&name, peer);
        }
        Ok(simulator)
    }
}

const fn default_user(flavor: Flavor) -> &'static str {
    match flavor {
        Flavor::Hmc => "hscroot",
        Flavor::NovaLink => "neo",
    }
}

/// Twenty characters that need no escaping in XML, shells or URLs and are not mistaken for each other.
fn generated_password(seed: u64) -> SecretString {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ stream::PASSWORD);
    let mut bytes = [0; 20];
    random.fill_bytes(&mut bytes);
    let letter = |byte: u8| {
        ALPHABET
            .get(usize::from(byte % 32))
            .copied()
            .map_or('a', char::from)
    };
    SecretString::from(bytes.into_iter().map(letter).collect::<String>())
}
