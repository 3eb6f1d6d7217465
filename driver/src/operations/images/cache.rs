//! Brings an image to the host before a deploy needs it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::saga::{Saga, Step, checkpoint};
use crate::storage::cached::CachedImage;
use crate::storage::image::{Claim, Image};
use crate::storage::names::{self, ImageUnitName};
use crate::storage::ssp::ImageJob;

const UPLOAD: &str = "provide the image";

impl Driver {
    /// Sees to it that the host has an image: deploys then find it. One that is there is left alone.
    ///
    /// In a pool an image goes with its last clone; one that nothing was ever a clone of stays until
    /// [`Driver::prune_images`] removes it. A failed or cancelled call leaves nothing of the image.
    ///
    /// # Errors
    /// [`Error::Saga`]: the image cannot be read, there is no room for it, another host that uploads it takes too long.
    pub async fn cache_image(&self, image: Image, control: &Control) -> Result<CachedImage> {
        let steps = control.for_steps();
        let names = Names {
            image: image.name.clone(),
            checksum: image.short_checksum(),
            disk: names::image_virtual_disk(image.id),
            tag: self.tag(),
        };
        let cache = Arc::new(CacheImage {
            driver: self.clone(),
            control: steps.clone(),
            asked: names,
            image: Some(image),
            notes: Notes::default(),
            kept: Mutex::default(),
        });
        self.perform(&cache, control, &steps).await?;
        cache
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or_else(|| Error::internal("an image is kept and nobody has seen it"))
    }
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Names {
    image: String,
    checksum: String,
    /// In a volume group.
    disk: String,
    /// Tells our marker of an upload from others'.
    tag: u32,
}

impl Names {
    fn unit(&self) -> ImageUnitName {
        ImageUnitName::of(&self.image, &self.checksum)
    }

    /// Tells its name where it is kept from others'.
    fn kept(&self, driver: &Driver) -> impl Fn(&str) -> bool + use<> {
        let (unit, disk) = (self.unit(), self.disk.clone());
        let in_pool = matches!(driver.shared.disks, Disks::Ssp { .. });
        move |name| {
            if in_pool {
                unit.is_image(name)
            } else {
                name == disk
            }
        }
    }
}

/// What its step found and made.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::operations) struct Found {
    /// We may have begun to upload the image, and not ended.
    uploading: bool,
    /// Identifier of an image that we have uploaded.
    ours: Option<String>,
}

/// An image on its way to the host.
pub(in crate::operations) struct CacheImage {
    driver: Driver,
    control: Control,
    asked: Names,
    /// Nothing is needed of it on the way back.
    image: Option<Image>,
    notes: Notes<Found>,
    kept: Mutex<Option<CachedImage>>,
}

impl Operation for CacheImage {
    const KIND: &'static str = "cache image";
    const PLAN: Plan = Plan::Undo;
    type Asked = Names;
    type Notes = Found;

    fn asked(&self) -> &Names {
        &self.asked
    }

    fn notes(&self) -> &Notes<Found> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        Saga::new(format!("keep the image {}", self.asked.image))
            .step(Step::new(UPLOAD, Self::provide).undo(Self::release))
    }

    /// Where the image came from is not in the journal, so it cannot be brought to its end.
    async fn revive(
        driver: &Driver,
        asked: Names,
        found: Found,
        control: &Control,
    ) -> Result<Option<Self>> {
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            image: None,
            notes: Notes::new(found),
            kept: Mutex::default(),
        }))
    }
}

impl CacheImage {
    async fn provide(self: Arc<Self>) -> Result<()> {
        let image = self
            .image
            .as_ref()
            .ok_or_else(|| Error::internal("an image that is taken back cannot be brought"))?;
        let ours = match &self.driver.shared.disks {
            Disks::Ssp { images, pool } => {
                let active = self.driver.active_vioses().await?;
                let serving: Vec<_> = active
                    .iter()
                    .filter(|vios| pool.is_served_by(&vios.uuid))
                    .collect();
                let turn = self.driver.next_upload() % serving.len().max(1);
                let carrier = serving.get(turn).ok_or_else(|| {
                    Error::operation(
                        ErrorKind::Precondition,
                        format!("no active Virtual I/O Server of this host serves the pool of the cluster {}", pool.cluster),
                        "start one of the cluster's Virtual I/O Servers",
                    )
                })?;
                let job = ImageJob {
                    image,
                    control: &self.control,
                    vios: &carrier.uuid,
                    tag: self.asked.tag,
                    claim: &*self,
                };
                let found = images.ensure(&images.board(image), &job).await?;
                found.is_ours.then_some(found.udid)
            }
            Disks::Local(disks) => {
                let flight = disks.board(image);
                disks
                    .ensure_image(&flight, image, &self.control, &*self)
                    .await?;
                None
            }
        };
        self.notes.with(|found| {
            found.uploading = false;
            found.ours = found.ours.take().or(ours);
        });
        self.look().await
    }

    /// Within the step, so that what cannot be told of is taken back.
    async fn look(&self) -> Result<()> {
        let is_it = self.asked.kept(&self.driver);
        let mut images = self.driver.images().await?;
        images.retain(|image| is_it(&image.name));
        let found = images.pop().ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                "the image was there, and somebody has removed it again",
                "see who does",
            )
        })?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        Ok(())
    }

    /// What is left of an upload goes, and in a pool an image that was uploaded for this and that nobody uses yet. A
    /// volume group keeps whole images.
    async fn release(self: Arc<Self>) -> Result<()> {
        let (uploading, ours) = self
            .notes
            .with(|found| (found.uploading, found.ours.clone()));
        match &self.driver.shared.disks {
            Disks::Ssp { images, .. } => {
                let left = images
                    .abandon(&self.asked.unit(), self.asked.tag, uploading)
                    .await?;
                match ours.or(left) {
                    Some(udid) => images.remove_if_unused(&udid).await,
                    None => Ok(()),
                }
            }
            Disks::Local(disks) if uploading => {
                disks.abandon_image(&self.asked.disk).await?;
                self.notes.with(|found| found.uploading = false);
                Ok(())
            }
            Disks::Local(_) => Ok(()),
        }
    }
}

impl Claim for CacheImage {
    fn begin(&self) -> BoxFuture<'_, Result<()>> {
        self.notes.with(|found| found.uploading = true);
        Box::pin(checkpoint())
    }

    fn over(&self) {
        self.notes.with(|found| found.uploading = false);
    }
}
