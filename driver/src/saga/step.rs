//! The recipe: steps, what they come after, and how each is undone.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::error::Result;

/// Something a step does or undoes, on the shared context.
pub(super) type Action<C> = Arc<dyn Fn(Arc<C>) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// Turns the context into what a journal keeps.
pub type Snapshot<C> = fn(&C) -> serde_json::Result<serde_json::Value>;

/// One named step of a saga.
pub struct Step<C> {
    pub(super) name: Arc<str>,
    pub(super) after: Vec<String>,
    pub(super) action: Action<C>,
    pub(super) undo: Option<Action<C>>,
}

impl<C: Send + Sync + 'static> Step<C> {
    /// A step of this name, unique in its saga. Its action must be idempotent: run again on its own result it
    /// changes nothing and succeeds.
    pub fn new<F, Fut>(name: impl Into<String>, action: F) -> Step<C>
    where
        F: Fn(Arc<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        Step {
            name: name.into().into(),
            after: Vec::new(),
            action: boxed(action),
            undo: None,
        }
    }

    /// Runs only when these steps are done. Names that the saga does not have are an error of [`Saga::run`].
    #[must_use]
    pub fn after<I, N>(mut self, names: I) -> Step<C>
    where
        I: IntoIterator<Item = N>,
        N: Into<String>,
    {
        self.after.extend(names.into_iter().map(Into::into));
        self
    }

    /// How to make sure that what the step makes is absent. It is also run when the step itself failed, so it has
    /// to look for what may be there instead of trusting what the step wrote into the context, and it may be run
    /// more than once.
    #[must_use]
    pub fn undo<F, Fut>(mut self, undo: F) -> Step<C>
    where
        F: Fn(Arc<C>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<()>> + Send + 'static,
    {
        self.undo = Some(boxed(undo));
        self
    }

    /// The step's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn boxed<C, F, Fut>(function: F) -> Action<C>
where
    F: Fn(Arc<C>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<()>> + Send + 'static,
{
    Arc::new(move |context| Box::pin(function(context)))
}

/// An operation: named steps over a context `C`, which the steps share and fill through its own locks.
pub struct Saga<C> {
    pub(super) name: Arc<str>,
    pub(super) steps: Vec<Step<C>>,
    pub(super) snapshot: Option<Snapshot<C>>,
}

impl<C: Send + Sync + 'static> Saga<C> {
    /// A saga without steps.
    pub fn new(name: impl Into<String>) -> Saga<C> {
        Saga {
            name: name.into().into(),
            steps: Vec::new(),
            snapshot: None,
        }
    }

    /// Adds a step. The order of adding means nothing; [`Step::after`] does.
    #[must_use]
    pub fn step(mut self, step: Step<C>) -> Saga<C> {
        self.steps.push(step);
        self
    }

    /// Adds a step to a saga that is built in a loop.
    pub fn push(&mut self, step: Step<C>) {
        self.steps.push(step);
    }

    /// Hands what `snapshot` makes of the context to the observer with every event, for a journal to keep.
    #[must_use]
    pub fn journaled_by(mut self, snapshot: Snapshot<C>) -> Saga<C> {
        self.snapshot = Some(snapshot);
        self
    }

    /// The saga's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the steps, in the order of adding.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(Step::name)
    }
}

impl<C: Serialize + Send + Sync + 'static> Saga<C> {
    /// Hands the serialised context to the observer with every event, for a journal to keep.
    #[must_use]
    pub fn journaled(self) -> Saga<C> {
        self.journaled_by(|context| serde_json::to_value(context))
    }
}
