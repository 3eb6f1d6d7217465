//! Where boot disks and config drives go.

use powervm_schema::storage::{Cluster, NodeState, VolumeGroup};

use super::Diagnosis;
use crate::config::{Config, DiskDriver};
use crate::host::{System, Vios};
use crate::rest::{Groups, Session};
use crate::storage::Capacity;
use crate::storage::local::LocalDisks;
use crate::storage::media::Repository;
use crate::storage::ssp::Pool;
use crate::transaction::Group;

/// The least that a deploy needs, in GB.
const LEAST_GB: f64 = 1.0;
/// The share of the space that should not be exceeded.
const NEARLY_FULL: f64 = 0.9;

/// Boot disks first, then media.
pub(super) async fn examine(
    session: &Session,
    system: &System,
    vioses: &[Vios],
    config: &Config,
    diagnosis: &mut Diagnosis,
) {
    let active: Vec<Vios> = vioses
        .iter()
        .filter(|vios| vios.is_active)
        .cloned()
        .collect();
    if active.is_empty() {
        let remedy = "start a Virtual I/O Server and look again";
        diagnosis.unknown("storage", "no Virtual I/O Server can be asked", remedy);
        return;
    }
    match config.disk_driver {
        DiskDriver::Ssp => pool(session, system, &active, config, diagnosis).await,
        DiskDriver::LocalDisk => volume_group(session, &active, config, diagnosis).await,
    }
    media(session, &active, config, diagnosis).await;
}

async fn pool(
    session: &Session,
    system: &System,
    active: &[Vios],
    config: &Config,
    diagnosis: &mut Diagnosis,
) {
    const ABOUT: &str = "shared storage pool";
    let found = Pool::find(session, &system.uuid, &config.cluster_name).await;
    let Some(pool) = diagnosis.needed(ABOUT, found) else {
        return;
    };
    if !active.iter().any(|vios| pool.is_served_by(&vios.uuid)) {
        let found = format!(
            "no active Virtual I/O Server of this host belongs to the cluster {}",
            pool.cluster
        );
        diagnosis.stop(ABOUT, found, "start those that belong to it");
    }
    let name = format!("{}/{}/{}", pool.cluster, pool.name, pool.tier);
    let capacity = diagnosis.needed(ABOUT, pool.capacity(session).await);
    if let Some(capacity) = capacity {
        space(ABOUT, &name, &capacity, diagnosis);
    }
    let clusters = session
        .search("Cluster", "ClusterName", &pool.cluster)
        .await;
    let Some(clusters) = diagnosis.wanted("cluster", clusters) else {
        return;
    };
    for entry in &clusters.entries {
        for node in Cluster(&entry.content).nodes() {
            let host = node.host_name().unwrap_or("without a name");
            let about = format!("cluster node {host}");
            match node.state().ok().flatten() {
                Some(NodeState::Up) => diagnosis.good(about, "up"),
                state => {
                    let state =
                        state.map_or_else(|| "in no state".to_owned(), |state| state.to_string());
                    let remedy = "look at the cluster on that Virtual I/O Server";
                    diagnosis.odd(about, state, remedy);
                }
            }
        }
    }
}

async fn volume_group(
    session: &Session,
    active: &[Vios],
    config: &Config,
    diagnosis: &mut Diagnosis,
) {
    const ABOUT: &str = "volume group";
    let group = Group::new(session.clone());
    let found = LocalDisks::find(session, &group, active, &config.volume_group_name).await;
    let Some(disks) = diagnosis.needed(ABOUT, found) else {
        return;
    };
    if let Some(capacity) = diagnosis.needed(ABOUT, disks.capacity().await) {
        space(ABOUT, &disks.name, &capacity, diagnosis);
    }
}

fn space(about: &str, name: &str, capacity: &Capacity, diagnosis: &mut Diagnosis) {
    let free = capacity.total_gb - capacity.used_gb;
    let found = format!(
        "{name}: {free:.1} GB of {:.1} GB are free",
        capacity.total_gb
    );
    let remedy = "delete images that nobody uses, or add disks";
    if free < LEAST_GB {
        diagnosis.stop(about, found, remedy);
    } else if capacity.used_gb > capacity.total_gb * NEARLY_FULL {
        diagnosis.odd(about, found, remedy);
    } else {
        diagnosis.good(about, found);
    }
}

/// A place for config drives: there, or one can be made.
async fn media(session: &Session, active: &[Vios], config: &Config, diagnosis: &mut Diagnosis) {
    const ABOUT: &str = "media repository";
    let found = Repository::find_all(session, active).await;
    let Some(found) = diagnosis.needed(ABOUT, found) else {
        return;
    };
    if let Some(first) = found.first() {
        let name = active
            .iter()
            .find(|vios| vios.uuid.eq_ignore_ascii_case(&first.vios));
        let name = name.map_or(first.vios.as_str(), |vios| &vios.name);
        diagnosis.good(ABOUT, format!("{} found, the first on {name}", found.len()));
        return;
    }
    let wanted = &config.vopt_media_volume_group;
    for vios in active.iter().filter(|vios| !vios.is_management) {
        let path = format!("{}/VolumeGroup", vios.path());
        let Some(feed) = diagnosis.needed(ABOUT, session.get_feed(&path, Groups::None).await)
        else {
            return;
        };
        let mut groups = feed.entries.iter().map(|entry| VolumeGroup(&entry.content));
        let Some(group) = groups.find(|group| group.name() == Some(wanted)) else {
            continue;
        };
        let free = group
            .available_size()
            .ok()
            .flatten()
            .unwrap_or_default()
            .as_f64();
        let size = f64::from(config.vopt_media_rep_size);
        let found = format!(
            "none yet; {wanted} of {} has {free:.1} GB for one of {size} GB",
            vios.name
        );
        if free < size {
            diagnosis.stop(
                ABOUT,
                found,
                "make room in it, or name another vopt_media_volume_group",
            );
        } else {
            diagnosis.good(ABOUT, found);
        }
        return;
    }
    let found = format!(
        "none, and no active Virtual I/O Server has a volume group '{wanted}' to make one in"
    );
    diagnosis.stop(
        ABOUT,
        found,
        "make a media repository, or correct vopt_media_volume_group",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn little_space_is_odd_and_none_stops_deploys() {
        for (used_gb, verdict) in [
            (10.0, Verdict::Good),
            (95.0, Verdict::Odd),
            (99.5, Verdict::Stops),
        ] {
            let mut diagnosis = Diagnosis::default();
            let capacity = Capacity {
                total_gb: 100.0,
                used_gb,
            };
            space("pool", "it", &capacity, &mut diagnosis);
            assert_eq!(diagnosis.verdict(), verdict, "{used_gb}");
        }
    }
}
