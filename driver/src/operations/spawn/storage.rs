//! The steps of a deploy that make its disk and its config drive, and take them back.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Boarded, BootDisk, Disks, Spawn};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::storage::image::Image;
use crate::storage::media::config_drive::Subject;
use crate::storage::ssp::ImageJob;
use crate::storage::{names, upload};

impl Spawn {
    pub(super) async fn provide_image(self: Arc<Self>) -> Result<()> {
        let udid = match (&self.driver.shared.disks, self.flight()?) {
            (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
                let carrier = self.carrier()?;
                images
                    .ensure(&flight, &self.image_job(&carrier)?)
                    .await?
                    .udid
            }
            (Disks::Local(disks), Boarded::Local(flight)) => {
                disks
                    .ensure_image(&flight, self.image()?, &self.control)
                    .await?
                    .udid
            }
            _ => return Err(Error::internal("the image belongs to another disk driver")),
        };
        self.note(|state| state.image_udid = Some(udid));
        Ok(())
    }

    /// In a pool, an image goes with its last clone. A volume group keeps it.
    pub(super) async fn release_image(self: Arc<Self>) -> Result<()> {
        let udid = self.note(|state| {
            state.flight = None;
            state.image_udid.clone()
        });
        if let (Disks::Ssp { images, .. }, Some(udid)) = (&self.driver.shared.disks, udid) {
            images.remove_if_unused(&udid).await;
        }
        Ok(())
    }

    pub(super) async fn create_disk(self: Arc<Self>) -> Result<()> {
        if self.note(|state| state.disk.is_some()) {
            return Ok(());
        }
        let (request, disks) = (&self.request, &self.driver.shared.disks);
        let disk = match (disks, self.flight()?) {
            (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
                self.disk_may_exist.store(true, Ordering::SeqCst);
                let (name, carrier) = (names::boot_unit(&request.name), self.carrier()?);
                let job = self.image_job(&carrier)?;
                BootDisk::Unit(
                    images
                        .clone_image(&flight, &job, &name, request.flavor.root_gb)
                        .await?,
                )
            }
            (Disks::Local(disks), Boarded::Local(flight)) => {
                let image = disks
                    .ensure_image(&flight, self.image()?, &self.control)
                    .await?;
                let name = names::boot_virtual_disk(&request.name, request.instance);
                let (root_gb, exists) = (request.flavor.root_gb, &self.disk_may_exist);
                BootDisk::Disk(disks.copy_image(&image, &name, root_gb, exists).await?)
            }
            _ => return Err(Error::internal("the image belongs to another disk driver")),
        };
        self.note(|state| state.disk = Some(disk));
        Ok(())
    }

    pub(super) async fn delete_disk(self: Arc<Self>) -> Result<()> {
        if !self.disk_may_exist.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (disk, image) = self.note(|state| (state.disk.clone(), state.image_udid.clone()));
        match (&self.driver.shared.disks, disk) {
            (Disks::Ssp { images, .. }, Some(BootDisk::Unit(unit))) => {
                images.units().delete(&unit).await
            }
            (Disks::Ssp { images, .. }, _) => {
                let Some(image) = image else { return Ok(()) };
                for unit in images
                    .clones_of(&image, &names::boot_unit(&self.request.name))
                    .await?
                {
                    images.units().delete(&unit).await?;
                }
                Ok(())
            }
            (Disks::Local(disks), _) => {
                disks
                    .remove(&[names::boot_virtual_disk(
                        &self.request.name,
                        self.request.instance,
                    )])
                    .await
            }
        }
    }

    pub(super) async fn upload_config_drive(self: Arc<Self>) -> Result<()> {
        let Some(drive) = &self.request.config_drive else {
            return Ok(());
        };
        if self.note(|state| state.media_uploaded) {
            return Ok(());
        }
        let (interfaces, management) = self.addresses()?;
        let tells_management = self.driver.config().use_rmc_ipv6_scheme;
        let subject = Subject {
            partition: self.plan.partition,
            name: &self.request.name,
            interfaces: &interfaces,
            management: management.filter(|_| tells_management),
        };
        let image = drive.image(&subject)?;
        let repository = self.driver.repository_for_upload(&self.plan.vioses).await?;
        self.note(|state| state.media = Some(repository.clone()));
        upload::media(
            self.driver.session(),
            &self.control,
            &self.media_name(),
            &repository.vios,
            image,
        )
        .await?;
        self.note(|state| state.media_uploaded = true);
        Ok(())
    }

    pub(super) async fn delete_config_drive(self: Arc<Self>) -> Result<()> {
        match self.note(|state| state.media.clone()) {
            Some(repository) => {
                repository
                    .remove_media(&self.driver.shared.group, &[self.media_name()])
                    .await
            }
            None => Ok(()),
        }
    }

    fn image(&self) -> Result<&Image> {
        let image = self.request.image.as_ref();
        image.ok_or_else(|| Error::internal("a server that boots from a volume has no image"))
    }

    /// A Virtual I/O Server to upload an image through; they take turns.
    fn carrier(&self) -> Result<String> {
        let Disks::Ssp { pool, .. } = &self.driver.shared.disks else {
            return Err(Error::internal(
                "only a pool is reached through several servers",
            ));
        };
        let serving: Vec<&Vios> = self
            .plan
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

    fn image_job<'a>(&'a self, carrier: &'a str) -> Result<ImageJob<'a>> {
        Ok(ImageJob {
            image: self.image()?,
            control: &self.control,
            vios: carrier,
            tag: self.driver.tag(),
        })
    }
}
