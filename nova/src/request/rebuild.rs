//! A server that gets another image.

use std::collections::BTreeMap;
use std::sync::Arc;

use powervm_driver::operations::{Metadata, RebuildRequest};
use powervm_driver::storage::image::Feed;
use serde::Deserialize;
use uuid::Uuid;

use super::{Picture, config_drive, fed};
use crate::trouble::Trouble;

/// A server that is to get a new boot disk and config drive.
#[derive(Debug, Deserialize)]
pub struct Rebuild {
    instance: Uuid,
    name: String,
    root_gb: u64,
    image: Option<Picture>,
    #[serde(default)]
    metadata: Metadata,
    config_drive: Option<BTreeMap<String, String>>,
    #[serde(default)]
    dated: i64,
}

impl Rebuild {
    /// What the driver is asked for.
    ///
    /// # Errors
    /// What of it cannot be.
    pub fn request(self, feed: Option<Arc<dyn Feed>>) -> Result<RebuildRequest, Trouble> {
        Ok(RebuildRequest {
            instance: self.instance,
            name: Some(self.name),
            image: fed(self.image, feed)?,
            root_gb: self.root_gb,
            config_drive: self
                .config_drive
                .map(|files| config_drive(files, self.dated))
                .transpose()?,
            networks: Vec::new(),
            metadata: self.metadata,
        })
    }
}
