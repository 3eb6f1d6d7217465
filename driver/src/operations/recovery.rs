//! Goes on with what a killed driver left behind.
//!
//! Which operation is undone and which is finished stands with each operation, and in `docs/use.md`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::bridge::BridgeChange;
use super::control::Control;
use super::destroy::Destroy;
use super::driver::Driver;
use super::images::{CacheImage, Prune};
use super::interface::{Plug, Unplug};
use super::migrate::{Arrive, Away, Depart, Settle};
use super::monitor::Monitor;
use super::operation::{Log, Operation, Plan};
use super::power::Power;
use super::rebuild::Rebuild;
use super::remote_restart::RemoteRestart;
use super::rescue::{Rescue, Unrescue};
use super::resize::{Arriving, Confirm, Leaving, Resize, Returning, Revert};
use super::snapshot::Snapshot;
use super::spawn::Spawn;
use super::suspension::Suspension;
use super::volume::attach::Attach;
use super::volume::detach::Detach;
use super::volume::extend::Extend;
use crate::config;
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Record};

/// Every operation that a journal may hold.
const OPERATIONS: &[Entry] = &[
    Entry::of::<BridgeChange>(),
    Entry::of::<Spawn>(),
    Entry::of::<Destroy>(),
    Entry::of::<Power>(),
    Entry::of::<Attach>(),
    Entry::of::<Detach>(),
    Entry::of::<Extend>(),
    Entry::of::<Plug>(),
    Entry::of::<Unplug>(),
    Entry::of::<Arrive>(),
    Entry::of::<Depart>(),
    Entry::of::<Away>(),
    Entry::of::<Settle>(),
    Entry::of::<Rebuild>(),
    Entry::of::<RemoteRestart>(),
    Entry::of::<Resize>(),
    Entry::of::<Confirm>(),
    Entry::of::<Revert>(),
    Entry::of::<Leaving>(),
    Entry::of::<Arriving>(),
    Entry::of::<Returning>(),
    Entry::of::<Rescue>(),
    Entry::of::<Unrescue>(),
    Entry::of::<CacheImage>(),
    Entry::of::<Prune>(),
    Entry::of::<Snapshot>(),
    Entry::of::<Suspension>(),
    Entry::of::<Monitor>(),
];

/// What a journal calls each operation that it may hold.
#[must_use]
pub fn journalled_kinds() -> Vec<&'static str> {
    OPERATIONS.iter().map(|entry| entry.kind).collect()
}

/// What a journal calls those of them that consist of others.
#[must_use]
pub fn surrounding_kinds() -> Vec<&'static str> {
    let surrounding = OPERATIONS.iter().filter(|entry| entry.surrounds);
    surrounding.map(|entry| entry.kind).collect()
}

/// One kind of operation.
#[derive(Clone, Copy)]
struct Entry {
    kind: &'static str,
    plan: Plan,
    surrounds: bool,
    recover: for<'a> fn(&'a Driver, &'a Record, &'a Control) -> BoxFuture<'a, Result<Plan>>,
}

impl Entry {
    const fn of<O: Operation>() -> Self {
        Self {
            kind: O::KIND,
            plan: O::PLAN,
            surrounds: O::SURROUNDS,
            recover: |driver, record, control| Box::pin(recover::<O>(driver, record, control)),
        }
    }

    fn for_record(record: &Record) -> Option<Self> {
        OPERATIONS
            .iter()
            .find(|entry| entry.kind == record.beginning.kind)
            .copied()
    }
}

/// An operation that a driver was killed in, or that left something behind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interrupted {
    /// Its number in the journal.
    pub id: u64,
    /// What it was: `create web`.
    pub title: String,
    /// When it was begun, in seconds since 1970, where the journal knows.
    pub begun_at: Option<u64>,
    /// The steps that were begun and not undone.
    pub steps: Vec<String>,
    /// What becomes of it; nothing when this version does not know the operation.
    pub plan: Option<Plan>,
}

impl Interrupted {
    /// What the journal tells of it.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            id: record.id,
            title: record.beginning.title.clone(),
            begun_at: record.begun_at,
            steps: record.begun(),
            plan: Entry::for_record(record).map(|entry| entry.plan),
        }
    }
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// What it was.
    pub was: Interrupted,
    /// Whether it is finished or undone now. If not, the next start tries again.
    pub result: Result<()>,
}

impl Driver {
    /// What the journal has that is not over, without what this process is doing.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub async fn interrupted(&self) -> Result<Vec<Interrupted>> {
        Ok(self
            .left_over()
            .await?
            .iter()
            .map(Interrupted::of)
            .collect())
    }

    /// Finishes or undoes, one after the other, what another process left behind. One that cannot be finished or
    /// undone now stays in the journal and keeps no other from it.
    ///
    /// # Errors
    /// A journal that cannot be read; the failures of the operations stand with them.
    pub async fn recover(&self, control: &Control) -> Result<Vec<Recovered>> {
        let mut all = Vec::new();
        // What the killed process asked for last may be made only now, after whoever looks too early.
        let settled = Instant::now() + config::wait(self.config().recovery_wait);
        let mut left_over = self.left_over().await?;
        // What became of its parts decides what becomes of the whole.
        left_over
            .sort_by_key(|record| Entry::for_record(record).is_some_and(|entry| entry.surrounds));
        for record in left_over {
            if record.is_open() {
                tokio::time::sleep_until(settled).await;
            }
            let mut was = Interrupted::of(&record);
            tracing::warn!(operation = was.title, plan = ?was.plan, steps = ?was.steps, "recovering");
            let result = take_up(self, &record, control).await;
            match &result {
                Ok(plan) => was.plan = Some(*plan),
                Err(error) => {
                    tracing::error!(%error, operation = was.title, "could not recover");
                }
            }
            all.push(Recovered {
                was,
                result: result.map(drop),
            });
        }
        Ok(all)
    }

    /// What is not over, without what this process is doing.
    pub(super) async fn left_over(&self) -> Result<Vec<Record>> {
        let mut pending = self.shared.journal.pending().await?;
        let running = self.running().clone();
        pending.retain(|record| !running.contains(&record.id));
        Ok(pending)
    }
}

/// Finishes or undoes one operation, and tells which.
///
/// # Errors
/// It cannot be; it stays in the journal.
pub(super) async fn take_up(driver: &Driver, record: &Record, control: &Control) -> Result<Plan> {
    match Entry::for_record(record) {
        Some(entry) => (entry.recover)(driver, record, control).await,
        None => Err(Error::operation(
            ErrorKind::Precondition,
            format!(
                "the journal has an operation that this version does not know: {}",
                record.beginning.kind
            ),
            "use the version of powervm that began it",
        )),
    }
}

/// Tells what became of it.
async fn recover<O: Operation>(
    driver: &Driver,
    record: &Record,
    control: &Control,
) -> Result<Plan> {
    let asked: O::Asked = read(record, record.beginning.asked.clone())?;
    let notes: O::Notes = match record.notes() {
        Some(notes) => read(record, notes.clone())?,
        None => O::Notes::default(),
    };
    let steps = control.for_steps();
    let mut plan = O::PLAN;
    if let Some(operation) = O::revive(driver, asked, notes, &steps).await? {
        let operation = Arc::new(operation);
        plan = operation.plan();
        let options = control.saga_options(&steps);
        let log = Log::of_recovery(driver, record.id, Arc::clone(&options.observer));
        let (saga, options) = (operation.journaled(), options.observer(Arc::new(log)));
        match plan {
            Plan::Finish => saga.run(operation, options).await?,
            Plan::Undo => saga.unwind(&record.begun(), operation, options).await?,
        }
    }
    let outcome = match plan {
        Plan::Finish => Outcome::Finished,
        Plan::Undo => Outcome::Undone,
    };
    driver.close(record.id, &outcome).await?;
    Ok(plan)
}

fn read<T: DeserializeOwned>(record: &Record, value: serde_json::Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        Error::caused(
            ErrorKind::Precondition,
            format!(
                "the journal's entry {} ({}) is not what this version writes: {error}",
                record.id, record.beginning.title
            ),
            "use the version of powervm that began it",
            error,
        )
    })
}
