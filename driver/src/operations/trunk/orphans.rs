//! Trunk adapters whose partner is gone.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use powervm_schema::network::ClientNetworkAdapter;

use super::Driver;
use crate::error::{Error, Result};
use crate::network::trunk::{Line, Trunk, line_of};
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// How many partitions are looked at at a time.
const AT_ONCE: usize = 8;

/// Those of the trunk adapters for which no partition of the host has an adapter in the same place.
///
/// First the servers that the adapters name are asked, which are few; only what has no partner there is looked for
/// everywhere.
///
/// # Errors
/// Those of the requests.
pub(super) async fn among(driver: &Driver, trunks: Vec<Trunk>) -> Result<Vec<Trunk>> {
    if trunks.is_empty() {
        return Ok(trunks);
    }
    // Of this host only: a console may show a server of that UUID on another one, to which it moved.
    let (named, others) = everyone(driver).await?.into_iter().partition(|owner| {
        let mut servers = trunks.iter().filter_map(|trunk| trunk.ids.instance());
        let uuid = owner.rsplit('/').next().unwrap_or_default();
        servers.any(|instance| PartitionUuid::of_instance(instance).is(uuid))
    });
    let alone = without_partner(trunks, &lines_of(driver, named).await?);
    if alone.is_empty() {
        return Ok(alone);
    }
    Ok(without_partner(alone, &lines_of(driver, others).await?))
}

fn without_partner(mut trunks: Vec<Trunk>, lines: &BTreeSet<Line>) -> Vec<Trunk> {
    trunks.retain(|trunk| !lines.contains(&trunk.line));
    trunks
}

/// Paths of all partitions of the host.
async fn everyone(driver: &Driver) -> Result<BTreeSet<String>> {
    let path = format!(
        "ManagedSystem/{}/LogicalPartition",
        driver.shared.system.uuid
    );
    let feed = driver.session().get_feed(&path, Groups::None).await?;
    let mut all: BTreeSet<String> = feed
        .entries
        .iter()
        .map(|entry| format!("LogicalPartition/{}", entry.id))
        .collect();
    all.extend(driver.vioses().await?.iter().map(|vios| vios.path()));
    Ok(all)
}

/// Where these partitions have adapters that are no trunks. One that is gone has none.
async fn lines_of(driver: &Driver, owners: BTreeSet<String>) -> Result<BTreeSet<Line>> {
    let reads = owners.into_iter().map(|owner| async move {
        let path = format!("{owner}/ClientNetworkAdapter");
        let feed = match driver.session().get_feed(&path, Groups::None).await {
            Err(error) if error.is_not_found() => return Ok::<Vec<Line>, Error>(Vec::new()),
            feed => feed?,
        };
        let adapters = feed.entries.iter();
        let adapters = adapters.map(|entry| ClientNetworkAdapter(&entry.content));
        let clients = adapters.filter(|adapter| adapter.trunk_priority().ok().flatten().is_none());
        Ok(clients.filter_map(|adapter| line_of(&adapter)).collect())
    });
    let lines = stream::iter(reads).buffer_unordered(AT_ONCE);
    let lines: Vec<Vec<Line>> = lines.try_collect().await?;
    Ok(lines.into_iter().flatten().collect())
}
