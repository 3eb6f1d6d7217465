//! Jobs about the disks of a Virtual I/O Server, and port names for virtual Fibre Channel adapters
//! (`docs/protocol/san.md`).

use powervm_schema::xml::{Element, Namespace};
use std::sync::Arc;
use uuid::Uuid;

use super::Job;
use super::catalogue::Operation;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::resource::Owner;
use crate::model::san::Protocol;
use crate::model::san::discovery::is_disk_of;
use crate::model::storage::{PhysicalVolume, VolumeUsage};
use crate::model::units::Gigabytes;
use crate::model::vios::{Backing, VirtualIoServer};
use crate::model::world::World;

/// The most pairs of port names that one job hands out.
const PAIRS: u32 = 8;

impl World {
    pub(super) fn run_device_job(&mut self, now: Millis, operation: Operation, job: &Job) -> End {
        let server = match job.target.uuid().map(|vios| self.ready_vios(vios)) {
            Some(Ok(server)) => server,
            Some(Err(refusal)) => return End::Failed(refusal.message),
            None => return End::Exception("The job needs a Virtual I/O Server.".to_owned()),
        };
        let vios = server.partition.uuid;
        let needed = |name: &str| {
            job.parameter(name)
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| End::Exception(format!("The parameter {name} is missing.")))
        };
        let ended = match operation {
            Operation::RemoveDevice => needed("devName").map(|device| {
                self.remove_device(now, vios, device)
                    .map_or_else(End::Failed, |()| result(String::new()))
            }),
            Operation::ConfigDevice => {
                let made = self.discover_all(now, vios);
                Ok(result(format!("{made} devices were configured.")))
            }
            Operation::GetFreePhysicalVolumes => Ok(result(free_volumes(&server))),
            Operation::RescanVirtualDisk => {
                needed("VirtualDiskUDID").map(|udid| self.rescan(now, &server, udid))
            }
            Operation::RbdExists => needed("name").map(|name| {
                let exists = self.san.external(Protocol::Rbd, name).is_some();
                End::Ok(vec![
                    ("result".to_owned(), String::new()),
                    ("exists".to_owned(), exists.to_string()),
                ])
            }),
            _ => Err(End::Exception("REST0006 No such Operation.".to_owned())),
        };
        ended.unwrap_or_else(|exception| exception)
    }

    /// A disk leaves the device list of a Virtual I/O Server, unless something uses it.
    pub(super) fn remove_device(
        &mut self,
        now: Millis,
        vios: Uuid,
        device: &str,
    ) -> Result<(), String> {
        let server = self
            .vioses
            .get(&vios)
            .map(Arc::clone)
            .ok_or_else(|| "HSCL8012 The Virtual I/O Server was not found.".to_owned())?;
        let Some(volume) = server.physical_volume(device) else {
            return Err(format!(
                "HSCL2970 The IOServer command on {} has failed: there is no device {device}.",
                server.partition.name
            ));
        };
        if !Self::is_volume_available(&server, volume) {
            return Err(format!(
                "HSCL2970 The IOServer command on {} has failed: device {device} is busy.",
                server.partition.name
            ));
        }
        self.edit_vios(vios, |server, version| {
            server
                .physical_volumes
                .retain(|volume| volume.name != device);
            server.storage_version = version;
        });
        self.announce_partition(now, Owner::Vios(vios), "Other");
        Ok(())
    }

    /// A disk, or a file that is served as one, takes over the size that the storage has given it.
    fn rescan(&mut self, now: Millis, server: &Arc<VirtualIoServer>, udid: &str) -> End {
        let vios = server.partition.uuid;
        let san = Arc::clone(&self.san);
        let disk = server
            .physical_volumes
            .iter()
            .find(|disk| disk.udid == udid);
        if let Some(disk) = disk {
            if let Some(volume) = san.volumes.values().find(|volume| is_disk_of(disk, volume)) {
                self.refresh_disk(now, vios, disk, volume);
            }
            return rescanned();
        }
        let external = server
            .external_disks
            .values()
            .find(|disk| disk.udid == udid);
        if let Some(disk) = external {
            let sources = [Protocol::File, Protocol::Rbd].map(|way| san.external(way, &disk.name));
            if let Some(volume) = sources.into_iter().flatten().next() {
                let (name, size) = (
                    disk.name.clone(),
                    Gigabytes::from_megabytes(volume.megabytes),
                );
                if disk.capacity == size {
                    return rescanned();
                }
                self.edit_vios(vios, |server, _| {
                    if let Some(disk) = server.external_disks.get_mut(&name).map(Arc::make_mut) {
                        disk.capacity = size;
                    }
                });
                self.touch_buses_of(vios, &Backing::External { name });
            }
            return rescanned();
        }
        let of_group = server
            .volume_groups
            .iter()
            .any(|group| group.disk(udid).is_some());
        let pool = self.cluster_of(vios).map(|cluster| cluster.pool);
        let mut tiers = pool.into_iter().flat_map(|pool| self.tiers_of(pool));
        if of_group || tiers.any(|tier| tier.unit(udid).is_some()) {
            return rescanned();
        }
        End::FailedWith(
            format!(
                "There is no virtual disk {udid} on Virtual I/O Server {}.",
                server.partition.name
            ),
            vec![("RETURN_CODE".to_owned(), "-1".to_owned())],
        )
    }

    /// `wwpnList`: port names of new pairs, all in one list.
    pub(super) fn hand_out_wwpns(&mut self, job: &Job) -> End {
        let count = job.parameter("numberPairsRequested").map(str::trim);
        let count = count.and_then(|text| text.parse::<u32>().ok());
        let (Some(count @ 1..=PAIRS), Some(system)) = (count, job.target.uuid()) else {
            return End::Exception(format!(
                "The parameter numberPairsRequested is a number from 1 to {PAIRS}."
            ));
        };
        let before = self.clone();
        let mut names = Vec::new();
        for _ in 0..count {
            match self.next_wwpns(system) {
                Ok(pair) => names.extend(pair.map(|wwpn| format!("{wwpn:016x}"))),
                Err(refusal) => {
                    *self = before;
                    return End::Failed(refusal.message);
                }
            }
        }
        End::Ok(vec![
            ("result".to_owned(), String::new()),
            ("wwpnList".to_owned(), names.join(",")),
        ])
    }
}

fn result(text: String) -> End {
    End::Ok(vec![("result".to_owned(), text)])
}

fn rescanned() -> End {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    End::Ok(vec![pair("result", ""), pair("RETURN_CODE", "0")])
}

/// `PhysicalVolume_Collection`: the disks that neither the server nor a client has.
fn free_volumes(server: &VirtualIoServer) -> String {
    let free = server
        .physical_volumes
        .iter()
        .filter(|volume| World::is_volume_available(server, volume));
    let mut list = Element::new(Namespace::Uom, "PhysicalVolume_Collection");
    for volume in free {
        list.push(free_volume(volume));
    }
    list.to_xml()
}

fn free_volume(volume: &PhysicalVolume) -> Element {
    let entry = Element::new(Namespace::Uom, "PhysicalVolume")
        .with_leaf("Description", volume.description.as_str())
        .with_leaf("LocationCode", volume.location.as_str())
        .with_leaf("ReservePolicy", volume.reserve_policy.as_str());
    entry
        .with_leaf("UniqueDeviceID", volume.udid.as_str())
        .with_leaf(
            "AvailableForUsage",
            (volume.usage == VolumeUsage::Unused).to_string(),
        )
        .with_leaf("VolumeCapacity", volume.megabytes.to_string())
        .with_leaf("VolumeName", volume.name.as_str())
        .with_leaf("VolumeState", volume.state.as_str())
        .with_leaf("VolumeUniqueID", volume.unique_id.as_str())
        .with_leaf(
            "IsFibreChannelBacked",
            volume.is_fibre_channel().to_string(),
        )
}
