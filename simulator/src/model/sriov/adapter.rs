//! Physical ports get their labels, adapters become shared or are given back.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{SriovAdapter, SriovPort, SriovPortSettings};
use crate::clock::Millis;
use crate::model::command::{Outcome, SriovAdapterChange, SriovPortChange, UpdateSystem};
use crate::model::names::{EventKind, SriovMode, SriovState};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

/// The longest label of a port. Consoles take 16 characters.
const LABEL: usize = 16;
/// `EventDetail` of a system whose ports have changed; agents look for it.
const PORT_CHANGED: &str = "SRIOVPhysicalPort.ConfigChange";

/// The longest `SystemName`.
const NAME_LENGTH: usize = 31;

impl World {
    pub(in crate::model) fn update_system(
        &mut self,
        now: Millis,
        request: UpdateSystem,
    ) -> Result<Outcome, Refusal> {
        let before = self.system(request.system)?;
        let resource = Resource::ManagedSystem(request.system);
        let mut adapters = before.sriov_adapters.clone();
        for change in &request.adapters {
            let mut all = adapters.iter_mut();
            let Some(adapter) = all.find(|adapter| adapter.drc_index == change.drc_index) else {
                continue;
            };
            self.change_ports(request.system, adapter, change)?;
        }
        for change in &request.adapters {
            if let Some(mode) = change.mode {
                self.change_mode(request.system, &mut adapters, change.drc_index, mode)?;
            }
        }
        let name = request.name.unwrap_or_else(|| before.name.clone());
        if adapters == before.sriov_adapters && name == before.name {
            return Ok(Outcome::Written(resource));
        }
        let mut others = self
            .systems
            .values()
            .filter(|other| other.uuid != before.uuid);
        if name.is_empty() || name.chars().count() > NAME_LENGTH {
            return Err(Refusal::logic(format!(
                "A managed system's name has 1 to {NAME_LENGTH} characters."
            )));
        }
        if others.any(|other| other.name == name) {
            return Err(Refusal::logic(format!(
                "There is a managed system named {name} already."
            )));
        }
        let version = self.touch();
        if let Some(system) = self.systems.get_mut(&request.system).map(Arc::make_mut) {
            system.sriov_adapters = adapters;
            system.name = name;
            system.version = version;
        }
        self.announce(now, EventKind::ModifyUri, resource, PORT_CHANGED);
        Ok(Outcome::Written(resource))
    }

    fn change_ports(
        &self,
        system: Uuid,
        adapter: &mut SriovAdapter,
        change: &SriovAdapterChange,
    ) -> Result<(), Refusal> {
        let id = adapter.id;
        for wish in &change.ports {
            let mut all = adapter.ports.iter_mut();
            let Some(port) = all.find(|port| port.id == wish.id) else {
                continue;
            };
            let after = settings(port, wish)?;
            let used = id.map_or(0, |id| self.logical_ports_on(system, id, port.id).count());
            if usize::from(after.maximum_ports) < used {
                return Err(Refusal::logic(format!(
                    "Physical port {} has {used} logical ports; its maximum cannot be {}.",
                    port.id, after.maximum_ports
                )));
            }
            port.settings = after;
        }
        Ok(())
    }

    /// `ModifySRIOVAdapterMode`, and the same by a change of the system's document.
    pub(in crate::model) fn change_sriov_mode(
        &mut self,
        now: Millis,
        system: Uuid,
        drc_index: u32,
        mode: SriovMode,
    ) -> Result<(), Refusal> {
        let mut adapters = self.system(system)?.sriov_adapters.clone();
        self.change_mode(system, &mut adapters, drc_index, mode)?;
        let before = self.system(system)?;
        if before.sriov_adapters != adapters {
            if let Some(system) = self.systems.get_mut(&system).map(Arc::make_mut) {
                system.sriov_adapters = adapters;
            }
            self.touch_system(now, system);
        }
        Ok(())
    }

    fn change_mode(
        &self,
        system: Uuid,
        adapters: &mut [SriovAdapter],
        drc_index: u32,
        mode: SriovMode,
    ) -> Result<(), Refusal> {
        let used: BTreeSet<u16> = adapters.iter().filter_map(|adapter| adapter.id).collect();
        let owned = self.systems.get(&system).is_some_and(|system| {
            let mut slots = system.io_slots.iter();
            slots.any(|slot| slot.drc_index == drc_index && slot.owner.is_some())
        });
        let adapter = adapters
            .iter_mut()
            .find(|adapter| adapter.drc_index == drc_index)
            .ok_or_else(|| Refusal::not_found("SRIOVAdapter", drc_index))?;
        if adapter.mode == mode {
            return Ok(());
        }
        match mode {
            SriovMode::Sriov if owned => Err(Refusal::logic(format!(
                "The adapter at {} is assigned to a partition and cannot be shared.",
                adapter.location
            ))),
            SriovMode::Sriov => {
                adapter.id = (1..=u16::MAX).find(|id| !used.contains(id));
                (adapter.mode, adapter.state) = (mode, SriovState::Running);
                Ok(())
            }
            SriovMode::Dedicated | SriovMode::ForceDedicated => {
                let id = adapter.id.unwrap_or_default();
                let ports = self.logical_ports_of(system);
                if ports.into_iter().any(|(_, logical)| logical.adapter == id) {
                    return Err(Refusal::logic(format!(
                        "SR-IOV adapter {id} has logical ports and cannot be given back. Remove them first."
                    )));
                }
                adapter.id = None;
                (adapter.mode, adapter.state) = (SriovMode::Dedicated, SriovState::NotConfigured);
                Ok(())
            }
            SriovMode::Unknown => Err(Refusal::bad_request(
                "An SR-IOV adapter cannot be set to the mode unknown.",
            )),
        }
    }
}

fn settings(port: &SriovPort, wish: &SriovPortChange) -> Result<SriovPortSettings, Refusal> {
    let mut after = port.settings.clone();
    for (place, label) in [
        (&mut after.label, &wish.label),
        (&mut after.sublabel, &wish.sublabel),
    ] {
        let Some(label) = label else {
            continue;
        };
        let printable = label
            .bytes()
            .all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if label.len() > LABEL || !printable {
            return Err(Refusal::logic(format!(
                "A label of an SR-IOV physical port has at most {LABEL} printable characters."
            )));
        }
        place.clone_from(label);
    }
    after.jumbo_frames = wish.jumbo_frames.unwrap_or(after.jumbo_frames);
    after.flow_control = wish.flow_control.unwrap_or(after.flow_control);
    after.switch_mode = wish.switch_mode.unwrap_or(after.switch_mode);
    after.maximum_ports = wish.maximum_ports.unwrap_or(after.maximum_ports);
    if after.maximum_ports > port.limit {
        return Err(Refusal::logic(format!(
            "Physical port {} supports at most {} logical ports.",
            port.id, port.limit
        )));
    }
    Ok(after)
}
