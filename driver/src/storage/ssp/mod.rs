//! Boot disks in a shared storage pool: clones of image units in the pool's default tier.

mod cache;
mod survey;
mod units;
mod watch;

use powervm_schema::atom::Entry;
use powervm_schema::storage::{Cluster, SharedStoragePool, Tier};
use powervm_schema::units::Gigabytes;
use powervm_schema::xml::Element;

pub(crate) use cache::{ImageCache, ImageJob, ImageUnit};
pub(crate) use units::{Unit, Units};
pub(crate) use watch::Patience;

use super::Capacity;
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Groups, Session};

/// A shared storage pool as one host sees it.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Name of its cluster.
    pub cluster: String,
    /// Name of the pool.
    pub name: String,
    /// UUID of the pool.
    pub uuid: String,
    /// Name of the default tier.
    pub tier: String,
    /// UUID of the default tier.
    pub tier_uuid: String,
    /// What the default tier could hold when it was found.
    pub tier_size: Gigabytes,
    /// UUIDs of the Virtual I/O Servers of this host that belong to the cluster.
    pub vioses: Vec<String>,
}

impl Pool {
    /// Finds the pool of the named cluster, or of the only one, and its default tier.
    ///
    /// # Errors
    /// No such cluster, several of them, no default tier, or no Virtual I/O Server of this host in it.
    pub async fn find(session: &Session, system: &str, cluster_name: &str) -> Result<Self> {
        let entry = find_cluster(session, cluster_name).await?;
        let cluster = Cluster(&entry.content);
        let cluster_name = cluster.name().unwrap_or_default().to_owned();
        let href = cluster.shared_storage_pool().ok_or_else(|| {
            unusable(format!(
                "the cluster {cluster_name} tells no shared storage pool"
            ))
        })?;
        let pool = session.get_entry(href, Groups::None).await?;
        let tiers = session
            .get_feed(&format!("SharedStoragePool/{}/Tier", pool.id), Groups::None)
            .await?;
        let tier = tiers
            .entries
            .iter()
            .find(|entry| {
                Tier(&entry.content)
                    .is_default()
                    .ok()
                    .flatten()
                    .unwrap_or(false)
            })
            .ok_or_else(|| {
                unusable(format!(
                    "the pool of the cluster {cluster_name} has no default tier"
                ))
            })?;
        let vioses: Vec<String> = cluster
            .nodes()
            .filter_map(|node| vios_of_system(node.virtual_io_server()?, system).map(str::to_owned))
            .collect();
        if vioses.is_empty() {
            return Err(unusable(format!(
                "no Virtual I/O Server of this host belongs to the cluster {cluster_name}"
            )));
        }
        Ok(Self {
            tier_size: size_of(&Tier(&tier.content), &SharedStoragePool(&pool.content)),
            name: SharedStoragePool(&pool.content)
                .name()
                .unwrap_or_default()
                .to_owned(),
            cluster: cluster_name,
            uuid: pool.id.clone(),
            tier: Tier(&tier.content).name().unwrap_or_default().to_owned(),
            tier_uuid: tier.id.clone(),
            vioses,
        })
    }

    /// Path of the default tier.
    pub(crate) fn tier_path(&self) -> String {
        format!("Tier/{}", self.tier_uuid)
    }

    /// Whether this Virtual I/O Server serves the pool.
    pub(crate) fn is_served_by(&self, vios: &str) -> bool {
        self.vioses
            .iter()
            .any(|uuid| uuid.eq_ignore_ascii_case(vios))
    }

    /// What there is and what is left. Every host of the cluster reports the whole tier.
    ///
    /// The tier's own numbers are taken where they are told; the pool's free space counts for all
    /// of its tiers, so it is never more than the tier's capacity here.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn capacity(&self, session: &Session) -> Result<Capacity> {
        let tier = session.get_entry(&self.tier_path(), Groups::None).await?;
        let pool = session
            .get_entry(&format!("SharedStoragePool/{}", self.uuid), Groups::None)
            .await?;
        let pool = SharedStoragePool(&pool.content);
        let total = size_of(&Tier(&tier.content), &pool);
        let free = pool
            .free_space()
            .ok()
            .flatten()
            .unwrap_or_default()
            .min(total);
        Ok(Capacity {
            total_gb: total.as_f64(),
            used_gb: total.saturating_sub(free).as_f64(),
        })
    }
}

/// What a tier holds: its own number where it tells one, otherwise the pool's.
fn size_of(tier: &Tier<&Element>, pool: &SharedStoragePool<&Element>) -> Gigabytes {
    let of_pool = || pool.capacity().ok().flatten().unwrap_or_default();
    tier.capacity().ok().flatten().unwrap_or_else(of_pool)
}

async fn find_cluster(session: &Session, name: &str) -> Result<Entry> {
    let feed = if name.is_empty() {
        session.get_feed("Cluster", Groups::None).await?
    } else {
        session.search("Cluster", "ClusterName", name).await?
    };
    let names: Vec<String> = feed
        .entries
        .iter()
        .map(|entry| {
            Cluster(&entry.content)
                .name()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    let mut found = feed.entries.into_iter();
    match (found.next(), found.next(), name) {
        (Some(only), None, _) => Ok(only),
        (None, _, "") => Err(unusable("the server knows no cluster".to_owned())),
        (None, _, name) => Err(unusable(format!(
            "the server knows no cluster named '{name}'"
        ))),
        (Some(_), Some(_), "") => Err(unusable(format!(
            "the server knows several clusters ({}), and cluster_name says not which",
            names.join(", ")
        ))),
        (Some(_), Some(_), name) => Err(unusable(format!(
            "the server knows several clusters named '{name}'"
        ))),
    }
}

/// UUID of the Virtual I/O Server in this link, if it leads through our system.
fn vios_of_system<'l>(href: &'l str, system: &str) -> Option<&'l str> {
    let path = href.split('?').next().unwrap_or_default();
    let mut segments = path.split('/');
    let through = segments
        .by_ref()
        .skip_while(|segment| *segment != "ManagedSystem")
        .nth(1)?;
    let vios = segments
        .skip_while(|segment| *segment != "VirtualIOServer")
        .nth(1)?;
    through.eq_ignore_ascii_case(system).then_some(vios)
}

fn unusable(what: String) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        what,
        "check cluster_name and the state of the shared storage pool, or use the disk driver localdisk",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_of_other_hosts_are_not_ours() {
        let href =
            "https://h:12443/rest/api/uom/ManagedSystem/sys-1/VirtualIOServer/VIOS-1?group=None";
        assert_eq!(vios_of_system(href, "SYS-1"), Some("VIOS-1"));
        assert_eq!(vios_of_system(href, "sys-2"), None);
        assert_eq!(
            vios_of_system("https://h/rest/api/uom/VirtualIOServer/VIOS-1", "sys-1"),
            None
        );
    }
}
