//! Virtual I/O Servers: a partition that serves disks and networks to others.

pub mod backing;
pub mod device;
mod mappings;
mod plan;

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::network::SharedEthernetAdapter;
use super::partition::Partition;
use super::storage::{PhysicalVolume, VolumeGroup};

/// `VirtualIOServer`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualIoServer {
    /// What it shares with other partitions.
    pub partition: Partition,
    /// Its level, such as `2.2.6.10`.
    pub level: String,
    /// Its physical volumes in the order of their discovery.
    pub physical_volumes: Vec<Arc<PhysicalVolume>>,
    /// Its volume groups, `rootvg` first.
    pub volume_groups: Vec<Arc<VolumeGroup>>,
    /// Its virtual SCSI server adapters by slot.
    pub buses: OrdMap<u16, Arc<ScsiBus>>,
    /// Its Fibre Channel adapters.
    pub fc_adapters: Vec<FcAdapter>,
    /// Its shared Ethernet adapters.
    pub shared_ethernet: Vec<SharedEthernetAdapter>,
    /// The device names of its unused Ethernet ports, with their locations.
    pub free_ports: Vec<(String, String)>,
    /// Changes with the virtual SCSI mappings.
    pub mappings_version: u64,
    /// Changes with the virtual Fibre Channel mappings.
    pub fc_version: u64,
    /// Changes with physical volumes, media repositories and volume groups.
    pub storage_version: u64,
    /// Changes with trunk and shared Ethernet adapters.
    pub network_version: u64,
}

/// A virtual SCSI server adapter (`vhostN`), the client adapter it is paired with and the devices behind it.
///
/// A document shows it as one `VirtualSCSIMapping` for each device, or as one without storage if there are no devices
/// (`docs/protocol/mappings.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScsiBus {
    /// `VirtualSlotNumber` of the server adapter.
    pub slot: u16,
    /// The number in `vhostN`.
    pub vhost: u32,
    /// The other end. None: any client, or one that has gone.
    pub client: Option<ScsiClient>,
    /// The devices in the order of their mapping.
    pub devices: Vec<Arc<ScsiDevice>>,
}

impl ScsiBus {
    /// `AdapterName`
    #[must_use]
    pub fn adapter_name(&self) -> String {
        format!("vhost{}", self.vhost)
    }
}

/// The client end of a [`ScsiBus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScsiClient {
    /// The UUID of the client partition.
    pub partition: Uuid,
    /// Its `PartitionID`.
    pub partition_id: u16,
    /// `VirtualSlotNumber` of the client adapter.
    pub slot: u16,
}

/// A disk or medium behind a [`ScsiBus`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScsiDevice {
    /// What is behind it.
    pub backing: Backing,
    /// `LogicalUnitAddress`, such as `0x8100000000000000`.
    pub lua: String,
    /// `TargetName`, such as `vtscsi0` or `vtopt0`.
    pub target: String,
    /// `UniqueDeviceID` of the target device: prefix by kind of storage.
    pub target_udid: String,
}

/// Which storage a device shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backing {
    /// A logical unit of a shared storage pool.
    LogicalUnit {
        /// The tier that holds it.
        tier: Uuid,
        /// The unit.
        unit: Uuid,
    },
    /// A physical volume of the Virtual I/O Server, by name.
    PhysicalVolume {
        /// `VolumeName`
        name: String,
    },
    /// A virtual disk of one of its volume groups.
    VirtualDisk {
        /// The volume group.
        group: Uuid,
        /// `UniqueDeviceID`
        udid: String,
    },
    /// A medium of its repository.
    OpticalMedium {
        /// The volume group that holds the repository.
        group: Uuid,
        /// `MediaName`
        name: String,
    },
}

/// `PhysicalFibreChannelAdapter`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FcAdapter {
    /// `Description`
    pub description: String,
    /// The location code of the slot, such as `U78CB.001.WZS007Y-P1-C3`.
    pub location: String,
    /// `AdapterID`, also the DRC index of the slot.
    pub id: u32,
    /// Its ports.
    pub ports: Vec<FcPort>,
}

/// `PhysicalFibreChannelPort`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FcPort {
    /// `PortName`, such as `fcs0`.
    pub name: String,
    /// `LocationCode`; `UniqueDeviceID` is `1a` and this.
    pub location: String,
    /// `WWPN`, 64 bits.
    pub wwpn: u64,
    /// `WWNN`, 64 bits.
    pub wwnn: u64,
    /// `TotalPorts` for virtual clients.
    pub total: u16,
    /// `AvailablePorts` for virtual clients.
    pub available: u16,
}

impl VirtualIoServer {
    /// The volume group with this UUID.
    #[must_use]
    pub fn volume_group(&self, uuid: Uuid) -> Option<&Arc<VolumeGroup>> {
        self.volume_groups.iter().find(|group| group.uuid == uuid)
    }

    /// The physical volume with this name.
    #[must_use]
    pub fn physical_volume(&self, name: &str) -> Option<&Arc<PhysicalVolume>> {
        self.physical_volumes
            .iter()
            .find(|volume| volume.name == name)
    }

    /// The volume group that holds the media repository, if there is one.
    #[must_use]
    pub fn repository_group(&self) -> Option<&Arc<VolumeGroup>> {
        self.volume_groups
            .iter()
            .find(|group| group.repository.is_some())
    }

    /// All devices of all buses.
    pub fn devices(&self) -> impl Iterator<Item = (&ScsiBus, &ScsiDevice)> {
        self.buses
            .values()
            .flat_map(|bus| bus.devices.iter().map(move |device| (&**bus, &**device)))
    }

    /// Whether a device shows this storage to a client.
    #[must_use]
    pub fn maps(&self, backing: &Backing) -> bool {
        self.devices().any(|(_, device)| device.backing == *backing)
    }
}
