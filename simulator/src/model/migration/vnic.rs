//! Which Virtual I/O Servers and SR-IOV ports of the target serve the virtual NICs.
//!
//! A virtual NIC goes along with its slot and its address; its backing devices are made anew on ports with the labels of
//! those on the source. A logical port of the partition's own is hardware, and keeps it where it is.

use std::collections::BTreeMap;
use uuid::Uuid;

use super::Bundle;
use crate::clock::Millis;
use crate::model::command::BackingDeviceRequest;
use crate::model::names::{SriovMode, SriovState};
use crate::model::refusal::Refusal;
use crate::model::resource::Owner;
use crate::model::sriov::{Percent, Vnic, VnicName};
use crate::model::system::ManagedSystem;
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

/// A virtual NIC, its backing devices named so that another system can find its own counterparts.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct BundledNic {
    /// The virtual NIC as it is on the source.
    pub nic: Vnic,
    /// What each of its backing devices needs.
    pub devices: Vec<BundledDevice>,
}

/// A backing device.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct BundledDevice {
    /// The label of its physical port.
    pub label: String,
    /// The Virtual I/O Server of the source, so that two devices stay on two servers.
    pub vios: String,
    /// The least share of the port.
    pub capacity: Percent,
    /// The greatest share of the port.
    pub maximum_capacity: Percent,
    /// `FailOverPriority`
    pub priority: u8,
}

/// A virtual NIC as it will be.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ArrivingNic {
    /// What it is to its partition.
    pub nic: Vnic,
    /// Its backing devices.
    pub devices: Vec<BackingDeviceRequest>,
}

/// What is still free on a physical port of the target.
struct Room {
    adapter: u16,
    port: u16,
    label: String,
    granularity: Percent,
    allocated: Percent,
    logical_ports: usize,
    maximum: usize,
}

impl World {
    /// Packs the virtual NICs of a partition.
    pub(super) fn bundled_nics(&self, system: Uuid, partition: Uuid) -> Vec<BundledNic> {
        let (Some(there), Some(partition)) =
            (self.systems.get(&system), self.partitions.get(&partition))
        else {
            return Vec::new();
        };
        let nics = partition.vnics.values();
        nics.map(|nic| {
            let devices = nic.backing.iter().filter_map(|device| {
                let port = self.logical_port(Owner::Vios(device.vios), device.port)?;
                let physical = there.sriov_port(port.adapter, port.port)?;
                Some(BundledDevice {
                    label: physical.settings.label.clone(),
                    vios: self.vioses.get(&device.vios)?.partition.name.clone(),
                    capacity: port.capacity,
                    maximum_capacity: port.maximum_capacity,
                    priority: device.priority,
                })
            });
            BundledNic {
                nic: (**nic).clone(),
                devices: devices.collect(),
            }
        })
        .collect()
    }

    /// Finds a place on the target for every backing device.
    pub(super) fn plan_nics(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
    ) -> Result<Vec<ArrivingNic>, String> {
        let name = &bundle.partition.name;
        if !bundle.partition.logical_ports.is_empty() {
            return Err(format!(
                "Partition {name} has SR-IOV logical ports and cannot be migrated. Remove them first."
            ));
        }
        if bundle.nics.is_empty() {
            return Ok(Vec::new());
        }
        let mut servers: Vec<&VirtualIoServer> = self
            .vioses_of(target.uuid)
            .filter(|vios| self.check_vios_is_ready(vios).is_ok())
            .map(|vios| &**vios)
            .collect();
        servers.sort_by_key(|vios| vios.partition.id);
        if !target.capabilities.vnic || servers.is_empty() {
            return Err(format!(
                "System {} has no Virtual I/O Server for the virtual NICs of partition {name}.",
                target.name
            ));
        }
        let mut nics = bundle.nics.iter();
        if let Some(nic) = nics.find(|nic| self.has_address(target.uuid, nic.nic.mac)) {
            return Err(format!(
                "The MAC address {:012X} is in use on system {}.",
                nic.nic.mac, target.name
            ));
        }
        let mut rooms = self.rooms(target);
        let mut counterparts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut arriving = Vec::new();
        for bundled in &bundle.nics {
            let mut devices = Vec::new();
            for device in &bundled.devices {
                let next = counterparts.len();
                let place = *counterparts.entry(device.vios.as_str()).or_insert(next);
                let like_named = servers
                    .iter()
                    .find(|vios| vios.partition.name == device.vios);
                let server = like_named.or_else(|| servers.get(place % servers.len()));
                let room = best(&mut rooms, device);
                let (Some(server), Some(room)) = (server, room) else {
                    return Err(format!(
                        "System {} has no SR-IOV port labelled {:?} with {}% left for the virtual NIC in slot {} of partition {name}.",
                        target.name, device.label, device.capacity, bundled.nic.slot
                    ));
                };
                room.allocated = room.allocated.plus(device.capacity);
                room.logical_ports += 1;
                devices.push(BackingDeviceRequest {
                    vios: server.partition.uuid,
                    adapter: room.adapter,
                    port: room.port,
                    capacity: Some(device.capacity),
                    maximum_capacity: Some(device.maximum_capacity),
                    priority: Some(device.priority),
                    logical_port: None,
                });
            }
            arriving.push(ArrivingNic {
                nic: bundled.nic.clone(),
                devices,
            });
        }
        Ok(arriving)
    }

    fn rooms(&self, target: &ManagedSystem) -> Vec<Room> {
        let mut rooms = Vec::new();
        for adapter in &target.sriov_adapters {
            let (Some(id), SriovMode::Sriov, SriovState::Running) =
                (adapter.id, adapter.mode, adapter.state)
            else {
                continue;
            };
            for port in adapter.ports.iter().filter(|port| port.link) {
                rooms.push(Room {
                    adapter: id,
                    port: port.id,
                    label: port.settings.label.clone(),
                    granularity: port.granularity,
                    allocated: self.allocated_capacity(target.uuid, id, port.id),
                    logical_ports: self.logical_ports_on(target.uuid, id, port.id).count(),
                    maximum: usize::from(port.settings.maximum_ports),
                });
            }
        }
        rooms
    }

    /// Makes the virtual NICs of a partition that has arrived.
    pub(super) fn settle_nics(
        &mut self,
        now: Millis,
        partition: Uuid,
        arriving: Vec<ArrivingNic>,
    ) -> Result<(), Refusal> {
        for ArrivingNic { nic, devices } in arriving {
            let there = self.existing(Owner::Partition(partition))?;
            let name = VnicName {
                partition,
                vnic: nic.uuid,
            };
            let mut nic = Vnic {
                backing: Vec::new(),
                version: self.touch(),
                ..nic
            };
            self.store_vnic(partition, nic.clone());
            let mut owners = std::collections::BTreeSet::new();
            for device in &devices {
                let device = self.add_backing(now, &there, &nic, name, device)?;
                owners.insert(Owner::Vios(device.vios));
                nic.backing.push(device);
            }
            self.store_vnic(partition, nic);
            self.settle_logical_ports(now, there.system, &owners);
        }
        Ok(())
    }
}

/// The least allocated port with the label that has room.
fn best<'r>(rooms: &'r mut [Room], device: &BundledDevice) -> Option<&'r mut Room> {
    rooms
        .iter_mut()
        .filter(|room| room.label == device.label && room.logical_ports < room.maximum)
        .filter(|room| device.capacity.is_multiple_of(room.granularity))
        .filter(|room| room.allocated.plus(device.capacity) <= Percent::WHOLE)
        .min_by_key(|room| (room.allocated, room.adapter, room.port))
}
