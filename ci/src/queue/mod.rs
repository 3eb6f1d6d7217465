//! Runs on disk, from what asked for them to their vote. A CI that is killed goes on where it was.
//!
//! Rules:
//! - what asked for a run once never asks again ([`Trigger::key`]), however often it is read;
//! - a change has at most one run that waits and one that is under way; a comment joins the one that waits;
//! - the newest patch set takes the place of older ones, whether they wait or are under way;
//! - a run that was under way when the CI ended waits again, three times at most;
//! - a vote is written down before it is sent.
//!
//! Calls block for the milliseconds of a durable commit; there are some dozens an hour.

mod model;
mod store;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::store::{Changes, Contents, Store};
use crate::gerrit::Timestamp;
use crate::run::{Outcome, RunResult};
use crate::trigger::{Cause, Trigger};

pub use model::{Run, State};
pub use store::QueueError;

/// Runs that are over and kept, to look at.
const KEPT: usize = 500;
/// How long what asked for a run is remembered. What is older asks for nothing.
const MEMORY: Duration = Duration::from_secs(60 * 24 * 3600);
/// How often a run may be cut short by the end of the CI.
const MOST_INTERRUPTIONS: u32 = 3;

/// The queue. At most one process has its file open.
#[derive(Debug)]
pub struct Queue {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    runs: BTreeMap<u64, Run>,
    triggers: HashMap<String, i64>,
    next: u64,
    /// What happened before is nothing to the CI: it began then.
    begun: Option<Timestamp>,
    /// Everything up to then was read.
    seen: Option<Timestamp>,
}

impl Queue {
    /// Opens the file, made if it is not there. What was under way when its last user ended waits again.
    ///
    /// # Errors
    /// Another process has it open; it is damaged, or cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, QueueError> {
        Self::on(Store::open(path)?)
    }

    /// A queue that is gone with its last user.
    ///
    /// # Errors
    /// None in practice.
    pub fn in_memory() -> Result<Self, QueueError> {
        Self::on(Store::in_memory()?)
    }

    fn on((store, contents): (Store, Contents)) -> Result<Self, QueueError> {
        let moment = |name: &str| {
            let found = contents.meta.iter().find(|(key, _)| key == name);
            found.map(|(_, millis)| Timestamp::from_millis(*millis))
        };
        let mut inner = Inner {
            begun: moment("begun"),
            seen: moment("seen"),
            next: contents.runs.last().map_or(1, |run| run.number + 1),
            runs: contents
                .runs
                .into_iter()
                .map(|run| (run.number, run))
                .collect(),
            triggers: contents.triggers.into_iter().collect(),
            store,
        };
        inner.resume()?;
        Ok(Self {
            inner: Mutex::new(inner),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the CI began, and up to when it has read everything.
    #[must_use]
    pub fn horizon(&self) -> Option<(Timestamp, Timestamp)> {
        let inner = self.inner();
        inner
            .begun
            .map(|begun| (begun, inner.seen.unwrap_or(begun)))
    }

    /// The CI begins: what happened before this is nothing to it. Only the first call counts.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&self, at: Timestamp) -> Result<(), QueueError> {
        let mut inner = self.inner();
        if inner.begun.is_some() {
            return Ok(());
        }
        let changes = Changes {
            meta: vec![("begun", at.millis())],
            ..Changes::default()
        };
        inner.store.write(&changes)?;
        inner.begun = Some(at);
        Ok(())
    }

    /// Everything up to then was read.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn set_seen(&self, at: Timestamp) -> Result<(), QueueError> {
        let mut inner = self.inner();
        if inner.seen.is_some_and(|seen| seen >= at) {
            return Ok(());
        }
        let mut changes = Changes {
            meta: vec![("seen", at.millis())],
            ..Changes::default()
        };
        let oldest = at.earlier(MEMORY).millis();
        let forgotten = inner.triggers.iter().filter(|(_, at)| **at < oldest);
        changes.removed_triggers = forgotten.map(|(key, _)| key.clone()).collect();
        inner.store.write(&changes)?;
        inner.seen = Some(at);
        for key in changes.removed_triggers {
            inner.triggers.remove(&key);
        }
        Ok(())
    }

    /// Takes what asks for runs of one change's newest patch set; gives the runs under way that are outdated by it.
    ///
    /// # Errors
    /// It cannot be written; then nothing was taken.
    pub fn offer(&self, triggers: &[Trigger]) -> Result<Vec<u64>, QueueError> {
        self.inner().offer(triggers)
    }

    /// A change was merged, abandoned or taken back: its runs are not wanted any more. Gives those under way.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn drop_change(&self, change: u64, why: &str) -> Result<Vec<u64>, QueueError> {
        let mut inner = self.inner();
        let dropped = State::Dropped {
            why: why.to_owned(),
        };
        inner.replace(|run| run.change == change, &dropped)
    }

    /// The run whose turn it is, now under way: the oldest one that waits and whose change has none under way.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn next(&self) -> Result<Option<Run>, QueueError> {
        let mut inner = self.inner();
        let busy: Vec<u64> = inner.under_way().map(|run| run.change).collect();
        let waiting = |run: &&Run| run.state == State::Queued && !busy.contains(&run.change);
        let Some(mut run) = inner.runs.values().find(waiting).cloned() else {
            return Ok(None);
        };
        run.state = State::Running;
        inner.save(vec![run.clone()])?;
        Ok(Some(run))
    }

    /// A run ended. One that could not run waits again, `tries` times in all. Gives what became of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finished(
        &self,
        number: u64,
        result: RunResult,
        tries: u32,
    ) -> Result<Option<State>, QueueError> {
        let mut inner = self.inner();
        let Some(mut run) = inner.get(number, |state| *state == State::Running) else {
            return Ok(None);
        };
        run.state = match result.outcome {
            Outcome::Error if run.tries + 1 < tries => {
                run.tries += 1;
                State::Queued
            }
            Outcome::Error => State::Errored {
                why: result.why.unwrap_or_else(|| "it could not run".to_owned()),
            },
            _ => State::Finished { result },
        };
        let state = run.state.clone();
        inner.save(vec![run])?;
        Ok(Some(state))
    }

    /// The CI is being stopped in the middle of a run: it waits again, and that is nobody's fault.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put_back(&self, number: u64) -> Result<(), QueueError> {
        let mut inner = self.inner();
        match inner.get(number, |state| *state == State::Running) {
            Some(run) => inner.save(vec![Run {
                state: State::Queued,
                ..run
            }]),
            None => Ok(()),
        }
    }

    /// Runs that ended and whose vote is not known to have been heard.
    #[must_use]
    pub fn unsaid(&self) -> Vec<Run> {
        let is_unsaid =
            |run: &&Run| matches!(run.state, State::Finished { .. } | State::Voting { .. });
        self.inner()
            .runs
            .values()
            .filter(is_unsaid)
            .cloned()
            .collect()
    }

    /// The vote is about to be sent. Not true when it is not wanted any more.
    ///
    /// # Errors
    /// It cannot be written; then it must not be sent.
    pub fn intend(&self, number: u64) -> Result<bool, QueueError> {
        let mut inner = self.inner();
        let Some(run) = inner.runs.get(&number).cloned() else {
            return Ok(false);
        };
        match run.state.clone() {
            State::Finished { result } => {
                inner.save(vec![Run {
                    state: State::Voting { result },
                    ..run
                }])?;
                Ok(true)
            }
            State::Voting { .. } => Ok(true),
            _ => Ok(false),
        }
    }

    /// The vote was heard.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn said(&self, number: u64) -> Result<(), QueueError> {
        let mut inner = self.inner();
        let Some(run) = inner.runs.get(&number).cloned() else {
            return Ok(());
        };
        match run.state.clone() {
            State::Finished { result } | State::Voting { result } => inner.save(vec![Run {
                state: State::Voted { result },
                ..run
            }]),
            _ => Ok(()),
        }
    }

    /// The vote will not be sent.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn unsayable(&self, number: u64, state: State) -> Result<(), QueueError> {
        let mut inner = self.inner();
        match inner.get(number, |state| {
            matches!(state, State::Finished { .. } | State::Voting { .. })
        }) {
            Some(run) => inner.save(vec![Run { state, ..run }]),
            None => Ok(()),
        }
    }

    /// All runs that are kept, oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        self.inner().runs.values().cloned().collect()
    }
}

impl Inner {
    fn get(&self, number: u64, wanted: impl Fn(&State) -> bool) -> Option<Run> {
        self.runs
            .get(&number)
            .filter(|run| wanted(&run.state))
            .cloned()
    }

    fn under_way(&self) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(|run| run.state == State::Running)
    }

    fn resume(&mut self) -> Result<(), QueueError> {
        let cut = self.under_way().cloned().map(|mut run| {
            run.interruptions += 1;
            run.state = if run.interruptions < MOST_INTERRUPTIONS {
                State::Queued
            } else {
                let why = format!("the CI ended {MOST_INTERRUPTIONS} times in the middle of it");
                State::Errored { why }
            };
            run
        });
        let cut = cut.collect();
        self.save(cut)
    }

    fn offer(&mut self, triggers: &[Trigger]) -> Result<Vec<u64>, QueueError> {
        let begun = self.begun.unwrap_or(Timestamp::from_millis(0));
        let oldest = self
            .seen
            .map_or(begun, |seen| begun.max(seen.earlier(MEMORY)));
        let is_new =
            |trigger: &&Trigger| trigger.at >= oldest && !self.triggers.contains_key(&trigger.key);
        let new: Vec<Trigger> = triggers.iter().filter(is_new).cloned().collect();
        let Some(last) = triggers.last() else {
            return Ok(Vec::new());
        };
        let (change, patch_set) = (last.change, last.patch_set);
        let outdated = |run: &Run| run.change == change && run.patch_set < patch_set;
        let cancelled = self.replace(outdated, &State::Superseded)?;
        if new.is_empty() {
            return Ok(cancelled);
        }
        let waits = self.runs.values().any(|run| {
            run.change == change && run.patch_set == patch_set && run.state == State::Queued
        });
        let newer = self
            .runs
            .values()
            .any(|run| run.change == change && run.patch_set > patch_set);
        let mut changes = Changes {
            triggers: new
                .iter()
                .map(|trigger| (trigger.key.clone(), trigger.at.millis()))
                .collect(),
            ..Changes::default()
        };
        // Several at once, after an outage, are one run; the patch set's own is the first.
        if let (false, false, Some(trigger)) = (waits, newer, new.first()) {
            changes.runs.push(self.run_for(trigger));
        }
        self.commit(changes)?;
        Ok(cancelled)
    }

    fn run_for(&self, trigger: &Trigger) -> Run {
        Run {
            number: self.next,
            id: trigger.run_id(),
            change: trigger.change,
            patch_set: trigger.patch_set,
            commit: trigger.commit.clone(),
            branch: trigger.branch.clone(),
            cause: trigger.cause,
            tries: 0,
            interruptions: 0,
            state: State::Queued,
        }
    }

    /// Ends runs whose vote was not begun; gives those that were under way.
    fn replace(
        &mut self,
        which: impl Fn(&Run) -> bool,
        state: &State,
    ) -> Result<Vec<u64>, QueueError> {
        let ended = |run: &&Run| {
            matches!(
                run.state,
                State::Queued | State::Running | State::Finished { .. }
            ) && which(run)
        };
        let ended: Vec<Run> = self.runs.values().filter(ended).cloned().collect();
        let cancelled = ended
            .iter()
            .filter(|run| run.state == State::Running)
            .map(|run| run.number)
            .collect();
        self.save(
            ended
                .into_iter()
                .map(|run| Run {
                    state: state.clone(),
                    ..run
                })
                .collect(),
        )?;
        Ok(cancelled)
    }

    fn save(&mut self, runs: Vec<Run>) -> Result<(), QueueError> {
        if runs.is_empty() {
            return Ok(());
        }
        self.commit(Changes {
            runs,
            ..Changes::default()
        })
    }

    /// Writes it down, and only then believes it.
    fn commit(&mut self, mut changes: Changes) -> Result<(), QueueError> {
        let over: Vec<u64> = self
            .runs
            .values()
            .filter(|run| run.state.is_over())
            .map(|run| run.number)
            .collect();
        let most = over.len().saturating_sub(KEPT);
        changes.removed_runs = over.into_iter().take(most).collect();
        self.store.write(&changes)?;
        for run in changes.runs {
            self.next = self.next.max(run.number + 1);
            self.runs.insert(run.number, run);
        }
        for number in changes.removed_runs {
            self.runs.remove(&number);
        }
        self.triggers.extend(changes.triggers);
        Ok(())
    }
}

impl Run {
    /// Whether it is the first run of its patch set, which nobody asked for.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.cause == Cause::PatchSet
    }
}
