//! Partitions of many systems by UUID, and those of one system without a look at all others.

use std::ops::Deref;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::partition::Partition;
use super::vios::VirtualIoServer;

/// What belongs to a system.
pub trait Resident {
    /// The system.
    fn system(&self) -> Uuid;

    /// What its MAC addresses begin with, for life.
    fn mac_prefix(&self) -> u64;
}

impl Resident for Partition {
    fn system(&self) -> Uuid {
        self.system
    }

    fn mac_prefix(&self) -> u64 {
        self.mac_prefix
    }
}

impl Resident for VirtualIoServer {
    fn system(&self) -> Uuid {
        self.partition.system
    }

    fn mac_prefix(&self) -> u64 {
        self.partition.mac_prefix
    }
}

/// Residents of all systems by UUID. It reads like the map that it is; who moves from one system to another has to be
/// [moved](Population::moved).
#[derive(Debug, PartialEq, Eq)]
pub struct Population<T> {
    all: OrdMap<Uuid, Arc<T>>,
    by_system: OrdMap<Uuid, OrdSet<Uuid>>,
    prefixes: OrdSet<(u64, Uuid)>,
}

impl<T> Clone for Population<T> {
    fn clone(&self) -> Self {
        Self {
            all: self.all.clone(),
            by_system: self.by_system.clone(),
            prefixes: self.prefixes.clone(),
        }
    }
}

impl<T> Default for Population<T> {
    fn default() -> Self {
        Self {
            all: OrdMap::new(),
            by_system: OrdMap::new(),
            prefixes: OrdSet::new(),
        }
    }
}

impl<T> Deref for Population<T> {
    type Target = OrdMap<Uuid, Arc<T>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl<T: Resident> Population<T> {
    /// Puts a resident in, in the place of one with the same UUID.
    pub fn insert(&mut self, uuid: Uuid, resident: Arc<T>) {
        let (system, prefix) = (resident.system(), resident.mac_prefix());
        if let Some(before) = self.all.insert(uuid, resident) {
            self.forget(before.system(), uuid);
            self.prefixes.remove(&(before.mac_prefix(), uuid));
        }
        self.prefixes.insert((prefix, uuid));
        self.by_system.entry(system).or_default().insert(uuid);
    }

    /// Takes a resident out.
    pub fn remove(&mut self, uuid: &Uuid) -> Option<Arc<T>> {
        let gone = self.all.remove(uuid)?;
        self.forget(gone.system(), *uuid);
        self.prefixes.remove(&(gone.mac_prefix(), *uuid));
        Some(gone)
    }

    /// A resident to be changed.
    pub fn get_mut(&mut self, uuid: &Uuid) -> Option<&mut Arc<T>> {
        self.all.get_mut(uuid)
    }

    /// A resident has come from another system.
    pub fn moved(&mut self, uuid: Uuid, from: Uuid) {
        if let Some(resident) = self.all.get(&uuid) {
            let system = resident.system();
            self.forget(from, uuid);
            self.by_system.entry(system).or_default().insert(uuid);
        }
    }

    /// The residents of a system, by UUID.
    pub fn of(&self, system: Uuid) -> impl Iterator<Item = &Arc<T>> {
        let own = self.by_system.get(&system).into_iter().flatten();
        own.filter_map(|uuid| self.all.get(uuid))
    }

    /// Whether a resident of any system has this prefix.
    pub(super) fn has_mac_prefix(&self, prefix: u64) -> bool {
        let mut own = self
            .prefixes
            .range((prefix, Uuid::nil())..=(prefix, Uuid::max()));
        own.next().is_some()
    }

    /// Whether every resident is found through its system and its prefix, and nobody else.
    pub(super) fn is_in_order(&self) -> bool {
        let counted: usize = self.by_system.values().map(OrdSet::len).sum();
        counted == self.all.len()
            && self.prefixes.len() == self.all.len()
            && self.all.iter().all(|(uuid, resident)| {
                let own = self.by_system.get(&resident.system());
                own.is_some_and(|own| own.contains(uuid))
                    && self.prefixes.contains(&(resident.mac_prefix(), *uuid))
            })
    }

    fn forget(&mut self, system: Uuid, uuid: Uuid) {
        if let Some(own) = self.by_system.get_mut(&system) {
            own.remove(&uuid);
            if own.is_empty() {
                self.by_system.remove(&system);
            }
        }
    }
}

impl<T: Resident> FromIterator<(Uuid, Arc<T>)> for Population<T> {
    fn from_iter<I: IntoIterator<Item = (Uuid, Arc<T>)>>(residents: I) -> Self {
        let mut population = Self::default();
        for (uuid, resident) in residents {
            population.insert(uuid, resident);
        }
        population
    }
}

impl<'p, T> IntoIterator for &'p Population<T> {
    type Item = (&'p Uuid, &'p Arc<T>);
    type IntoIter = <&'p OrdMap<Uuid, Arc<T>> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl<T: Serialize> Serialize for Population<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Resident> Deserialize<'de> for Population<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = OrdMap::<Uuid, Arc<T>>::deserialize(deserializer)?;
        Ok(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Guest(Uuid);

    impl Resident for Guest {
        fn system(&self) -> Uuid {
            self.0
        }

        fn mac_prefix(&self) -> u64 {
            7
        }
    }

    fn of(population: &Population<Guest>, system: Uuid) -> Vec<Uuid> {
        population.of(system).map(|guest| guest.0).collect()
    }

    #[test]
    fn residents_are_found_by_their_system_wherever_they_go() {
        let id = Uuid::from_u128;
        let mut all: Population<Guest> = [
            (id(1), Arc::new(Guest(id(10)))),
            (id(2), Arc::new(Guest(id(10)))),
        ]
        .into_iter()
        .collect();
        assert_eq!((all.len(), of(&all, id(10)).len()), (2, 2));
        Arc::make_mut(all.get_mut(&id(1)).unwrap()).0 = id(20);
        assert!(!all.is_in_order());
        all.moved(id(1), id(10));
        assert!(all.is_in_order());
        assert_eq!((of(&all, id(10)).len(), of(&all, id(20)).len()), (1, 1));
        all.insert(id(2), Arc::new(Guest(id(20))));
        assert_eq!((of(&all, id(10)).len(), of(&all, id(20)).len()), (0, 2));
        assert!(all.is_in_order());
        all.remove(&id(1));
        assert!(all.has_mac_prefix(7) && !all.has_mac_prefix(8));
        all.remove(&id(2));
        assert!(!all.has_mac_prefix(7));
        assert!(all.is_empty() && all.by_system.is_empty() && all.is_in_order());
    }
}
