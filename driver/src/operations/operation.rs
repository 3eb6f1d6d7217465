//! What all operations have in common: they are recipes, and the journal knows how to go on with them.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::control::Control;
use super::driver::{Driver, Shared};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Beginning, Journal, Outcome};
use crate::saga::{Event, Observer, Saga};

/// What becomes of an operation that a killed driver left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// What it made is removed.
    Undo,
    /// It is brought to its end.
    Finish,
}

/// An operation that is run as a saga and kept in the journal.
///
/// A recovery makes the operation anew from `Asked` and `Notes` and has it undone or run: an undo looks for what may
/// be there, and a step that is run again changes nothing that is right already.
pub(super) trait Operation: Send + Sync + Sized + 'static {
    /// Its name in the journal. Never changes its meaning.
    const KIND: &'static str;
    /// What becomes of it after a crash.
    const PLAN: Plan;
    /// Whether its steps are operations with records of their own: a recovery sees to those first.
    const SURROUNDS: bool = false;
    /// What it was asked for, without secrets.
    type Asked: Serialize + DeserializeOwned + Send + Sync;
    /// What its steps found and made.
    type Notes: Serialize + DeserializeOwned + Default + Send;

    /// What it was asked for.
    fn asked(&self) -> &Self::Asked;

    /// What its steps found and made so far.
    fn notes(&self) -> &Notes<Self::Notes>;

    /// Its steps.
    fn recipe(&self) -> Saga<Self>;

    /// The operation as another process left it; nothing when there is nothing to do any more.
    ///
    /// # Errors
    /// Those of looking at the host.
    fn revive(
        driver: &Driver,
        asked: Self::Asked,
        notes: Self::Notes,
        control: &Control,
    ) -> impl Future<Output = Result<Option<Self>>> + Send;

    /// Whether it has begun what must not be left as it is: if it fails now, the next start finishes it.
    fn is_owed(&self) -> bool {
        false
    }

    /// What becomes of it after a crash, as it was found: where that decides, and otherwise [`Self::PLAN`].
    fn plan(&self) -> Plan {
        Self::PLAN
    }

    /// Its steps, with what they note handed to the journal.
    fn journaled(&self) -> Saga<Self> {
        self.recipe()
            .journaled_by(|operation| operation.notes().with(|notes| serde_json::to_value(notes)))
    }
}

/// What the steps of an operation tell each other, and the journal.
#[derive(Debug, Default)]
pub(super) struct Notes<T>(Mutex<T>);

impl<T> Notes<T> {
    pub(super) fn new(notes: T) -> Self {
        Self(Mutex::new(notes))
    }

    /// Reads or changes them.
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Driver {
    /// Runs an operation whose steps have `steps` as their control.
    pub(super) async fn perform<O: Operation>(
        &self,
        operation: &Arc<O>,
        control: &Control,
        steps: &Control,
    ) -> Result<()> {
        self.record(operation, control, steps, false)
            .await
            .map(drop)
    }

    /// As [`Self::perform`], of the first part of something: when it is done, its record stays until
    /// [`Driver::close`] ends it, and a recovery in this process leaves it alone until then.
    pub(super) async fn perform_first<O: Operation>(
        &self,
        operation: &Arc<O>,
        control: &Control,
        steps: &Control,
    ) -> Result<Open> {
        self.record(operation, control, steps, true).await
    }

    /// Ends the record of a first part.
    pub(super) async fn close(&self, id: u64, outcome: &Outcome) -> Result<()> {
        self.shared.journal.end(id, outcome).await
    }

    async fn record<O: Operation>(
        &self,
        operation: &Arc<O>,
        control: &Control,
        steps: &Control,
        stays_open: bool,
    ) -> Result<Open> {
        let saga = operation.journaled();
        if control.is_dry_run() {
            return Err(Error::DryRun(Arc::new(saga.outline()?)));
        }
        let asked = serde_json::to_value(operation.asked())
            .map_err(|error| Error::internal(format!("what was asked is no JSON: {error}")))?;
        let beginning = Beginning {
            kind: O::KIND.to_owned(),
            title: saga.name().to_owned(),
            asked,
        };
        let id = self.shared.journal.begin(&beginning).await?;
        let options = control.saga_options(steps);
        let running = Arc::new(Running::enter(self, id));
        let log = Log {
            running: Some(Arc::clone(&running)),
            stays_open,
            is_owed: {
                let operation = Arc::clone(operation);
                Box::new(move || operation.is_owed())
            },
            ..Log::of_recovery(self, id, Arc::clone(&options.observer))
        };
        saga.run(Arc::clone(operation), options.observer(Arc::new(log)))
            .await?;
        Ok(Open {
            id,
            _running: running,
        })
    }
}

/// A record that is not ended yet.
pub(super) struct Open {
    /// Its number in the journal.
    pub(super) id: u64,
    _running: Arc<Running>,
}

/// Writes what happens to an operation into the journal, and tells whoever else wants to know.
pub(super) struct Log {
    journal: Arc<dyn Journal>,
    id: u64,
    others: Arc<dyn Observer>,
    /// Of an operation of this process: the journal learns how it ends.
    running: Option<Arc<Running>>,
    stays_open: bool,
    is_owed: Box<dyn Fn() -> bool + Send + Sync>,
}

impl Log {
    /// Of an operation that was begun earlier; whoever goes on with it tells the journal how it ends.
    pub(super) fn of_recovery(driver: &Driver, id: u64, others: Arc<dyn Observer>) -> Self {
        Self {
            journal: Arc::clone(&driver.shared.journal),
            id,
            others,
            running: None,
            stays_open: false,
            is_owed: Box::new(|| false),
        }
    }
}

impl Observer for Log {
    fn observe<'a>(&'a self, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let noted = self.journal.note(self.id, event).await;
            self.others.observe(event).await?;
            noted
        })
    }

    fn ended<'a>(&'a self, outcome: &'a Result<()>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if self.running.is_none() {
                return;
            }
            let outcome = match outcome {
                Ok(()) if self.stays_open => return,
                Ok(()) => Outcome::Done,
                // Not over: the next start tries to remove it again.
                Err(Error::Saga(failure)) if !failure.left_behind.is_empty() => return,
                // Not over either, unless whoever asked for it does not want it any more.
                Err(error) if error.kind() != ErrorKind::Cancelled && (self.is_owed)() => return,
                Err(error) => Outcome::Failed {
                    error: error.to_string(),
                },
            };
            if let Err(error) = self.journal.end(self.id, &outcome).await {
                tracing::error!(%error, id = self.id, "the journal does not know that an operation ended");
            }
        })
    }
}

/// Keeps a recovery away from what this process is doing.
struct Running {
    // Weak, since what is kept open is kept by the driver itself.
    driver: Weak<Shared>,
    id: u64,
}

impl Running {
    fn enter(driver: &Driver, id: u64) -> Self {
        driver.running().insert(id);
        Self {
            driver: Arc::downgrade(&driver.shared),
            id,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(shared) = self.driver.upgrade() {
            shared.running().remove(&self.id);
        }
    }
}
