//! The journal's tables, and one transaction for all that is to be written at a time.
//!
//! Everything here blocks.

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::file::{FORMAT, KEPT};
use super::{Beginning, Outcome, Record};
use crate::saga::Event;

/// `format`: the version of what the tables hold.
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// Operations by number, in JSON.
const OPERATIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("operations");
/// Numbers of operations that did not end.
const PENDING: TableDefinition<u64, ()> = TableDefinition::new("pending");
/// Numbers of operations that ended.
const ENDED: TableDefinition<u64, ()> = TableDefinition::new("ended");
/// Events by the operation's number and their place in it, in JSON.
const EVENTS: TableDefinition<(u64, u32), &[u8]> = TableDefinition::new("events");

/// Largest entry, in bytes: names are bounded, so this is a defect's limit and not a user's.
const MOST_BYTES: usize = 256 * 1024;
/// Most events of an operation.
const MOST_EVENTS: u32 = 10_000;

/// What cannot be read or written, in words.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Store(#[from] redb::Error),
    #[error("entry {0} is not what this version writes: {1}")]
    Entry(u64, serde_json::Error),
    #[error("it is of format {0}, and this version writes format {FORMAT}")]
    Format(u64),
    #[error("an entry of {0} bytes is too large")]
    TooLarge(usize),
    #[error("operation {0} has too many entries")]
    TooMany(u64),
}

macro_rules! from_redb {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for Trouble {
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

type Outcomes<T> = std::result::Result<T, Trouble>;

/// An operation without its events.
#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(default)]
    at: Option<u64>,
    #[serde(flatten)]
    beginning: Beginning,
    #[serde(default)]
    ended: Option<Outcome>,
}

/// Something to be written.
pub(super) enum Write {
    Begin(u64, Option<u64>, Beginning),
    Note(u64, Event),
    End(u64, Outcome),
}

/// Makes the tables of a new journal, and refuses one of another format. The number of the next operation.
pub(super) fn prepare(database: &Database) -> Outcomes<u64> {
    let writing = database.begin_write()?;
    let next = {
        let mut meta = writing.open_table(META)?;
        let format = meta.get("format")?.map(|format| format.value());
        match format {
            None => drop(meta.insert("format", FORMAT)?),
            Some(FORMAT) => {}
            Some(other) => return Err(Trouble::Format(other)),
        }
        writing.open_table(PENDING)?;
        writing.open_table(ENDED)?;
        writing.open_table(EVENTS)?;
        let operations = writing.open_table(OPERATIONS)?;
        operations.last()?.map_or(1, |(id, _)| id.value() + 1)
    };
    writing.commit()?;
    Ok(next)
}

/// Writes everything, in order, in one durable transaction.
pub(super) fn commit(database: &Database, writes: &[Write]) -> Outcomes<()> {
    let writing = database.begin_write()?;
    for write in writes {
        apply(&writing, write)?;
    }
    Ok(writing.commit()?)
}

fn apply(writing: &WriteTransaction, write: &Write) -> Outcomes<()> {
    match write {
        Write::Begin(id, at, beginning) => {
            let head = Head {
                at: *at,
                beginning: beginning.clone(),
                ended: None,
            };
            let text = encoded(*id, &head)?;
            writing
                .open_table(OPERATIONS)?
                .insert(*id, text.as_slice())?;
            writing.open_table(PENDING)?.insert(*id, ())?;
        }
        Write::Note(id, event) => {
            let text = encoded(*id, event)?;
            let mut events = writing.open_table(EVENTS)?;
            let last = events
                .range((*id, 0)..=(*id, u32::MAX))?
                .next_back()
                .transpose()?;
            let place = last.map_or(0, |(key, _)| key.value().1 + 1);
            if place >= MOST_EVENTS {
                return Err(Trouble::TooMany(*id));
            }
            events.insert((*id, place), text.as_slice())?;
        }
        Write::End(id, outcome) => {
            end(writing, *id, outcome)?;
        }
    }
    Ok(())
}

fn end(writing: &WriteTransaction, id: u64, outcome: &Outcome) -> Outcomes<()> {
    let mut operations = writing.open_table(OPERATIONS)?;
    let found = operations
        .get(id)?
        .map(|text| decoded::<Head>(id, text.value()))
        .transpose()?;
    let Some(mut head) = found else {
        return Ok(());
    };
    head.ended = Some(outcome.clone());
    operations.insert(id, encoded(id, &head)?.as_slice())?;
    writing.open_table(PENDING)?.remove(id)?;
    let mut ended = writing.open_table(ENDED)?;
    ended.insert(id, ())?;
    let mut events = writing.open_table(EVENTS)?;
    let mut count = ended.iter()?.count();
    while count > KEPT {
        let Some((oldest, _)) = ended.pop_first()? else {
            break;
        };
        let oldest = oldest.value();
        operations.remove(oldest)?;
        events.retain_in((oldest, 0)..=(oldest, u32::MAX), |_, _| false)?;
        count -= 1;
    }
    Ok(())
}

/// Operations that did not end, oldest first.
pub(super) fn pending(database: &Database) -> Outcomes<Vec<Record>> {
    let reading = database.begin_read()?;
    let pending = reading.open_table(PENDING)?;
    let mut found = Vec::new();
    for entry in pending.iter()? {
        found.extend(record(&reading, entry?.0.value())?);
    }
    Ok(found)
}

/// Operations that ended, newest first.
pub(super) fn history(database: &Database, most: usize) -> Outcomes<Vec<Record>> {
    let reading = database.begin_read()?;
    let ended = reading.open_table(ENDED)?;
    let mut found = Vec::new();
    for entry in ended.iter()?.rev().take(most) {
        found.extend(record(&reading, entry?.0.value())?);
    }
    Ok(found)
}

fn record(reading: &redb::ReadTransaction, id: u64) -> Outcomes<Option<Record>> {
    let operations = reading.open_table(OPERATIONS)?;
    let Some(text) = operations.get(id)? else {
        return Ok(None);
    };
    let Head {
        at,
        beginning,
        ended,
    } = decoded(id, text.value())?;
    let mut events = Vec::new();
    for entry in reading
        .open_table(EVENTS)?
        .range((id, 0)..=(id, u32::MAX))?
    {
        events.push(decoded(id, entry?.1.value())?);
    }
    Ok(Some(Record {
        id,
        begun_at: at,
        beginning,
        ended,
        events,
    }))
}

fn encoded<T: Serialize>(id: u64, value: &T) -> Outcomes<Vec<u8>> {
    let text = serde_json::to_vec(value).map_err(|error| Trouble::Entry(id, error))?;
    if text.len() > MOST_BYTES {
        return Err(Trouble::TooLarge(text.len()));
    }
    Ok(text)
}

fn decoded<T: for<'de> Deserialize<'de>>(id: u64, text: &[u8]) -> Outcomes<T> {
    serde_json::from_slice(text).map_err(|error| Trouble::Entry(id, error))
}

/// Says that the journal is of another format, for tests of what becomes of it.
#[cfg(test)]
pub(super) fn set_format(database: &Database, format: u64) {
    let writing = database.begin_write().unwrap();
    writing
        .open_table(META)
        .unwrap()
        .insert("format", format)
        .unwrap();
    writing.commit().unwrap();
}
