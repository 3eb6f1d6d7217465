//! The management partition of a NovaLink: the partition that serves the REST API, and the only one that a disk can be
//! read on.

use powervm_schema::partition::LogicalPartition;

use super::driver::Driver;
use super::list::is_management;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::{Flavor, Groups};
use crate::storage::mapping::Client;

/// What kind of partition it is.
#[derive(Debug, Clone)]
pub(super) enum Management {
    /// One that Virtual I/O Servers serve disks to.
    Partition(Client),
    /// A Virtual I/O Server, by its UUID: its disks are its own devices.
    Vios(String),
}

impl Management {
    /// Finds it.
    ///
    /// # Errors
    /// An HMC, which runs on no partition; none is found; those of the requests.
    pub(super) async fn find(driver: &Driver) -> Result<Self> {
        if driver.session().flavor() == Flavor::Hmc {
            return Err(Error::operation(
                ErrorKind::Precondition,
                "an HMC has no way to read a disk: its REST API tells of disks and not what they hold",
                "use a host that a NovaLink manages, or copy the disk inside the guest",
            ));
        }
        let path = format!(
            "ManagedSystem/{}/LogicalPartition",
            driver.shared.system.uuid
        );
        let feed = driver.session().get_feed(&path, Groups::None).await?;
        let found = feed
            .entries
            .iter()
            .find(|entry| is_management(entry))
            .and_then(|entry| {
                let document = LogicalPartition(&entry.content);
                PartitionUuid::parse(document.partition().uuid().unwrap_or(&entry.id))
            });
        if let Some(uuid) = found {
            return Ok(Self::Partition(Client {
                uuid,
                // By its UUID alone: mappings that name its number only are none of our business.
                id: None,
                href: driver.partition_href(uuid),
            }));
        }
        let vioses = driver.vioses().await?;
        let vios = vioses.iter().find(|vios| vios.is_management);
        vios.map(|vios| Self::Vios(vios.uuid.clone()))
            .ok_or_else(|| {
                Error::operation(
                    ErrorKind::Precondition,
                    "no partition of the host says that it is the management partition",
                    "use a host that a NovaLink manages",
                )
            })
    }
}
