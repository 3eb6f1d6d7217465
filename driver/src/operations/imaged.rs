//! A disk of a server's own that holds an image: provided with its image, made, and taken back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;
use powervm_schema::vios::VirtualIoServer;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::control::Control;
use super::driver::{Disks, Driver};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::saga::checkpoint;
use crate::storage::flights::Flight;
use crate::storage::image::{Claim, Image};
use crate::storage::local::Disk;
use crate::storage::mapping::{self, Kind, Mapped, Wanted};
use crate::storage::names::{self, ImageUnitName};
use crate::storage::ssp::{ImageCache, ImageJob, ImageUnit, Unit};

/// Names of the disk and of all that is made for it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DiskNames {
    /// Its name in a shared storage pool.
    pub(super) unit: String,
    /// Its name in a volume group.
    pub(super) disk: String,
    /// Names of its image.
    pub(super) image: ImageNames,
    /// Tells our marker of an upload from others'.
    pub(super) tag: u32,
    /// Disks that had its name before.
    pub(super) namesakes: BTreeSet<String>,
}

/// Names of an image's disks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ImageNames {
    name: String,
    checksum: String,
    disk: String,
}

impl ImageNames {
    pub(super) fn of(image: &Image) -> Self {
        Self {
            name: image.name.clone(),
            checksum: image.short_checksum(),
            disk: names::image_virtual_disk(image.id),
        }
    }

    /// What the image service calls it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a logical unit of this name, or else a virtual disk, is the image.
    pub(super) fn is_named(&self, name: &str, in_pool: bool) -> bool {
        if in_pool {
            ImageUnitName::of(&self.name, &self.checksum).is_image(name)
        } else {
            self.disk == name
        }
    }
}

/// What the steps found and made.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct DiskNotes {
    #[serde(skip)]
    flight: Option<Boarded>,
    /// We may have begun to upload the image, and not ended.
    uploading: bool,
    image: Option<UsedImage>,
    #[serde(skip)]
    disk: Option<BootDisk>,
    /// Path of the disk's logical unit.
    unit: Option<String>,
    /// Its identifier.
    #[serde(default)]
    udid: Option<String>,
    /// Somebody else has a disk of that name.
    disk_is_foreign: bool,
}

impl DiskNotes {
    /// Whether there is no disk.
    pub(super) fn is_none(&self) -> bool {
        self.disk.is_none()
    }

    /// Nothing is made yet, and the image, if there is one, will be needed.
    pub(super) fn boarded(flight: Option<Boarded>) -> Self {
        Self {
            flight,
            ..Self::default()
        }
    }
}

/// The image of the disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UsedImage {
    udid: String,
    /// Uploaded by this driver, for operations that go on at the same time.
    is_ours: bool,
}

/// The image, shared with the operations that need the same.
#[derive(Clone)]
pub(super) enum Boarded {
    Ssp(Arc<Flight<ImageUnit>>),
    Local(Arc<Flight<Disk>>),
}

impl Boarded {
    /// Sees to it that the image stays, once it is there, until this is dropped.
    pub(super) fn of(driver: &Driver, image: &Image) -> Self {
        match &driver.shared.disks {
            Disks::Ssp { images, .. } => Self::Ssp(images.board(image)),
            Disks::Local(disks) => Self::Local(disks.board(image)),
        }
    }
}

/// The boot disk that a server of this name has already, from another host or an earlier life.
///
/// # Errors
/// There is none, several, or one that a partition of this host has; those of the requests.
pub(super) async fn existing(driver: &Driver, name: &str, instance: Uuid) -> Result<DiskNotes> {
    let disk = match &driver.shared.disks {
        Disks::Ssp { images, .. } => {
            let both = names::boot_units(name);
            let [name, _] = &both;
            let units = images.units().list().await?.into_iter();
            let mut found = units.filter(|unit| !unit.is_image() && both.contains(&unit.name));
            match (found.next(), found.next()) {
                (Some(unit), None) => BootDisk::Unit(unit),
                (None, _) => return Err(no_disk(name)),
                (Some(_), Some(_)) => {
                    return Err(Error::operation(
                        ErrorKind::Precondition,
                        format!("the pool has several logical units named {name}"),
                        "remove or rename those that are not the server's",
                    ));
                }
            }
        }
        Disks::Local(disks) => {
            let [usual, other] = names::boot_virtual_disks(name, instance);
            let found = match disks.find_disk(&usual).await? {
                None => disks.find_disk(&other).await?,
                found => found,
            };
            BootDisk::Disk(found.ok_or_else(|| no_disk(&usual))?)
        }
    };
    let vioses = driver.mappings().await?;
    let (kind, name) = match &disk {
        BootDisk::Unit(unit) => (Kind::LogicalUnit, &unit.name),
        BootDisk::Disk(disk) => (Kind::VirtualDisk, &disk.name),
    };
    let owner = vioses.iter().find_map(|vios| {
        let mut mappings = VirtualIoServer(&vios.content).scsi_mappings();
        let mapping = mappings.find(|mapping| {
            let found = mapping::mapped(mapping.as_view());
            found.is_some_and(|found| found.kind == kind && found.name == *name)
        })?;
        mapping::client_of(mapping)
    });
    match owner {
        Some(owner) if !owner.belongs_to(instance) => Err(Error::operation(
            ErrorKind::Precondition,
            format!("the disk {name} is the partition {owner}'s on this host"),
            "use the name that the server was made with",
        )),
        _ => Ok(DiskNotes {
            disk: Some(disk),
            ..DiskNotes::default()
        }),
    }
}

fn no_disk(name: &str) -> Error {
    Error::operation(
        ErrorKind::NotFound,
        format!("there is no disk {name} that the server could have"),
        "check that the host has the same pool, and use the name that the server was made with",
    )
}

#[derive(Clone)]
enum BootDisk {
    Unit(Unit),
    Disk(Disk),
}

/// Disks that have a name already: what an undo must not take for ours. Names of logical units may be there more than
/// once, those of virtual disks may not.
///
/// # Errors
/// A virtual disk of that name is there; those of the requests.
pub(super) async fn namesakes(driver: &Driver, unit: &str, disk: &str) -> Result<BTreeSet<String>> {
    match &driver.shared.disks {
        Disks::Ssp { images, .. } => {
            let units = images.units().list().await?;
            let same = units.into_iter().filter(|found| found.name == unit);
            Ok(same.map(|found| found.udid).collect())
        }
        Disks::Local(disks) => {
            disks.refuse_existing(disk).await?;
            Ok(BTreeSet::new())
        }
    }
}

/// An operation that makes such a disk.
pub(super) trait MakesDisk: Send + Sync {
    fn driver(&self) -> &Driver;
    fn control(&self) -> &Control;
    fn vioses(&self) -> &[Vios];
    /// What it makes; nothing for a server that boots from a volume.
    fn disk_names(&self) -> Option<&DiskNames>;
    /// The image, and the GB that the disk has at least.
    ///
    /// # Errors
    /// The operation is on its way back.
    fn disk_source(&self) -> Result<(&Image, u64)>;
    fn disk_notes<T>(&self, change: impl FnOnce(&mut DiskNotes) -> T) -> T;
}

/// The image is there.
///
/// # Errors
/// Those of the requests and of the upload; cancellation.
pub(super) async fn provide_image<M: MakesDisk>(maker: &M) -> Result<()> {
    let image = match (&maker.driver().shared.disks, flight(maker)?) {
        (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
            let (carrier, claim) = (carrier(maker)?, Uploading(maker));
            let job = image_job(maker, &carrier, &claim)?;
            let image = images.ensure(&flight, &job).await?;
            UsedImage {
                udid: image.udid,
                is_ours: image.is_ours,
            }
        }
        (Disks::Local(disks), Boarded::Local(flight)) => {
            let (image, _) = maker.disk_source()?;
            let image = disks
                .ensure_image(&flight, image, maker.control(), &Uploading(maker))
                .await?;
            // A volume group keeps its images.
            UsedImage {
                udid: image.udid,
                is_ours: false,
            }
        }
        _ => return Err(other_driver()),
    };
    maker.disk_notes(|found| (found.image, found.uploading) = (Some(image), false));
    Ok(())
}

/// What is left of an upload goes. In a pool, an image that was uploaded for this goes with its last clone. A volume
/// group keeps it.
///
/// # Errors
/// Those of the requests.
pub(super) async fn release_image<M: MakesDisk>(maker: &M) -> Result<()> {
    let (image, uploading) = maker.disk_notes(|found| {
        found.flight = None;
        (found.image.clone(), found.uploading)
    });
    let Some(asked) = maker.disk_names() else {
        return Ok(());
    };
    match &maker.driver().shared.disks {
        Disks::Ssp { images, .. } => {
            let names = ImageUnitName::of(&asked.image.name, &asked.image.checksum);
            let left = images.abandon(&names, asked.tag, uploading).await?;
            let ours = image.filter(|image| image.is_ours).map(|image| image.udid);
            match ours.or(left) {
                Some(udid) => images.remove_if_unused(&udid).await,
                None => Ok(()),
            }
        }
        Disks::Local(disks) if uploading => {
            disks.abandon_image(&asked.image.disk).await?;
            maker.disk_notes(|found| found.uploading = false);
            Ok(())
        }
        Disks::Local(_) => Ok(()),
    }
}

/// The disk is there.
///
/// # Errors
/// Those of the requests; a virtual disk of that name is there already.
pub(super) async fn create_disk<M: MakesDisk>(maker: &M) -> Result<()> {
    if maker.disk_notes(|found| found.disk.is_some()) {
        return Ok(());
    }
    let (image, gigabytes) = maker.disk_source()?;
    let names = maker.disk_names().ok_or_else(no_image)?;
    let disk = match (&maker.driver().shared.disks, flight(maker)?) {
        (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
            let (carrier, claim) = (carrier(maker)?, Uploading(maker));
            let job = image_job(maker, &carrier, &claim)?;
            let (unit, image) = images
                .clone_image(&flight, &job, &names.unit, gigabytes, &names.namesakes)
                .await?;
            maker.disk_notes(|found| {
                found.unit = Some(unit.path.clone());
                found.udid = Some(unit.udid.clone());
                found.image = Some(UsedImage {
                    udid: image.udid,
                    is_ours: image.is_ours,
                });
            });
            BootDisk::Unit(unit)
        }
        (Disks::Local(disks), Boarded::Local(flight)) => {
            let image = disks
                .ensure_image(&flight, image, maker.control(), &Uploading(maker))
                .await?;
            let made = AtomicBool::new(false);
            let disk = disks
                .copy_image(&image, &names.disk, gigabytes, &made)
                .await;
            maker.disk_notes(|found| found.disk_is_foreign = !made.load(Ordering::SeqCst));
            BootDisk::Disk(disk?)
        }
        _ => return Err(other_driver()),
    };
    maker.disk_notes(|found| found.disk = Some(disk));
    Ok(())
}

/// The disk is gone.
///
/// # Errors
/// Those of the requests.
pub(super) async fn delete_disk<M: MakesDisk>(maker: &M) -> Result<()> {
    let (unit, image, is_foreign) = maker.disk_notes(|found| {
        (
            found.unit.clone(),
            found.image.clone(),
            found.disk_is_foreign,
        )
    });
    let Some(names) = maker.disk_names() else {
        return Ok(());
    };
    match &maker.driver().shared.disks {
        Disks::Ssp { images, .. } => match (unit, image) {
            (Some(path), _) => maker.driver().session().ensure_deleted(&path).await,
            (None, Some(image)) => {
                remove_lost_clone(images, &image.udid, &names.unit, &names.namesakes).await
            }
            (None, None) => Ok(()),
        },
        Disks::Local(_) if is_foreign => Ok(()),
        Disks::Local(disks) => disks.remove(std::slice::from_ref(&names.disk)).await,
    }
}

/// The disk as it is mapped, if it is made: also when another process has made it.
pub(super) fn made<M: MakesDisk>(maker: &M) -> Option<Mapped> {
    let names = maker.disk_names()?;
    match &maker.driver().shared.disks {
        Disks::Ssp { .. } => maker
            .disk_notes(|found| found.udid.clone())
            .map(|udid| Wanted::logical_unit(&names.unit, &udid).mapped().clone()),
        Disks::Local(_) => Some(Mapped {
            kind: Kind::VirtualDisk,
            name: names.disk.clone(),
            udid: None,
            is_logical_volume: true,
        }),
    }
}

/// The disk as this Virtual I/O Server is to serve it, if it is to.
pub(super) fn wanted<M: MakesDisk>(maker: &M, vios: &Vios) -> Option<Wanted> {
    let disk = maker.disk_notes(|found| found.disk.clone())?;
    match (&maker.driver().shared.disks, &disk) {
        (Disks::Ssp { pool, .. }, BootDisk::Unit(unit)) if pool.is_served_by(&vios.uuid) => {
            Some(Wanted::logical_unit(&unit.name, &unit.udid))
        }
        (Disks::Local(disks), BootDisk::Disk(disk)) if disks.vios == vios.uuid => {
            Some(disk.wanted())
        }
        _ => None,
    }
}

fn flight<M: MakesDisk>(maker: &M) -> Result<Boarded> {
    maker
        .disk_notes(|found| found.flight.clone())
        .ok_or_else(|| Error::internal("the image was released too early"))
}

/// A Virtual I/O Server to upload an image through; they take turns.
fn carrier<M: MakesDisk>(maker: &M) -> Result<String> {
    let Disks::Ssp { pool, .. } = &maker.driver().shared.disks else {
        return Err(Error::internal(
            "only a pool is reached through several servers",
        ));
    };
    let serving: Vec<&Vios> = maker
        .vioses()
        .iter()
        .filter(|vios| pool.is_served_by(&vios.uuid))
        .collect();
    let index = maker.driver().next_upload() % serving.len().max(1);
    serving
        .get(index)
        .map(|vios| vios.uuid.clone())
        .ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                format!(
                    "no active Virtual I/O Server of this host serves the pool of the cluster {}",
                    pool.cluster
                ),
                "start one of the cluster's Virtual I/O Servers",
            )
        })
}

fn image_job<'a, M: MakesDisk>(
    maker: &'a M,
    carrier: &'a str,
    claim: &'a Uploading<'a, M>,
) -> Result<ImageJob<'a>> {
    Ok(ImageJob {
        image: maker.disk_source()?.0,
        control: maker.control(),
        vios: carrier,
        tag: maker.disk_names().ok_or_else(no_image)?.tag,
        claim,
    })
}

/// Notes, before it begins, that an upload may be on its way.
struct Uploading<'a, M>(&'a M);

impl<M: MakesDisk> Claim for Uploading<'_, M> {
    fn begin(&self) -> BoxFuture<'_, Result<()>> {
        self.0.disk_notes(|found| found.uploading = true);
        Box::pin(checkpoint())
    }

    fn over(&self) {
        self.0.disk_notes(|found| found.uploading = false);
    }
}

/// Removes the clone that a lost answer may have been about.
async fn remove_lost_clone(
    images: &ImageCache,
    image: &str,
    name: &str,
    namesakes: &BTreeSet<String>,
) -> Result<()> {
    let found = images.clones_of(image, name, namesakes).await?;
    match found.as_slice() {
        [] => Ok(()),
        [unit] => images.units().delete(unit).await,
        several => Err(Error::operation(
            ErrorKind::Precondition,
            format!(
                "{} logical units named {name} were made at the same time, and nothing tells which is ours",
                several.len()
            ),
            "remove by hand the one that no server needs",
        )),
    }
}

fn other_driver() -> Error {
    Error::internal("the image belongs to another disk driver")
}

/// Said where an image is needed that a server which boots from a volume does not have.
pub(super) fn no_image() -> Error {
    Error::internal("a server that boots from a volume has no image")
}
