//! Where what a server needs on another host is kept, outside of its own: its slot map and its NVRAM.
//!
//! A host that is lost takes what it knows of its servers with it. What is kept here outlives it: files of a folder that
//! the hosts share, or objects of OpenStack's object store.

mod file;
mod memory;
mod swift;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub use self::file::FileStore;
pub use self::memory::MemoryStore;
pub use self::swift::{SwiftOptions, SwiftStore};
use crate::config::{Config, StoreKind};
use crate::error::{Error, ErrorKind, Result};

/// The largest object that is read: a slot map has some KB, the NVRAM of a partition some twenty.
pub const LIMIT: usize = 1 << 20;

/// Named objects.
pub trait Store: Send + Sync + fmt::Debug {
    /// The object of this name, if there is one.
    ///
    /// # Errors
    /// The store cannot be reached, does not let us in, or has an object that is larger than [`LIMIT`].
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Bytes>>>;

    /// Makes the object, or replaces it whole.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn put<'a>(&'a self, name: &'a str, content: Bytes) -> BoxFuture<'a, Result<()>>;

    /// Sees to it that there is no such object.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// The store that the configuration asks for, if it asks for one.
///
/// # Errors
/// Options that lack something; a password file or authority that cannot be read.
pub fn of_config(config: &Config) -> Result<Option<Arc<dyn Store>>> {
    let options = &config.store;
    Ok(match options.kind {
        StoreKind::None => None,
        StoreKind::File => Some(Arc::new(FileStore::in_folder(&options.folder))),
        StoreKind::Swift => Some(Arc::new(SwiftStore::new(SwiftOptions::of(options)?)?)),
    })
}

/// Names go into paths and URLs as they are.
fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match (1..=128).contains(&name.len()) && name.bytes().all(is_plain) {
        true => Ok(()),
        false => Err(Error::internal(format!("{name:?} is no name of an object"))),
    }
}

fn too_large(name: &str) -> Error {
    Error::operation(
        ErrorKind::TooLarge,
        format!("the object {name} of the store has more than {LIMIT} bytes"),
        "see who else writes there, and remove it",
    )
}
