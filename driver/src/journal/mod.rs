//! What the driver has begun, kept on disk, so that a killed driver finishes or undoes it on its next start.
//!
//! An operation is written down before its first step, with what it was asked for; each step before it acts and
//! after it ended, with what it made. Nothing runs ahead of its entry. What a journal never holds: passwords, tokens,
//! the content of images and config drives. `docs/decisions/journal.md` says why it is kept as it is.

mod file;
mod host_lock;
mod place;
mod store;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Result;
use crate::saga::{Event, Phase};

pub use file::{FORMAT, JournalFile, KEPT};
pub use place::default_path;

/// An operation that begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beginning {
    /// Which operation: `spawn`, `destroy` …
    pub kind: String,
    /// What people call it: `create web`.
    pub title: String,
    /// What it was asked for, as much as is needed to finish or undo it, without secrets.
    pub asked: Value,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It failed; whatever it made is gone again, or it was told to whoever asked that something is left to do.
    Failed {
        /// The error's text.
        error: String,
    },
    /// Another process, or an earlier try, began it; this one finished it.
    Finished,
    /// Another process began it; this one undid it.
    Undone,
}

/// An operation as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number; later ones are higher.
    pub id: u64,
    /// When it was begun, in seconds since 1970, where the journal has a clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<u64>,
    /// What it is.
    #[serde(flatten)]
    pub beginning: Beginning,
    /// How it ended; nothing when it did not, or left something behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Outcome>,
    /// What its steps did, in order.
    #[serde(default)]
    pub events: Vec<Event>,
}

impl Record {
    /// The steps that were begun and not undone since, in the order of their beginning.
    #[must_use]
    pub fn begun(&self) -> Vec<String> {
        let mut begun: Vec<String> = Vec::new();
        for event in &self.events {
            match event.phase {
                Phase::Begin if !begun.contains(&event.step) => begun.push(event.step.clone()),
                Phase::UndoEnd { .. } => begun.retain(|step| *step != event.step),
                _ => {}
            }
        }
        begun
    }

    /// Whether a step was begun of which nobody knows how it ended, so that what it asked for may still be made.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let begun = self.begun();
        begun.iter().any(|step| {
            let last = self.events.iter().rev().find(|event| event.step == *step);
            last.is_some_and(|event| matches!(event.phase, Phase::Begin | Phase::Noted))
        })
    }

    /// What the steps knew last.
    #[must_use]
    pub fn notes(&self) -> Option<&Value> {
        self.events
            .iter()
            .rev()
            .find_map(|event| event.context.as_ref())
    }
}

/// Keeps what was begun. [`JournalFile`] does so on disk or in memory, [`NoJournal`] not at all.
///
/// When a call returns, what it wrote is durable.
pub trait Journal: Send + Sync {
    /// The journal is to be that of this system, given by machine type, model and serial number: from now on no other
    /// driver of this machine changes it. One that is kept nowhere keeps nobody away. `space` tells systems apart that
    /// bear the same number.
    ///
    /// # Errors
    /// Another driver works on it.
    fn claim(&self, machine: &str, space: &str) -> Result<()> {
        let _ = (machine, space);
        Ok(())
    }

    /// An operation begins; returns its number.
    fn begin<'a>(&'a self, beginning: &'a Beginning) -> BoxFuture<'a, Result<u64>>;

    /// Something happened to one of its steps.
    fn note<'a>(&'a self, id: u64, event: &'a Event) -> BoxFuture<'a, Result<()>>;

    /// It ended.
    fn end<'a>(&'a self, id: u64, outcome: &'a Outcome) -> BoxFuture<'a, Result<()>>;

    /// Operations that did not end, oldest first.
    fn pending(&self) -> BoxFuture<'_, Result<Vec<Record>>>;

    /// Operations that ended, newest first, at most so many.
    fn history(&self, most: usize) -> BoxFuture<'_, Result<Vec<Record>>>;
}

/// Forgets everything: for drivers whose interrupted operations somebody else cleans up after.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoJournal;

impl Journal for NoJournal {
    fn begin<'a>(&'a self, _: &'a Beginning) -> BoxFuture<'a, Result<u64>> {
        Box::pin(std::future::ready(Ok(0)))
    }

    fn note<'a>(&'a self, _: u64, _: &'a Event) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn end<'a>(&'a self, _: u64, _: &'a Outcome) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn pending(&self) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn history(&self, _: usize) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
