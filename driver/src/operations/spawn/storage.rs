//! The steps of a deploy that make its disk and its config drive, and take them back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::BoxFuture;

use super::notes::{Boarded, BootDisk, UsedImage};
use super::{Disks, Order, Spawn};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::saga::checkpoint;
use crate::storage::image::{Claim, Image};
use crate::storage::media::Repository;
use crate::storage::media::config_drive::Subject;
use crate::storage::names::ImageUnitName;
use crate::storage::ssp::{ImageCache, ImageJob};
use crate::storage::{names, upload};

impl Spawn {
    pub(super) async fn provide_image(self: Arc<Self>) -> Result<()> {
        let order = self.order()?;
        let image = match (&self.driver.shared.disks, self.flight()?) {
            (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
                let carrier = self.carrier()?;
                let image = images
                    .ensure(&flight, &self.image_job(order, &carrier)?)
                    .await?;
                UsedImage {
                    udid: image.udid,
                    is_ours: image.is_ours,
                }
            }
            (Disks::Local(disks), Boarded::Local(flight)) => {
                let image = disks
                    .ensure_image(&flight, order.image()?, &self.control, &*self)
                    .await?;
                // A volume group keeps its images.
                UsedImage {
                    udid: image.udid,
                    is_ours: false,
                }
            }
            _ => return Err(Error::internal("the image belongs to another disk driver")),
        };
        self.note(|found| (found.image, found.uploading) = (Some(image), false));
        Ok(())
    }

    /// What is left of an upload goes. In a pool, an image that was uploaded for this goes with its last clone. A
    /// volume group keeps it.
    pub(super) async fn release_image(self: Arc<Self>) -> Result<()> {
        let (image, uploading) = self.note(|found| {
            found.flight = None;
            (found.image.clone(), found.uploading)
        });
        let Some(asked) = &self.asked.image else {
            return Ok(());
        };
        match &self.driver.shared.disks {
            Disks::Ssp { images, .. } => {
                let names = ImageUnitName::of(&asked.name, &asked.checksum);
                let left = images.abandon(&names, self.asked.tag, uploading).await?;
                let ours = image.filter(|image| image.is_ours).map(|image| image.udid);
                match ours.or(left) {
                    Some(udid) => images.remove_if_unused(&udid).await,
                    None => Ok(()),
                }
            }
            Disks::Local(disks) if uploading => {
                disks.abandon_image(&asked.disk).await?;
                self.note(|found| found.uploading = false);
                Ok(())
            }
            Disks::Local(_) => Ok(()),
        }
    }

    pub(super) async fn create_disk(self: Arc<Self>) -> Result<()> {
        if self.note(|found| found.disk.is_some()) {
            return Ok(());
        }
        let order = self.order()?;
        let (request, disks) = (&order.request, &self.driver.shared.disks);
        let disk = match (disks, self.flight()?) {
            (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
                let (name, carrier) = (names::boot_unit(&request.name), self.carrier()?);
                let job = self.image_job(order, &carrier)?;
                let namesakes = &self.asked.namesakes;
                let (unit, image) = images
                    .clone_image(&flight, &job, &name, request.flavor.root_gb, namesakes)
                    .await?;
                self.note(|found| {
                    found.unit = Some(unit.path.clone());
                    found.image = Some(UsedImage {
                        udid: image.udid,
                        is_ours: image.is_ours,
                    });
                });
                BootDisk::Unit(unit)
            }
            (Disks::Local(disks), Boarded::Local(flight)) => {
                let image = disks
                    .ensure_image(&flight, order.image()?, &self.control, &*self)
                    .await?;
                let name = names::boot_virtual_disk(&request.name, request.instance);
                let made = AtomicBool::new(false);
                let disk = disks
                    .copy_image(&image, &name, request.flavor.root_gb, &made)
                    .await;
                self.note(|found| found.disk_is_foreign = !made.load(Ordering::SeqCst));
                BootDisk::Disk(disk?)
            }
            _ => return Err(Error::internal("the image belongs to another disk driver")),
        };
        self.note(|found| found.disk = Some(disk));
        Ok(())
    }

    pub(super) async fn delete_disk(self: Arc<Self>) -> Result<()> {
        let (unit, image, is_foreign) = self.note(|found| {
            (
                found.unit.clone(),
                found.image.clone(),
                found.disk_is_foreign,
            )
        });
        let asked = &self.asked;
        match &self.driver.shared.disks {
            Disks::Ssp { images, .. } => match (unit, image) {
                (Some(path), _) => self.driver.session().ensure_deleted(&path).await,
                (None, Some(image)) => {
                    let name = names::boot_unit(&asked.name);
                    remove_lost_clone(images, &image.udid, &name, &asked.namesakes).await
                }
                (None, None) => Ok(()),
            },
            Disks::Local(_) if is_foreign => Ok(()),
            Disks::Local(disks) => {
                let name = names::boot_virtual_disk(&asked.name, asked.instance);
                disks.remove(&[name]).await
            }
        }
    }

    pub(super) async fn upload_config_drive(self: Arc<Self>) -> Result<()> {
        let request = &self.order()?.request;
        let Some(drive) = &request.config_drive else {
            return Ok(());
        };
        if self.note(|found| found.media_uploaded) {
            return Ok(());
        }
        let (interfaces, management) = self.addresses()?;
        let tells_management = self.driver.config().use_rmc_ipv6_scheme;
        let subject = Subject {
            partition: self.partition,
            name: &request.name,
            interfaces: &interfaces,
            management: management.filter(|_| tells_management),
        };
        let image = drive.image(&subject)?;
        let repository = self.driver.repository_for_upload(&self.vioses).await?;
        self.note(|found| found.media = Some(repository.clone()));
        checkpoint().await?;
        let (session, name) = (self.driver.session(), self.media_name());
        upload::media(session, &self.control, &name, &repository.vios, image).await?;
        self.note(|found| found.media_uploaded = true);
        Ok(())
    }

    pub(super) async fn delete_config_drive(self: Arc<Self>) -> Result<()> {
        let Some(repository) = self.note(|found| found.media.clone()) else {
            return Ok(());
        };
        self.remove_media(&repository).await
    }

    async fn remove_media(&self, repository: &Repository) -> Result<()> {
        let name = self.media_name();
        upload::forget_media(self.driver.session(), &name, &repository.vios).await?;
        repository
            .remove_media(&self.driver.shared.group, &[name])
            .await
    }

    /// A Virtual I/O Server to upload an image through; they take turns.
    fn carrier(&self) -> Result<String> {
        let Disks::Ssp { pool, .. } = &self.driver.shared.disks else {
            return Err(Error::internal(
                "only a pool is reached through several servers",
            ));
        };
        let serving: Vec<&Vios> = self
            .vioses
            .iter()
            .filter(|vios| pool.is_served_by(&vios.uuid))
            .collect();
        let index = self.driver.next_upload() % serving.len().max(1);
        serving.get(index).map(|vios| vios.uuid.clone()).ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                format!("no active Virtual I/O Server of this host serves the pool of the cluster {}", pool.cluster),
                "start one of the cluster's Virtual I/O Servers",
            )
        })
    }

    fn image_job<'a>(&'a self, order: &'a Order, carrier: &'a str) -> Result<ImageJob<'a>> {
        Ok(ImageJob {
            image: order.image()?,
            control: &self.control,
            vios: carrier,
            tag: self.asked.tag,
            claim: self,
        })
    }
}

impl Order {
    fn image(&self) -> Result<&Image> {
        let image = self.request.image.as_ref();
        image.ok_or_else(|| Error::internal("a server that boots from a volume has no image"))
    }
}

impl Claim for Spawn {
    fn begin(&self) -> BoxFuture<'_, Result<()>> {
        self.note(|found| found.uploading = true);
        Box::pin(checkpoint())
    }

    fn over(&self) {
        self.note(|found| found.uploading = false);
    }
}

/// Removes the clone that a lost answer may have been about.
async fn remove_lost_clone(
    images: &ImageCache,
    image: &str,
    name: &str,
    namesakes: &std::collections::BTreeSet<String>,
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
