//! `VirtualSCSIBus`: one adapter pair with its devices as a resource of its own (recording `vscsibus_feed`).

use std::sync::Arc;
use uuid::Uuid;

use super::{Backing, ScsiBus};
use crate::clock::Millis;
use crate::model::command::{CreateScsiBus, Outcome, ScsiMapping, UpdateScsiBus};
use crate::model::names::EventKind;
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

/// The UUID of a bus: made from its Virtual I/O Server and slot.
#[must_use]
pub fn bus_uuid(vios: Uuid, slot: u16) -> Uuid {
    Uuid::new_v3(&vios, format!("VirtualSCSIBus/{slot}").as_bytes())
}

impl World {
    /// The bus with this UUID.
    #[must_use]
    pub fn scsi_bus(&self, vios: Uuid, bus: Uuid) -> Option<&Arc<ScsiBus>> {
        let buses = &self.vioses.get(&vios)?.buses;
        buses
            .values()
            .find(|found| bus_uuid(vios, found.slot) == bus)
    }

    pub(in crate::model) fn create_scsi_bus(
        &mut self,
        now: Millis,
        request: CreateScsiBus,
    ) -> Result<Outcome, Refusal> {
        let vios = request.vios;
        let before: Vec<u16> = self.slots_of_buses(vios)?;
        let mut posted = self.posted_mappings(vios);
        posted.push(ScsiMapping {
            client: Some(request.client),
            client_slot: request.client_slot,
            server_slot: request.server_slot,
            ..ScsiMapping::default()
        });
        self.replace_mappings(now, vios, posted)?;
        let made = self.slots_of_buses(vios)?;
        let slot = made
            .into_iter()
            .find(|slot| !before.contains(slot))
            .ok_or_else(|| Refusal::not_found("VirtualSCSIBus", vios))?;
        self.put_behind(now, vios, slot, request.devices)?;
        let resource = Resource::VirtualScsiBus { vios, slot };
        self.announce(now, EventKind::AddUri, resource, "");
        Ok(Outcome::Written(resource))
    }

    /// The posted devices are all that the bus has from now on.
    pub(in crate::model) fn update_scsi_bus(
        &mut self,
        now: Millis,
        request: UpdateScsiBus,
    ) -> Result<Outcome, Refusal> {
        let slot = self.slot_of_bus(request.vios, request.bus)?;
        self.put_behind(now, request.vios, slot, request.devices)?;
        Ok(Outcome::Written(Resource::VirtualScsiBus {
            vios: request.vios,
            slot,
        }))
    }

    pub(in crate::model) fn delete_scsi_bus(
        &mut self,
        now: Millis,
        vios: Uuid,
        bus: Uuid,
    ) -> Result<Outcome, Refusal> {
        let slot = self.slot_of_bus(vios, bus)?;
        let resource = Resource::VirtualScsiBus { vios, slot };
        self.announce(now, EventKind::DeleteUri, resource, "");
        let posted = self.posted_without(vios, slot);
        self.replace_mappings(now, vios, posted)?;
        Ok(Outcome::Deleted(resource))
    }

    fn put_behind(
        &mut self,
        now: Millis,
        vios: Uuid,
        slot: u16,
        devices: Vec<ScsiMapping>,
    ) -> Result<(), Refusal> {
        let server_udid = self.vioses.get(&vios).and_then(|server| {
            let bus = server.buses.get(&slot)?;
            Some(self.server_udid(server, bus))
        });
        let mut posted = self.posted_without(vios, slot);
        posted.push(ScsiMapping {
            server_udid: server_udid.clone(),
            ..ScsiMapping::default()
        });
        posted.extend(devices.into_iter().map(|device| ScsiMapping {
            server_udid: server_udid.clone(),
            ..device
        }));
        self.replace_mappings(now, vios, posted)
    }

    fn posted_without(&self, vios: Uuid, slot: u16) -> Vec<ScsiMapping> {
        let udid = self.vioses.get(&vios).and_then(|server| {
            let bus = server.buses.get(&slot)?;
            Some(self.server_udid(server, bus))
        });
        let mut posted = self.posted_mappings(vios);
        posted.retain(|mapping| mapping.server_udid != udid);
        posted
    }

    fn slots_of_buses(&self, vios: Uuid) -> Result<Vec<u16>, Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        Ok(server.buses.keys().copied().collect())
    }

    fn slot_of_bus(&self, vios: Uuid, bus: Uuid) -> Result<u16, Refusal> {
        self.scsi_bus(vios, bus)
            .map(|bus| bus.slot)
            .ok_or_else(|| Refusal::not_found("VirtualSCSIBus", bus))
    }

    /// Gives the buses that show this storage a new version, as what they show has changed.
    pub(in crate::model) fn touch_buses_of(&mut self, vios: Uuid, backing: &Backing) {
        self.edit_vios(vios, |server, version| {
            let slots: Vec<u16> = server
                .buses
                .values()
                .filter(|bus| bus.devices.iter().any(|device| device.backing == *backing))
                .map(|bus| bus.slot)
                .collect();
            for slot in slots {
                if let Some(mut bus) = server.buses.get_mut(&slot) {
                    bus.version = version;
                }
                server.mappings_version = version;
            }
        });
    }
}
