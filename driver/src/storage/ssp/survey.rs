//! The images of a tier, and what uses them.

use super::ImageCache;
use crate::error::Result;
use crate::storage::cached::{CacheState, CachedImage};
use crate::storage::names::is_any_marker;

impl ImageCache {
    /// All images, and markers of uploads.
    ///
    /// # Errors
    /// Those of the request.
    pub(crate) async fn survey(&self) -> Result<Vec<CachedImage>> {
        let units = self.units().list().await?;
        let images = units.iter().filter(|unit| unit.is_image());
        let described = images.map(|image| {
            let clones = units
                .iter()
                .filter(|unit| unit.is_clone_of(&image.udid))
                .count();
            let is_marked = units
                .iter()
                .any(|unit| is_any_marker(&unit.name) && unit.name.ends_with(&image.name));
            let state = if is_any_marker(&image.name) {
                CacheState::Marker
            } else if is_marked {
                CacheState::Uploading
            } else if clones > 0 {
                CacheState::Used
            } else {
                CacheState::Unused
            };
            CachedImage {
                name: image.name.clone(),
                udid: image.udid.clone(),
                gigabytes: image.capacity.as_f64(),
                state,
                clones: Some(clones),
            }
        });
        Ok(described.collect())
    }
}
