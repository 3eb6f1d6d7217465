//! Where the content of a boot disk can be had.

use std::path::{Component, Path, PathBuf};

use powervm_schema::atom::Entry;
use powervm_schema::partition::LogicalPartition;
use powervm_schema::vios::{VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::devices::Disk;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::boot_disk;
use crate::operations::driver::Driver;
use crate::operations::management::Management;
use crate::partition::PartitionUuid;
use crate::storage::mapping::{self, Client, GROUP, Kind, Mapped, Wanted};

/// A boot disk, and the way to it.
pub(super) struct Source {
    /// The server's name.
    pub(super) server: String,
    pub(super) disk: Mapped,
    pub(super) device: Device,
    pub(super) mapping: Option<Mapping>,
}

/// The disk as this machine has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Device {
    /// Under this identifier, once it is mapped.
    Served(String),
    /// Under this name.
    Own(PathBuf),
}

impl Device {
    /// Behind the adapter in this slot.
    pub(super) fn at(&self, slot: Option<u32>) -> Disk {
        match self {
            Self::Served(udid) => Disk::Served {
                slot,
                udid: udid.clone(),
            },
            Self::Own(path) => Disk::Own(path.clone()),
        }
    }
}

/// A mapping of a logical unit to the management partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Mapping {
    management: Uuid,
    unit: String,
    udid: String,
    /// UUIDs of the Virtual I/O Servers that can make it, none of which has it.
    pub(super) vioses: Vec<String>,
}

impl Source {
    /// Finds the boot disk of a server, and whether it can be read.
    ///
    /// # Errors
    /// It cannot; those of the requests.
    pub(super) async fn find(
        driver: &Driver,
        server: PartitionUuid,
        document: &Element,
    ) -> Result<Self> {
        let management = Management::find(driver).await?;
        let document = LogicalPartition(document);
        let name = document.partition().name().unwrap_or_default().to_owned();
        let vioses = driver.mappings().await?;
        let disk = boot_disk::mapped(&vioses, server, &name)?.ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                format!("{name} has no boot disk of its own"),
                "where it boots from a volume, have a snapshot made of the volume",
            )
        })?;
        let serving = |entry: &&Entry| mapping::mapped_to(&entry.content, server).contains(&disk);
        let (device, mapping) = match &management {
            Management::Vios(vios) => {
                let own = vioses
                    .iter()
                    .filter(serving)
                    .find(|entry| entry.id.eq_ignore_ascii_case(vios));
                let device = own.and_then(|entry| backing_device(&entry.content, server, &disk));
                (
                    Device::Own(device.ok_or_else(|| out_of_reach(driver, &name))?),
                    None,
                )
            }
            // What is mapped already is somebody else's, and is left to him; to map it twice would be to have one disk
            // under two names.
            Management::Partition(client) => {
                let udid = udid_of(&disk)?;
                if disk.kind != Kind::LogicalUnit {
                    return Err(out_of_reach(driver, &name));
                }
                let is_there = |entry: &Entry| {
                    mapping::mapped_to(&entry.content, client.uuid)
                        .iter()
                        .any(|found| found.is_same(&disk))
                };
                let active = driver.active_vioses().await?;
                let able = vioses
                    .iter()
                    .filter(serving)
                    .filter(|entry| active.iter().any(|vios| vios.uuid == entry.id));
                let mapping = Mapping {
                    management: client.uuid.as_uuid(),
                    unit: disk.name.clone(),
                    udid: udid.to_owned(),
                    vioses: able.map(|entry| entry.id.clone()).collect(),
                };
                let is_mapped = vioses.iter().any(is_there);
                if !is_mapped && mapping.vioses.is_empty() {
                    return Err(Error::operation(
                        ErrorKind::Precondition,
                        format!(
                            "no Virtual I/O Server that serves the boot disk of {name} can work"
                        ),
                        "start one and see that its RMC connection becomes active",
                    ));
                }
                (
                    Device::Served(udid.to_owned()),
                    (!is_mapped).then_some(mapping),
                )
            }
        };
        Ok(Self {
            server: name,
            disk,
            device,
            mapping,
        })
    }
}

impl Mapping {
    fn client(&self, driver: &Driver) -> Client {
        // Not of an instance: the partition's UUID is as the server told it.
        let uuid = PartitionUuid::parse(&self.management.to_string())
            .unwrap_or(PartitionUuid::of_instance(self.management));
        Client {
            uuid,
            id: None,
            href: driver.partition_href(uuid),
        }
    }

    fn wanted(&self) -> Wanted {
        Wanted::logical_unit(&self.unit, &self.udid)
    }

    /// Sees to it that this Virtual I/O Server serves the disk, and tells behind which of the partition's slots.
    pub(super) async fn make(&self, driver: &Driver, vios: &str) -> Result<Option<u32>> {
        let (client, wanted) = (self.client(driver), [self.wanted()]);
        let edit = move |document: &mut Element| Ok(mapping::map(document, &client, &wanted));
        let path = format!("VirtualIOServer/{vios}");
        let edited = driver.shared.group.edit(&path, &[GROUP], edit).await?;
        let client = self.client(driver);
        let mappings = VirtualIoServer(&edited.entry.content);
        let mine = mappings
            .scsi_mappings()
            .find(|mapping| self.is(mapping.as_view(), &client));
        Ok(mine.and_then(|mapping| slot_of(mapping.as_view())))
    }

    /// Sees to it that this Virtual I/O Server does not serve it any more; behind this slot, where that is known.
    pub(super) async fn remove(
        &self,
        driver: &Driver,
        vios: &str,
        slot: Option<u32>,
    ) -> Result<()> {
        let (client, this) = (self.client(driver), self.clone());
        let edit = move |document: &mut Element| {
            let mut changed = false;
            VirtualIoServer(document).retain_scsi_mappings(|mapping| {
                let goes = this.is(mapping.as_view(), &client)
                    && (slot.is_none() || slot_of(mapping.as_view()) == slot);
                changed |= goes;
                !goes
            });
            Ok(changed.into())
        };
        let path = format!("VirtualIOServer/{vios}");
        driver
            .shared
            .group
            .edit(&path, &[GROUP], edit)
            .await
            .map(drop)
    }

    fn is(&self, mapping: VirtualScsiMapping<&Element>, client: &Client) -> bool {
        mapping::client_of(mapping.as_view()) == Some(client.uuid)
            && mapping::mapped(mapping).is_some_and(|found| found.is_same(self.wanted().mapped()))
    }
}

fn slot_of(mapping: VirtualScsiMapping<&Element>) -> Option<u32> {
    mapping.client_adapter()?.adapter().slot().ok().flatten()
}

fn udid_of(disk: &Mapped) -> Result<&str> {
    disk.udid.as_deref().ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            format!(
                "the server does not tell the identifier of the disk {}",
                disk.name
            ),
            "check that the endpoint is the REST API of a NovaLink",
        )
    })
}

/// What the disk is called on the Virtual I/O Server.
fn backing_device(vios: &Element, server: PartitionUuid, disk: &Mapped) -> Option<PathBuf> {
    let vios = VirtualIoServer(vios);
    let mapping = vios.scsi_mappings().find(|found| {
        mapping::client_of(found.as_view()) == Some(server)
            && mapping::mapped(found.as_view()).as_ref() == Some(disk)
    })?;
    let adapter = mapping.server_adapter()?;
    own_device(adapter.adapter().backing_device_name()?)
}

/// Where a device of this name is. A server that names anything else is not let read it.
fn own_device(name: &str) -> Option<PathBuf> {
    let name = name.strip_prefix("/dev/").unwrap_or(name);
    let path = Path::new(name);
    let is_plain = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (!name.is_empty() && is_plain).then(|| Path::new("/dev").join(path))
}

fn out_of_reach(driver: &Driver, server: &str) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        format!(
            "the boot disk of {server} cannot be read with disk_driver {}: its Virtual I/O Server is not the management partition",
            driver.config().disk_driver
        ),
        "use a shared storage pool",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_a_device() {
        for name in ["datavg/b_web_fa3b", "/dev/datavg/b_web_fa3b"] {
            assert_eq!(own_device(name), Some("/dev/datavg/b_web_fa3b".into()));
        }
        for name in ["", "/etc/shadow", "../etc/shadow", "/dev/../etc/shadow"] {
            assert_eq!(own_device(name), None, "{name}");
        }
    }
}
