//! Partitions of both kinds of many systems: by UUID, and by what else they are looked for, without a look at all others.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use uuid::Uuid;

use super::partition::{Partition, page_table};
use super::register::{Holders, Indexed, Register};
use super::units::ProcUnits;
use super::vios::VirtualIoServer;

/// Residents of all systems by UUID.
pub type Population<T> = Register<T>;

/// What a resident is found by, and what it has of its system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traits {
    system: Uuid,
    id: u16,
    name: Arc<str>,
    mac_prefix: u64,
    macs: Vec<u64>,
    /// Megabytes of its own, not of the shared pool.
    memory: u64,
    /// What its page table depends on: maximum memory and ratio.
    table: Option<(u64, u8)>,
    processors: ProcUnits,
}

/// Where residents are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Residents {
    systems: OrdMap<Uuid, Arc<Roll>>,
    prefixes: Holders<u64, Uuid>,
}

/// The residents of one system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Roll {
    members: OrdSet<Uuid>,
    ids: Holders<u16, Uuid>,
    names: Holders<Arc<str>, Uuid>,
    macs: Holders<u64, Uuid>,
    /// Sums over those who are active; wide enough never to run over.
    memory: u128,
    processors: u64,
    /// How many page tables there are of each kind.
    tables: OrdMap<(u64, u8), u32>,
}

impl From<&Partition> for Traits {
    fn from(partition: &Partition) -> Self {
        let adapters = partition.network_adapters.values();
        let ports = partition.logical_ports.values().map(|port| port.mac);
        let nics = partition.vnics.values().map(|nic| nic.mac);
        let memory = &partition.memory;
        let own = memory.active && memory.shared.is_none();
        let processors = &partition.processors;
        Self {
            system: partition.system,
            id: partition.id,
            name: Arc::from(partition.name.as_str()),
            mac_prefix: partition.mac_prefix,
            macs: adapters
                .map(|adapter| adapter.mac)
                .chain(ports)
                .chain(nics)
                .collect(),
            memory: if own { memory.current } else { 0 },
            table: memory
                .active
                .then_some((memory.maximum, memory.page_table_ratio)),
            processors: if processors.active {
                processors.current.desired_units()
            } else {
                ProcUnits::ZERO
            },
        }
    }
}

impl Indexed for Partition {
    type Id = Uuid;
    type Key = Traits;
    type Index = Residents;

    fn key(&self) -> Traits {
        self.into()
    }

    fn enter(index: &mut Residents, id: Uuid, key: &Traits) {
        index.enter(id, key);
    }

    fn leave(index: &mut Residents, id: Uuid, key: &Traits) {
        index.leave(id, key);
    }
}

impl Indexed for VirtualIoServer {
    type Id = Uuid;
    type Key = Traits;
    type Index = Residents;

    fn key(&self) -> Traits {
        (&self.partition).into()
    }

    fn enter(index: &mut Residents, id: Uuid, key: &Traits) {
        index.enter(id, key);
    }

    fn leave(index: &mut Residents, id: Uuid, key: &Traits) {
        index.leave(id, key);
    }
}

impl Residents {
    fn enter(&mut self, id: Uuid, traits: &Traits) {
        self.prefixes.insert(traits.mac_prefix, id);
        let roll = Arc::make_mut(self.systems.entry(traits.system).or_default());
        roll.members.insert(id);
        roll.ids.insert(traits.id, id);
        roll.names.insert(Arc::clone(&traits.name), id);
        for mac in &traits.macs {
            roll.macs.insert(*mac, id);
        }
        roll.memory += u128::from(traits.memory);
        roll.processors += u64::from(traits.processors.hundredths());
        if let Some(table) = traits.table {
            *roll.tables.entry(table).or_default() += 1;
        }
    }

    fn leave(&mut self, id: Uuid, traits: &Traits) {
        self.prefixes.remove(traits.mac_prefix, id);
        let Some(roll) = self.systems.get_mut(&traits.system).map(Arc::make_mut) else {
            return;
        };
        roll.members.remove(&id);
        roll.ids.remove(traits.id, id);
        roll.names.remove(Arc::clone(&traits.name), id);
        for mac in &traits.macs {
            roll.macs.remove(*mac, id);
        }
        roll.memory -= u128::from(traits.memory);
        roll.processors -= u64::from(traits.processors.hundredths());
        if let Some(table) = traits.table {
            let left = roll.tables.get(&table).map_or(0, |count| count - 1);
            if left == 0 {
                roll.tables.remove(&table);
            } else {
                roll.tables.insert(table, left);
            }
        }
        if roll.members.is_empty() {
            self.systems.remove(&traits.system);
        }
    }
}

impl<T: Indexed<Id = Uuid, Index = Residents>> Register<T> {
    /// The residents of a system, by UUID.
    pub fn of(&self, system: Uuid) -> impl Iterator<Item = &Arc<T>> {
        let own = self.roll(system).into_iter().flat_map(|own| &own.members);
        own.filter_map(|uuid| self.get(uuid))
    }

    /// Whether a resident of any system has this prefix of MAC addresses.
    pub(super) fn has_mac_prefix(&self, prefix: u64) -> bool {
        self.index().prefixes.of(prefix).next().is_some()
    }

    /// Whether an adapter on a system has this MAC address.
    pub(super) fn has_mac(&self, system: Uuid, mac: u64) -> bool {
        let own = self.roll(system);
        own.is_some_and(|own| own.macs.of(mac).next().is_some())
    }

    /// The residents of a system with this name.
    pub fn named(&self, system: Uuid, name: &str) -> impl Iterator<Item = Uuid> {
        let own = self.roll(system).into_iter();
        own.flat_map(move |own| own.names.of(Arc::from(name)))
    }

    /// The `PartitionID`s on a system, rising.
    pub(super) fn numbers(&self, system: Uuid) -> impl Iterator<Item = u16> {
        let own = self.roll(system).into_iter();
        own.flat_map(|own| own.ids.values().copied())
    }

    /// Megabytes that active residents of a system have for themselves.
    pub(super) fn assigned_memory(&self, system: Uuid) -> u64 {
        let memory = self.roll(system).map_or(0, |own| own.memory);
        u64::try_from(memory).unwrap_or(u64::MAX)
    }

    /// Processing units of the active residents of a system.
    pub(super) fn assigned_processors(&self, system: Uuid) -> ProcUnits {
        let hundredths = self.roll(system).map_or(0, |own| own.processors);
        ProcUnits::from_hundredths(u32::try_from(hundredths).unwrap_or(u32::MAX))
    }

    /// Megabytes of the page tables of the active residents of a system with memory regions of this size.
    pub(super) fn page_tables(&self, system: Uuid, region: u64) -> u64 {
        let own = self.roll(system).into_iter().flat_map(|own| &own.tables);
        own.map(|((maximum, ratio), count)| {
            page_table(*maximum, *ratio, region).saturating_mul(u64::from(*count))
        })
        .fold(0, u64::saturating_add)
    }

    fn roll(&self, system: Uuid) -> Option<&Roll> {
        self.index().systems.get(&system).map(|roll| &**roll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Guest {
        system: Uuid,
        memory: u64,
    }

    impl Indexed for Guest {
        type Id = Uuid;
        type Key = Traits;
        type Index = Residents;

        fn key(&self) -> Traits {
            Traits {
                system: self.system,
                mac_prefix: 7,
                macs: vec![9],
                name: Arc::from("guest"),
                id: 3,
                memory: self.memory,
                table: Some((4096, 6)),
                processors: ProcUnits::whole(2),
            }
        }

        fn enter(index: &mut Residents, id: Uuid, key: &Traits) {
            index.enter(id, key);
        }

        fn leave(index: &mut Residents, id: Uuid, key: &Traits) {
            index.leave(id, key);
        }
    }

    fn count(population: &Population<Guest>, system: Uuid) -> usize {
        let found = population.of(system).count();
        assert_eq!(population.named(system, "guest").count(), found);
        assert_eq!(population.numbers(system).count(), found);
        assert_eq!(population.has_mac(system, 9), found > 0);
        let processors = population.assigned_processors(system).hundredths();
        assert_eq!(usize::try_from(processors).unwrap(), 200 * found);
        found
    }

    #[test]
    fn residents_are_found_by_their_system_wherever_they_go() {
        let id = Uuid::from_u128;
        let guest = |system: u128| {
            Arc::new(Guest {
                system: id(system),
                memory: 5,
            })
        };
        let mut all: Population<Guest> = [(id(1), guest(10)), (id(2), guest(10))]
            .into_iter()
            .collect();
        assert_eq!((all.len(), count(&all, id(10))), (2, 2));
        assert_eq!(all.page_tables(id(10), 16), 128);
        all.get_mut(&id(1)).unwrap().system = id(20);
        all.get_mut(&id(1)).unwrap().memory = 6;
        assert_eq!((count(&all, id(10)), count(&all, id(20))), (1, 1));
        assert_eq!(all.assigned_memory(id(20)), 6);
        all.insert(id(2), guest(20));
        assert_eq!((count(&all, id(10)), count(&all, id(20))), (0, 2));
        assert_eq!(all.assigned_memory(id(20)), 11);
        assert!(all.is_in_order());
        all.remove(&id(1));
        assert!(all.has_mac_prefix(7) && !all.has_mac_prefix(8));
        all.remove(&id(2));
        assert!(!all.has_mac_prefix(7));
        assert!(all.is_empty() && all.is_in_order());
        assert_eq!(*all.index(), Residents::default());
    }
}
