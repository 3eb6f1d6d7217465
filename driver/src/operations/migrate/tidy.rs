//! What a server that has gone leaves on its host: disks of its volumes, and its config drive.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::host::Vios;
use crate::operations::driver::Driver;
use crate::operations::volume::{find, forget};
use crate::partition::PartitionUuid;
use crate::storage::drives::Loaded;
use crate::storage::names;
use crate::volume::Connection;

/// What the server had on its host, by the UUID of the Virtual I/O Server.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in crate::operations) struct Had {
    /// Media in its drives.
    pub(in crate::operations) media: BTreeMap<String, BTreeSet<Loaded>>,
    /// Disks that were served as volumes: name, identifier and volume.
    pub(in crate::operations) disks: BTreeMap<String, BTreeSet<(String, Option<String>, String)>>,
}

/// Removes the server's config drive, and has the Virtual I/O Servers forget the disks of its volumes: those it had,
/// and those of `volumes` that are found by their identifiers.
///
/// # Errors
/// The first thing that stays; the rest is removed all the same.
pub(in crate::operations) async fn up(
    driver: &Driver,
    vioses: &[Vios],
    uuid: PartitionUuid,
    had: &Had,
    volumes: &[Connection],
) -> Result<()> {
    let media = remove_config_drive(driver, vioses, uuid, had).await;
    let servers = vioses.iter().map(|vios| {
        let disks = had.disks.get(&vios.uuid).cloned().unwrap_or_default();
        forget_disks(driver, vios, disks, volumes)
    });
    let disks: Result<()> = join_all(servers).await.into_iter().collect();
    media.and(disks)
}

/// By its name: media that somebody else has put into a drive stay.
async fn remove_config_drive(
    driver: &Driver,
    vioses: &[Vios],
    uuid: PartitionUuid,
    had: &Had,
) -> Result<()> {
    let names: Vec<String> = uuid
        .instances()
        .iter()
        .flat_map(|instance| names::config_drives(*instance))
        .collect();
    let repositories = driver.repositories(vioses).await?;
    let had_it = |vios: &str| {
        let media = had.media.get(vios).into_iter().flatten();
        media
            .into_iter()
            .any(|loaded| names.contains(&loaded.medium))
    };
    let is_known = repositories.iter().any(|place| had_it(&place.vios));
    let removals = repositories
        .iter()
        .filter(|place| !is_known || had_it(&place.vios))
        .map(|place| place.remove_media(&driver.shared.group, &names));
    join_all(removals).await.into_iter().collect()
}

async fn forget_disks(
    driver: &Driver,
    vios: &Vios,
    mut disks: BTreeSet<(String, Option<String>, String)>,
    volumes: &[Connection],
) -> Result<()> {
    for volume in volumes {
        let is_known = disks.iter().any(|(_, _, known)| *known == volume.volume);
        let Some(udid) = volume.target_udid.as_deref().filter(|_| !is_known) else {
            continue;
        };
        if !find::is_served(driver, volume) || !find::may_serve(vios, volume) {
            continue;
        }
        let names = find::disks_with(driver, vios, udid).await?;
        disks.extend(
            names
                .into_iter()
                .map(|name| (name, Some(udid.to_owned()), volume.volume.clone())),
        );
    }
    let mut result = Ok(());
    for (name, udid, volume) in disks {
        // Somebody else may be about to map it.
        let _turn = driver.shared.volumes.take(&volume).await;
        let known = volumes.iter().find(|known| known.volume == volume);
        let gone = match known {
            Some(known) => forget::volume_now(driver, vios, known, &name, udid.as_deref()).await,
            None => forget::disk_now(driver, vios, &name, udid.as_deref()).await,
        };
        result = result.and(gone);
    }
    result
}
