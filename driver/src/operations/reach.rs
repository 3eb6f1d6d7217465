//! Whether the Virtual I/O Servers that serve a partition can be reached (`docs/decisions/out-of-reach.md`).

use std::collections::BTreeSet;

use powervm_schema::atom::Entry;
use powervm_schema::vios::ClientAdapter;

use super::driver::{Driver, path_of};
use crate::error::{ErrorKind, Result};
use crate::host::{Vios, vios};
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// The numbers of the Virtual I/O Servers at the other ends of a partition's SCSI adapters, and of those of its ports
/// where it `has_ports`. The hypervisor knows them, whether the servers can be reached or not.
///
/// # Errors
/// Those of the requests.
pub(super) async fn serving(
    driver: &Driver,
    partition: PartitionUuid,
    has_ports: bool,
) -> Result<BTreeSet<u32>> {
    let mut numbers = BTreeSet::new();
    let mut kinds = vec!["VirtualSCSIClientAdapter"];
    if has_ports {
        kinds.push("VirtualFibreChannelClientAdapter");
    }
    for kind in kinds {
        let path = format!("{}/{kind}", path_of(partition));
        let feed = match driver.session().get_feed(&path, Groups::None).await {
            // It has gone meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            feed => feed?,
        };
        numbers.extend(feed.entries.iter().filter_map(|entry| {
            let document = ClientAdapter(&entry.content);
            let adapter = document.adapter();
            let remote = adapter.remote_partition_id().ok().flatten();
            remote.or_else(|| adapter.connecting_partition_id().ok().flatten())
        }));
    }
    Ok(numbers)
}

/// That every Virtual I/O Server that serves disks to the partition and that `may_have` something can be reached.
///
/// # Errors
/// One cannot, so that `so`; [`ErrorKind::Precondition`].
pub(super) async fn refuse_away(
    driver: &Driver,
    partition: PartitionUuid,
    may_have: impl Fn(&Vios) -> bool,
    so: &str,
) -> Result<()> {
    let all = driver.vioses_now().await?;
    let away: Vec<&Vios> = all
        .iter()
        .filter(|vios| !vios.is_active && may_have(vios))
        .collect();
    if away.is_empty() {
        return Ok(());
    }
    let serving = serving(driver, partition, false).await?;
    let is_needed = |vios: &&Vios| vios.id.is_some_and(|id| serving.contains(&id));
    let needed: Vec<&Vios> = away.into_iter().filter(is_needed).collect();
    match needed.is_empty() {
        true => Ok(()),
        false => Err(vios::out_of_reach(&needed, so)),
    }
}

/// The Virtual I/O Servers that can be reached, which all that serve disks to the partition are among.
///
/// # Errors
/// One of those cannot, so that `so`; [`ErrorKind::Precondition`].
pub(super) async fn all_that_serve(
    driver: &Driver,
    partition: PartitionUuid,
    seen: &[Entry],
    so: &str,
) -> Result<Vec<Vios>> {
    let all: Vec<Vios> = seen.iter().map(Vios::read).collect();
    let active = vios::active(&all)?;
    if active.len() == all.len() {
        return Ok(active);
    }
    let serving = serving(driver, partition, false).await?;
    let is_needed = |vios: &&Vios| vios.id.is_some_and(|id| serving.contains(&id));
    let away = all.iter().filter(|vios| !vios.is_active);
    let needed: Vec<&Vios> = away.filter(is_needed).collect();
    match needed.is_empty() {
        true => Ok(active),
        false => Err(vios::out_of_reach(&needed, so)),
    }
}
