//! Who wants to know how a saga goes: a journal, a progress bar, a test.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::error::Result;

/// What happened to a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// It is about to run. Reported, and awaited, before anything is done.
    Begin,
    /// Its context holds something that a journal has to have before the step goes on:
    /// [`checkpoint`](super::checkpoint).
    Noted,
    /// It is done.
    End {
        /// How long it took, on tokio's clock.
        took: Duration,
    },
    /// It failed; its undo follows.
    Failed {
        /// The error's text.
        error: String,
    },
    /// Its undo is about to run.
    UndoBegin,
    /// What it made is gone.
    UndoEnd {
        /// How long the undo took, its retries included.
        took: Duration,
    },
    /// Its undo failed on every try; what it made may still be there.
    UndoFailed {
        /// The last error's text.
        error: String,
    },
}

/// One entry of a saga's history. Serialised, it is what a journal on disk keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The saga's name.
    pub saga: String,
    /// The step's name.
    pub step: String,
    /// Position of the step in the order of adding, from 0.
    pub index: usize,
    /// How many steps the saga has.
    pub steps: usize,
    /// What happened.
    #[serde(flatten)]
    pub phase: Phase,
    /// The context as it is now, of a [`journaled`](super::Saga::journaled) saga.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<serde_json::Value>,
}

/// Sees every event of a saga, one at a time per step, in order.
///
/// The saga waits for it: a journal can make an event durable before the step begins. An error at
/// [`Phase::Begin`] keeps the step from running and one at [`Phase::Noted`] or [`Phase::End`] makes it fail, so a saga
/// never runs ahead of its journal; errors at the other phases are reported but change nothing.
pub trait Observer: Send + Sync {
    /// Takes note of one event.
    fn observe<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>>;

    /// Takes note of how the whole saga ended. Also called when nobody waits for the saga any more.
    fn ended<'a>(&'a self, outcome: &'a Result<()>) -> BoxFuture<'a, ()> {
        let _ = outcome;
        Box::pin(std::future::ready(()))
    }
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe<'a>(&'a self, _: &'a Event) -> BoxFuture<'a, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn observe<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        (**self).observe(event)
    }

    fn ended<'a>(&'a self, outcome: &'a Result<()>) -> BoxFuture<'a, ()> {
        (**self).ended(outcome)
    }
}

struct Watching<F>(F);

impl<F: Fn(&Event) + Send + Sync> Observer for Watching<F> {
    fn observe<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        (self.0)(event);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// An observer that only looks: progress bars, counters, logs.
pub fn observe_with(look: impl Fn(&Event) + Send + Sync + 'static) -> Arc<dyn Observer> {
    Arc::new(Watching(look))
}
