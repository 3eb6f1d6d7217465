//! Running a saga: forwards along the graph, and backwards when something goes wrong.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::graph::Graph;
use super::observer::{NoObserver, Observer, Phase};
use super::report::{SagaFailure, StepFailure};
use super::step::{Saga, Step};
use super::worker::Worker;
use crate::error::{Error, Result};

tokio::task_local! {
    static CANCEL: CancellationToken;
    static CHECKPOINT: Checkpoint;
}

type Checkpoint = Arc<dyn Fn() -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The token that tells the running step of a saga to stop early: the caller cancelled, or dropped the saga. A step
/// that waits long (an upload, a job) watches it and returns [`Error::Cancelled`]. Undos are not to be stopped: in
/// them, as outside of sagas, the token is never cancelled.
pub fn cancellation() -> CancellationToken {
    CANCEL
        .try_with(CancellationToken::clone)
        .unwrap_or_default()
}

/// Tells the observer, and waits for it, what the running step has just put into the context: what it is about to
/// make, so that a journal has it before it is there. Nothing in undos and outside of sagas.
///
/// # Errors
/// The observer's, such as a journal that cannot write. The step must not go on then.
pub async fn checkpoint() -> Result<()> {
    match CHECKPOINT.try_with(Arc::clone) {
        Ok(checkpoint) => checkpoint().await,
        Err(_) => Ok(()),
    }
}

/// How a saga is run.
#[derive(Clone)]
pub struct RunOptions {
    /// Sees every event.
    pub observer: Arc<dyn Observer>,
    /// Stops the saga between steps and has it undone. A step that can stop early watches [`cancellation()`].
    pub cancel: CancellationToken,
    /// How often an undo is tried in all; at least once.
    pub undo_tries: u32,
    /// Pause before the second try of an undo, doubled before each further one.
    pub undo_pause: Duration,
    /// Repeats of steps, for tests of idempotence.
    pub rehearsal: Rehearsal,
}

/// Repeats of a step or of an undo: the second run has to change nothing.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    /// The action of this step is run twice.
    pub repeat_step: Option<String>,
    /// The undo of this step is run twice.
    pub repeat_undo: Option<String>,
}

impl Default for RunOptions {
    /// No observer, no cancellation, three tries of an undo a second or two apart.
    fn default() -> RunOptions {
        RunOptions {
            observer: Arc::new(NoObserver),
            cancel: CancellationToken::new(),
            undo_tries: 3,
            undo_pause: Duration::from_secs(1),
            rehearsal: Rehearsal::default(),
        }
    }
}

impl RunOptions {
    /// Replaces the observer.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> RunOptions {
        self.observer = observer;
        self
    }

    /// Replaces the cancellation token.
    #[must_use]
    pub fn cancel(mut self, cancel: CancellationToken) -> RunOptions {
        self.cancel = cancel;
        self
    }
}

impl<C: Send + Sync + 'static> Saga<C> {
    /// Runs the saga to its end or back to its beginning.
    ///
    /// It runs in a task of its own: if the returned future is dropped, the saga is cancelled and undoes itself in
    /// the background for as long as the runtime lives, so a dropped operation is never left half done.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a graph with unknown or duplicate names or a cycle, before anything runs;
    /// [`Error::Saga`] otherwise, with the first error, and with every undo that failed on all its tries.
    pub async fn run(self, context: Arc<C>, options: RunOptions) -> Result<()> {
        self.in_a_task(context, options, Run::run).await
    }

    /// Undoes these steps of a saga that another process began: all of which the journal says that they were begun
    /// and not that they were undone.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names that the saga does not have, before anything runs; [`Error::Saga`] with every
    /// undo that failed on all its tries.
    pub async fn unwind(
        self,
        begun: &[String],
        context: Arc<C>,
        options: RunOptions,
    ) -> Result<()> {
        if let Some(unknown) = begun
            .iter()
            .find(|name| !self.steps.iter().any(|step| *step.name == ***name))
        {
            return Err(Error::invalid(
                format!("{:?} has no step {unknown:?} to undo", self.name),
                "use the version of the driver that began it",
            ));
        }
        let begun = begun.to_vec();
        self.in_a_task(context, options, |run| run.unwind(begun))
            .await
    }

    async fn in_a_task<F>(
        self,
        context: Arc<C>,
        options: RunOptions,
        go: impl FnOnce(Run<C>) -> F,
    ) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let graph = Graph::of(&self.name, &self.steps)?;
        let cancel = options.cancel.child_token();
        let cancelled_by_drop = cancel.clone().drop_guard();
        let name = Arc::clone(&self.name);
        let span = tracing::info_span!("saga", saga = %name);
        let observer = Arc::clone(&options.observer);
        let going = go(Run {
            saga: Arc::new(self),
            graph,
            context,
            options,
            cancel,
        });
        let told = async move {
            let outcome = going.await;
            let told = AssertUnwindSafe(observer.ended(&outcome)).catch_unwind();
            if told.await.is_err() {
                tracing::error!("the observer panicked");
            }
            outcome
        };
        let outcome = tokio::spawn(told.instrument(span)).await;
        drop(cancelled_by_drop);
        match outcome {
            Ok(result) => result,
            Err(_) => Err(Error::internal(format!(
                "saga {name:?} was torn down with its runtime"
            ))),
        }
    }
}

struct Run<C> {
    saga: Arc<Saga<C>>,
    graph: Graph,
    context: Arc<C>,
    options: RunOptions,
    cancel: CancellationToken,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Begun,
    Done,
}

impl<C: Send + Sync + 'static> Run<C> {
    async fn run(self) -> Result<()> {
        let count = self.saga.steps.len();
        let mut states = vec![State::Waiting; count];
        let mut failures: Vec<StepFailure> = Vec::new();
        let mut cancelled = false;
        let mut running: JoinSet<(usize, Result<()>)> = JoinSet::new();
        loop {
            cancelled = cancelled
                || (self.cancel.is_cancelled() && states.iter().any(|state| *state != State::Done));
            if !cancelled && failures.is_empty() {
                for step in self.ready(&states) {
                    set(&mut states, step, State::Begun);
                    let (act, noted) = (self.worker(step).act(), self.noting(step));
                    let act = CANCEL.scope(self.cancel.clone(), CHECKPOINT.scope(noted, act));
                    running.spawn(act.in_current_span());
                }
            }
            let ended = tokio::select! {
                biased;
                ended = running.join_next() => ended,
                () = self.cancel.cancelled(), if !cancelled => continue,
            };
            match ended {
                None => break,
                Some(Ok((step, Ok(())))) => set(&mut states, step, State::Done),
                Some(Ok((step, Err(error)))) => {
                    tracing::warn!(step = %self.name(step), %error, "step failed");
                    failures.push(StepFailure {
                        step: self.name(step),
                        error,
                    });
                }
                // Actions are guarded against panics, so only a runtime that shuts down gets here.
                Some(Err(_)) => {
                    let error = Error::internal("a step's task was torn down");
                    failures.push(StepFailure {
                        step: String::new(),
                        error,
                    });
                }
            }
        }
        if failures.is_empty() && !cancelled {
            return Ok(());
        }
        let left_behind = self.undo(&states).await;
        Err(self.report(failures, left_behind).into())
    }

    async fn unwind(self, begun: Vec<String>) -> Result<()> {
        let state = |step: &Step<C>| match begun.iter().any(|name| **name == *step.name) {
            true => State::Begun,
            false => State::Waiting,
        };
        let states: Vec<State> = self.saga.steps.iter().map(state).collect();
        let left_behind = self.undo(&states).await;
        match left_behind.first().cloned() {
            None => Ok(()),
            Some(first) => Err(SagaFailure {
                saga: self.saga.name.to_string(),
                step: Some(first.step),
                error: first.error,
                others: Vec::new(),
                left_behind,
            }
            .into()),
        }
    }

    /// What [`checkpoint`] does in this step.
    fn noting(&self, step: usize) -> Checkpoint {
        let worker = Arc::new(self.worker(step));
        Arc::new(move || {
            let worker = Arc::clone(&worker);
            Box::pin(async move {
                match worker.saga.steps.get(worker.index) {
                    Some(step) => worker.observe(step, Phase::Noted).await,
                    None => Ok(()),
                }
            })
        })
    }

    fn report(&self, mut failures: Vec<StepFailure>, left_behind: Vec<StepFailure>) -> SagaFailure {
        let saga = self.saga.name.to_string();
        if failures.is_empty() {
            let error = Error::Cancelled { what: saga.clone() };
            return SagaFailure {
                saga,
                step: None,
                error,
                others: failures,
                left_behind,
            };
        }
        let first = failures.remove(0);
        SagaFailure {
            saga,
            step: Some(first.step),
            error: first.error,
            others: failures,
            left_behind,
        }
    }

    /// Steps that wait for nothing any more.
    fn ready(&self, states: &[State]) -> Vec<usize> {
        let done = |step: &usize| states.get(*step) == Some(&State::Done);
        let waits = states
            .iter()
            .enumerate()
            .filter(|(_, state)| **state == State::Waiting);
        waits
            .map(|(step, _)| step)
            .filter(|step| {
                self.graph
                    .before
                    .get(*step)
                    .is_some_and(|b| b.iter().all(done))
            })
            .collect()
    }

    /// Undoes what was begun, each step once all begun steps that came after it are undone. A failed undo does not
    /// keep the others from being tried: what else can be removed is removed.
    async fn undo(&self, states: &[State]) -> Vec<StepFailure> {
        let begun = |step: usize| {
            states
                .get(step)
                .is_some_and(|state| *state != State::Waiting)
        };
        let mut todo: Vec<usize> = (0..states.len()).filter(|step| begun(*step)).collect();
        let mut undone = vec![false; states.len()];
        let mut left_behind = Vec::new();
        let mut running: JoinSet<(usize, Result<()>)> = JoinSet::new();
        loop {
            let is_free = |step: &usize| {
                let later = self.graph.after.get(*step).into_iter().flatten();
                later
                    .copied()
                    .all(|later| !begun(later) || undone.get(later) == Some(&true))
            };
            let (free, rest): (Vec<usize>, Vec<usize>) = todo.into_iter().partition(is_free);
            todo = rest;
            for step in free.into_iter().rev() {
                running.spawn(self.worker(step).undo().in_current_span());
            }
            match running.join_next().await {
                None => break,
                Some(Ok((step, result))) => {
                    if let Some(flag) = undone.get_mut(step) {
                        *flag = true;
                    }
                    if let Err(error) = result {
                        tracing::error!(step = %self.name(step), %error, "could not undo");
                        left_behind.push(StepFailure {
                            step: self.name(step),
                            error,
                        });
                    }
                }
                Some(Err(_)) => break,
            }
        }
        left_behind
    }

    fn name(&self, step: usize) -> String {
        self.saga
            .steps
            .get(step)
            .map(|step| step.name.to_string())
            .unwrap_or_default()
    }

    fn worker(&self, index: usize) -> Worker<C> {
        Worker {
            saga: Arc::clone(&self.saga),
            index,
            context: Arc::clone(&self.context),
            options: self.options.clone(),
        }
    }
}

fn set(states: &mut [State], step: usize, state: State) {
    if let Some(slot) = states.get_mut(step) {
        *slot = state;
    }
}
