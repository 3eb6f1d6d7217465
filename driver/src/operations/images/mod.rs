//! Images that are kept on the host for the next deploy: listed, brought before they are needed, and removed.

mod cache;
mod prune;

pub(super) use cache::CacheImage;
pub(super) use prune::Prune;

use super::driver::{Disks, Driver};
use crate::error::Result;
use crate::storage::cached::CachedImage;

impl Driver {
    /// The images that are kept, by name: in the pool's default tier, or in the volume group of the boot disks.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn images(&self) -> Result<Vec<CachedImage>> {
        let mut found = match &self.shared.disks {
            Disks::Ssp { images, .. } => images.survey().await?,
            Disks::Local(disks) => disks.survey().await?,
        };
        found.sort_by(|one, other| (&one.name, &one.udid).cmp(&(&other.name, &other.udid)));
        Ok(found)
    }
}
