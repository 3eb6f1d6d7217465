//! The journal in a file, or in memory.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, StorageBackend};
use tokio::sync::oneshot;

use super::host_lock::HostLock;
use super::store::{self, Trouble, Write};
use super::{Beginning, Journal, Outcome, Record, place};
use crate::error::{Error, ErrorKind, Result};
use crate::saga::Event;

/// Version of what the tables hold. Another one is refused, not guessed at.
pub const FORMAT: u64 = 1;
/// How many operations that ended are kept.
pub const KEPT: usize = 200;
/// Memory for pages of the file, in bytes.
const CACHE: usize = 4 << 20;

/// A journal in a file of its own, which no other process can have open at the same time. Clones share it.
///
/// Writes of several operations that wait at the same time become durable together. Files are written on threads
/// for blocking work, so nothing else of the runtime waits for a disk.
#[derive(Clone)]
pub struct JournalFile {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    database: Database,
    next: AtomicU64,
    clock: Option<fn() -> u64>,
    queue: Mutex<Vec<Waiting>>,
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Nothing is waited for in memory; a thread's pace would only make tests differ from run to run.
    is_in_memory: bool,
    claimed: Mutex<Option<HostLock>>,
}

type Waiting = (Write, oneshot::Sender<Result<()>>);

impl JournalFile {
    /// Opens the file, made if it is not there, readable by its owner only. `clock` gives seconds since 1970.
    ///
    /// # Errors
    /// Another process has it open; it is damaged or of another format; it cannot be read or written, or others
    /// may write into its folder.
    pub async fn open(path: &Path, clock: Option<fn() -> u64>) -> Result<Self> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            let name = path.display().to_string();
            let file = place::open(&path)?;
            let backend = FileBackend::new(file).map_err(|error| refused(&name, error.into()))?;
            Self::on(name, backend, clock, false)
        });
        opened.await.unwrap_or_else(|_| {
            Err(Error::internal(
                "the task that opens the journal was torn down",
            ))
        })
    }

    /// A journal that is gone with its last clone.
    ///
    /// # Errors
    /// None in practice.
    pub fn in_memory() -> Result<Self> {
        Self::on("in memory".to_owned(), InMemoryBackend::new(), None, true)
    }

    fn on(
        name: String,
        backend: impl StorageBackend,
        clock: Option<fn() -> u64>,
        is_in_memory: bool,
    ) -> Result<Self> {
        // The store trusts its own pages; a file that somebody else changed may make it panic.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = redb::Builder::new()
                .set_cache_size(CACHE)
                .set_check_integrity_on_open(true)
                .create_with_backend(backend)?;
            let next = store::prepare(&database)?;
            store::pending(&database)?;
            Ok::<_, Trouble>((database, next))
        }));
        let (database, next) = match opened {
            Ok(opened) => opened.map_err(|trouble| refused(&name, trouble))?,
            Err(_) => return Err(damaged(&name, "its pages contradict each other".to_owned())),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                name,
                database,
                next: AtomicU64::new(next),
                clock,
                queue: Mutex::default(),
                turn: Arc::default(),
                is_in_memory,
                claimed: Mutex::default(),
            }),
        })
    }

    /// Waits until the write is durable. Whoever comes first writes for all who wait by then.
    async fn write(&self, write: Write) -> Result<()> {
        let (answer, mut outcome) = oneshot::channel();
        self.shared.queue().push((write, answer));
        let turn = Arc::clone(&self.shared.turn).lock_owned().await;
        if let Ok(outcome) = outcome.try_recv() {
            return outcome;
        }
        let shared = Arc::clone(&self.shared);
        if shared.is_in_memory {
            let waiting = std::mem::take(&mut *shared.queue());
            shared.commit(waiting);
            drop(turn);
            return outcome.await.unwrap_or_else(|_| Err(torn()));
        }
        // The turn goes along, so that writes keep their order even when nobody waits for this one any more.
        let written = tokio::task::spawn_blocking(move || {
            let waiting = std::mem::take(&mut *shared.queue());
            shared.commit(waiting);
            drop(turn);
        });
        written.await.map_err(|_| torn())?;
        outcome.await.unwrap_or_else(|_| Err(torn()))
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> std::result::Result<T, Trouble> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        if shared.is_in_memory {
            return read(&shared.database).map_err(|trouble| refused(&shared.name, trouble));
        }
        let reading = tokio::task::spawn_blocking(move || {
            read(&shared.database).map_err(|trouble| refused(&shared.name, trouble))
        });
        reading.await.unwrap_or_else(|_| {
            Err(Error::internal(
                "the task that reads the journal was torn down",
            ))
        })
    }
}

impl Shared {
    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, waiting: Vec<Waiting>) {
        let (writes, answers): (Vec<Write>, Vec<_>) = waiting.into_iter().unzip();
        let outcome = store::commit(&self.database, &writes)
            .map_err(|trouble| unwritable(&self.name, trouble));
        if answers.len() > 1 && outcome.is_err() {
            // One of them may be at fault, such as one that is too large.
            for (write, answer) in writes.into_iter().zip(answers) {
                let alone = store::commit(&self.database, &[write]);
                let _ = answer.send(alone.map_err(|trouble| unwritable(&self.name, trouble)));
            }
            return;
        }
        for answer in answers {
            let _ = answer.send(outcome.clone());
        }
    }
}

impl Journal for JournalFile {
    fn claim(&self, machine: &str, space: &str) -> Result<()> {
        if self.shared.is_in_memory {
            return Ok(());
        }
        let claimed = &self.shared.claimed;
        let mut claimed = claimed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*claimed {
            Some(lock) if lock.machine() == machine => Ok(()),
            Some(lock) => Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "the journal {} is in use for the system {}, and not for {machine}",
                    self.shared.name,
                    lock.machine()
                ),
                "give each system a journal of its own",
            )),
            None => {
                *claimed = Some(HostLock::take(machine, space)?);
                Ok(())
            }
        }
    }

    fn begin<'a>(&'a self, beginning: &'a Beginning) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
            let at = self.shared.clock.map(|clock| clock());
            self.write(Write::Begin(id, at, beginning.clone())).await?;
            Ok(id)
        })
    }

    fn note<'a>(&'a self, id: u64, event: &'a Event) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.write(Write::Note(id, event.clone())))
    }

    fn end<'a>(&'a self, id: u64, outcome: &'a Outcome) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.write(Write::End(id, outcome.clone())))
    }

    fn pending(&self) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(self.read(store::pending))
    }

    fn history(&self, most: usize) -> BoxFuture<'_, Result<Vec<Record>>> {
        Box::pin(self.read(move |database| store::history(database, most)))
    }
}

impl fmt::Debug for JournalFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("JournalFile")
            .field(&self.shared.name)
            .finish()
    }
}

#[cfg(test)]
impl JournalFile {
    pub(super) fn database(&self) -> &Database {
        &self.shared.database
    }
}

fn torn() -> Error {
    Error::internal("the task that writes the journal was torn down")
}

/// Why a journal cannot be opened or read.
fn refused(name: &str, trouble: Trouble) -> Error {
    match trouble {
        Trouble::Store(redb::Error::DatabaseAlreadyOpen) => Error::operation(
            ErrorKind::Precondition,
            format!("another powervm driver works on this host: it has the journal {name} open"),
            "wait until it has ended, or stop it",
        ),
        Trouble::Format(_) => Error::caused(
            ErrorKind::Precondition,
            format!("the journal {name} cannot be used: {trouble}"),
            "use the version of powervm that wrote it to recover what it holds, then move it away",
            trouble,
        ),
        trouble => damaged(name, trouble.to_string()),
    }
}

fn damaged(name: &str, why: String) -> Error {
    Error::operation(
        ErrorKind::Local,
        format!("the journal {name} is damaged or none: {why}"),
        "look with `powervm host inventory` for what an interrupted operation left behind, then move the file away",
    )
}

fn unwritable(name: &str, trouble: Trouble) -> Error {
    Error::caused(
        ErrorKind::Local,
        format!("the journal {name} cannot be written: {trouble}"),
        "make room on its disk; nothing is done that is not written down first",
        trouble,
    )
}
