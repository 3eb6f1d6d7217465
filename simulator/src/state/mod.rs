//! The whole state of a simulator as a value: taken, put back, forked, written to a file and read again.
//!
//! Sessions, fault rules and counters are no part of it: a server that starts again has none. Contents of disks were
//! never kept, only their digests. The file's form is JSON (`docs/simulator.md`).

mod diff;
mod file;
mod shelf;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

pub use diff::{Diff, Difference, diff};
pub use file::{Lock, StateFile, read, write};
pub use shelf::{MOST_SNAPSHOTS, Shelf, ShelfError};

use crate::clock::{Clock, Millis};
use crate::counters::Tally;
use crate::model::{Flavor, World};
use crate::peer::Peers;
use crate::render::Renderer;
use crate::requests::RequestLog;
use crate::simulator::{Shared, Simulator};
use crate::weather::{Faults, Queues};

/// What a saved state calls itself.
pub const FORMAT: &str = "powervm-sim state";
/// The version of the form. It rises when a program could no longer read what an older one wrote.
pub const VERSION: u32 = 1;

/// A state, saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    format: String,
    version: u32,
    /// The version of the program that saved it.
    program: String,
    /// The simulated moment.
    pub now: Millis,
    transactions: u64,
    weather: BTreeMap<String, u64>,
    /// Everything else.
    pub world: Arc<World>,
}

/// Why a state cannot be saved or used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process uses the file.
    #[error("{0} is in use by another powervm-sim; end that one or choose another file")]
    InUse(String),
    /// The file cannot be used.
    #[error(
        "{path}: {source}; nothing was changed, so restore the file from a copy or start without it"
    )]
    In {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: Box<StateError>,
    },
    /// It is no state, or a damaged one.
    #[error("this is no state that powervm-sim saved: {0}")]
    Syntax(String),
    /// It is of a newer program.
    #[error(
        "the state has version {0} of the form, and this program reads version {VERSION}; use a newer powervm-sim"
    )]
    Version(u32),
    /// It is of the other product.
    #[error("the state is of a simulator with --flavor {0}")]
    Flavor(Flavor),
    /// It contradicts itself.
    #[error("the state contradicts itself: {0}")]
    Inconsistent(String),
}

impl Saved {
    /// The state as JSON text.
    ///
    /// # Errors
    /// [`StateError::Syntax`] if it cannot be written as JSON, which would be a bug.
    pub fn to_json(&self) -> Result<Vec<u8>, StateError> {
        serde_json::to_vec(self).map_err(|error| StateError::Syntax(error.to_string()))
    }

    /// Reads a state and checks what can be checked of it.
    ///
    /// # Errors
    /// [`StateError`] that says what is wrong.
    pub fn from_json(text: &[u8]) -> Result<Self, StateError> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let syntax = |error: serde_json::Error| StateError::Syntax(error.to_string());
        let head: Head = serde_json::from_slice(text).map_err(syntax)?;
        if head.format != FORMAT {
            return Err(StateError::Syntax(format!(
                "its format is {:?}",
                head.format.chars().take(40).collect::<String>()
            )));
        }
        if head.version != VERSION {
            return Err(StateError::Version(head.version));
        }
        let saved: Self = serde_json::from_slice(text).map_err(syntax)?;
        saved.check()?;
        Ok(saved)
    }

    fn check(&self) -> Result<(), StateError> {
        let violations = self.world.violations();
        if violations.is_empty() {
            return Ok(());
        }
        let told: Vec<String> = violations.iter().take(5).map(ToString::to_string).collect();
        Err(StateError::Inconsistent(told.join("; ")))
    }
}

impl Simulator {
    /// The state at this moment.
    #[must_use]
    pub fn save(&self) -> Saved {
        let shared = self.shared();
        Saved {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            now: self.now(),
            transactions: shared.transactions.load(Ordering::Relaxed),
            weather: shared.sky.drawn(),
            world: self.world(),
        }
    }

    /// Puts a state in the place of the present one, the clock included. Sessions, fault rules and the weather's own
    /// numbers stay. Etags never come back with another meaning: versions go on from the highest there was.
    ///
    /// # Errors
    /// [`StateError::Flavor`] if it is of the other product.
    pub fn restore(&self, saved: &Saved) -> Result<(), StateError> {
        if saved.world.flavor != self.flavor() {
            return Err(StateError::Flavor(saved.world.flavor));
        }
        let shared = self.shared();
        let writer = shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shared.world.load_full();
        let mut world = (*saved.world).clone();
        world.generation = world.generation.max(before.generation) + 1;
        world.pace = before.pace.clone();
        world.peers = Arc::clone(&before.peers);
        shared.sky.resume(&saved.weather);
        shared
            .transactions
            .store(saved.transactions, Ordering::Relaxed);
        // First the clock: a reader with the old one would let happen in the new world what is not due yet.
        shared.clock.set(saved.now);
        shared.world.store(Arc::new(world));
        shared.renderer.clear();
        drop(writer);
        shared.queues.clear();
        shared.changed.notify_one();
        shared.events.notify_waiters();
        Ok(())
    }

    /// Saves the state to the simulator's file; returns its path, or none if it has no file.
    ///
    /// # Errors
    /// [`StateError::File`]; the file is then as it was.
    pub fn persist(&self) -> Result<Option<PathBuf>, StateError> {
        let Some(file) = &self.shared().state_file else {
            return Ok(None);
        };
        file.save(|| self.save())?;
        Ok(Some(file.path().to_path_buf()))
    }

    /// Another simulator that goes on from a state, independent of this one: same user, weather and speed, no
    /// sessions, no fault rules. Given the same requests it answers as this one does from that state.
    #[must_use]
    pub fn fork(&self, saved: &Saved) -> Self {
        let shared = self.shared();
        let clock = Clock::new(1.0);
        clock.set_scale(shared.clock.scale());
        clock.set(saved.now);
        let mut world = (*saved.world).clone();
        world.pace = shared.world.load().pace.clone();
        // What a fork does is nothing to anybody else's partitions.
        world.peers = Arc::default();
        let sky = shared.sky.fork();
        sky.resume(&saved.weather);
        Self::from_shared(Shared {
            world: ArcSwap::from_pointee(world),
            writer: Mutex::new(()),
            events: Notify::new(),
            changed: Notify::new(),
            peers: Peers::default(),
            clock,
            sky,
            queues: Queues::default(),
            faults: Faults::default(),
            tally: Tally::default(),
            sessions: shared.sessions.fork(),
            renderer: Renderer::default(),
            check_invariants: shared.check_invariants,
            violations: Mutex::default(),
            transactions: AtomicU64::new(saved.transactions),
            authority: shared.authority.clone(),
            requests: RequestLog::default(),
            present: AtomicUsize::new(0),
            shelf: Shelf::default(),
            state_file: None,
        })
    }
}

#[cfg(test)]
mod tests;
