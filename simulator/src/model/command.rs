//! What a client may ask of the world, free of XML and HTTP, and what it gets.

use std::sync::Arc;
use uuid::Uuid;

use super::events::Event;
use super::job::JobTarget;
use super::names::{FileKind, LogicalUnitKind, MountType, PartitionKind, SharingMode, SwitchMode, VirtualDiskKind};
use super::network::Trunk;
use super::partition::PartitionSettings;
use super::resource::{Owner, Resource};
use super::storage::Content;
use super::units::{Gigabytes, ProcUnits};

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

/// Bounds in megabytes. What is missing is taken from what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryRequest {
    /// `MinimumMemory`
    pub minimum: Option<u64>,
    /// `DesiredMemory`
    pub desired: Option<u64>,
    /// `MaximumMemory`
    pub maximum: Option<u64>,
    /// `ExpansionFactor` in hundredths.
    pub expansion_factor: Option<u32>,
    /// `HardwarePageTableRatio`
    pub page_table_ratio: Option<u8>,
    /// `PhysicalPageTableRatio`
    pub physical_page_table_ratio: Option<u8>,
}

/// `PartitionProcessorConfiguration` as sent. `HasDedicatedProcessors` decides which part counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorRequest {
    /// `HasDedicatedProcessors`
    pub dedicated: Option<bool>,
    /// `SharingMode`
    pub sharing: Option<SharingMode>,
    /// `MinimumProcessors`
    pub minimum_processors: Option<u16>,
    /// `DesiredProcessors`
    pub desired_processors: Option<u16>,
    /// `MaximumProcessors`
    pub maximum_processors: Option<u16>,
    /// `MinimumProcessingUnits`
    pub minimum_units: Option<ProcUnits>,
    /// `DesiredProcessingUnits`
    pub desired_units: Option<ProcUnits>,
    /// `MaximumProcessingUnits`
    pub maximum_units: Option<ProcUnits>,
    /// `MinimumVirtualProcessors`
    pub minimum_virtual: Option<u16>,
    /// `DesiredVirtualProcessors`
    pub desired_virtual: Option<u16>,
    /// `MaximumVirtualProcessors`
    pub maximum_virtual: Option<u16>,
    /// `SharedProcessorPoolID`
    pub pool: Option<u8>,
    /// `UncappedWeight`
    pub uncapped_weight: Option<u8>,
}

/// See [`Command::CreatePartition`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePartition {
    /// The managed system.
    pub system: Uuid,
    /// `PartitionUUID` or the AtomID of the document.
    pub uuid: Option<Uuid>,
    /// `PartitionID`
    pub id: Option<u16>,
    /// `PartitionName`
    pub name: String,
    /// `Description`
    pub description: Option<String>,
    /// `PartitionType`
    pub kind: PartitionKind,
    /// Its memory.
    pub memory: MemoryRequest,
    /// Its processors; a partition without any wish gets one dedicated processor.
    pub processors: Option<ProcessorRequest>,
    /// `MaximumVirtualIOSlots`
    pub maximum_slots: Option<u32>,
    /// Everything else that was set; start from the default.
    pub settings: PartitionSettings,
    /// `PartitionNVRAM`
    pub nvram: Option<String>,
}

/// See [`Command::UpdatePartition`]. Only differences from what is there count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePartition {
    /// The partition or Virtual I/O Server.
    pub owner: Owner,
    /// `PartitionName`
    pub name: Option<String>,
    /// `Description`
    pub description: Option<String>,
    /// Its memory.
    pub memory: MemoryRequest,
    /// Its processors.
    pub processors: Option<ProcessorRequest>,
    /// `MaximumVirtualIOSlots`
    pub maximum_slots: Option<u32>,
    /// Everything else; start from what is there.
    pub settings: Option<PartitionSettings>,
    /// `PartitionNVRAM`
    pub nvram: Option<String>,
    /// `force=true`: memory and processors change although the operating system cannot follow.
    pub force: bool,
}

impl UpdatePartition {
    /// A change of nothing.
    #[must_use]
    pub fn of(owner: Owner) -> Self {
        Self {
            owner,
            name: None,
            description: None,
            memory: MemoryRequest::default(),
            processors: None,
            maximum_slots: None,
            settings: None,
            nvram: None,
            force: false,
        }
    }
}

/// See [`Command::UpdateVios`]. A part whose group the URL did not name is `None`, whatever the document held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateVios {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// Changes of the base.
    pub base: Option<UpdatePartition>,
    /// `VirtualSCSIMappings`: what shall be there from now on; what is not listed goes.
    pub scsi_mappings: Option<Vec<ScsiMapping>>,
}

/// A mapping as posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScsiMapping {
    /// The last UUID in the link to the client partition.
    pub client: Option<Uuid>,
    /// `UniqueDeviceID` of the server adapter: the mapping belongs to that bus.
    pub server_udid: Option<String>,
    /// The slot of the client adapter.
    pub client_slot: SlotChoice,
    /// The slot of the server adapter.
    pub server_slot: SlotChoice,
    /// The storage, named barely or in full.
    pub storage: Option<StorageName>,
    /// What was said of the target device.
    pub target: Option<TargetName>,
}

/// How a slot is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotChoice {
    /// The lowest free one (`UseNextAvailableSlotID`, and whenever nothing was said).
    #[default]
    Next,
    /// One above the highest in use (`UseNextAvailableHighSlotID`).
    NextHigh,
    /// This one.
    Given(u16),
}

/// Storage as a mapping names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageName {
    /// `LogicalUnit`
    LogicalUnit {
        /// `UniqueDeviceID`
        udid: Option<String>,
        /// `UnitName`
        name: Option<String>,
    },
    /// `PhysicalVolume`
    PhysicalVolume {
        /// `UniqueDeviceID`
        udid: Option<String>,
        /// `VolumeName`
        name: Option<String>,
    },
    /// `VirtualDisk`
    VirtualDisk {
        /// `UniqueDeviceID`
        udid: Option<String>,
        /// `DiskName`
        name: Option<String>,
    },
    /// `VirtualOpticalMedia`
    OpticalMedium {
        /// `MediaName`
        name: String,
    },
}

/// What a posted mapping says of its target device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetName {
    /// `LogicalUnitAddress`
    pub lua: Option<String>,
    /// `TargetName`
    pub name: Option<String>,
    /// `UniqueDeviceID`
    pub udid: Option<String>,
}

/// See [`Command::CreateVolumeGroup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateVolumeGroup {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// `GroupName`
    pub name: String,
    /// `VolumeName` of each physical volume.
    pub physical_volumes: Vec<String>,
}

/// See [`Command::UpdateVolumeGroup`]. Lists are complete: what is not listed goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateVolumeGroup {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// The volume group.
    pub group: Uuid,
    /// `VirtualDisks`; none if the document had no such element.
    pub disks: Option<Vec<DiskRequest>>,
    /// `MediaRepositories`; none if the document had no such element.
    pub repositories: Option<Vec<RepositoryRequest>>,
    /// `VolumeName` of each physical volume; none if the document had no such element.
    pub physical_volumes: Option<Vec<String>>,
}

/// A `VirtualDisk` as posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskRequest {
    /// `UniqueDeviceID`: an existing disk.
    pub udid: Option<String>,
    /// `DiskName`
    pub name: String,
    /// `DiskLabel`
    pub label: Option<String>,
    /// `DiskCapacity`
    pub capacity: Gigabytes,
    /// `BaseImage`: UDID of the disk whose content is copied.
    pub base_image: Option<String>,
    /// `VirtualDiskType`
    pub kind: Option<VirtualDiskKind>,
    /// `FileFormat`
    pub file_format: Option<String>,
}

/// A `VirtualMediaRepository` as posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryRequest {
    /// `RepositoryName`
    pub name: String,
    /// `RepositorySize`
    pub size: Gigabytes,
    /// `OpticalMedia`
    pub media: Vec<MediumRequest>,
}

/// A `VirtualOpticalMedia` as posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediumRequest {
    /// `MediaName`
    pub name: String,
    /// `MountType`
    pub mount: Option<MountType>,
    /// `Size`
    pub size: Option<Gigabytes>,
}

/// See [`Command::UpdatePool`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePool {
    /// The pool.
    pub pool: Uuid,
    /// `StoragePoolName`
    pub name: Option<String>,
    /// `AlertThreshold` in percent.
    pub alert_threshold: Option<u8>,
}

/// See [`Command::CreateLogicalUnit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateLogicalUnit {
    /// The tier.
    pub tier: Uuid,
    /// `UnitName`
    pub name: String,
    /// `UnitCapacity`
    pub capacity: Gigabytes,
    /// `ThinDevice`; thin if nothing was said.
    pub thin: Option<bool>,
    /// `LogicalUnitType`; a disk if nothing was said.
    pub kind: Option<LogicalUnitKind>,
    /// `ClonedFrom`: UDID of the image.
    pub cloned_from: Option<String>,
}

/// See [`Command::CreateNetworkAdapter`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetworkAdapter {
    /// The owning partition.
    pub owner: Owner,
    /// Its slot.
    pub slot: SlotChoice,
    /// `MACAddress` as sent; made from the partition's prefix and the slot if nothing was said.
    pub mac: Option<String>,
    /// `PortVLANID`
    pub vlan: u16,
    /// `TaggedVLANIDs`
    pub tagged_vlans: Vec<u16>,
    /// `TaggedVLANSupported`
    pub tagged: Option<bool>,
    /// The last UUID in the link to the switch; the default switch if nothing was said.
    pub switch: Option<Uuid>,
    /// `AllowedOperatingSystemMACAddresses`
    pub allowed_os_macs: Option<String>,
    /// `TrunkPriority` and `DeviceName`
    pub trunk: Option<Trunk>,
    /// `ConfiguredMTU`
    pub mtu: Option<u32>,
    /// `OvsBridge`
    pub ovs_bridge: Option<String>,
    /// `OvsPortExternalIds`
    pub ovs_external_ids: Option<String>,
}

/// See [`Command::UpdateNetworkAdapter`]. What is `None` stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateNetworkAdapter {
    /// The owning partition.
    pub owner: Owner,
    /// The adapter.
    pub adapter: Uuid,
    /// `PortVLANID`
    pub vlan: Option<u16>,
    /// `TaggedVLANIDs`
    pub tagged_vlans: Option<Vec<u16>>,
    /// `TaggedVLANSupported`
    pub tagged: Option<bool>,
    /// `TrunkPriority` and `DeviceName`
    pub trunk: Option<Trunk>,
    /// `ConfiguredMTU`
    pub mtu: Option<u32>,
    /// `OvsBridge`
    pub ovs_bridge: Option<String>,
    /// `OvsPortExternalIds`
    pub ovs_external_ids: Option<String>,
}

/// See [`Command::CreateNetwork`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateNetwork {
    /// The managed system.
    pub system: Uuid,
    /// The last UUID in the link to the switch.
    pub switch: Uuid,
    /// `NetworkName`
    pub name: String,
    /// `NetworkVLANID`
    pub vlan: u16,
    /// `TaggedNetwork`
    pub tagged: bool,
}

/// See [`Command::SubmitJob`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitJob {
    /// What it works on.
    pub target: JobTarget,
    /// `OperationName`
    pub operation: String,
    /// Names and values, as sent.
    pub parameters: Vec<(String, String)>,
}

/// See [`Command::CreateFile`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateFile {
    /// `Filename`
    pub name: String,
    /// `InternetMediaType`
    pub media_type: Option<String>,
    /// `FileEnumType`
    pub kind: FileKind,
    /// `TargetVirtualIOServerUUID`
    pub vios: Uuid,
    /// `TargetDeviceUniqueDeviceID`
    pub device: Option<String>,
    /// `ExpectedFileSizeInBytes`
    pub expected_bytes: Option<u64>,
    /// `SHA256`
    pub expected_sha256: Option<String>,
}
