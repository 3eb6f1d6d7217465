//! The boot disk of a server that is resized: it grows, and never shrinks.

use powervm_schema::units::Gigabytes;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::operations::driver::{Disks, Driver};
use crate::operations::room;
use crate::partition::PartitionUuid;
use crate::storage::mapping::{self, Kind};
use crate::storage::names;

/// A boot disk, as far as its size is concerned.
#[derive(Debug, Clone)]
struct BootDisk {
    /// Its name, and in a pool its path.
    name: String,
    path: Option<String>,
    capacity: Gigabytes,
    is_file: bool,
}

/// A boot disk that is to grow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Growth {
    /// Name of the disk.
    pub(super) name: String,
    /// Path of the logical unit; nothing of a virtual disk.
    path: Option<String>,
    /// GB that it is to have.
    pub(super) to_gb: u64,
}

impl Growth {
    /// Whether the boot disk has to grow for a size; nothing where it is large enough, where the size leaves it as it
    /// is, and where the server boots from a volume.
    ///
    /// # Errors
    /// It would have to shrink; it cannot grow; there is no room.
    pub(super) async fn plan(
        driver: &Driver,
        partition: PartitionUuid,
        name: &str,
        from_gb: Option<u64>,
        to_gb: u64,
    ) -> Result<Option<Self>> {
        if to_gb == 0 {
            return Ok(None);
        }
        if from_gb.is_some_and(|from| to_gb < from) {
            return Err(cannot_shrink(name, to_gb));
        }
        let Some(disk) = BootDisk::find(driver, partition, name).await? else {
            return Ok(None);
        };
        let wanted = Gigabytes::whole(to_gb);
        if wanted < disk.capacity && from_gb.is_none() {
            return Err(cannot_shrink(name, to_gb));
        }
        if wanted <= disk.capacity {
            return Ok(None);
        }
        if disk.is_file {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("the boot disk {} is a file and cannot grow", disk.name),
                "choose a size with the same boot disk",
            ));
        }
        room::check(driver, &disk.name, wanted, disk.capacity).await?;
        Ok(Some(Self {
            name: disk.name,
            path: disk.path,
            to_gb,
        }))
    }

    /// Lets it grow; one that is as large already stays.
    ///
    /// # Errors
    /// Those of the requests.
    pub(super) async fn apply(&self, driver: &Driver) -> Result<()> {
        let to = Gigabytes::whole(self.to_gb);
        match (&driver.shared.disks, &self.path) {
            (Disks::Ssp { images, .. }, Some(path)) => {
                images.units().grow(path, &self.name, to).await
            }
            (Disks::Local(disks), None) => disks.grow(&self.name, to).await,
            _ => Err(Error::internal(
                "the boot disk belongs to another disk driver",
            )),
        }
    }

    /// Whether it has grown.
    ///
    /// # Errors
    /// Those of the requests.
    pub(super) async fn is_done(
        &self,
        driver: &Driver,
        partition: PartitionUuid,
        name: &str,
    ) -> Result<bool> {
        let disk = BootDisk::find(driver, partition, name).await?;
        Ok(disk.is_some_and(|disk| disk.capacity >= Gigabytes::whole(self.to_gb)))
    }
}

/// Whether the server has a boot disk of its own.
///
/// # Errors
/// Those of the requests.
pub(super) async fn is_there(
    driver: &Driver,
    partition: PartitionUuid,
    name: &str,
) -> Result<bool> {
    Ok(BootDisk::find(driver, partition, name).await?.is_some())
}

impl BootDisk {
    /// The disk of the server's name. In a pool, it is the one that is mapped to it, since names there are not unique.
    async fn find(driver: &Driver, partition: PartitionUuid, name: &str) -> Result<Option<Self>> {
        match &driver.shared.disks {
            Disks::Ssp { images, .. } => {
                let both = names::boot_units(name);
                let (vioses, units) =
                    futures_util::try_join!(driver.mappings(), images.units().list())?;
                let mapped = vioses
                    .iter()
                    .flat_map(|vios| mapping::mapped_to(&vios.content, partition))
                    .find(|mapped| mapped.kind == Kind::LogicalUnit && both.contains(&mapped.name));
                let Some(mapped) = mapped else {
                    return Ok(None);
                };
                let is_it = |udid: &str| mapped.udid.as_deref().is_none_or(|known| known == udid);
                Ok(units
                    .into_iter()
                    .find(|unit| !unit.is_image() && unit.name == mapped.name && is_it(&unit.udid))
                    .map(|unit| Self {
                        name: unit.name,
                        path: Some(unit.path),
                        capacity: unit.capacity,
                        is_file: false,
                    }))
            }
            Disks::Local(disks) => {
                let instances = partition.instances();
                let both = |instance| names::boot_virtual_disks(name, instance);
                for name in instances.into_iter().flat_map(both) {
                    if let Some(disk) = disks.find_disk(&name).await? {
                        return Ok(Some(Self {
                            is_file: disk.is_converted_file(),
                            name: disk.name,
                            path: None,
                            capacity: disk.capacity,
                        }));
                    }
                }
                Ok(None)
            }
        }
    }
}

fn cannot_shrink(server: &str, to_gb: u64) -> Error {
    Error::invalid(
        format!("the boot disk of {server} cannot shrink to {to_gb} GB"),
        "choose a size with a boot disk as large or larger",
    )
}
