//! Removes images that nobody needs. The server does not tell how old an image is, nor, in a volume group, which disks
//! were copied from it: what to keep is for the caller to say, who knows all instances.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::saga::{Saga, Step};
use crate::storage::cached::{CacheState, CachedImage};

const REMOVE: &str = "remove the images";

impl Driver {
    /// Removes the images that nothing is a clone of, that nobody uploads and that are not among `keep`, by their names
    /// ([`crate::storage::names::image_virtual_disk`] for an image in a volume group); returns them. Disks that were
    /// made from an image do not need it.
    ///
    /// # Errors
    /// Those of the requests. A call that failed can be repeated.
    pub async fn prune_images(
        &self,
        keep: &BTreeSet<String>,
        control: &Control,
    ) -> Result<Vec<CachedImage>> {
        let mut unused = self.images().await?;
        unused.retain(|image| image.state == CacheState::Unused && !keep.contains(&image.name));
        if unused.is_empty() {
            return Ok(unused);
        }
        let steps = control.for_steps();
        let place = |image: &CachedImage| Place {
            name: image.name.clone(),
            udid: image.udid.clone(),
        };
        let prune = Arc::new(Prune {
            driver: self.clone(),
            asked: unused.iter().map(place).collect(),
            notes: Notes::default(),
        });
        self.perform(&prune, control, &steps).await?;
        // What somebody has begun to use meanwhile is still there.
        let left = self.images().await?;
        unused.retain(|image| !left.iter().any(|left| left.udid == image.udid));
        Ok(unused)
    }
}

/// An image that is to go.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Place {
    name: String,
    udid: String,
}

/// A removal of images on its way. Whether each may go is looked at again just before.
pub(in crate::operations) struct Prune {
    driver: Driver,
    asked: Vec<Place>,
    notes: Notes<()>,
}

impl Operation for Prune {
    const KIND: &'static str = "prune images";
    const PLAN: Plan = Plan::Finish;
    type Asked = Vec<Place>;
    type Notes = ();

    fn asked(&self) -> &Vec<Place> {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        Saga::new("remove unused images").step(Step::new(REMOVE, Self::remove))
    }

    async fn revive(
        driver: &Driver,
        asked: Vec<Place>,
        (): (),
        _: &Control,
    ) -> Result<Option<Self>> {
        Ok(Some(Self {
            driver: driver.clone(),
            asked,
            notes: Notes::default(),
        }))
    }
}

impl Prune {
    async fn remove(self: Arc<Self>) -> Result<()> {
        for image in &self.asked {
            match &self.driver.shared.disks {
                Disks::Ssp { images, .. } => images.remove_if_unused(&image.udid).await?,
                Disks::Local(disks) => disks.remove_if_idle(&image.name).await?,
            }
        }
        Ok(())
    }
}
