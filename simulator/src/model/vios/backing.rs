//! From the name of a piece of storage to the storage itself, and back.

use std::sync::Arc;
use uuid::Uuid;

use super::{Backing, ExternalDisk, VirtualIoServer};
use crate::model::command::StorageName;
use crate::model::pool::LogicalUnit;
use crate::model::refusal::Refusal;
use crate::model::storage::{Content, OpticalMedium, PhysicalVolume, VirtualDisk, VolumeUsage};
use crate::model::world::World;

/// The storage behind a [`Backing`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A logical unit.
    LogicalUnit(Arc<LogicalUnit>),
    /// A physical volume.
    PhysicalVolume(Arc<PhysicalVolume>),
    /// A virtual disk.
    VirtualDisk(Arc<VirtualDisk>),
    /// A virtual optical medium.
    OpticalMedium(Arc<OpticalMedium>),
    /// A file or Ceph image.
    External(Arc<ExternalDisk>),
}

impl Storage {
    /// Its name: `BackingDeviceName` of the server adapter.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::LogicalUnit(unit) => &unit.name,
            Self::PhysicalVolume(volume) => &volume.name,
            Self::VirtualDisk(disk) => &disk.name,
            Self::OpticalMedium(medium) => &medium.name,
            Self::External(disk) => &disk.name,
        }
    }

    /// What lies on it, if anything is known.
    #[must_use]
    pub fn content(&self) -> Option<Content> {
        match self {
            Self::LogicalUnit(unit) => unit.content,
            Self::PhysicalVolume(volume) => volume.content,
            Self::VirtualDisk(disk) => disk.content,
            Self::OpticalMedium(medium) => medium.content,
            Self::External(disk) => disk.content,
        }
    }
}

impl World {
    /// The storage behind a device of a Virtual I/O Server.
    #[must_use]
    pub fn storage(&self, vios: &VirtualIoServer, backing: &Backing) -> Option<Storage> {
        Some(match backing {
            Backing::LogicalUnit { tier, unit } => {
                Storage::LogicalUnit(Arc::clone(self.logical_unit(*tier, *unit)?))
            }
            Backing::PhysicalVolume { name } => {
                Storage::PhysicalVolume(Arc::clone(vios.physical_volume(name)?))
            }
            Backing::VirtualDisk { group, udid } => {
                Storage::VirtualDisk(Arc::clone(vios.volume_group(*group)?.disk(udid)?))
            }
            Backing::OpticalMedium { group, name } => {
                let repository = vios.volume_group(*group)?.repository.as_ref()?;
                Storage::OpticalMedium(Arc::clone(repository.media.get(name)?))
            }
            Backing::External { name } => {
                Storage::External(Arc::clone(vios.external_disks.get(name)?))
            }
        })
    }

    /// `AvailableForUsage` of a physical volume: neither the Virtual I/O Server nor a client has it.
    #[must_use]
    pub fn is_volume_available(vios: &VirtualIoServer, volume: &PhysicalVolume) -> bool {
        volume.usage == VolumeUsage::Unused
            && !vios.maps(&Backing::PhysicalVolume {
                name: volume.name.clone(),
            })
    }

    /// Finds what a mapping names on this Virtual I/O Server: a logical unit in the pool of its cluster, a volume, a
    /// virtual disk in any volume group, a medium in the repository. A UDID decides; the name counts without one.
    pub(super) fn find_storage(
        &self,
        vios: &VirtualIoServer,
        name: &StorageName,
    ) -> Result<Backing, Refusal> {
        let found = match name {
            StorageName::LogicalUnit { udid, name } => {
                self.find_unit(vios.partition.uuid, udid.as_deref(), name.as_deref())
            }
            StorageName::PhysicalVolume { udid, name } => {
                return find_volume(vios, udid.as_deref(), name.as_deref());
            }
            StorageName::VirtualDisk { udid, name } => {
                find_disk(vios, udid.as_deref(), name.as_deref())
            }
            StorageName::External(name) => Some(Backing::External {
                name: name.name.clone(),
            }),
            StorageName::OpticalMedium { name } => vios.repository_group().and_then(|group| {
                let medium = group.repository.as_ref()?.media.get(name)?;
                Some(Backing::OpticalMedium {
                    group: group.uuid,
                    name: medium.name.clone(),
                })
            }),
        };
        found.ok_or_else(|| unknown(vios, name))
    }

    fn find_unit(&self, vios: Uuid, udid: Option<&str>, name: Option<&str>) -> Option<Backing> {
        let cluster = self.cluster_of(vios)?;
        self.tiers_of(cluster.pool).find_map(|tier| {
            let unit = match udid {
                Some(udid) => tier.unit(udid),
                None => name.and_then(|name| tier.units.named(name).next()),
            };
            unit.map(|unit| Backing::LogicalUnit {
                tier: tier.uuid,
                unit: unit.uuid,
            })
        })
    }
}

fn find_disk(vios: &VirtualIoServer, udid: Option<&str>, name: Option<&str>) -> Option<Backing> {
    vios.volume_groups.iter().find_map(|group| {
        let disk = match udid {
            Some(udid) => group.disk(udid),
            None => group
                .disks
                .values()
                .find(|disk| Some(disk.name.as_str()) == name),
        };
        disk.map(|disk| Backing::VirtualDisk {
            group: group.uuid,
            udid: disk.udid.clone(),
        })
    })
}

fn find_volume(
    vios: &VirtualIoServer,
    udid: Option<&str>,
    name: Option<&str>,
) -> Result<Backing, Refusal> {
    let wanted = |volume: &&Arc<PhysicalVolume>| match (name, udid) {
        (Some(name), _) => volume.name == name,
        (None, udid) => Some(volume.udid.as_str()) == udid,
    };
    let asked = || StorageName::PhysicalVolume {
        udid: udid.map(str::to_owned),
        name: name.map(str::to_owned),
    };
    let volume = vios
        .physical_volumes
        .iter()
        .find(wanted)
        .ok_or_else(|| unknown(vios, &asked()))?;
    if volume.usage != VolumeUsage::Unused {
        return Err(Refusal::internal(format!(
            "HSCL2970 The IOServer command on {} has failed: {} belongs to a volume group or a shared storage pool.",
            vios.partition.name, volume.name
        )));
    }
    Ok(Backing::PhysicalVolume {
        name: volume.name.clone(),
    })
}

fn unknown(vios: &VirtualIoServer, name: &StorageName) -> Refusal {
    let (kind, name) = match name {
        StorageName::LogicalUnit { udid, name } => {
            ("logical unit", name.as_deref().or(udid.as_deref()))
        }
        StorageName::PhysicalVolume { udid, name } => {
            ("physical volume", name.as_deref().or(udid.as_deref()))
        }
        StorageName::VirtualDisk { udid, name } => {
            ("virtual disk", name.as_deref().or(udid.as_deref()))
        }
        StorageName::OpticalMedium { name } => ("virtual optical media", Some(name.as_str())),
        StorageName::External(name) => ("file or image", Some(name.name.as_str())),
    };
    Refusal::internal(format!(
        "HSCL2970 The IOServer command has failed because of the following reason: there is no {kind} {} on Virtual I/O Server {}.",
        name.unwrap_or("without a name"),
        vios.partition.name
    ))
}
