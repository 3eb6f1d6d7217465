//! The driver's public face: one file an operation, each a recipe to be read from top to bottom.

mod console;
mod control;
mod destroy;
mod device_jobs;
mod driver;
mod host;
mod images;
mod interface;
mod inventory;
mod jobs;
mod lifecycle;
mod list;
mod management;
mod map;
mod operation;
mod partition;
mod plan;
mod plug;
mod power;
mod recovery;
mod request;
mod server;
pub(crate) mod shared;
mod snapshot;
mod spawn;
mod suspension;
mod target;
mod unfinished;
mod volume;

pub use console::{Console, ConsoleCommand};
pub use control::{Control, Progress, Watcher};
pub use driver::Driver;
pub use host::{HostCapacity, HostInfo};
pub use inventory::{Inventory, Item, ItemKind};
pub use lifecycle::{LifecycleEvent, LifecycleEvents, Transition};
pub use operation::Plan;
pub use recovery::{Interrupted, Recovered};
pub use request::{DestroyRequest, Reboot, ServerRef, SpawnRequest, Stop};
pub use server::{InterfaceInfo, Server, ServerSummary, StorageInfo, StorageKind};
pub use snapshot::{SnapshotInfo, SnapshotRequest};
pub use volume::{
    AttachedVolume, ConnectorInfo, Metadata, VolumePath, VolumeRequest, VolumesReport,
};
