//! What a posted list of mappings means, before anything is changed (`docs/protocol/mappings.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

use super::backing::Storage;
use super::{Backing, ScsiBus, ScsiDevice, VirtualIoServer};
use crate::model::command::{ScsiMapping, StorageName, TargetName};
use crate::model::refusal::Refusal;
use crate::model::world::World;

/// What a posted list means: which buses and devices stay, and what is new.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) kept: BTreeMap<u16, BTreeSet<String>>,
    pub(super) new: Vec<(Place, Option<Backing>, ScsiMapping)>,
}

#[derive(Debug)]
pub(super) enum Place {
    Bus(u16),
    NewBus(Uuid),
}

impl World {
    /// Matches every posted mapping with what is there; refuses what cannot be.
    pub(super) fn plan_mappings(
        &self,
        vios: Uuid,
        posted: Vec<ScsiMapping>,
    ) -> Result<Plan, Refusal> {
        let mut plan = Plan::default();
        let server = self
            .vioses
            .get(&vios)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let by_udid: BTreeMap<String, u16> = server
            .buses
            .values()
            .map(|bus| (self.server_udid(server, bus), bus.slot))
            .collect();
        for mapping in posted {
            let Some(udid) = &mapping.server_udid else {
                let client = mapping.client.ok_or_else(|| {
                    Refusal::logic("A new virtual SCSI mapping must name its client partition in AssociatedLogicalPartition.")
                })?;
                let backing = mapping
                    .storage
                    .as_ref()
                    .map(|name| self.find_storage(server, name))
                    .transpose()?;
                plan.new.push((Place::NewBus(client), backing, mapping));
                continue;
            };
            let slot = *by_udid.get(udid).ok_or_else(|| {
                Refusal::logic(format!(
                    "There is no virtual SCSI server adapter {udid} on Virtual I/O Server {}.",
                    server.partition.name
                ))
            })?;
            let Some(bus) = server.buses.get(&slot) else {
                continue;
            };
            let kept = plan.kept.entry(slot).or_default();
            if mapping.storage.is_none() && !self.tells_devices(server) {
                kept.extend(bus.devices.iter().map(|device| device.target.clone()));
                continue;
            }
            let Some(name) = &mapping.storage else {
                kept.extend(device_by_target(bus, &mapping).map(|device| device.target.clone()));
                continue;
            };
            if let Some(device) = bus
                .devices
                .iter()
                .find(|device| self.is_named(server, device, name))
            {
                kept.insert(device.target.clone());
                continue;
            }
            let backing = self.find_storage(server, name)?;
            plan.new.push((Place::Bus(slot), Some(backing), mapping));
        }
        Ok(plan)
    }

    /// The mappings of a Virtual I/O Server as a client would post them back unchanged.
    #[must_use]
    pub fn posted_mappings(&self, vios: Uuid) -> Vec<ScsiMapping> {
        let Some(server) = self.vioses.get(&vios) else {
            return Vec::new();
        };
        let mut posted = Vec::new();
        for bus in server.buses.values() {
            let bare = ScsiMapping {
                client: bus.client.map(|client| client.partition),
                server_udid: Some(self.server_udid(server, bus)),
                ..ScsiMapping::default()
            };
            if bus.devices.is_empty() {
                posted.push(bare.clone());
            }
            posted.extend(bus.devices.iter().map(|device| ScsiMapping {
                target: Some(TargetName {
                    udid: Some(device.target_udid.clone()),
                    ..TargetName::default()
                }),
                ..bare.clone()
            }));
        }
        posted
    }

    /// `UniqueDeviceID` of a server adapter: `1e` and its location.
    #[must_use]
    pub fn server_udid(&self, vios: &VirtualIoServer, bus: &ScsiBus) -> String {
        let system = self.systems.get(&vios.partition.system);
        let location = system
            .map(|system| system.machine.slot_location(vios.partition.id, bus.slot))
            .unwrap_or_default();
        format!("1e{location}")
    }

    fn is_named(&self, vios: &VirtualIoServer, device: &ScsiDevice, name: &StorageName) -> bool {
        let same = |udid: &Option<String>,
                    name: &Option<String>,
                    own_udid: &str,
                    own_name: &str| match udid {
            Some(udid) => udid == own_udid,
            None => name.as_deref() == Some(own_name),
        };
        match (self.storage(vios, &device.backing), name) {
            (Some(Storage::LogicalUnit(unit)), StorageName::LogicalUnit { udid, name }) => {
                same(udid, name, &unit.udid, &unit.name)
            }
            (Some(Storage::VirtualDisk(disk)), StorageName::VirtualDisk { udid, name }) => {
                same(udid, name, &disk.udid, &disk.name)
            }
            (Some(Storage::PhysicalVolume(volume)), StorageName::PhysicalVolume { udid, name }) => {
                match name {
                    Some(name) => *name == volume.name,
                    None => udid.as_deref() == Some(volume.udid.as_str()),
                }
            }
            (Some(Storage::OpticalMedium(medium)), StorageName::OpticalMedium { name }) => {
                *name == medium.name
            }
            (Some(Storage::External(disk)), StorageName::External(name)) => disk.name == name.name,
            _ => false,
        }
    }
}

/// Buses without any posted mapping, and devices without one on buses that stay.
pub(super) fn leftovers(
    server: &VirtualIoServer,
    plan: &Plan,
) -> (Vec<u16>, BTreeMap<u16, BTreeSet<String>>) {
    let mut buses = Vec::new();
    let mut devices = BTreeMap::new();
    for bus in server.buses.values() {
        let Some(kept) = plan.kept.get(&bus.slot) else {
            buses.push(bus.slot);
            continue;
        };
        let gone: BTreeSet<String> = bus
            .devices
            .iter()
            .map(|device| device.target.clone())
            .filter(|target| !kept.contains(target))
            .collect();
        if !gone.is_empty() {
            devices.insert(bus.slot, gone);
        }
    }
    (buses, devices)
}

/// The device that a mapping without storage means: the one with its target device. One whose document names neither
/// storage nor target means the bare adapter.
fn device_by_target<'a>(bus: &'a ScsiBus, mapping: &ScsiMapping) -> Option<&'a Arc<ScsiDevice>> {
    let target = mapping.target.as_ref()?;
    bus.devices
        .iter()
        .find(|device| match (&target.udid, &target.name, &target.lua) {
            (Some(udid), ..) => *udid == device.target_udid,
            (None, Some(name), _) => *name == device.target,
            (None, None, Some(lua)) => *lua == device.lua,
            (None, None, None) => false,
        })
}
