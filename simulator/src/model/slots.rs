//! Virtual slots: one numbering for all virtual adapters of a partition.

use std::collections::BTreeSet;

use super::command::SlotChoice;
use super::lowest::lowest_free;
use super::refusal::Refusal;
use super::resource::Owner;
use super::world::World;

/// Slots 0 and 1 hold the virtual serial adapters.
pub const FIRST: u16 = 2;

impl World {
    /// The slots of a partition that adapters sit in.
    #[must_use]
    pub fn used_slots(&self, owner: Owner) -> BTreeSet<u16> {
        self.occupied(owner).into_iter().collect()
    }

    /// The same in no order.
    fn occupied(&self, owner: Owner) -> Vec<u16> {
        let adapters = self
            .partition(owner)
            .into_iter()
            .flat_map(|partition| partition.network_adapters.values());
        let mut used: Vec<u16> = adapters.map(|adapter| adapter.slot).collect();
        let nics = self
            .partition(owner)
            .into_iter()
            .flat_map(|partition| partition.vnics.values());
        used.extend(nics.map(|nic| nic.slot));
        match owner {
            Owner::Vios(uuid) => used.extend(self.vioses.get(&uuid).into_iter().flat_map(|vios| {
                let fibre_channel = vios.fc_mappings.keys();
                vios.buses.keys().chain(fibre_channel).copied()
            })),
            Owner::Partition(uuid) => {
                let buses = self.servers_of(uuid).flat_map(|vios| vios.buses.of(uuid));
                let clients = buses.filter_map(|bus| bus.client);
                used.extend(clients.map(|client| client.slot));
                let mappings = self
                    .servers_of(uuid)
                    .flat_map(|vios| vios.fc_mappings.values());
                let clients = mappings
                    .filter_map(|mapping| mapping.client)
                    .filter(|client| client.partition == uuid);
                used.extend(clients.map(|client| client.slot));
            }
        }
        used
    }

    /// The slot for a new adapter.
    pub(super) fn free_slot(&self, owner: Owner, choice: SlotChoice) -> Result<u16, Refusal> {
        let used = self.occupied(owner);
        let end = self
            .partition(owner)
            .map_or(0, |partition| partition.maximum_slots);
        choose(&used, end, choice)
    }
}

/// Picks a slot below `end` that is not in `used`.
fn choose(used: &[u16], end: u32, choice: SlotChoice) -> Result<u16, Refusal> {
    let full = || {
        Refusal::logic(format!(
            "No virtual slot is free: the partition has {end} virtual I/O slots. Raise its maximum."
        ))
    };
    match choice {
        SlotChoice::Next => {
            let free = lowest_free(u32::from(FIRST), used.iter().copied().map(u32::from));
            let free = u16::try_from(free).ok().filter(|_| free < end);
            free.ok_or_else(full)
        }
        SlotChoice::NextHigh => {
            let next = used
                .iter()
                .max()
                .map_or(Some(FIRST), |highest| highest.checked_add(1))
                .map(|slot| slot.max(FIRST));
            next.filter(|slot| u32::from(*slot) < end).ok_or_else(full)
        }
        SlotChoice::Given(slot) if slot < FIRST || u32::from(slot) >= end => {
            Err(Refusal::logic(format!(
                "Virtual slot {slot} is not valid: slots run from {FIRST} to {}.",
                end.saturating_sub(1)
            )))
        }
        SlotChoice::Given(slot) if used.contains(&slot) => Err(Refusal::logic(format!(
            "Virtual slot {slot} is already in use."
        ))),
        SlotChoice::Given(slot) => Ok(slot),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_fills_holes_and_high_does_not() {
        let used = [2, 3, 5];
        assert_eq!(choose(&used, 64, SlotChoice::Next), Ok(4));
        assert_eq!(choose(&used, 64, SlotChoice::NextHigh), Ok(6));
        assert_eq!(choose(&used, 64, SlotChoice::Given(9)), Ok(9));
        assert_eq!(choose(&[], 64, SlotChoice::NextHigh), Ok(2));
    }

    #[test]
    fn what_is_taken_or_out_of_range_is_refused() {
        let used = [2, 3, 63];
        for choice in [
            SlotChoice::Given(2),
            SlotChoice::Given(0),
            SlotChoice::Given(64),
            SlotChoice::NextHigh,
        ] {
            assert_eq!(
                choose(&used, 64, choice).unwrap_err().status,
                500,
                "{choice:?}"
            );
        }
        assert!(choose(&[2, 3], 4, SlotChoice::Next).is_err());
        assert!(choose(&[u16::MAX], 70_000, SlotChoice::NextHigh).is_err());
    }
}
