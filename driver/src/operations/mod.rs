//! The driver's public face: one file an operation, each a recipe to be read from top to bottom.

mod agent;
mod announce;
mod boot_disk;
mod bridge;
mod console;
mod control;
mod destroy;
mod device_jobs;
mod diagnostics;
mod driver;
mod exceptions;
mod host;
mod ibmi;
mod imaged;
mod images;
mod interface;
mod inventory;
mod jobs;
mod kept;
mod lifecycle;
mod list;
mod management;
mod map;
mod meters;
mod migrate;
mod monitor;
mod operation;
mod partition;
mod plan;
mod plug;
mod plug_events;
mod power;
mod reach;
mod rebuild;
mod recovery;
mod remote_restart;
mod request;
mod rescue;
mod resize;
mod room;
mod server;
pub(crate) mod shared;
mod snapshot;
mod spawn;
mod sriov;
mod suspension;
mod target;
mod trunk;
mod unfinished;
mod uptime;
mod vnic;
mod volume;

pub use agent::{
    AgentBridge, AgentOptions, AgentRound, NetworkAgent, NoPorts, PortSource, WantedPort,
};
pub use bridge::{BridgeInfo, BridgeMap, BridgeRef, GroupInfo, MemberInfo, Prune, Pruned};
pub use console::{Console, ConsoleCommand};
pub use control::{Control, Progress, Watcher};
pub use diagnostics::{
    CpuDiagnostics, Diagnostics, DiskDiagnostics, MemoryDiagnostics, NicDiagnostics,
};
pub use driver::Driver;
pub use exceptions::{NovaException, NovaMethod, nova_exception};
pub use host::{HostCapacity, HostInfo};
pub use inventory::{Inventory, Item, ItemKind};
pub use lifecycle::{LifecycleEvent, LifecycleEvents, Transition};
pub use meters::{Meter, Metered};
pub use migrate::{
    Arrived, ColdMigration, ConsoleAccess, DestinationHost, LiveMigration, Migrated, MigrationData,
    MigrationOptions, Prepared, SourceBus, SourceDisk, SourceHost, SourceInterface, SourcePort,
    SourceTrunk,
};
pub use operation::Plan;
pub use plug_events::PlugEvents;
pub use rebuild::RebuildRequest;
pub use recovery::{Interrupted, Recovered, journalled_kinds, surrounding_kinds};
pub use remote_restart::RemoteRestartRequest;
pub use request::{DestroyRequest, Reboot, ServerRef, SpawnRequest, Stop};
pub use rescue::RescueRequest;
pub use resize::{
    ArriveRequest, Before, ConfirmRequest, DepartRequest, Departure, Destination, DiskInfo,
    ResizeRequest, RevertRequest,
};
pub(crate) use server::lower_case;
pub use server::{InterfaceInfo, Server, ServerSummary, StorageInfo, StorageKind};
pub use snapshot::{SnapshotInfo, SnapshotRequest};
pub use sriov::{SriovInfo, SriovPortInfo};
pub use trunk::{TrunkInfo, TrunkVlans, vlan_mappings};
pub use uptime::Uptime;
pub use volume::{
    AttachedVolume, ConnectorInfo, Metadata, VolumePath, VolumeRequest, VolumesReport,
};
