//! The driver's public face: one file an operation, each a recipe to be read from top to bottom.

mod control;
mod request;
mod server;
pub(crate) mod shared;

pub use control::{Control, Progress, Watcher};
pub use request::{DestroyRequest, Reboot, ServerRef, SpawnRequest, Stop};
pub use server::{InterfaceInfo, Server, ServerSummary, StorageInfo, StorageKind};
