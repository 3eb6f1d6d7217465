//! How things are when an operation on volumes begins.

use std::collections::BTreeMap;

use powervm_schema::xml::Element;

use crate::error::Result;
use crate::host::Vios;
use crate::operations::driver::Driver;
use crate::operations::target::Target;
use crate::partition::PartitionUuid;
use crate::storage::mapping::Kind;
use crate::storage::volumes::{self, Served};
use crate::volume::{Connection, Transport};

/// A server, and what each Virtual I/O Server serves to it.
pub(in crate::operations) struct Scene {
    /// The server.
    pub(in crate::operations) target: Target,
    /// The Virtual I/O Servers that can work.
    pub(in crate::operations) vioses: Vec<Vios>,
    served: BTreeMap<String, Vec<Served>>,
}

impl Scene {
    /// Looks now.
    ///
    /// # Errors
    /// There is no such server; those of the requests.
    pub(in crate::operations) async fn look(
        driver: &Driver,
        partition: PartitionUuid,
    ) -> Result<Self> {
        let (target, vioses, entries) = futures_util::try_join!(
            Target::read(driver, partition),
            driver.active_vioses(),
            driver.mappings(),
        )?;
        let served = entries.iter().map(|entry| {
            (
                entry.id.clone(),
                volumes::served_to(&entry.content, &target.client),
            )
        });
        Ok(Self {
            served: served.collect(),
            target,
            vioses,
        })
    }

    /// For an operation that another process began: without what is served, and of a server that may be gone.
    ///
    /// # Errors
    /// Those of the requests.
    pub(super) async fn of_interrupted(driver: &Driver, partition: PartitionUuid) -> Result<Self> {
        let target = match Target::read(driver, partition).await {
            Err(error) if error.is_not_found() => Target::gone(driver, partition),
            target => target?,
        };
        Ok(Self {
            target,
            vioses: driver.active_vioses().await?,
            served: BTreeMap::new(),
        })
    }

    /// The volume as this Virtual I/O Server served it to the server when this was looked at.
    pub(in crate::operations) fn served(
        &self,
        vios: &Vios,
        volume: &Connection,
    ) -> Option<&Served> {
        which(self.served.get(&vios.uuid)?, volume)
    }
}

/// The volume as a Virtual I/O Server serves it to the server now.
pub(super) fn served_now(
    mappings: &Element,
    target: &Target,
    volume: &Connection,
) -> Option<Served> {
    which(&volumes::served_to(mappings, &target.client), volume).cloned()
}

/// Which of these is the volume: by the identifier of its disk, which is kept when it is attached, or
/// by what was written on the mapping. A file and an image go by their names.
fn which<'s>(served: &'s [Served], volume: &Connection) -> Option<&'s Served> {
    let named = |name: &str| {
        let is_it =
            |found: &&Served| found.mapped.kind == Kind::VirtualDisk && found.mapped.name == name;
        served.iter().find(is_it)
    };
    match &volume.transport {
        Transport::File(file) => named(&file.path),
        Transport::Rbd(image) => named(&image.name),
        Transport::FibreChannel(_) | Transport::Iscsi(_) => {
            let disks = || {
                served
                    .iter()
                    .filter(|found| found.mapped.kind == Kind::PhysicalVolume)
            };
            let by_udid = volume.target_udid.as_deref();
            let by_udid = by_udid
                .and_then(|udid| disks().find(|found| found.mapped.udid.as_deref() == Some(udid)));
            by_udid.or_else(|| {
                disks().find(|found| found.tag.as_deref() == Some(volume.volume.as_str()))
            })
        }
    }
}
