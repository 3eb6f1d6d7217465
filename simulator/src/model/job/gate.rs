//! The gate before jobs: shut, it holds those that were submitted until they are let through one by one.

use imbl::OrdSet;

use super::Job;
use super::lifecycle::{End, JobEnd};
use crate::clock::Millis;
use crate::model::names::JobStatus;
use crate::model::world::World;

/// What stands between the submission of a job and its start. No real server has one: it is for tests that want to
/// see what lies between two jobs.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    shut: bool,
    /// By number, which is the order of submission.
    waiting: OrdSet<u64>,
    /// How the job ends that is submitted next, whatever it would have come to.
    #[serde(skip)]
    fate: Option<Fate>,
}

/// How a job ends before it does anything.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `COMPLETED_WITH_ERROR` with this text as its result.
    Failed(String),
    /// `FAILED_BEFORE_COMPLETION` with this text as its exception.
    Exception(String),
}

impl Gate {
    /// Whether jobs have to wait.
    #[must_use]
    pub const fn is_shut(&self) -> bool {
        self.shut
    }

    /// The jobs that wait, in the order of their submission.
    pub fn waiting(&self) -> impl Iterator<Item = u64> {
        self.waiting.iter().copied()
    }
}

impl World {
    /// Shuts the gate: jobs that are submitted from now on stay `NOT_STARTED`.
    pub fn shut_gate(&mut self) {
        self.gate.shut = true;
    }

    /// Opens the gate: all that wait begin, in the order of their submission.
    pub fn open_gate(&mut self, now: Millis) {
        self.gate.shut = false;
        while self.let_through(now).is_some() {}
    }

    /// Begins the job that has waited longest; its number, or none if none waits.
    pub fn let_through(&mut self, now: Millis) -> Option<u64> {
        while let Some(job) = self.gate.waiting.get_min().copied() {
            self.gate.waiting.remove(&job);
            let waits = |job: &Job| job.status == JobStatus::NotStarted;
            if self.jobs.get(&job).is_some_and(|job| waits(job)) {
                self.start_job(now, job);
                return Some(job);
            }
        }
        None
    }

    /// Decides how the job ends that is submitted next; none: as it would.
    pub fn doom_next_job(&mut self, fate: Option<Fate>) {
        self.gate.fate = fate;
    }

    /// A job's time to begin has come.
    pub(in crate::model) fn reach_gate(&mut self, now: Millis, job: u64) {
        if self.gate.shut {
            self.gate.waiting.insert(job);
        } else {
            self.start_job(now, job);
        }
    }

    /// The fate of the job that is being submitted.
    pub(super) fn take_fate(&mut self) -> Option<JobEnd> {
        self.gate.fate.take().map(|fate| match fate {
            Fate::Failed(text) => End::Failed(text).into(),
            Fate::Exception(text) => End::Exception(text).into(),
        })
    }
}
