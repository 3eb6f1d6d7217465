//! Physical slots go to a partition and come back (`docs/protocol/partitions.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::Partition;
use crate::model::command::IoSlotName;
use crate::model::names::SriovMode;
use crate::model::refusal::Refusal;
use crate::model::system::{IoSlot, ManagedSystem};
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

impl World {
    /// Gives a partition the slots of the list and takes back those that it does not have. Whether anything moved.
    ///
    /// While the partition runs, its operating system has to take part, as with virtual adapters.
    pub(super) fn assign_io_slots(
        &mut self,
        partition: &Partition,
        wishes: &[IoSlotName],
    ) -> Result<bool, Refusal> {
        let system = self.system(partition.system)?;
        let mut wanted = Vec::new();
        for wish in wishes {
            let slot = find(&system, wish)?;
            self.check_slot_is_free(&system, slot, partition)?;
            wanted.push(slot.drc_index);
        }
        let own = |slot: &IoSlot| slot.owner == Some(partition.uuid);
        let moves = |slot: &IoSlot| own(slot) != wanted.contains(&slot.drc_index);
        if !system.io_slots.iter().any(moves) {
            return Ok(false);
        }
        if !partition.accepts_adapter_changes() {
            return Err(self.no_rmc(partition));
        }
        let server = self.vioses.get(&partition.uuid);
        let mut leaving = system
            .io_slots
            .iter()
            .filter(|slot| own(slot) && moves(slot));
        let busy = leaving.find(|slot| server.is_some_and(|server| drives(server, slot)));
        if let Some(slot) = busy {
            return Err(Refusal::logic(format!(
                "HSCL2929 The dynamic removal of I/O resources failed: the adapter in slot {} is still configured on {}. The OS return code is 255.",
                slot.location_code(),
                partition.name
            )));
        }
        self.edit_system(system.uuid, |system| {
            for slot in &mut system.io_slots {
                if wanted.contains(&slot.drc_index) {
                    slot.owner = Some(partition.uuid);
                } else if slot.owner == Some(partition.uuid) {
                    slot.owner = None;
                }
            }
        });
        Ok(true)
    }

    /// The slots of a partition that goes are nobody's.
    pub(in crate::model) fn release_io_slots(&mut self, system: Uuid, partition: Uuid) {
        self.edit_system(system, |system| {
            for slot in &mut system.io_slots {
                if slot.owner == Some(partition) {
                    slot.owner = None;
                }
            }
        });
    }

    fn check_slot_is_free(
        &self,
        system: &ManagedSystem,
        slot: &IoSlot,
        partition: &Partition,
    ) -> Result<(), Refusal> {
        let mut adapters = system.sriov_adapters.iter();
        if adapters
            .any(|adapter| adapter.drc_index == slot.drc_index && adapter.mode == SriovMode::Sriov)
        {
            return Err(Refusal::logic(format!(
                "HSCL0617 The adapter in slot {} is in SR-IOV shared mode and cannot be assigned to a partition.",
                slot.location_code()
            )));
        }
        let owner = slot.owner.filter(|owner| *owner != partition.uuid);
        let owner = owner.and_then(|uuid| self.partition(self.owner(uuid)?));
        match owner {
            Some(owner) => Err(Refusal::logic(format!(
                "HSCL0617 Slot {} belongs to partition {}.",
                slot.location_code(),
                owner.name
            ))),
            None => Ok(()),
        }
    }
}

fn find<'s>(system: &'s Arc<ManagedSystem>, wish: &IoSlotName) -> Result<&'s IoSlot, Refusal> {
    let mut slots = system.io_slots.iter();
    let found = match (wish.index, &wish.name) {
        (Some(index), _) => slots.find(|slot| slot.drc_index == index),
        (None, Some(name)) => slots.find(|slot| slot.location_code() == *name),
        (None, None) => None,
    };
    found.ok_or_else(|| {
        let name: String = wish
            .name
            .iter()
            .flat_map(|name| name.chars())
            .take(60)
            .collect();
        Refusal::logic(format!(
            "HSCL0617 The managed system has no physical I/O slot {}{name}.",
            wish.index
                .map_or_else(String::new, |index| format!("{index} "))
        ))
    })
}

/// Whether a server's ports or disks hang on the adapter in this slot.
fn drives(server: &VirtualIoServer, slot: &IoSlot) -> bool {
    let place = slot.location_code();
    let here = |location: &str| {
        location
            .strip_prefix(&place)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let mut fibre_channel = server.fc_adapters.iter();
    let mut free = server.free_ports.iter();
    let mut bridged = server.shared_ethernet.iter();
    let mut disks = server.physical_volumes.iter();
    fibre_channel.any(|adapter| adapter.id == slot.drc_index)
        || free.any(|(_, location)| here(location))
        || bridged.any(|adapter| here(&adapter.backing_location))
        || disks.any(|disk| here(&disk.location))
}
