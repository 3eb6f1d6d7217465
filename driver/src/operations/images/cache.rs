//! Brings an image to the host before a deploy needs it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver};
use crate::operations::imaged::{self, Boarded, DiskNames, DiskNotes, ImageNames, MakesDisk};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::saga::{Saga, Step};
use crate::storage::cached::CachedImage;
use crate::storage::image::Image;

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
        let names = ImageNames::of(&image);
        let asked = DiskNames {
            unit: String::new(),
            disk: String::new(),
            image: names,
            tag: self.tag(),
            namesakes: BTreeSet::new(),
        };
        let vioses = self.active_vioses().await?;
        let cache = Arc::new(CacheImage {
            driver: self.clone(),
            control: steps.clone(),
            asked,
            notes: Notes::new(DiskNotes::boarded(Some(Boarded::of(self, &image)))),
            vioses,
            image: Some(image),
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

/// An image on its way to the host.
pub(in crate::operations) struct CacheImage {
    driver: Driver,
    control: Control,
    asked: DiskNames,
    vioses: Vec<Vios>,
    /// Nothing is needed of it on the way back.
    image: Option<Image>,
    notes: Notes<DiskNotes>,
    kept: Mutex<Option<CachedImage>>,
}

impl Operation for CacheImage {
    const KIND: &'static str = "cache image";
    const PLAN: Plan = Plan::Undo;
    type Asked = DiskNames;
    type Notes = DiskNotes;

    fn asked(&self) -> &DiskNames {
        &self.asked
    }

    fn notes(&self) -> &Notes<DiskNotes> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        Saga::new(format!("keep the image {}", self.asked.image.name()))
            .step(Step::new(UPLOAD, Self::provide).undo(Self::release))
    }

    /// Where the image came from is not in the journal, so it cannot be brought to its end.
    async fn revive(
        driver: &Driver,
        asked: DiskNames,
        found: DiskNotes,
        control: &Control,
    ) -> Result<Option<Self>> {
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            vioses: driver.active_vioses().await?,
            image: None,
            notes: Notes::new(found),
            kept: Mutex::default(),
        }))
    }
}

impl CacheImage {
    async fn provide(self: Arc<Self>) -> Result<()> {
        imaged::provide_image(&*self).await?;
        self.look().await
    }

    async fn release(self: Arc<Self>) -> Result<()> {
        imaged::release_image(&*self).await
    }

    /// Within the step, so that what cannot be told of is taken back.
    async fn look(&self) -> Result<()> {
        let in_pool = matches!(self.driver.shared.disks, Disks::Ssp { .. });
        let is_it = |name: &str| self.asked.image.is_named(name, in_pool);
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
}

impl MakesDisk for CacheImage {
    fn driver(&self) -> &Driver {
        &self.driver
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn vioses(&self) -> &[Vios] {
        &self.vioses
    }

    fn disk_names(&self) -> Option<&DiskNames> {
        Some(&self.asked)
    }

    fn disk_source(&self) -> Result<(&Image, u64)> {
        let image = self.image.as_ref();
        let image = image
            .ok_or_else(|| Error::internal("an image that is taken back cannot be brought"))?;
        Ok((image, 0))
    }

    fn disk_notes<T>(&self, change: impl FnOnce(&mut DiskNotes) -> T) -> T {
        self.notes.with(change)
    }
}
