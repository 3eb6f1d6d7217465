//! Maps storage to partitions on several Virtual I/O Servers at once, one change of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;

use super::driver::Driver;
use crate::error::Result;
use crate::host::Vios;
use crate::partition::PartitionUuid;
use crate::storage::mapping::{self, Client, GROUP, Mapped, Wanted};

/// Sees to it that the partition sees on each Virtual I/O Server what `wanted` says.
///
/// # Errors
/// The first server that refused. The others may have done their part.
pub(super) async fn everywhere(
    driver: &Driver,
    vioses: &[Vios],
    client: &Client,
    wanted: impl Fn(&Vios) -> Vec<Wanted>,
) -> Result<()> {
    let edits = vioses.iter().map(|vios| {
        let (client, wanted) = (client.clone(), wanted(vios));
        let edit = move |document: &mut _| Ok(mapping::map(document, &client, &wanted));
        let path = vios.path();
        async move { driver.shared.group.edit(&path, &[GROUP], edit).await }
    });
    join_all(edits)
        .await
        .into_iter()
        .try_for_each(|edited| edited.map(drop))
}

/// What the partition has, by the UUID of the Virtual I/O Server.
///
/// # Errors
/// Those of the request.
pub(super) async fn of(
    driver: &Driver,
    partition: PartitionUuid,
) -> Result<BTreeMap<String, BTreeSet<Mapped>>> {
    let vioses = driver.mappings().await?;
    let found = vioses.into_iter().map(|vios| {
        let mapped = mapping::mapped_to(&vios.content, partition);
        (vios.id, mapped)
    });
    Ok(found.filter(|(_, mapped)| !mapped.is_empty()).collect())
}

/// Takes every mapping of the partition away, and returns what they mapped, by the UUID of the
/// Virtual I/O Server.
///
/// # Errors
/// The first server that refused. The others may have done their part.
pub(super) async fn nowhere(
    driver: &Driver,
    vioses: &[Vios],
    client: &Client,
) -> Result<BTreeMap<String, BTreeSet<Mapped>>> {
    let edits = vioses.iter().map(|vios| {
        // Collected over all tries: one whose answer was lost has removed what the next one does
        // not see any more.
        let removed: Arc<Mutex<BTreeSet<Mapped>>> = Arc::default();
        let (client, found) = (client.clone(), Arc::clone(&removed));
        let edit = move |document: &mut _| {
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(mapping::unmap(document, &client, &mut found))
        };
        let path = vios.path();
        async move {
            driver.shared.group.edit(&path, &[GROUP], edit).await?;
            let removed = removed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            Ok((vios.uuid.clone(), removed))
        }
    });
    join_all(edits).await.into_iter().collect()
}
