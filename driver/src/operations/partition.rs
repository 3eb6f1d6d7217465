//! Makes and removes partitions.

use std::sync::Arc;

use powervm_schema::partition::LogicalPartition;

use super::driver::{Driver, path_of};
use super::{announce, plug, trunk};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::{Groups, Job};
use crate::storage::for_want_of_space;

/// Said of a partition whose console somebody has open.
const CONSOLE_IS_OPEN: &str = "HSCL151B";
/// Said of a name that another partition has.
const NAME_IS_TAKEN: &str = "HSCL05DE";

/// Makes the partition and returns its number.
///
/// # Errors
/// Another partition has the name; those of the request.
pub(super) async fn create(
    driver: &Driver,
    uuid: PartitionUuid,
    name: &str,
    document: &LogicalPartition,
) -> Result<Option<u32>> {
    let session = driver.session();
    let path = format!(
        "ManagedSystem/{}/LogicalPartition",
        driver.shared.system.uuid
    );
    let entry = match session.create(&path, &document.0).await {
        // The answer was lost; it was made if it is there now, since it was not there before.
        Err(error) if error.kind() == ErrorKind::UnknownOutcome => session
            .get_entry(&path_of(uuid), Groups::None)
            .await
            .map_err(|_| error)?,
        Err(error) if error.mentions(NAME_IS_TAKEN) => {
            return Err(name_is_taken(name, Some(error)));
        }
        result => {
            result.map_err(|error| for_want_of_space(error, &format!("the partition {name}")))?
        }
    };
    driver.forget_partition_names().await;
    let created = LogicalPartition(&entry.content);
    Ok(created.partition().id().ok().flatten())
}

/// That another partition has the name; with what the server said, if it was the server that found out.
pub(super) fn name_is_taken(name: &str, answer: Option<Error>) -> Error {
    Error::Operation {
        kind: ErrorKind::Exists,
        what: format!("the host has another partition named '{name}'"),
        remedy: "choose a name whose first 31 characters are its own".to_owned(),
        source: answer.map(|answer| Arc::new(answer) as _),
    }
}

/// The partition's number; none where there is no partition.
///
/// # Errors
/// Those of the request.
pub(super) async fn number(driver: &Driver, uuid: PartitionUuid) -> Result<Option<u32>> {
    match driver
        .session()
        .get_entry(&path_of(uuid), Groups::None)
        .await
    {
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
        Ok(entry) => Ok(LogicalPartition(&entry.content)
            .partition()
            .id()
            .ok()
            .flatten()),
    }
}

/// Removes the partition with its adapters and their partners on the management partition; that there is none is as
/// good. An open console, which would keep it, is closed.
///
/// # Errors
/// Those of the requests, such as a partition that is not off.
pub(super) async fn delete(driver: &Driver, uuid: PartitionUuid) -> Result<()> {
    let plugged = match driver.config().announce_interfaces {
        true => plug::interfaces(driver, uuid).await.unwrap_or_default(),
        false => Vec::new(),
    };
    let trunks = trunk::of_server(driver, uuid).await?;
    trunk::delete(driver, &trunks).await?;
    remove(driver, uuid).await?;
    for plugged in plugged {
        let is_pair = trunks.iter().any(|trunk| Some(trunk.line) == plugged.line);
        announce::tell_gone(
            driver,
            plugged.kind(is_pair),
            plugged.info.mac,
            &plugged.path,
        )
        .await;
    }
    Ok(())
}

async fn remove(driver: &Driver, uuid: PartitionUuid) -> Result<()> {
    let (session, path) = (driver.session(), path_of(uuid));
    match session.ensure_deleted(&path).await {
        Err(error) if error.mentions(CONSOLE_IS_OPEN) => {
            tracing::info!(partition = %uuid, "closing the partition's console");
            session.job(Job::new(&path, "CloseVterm")).await?;
            session.ensure_deleted(&path).await
        }
        result => result,
    }
}
