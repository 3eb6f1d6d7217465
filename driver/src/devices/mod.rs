//! Disks of Virtual I/O Servers as the partition sees them that this program runs on.
//!
//! What REST tells of a disk is its name and its identifier, never its content. On the management partition of a
//! NovaLink a disk can be mapped to the partition itself, and read like any other disk of a Linux machine.
//! [`LocalDevices`] does so; [`Devices`] is where somebody else may take its place, a test for instance.

mod local;
mod machine;

use std::path::PathBuf;
use std::pin::Pin;

use futures_util::future::BoxFuture;
use tokio::io::AsyncRead;

use crate::error::Result;

pub use local::{BY_ID, LocalDevices};
pub use machine::Machine;

/// A disk that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disk {
    /// One that a Virtual I/O Server serves to this partition.
    Served {
        /// The slot of this partition's adapter, where it is known.
        slot: Option<u32>,
        /// The disk's unique device identifier, as REST tells it.
        udid: String,
    },
    /// A device of the Virtual I/O Server that this partition is itself.
    Own(PathBuf),
}

/// A disk that is being read.
pub struct Opened {
    /// Its device, for people.
    pub device: String,
    /// How much it holds, in bytes.
    pub size: u64,
    /// What it holds, from its beginning.
    pub content: Pin<Box<dyn AsyncRead + Send>>,
}

/// Where disks are read.
pub trait Devices: Send + Sync {
    /// That disks can be read here at all.
    ///
    /// # Errors
    /// Why not.
    fn check(&self) -> Result<()>;

    /// Opens a disk, and waits for it first if it has only just been mapped.
    ///
    /// # Errors
    /// It does not come, is told apart from no other, or cannot be read.
    fn open<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<Opened>>;

    /// Lets go of the device of a disk that is not mapped any more. One that is not there is let go of already.
    ///
    /// # Errors
    /// It stays.
    fn forget<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<()>>;
}
