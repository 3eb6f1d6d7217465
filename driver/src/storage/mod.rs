//! Disks and media of a partition.

pub mod cached;
pub mod capture;
pub(crate) mod drives;
pub(crate) mod exchange;
pub(crate) mod fabric;
pub(crate) mod flights;
pub mod image;
pub mod local;
pub mod mapping;
pub mod media;
pub mod names;
pub mod size;
pub mod ssp;
pub(crate) mod upload;
pub(crate) mod volumes;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// Space for disks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Capacity {
    /// In all, in gigabytes of 2^30 bytes.
    pub total_gb: f64,
    /// Of that, taken.
    pub used_gb: f64,
}

/// Names a server's refusal for want of space, memory or processors as such: its text says so, under
/// several identifiers.
pub(crate) fn for_want_of_space(error: Error, what: &str) -> Error {
    let message = match &error {
        Error::Job(failure) => Some(failure.message.as_str()),
        error => error.refusal().map(|refusal| refusal.message.as_str()),
    };
    let message = message.unwrap_or_default().to_ascii_lowercase();
    if !["not enough", "insufficient", "no space"]
        .iter()
        .any(|text| message.contains(text))
    {
        return error;
    }
    let text = format!("there is no room for {what}: {error}");
    Error::caused(
        ErrorKind::NoSpace,
        text,
        "free some, ask for less, or use another host",
        error,
    )
}
