//! Disks and media of a partition.

pub(crate) mod flights;
pub mod image;
pub mod local;
pub mod mapping;
pub mod media;
pub mod names;
pub mod size;
pub mod ssp;
pub(crate) mod upload;

use serde::Serialize;

/// Space for disks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Capacity {
    /// In all, in gigabytes of 2^30 bytes.
    pub total_gb: f64,
    /// Of that, taken.
    pub used_gb: f64,
}
