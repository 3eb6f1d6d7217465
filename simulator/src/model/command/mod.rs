//! What a client may ask of the world, free of XML and HTTP, and what it gets.

mod job_and_file;
mod mapping;
mod network;
mod partition;
mod storage;

use std::sync::Arc;
use uuid::Uuid;

use super::events::Event;
use super::names::SwitchMode;
use super::resource::{Owner, Resource};
use super::storage::Content;

pub use job_and_file::{CreateFile, SubmitJob};
pub use mapping::{ScsiMapping, SlotChoice, StorageName, TargetName, UpdateVios};
pub use network::{CreateNetwork, CreateNetworkAdapter, UpdateNetworkAdapter};
pub use partition::{CreatePartition, MemoryRequest, ProcessorRequest, UpdatePartition};
pub use storage::{
    CreateLogicalUnit, CreateVolumeGroup, DiskRequest, MediumRequest, RepositoryRequest,
    UpdatePool, UpdateVolumeGroup,
};

/// A change to the world. One command is one transaction: it happens wholly or is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// PUT `ManagedSystem/{s}/LogicalPartition`
    CreatePartition(Box<CreatePartition>),
    /// POST `LogicalPartition/{u}`
    UpdatePartition(Box<UpdatePartition>),
    /// DELETE `LogicalPartition/{u}`
    DeletePartition(Uuid),
    /// POST `VirtualIOServer/{u}`
    UpdateVios(Box<UpdateVios>),
    /// PUT `VirtualIOServer/{v}/VolumeGroup`
    CreateVolumeGroup(CreateVolumeGroup),
    /// POST `VirtualIOServer/{v}/VolumeGroup/{u}`
    UpdateVolumeGroup(UpdateVolumeGroup),
    /// POST `SharedStoragePool/{u}`
    UpdatePool(UpdatePool),
    /// PUT `Tier/{t}/LogicalUnit`
    CreateLogicalUnit(CreateLogicalUnit),
    /// DELETE `Tier/{t}/LogicalUnit/{u}`
    DeleteLogicalUnit {
        /// The tier.
        tier: Uuid,
        /// The unit.
        unit: Uuid,
    },
    /// PUT `{owner}/ClientNetworkAdapter`
    CreateNetworkAdapter(CreateNetworkAdapter),
    /// POST `{owner}/ClientNetworkAdapter/{u}`
    UpdateNetworkAdapter(UpdateNetworkAdapter),
    /// DELETE `{owner}/ClientNetworkAdapter/{u}`
    DeleteNetworkAdapter {
        /// The owning partition.
        owner: Owner,
        /// The adapter.
        adapter: Uuid,
    },
    /// PUT `ManagedSystem/{s}/VirtualSwitch`
    CreateSwitch {
        /// The managed system.
        system: Uuid,
        /// `SwitchName`
        name: String,
        /// `SwitchMode`
        mode: SwitchMode,
    },
    /// POST `ManagedSystem/{s}/VirtualSwitch/{u}`
    UpdateSwitch {
        /// The managed system.
        system: Uuid,
        /// The switch.
        switch: Uuid,
        /// `SwitchName`
        name: Option<String>,
        /// `SwitchMode`
        mode: Option<SwitchMode>,
    },
    /// DELETE `ManagedSystem/{s}/VirtualSwitch/{u}`
    DeleteSwitch {
        /// The managed system.
        system: Uuid,
        /// The switch.
        switch: Uuid,
    },
    /// PUT `ManagedSystem/{s}/VirtualNetwork` (HMC)
    CreateNetwork(CreateNetwork),
    /// DELETE `ManagedSystem/{s}/VirtualNetwork/{u}` (HMC)
    DeleteNetwork {
        /// The managed system.
        system: Uuid,
        /// The network.
        network: Uuid,
    },
    /// POST `ManagementConsole/{u}`
    UpdateConsole {
        /// `AuthorizedKeys`, the whole list.
        authorized_keys: Vec<String>,
    },
    /// PUT `…/do/{operation}`
    SubmitJob(SubmitJob),
    /// POST `jobs/{id}/cancel`
    CancelJob(u64),
    /// DELETE `jobs/{id}`
    DeleteJob(u64),
    /// PUT `File` of the web service
    CreateFile(CreateFile),
    /// The last byte of PUT `File/contents/{u}` has come.
    CommitFile {
        /// The file.
        file: Uuid,
        /// What came.
        content: Content,
    },
    /// DELETE `File/{u}`
    DeleteFile(Uuid),
    /// GET `Event`: takes what an application has not seen yet.
    TakeEvents {
        /// `QUEUE_APPLICATIONID`, or the session where there is none.
        application: String,
    },
    /// An application has gone; its reading position is dropped.
    ForgetEvents {
        /// As in [`Command::TakeEvents`].
        application: String,
    },
    /// PUT `Event`: a client's own event.
    PushEvent {
        /// `EventData`
        data: String,
        /// `EventDetail`
        detail: String,
    },
    /// Someone opens the console of a partition (`mkvterm`); not part of the REST API.
    OpenConsole(Uuid),
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The resource was created or changed and stands in the world now.
    Written(Resource),
    /// The resource has gone.
    Deleted(Resource),
    /// Events to deliver; none means: wait.
    Events(Vec<Arc<Event>>),
    /// The event that was made.
    Event(Arc<Event>),
    /// Done, nothing to show.
    Done,
}
