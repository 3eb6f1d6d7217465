//! What the journal has of a server that failed on its way and is not over.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::driver::Driver;
use super::{destroy, operation::Operation, rebuild, spawn};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Outcome, Record};
use crate::partition::PartitionUuid;

/// How far back the journal is searched.
const LOOK_BACK: usize = 1000;

/// A removal that failed on its way.
pub(super) struct Unfinished<A, N> {
    /// Its number in the journal.
    pub(super) id: u64,
    /// What it was asked for.
    pub(super) asked: A,
    /// What it knew last.
    pub(super) notes: N,
}

/// Earlier removals of the partition. What this version cannot read is left to a recovery, which says so.
///
/// # Errors
/// A journal that cannot be read.
pub(super) async fn removals<A: DeserializeOwned, N: DeserializeOwned + Default>(
    driver: &Driver,
    partition: PartitionUuid,
) -> Result<Vec<Unfinished<A, N>>> {
    let mut removals = Vec::new();
    for record in of(driver, partition, &[destroy::Destroy::KIND]).await? {
        let notes = record.notes().cloned();
        let notes = notes.map_or_else(|| Ok(N::default()), serde_json::from_value);
        if let (Ok(asked), Ok(notes)) = (serde_json::from_value(record.beginning.asked), notes) {
            removals.push(Unfinished {
                id: record.id,
                asked,
                notes,
            });
        }
    }
    Ok(removals)
}

/// That no creation, removal or rebuild of the server is still to be undone or finished: that would hit whatever bears its
/// identity then.
///
/// # Errors
/// There is one; [`ErrorKind::Precondition`].
pub(super) async fn refuse(driver: &Driver, partition: PartitionUuid) -> Result<()> {
    let kinds = [
        spawn::Spawn::KIND,
        destroy::Destroy::KIND,
        rebuild::Rebuild::KIND,
    ];
    match of(driver, partition, &kinds).await?.first() {
        None => Ok(()),
        Some(record) => Err(Error::operation(
            ErrorKind::Precondition,
            format!("'{}' failed before and is not over", record.beginning.title),
            "see to what kept it, and run `powervm recover`",
        )),
    }
}

/// The kinds of the operations of a server that ended well since one of this kind was begun, which is not over and
/// consists of them.
///
/// # Errors
/// A journal that cannot be read.
pub(super) async fn parts_done(
    driver: &Driver,
    partition: PartitionUuid,
    whole: &str,
) -> Result<BTreeSet<String>> {
    let open = of(driver, partition, &[whole]).await?;
    let Some(begun) = open.iter().map(|record| record.id).max() else {
        return Ok(BTreeSet::new());
    };
    let history = driver.shared.journal.history(LOOK_BACK).await?;
    let parts = history.into_iter().filter(|record| {
        record.id > begun
            && matches!(record.ended, Some(Outcome::Done | Outcome::Finished))
            && is_of(record, partition)
    });
    Ok(parts.map(|record| record.beginning.kind).collect())
}

/// What is not over of these kinds, of a server.
///
/// # Errors
/// A journal that cannot be read.
pub(super) async fn of(
    driver: &Driver,
    partition: PartitionUuid,
    kinds: &[&str],
) -> Result<Vec<Record>> {
    let mut records = driver.left_over().await?;
    records.retain(|record| kinds.contains(&&*record.beginning.kind) && is_of(record, partition));
    Ok(records)
}

fn is_of(record: &Record, partition: PartitionUuid) -> bool {
    /// What they have all of what they were asked for.
    #[derive(Deserialize)]
    struct Asked {
        #[serde(alias = "partition")]
        instance: Uuid,
    }
    let asked = Asked::deserialize(&record.beginning.asked);
    asked.is_ok_and(|asked| PartitionUuid::of_instance(asked.instance) == partition)
}
