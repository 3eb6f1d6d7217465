//! A server that is to get or lose a device, and whether it can now.

use powervm_schema::partition::{LogicalPartition, PartitionState, PartitionType, RmcState};
use powervm_schema::xml::Element;

use super::driver::{Driver, path_of};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::Groups;
use crate::storage::mapping::Client;

/// A partition, as far as devices are concerned.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Its name.
    pub(super) name: String,
    /// As mappings name it.
    pub(super) client: Client,
    /// Why its devices cannot be changed now.
    obstacle: Option<&'static str>,
}

impl Target {
    /// Reads the partition.
    ///
    /// # Errors
    /// There is none, it is on another system, those of the request.
    pub(super) async fn read(driver: &Driver, uuid: PartitionUuid) -> Result<Self> {
        let entry = driver
            .session()
            .get_entry(&path_of(uuid), Groups::None)
            .await?;
        driver.refuse_others(&entry.content)?;
        let document = LogicalPartition(&entry.content);
        let partition = document.partition();
        Ok(Self {
            name: partition.name().unwrap_or_default().to_owned(),
            client: Client {
                uuid,
                id: partition.id().ok().flatten(),
                href: driver.partition_href(uuid),
            },
            obstacle: obstacle(&document),
        })
    }

    /// A partition that is not there any more: what is left of it has its UUID on it.
    pub(super) fn gone(driver: &Driver, uuid: PartitionUuid) -> Self {
        Self {
            name: uuid.to_string(),
            client: Client {
                uuid,
                id: None,
                href: driver.partition_href(uuid),
            },
            obstacle: None,
        }
    }

    /// That its devices can be changed now.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self) -> Result<()> {
        match self.obstacle {
            None => Ok(()),
            Some(why) => Err(Error::operation(
                ErrorKind::Precondition,
                format!("the devices of {} cannot be changed now: {why}", self.name),
                "wait until it has booted and RMC is active, or stop it first",
            )),
        }
    }
}

/// What runs has to be told of the change: over RMC, by an operating system that takes it. IBM i is
/// told by the hypervisor.
fn obstacle(document: &LogicalPartition<&Element>) -> Option<&'static str> {
    let partition = document.partition();
    let is_ibmi = partition.partition_type().ok().flatten() == Some(PartitionType::Os400);
    let is_off = partition.state().ok().flatten() == Some(PartitionState::NotActivated);
    if is_ibmi || is_off {
        return None;
    }
    let is_management = partition.is_management_partition().ok().flatten() == Some(true);
    if !is_management && partition.rmc_state().ok().flatten() != Some(RmcState::Active) {
        return Some("it runs, and its RMC connection is not active");
    }
    let takes_io = partition
        .capabilities()
        .and_then(|capabilities| capabilities.dynamic_io().ok().flatten());
    if takes_io == Some(true) {
        None
    } else {
        Some("it runs, and its operating system takes no devices while it does")
    }
}
