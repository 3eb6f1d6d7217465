//! One step at work: observed, guarded against panics, its undo tried again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::Instrument;

use super::observer::{Event, Phase};
use super::run::RunOptions;
use super::step::{Action, Saga, Step};
use crate::error::{Error, Result};

/// One step's task, forwards or backwards.
pub(super) struct Worker<C> {
    pub(super) saga: Arc<Saga<C>>,
    pub(super) index: usize,
    pub(super) context: Arc<C>,
    pub(super) options: RunOptions,
}

impl<C: Send + Sync + 'static> Worker<C> {
    pub(super) async fn act(self) -> (usize, Result<()>) {
        let result = match self.saga.steps.get(self.index) {
            Some(step) => {
                let span = tracing::info_span!("step", step = %step.name);
                self.act_observed(step).instrument(span).await
            }
            None => Err(Error::internal("a step outside its saga")),
        };
        (self.index, result)
    }

    async fn act_observed(&self, step: &Step<C>) -> Result<()> {
        self.observe(step, Phase::Begin).await?;
        let start = Instant::now();
        let again = self.options.rehearsal.repeat_step.as_deref() == Some(&*step.name);
        let mut result = self.guarded(&step.action).await;
        if again && result.is_ok() {
            result = self.guarded(&step.action).await;
        }
        let took = start.elapsed();
        match result {
            Ok(()) => self.observe(step, Phase::End { took }).await,
            Err(error) => {
                let phase = Phase::Failed {
                    error: error.to_string(),
                };
                self.observe_lightly(step, phase).await;
                Err(error)
            }
        }
    }

    pub(super) async fn undo(self) -> (usize, Result<()>) {
        let step = self.saga.steps.get(self.index);
        let result = match step.and_then(|step| step.undo.as_ref().map(|undo| (step, undo))) {
            Some((step, undo)) => {
                let span = tracing::info_span!("undo", step = %step.name);
                self.undo_observed(step, undo).instrument(span).await
            }
            None => Ok(()),
        };
        (self.index, result)
    }

    async fn undo_observed(&self, step: &Step<C>, undo: &Action<C>) -> Result<()> {
        self.observe_lightly(step, Phase::UndoBegin).await;
        let start = Instant::now();
        let mut result = self.undo_retried(undo).await;
        let again = self.options.rehearsal.repeat_undo.as_deref() == Some(&*step.name);
        if again && result.is_ok() {
            result = self.undo_retried(undo).await;
        }
        let phase = match &result {
            Ok(()) => Phase::UndoEnd {
                took: start.elapsed(),
            },
            Err(error) => Phase::UndoFailed {
                error: error.to_string(),
            },
        };
        self.observe_lightly(step, phase).await;
        result
    }

    async fn undo_retried(&self, undo: &Action<C>) -> Result<()> {
        let mut pause = self.options.undo_pause;
        let mut tries_left = self.options.undo_tries.max(1);
        loop {
            let result = self.guarded(undo).await;
            tries_left -= 1;
            match result {
                Err(error) if tries_left > 0 => {
                    tracing::warn!(%error, tries_left, "undo failed, trying again");
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
                result => return result,
            }
        }
    }

    /// A panic in a step is a defect, but it must not keep the other steps from being undone.
    async fn guarded(&self, action: &Action<C>) -> Result<()> {
        let context = Arc::clone(&self.context);
        match AssertUnwindSafe(async { action(context).await })
            .catch_unwind()
            .await
        {
            Ok(result) => result,
            Err(_) => Err(Error::internal("the step panicked")),
        }
    }

    pub(super) async fn observe(&self, step: &Step<C>, phase: Phase) -> Result<()> {
        let context = match self
            .saga
            .snapshot
            .map(|snapshot| snapshot(&self.context))
            .transpose()
        {
            Ok(context) => context,
            Err(error) => {
                return Err(Error::internal(format!(
                    "the context could not be serialised: {error}"
                )));
            }
        };
        let event = Event {
            saga: self.saga.name.to_string(),
            step: step.name.to_string(),
            index: self.index,
            steps: self.saga.steps.len(),
            phase,
            context,
        };
        let observed = AssertUnwindSafe(async { self.options.observer.observe(&event).await })
            .catch_unwind()
            .await;
        observed.unwrap_or_else(|_| Err(Error::internal("the observer panicked")))
    }

    async fn observe_lightly(&self, step: &Step<C>, phase: Phase) {
        if let Err(error) = self.observe(step, phase).await {
            tracing::error!(%error, "the observer failed");
        }
    }
}
