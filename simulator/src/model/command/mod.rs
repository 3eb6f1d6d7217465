//! What a client may ask of the world, free of XML and HTTP, and what it gets.

mod bridge;
mod job_and_file;
mod mapping;
mod network;
mod partition;
mod san;
mod sriov;
mod storage;
mod system;

use std::sync::Arc;
use uuid::Uuid;

use super::events::Event;
use super::names::{SwitchMode, SystemState};
use super::resource::{Owner, Resource};
use super::storage::Content;

pub use bridge::{
    CreateNetworkBridge, LoadGroupRequest, SharedEthernetRequest, SharedEthernetSettingsRequest,
    TrunkRequest, UpdateNetworkBridge,
};
pub use job_and_file::{CreateFile, SubmitJob};
pub use mapping::{
    CreateScsiBus, ExternalName, FcMappingRequest, ScsiMapping, SlotChoice, StorageName,
    TargetName, UpdateScsiBus, UpdateVios, WwpnChoice,
};
pub use network::{CreateNetwork, CreateNetworkAdapter, UpdateNetworkAdapter};
pub use partition::{
    CreatePartition, IoSlotName, MemoryRequest, ProcessorRequest, UpdatePartition,
};
pub use san::{Connector, CreateSanVolume};
pub use sriov::{
    BackingDeviceRequest, CreateLogicalPort, CreateVnic, SriovAdapterChange, SriovPortChange,
    UpdateLogicalPort, UpdateSystem, UpdateVnic,
};
pub use storage::{
    CreateCluster, CreateLogicalUnit, CreateVolumeGroup, DiskRequest, MediumRequest, NodeRequest,
    PoolUnits, RepositoryRequest, UpdateCluster, UpdateLogicalUnit, UpdatePool, UpdateVolumeGroup,
    VolumeName,
};
pub use system::{MemoryPoolRequest, ProfileRequest, UpdateMonitoring, UpdateProcessorPool};

/// A change to the world. One command is one transaction: it happens wholly or is refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// PUT `ManagedSystem/{s}/LogicalPartition`
    CreatePartition(Box<CreatePartition>),
    /// POST `LogicalPartition/{u}`
    UpdatePartition(Box<UpdatePartition>),
    /// DELETE `LogicalPartition/{u}`
    DeletePartition {
        /// The partition.
        partition: Uuid,
        /// `resetAutoAssign=true`: its virtual serial number may be assigned to any partition again.
        reset_serial_number: bool,
    },
    /// PUT `ManagedSystem/{s}/VirtualIOServer`
    CreateVios(Box<CreatePartition>),
    /// DELETE `VirtualIOServer/{u}`
    DeleteVios(Uuid),
    /// PUT `{owner}/LogicalPartitionProfile` (HMC)
    CreateProfile(Box<ProfileRequest>),
    /// POST `{owner}/LogicalPartitionProfile/{u}` (HMC)
    UpdateProfile {
        /// The profile.
        profile: Uuid,
        /// What it is to be.
        request: Box<ProfileRequest>,
    },
    /// DELETE `{owner}/LogicalPartitionProfile/{u}` (HMC)
    DeleteProfile {
        /// The owning partition.
        owner: Owner,
        /// The profile.
        profile: Uuid,
    },
    /// POST `ManagedSystem/{s}/SharedProcessorPool/{u}`
    UpdateProcessorPool(UpdateProcessorPool),
    /// PUT `ManagedSystem/{s}/SharedMemoryPool`
    CreateMemoryPool(MemoryPoolRequest),
    /// POST `ManagedSystem/{s}/SharedMemoryPool/{u}`
    UpdateMemoryPool(MemoryPoolRequest),
    /// DELETE `ManagedSystem/{s}/SharedMemoryPool/{u}`
    DeleteMemoryPool(Uuid),
    /// POST of the preferences of performance monitoring
    UpdateMonitoring(Vec<UpdateMonitoring>),
    /// POST `VirtualIOServer/{u}`
    UpdateVios(Box<UpdateVios>),
    /// PUT `VirtualIOServer/{v}/VirtualSCSIBus`
    CreateScsiBus(CreateScsiBus),
    /// POST `VirtualIOServer/{v}/VirtualSCSIBus/{u}`
    UpdateScsiBus(UpdateScsiBus),
    /// DELETE `VirtualIOServer/{v}/VirtualSCSIBus/{u}`
    DeleteScsiBus {
        /// The Virtual I/O Server.
        vios: Uuid,
        /// The bus.
        bus: Uuid,
    },
    /// PUT `VirtualIOServer/{v}/VolumeGroup`
    CreateVolumeGroup(CreateVolumeGroup),
    /// POST `VirtualIOServer/{v}/VolumeGroup/{u}`
    UpdateVolumeGroup(UpdateVolumeGroup),
    /// POST `Cluster/{u}`
    UpdateCluster(UpdateCluster),
    /// POST `SharedStoragePool/{u}`
    UpdatePool(UpdatePool),
    /// PUT `Tier/{t}/LogicalUnit`
    CreateLogicalUnit(CreateLogicalUnit),
    /// POST `Tier/{t}/LogicalUnit/{u}`
    UpdateLogicalUnit(UpdateLogicalUnit),
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
    /// POST `ManagedSystem/{s}/VirtualNetwork/{u}` (HMC)
    UpdateNetwork {
        /// The managed system.
        system: Uuid,
        /// The network.
        network: Uuid,
        /// `NetworkName`
        name: Option<String>,
    },
    /// DELETE `ManagedSystem/{s}/VirtualNetwork/{u}` (HMC)
    DeleteNetwork {
        /// The managed system.
        system: Uuid,
        /// The network.
        network: Uuid,
    },
    /// PUT `ManagedSystem/{s}/NetworkBridge`
    CreateNetworkBridge(CreateNetworkBridge),
    /// POST `ManagedSystem/{s}/NetworkBridge/{u}`
    UpdateNetworkBridge(UpdateNetworkBridge),
    /// DELETE `ManagedSystem/{s}/NetworkBridge/{u}`
    DeleteNetworkBridge {
        /// The managed system.
        system: Uuid,
        /// The bridge.
        bridge: Uuid,
    },
    /// POST `ManagedSystem/{u}`
    UpdateSystem(UpdateSystem),
    /// PUT `{owner}/SRIOVEthernetLogicalPort`
    CreateLogicalPort(CreateLogicalPort),
    /// POST `{owner}/SRIOVEthernetLogicalPort/{u}`
    UpdateLogicalPort(UpdateLogicalPort),
    /// DELETE `{owner}/SRIOVEthernetLogicalPort/{u}`
    DeleteLogicalPort {
        /// The owning partition.
        owner: Owner,
        /// The logical port.
        port: Uuid,
    },
    /// PUT `LogicalPartition/{p}/VirtualNICDedicated`
    CreateVnic(CreateVnic),
    /// POST `LogicalPartition/{p}/VirtualNICDedicated/{u}`
    UpdateVnic(UpdateVnic),
    /// DELETE `LogicalPartition/{p}/VirtualNICDedicated/{u}`
    DeleteVnic {
        /// The owning partition.
        partition: Uuid,
        /// The virtual NIC.
        vnic: Uuid,
    },
    /// POST `ManagementConsole/{u}`
    UpdateConsole {
        /// The console.
        console: Uuid,
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
    /// The storage's administrator makes a volume; like the four below not part of the REST API.
    CreateSanVolume(CreateSanVolume),
    /// A volume is unmasked for a host.
    MapSanVolume {
        /// The volume.
        volume: Uuid,
        /// The host.
        connector: Connector,
    },
    /// A volume is masked from a host, or from all.
    UnmapSanVolume {
        /// The volume.
        volume: Uuid,
        /// The host; none for all.
        connector: Option<Connector>,
    },
    /// A volume grows.
    ExtendSanVolume {
        /// The volume.
        volume: Uuid,
        /// Its new size.
        megabytes: u64,
    },
    /// A volume that no host may use any more goes.
    DeleteSanVolume(Uuid),
    /// The client end of a storage adapter goes, as behind the back of a server that cannot be reached.
    StrandAdapter {
        /// The Virtual I/O Server.
        vios: Uuid,
        /// The slot of its adapter.
        slot: u16,
        /// Whether the adapter takes any client from now on, instead of naming the lost one.
        any: bool,
    },
    /// A system fails, is switched off or comes back: not part of the REST API.
    SetSystemState {
        /// The managed system.
        system: Uuid,
        /// `State`, such as `error` or `operating`.
        state: SystemState,
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
