//! The queue's file: one transaction for all that changes at a time. Everything here blocks, for milliseconds.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};

use super::Run;

/// Version of what the tables hold. Another one is refused, not guessed at.
const FORMAT: i64 = 1;
/// `format`, and moments on Gerrit's clock.
const META: TableDefinition<&str, i64> = TableDefinition::new("meta");
/// Runs by number, in JSON.
const RUNS: TableDefinition<u64, &[u8]> = TableDefinition::new("runs");
/// What asked for runs, and when.
const TRIGGERS: TableDefinition<&str, i64> = TableDefinition::new("triggers");
/// Memory for pages of the file, in bytes.
const CACHE: usize = 4 << 20;

/// Why the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Another process has it.
    #[error("another `ci watch` works on the queue {0}: wait until it has ended, or stop it")]
    InUse(String),
    /// The file cannot be made or opened.
    #[error("the queue {path} cannot be opened: {error}; name another folder as state")]
    Unusable {
        /// The file.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// Others could put a file of theirs in its place.
    #[error("others may write into the folder of the queue {0}: chmod go-w that folder")]
    Open(String),
    /// It holds something that this version did not write.
    #[error(
        "the queue {0} is damaged or of another version ({1}): move it away; open changes ask for a run again with `recheck`"
    )]
    Damaged(String, String),
    /// It cannot be read or written.
    #[error(
        "the queue cannot be written: {0}; make room on its disk, for nothing is done that is not written down first"
    )]
    Store(#[from] redb::Error),
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for QueueError {
            fn from(error: redb::$error) -> Self {
                Self::Store(error.into())
            }
        })*
    };
}
from_redb!(
    TransactionError,
    TableError,
    StorageError,
    CommitError,
    DatabaseError
);

/// What changes in one transaction.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) runs: Vec<Run>,
    pub(super) removed_runs: Vec<u64>,
    pub(super) triggers: Vec<(String, i64)>,
    pub(super) removed_triggers: Vec<String>,
    pub(super) meta: Vec<(&'static str, i64)>,
}

/// What the file held when it was opened.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) runs: Vec<Run>,
    pub(super) triggers: Vec<(String, i64)>,
    pub(super) meta: Vec<(String, i64)>,
}

/// The open file, which no other process can have open.
#[derive(Debug)]
pub(super) struct Store(Database);

impl Store {
    pub(super) fn open(path: &Path) -> Result<(Self, Contents), QueueError> {
        let name = path.display().to_string();
        let file = file(path, &name)?;
        let backend = FileBackend::new(file).map_err(|error| classified(&name, error))?;
        Self::on(&name, backend)
    }

    pub(super) fn in_memory() -> Result<(Self, Contents), QueueError> {
        Self::on("in memory", InMemoryBackend::new())
    }

    fn on(name: &str, backend: impl StorageBackend) -> Result<(Self, Contents), QueueError> {
        // The store trusts its own pages; a file that somebody else changed may make it panic.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let database = redb::Builder::new()
                .set_cache_size(CACHE)
                .set_check_integrity_on_open(true)
                .create_with_backend(backend)
                .map_err(|error| classified(name, error))?;
            let store = Self(database);
            let contents = store.read(name)?;
            Ok((store, contents))
        }));
        opened.unwrap_or_else(|_| {
            Err(QueueError::Damaged(
                name.to_owned(),
                "its pages contradict each other".to_owned(),
            ))
        })
    }

    fn read(&self, name: &str) -> Result<Contents, QueueError> {
        let writing = self.0.begin_write()?;
        writing.open_table(META)?;
        writing.open_table(RUNS)?;
        writing.open_table(TRIGGERS)?;
        writing.commit()?;
        let reading = self.0.begin_read()?;
        let mut contents = Contents::default();
        for entry in reading.open_table(META)?.iter()? {
            let (key, value) = entry?;
            contents.meta.push((key.value().to_owned(), value.value()));
        }
        let format = contents.meta.iter().find(|(key, _)| key == "format");
        match format {
            None => self.write(&Changes {
                meta: vec![("format", FORMAT)],
                ..Changes::default()
            })?,
            Some((_, FORMAT)) => {}
            Some((_, other)) => {
                return Err(QueueError::Damaged(
                    name.to_owned(),
                    format!("format {other}"),
                ));
            }
        }
        for entry in reading.open_table(TRIGGERS)?.iter()? {
            let (key, at) = entry?;
            contents.triggers.push((key.value().to_owned(), at.value()));
        }
        for entry in reading.open_table(RUNS)?.iter()? {
            let (number, text) = entry?;
            let run = serde_json::from_slice(text.value()).map_err(|error| {
                QueueError::Damaged(name.to_owned(), format!("run {}: {error}", number.value()))
            })?;
            contents.runs.push(run);
        }
        Ok(contents)
    }

    /// Durable when it returns.
    pub(super) fn write(&self, changes: &Changes) -> Result<(), QueueError> {
        let writing = self.0.begin_write()?;
        {
            let mut meta = writing.open_table(META)?;
            for (key, value) in &changes.meta {
                meta.insert(*key, *value)?;
            }
            let mut runs = writing.open_table(RUNS)?;
            for run in &changes.runs {
                let text = serde_json::to_vec(run).map_err(|error| {
                    QueueError::Damaged("in memory".to_owned(), error.to_string())
                })?;
                runs.insert(run.number, text.as_slice())?;
            }
            for number in &changes.removed_runs {
                runs.remove(number)?;
            }
            let mut triggers = writing.open_table(TRIGGERS)?;
            for (key, at) in &changes.triggers {
                triggers.insert(key.as_str(), at)?;
            }
            for key in &changes.removed_triggers {
                triggers.remove(key.as_str())?;
            }
        }
        Ok(writing.commit()?)
    }
}

fn classified(name: &str, error: redb::DatabaseError) -> QueueError {
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => QueueError::InUse(name.to_owned()),
        error => QueueError::Damaged(name.to_owned(), error.to_string()),
    }
}

/// Opens the file, made if it is not there: nobody but its owner may read it, or put another in its place.
fn file(path: &Path, name: &str) -> Result<File, QueueError> {
    let unusable = |error| QueueError::Unusable {
        path: name.to_owned(),
        error,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(folder)
        .map_err(unusable)?;
    if folder.metadata().map_err(unusable)?.mode() & 0o002 != 0 {
        return Err(QueueError::Open(name.to_owned()));
    }
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(unusable)
}
