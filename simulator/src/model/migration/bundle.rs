//! A partition packed for a journey.

use std::sync::Arc;
use uuid::Uuid;

use super::fibre_channel::BundledFc;
use super::vnic::BundledNic;
use crate::clock::Millis;
use crate::model::partition::{Partition, ProcessorSetting};
use crate::model::pool::LogicalUnit;
use crate::model::vios::{Backing, ScsiBus, VirtualIoServer};
use crate::model::world::World;

/// A partition with all that goes with it, named so that another system can find its own counterparts: in the same world
/// or, told as JSON, in that of another process.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The partition as it is on the source.
    pub partition: Partition,
    /// When it was packed, by the clock of the source: its moments are told by that one.
    pub packed: Millis,
    /// The memory region size of the source in megabytes.
    pub region: u64,
    /// The name of its shared processor pool.
    pub processor_pool: Option<String>,
    /// The name of the virtual switch of each network adapter, and whether each of its VLANs is bridged.
    pub switches: Vec<(Uuid, String, Vec<u16>)>,
    /// The Open vSwitch bridges that trunk adapters connect its network adapters to.
    #[serde(default)]
    pub ovs_bridges: Vec<(Uuid, String)>,
    /// Its virtual SCSI adapters by slot.
    pub buses: Vec<BundledBus>,
    /// Its virtual Fibre Channel adapters by slot.
    pub fc: Vec<BundledFc>,
    /// Its virtual NICs.
    #[serde(default)]
    pub nics: Vec<BundledNic>,
}

/// A virtual SCSI client adapter and the disks behind it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct BundledBus {
    /// The slot of the client adapter.
    pub client_slot: u16,
    /// The Virtual I/O Server of the source, for messages and so that two paths stay on two servers.
    pub vios: String,
    /// What is behind it: address and storage.
    pub devices: Vec<(String, BundledStorage)>,
}

/// Storage by an identity that holds on every system that reaches it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum BundledStorage {
    /// A logical unit, with the UDID of its tier.
    LogicalUnit {
        /// `UniqueDeviceID` of the tier.
        tier: String,
        /// The unit.
        unit: Arc<LogicalUnit>,
        /// The image that it is a clone of.
        image: Option<Arc<LogicalUnit>>,
    },
    /// A volume of the SAN.
    PhysicalVolume {
        /// `UniqueDeviceID`
        udid: String,
        /// Its name on the source, for messages.
        name: String,
    },
    /// A virtual disk or a medium of one Virtual I/O Server, which cannot be reached from elsewhere.
    Local {
        /// Its name.
        name: String,
    },
}

impl World {
    /// Packs a partition. `None` if there is no such partition.
    #[must_use]
    pub fn bundle(&self, partition: Uuid) -> Option<Bundle> {
        let partition = self.partitions.get(&partition)?;
        let system = self.systems.get(&partition.system)?;
        let bridged = self.bridged_vlans(system.uuid);
        let switches = partition.network_adapters.values().map(|adapter| {
            let name = system
                .switches
                .get(&adapter.switch)
                .map(|switch| switch.name.clone());
            let vlans = adapter
                .vlans()
                .filter(|vlan| bridged.contains(&(adapter.switch, *vlan)));
            (adapter.uuid, name.unwrap_or_default(), vlans.collect())
        });
        let mut buses = Vec::new();
        for vios in self.vioses_of(system.uuid) {
            let of_partition = |bus: &&Arc<ScsiBus>| {
                bus.client
                    .is_some_and(|client| client.partition == partition.uuid)
            };
            let own = vios.buses.values().filter(of_partition);
            buses.extend(own.map(|bus| self.bundled_bus(vios, bus)));
        }
        buses.sort_by_key(|bus| bus.client_slot);
        let adapters = partition.network_adapters.values();
        let ovs_bridges = adapters.filter_map(|adapter| {
            let bridge = self.ovs_bridge(system.uuid, adapter.switch, adapter.vlan)?;
            Some((adapter.uuid, bridge.to_owned()))
        });
        let processor_pool = match &partition.processors.configured {
            ProcessorSetting::Shared(shared) => system.processor_pools.get(&shared.pool),
            ProcessorSetting::Dedicated { .. } => None,
        };
        Some(Bundle {
            partition: (**partition).clone(),
            packed: self.now,
            region: system.memory.region,
            processor_pool: processor_pool.map(|pool| pool.name.clone()),
            switches: switches.collect(),
            ovs_bridges: ovs_bridges.collect(),
            buses,
            fc: self.bundled_fc(system.uuid, partition.uuid),
            nics: self.bundled_nics(system.uuid, partition.uuid),
        })
    }

    fn bundled_bus(&self, vios: &VirtualIoServer, bus: &ScsiBus) -> BundledBus {
        let devices = bus.devices.iter().map(|device| {
            (
                device.lua.clone(),
                self.bundled_storage(vios, &device.backing),
            )
        });
        BundledBus {
            client_slot: bus.client.map_or(0, |client| client.slot),
            vios: vios.partition.name.clone(),
            devices: devices.collect(),
        }
    }

    fn bundled_storage(&self, vios: &VirtualIoServer, backing: &Backing) -> BundledStorage {
        let local = |name: &str| BundledStorage::Local {
            name: name.to_owned(),
        };
        match backing {
            Backing::LogicalUnit { tier, unit } => {
                let holder = self.tiers.get(tier);
                let found = holder.zip(self.logical_unit(*tier, *unit));
                found.map_or_else(
                    || local("a logical unit that has gone"),
                    |(tier, unit)| BundledStorage::LogicalUnit {
                        tier: tier.udid.clone(),
                        unit: Arc::clone(unit),
                        image: unit
                            .cloned_from
                            .as_deref()
                            .and_then(|udid| tier.unit(udid))
                            .map(Arc::clone),
                    },
                )
            }
            Backing::PhysicalVolume { name } => match vios.physical_volume(name) {
                Some(volume) if volume.naa.is_some() => BundledStorage::PhysicalVolume {
                    udid: volume.udid.clone(),
                    name: name.clone(),
                },
                _ => local(name),
            },
            Backing::VirtualDisk { .. }
            | Backing::OpticalMedium { .. }
            | Backing::External { .. } => {
                let storage = self.storage(vios, backing);
                local(
                    &storage
                        .map(|storage| storage.name().to_owned())
                        .unwrap_or_default(),
                )
            }
        }
    }

    /// The Open vSwitch bridge that a trunk adapter connects a VLAN of a switch to.
    pub(super) fn ovs_bridge(&self, system: Uuid, switch: Uuid, vlan: u16) -> Option<&str> {
        let adapters = self
            .all_partitions_of(system)
            .flat_map(|owner| owner.network_adapters.values());
        let mut trunks = adapters.filter(|adapter| adapter.trunk.is_some());
        trunks.find_map(|trunk| {
            let serves = trunk.switch == switch && trunk.vlans().any(|own| own == vlan);
            trunk.ovs_bridge.as_deref().filter(|_| serves)
        })
    }

    /// The VLANs that shared Ethernet adapters bridge, by switch.
    pub(super) fn bridged_vlans(&self, system: Uuid) -> std::collections::BTreeSet<(Uuid, u16)> {
        let servers = self.vioses_of(system);
        let trunks = servers.flat_map(|vios| {
            let shared = vios.shared_ethernet.iter().flat_map(|sea| &sea.trunks);
            shared.filter_map(|trunk| vios.partition.network_adapters.get(trunk))
        });
        trunks
            .flat_map(|trunk| trunk.vlans().map(|vlan| (trunk.switch, vlan)))
            .collect()
    }
}
