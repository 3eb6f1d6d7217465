//! Which virtual slot each adapter of a partition has: what a guest knows its devices by.
//!
//! Kept outside of the host, it lets a partition that is made anew elsewhere show its guest the same devices in the
//! same places. It says how things were; adapters that it does not speak of get slots above all that it speaks of.

mod rebuild;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::rebuild::{Place, Places, RebuildError, Seat};
use super::sizing::DEFAULT_MAX_SLOTS;
use crate::network::Mac;
use crate::storage::mapping::{Kind, Mapped};
use crate::storage::names;
use crate::volume::Wwpn;

/// The only form that there is.
const VERSION: u32 = 1;
/// Slots above the highest in use that a partition is given room for.
const SPARE: u32 = 10;
/// The most virtual slots that a partition can have.
const MOST: u32 = 65_534;

/// The slots of a partition that are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotMap {
    version: u32,
    /// How many the partition has.
    pub max_slots: u32,
    /// By their numbers, what is in them.
    pub slots: BTreeMap<u32, BTreeSet<Occupant>>,
}

/// What is in a slot. A bus has several disks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Occupant {
    /// A virtual Ethernet adapter.
    Adapter {
        /// Its address.
        mac: Mac,
        /// The switch that it is plugged into.
        switch: Option<String>,
    },
    /// A virtual NIC.
    VirtualNic {
        /// Its address.
        mac: Mac,
    },
    /// A disk on a bus.
    Disk {
        /// What it is told by, on whichever host: see [`disk_key`].
        disk: String,
        /// Its address on the bus.
        address: Option<String>,
    },
    /// A Fibre Channel port of the partition's own.
    Port {
        /// Its names.
        names: BTreeSet<Wwpn>,
    },
}

/// What tells a disk on any host: `boot` for the partition's own boot disk, whose name and identifier may change; else
/// the unique device identifier, or the path of a file and the name of a Ceph image. None for what is made anew on each
/// host: config drives, other disks of a volume group.
#[must_use]
pub fn disk_key(mapped: &Mapped) -> Option<String> {
    let name = mapped.name.as_str();
    match mapped.kind {
        Kind::OpticalMedia => None,
        Kind::LogicalUnit if names::is_boot_unit(name) => Some("boot".to_owned()),
        Kind::VirtualDisk if mapped.is_logical_volume => {
            names::is_boot_virtual_disk(name).then(|| "boot".to_owned())
        }
        Kind::VirtualDisk => Some(name.to_owned()),
        Kind::LogicalUnit | Kind::PhysicalVolume => mapped.udid.clone(),
    }
}

impl SlotMap {
    /// One with nothing in it, of a partition with this many slots.
    #[must_use]
    pub fn empty(max_slots: u32) -> Self {
        Self {
            version: VERSION,
            max_slots,
            slots: BTreeMap::new(),
        }
    }

    /// Puts something into a slot.
    pub fn put(&mut self, slot: u32, occupant: Occupant) {
        self.slots.entry(slot).or_default().insert(occupant);
    }

    /// Reads what [`Self::to_json`] has written.
    ///
    /// # Errors
    /// It is something else, such as the pickle that another driver keeps under the same name.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let map: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let most = map.slots.keys().last().copied().unwrap_or_default();
        match (map.version, most.max(map.max_slots) <= MOST) {
            (VERSION, true) => Ok(map),
            (VERSION, false) => Err("it has more slots than a partition can have".to_owned()),
            (version, _) => Err(format!("it has the version {version}")),
        }
    }

    /// As text, to be kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// How many slots a partition needs that has all this and `new` more.
    #[must_use]
    pub fn needed(&self, new: usize) -> u32 {
        let new = u32::try_from(new).unwrap_or(MOST).max(SPARE);
        let above = self.highest().saturating_add(new);
        self.max_slots.max(above).clamp(DEFAULT_MAX_SLOTS, MOST)
    }

    fn highest(&self) -> u32 {
        self.slots.keys().last().copied().unwrap_or(1).max(1)
    }

    fn slot_of(&self, is_it: impl Fn(&Occupant) -> bool) -> Option<u32> {
        let found = self.slots.iter().find(|(_, all)| all.iter().any(&is_it));
        found.map(|(slot, _)| *slot)
    }

    /// The slot of the adapter or virtual NIC with this address.
    #[must_use]
    pub fn interface(&self, wanted: Mac) -> Option<u32> {
        self.slot_of(|occupant| match occupant {
            Occupant::Adapter { mac, .. } | Occupant::VirtualNic { mac } => *mac == wanted,
            Occupant::Disk { .. } | Occupant::Port { .. } => false,
        })
    }

    /// The slot of the adapter on this switch, if it has the only one there.
    #[must_use]
    pub fn only_on(&self, name: &str) -> Option<(u32, Mac)> {
        let all = self.slots.iter().flat_map(|(slot, all)| {
            all.iter().filter_map(|occupant| match occupant {
                Occupant::Adapter { mac, switch } if switch.as_deref() == Some(name) => {
                    Some((*slot, *mac))
                }
                _ => None,
            })
        });
        let mut all = all.take(2);
        all.next().filter(|_| all.next().is_none())
    }

    /// The slot of the port with these names.
    #[must_use]
    pub fn port(&self, wanted: [Wwpn; 2]) -> Option<u32> {
        let wanted = BTreeSet::from(wanted);
        self.slot_of(|occupant| matches!(occupant, Occupant::Port { names } if *names == wanted))
    }

    /// How many ports the partition has.
    #[must_use]
    pub fn ports(&self) -> usize {
        let all = self.slots.values().flatten();
        all.filter(|occupant| matches!(occupant, Occupant::Port { .. }))
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(last: u8) -> Mac {
        format!("fa:16:3e:00:00:{last:02x}").parse().unwrap()
    }

    fn adapter(last: u8, switch: &str) -> Occupant {
        Occupant::Adapter {
            mac: mac(last),
            switch: Some(switch.to_owned()),
        }
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let mut map = SlotMap::empty(64);
        map.put(3, adapter(1, "ETHERNET0"));
        map.put(63, adapter(2, "MGMTSWITCH"));
        let names = ["c0507606d56e0001", "c0507606d56e0002"].map(|name| name.parse().unwrap());
        map.put(
            5,
            Occupant::Port {
                names: names.into(),
            },
        );
        let read = SlotMap::parse(map.to_json().as_bytes()).unwrap();
        assert_eq!(read, map);
        assert_eq!(read.interface(mac(1)), Some(3));
        assert_eq!(read.interface(mac(3)), None);
        assert_eq!(read.only_on("MGMTSWITCH"), Some((63, mac(2))));
        assert_eq!((read.port(names), read.ports()), (Some(5), 1));
        assert_eq!(read.port([names[1], names[0]]), Some(5), "in any order");
        assert_eq!((read.needed(0), read.needed(12)), (73, 75));
        assert_eq!(SlotMap::empty(20).needed(0), 64);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "gAJ9cQAoSwF9cQFYAwAAAENOQXEC",
            "{}",
            "{\"version\":2,\"max_slots\":64,\"slots\":{}}",
            "{\"version\":1,\"max_slots\":64,\"slots\":{\"70000\":[]}}",
            "{\"version\":1,\"max_slots\":64,\"slots\":{\"x\":[]}}",
        ] {
            assert!(SlotMap::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
