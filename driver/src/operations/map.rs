//! Maps storage to partitions on several Virtual I/O Servers at once, one change of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use super::driver::Driver;
use crate::error::Result;
use crate::host::{Vios, vios};
use crate::storage::mapping::{self, Client, GROUP, Kind, Mapped, Wanted};
use crate::storage::volumes;
use crate::transaction::Changed;

/// One change of each Virtual I/O Server that `edit` has one for, read with this group, all at the same time. Returns
/// the servers as they are then, by UUID.
///
/// # Errors
/// The first server that refused. The others may have done their part.
pub(super) async fn each<E>(
    driver: &Driver,
    vioses: &[Vios],
    group: &str,
    edit: impl Fn(&Vios) -> Option<E>,
) -> Result<BTreeMap<String, Arc<Entry>>>
where
    E: FnMut(&mut Element) -> Result<Changed> + Send + 'static,
{
    let edits = vioses.iter().filter_map(|vios| {
        let edit = edit(vios)?;
        let path = vios.path();
        Some(async move {
            let edited = driver.shared.group.edit(&path, &[group], edit).await?;
            Ok((vios.uuid.clone(), edited.entry))
        })
    });
    join_all(edits).await.into_iter().collect()
}

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
    let edit = |vios: &Vios| {
        let (client, wanted) = (client.clone(), wanted(vios));
        Some(move |document: &mut Element| Ok(mapping::map(document, &client, &wanted)))
    };
    each(driver, vioses, GROUP, edit).await.map(drop)
}

/// What these Virtual I/O Servers serve to the partition, by their UUIDs.
pub(super) fn of(vioses: &[Entry], client: &Client) -> BTreeMap<String, Removed> {
    let found = vioses.iter().map(|vios| {
        let served = Removed {
            mapped: mapping::mapped_to(&vios.content, client.uuid),
            volumes: volumes_of(&vios.content, client).collect(),
        };
        (vios.id.clone(), served)
    });
    found
        .filter(|(_, served)| !served.mapped.is_empty())
        .collect()
}

/// What a Virtual I/O Server does not serve to a partition any more.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Removed {
    /// Everything that was mapped.
    pub(super) mapped: BTreeSet<Mapped>,
    /// Of that, the disks that were mapped as volumes: name, identifier and volume.
    pub(super) volumes: BTreeSet<(String, Option<String>, String)>,
}

impl Removed {
    /// Adds what has been seen at another time.
    pub(super) fn extend(&mut self, other: Self) {
        self.mapped.extend(other.mapped);
        self.volumes.extend(other.volumes);
    }
}

fn volumes_of(
    vios: &Element,
    client: &Client,
) -> impl Iterator<Item = (String, Option<String>, String)> {
    let served = volumes::served_to(vios, client).into_iter();
    served.filter_map(|served| match (served.mapped.kind, served.tag) {
        (Kind::PhysicalVolume, Some(tag)) => Some((served.mapped.name, served.mapped.udid, tag)),
        _ => None,
    })
}

/// Takes every mapping of the partition away, and returns what they mapped, by the UUID of the
/// Virtual I/O Server.
///
/// # Errors
/// The first server that refused, or that cannot be reached. The others may have done their part.
pub(super) async fn nowhere(
    driver: &Driver,
    vioses: &[Vios],
    client: &Client,
) -> Result<BTreeMap<String, Removed>> {
    let edits = vioses.iter().map(|vios| {
        // Collected over all tries: one whose answer was lost has removed what the next one does
        // not see any more.
        let removed: Arc<Mutex<Removed>> = Arc::default();
        let (client, found) = (client.clone(), Arc::clone(&removed));
        let edit = move |document: &mut Element| {
            vios::check_reach(document)?;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.volumes.extend(volumes_of(document, &client));
            Ok(mapping::unmap(document, &client, &mut found.mapped))
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
