//! What the operations on volumes are asked for.

use std::collections::BTreeMap;

use tokio::sync::OwnedMutexGuard;

use crate::error::{Error, Result};
use crate::operations::driver::Driver;
use crate::operations::request::ServerRef;
use crate::volume::Connection;

/// What whoever keeps the instance keeps for it: Nova's `system_metadata`. The keys that concern its
/// ports are `npiv_adpt_wwpns_…` and `fabric_state_…`; others are left alone.
pub type Metadata = BTreeMap<String, String>;

/// Volumes of one server.
#[derive(Debug, Clone)]
pub struct VolumeRequest {
    /// The server.
    pub server: ServerRef,
    /// The volumes, in the order in which the guest is to find them.
    pub volumes: Vec<Connection>,
    /// What is kept for the instance.
    pub metadata: Metadata,
}

impl VolumeRequest {
    /// One volume of a server that nothing is kept for.
    #[must_use]
    pub fn of(server: impl Into<ServerRef>, volume: Connection) -> Self {
        Self {
            server: server.into(),
            volumes: vec![volume],
            metadata: Metadata::new(),
        }
    }
}

/// Takes the turns of these volumes, each in the same order as everybody else.
///
/// A volume may be on its way to one server while it leaves another: the disk that both have found
/// must not be removed between the search and the mapping.
pub(in crate::operations) async fn turns(
    driver: &Driver,
    volumes: &[Connection],
) -> Vec<OwnedMutexGuard<()>> {
    let mut names: Vec<&String> = volumes.iter().map(|volume| &volume.volume).collect();
    names.sort_unstable();
    names.dedup();
    let mut turns = Vec::with_capacity(names.len());
    for name in names {
        turns.push(driver.shared.volumes.take(name).await);
    }
    turns
}

/// That no volume is named twice.
///
/// # Errors
/// One is.
pub(in crate::operations) fn refuse_twins(volumes: &[Connection]) -> Result<()> {
    let mut names: Vec<&String> = volumes.iter().map(|volume| &volume.volume).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() == count {
        return Ok(());
    }
    Err(Error::invalid(
        "a volume is named twice",
        "name each volume once",
    ))
}
