//! Which Virtual I/O Server serves which slot of a partition that is made anew.
//!
//! A disk that two servers served on two buses is to be served by two servers again, whichever they are: each bus goes to
//! one that has all of its disks, and none gets two buses of one disk.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{Occupant, SlotMap};

/// Where a disk is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The slot of its bus.
    pub slot: u32,
    /// Its address there.
    pub address: Option<String>,
}

/// Why a partition cannot be made anew as it was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RebuildError {
    /// No server has all disks of a bus.
    #[error(
        "no Virtual I/O Server is left that has all disks of the slot {slot}: {disks}; the server had more paths to them"
    )]
    NotEnoughServers {
        /// The bus.
        slot: u32,
        /// The disks, comma separated.
        disks: String,
    },
    /// Ports were added or taken away.
    #[error(
        "the server had {before} Fibre Channel ports of its own and is to have {now}, so that slots are not its own any more"
    )]
    OtherPorts {
        /// As kept.
        before: usize,
        /// As asked for.
        now: usize,
    },
}

/// What is known of the place of a disk on one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// There.
    At(Seat),
    /// Wherever there is one.
    Anywhere,
    /// This server is not to serve it: its buses are others'.
    Nowhere,
}

/// The places of disks, by Virtual I/O Server and disk; and those of what was never recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    seats: BTreeMap<String, BTreeMap<String, Seat>>,
    recorded: BTreeSet<String>,
    spare: BTreeMap<String, u32>,
}

impl Places {
    /// The place of a disk on this server; of what has no name of its own, that of what was never recorded.
    #[must_use]
    pub fn of(&self, server: &str, disk: Option<&str>) -> Place {
        let seat = disk.and_then(|disk| self.seats.get(server)?.get(disk));
        let is_recorded = disk.is_some_and(|disk| self.recorded.contains(disk));
        match (seat, self.spare.get(server)) {
            (Some(seat), _) => Place::At(seat.clone()),
            (None, _) if is_recorded => Place::Nowhere,
            (None, None) => Place::Anywhere,
            (None, Some(slot)) => Place::At(Seat {
                slot: *slot,
                address: None,
            }),
        }
    }
}

impl SlotMap {
    /// Finds places for what these servers offer, in their order. What is recorded and offered by nobody is left alone: it
    /// is not attached any more.
    ///
    /// # Errors
    /// [`RebuildError::NotEnoughServers`].
    pub fn places(&self, offers: &[(String, BTreeSet<String>)]) -> Result<Places, RebuildError> {
        let offered: BTreeSet<&String> = offers.iter().flat_map(|(_, disks)| disks).collect();
        let mut places = Places::default();
        let mut buses: Vec<(u32, BTreeMap<&String, &Option<String>>)> = Vec::new();
        for (slot, occupants) in &self.slots {
            let disks = occupants.iter().filter_map(|occupant| match occupant {
                Occupant::Disk { disk, address } if offered.contains(disk) => Some((disk, address)),
                _ => None,
            });
            let disks: BTreeMap<_, _> = disks.collect();
            if !disks.is_empty() {
                buses.push((*slot, disks));
            }
        }
        // The fullest first: they have the least choice.
        buses.sort_by_key(|(slot, disks)| (Reverse(disks.len()), *slot));
        for (slot, disks) in buses {
            let has_all = |(_, offer): &&(String, BTreeSet<String>)| {
                disks.keys().all(|disk| offer.contains(*disk))
            };
            let is_free = |(server, _): &&(String, BTreeSet<String>)| {
                let own = places.seats.get(server);
                own.is_none_or(|own| disks.keys().all(|disk| !own.contains_key(*disk)))
            };
            let buses_of = |server: &String| {
                let own = places.seats.get(server).into_iter().flatten();
                own.map(|(_, seat)| seat.slot)
                    .collect::<BTreeSet<_>>()
                    .len()
            };
            let candidates = offers.iter().filter(has_all).filter(is_free);
            let chosen = candidates.min_by_key(|(server, _)| buses_of(server));
            let Some((server, _)) = chosen else {
                let disks: Vec<&str> = disks.keys().map(|disk| disk.as_str()).collect();
                return Err(RebuildError::NotEnoughServers {
                    slot,
                    disks: disks.join(", "),
                });
            };
            let own = places.seats.entry(server.clone()).or_default();
            for (disk, address) in disks {
                places.recorded.insert(disk.clone());
                let address = address.clone();
                own.insert(disk.clone(), Seat { slot, address });
            }
        }
        // What is new on a server goes onto a bus that it has, or onto one above all others.
        for (server, slot) in offers.iter().map(|(server, _)| server).zip(self.spare()) {
            let bus = places.seats.get(server).and_then(|own| own.values().next());
            let slot = bus.map_or(slot, |seat| seat.slot);
            places.spare.insert(server.clone(), slot);
        }
        Ok(places)
    }

    /// Slots for what is new, one after the other: for buses of Virtual I/O Servers first.
    pub fn spare(&self) -> impl Iterator<Item = u32> + use<> {
        self.highest().saturating_add(1)..
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(slots: &[(u32, &[&str])]) -> SlotMap {
        let mut map = SlotMap::empty(64);
        for (slot, disks) in slots {
            for (number, disk) in disks.iter().enumerate() {
                let occupant = Occupant::Disk {
                    disk: (*disk).to_owned(),
                    address: Some(format!("0x8{number}00000000000000")),
                };
                map.put(*slot, occupant);
            }
        }
        map
    }

    fn offers(all: &[(&str, &[&str])]) -> Vec<(String, BTreeSet<String>)> {
        let disks = |disks: &[&str]| disks.iter().map(|disk| (*disk).to_owned()).collect();
        let one = |(server, offer): &(&str, &[&str])| ((*server).to_owned(), disks(offer));
        all.iter().map(one).collect()
    }

    fn slot(places: &Places, server: &str, disk: &str) -> Option<u32> {
        match places.of(server, Some(disk)) {
            Place::At(seat) => Some(seat.slot),
            Place::Anywhere | Place::Nowhere => None,
        }
    }

    #[test]
    fn two_paths_stay_two_paths() {
        let map = map(&[(3, &["boot", "a"]), (4, &["boot", "a"]), (9, &["b"])]);
        let both: &[&str] = &["boot", "a", "b"];
        let places = map.places(&offers(&[("v1", both), ("v2", both)])).unwrap();
        let of_boot = ["v1", "v2"].map(|server| slot(&places, server, "boot").unwrap());
        assert_eq!(BTreeSet::from(of_boot), BTreeSet::from([3, 4]));
        for server in ["v1", "v2"] {
            assert_eq!(slot(&places, server, "a"), slot(&places, server, "boot"));
        }
        let Place::At(seat) = places.of("v1", Some("a")) else {
            panic!()
        };
        assert!(seat.address.is_some());
        let of_b = ["v1", "v2"].map(|server| slot(&places, server, "b"));
        assert_eq!(
            of_b.iter().flatten().collect::<Vec<_>>(),
            [&9],
            "one path stays one"
        );
    }

    #[test]
    fn a_bus_goes_where_all_its_disks_are() {
        let map = map(&[(3, &["a"]), (4, &["a", "b"])]);
        let places = map
            .places(&offers(&[("v1", &["a", "b"]), ("v2", &["a"])]))
            .unwrap();
        assert_eq!(slot(&places, "v1", "a"), Some(4));
        assert_eq!(slot(&places, "v2", "a"), Some(3));
    }

    #[test]
    fn too_few_servers_are_refused() {
        let map = map(&[(3, &["a"]), (4, &["a"])]);
        let error = map.places(&offers(&[("v1", &["a"])])).unwrap_err();
        assert!(matches!(
            error,
            RebuildError::NotEnoughServers { slot: 4, .. }
        ));
        assert!(
            map.places(&offers(&[("v1", &["b"])])).is_ok(),
            "not attached any more"
        );
    }

    #[test]
    fn what_is_new_shares_a_bus_or_gets_one_above_all() {
        let map = map(&[(3, &["a"])]);
        let places = map
            .places(&offers(&[("v1", &["a", "n"]), ("v2", &["n"])]))
            .unwrap();
        assert_eq!(slot(&places, "v1", "n"), Some(3));
        assert_eq!(slot(&places, "v2", "n"), Some(5));
        let spare = Seat {
            slot: 5,
            address: None,
        };
        assert_eq!(places.of("v2", None), Place::At(spare));
        assert_eq!(
            places.of("v2", Some("a")),
            Place::Nowhere,
            "its bus is v1's"
        );
        assert_eq!(places.of("v3", None), Place::Anywhere);
    }
}
