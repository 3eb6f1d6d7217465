//! Discovery: how volumes of the storage come to be physical volumes of a Virtual I/O Server
//! (`docs/protocol/san.md`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

use super::{Path, SanVolume, discovered};
use crate::clock::Millis;
use crate::model::resource::Owner;
use crate::model::storage::{PhysicalVolume, Transport, VolumeUsage};
use crate::model::vios::{Backing, FcPort, VirtualIoServer};
use crate::model::world::World;

/// The vendors that a device may be asked for by and be the simulated storage.
const VENDORS: [&str; 2] = ["IBM", "OTHER"];

/// A device that a client asks a Virtual I/O Server to look for.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// `deviceTag`: the client's own number for it.
    pub tag: String,
    /// `vendor`
    pub vendor: String,
    /// `deviceID`: its page 83 descriptor, plain or in base64.
    pub device_id: Option<String>,
    /// `itlList`: the ways to it.
    pub paths: Vec<Path>,
    /// `reliableITL`: whether all ways have to be good.
    pub reliable: bool,
}

/// What a Virtual I/O Server found.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// `deviceTag`
    pub tag: String,
    /// `status`
    pub status: LuaStatus,
    /// `msgText`
    pub message: String,
    /// `pvName`, `uniqueID` and `udid` of the disk, if there is one.
    pub disk: Option<Arc<PhysicalVolume>>,
}

/// The outcome of a discovery, with the number that it has in answers.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LuaStatus {
    /// Found, and used by the server or a client.
    InUse = 1,
    /// The ways cannot be trusted: they lead to several devices, or to one whose address another disk holds.
    NotReliable = 2,
    /// Found.
    Available = 3,
    /// The storage is of another vendor.
    StorageNotOfInterest = 4,
    /// The device at the address is another one.
    LuaNotOfInterest = 5,
    /// No way leads anywhere.
    Incorrect = 6,
    /// Found, but it does not tell what it is.
    UnknownUdid = 7,
    /// Found, though not on all ways.
    SomeFailed = 8,
}

impl World {
    /// Looks for one device along the given ways and makes a disk of it.
    pub(in crate::model) fn discover(
        &mut self,
        now: Millis,
        vios: Uuid,
        wanted: &Wanted,
    ) -> Discovered {
        let answer = |status, message: &str, disk| Discovered {
            tag: wanted.tag.clone(),
            status,
            message: message.to_owned(),
            disk,
        };
        let Some(server) = self.vioses.get(&vios).map(Arc::clone) else {
            return answer(LuaStatus::Incorrect, "no such server", None);
        };
        let found = self.follow(&server, &wanted.paths);
        let Some((path, port, volume)) = found.first() else {
            return answer(LuaStatus::Incorrect, "no device was found on any ITL", None);
        };
        let several = found.iter().any(|(.., other)| other.uuid != volume.uuid);
        let partly = found.len() < wanted.paths.len();
        if several {
            return answer(
                LuaStatus::NotReliable,
                "the ITLs lead to different devices",
                None,
            );
        }
        if partly && wanted.reliable {
            return answer(
                LuaStatus::NotReliable,
                "not every ITL leads to a device",
                None,
            );
        }
        if !VENDORS
            .iter()
            .any(|vendor| vendor.eq_ignore_ascii_case(&wanted.vendor))
        {
            return answer(
                LuaStatus::StorageNotOfInterest,
                "the storage is of another vendor",
                None,
            );
        }
        if !is_the_one(volume, wanted.device_id.as_deref()) {
            return answer(
                LuaStatus::LuaNotOfInterest,
                "the device has another identifier",
                None,
            );
        }
        let addresses: BTreeSet<(u64, u32)> = found
            .iter()
            .map(|(path, ..)| (path.target, path.lun))
            .collect();
        if let Err(name) = self.clear_addresses(&server, volume, &addresses) {
            let text = format!("{name} holds the address of another device and is in use");
            return answer(LuaStatus::NotReliable, &text, None);
        }
        let disk = self.make_disk(now, vios, volume, |name| {
            discovered::fibre_channel(name, volume, &port.location, (path.target, path.lun))
        });
        let Some(disk) = disk else {
            return answer(LuaStatus::Incorrect, "no such server", None);
        };
        let used = self
            .vioses
            .get(&vios)
            .is_some_and(|server| !Self::is_volume_available(server, &disk));
        let (status, message) = match (volume.naa.is_some(), partly, used) {
            (false, ..) => (
                LuaStatus::UnknownUdid,
                "the device does not identify itself",
            ),
            (_, true, _) => (LuaStatus::SomeFailed, "some ITLs lead to no device"),
            (_, _, true) => (LuaStatus::InUse, "the device is in use"),
            _ => (LuaStatus::Available, "the device is available"),
        };
        answer(status, message, Some(disk))
    }

    /// Makes disks of all Fibre Channel volumes that a Virtual I/O Server sees, as `cfgdev` does. How many it made.
    pub(in crate::model) fn discover_all(&mut self, now: Millis, vios: Uuid) -> usize {
        let Some(server) = self.vioses.get(&vios).map(Arc::clone) else {
            return 0;
        };
        let san = Arc::clone(&self.san);
        let mut first: BTreeMap<Uuid, (Path, &FcPort, &Arc<SanVolume>)> = BTreeMap::new();
        for port in server.fc_ports() {
            for (path, volume) in san.visible(port.wwpn, port.fabric) {
                first.entry(volume.uuid).or_insert((path, port, volume));
            }
        }
        let before = server.physical_volumes.len();
        for (path, port, volume) in first.into_values() {
            self.make_disk(now, vios, volume, |name| {
                discovered::fibre_channel(name, volume, &port.location, (path.target, path.lun))
            });
        }
        let after = self
            .vioses
            .get(&vios)
            .map_or(0, |server| server.physical_volumes.len());
        after.saturating_sub(before)
    }

    /// The ways that lead to a volume, each with the server's port and the volume.
    fn follow<'s>(
        &self,
        server: &'s VirtualIoServer,
        paths: &[Path],
    ) -> Vec<(Path, &'s FcPort, Arc<SanVolume>)> {
        let ports: BTreeMap<u64, &FcPort> =
            server.fc_ports().map(|port| (port.wwpn, port)).collect();
        let follow = |path: &Path| {
            let port = ports.get(&path.initiator)?;
            let volume = self.san.at(*path, port.fabric)?;
            Some((*path, *port, Arc::clone(volume)))
        };
        paths.iter().filter_map(follow).collect()
    }

    /// Disks that were made of what showed at these addresses before go, unless they are in use.
    fn clear_addresses(
        &mut self,
        server: &VirtualIoServer,
        volume: &SanVolume,
        addresses: &BTreeSet<(u64, u32)>,
    ) -> Result<(), String> {
        let stale = |disk: &&Arc<PhysicalVolume>| match disk.transport {
            Transport::FibreChannel { target, lun } => {
                addresses.contains(&(target, lun)) && !is_disk_of(disk, volume)
            }
            _ => false,
        };
        let stale: Vec<Arc<PhysicalVolume>> = server
            .physical_volumes
            .iter()
            .filter(stale)
            .map(Arc::clone)
            .collect();
        self.forget_disks(server, &stale)
    }

    /// Disks of a Virtual I/O Server go, or none of them.
    ///
    /// # Errors
    /// The name of one that is in use.
    pub(in crate::model) fn forget_disks(
        &mut self,
        server: &VirtualIoServer,
        gone: &[Arc<PhysicalVolume>],
    ) -> Result<(), String> {
        let mut disks = gone.iter();
        if let Some(busy) = disks.find(|disk| !Self::is_volume_available(server, disk)) {
            return Err(busy.name.clone());
        }
        if !gone.is_empty() {
            self.edit_vios(server.partition.uuid, |server, version| {
                server
                    .physical_volumes
                    .retain(|disk| gone.iter().all(|gone| gone.name != disk.name));
                server.storage_version = version;
            });
        }
        Ok(())
    }

    /// The disk of a volume on a Virtual I/O Server: the one that is there, brought up to date, or a new one under the
    /// lowest free name.
    pub(in crate::model) fn make_disk(
        &mut self,
        now: Millis,
        vios: Uuid,
        volume: &SanVolume,
        make: impl FnOnce(String) -> PhysicalVolume,
    ) -> Option<Arc<PhysicalVolume>> {
        let server = self.vioses.get(&vios).map(Arc::clone)?;
        if let Some(disk) = server
            .physical_volumes
            .iter()
            .find(|disk| is_disk_of(disk, volume))
        {
            return Some(self.refresh_disk(now, vios, disk, volume));
        }
        let names: BTreeSet<&str> = server
            .physical_volumes
            .iter()
            .map(|disk| disk.name.as_str())
            .collect();
        let name = (0_u32..)
            .map(|number| format!("hdisk{number}"))
            .find(|name| !names.contains(name.as_str()))?;
        let disk = Arc::new(make(name));
        self.edit_vios(vios, |server, version| {
            server.physical_volumes.push(Arc::clone(&disk));
            server.storage_version = version;
        });
        self.announce_partition(now, Owner::Vios(vios), "Other");
        Some(disk)
    }

    /// A disk takes over size and name of its volume as the storage has them now.
    pub(in crate::model) fn refresh_disk(
        &mut self,
        now: Millis,
        vios: Uuid,
        disk: &Arc<PhysicalVolume>,
        volume: &SanVolume,
    ) -> Arc<PhysicalVolume> {
        let fresh = PhysicalVolume {
            // A volume group or a pool would have to grow with its disk, which takes commands of their own.
            megabytes: if disk.usage == VolumeUsage::Unused {
                volume.megabytes
            } else {
                disk.megabytes
            },
            label: Some(volume.name.clone()),
            content: volume.content.or(disk.content),
            ..(**disk).clone()
        };
        if fresh == **disk {
            return Arc::clone(disk);
        }
        let fresh = Arc::new(fresh);
        self.edit_vios(vios, |server, version| {
            for slot in server
                .physical_volumes
                .iter_mut()
                .filter(|slot| slot.name == fresh.name)
            {
                *slot = Arc::clone(&fresh);
            }
            server.storage_version = version;
        });
        let backing = Backing::PhysicalVolume {
            name: fresh.name.clone(),
        };
        self.touch_buses_of(vios, &backing);
        self.announce_partition(now, Owner::Vios(vios), "Other");
        fresh
    }
}

/// Whether a disk was made of this volume.
#[must_use]
pub fn is_disk_of(disk: &PhysicalVolume, volume: &SanVolume) -> bool {
    match (&disk.naa, &volume.naa) {
        (Some(own), Some(naa)) => own == naa,
        (None, None) => {
            disk.transport != Transport::Local && disk.label.as_ref() == Some(&volume.name)
        }
        _ => false,
    }
}

/// Whether a volume is the one that a page 83 descriptor names: its NAA name at the beginning, plain or in base64.
fn is_the_one(volume: &SanVolume, device_id: Option<&str>) -> bool {
    let (Some(id), Some(naa)) = (device_id, &volume.naa) else {
        return true;
    };
    let begins = |text: &str| text.to_ascii_uppercase().starts_with(naa.as_str());
    let decoded = STANDARD
        .decode(id)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    begins(id) || decoded.is_some_and(|text| begins(&text))
}
