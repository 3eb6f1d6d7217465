//! What a server has that something new is to take the place of.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::atom::Entry;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::boot_disk;
use crate::operations::driver::{Disks, Driver};
use crate::operations::target::Target;
use crate::storage::exchange::{Seated, seats};
use crate::storage::mapping::{Kind, Mapped, Wanted};
use crate::storage::media::Repository;
use crate::storage::names;

/// A server's boot disk and config drive, and where they are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::operations) struct Old {
    /// Its boot disk; none of a server that boots from a volume.
    pub(super) disk: Option<OldDisk>,
    /// Names of its config drive: none, one, or another one that a call left which broke off.
    pub(super) drives: BTreeSet<String>,
    /// By the UUID of the Virtual I/O Server, where the server finds them.
    pub(super) seats: BTreeMap<String, Vec<Seated>>,
}

/// A boot disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::operations) struct OldDisk {
    /// As it is mapped.
    pub(super) mapped: Mapped,
    /// Its size in GB, rounded up.
    pub(super) gigabytes: u64,
    /// Identifier of the image that it is a clone of.
    pub(super) image: Option<String>,
}

impl OldDisk {
    /// Names of the disk that takes its place, in a pool and in a volume group: the other one of the server's two.
    pub(super) fn successors(&self, server: &str) -> (String, String) {
        let name = &self.mapped.name;
        let [usual, other] = names::boot_units(server);
        let unit = if *name == usual {
            other
        } else if *name == other {
            usual
        } else {
            names::other_unit(name)
        };
        (unit, names::other_virtual_disk(name))
    }

    /// The disk, to be mapped again.
    ///
    /// # Errors
    /// It is not there; those of the requests.
    pub(super) async fn wanted(&self, driver: &Driver) -> Result<Wanted> {
        let name = &self.mapped.name;
        let found = match (&driver.shared.disks, &self.mapped.udid) {
            (Disks::Ssp { .. }, Some(udid)) => Some(Wanted::logical_unit(name, udid)),
            (Disks::Ssp { .. }, None) => None,
            (Disks::Local(disks), _) => disks.find_disk(name).await?.map(|disk| disk.wanted()),
        };
        found.ok_or_else(|| {
            Error::operation(
                ErrorKind::NotFound,
                format!("the disk {name} is not there any more"),
                "see who removed it",
            )
        })
    }
}

impl Old {
    /// Looks for them.
    ///
    /// # Errors
    /// Several boot disks, a rescue disk, a disk that is nowhere; those of the requests.
    pub(super) async fn find(
        driver: &Driver,
        target: &Target,
        seen: &[Entry],
        vioses: &[Vios],
    ) -> Result<Self> {
        let (client, server) = (&target.client, &target.name);
        let all: BTreeMap<String, Vec<Seated>> = seen
            .iter()
            .map(|vios| (vios.id.clone(), seats(&vios.content, client)))
            .collect();
        if all.values().flatten().any(|seat| is_rescue(&seat.mapped)) {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("{server} is being rescued"),
                "unrescue it first",
            ));
        }
        let disk = match boot_disk::mapped(seen, client.uuid, server)? {
            Some(mapped) => Some(describe(driver, mapped).await?),
            None => None,
        };
        let instances = client.uuid.instances().into_iter();
        let own: BTreeSet<String> = instances.flat_map(names::config_drives).collect();
        let mut drives = BTreeSet::new();
        for repository in driver.repositories(vioses).await? {
            let media = repository.media(driver.session()).await?;
            drives.extend(media.into_iter().filter(|name| own.contains(name)));
        }
        let goes = |seat: &Seated| {
            let is_disk = disk.as_ref().is_some_and(|disk| disk.mapped == seat.mapped);
            is_disk || seat.mapped.kind == Kind::OpticalMedia && own.contains(&seat.mapped.name)
        };
        let mut seats = all;
        seats.values_mut().for_each(|seats| seats.retain(&goes));
        seats.retain(|_, seats| !seats.is_empty());
        Ok(Self {
            disk,
            drives,
            seats,
        })
    }

    /// The name of the config drive that takes the place of the old one: the first that is free.
    ///
    /// # Errors
    /// None is.
    pub(super) fn next_drive(&self, instance: Uuid) -> Result<String> {
        let [usual, other] = names::config_drives(instance);
        let free = [usual, other]
            .into_iter()
            .find(|name| !self.drives.contains(name));
        free.ok_or_else(|| {
            let drives: Vec<&str> = self.drives.iter().map(String::as_str).collect();
            Error::operation(
                ErrorKind::Exists,
                format!("the server has two config drives: {}", drives.join(", ")),
                "remove the one that it does not use",
            )
        })
    }

    /// Where the boot disk is on this Virtual I/O Server.
    pub(super) fn disk_on(&self, vios: &Vios) -> Option<&Seated> {
        let disk = self.disk.as_ref()?;
        let mut seats = self.seats.get(&vios.uuid)?.iter();
        seats.find(|seat| seat.mapped == disk.mapped)
    }

    /// Where config drives are on this Virtual I/O Server.
    pub(super) fn drives_on(&self, vios: &Vios) -> impl Iterator<Item = &Seated> {
        let seats = self.seats.get(&vios.uuid).into_iter().flatten();
        seats.filter(|seat| seat.mapped.kind == Kind::OpticalMedia)
    }

    /// The repository for the new config drive: on the Virtual I/O Server that has the old one in a drive.
    pub(super) fn repository(&self, known: Vec<Repository>) -> Option<Repository> {
        known.into_iter().find(|place| {
            let mut seats = self.seats.get(&place.vios).into_iter().flatten();
            seats.any(|seat| seat.mapped.kind == Kind::OpticalMedia)
        })
    }
}

fn is_rescue(mapped: &Mapped) -> bool {
    match mapped.kind {
        Kind::LogicalUnit => names::is_rescue_unit(&mapped.name),
        Kind::VirtualDisk => {
            mapped.is_logical_volume && names::is_rescue_virtual_disk(&mapped.name)
        }
        Kind::PhysicalVolume | Kind::OpticalMedia => false,
    }
}

async fn describe(driver: &Driver, mapped: Mapped) -> Result<OldDisk> {
    let found = match &driver.shared.disks {
        Disks::Ssp { images, .. } => {
            let is_it = |udid: &str| mapped.udid.as_deref() == Some(udid);
            let mut units = images.units().list().await?.into_iter();
            let found = units.find(|unit| !unit.is_image() && is_it(&unit.udid));
            found.map(|unit| (unit.capacity, unit.cloned_from))
        }
        Disks::Local(disks) => {
            let found = disks.find_disk(&mapped.name).await?;
            found.map(|disk| (disk.capacity, None))
        }
    };
    let Some((capacity, image)) = found else {
        return Err(Error::operation(
            ErrorKind::Precondition,
            format!(
                "the boot disk {} is not where boot disks are made",
                mapped.name
            ),
            "see that the driver is configured for the storage that the server was made in",
        ));
    };
    Ok(OldDisk {
        mapped,
        gigabytes: capacity.bytes().div_ceil(1 << 30),
        image,
    })
}
