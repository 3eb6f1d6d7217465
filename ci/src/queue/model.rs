//! A run, from what asked for it to its vote.

use serde::{Deserialize, Serialize};

use crate::run::RunResult;
use crate::trigger::Cause;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// It ended, and nothing was said yet.
    Finished {
        /// How.
        result: RunResult,
    },
    /// It was to be said: whether Gerrit heard it has to be looked up.
    Voting {
        /// What is said.
        result: RunResult,
    },
    /// It was said.
    Voted {
        /// What was said.
        result: RunResult,
    },
    /// A newer patch set took its place.
    Superseded,
    /// Nobody wants to know any more.
    Dropped {
        /// The change was merged, say.
        why: String,
    },
    /// It could not be run, or not be said.
    Errored {
        /// What went wrong.
        why: String,
    },
}

impl State {
    /// Whether nothing will happen to it any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(
            self,
            Self::Voted { .. } | Self::Superseded | Self::Dropped { .. } | Self::Errored { .. }
        )
    }
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number; later ones are higher.
    pub number: u64,
    /// Its name, in addresses and in what is said: `CHANGE-PATCHSET-xxxxxxxx`.
    pub id: String,
    /// The change.
    pub change: u64,
    /// The patch set.
    pub patch_set: u32,
    /// The patch set's commit.
    pub commit: String,
    /// The branch.
    pub branch: String,
    /// Patch set or comment.
    pub cause: Cause,
    /// How often it was tried and could not run.
    #[serde(default)]
    pub tries: u32,
    /// How often the CI ended in the middle of it.
    #[serde(default)]
    pub interruptions: u32,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
}
