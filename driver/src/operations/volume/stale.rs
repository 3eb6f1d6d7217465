//! Mappings of partitions that are gone keep disks in use, and so their addresses.

use std::collections::BTreeSet;

use powervm_schema::partition::LogicalPartition;
use powervm_schema::vios::VirtualIoServer;

use crate::error::Result;
use crate::host::Vios;
use crate::operations::driver::Driver;
use crate::rest::Groups;
use crate::storage::mapping::GROUP;
use crate::storage::volumes;

/// Takes away what a Virtual I/O Server still serves to partitions that are gone. Whether there was any.
///
/// # Errors
/// Those of the requests. What could not be read whole clears nothing: everything would look stale.
pub(in crate::operations) async fn clear(driver: &Driver, vios: &Vios) -> Result<bool> {
    let session = driver.session();
    let system = &driver.shared.system.uuid;
    let path = format!("ManagedSystem/{system}");
    // The mappings first: a partition that is made in between is among those that are there.
    let mappings = session
        .get_entry(&vios.path(), Groups::Named(&[GROUP]))
        .await?;
    let mut gone = volumes::partitions_named(&mappings.content);
    let (partitions, servers) = (
        format!("{path}/LogicalPartition"),
        format!("{path}/VirtualIOServer"),
    );
    let (partitions, servers) = futures_util::try_join!(
        session.get_feed(&partitions, Groups::None),
        session.get_feed(&servers, Groups::None),
    )?;
    let own = partitions
        .entries
        .iter()
        .map(|entry| LogicalPartition(&entry.content).partition().id());
    let servers = servers
        .entries
        .iter()
        .map(|entry| VirtualIoServer(&entry.content).partition().id());
    for id in own.chain(servers) {
        match id {
            Ok(Some(id)) => gone.remove(&id),
            // One whose number cannot be read might be any of them.
            _ => return Ok(false),
        };
    }
    if gone.is_empty() {
        return Ok(false);
    }
    tracing::warn!(vios = vios.name, partitions = ?gone, "removing mappings of partitions that are gone");
    remove(driver, vios, gone).await?;
    Ok(true)
}

async fn remove(driver: &Driver, vios: &Vios, gone: BTreeSet<u32>) -> Result<()> {
    let edit = move |document: &mut _| Ok(volumes::remove_partitions(document, &gone));
    driver
        .shared
        .group
        .edit(&vios.path(), &[GROUP], edit)
        .await
        .map(drop)
}
