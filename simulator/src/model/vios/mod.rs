//! Virtual I/O Servers: a partition that serves disks and networks to others.

pub mod backing;
mod bus;
mod buses;
mod client;
pub mod device;
pub mod external;
pub mod fibre_channel;
mod lifecycle;
mod mappings;
mod npiv;
mod plan;
mod stranded;

use imbl::{OrdMap, OrdSet};
use std::sync::Arc;
use uuid::Uuid;

use super::network::SharedEthernetAdapter;
use super::partition::Partition;
use super::storage::{PhysicalVolume, VolumeGroup};
pub use bus::bus_uuid;
pub use buses::Buses;
pub use client::client_uuid;
pub use external::ExternalDisk;
pub use fibre_channel::{FcAdapter, FcClient, FcMapping, FcPort};
pub use stranded::Awaited;

/// `VirtualIOServer`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct VirtualIoServer {
    /// What it shares with other partitions.
    pub partition: Partition,
    /// Its level, such as `2.2.6.10`.
    pub level: String,
    /// `MoverServicePartition`: whether it copies memory of migrating partitions.
    pub mover: bool,
    /// Its physical volumes in the order of their discovery.
    pub physical_volumes: Vec<Arc<PhysicalVolume>>,
    /// Its volume groups, `rootvg` first.
    pub volume_groups: Vec<Arc<VolumeGroup>>,
    /// Its virtual SCSI server adapters by slot.
    pub buses: Buses,
    /// Its Fibre Channel adapters.
    pub fc_adapters: Vec<FcAdapter>,
    /// Its virtual Fibre Channel server adapters by slot.
    pub fc_mappings: OrdMap<u16, Arc<FcMapping>>,
    /// Files and images that it serves as virtual disks, by name.
    pub external_disks: OrdMap<String, Arc<ExternalDisk>>,
    /// Its iSCSI initiator.
    pub iscsi: IscsiInitiator,
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
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ScsiBus {
    /// `VirtualSlotNumber` of the server adapter.
    pub slot: u16,
    /// The number in `vhostN`.
    pub vhost: u32,
    /// The other end. None: any client, or one that has gone.
    pub client: Option<ScsiClient>,
    /// Whom the server adapter waits for while it has no client.
    pub awaited: Option<Awaited>,
    /// The devices in the order of their mapping.
    pub devices: Vec<Arc<ScsiDevice>>,
    /// Changes with the bus and what it shows.
    pub version: u64,
}

/// The iSCSI initiator of a Virtual I/O Server.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct IscsiInitiator {
    /// `InitiatorName`; none on a server without iSCSI.
    pub initiator: Option<String>,
    /// Targets that it is logged on to, each with the portal.
    pub sessions: OrdSet<(String, String)>,
}

impl ScsiBus {
    /// `AdapterName`
    #[must_use]
    pub fn adapter_name(&self) -> String {
        format!("vhost{}", self.vhost)
    }

    /// The numbers by which the server adapter names its client: partition and slot.
    #[must_use]
    pub fn remote(&self) -> Awaited {
        match self.client {
            Some(client) => Awaited {
                partition_id: client.partition_id,
                slot: client.slot,
            },
            None => self.awaited.unwrap_or(Awaited::ANY),
        }
    }
}

/// The client end of a [`ScsiBus`].
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScsiClient {
    /// The UUID of the client partition.
    pub partition: Uuid,
    /// Its `PartitionID`.
    pub partition_id: u16,
    /// `VirtualSlotNumber` of the client adapter.
    pub slot: u16,
}

/// A disk or medium behind a [`ScsiBus`].
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
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
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
)]
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
    /// A file or Ceph image, by path or `pool/image`.
    External {
        /// `DiskName`
        name: String,
    },
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

    /// Client adapters of a partition become those of the one that has taken over its identity.
    pub(super) fn rename_client(&mut self, from: Uuid, to: Uuid, version: u64) {
        let slots: Vec<u16> = self.buses.slots_of(from).collect();
        for slot in slots {
            if let Some(mut bus) = self.buses.get_mut(&slot)
                && let Some(client) = &mut bus.client
            {
                client.partition = to;
                self.mappings_version = version;
            }
        }
        let slots: Vec<u16> = self.fc_mappings.keys().copied().collect();
        for slot in slots {
            let Some(mapping) = self.fc_mappings.get_mut(&slot) else {
                continue;
            };
            if let Some(client) = mapping.client.filter(|client| client.partition == from) {
                Arc::make_mut(mapping).client = Some(FcClient {
                    partition: to,
                    ..client
                });
                self.fc_version = version;
            }
        }
    }

    /// Whether a device shows this storage to a client.
    #[must_use]
    pub fn maps(&self, backing: &Backing) -> bool {
        self.devices().any(|(_, device)| device.backing == *backing)
    }
}
