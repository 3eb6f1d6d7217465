//! What servers do by themselves: they start, stop, are suspended, go on, are gone.
//!
//! A restart makes a server report several states within seconds, and a wrong "stopped" makes Nova take its power away.
//! So a state counts only when it has settled: it is read again some time after the last event about the server, and
//! when nothing of this driver is at work on it. Events may be missed; then the states of all servers are read, and
//! those that are not as they were are read again when they have settled.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::driver::Driver;
use super::power::state_of;
use super::server::lower_case;
use crate::error::Result;
use crate::partition::PartitionUuid;
use crate::rest::{EventStream, Notice, Occurrence};

/// How long after the last event about it a server's state counts as settled.
const SETTLES: Duration = Duration::from_secs(15);
/// Servers whose states may be settling at a time; with more, all are read at once.
const MOST_PENDING: usize = 1000;

/// What became of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Transition {
    /// It runs, and did not.
    Started,
    /// It is off, and was not: its guest shut down, or it crashed.
    Stopped,
    /// It was suspended.
    Suspended,
    /// It runs again after it was suspended.
    Resumed,
    /// It is there no more.
    Deleted,
}

/// Something that happened to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LifecycleEvent {
    /// Its partition's UUID.
    #[serde(serialize_with = "lower_case")]
    pub id: PartitionUuid,
    /// What happened.
    pub transition: Transition,
    /// The partition's state, as the server names it; empty when it is gone.
    pub state: String,
}

/// What a server is doing, as far as events about it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    Running,
    Stopped,
    Suspended,
}

impl Settled {
    /// Of a `PartitionState`; none for states that pass, and for those that another event follows.
    fn of(state: &str) -> Option<Self> {
        match state.to_ascii_lowercase().as_str() {
            "running" | "migrating running" | "starting" | "open firmware" | "resuming" => {
                Some(Self::Running)
            }
            // Not "unknown": whoever takes that for off takes the power away.
            "not activated" | "error" => Some(Self::Stopped),
            "suspending" | "suspended" => Some(Self::Suspended),
            _ => None,
        }
    }

    fn transition(self, before: Option<Self>) -> Option<Transition> {
        match (before, self) {
            (Some(before), now) if before == now => None,
            // A new partition is off until it is started.
            (None, Self::Stopped) => None,
            (Some(Self::Suspended), Self::Running) => Some(Transition::Resumed),
            (_, Self::Running) => Some(Transition::Started),
            (_, Self::Stopped) => Some(Transition::Stopped),
            (_, Self::Suspended) => Some(Transition::Suspended),
        }
    }
}

/// The events of a host's servers, from the moment that it was made.
pub struct LifecycleEvents {
    driver: Driver,
    notices: EventStream,
    /// When to look at which server.
    pending: BTreeMap<PartitionUuid, Instant>,
    known: BTreeMap<PartitionUuid, Settled>,
    /// When to keep which server's NVRAM, where it is kept.
    nvram: BTreeMap<PartitionUuid, Instant>,
    ready: VecDeque<LifecycleEvent>,
    /// When to read all servers; the first reading only tells what there is.
    resync: Option<Instant>,
    is_first: bool,
    is_over: bool,
}

impl Driver {
    /// Listens to what servers do by themselves. What they are doing now is no event. Where NVRAM is kept, that of every
    /// server is kept at the beginning, and again when it has changed: one after the other, and of one that changes often
    /// once in fifteen seconds.
    #[must_use]
    pub fn lifecycle(&self) -> LifecycleEvents {
        LifecycleEvents {
            driver: self.clone(),
            notices: self.session().events(),
            pending: BTreeMap::new(),
            known: BTreeMap::new(),
            nvram: BTreeMap::new(),
            ready: VecDeque::new(),
            resync: Some(Instant::now()),
            is_first: true,
            is_over: false,
        }
    }
}

impl LifecycleEvents {
    /// The next event; none when the session was logged off or lost. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> Option<LifecycleEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_over {
                return None;
            }
            let due = self.pending.values().chain(&self.resync);
            let due = due.chain(self.nvram.values()).min().copied();
            tokio::select! {
                biased;
                () = until(due) => self.look().await,
                notice = self.notices.next() => match notice {
                    Some(Notice::Event(occurrence)) => self.take(&occurrence),
                    Some(Notice::Resync) => self.read_all_soon(),
                    None => self.is_over = true,
                },
            }
        }
    }

    fn read_all_soon(&mut self) {
        self.resync.get_or_insert_with(Instant::now);
    }

    fn take(&mut self, occurrence: &Occurrence) {
        let Some(partition) = partition_of(&occurrence.data) else {
            return;
        };
        let is_gone = occurrence.kind == "DELETE_URI";
        if is_gone {
            self.nvram.remove(&partition);
        } else if occurrence.concerns("NVRAM") {
            self.keep_nvram_of(partition);
        }
        if !(is_gone || occurrence.concerns("PartitionState")) {
            return;
        }
        let due = Instant::now() + SETTLES;
        if self.pending.len() >= MOST_PENDING && !self.pending.contains_key(&partition) {
            self.resync.get_or_insert(due);
            return;
        }
        self.pending.insert(partition, due);
    }

    /// One that is to be kept already is not put off: what changes all the time is kept, too.
    fn keep_nvram_of(&mut self, partition: PartitionUuid) {
        let has_room = self.nvram.len() < MOST_PENDING;
        if self.driver.keeps() && has_room {
            let due = Instant::now() + SETTLES;
            self.nvram.entry(partition).or_insert(due);
        }
    }

    async fn keep_nvram(&mut self, partition: PartitionUuid) {
        self.nvram.remove(&partition);
        // A console tells of all its systems' partitions.
        let is_ours = match self.known.contains_key(&partition) {
            true => Ok(true),
            false => self.is_listed(partition).await,
        };
        let kept = match is_ours {
            Ok(true) => self.driver.keep_nvram(partition).await,
            other => other,
        };
        if let Err(error) = kept
            && !error.is_not_found()
        {
            tracing::warn!(%error, partition = %partition.as_uuid(), "a server's NVRAM could not be kept; trying again");
            self.keep_nvram_of(partition);
        }
    }

    /// Looks at what is due.
    async fn look(&mut self) {
        let now = Instant::now();
        let nvram = self.nvram.iter().find(|(_, due)| **due <= now);
        if let Some(partition) = nvram.map(|(partition, _)| *partition) {
            return self.keep_nvram(partition).await;
        }
        if self.resync.is_some_and(|due| due <= now) {
            let outcome = self.read_all().await;
            self.resync = match outcome {
                Ok(()) => None,
                Err(error) => {
                    tracing::warn!(%error, "the states of the servers cannot be read; trying again");
                    Some(Instant::now() + SETTLES)
                }
            };
            return;
        }
        let due = self.pending.iter().find(|(_, due)| **due <= now);
        let Some(partition) = due.map(|(partition, _)| *partition) else {
            return;
        };
        let again = Instant::now() + SETTLES;
        if self.driver.shared.instances.is_taken(&partition) {
            self.pending.insert(partition, again);
            return;
        }
        match self.read(partition).await {
            Ok(()) => {
                self.pending.remove(&partition);
            }
            Err(error) => {
                tracing::warn!(%error, partition = %partition.as_uuid(), "a server's state cannot be read; trying again");
                self.pending.insert(partition, again);
            }
        }
    }

    async fn read(&mut self, partition: PartitionUuid) -> Result<()> {
        match state_of(self.driver.session(), partition).await {
            Ok(state) => {
                // A console tells of all its systems' partitions.
                let is_ours =
                    self.known.contains_key(&partition) || self.is_listed(partition).await?;
                if is_ours {
                    self.settle(partition, state);
                }
                Ok(())
            }
            Err(error) if error.is_not_found() => {
                self.forget(partition);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn is_listed(&self, partition: PartitionUuid) -> Result<bool> {
        let all = self.driver.list().await?;
        Ok(all.iter().any(|server| server.id == partition))
    }

    async fn read_all(&mut self) -> Result<()> {
        let all = self.driver.list().await?;
        let gone: Vec<_> = self.known.keys().copied().collect();
        for partition in gone {
            if all.iter().all(|server| server.id != partition) {
                self.forget(partition);
            }
        }
        for server in all {
            if self.is_first {
                self.keep_nvram_of(server.id);
            }
            // What is settling is looked at in its time; so is what may be in the middle of a restart.
            if self.is_first || !self.is_news(server.id, &server.state) {
                self.settle(server.id, server.state);
            } else {
                let due = Instant::now() + SETTLES;
                self.pending.entry(server.id).or_insert(due);
            }
        }
        if std::mem::take(&mut self.is_first) {
            self.ready.clear();
        }
        Ok(())
    }

    /// Whether there would be something to tell of a server, were this state to stay.
    fn is_news(&self, partition: PartitionUuid, state: &str) -> bool {
        let before = self.known.get(&partition).copied();
        Settled::of(state).is_some_and(|now| now.transition(before).is_some())
    }

    fn settle(&mut self, partition: PartitionUuid, state: String) {
        let Some(now) = Settled::of(&state) else {
            return;
        };
        let before = self.known.insert(partition, now);
        if let Some(transition) = now.transition(before) {
            self.ready.push_back(LifecycleEvent {
                id: partition,
                transition,
                state,
            });
        }
    }

    fn forget(&mut self, partition: PartitionUuid) {
        if self.known.remove(&partition).is_some() {
            self.ready.push_back(LifecycleEvent {
                id: partition,
                transition: Transition::Deleted,
                state: String::new(),
            });
        }
    }
}

/// The partition that an event is about, if it is about one.
fn partition_of(data: &str) -> Option<PartitionUuid> {
    let path = data.split('?').next().unwrap_or_default();
    let (before, uuid) = path.rsplit_once('/')?;
    before
        .ends_with("/LogicalPartition")
        .then(|| PartitionUuid::parse(uuid))?
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_about_partitions_themselves_count() {
        let uuid = "089FFB20-5D19-4A8C-BB80-13650627D985";
        let of = |path: &str| partition_of(&format!("http://h/rest/api/uom/{path}")).is_some();
        assert!(of(&format!("LogicalPartition/{uuid}")));
        assert!(of(&format!(
            "ManagedSystem/{uuid}/LogicalPartition/{uuid}?group=None"
        )));
        assert!(!of(&format!(
            "LogicalPartition/{uuid}/ClientNetworkAdapter/{uuid}"
        )));
        assert!(!of(&format!("VirtualIOServer/{uuid}")));
        assert!(!of("LogicalPartition/nobody"));
    }

    #[test]
    fn states_that_pass_are_no_events() {
        for state in [
            "shutting down",
            "migrating not active",
            "hardware discovery",
            "Unknown",
            "",
        ] {
            assert_eq!(Settled::of(state), None, "{state}");
        }
        let (running, stopped) = (Settled::Running, Settled::Stopped);
        assert_eq!(running.transition(Some(running)), None);
        assert_eq!(
            running.transition(Some(Settled::Suspended)),
            Some(Transition::Resumed)
        );
        assert_eq!(running.transition(Some(stopped)), Some(Transition::Started));
        assert_eq!(stopped.transition(Some(running)), Some(Transition::Stopped));
        assert_eq!(stopped.transition(None), None);
    }
}
