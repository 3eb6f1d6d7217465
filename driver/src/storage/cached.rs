//! Images that are kept for the next deploy.

use serde::Serialize;

/// An image that is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CachedImage {
    /// Name of its logical unit or virtual disk.
    pub name: String,
    /// Its unique device identifier.
    pub udid: String,
    /// Its size.
    pub gigabytes: f64,
    /// Whether it can go.
    pub state: CacheState,
    /// How many disks are clones of it, on any host; disks in a volume group are copies, which do not tell of what.
    pub clones: Option<usize>,
}

/// What becomes of a kept image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheState {
    /// Disks are clones of it.
    Used,
    /// Nothing is a clone of it, or nothing ever is.
    Unused,
    /// Somebody uploads it.
    Uploading,
    /// It is no image, but says that somebody uploads one.
    Marker,
}

impl CacheState {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Uploading => "uploading",
            Self::Marker => "marker",
        }
    }
}
