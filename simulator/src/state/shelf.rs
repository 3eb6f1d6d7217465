//! Snapshots by name.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Saved;

/// How many snapshots are kept at a time. They share with the present what has not changed since.
pub const MOST_SNAPSHOTS: usize = 64;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// The snapshots of one simulator.
#[derive(Debug, Default)]
pub struct Shelf {
    snapshots: Mutex<BTreeMap<String, Saved>>,
}

/// Why a snapshot is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShelfError {
    /// There are too many.
    #[error("there are {MOST_SNAPSHOTS} snapshots already; delete one first")]
    Full,
    /// The name does not do.
    #[error(
        "a snapshot's name has 1 to {LONGEST_NAME} letters, digits and - _ . and is not \"now\""
    )]
    Name,
}

impl Shelf {
    /// The name that stands for the present instead of a snapshot.
    pub const PRESENT: &'static str = "now";

    /// Keeps a snapshot under a name; one with this name is replaced.
    ///
    /// # Errors
    /// [`ShelfError`]
    pub fn keep(&self, name: &str, saved: Saved) -> Result<(), ShelfError> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty()
            || name.len() > LONGEST_NAME
            || !name.bytes().all(good)
            || name == Self::PRESENT
        {
            return Err(ShelfError::Name);
        }
        let mut snapshots = self.lock();
        if snapshots.len() >= MOST_SNAPSHOTS && !snapshots.contains_key(name) {
            return Err(ShelfError::Full);
        }
        snapshots.insert(name.to_owned(), saved);
        Ok(())
    }

    /// The snapshot with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Saved> {
        self.lock().get(name).cloned()
    }

    /// Drops a snapshot; false if there is none with this name.
    pub fn remove(&self, name: &str) -> bool {
        self.lock().remove(name).is_some()
    }

    /// All snapshots by name.
    #[must_use]
    pub fn list(&self) -> BTreeMap<String, Saved> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Saved>> {
        self.snapshots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
