//! Watching: what happened in Gerrit, the queue, the runs and the votes, brought together for weeks.
//!
//! One task holds the reins; sweeps, runs and votes are tasks of their own that report to it. Whatever Gerrit does, runs
//! go on; whatever runs do, Gerrit is asked on.

mod runner;
mod stream;
mod sweep;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::Config;
use crate::gerrit::{AccountInfo, Gerrit, GerritError};
use crate::queue::{Queue, QueueError, Run, State};
use crate::run::{Outcome, RunResult};
use crate::trigger::Rules;
use crate::vote::{self, Ballot, Cast};

pub use runner::{Processes, Runner};
pub use stream::{Hint, listen};
pub use sweep::{Seen, Sweep, Turn};

/// Waits after a failure, from this to [`MOST_WAIT`].
const LEAST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait for a Gerrit that is down.
const MOST_WAIT: Duration = Duration::from_secs(600);
/// The votes' first wait.
const VOTE_WAIT: Duration = Duration::from_secs(10);

/// What a watch needs.
pub struct Watch {
    /// The configuration.
    pub config: Config,
    /// Gerrit.
    pub gerrit: Gerrit,
    /// Runs on disk.
    pub queue: Arc<Queue>,
    /// What runs changes.
    pub runner: Arc<dyn Runner>,
    /// Decides jitter.
    pub seed: u64,
}

/// What a task of the watch reports.
enum News {
    Swept(Result<Swept, GerritError>),
    Cast(Run, Result<Cast, QueueError>),
}

/// What a turn of a sweep found, and for whom.
struct Swept {
    own: Option<AccountInfo>,
    turn: Option<Turn>,
    begun: Option<crate::gerrit::Timestamp>,
}

impl Watch {
    /// Watches until it is cancelled, or until nothing is left to do when it is to go round once only.
    ///
    /// # Errors
    /// The queue cannot be written.
    pub async fn watch(
        self,
        hints: Option<mpsc::Receiver<Hint>>,
        once: bool,
        cancel: CancellationToken,
    ) -> Result<(), QueueError> {
        let backoff = Backoff::new(LEAST_WAIT, MOST_WAIT, self.seed);
        let mut reins = Reins {
            own: None,
            rest: None,
            running: HashMap::new(),
            saying: HashSet::new(),
            runs: JoinSet::new(),
            tasks: JoinSet::new(),
            sweeping: false,
            swept: false,
            sweep_at: Instant::now(),
            backoff,
            watch: self,
        };
        reins.go(hints, once, &cancel).await
    }
}

/// The one task that decides.
struct Reins {
    watch: Watch,
    own: Option<AccountInfo>,
    rest: Option<Sweep>,
    running: HashMap<u64, CancellationToken>,
    saying: HashSet<u64>,
    runs: JoinSet<(u64, RunResult)>,
    tasks: JoinSet<News>,
    sweeping: bool,
    swept: bool,
    sweep_at: Instant,
    backoff: Backoff,
}

impl Reins {
    async fn go(
        &mut self,
        mut hints: Option<mpsc::Receiver<Hint>>,
        once: bool,
        cancel: &CancellationToken,
    ) -> Result<(), QueueError> {
        loop {
            self.begin_runs()?;
            self.begin_votes()?;
            if once && self.swept && self.runs.is_empty() && self.tasks.is_empty() {
                return Ok(());
            }
            let is_enough = once && self.swept;
            let due = !self.sweeping && !is_enough;
            tokio::select! {
                () = cancel.cancelled() => break,
                () = tokio::time::sleep_until(self.sweep_at), if due => self.begin_sweep(),
                hint = heard(&mut hints) => match hint {
                    // Several in a row are one question.
                    Some(_) => self.sweep_at = self.sweep_at.min(Instant::now() + Duration::from_secs(1)),
                    None => hints = None,
                },
                Some(ran) = self.runs.join_next() => if let Ok((number, result)) = ran {
                    self.take_result(number, result)?;
                },
                Some(news) = self.tasks.join_next() => if let Ok(news) = news {
                    self.take(news)?;
                },
            }
        }
        self.stop().await
    }

    /// Cancels runs and waits until everything that they began has ended; they wait in the queue. A vote that is on its
    /// way is looked up after the next start.
    async fn stop(&mut self) -> Result<(), QueueError> {
        tracing::info!(runs = self.running.len(), "stopping");
        for number in self.running.keys() {
            self.watch.queue.put_back(*number)?;
        }
        self.running.values().for_each(CancellationToken::cancel);
        while self.runs.join_next().await.is_some() {}
        self.tasks.shutdown().await;
        Ok(())
    }

    fn begin_sweep(&mut self) {
        self.sweeping = true;
        let (gerrit, config) = (self.watch.gerrit.clone(), self.watch.config.clone());
        let (own, rest, horizon) = (self.own.clone(), self.rest, self.watch.queue.horizon());
        self.tasks.spawn(async move {
            let swept = async {
                let own = match own {
                    Some(own) => own,
                    None if gerrit.has_credentials() => gerrit.own_account().await?,
                    None => AccountInfo::default(),
                };
                let Some((_, seen)) = horizon else {
                    // The first question of all is only for Gerrit's clock.
                    let query = format!("project:{}", config.gerrit.project);
                    let page = gerrit.changes(&query, 0, 1).await?;
                    let newest = page.changes.first().map(|change| change.updated);
                    let begun = page.date.or(newest);
                    return Ok(Swept {
                        own: Some(own),
                        turn: None,
                        begun,
                    });
                };
                let rules = Rules::new(&config, own.clone());
                let sweep = rest.unwrap_or_else(|| Sweep::since(seen));
                let turn = sweep.turn(&gerrit, &rules, &config.gerrit).await?;
                Ok(Swept {
                    own: Some(own),
                    turn: Some(turn),
                    begun: None,
                })
            };
            News::Swept(swept.await)
        });
    }

    fn take(&mut self, news: News) -> Result<(), QueueError> {
        match news {
            News::Swept(swept) => self.take_sweep(swept),
            News::Cast(run, cast) => self.take_cast(&run, cast?),
        }
    }

    fn take_sweep(&mut self, swept: Result<Swept, GerritError>) -> Result<(), QueueError> {
        self.sweeping = false;
        let poll = self.watch.config.gerrit.poll();
        let swept = match swept {
            Ok(swept) => swept,
            Err(error) => {
                let wait = self.backoff.wait(error.retry_after());
                tracing::warn!(%error, seconds = wait.as_secs(), "Gerrit cannot be read; asking again");
                self.sweep_at = Instant::now() + wait;
                return Ok(());
            }
        };
        self.backoff.reset();
        self.own = swept.own.or(self.own.take());
        self.sweep_at = Instant::now() + poll;
        if let Some(begun) = swept.begun {
            tracing::info!(%begun, "watching from now on");
            self.watch.queue.begin(begun)?;
        }
        let Some(turn) = swept.turn else {
            // Gerrit's clock is known now: look at once.
            self.sweep_at = if swept.begun.is_some() {
                Instant::now()
            } else {
                self.sweep_at
            };
            return Ok(());
        };
        for seen in &turn.seen {
            self.look_at(seen)?;
        }
        self.rest = turn.rest;
        if turn.rest.is_some() {
            self.sweep_at = Instant::now();
        } else {
            self.swept = true;
        }
        match turn.newest {
            Some(newest) => self.watch.queue.set_seen(newest),
            None => Ok(()),
        }
    }

    fn look_at(&mut self, seen: &Seen) -> Result<(), QueueError> {
        let rules = Rules::new(&self.watch.config, self.own.clone().unwrap_or_default());
        let change = &seen.change;
        if !rules.covers(change) {
            return Ok(());
        }
        let cancelled = if change.is_ready() {
            self.watch
                .queue
                .offer(&rules.triggers(change, &seen.comments))?
        } else {
            let why = "the change was merged, abandoned or taken back";
            self.watch.queue.drop_change(change.number, why)?
        };
        for number in cancelled {
            tracing::info!(change = change.number, "a run is outdated");
            if let Some(token) = self.running.get(&number) {
                token.cancel();
            }
        }
        Ok(())
    }

    fn begin_runs(&mut self) -> Result<(), QueueError> {
        while self.running.len() < self.watch.config.run.parallel {
            let Some(run) = self.watch.queue.next()? else {
                break;
            };
            tracing::info!(
                run = run.id,
                change = run.change,
                patch_set = run.patch_set,
                "a run begins"
            );
            let cancel = CancellationToken::new();
            let number = run.number;
            let ended = self.watch.runner.run(run, cancel.clone());
            let retry = Duration::from_secs(self.watch.config.run.retry_seconds);
            self.running.insert(number, cancel.clone());
            self.runs.spawn(async move {
                let result = ended.await;
                if result.outcome == Outcome::Error {
                    // What is broken here is broken for the next one as well.
                    tokio::select! {
                        () = cancel.cancelled() => {}
                        () = tokio::time::sleep(retry) => {}
                    }
                }
                (number, result)
            });
        }
        Ok(())
    }

    fn take_result(&mut self, number: u64, result: RunResult) -> Result<(), QueueError> {
        self.running.remove(&number);
        let outcome = result.outcome;
        let why = result.why.clone().unwrap_or_default();
        let state = self
            .watch
            .queue
            .finished(number, result, self.watch.config.run.tries)?;
        match state {
            Some(State::Errored { why }) => tracing::error!(number, why, "a run could not run"),
            Some(State::Queued) => {
                tracing::warn!(number, why, "a run could not run and is tried again")
            }
            Some(_) => tracing::info!(number, outcome = outcome.word(), why, "a run ended"),
            None => {}
        }
        Ok(())
    }

    fn begin_votes(&mut self) -> Result<(), QueueError> {
        let Some(own) = self.own.clone() else {
            return Ok(());
        };
        for run in self.watch.queue.unsaid() {
            if !self.watch.gerrit.has_credentials() {
                let why = "there is no account to say it with".to_owned();
                self.watch
                    .queue
                    .unsayable(run.number, State::Dropped { why })?;
                continue;
            }
            if !self.saying.insert(run.number) {
                continue;
            }
            let Some(ballot) = ballot(&self.watch.config, &run) else {
                continue;
            };
            let (gerrit, queue, own) = (
                self.watch.gerrit.clone(),
                Arc::clone(&self.watch.queue),
                own.clone(),
            );
            let seed = self.watch.seed.wrapping_add(run.number);
            self.tasks.spawn(async move {
                let mut backoff = Backoff::new(VOTE_WAIT, MOST_WAIT, seed);
                let intend = || queue.intend(run.number);
                let cast = vote::cast(&gerrit, &own, &ballot, &mut backoff, intend).await;
                News::Cast(run, cast)
            });
        }
        Ok(())
    }

    fn take_cast(&mut self, run: &Run, cast: Cast) -> Result<(), QueueError> {
        self.saying.remove(&run.number);
        let queue = &self.watch.queue;
        match cast {
            Cast::Said | Cast::WasSaid => {
                tracing::info!(run = run.id, "Gerrit has the result");
                queue.said(run.number)
            }
            Cast::Outdated(why) => {
                tracing::info!(run = run.id, why, "the result is not wanted any more");
                queue.unsayable(run.number, State::Dropped { why })
            }
            Cast::Unwanted => Ok(()),
            Cast::Refused(error) => {
                tracing::error!(run = run.id, %error, "Gerrit does not take the result");
                queue.unsayable(
                    run.number,
                    State::Errored {
                        why: error.to_string(),
                    },
                )
            }
        }
    }
}

/// What a run that ended has to say.
#[must_use]
pub fn ballot(config: &Config, run: &Run) -> Option<Ballot> {
    let (State::Finished { result } | State::Voting { result }) = &run.state else {
        return None;
    };
    Some(Ballot {
        run_id: run.id.clone(),
        change: run.change,
        patch_set: run.patch_set,
        commit: run.commit.clone(),
        is_first: run.is_first(),
        is_resumed: matches!(run.state, State::Voting { .. }),
        review: vote::review(config, &run.id, result)?,
    })
}

async fn heard(hints: &mut Option<mpsc::Receiver<Hint>>) -> Option<Hint> {
    match hints {
        Some(hints) => hints.recv().await,
        None => std::future::pending().await,
    }
}
