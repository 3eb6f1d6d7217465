//! How a run ended.

use serde::{Deserialize, Serialize};

/// How it ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    /// All tests passed.
    Success,
    /// Some test failed.
    Failure,
    /// It took too long.
    TimedOut,
    /// It could not be run: that says nothing of the change.
    Error,
}

impl Outcome {
    /// The word in a line of Gerrit's page.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failure => "FAILURE",
            Self::TimedOut => "TIMED_OUT",
            Self::Error => "ERROR",
        }
    }

    /// The exit code: 0 passed, 1 failed, 255 could not run.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure | Self::TimedOut => 1,
            Self::Error => 255,
        }
    }
}

/// How a part of a run ended, which has a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobResult {
    /// Its name without the CI's: `scenarios`, `nova-today`.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds from the run's begin to its own.
    #[serde(default)]
    pub after: u64,
    /// Seconds that it took.
    pub seconds: u64,
    /// What it counted: `123 passed, 0 failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<String>,
}

/// How a run ended, as `result.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResult {
    /// How it ended.
    pub outcome: Outcome,
    /// Seconds of all of it.
    pub seconds: u64,
    /// Its parts that have a line of their own, in their order.
    #[serde(default)]
    pub jobs: Vec<JobResult>,
    /// What went wrong, where no job tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl RunResult {
    /// It could not be run.
    #[must_use]
    pub fn error(why: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Error,
            seconds: 0,
            jobs: Vec::new(),
            why: Some(why.into()),
        }
    }
}
