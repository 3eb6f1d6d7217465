//! Virtual SCSI mappings: which storage of a Virtual I/O Server a partition sees.
//!
//! Everything here edits a Virtual I/O Server's document that was read with the group
//! `ViosSCSIMapping`, and is right when run again on its own result: the edits go through
//! [`crate::transaction`], which repeats them when somebody else came in between.

use std::collections::BTreeSet;

use powervm_schema::storage::{LogicalUnit, VirtualDisk, VirtualOpticalMedia};
use powervm_schema::vios::{
    AdapterType, MappedStorage, Storage, VirtualIoServer, VirtualScsiMapping,
};
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use crate::partition::PartitionUuid;
use crate::storage::names::base_name;
use crate::transaction::Changed;

/// The group that a Virtual I/O Server has to be read with.
pub const GROUP: &str = "ViosSCSIMapping";

/// Devices on one bus before another one is made.
const BUS_LIMIT: usize = 32;

/// A partition as mappings name it.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its UUID.
    pub uuid: PartitionUuid,
    /// Its number; the hypervisor may have taken it from a partition that is gone.
    pub id: Option<u32>,
    /// Its address on the server.
    pub href: String,
}

/// A kind of storage that a mapping serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// A logical unit of a shared storage pool.
    LogicalUnit,
    /// A virtual disk.
    VirtualDisk,
    /// A physical volume.
    PhysicalVolume,
    /// An optical medium.
    OpticalMedia,
}

/// Storage as a mapping names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mapped {
    /// What it is.
    pub kind: Kind,
    /// Its name, without the path of a device.
    pub name: String,
    /// Its unique device identifier, where the mapping tells it.
    pub udid: Option<String>,
    /// Whether it is a logical volume of its server, and not a file or a network device.
    pub is_logical_volume: bool,
}

/// Storage to be mapped.
#[derive(Debug, Clone)]
pub struct Wanted {
    mapped: Mapped,
    element: Element,
    address: Option<String>,
    slot: Option<u32>,
}

impl Wanted {
    /// A logical unit, by name and identifier.
    #[must_use]
    pub fn logical_unit(name: &str, udid: &str) -> Self {
        let mut unit = LogicalUnit::new();
        unit.set_udid(udid).set_name(name);
        Self::of(MappedStorage::LogicalUnit(unit.as_view()), unit.0.clone())
    }

    /// A virtual disk, as its volume group has it.
    #[must_use]
    pub fn virtual_disk(disk: VirtualDisk<&Element>) -> Self {
        let element = disk.element().clone();
        Self::of(MappedStorage::VirtualDisk(disk), element)
    }

    /// An optical medium, by name.
    #[must_use]
    pub fn optical_media(name: &str) -> Self {
        let mut media = VirtualOpticalMedia::new();
        media.set_name(name);
        Self::of(
            MappedStorage::OpticalMedia(media.as_view()),
            media.0.clone(),
        )
    }

    /// What is to be mapped.
    #[must_use]
    pub fn mapped(&self) -> &Mapped {
        &self.mapped
    }

    /// The same at this address on the bus (`LogicalUnitAddress`), where it was before.
    #[must_use]
    pub(crate) fn at(self, address: Option<String>) -> Self {
        Self { address, ..self }
    }

    /// The same on the bus in this slot of the partition.
    #[must_use]
    pub(crate) fn in_slot(self, slot: u32) -> Self {
        Self {
            slot: Some(slot),
            ..self
        }
    }

    /// The slot that its bus is to be in, if that matters.
    pub(crate) fn slot(&self) -> Option<u32> {
        self.slot
    }

    /// The address that it is to have, if that matters.
    pub(crate) fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    pub(crate) fn of(storage: MappedStorage<'_>, element: Element) -> Self {
        Self {
            mapped: Mapped::of(&storage),
            element,
            address: None,
            slot: None,
        }
    }
}

impl Mapped {
    pub(crate) fn of(storage: &MappedStorage<'_>) -> Self {
        let kind = match storage {
            MappedStorage::LogicalUnit(_) => Kind::LogicalUnit,
            MappedStorage::PhysicalVolume(_) => Kind::PhysicalVolume,
            MappedStorage::VirtualDisk(_) => Kind::VirtualDisk,
            MappedStorage::OpticalMedia(_) => Kind::OpticalMedia,
        };
        let is_logical_volume = match storage {
            MappedStorage::VirtualDisk(disk) => is_logical_volume(disk),
            _ => false,
        };
        let name = storage.name().unwrap_or_default();
        // Files in different directories may have the same last name.
        let is_path = kind == Kind::VirtualDisk && !is_logical_volume;
        let name = if is_path { name } else { base_name(name) };
        Self {
            kind,
            name: name.to_owned(),
            udid: storage.udid().map(str::to_owned),
            is_logical_volume,
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let by_udid = match (&self.udid, &other.udid) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        };
        self.kind == other.kind && self.name == other.name && by_udid
    }
}

/// Whether a virtual disk is a logical volume; servers that do not say know no others.
pub(crate) fn is_logical_volume(disk: &VirtualDisk<&Element>) -> bool {
    disk.disk_type()
        .is_ok_and(|kind| kind.is_none_or(|kind| kind.as_str() == "LogicalVolume"))
}

/// What a mapping maps, if anything.
#[must_use]
pub fn mapped(mapping: VirtualScsiMapping<&Element>) -> Option<Mapped> {
    mapping
        .storage()?
        .mapped()
        .map(|storage| Mapped::of(&storage))
}

/// The partition that a mapping is for.
#[must_use]
pub fn client_of(mapping: VirtualScsiMapping<&Element>) -> Option<PartitionUuid> {
    let href = mapping.partition_href()?;
    let path = href.split('?').next().unwrap_or_default();
    PartitionUuid::parse(path.trim_end_matches('/').rsplit('/').next()?)
}

/// Sees to it that the partition sees each of `wanted`, and that it inherits nothing from a
/// partition that had its number before.
pub fn map(vios: &mut Element, client: &Client, wanted: &[Wanted]) -> Changed {
    let mut vios = VirtualIoServer(vios);
    let mut changed = remove_inherited(&mut vios, client);
    for storage in wanted {
        let is_there = vios.scsi_mappings().any(|mapping| {
            client_of(mapping.as_view()) == Some(client.uuid)
                && mapped(mapping).is_some_and(|found| found.is_same(&storage.mapped))
        });
        if !is_there {
            let mapping = new_mapping(&vios, client, storage);
            vios.push_scsi_mapping(mapping);
            changed = true;
        }
    }
    changed.into()
}

/// Takes out every mapping of the partition, those without storage or client adapter included, and
/// adds what they mapped to `removed`.
pub fn unmap(vios: &mut Element, client: &Client, removed: &mut BTreeSet<Mapped>) -> Changed {
    let mut changed = false;
    VirtualIoServer(vios).retain_scsi_mappings(|mapping| {
        let goes = client_of(mapping.as_view()) == Some(client.uuid)
            || is_inherited(mapping.as_view(), client);
        if goes {
            changed = true;
            // What a partition had that is gone may be in use elsewhere by now.
            if client_of(mapping.as_view()) == Some(client.uuid) {
                removed.extend(mapped(mapping));
            }
        }
        !goes
    });
    changed.into()
}

/// What a partition has, without taking it away.
#[must_use]
pub fn mapped_to(vios: &Element, client: PartitionUuid) -> BTreeSet<Mapped> {
    VirtualIoServer(vios)
        .scsi_mappings()
        .filter(|mapping| client_of(mapping.as_view()) == Some(client))
        .filter_map(|mapping| mapped(mapping.as_view()))
        .collect()
}

/// Numbers of partitions are used again: a mapping that names this partition's number and another
/// partition, or none, is left over from one that is gone.
fn is_inherited(mapping: VirtualScsiMapping<&Element>, client: &Client) -> bool {
    let Some(id) = client.id else { return false };
    let number = mapping
        .server_adapter()
        .and_then(|server| server.adapter().remote_partition_id().ok().flatten());
    number == Some(id) && client_of(mapping) != Some(client.uuid)
}

fn remove_inherited(vios: &mut VirtualIoServer<&mut Element>, client: &Client) -> bool {
    let mut found = 0;
    vios.retain_scsi_mappings(|mapping| {
        let goes = is_inherited(mapping, client);
        found += usize::from(goes);
        !goes
    });
    if found > 0 {
        tracing::warn!(found, partition = %client.uuid, "removing mappings of a partition that is gone");
    }
    found > 0
}

/// A mapping on a bus that the partition has already, or on a new one.
fn new_mapping(
    vios: &VirtualIoServer<&mut Element>,
    client: &Client,
    wanted: &Wanted,
) -> VirtualScsiMapping {
    if let Some(bus) = bus_with_room(vios, client, wanted.slot) {
        return behind(&bus, wanted);
    }
    let mut mapping = VirtualScsiMapping::new();
    mapping.set_partition_href(&client.href);
    let mut adapter = mapping.client_adapter_mut();
    let mut own = adapter.adapter_mut();
    own.set_adapter_type(AdapterType::Client);
    match wanted.slot {
        Some(slot) => own.set_slot(slot),
        None => own.set_use_next_available_slot(true),
    };
    let mut adapter = mapping.server_adapter_mut();
    adapter
        .adapter_mut()
        .set_adapter_type(AdapterType::Server)
        .set_use_next_available_slot(true);
    holding(mapping, wanted)
}

/// A mapping on the bus of another one.
pub(crate) fn behind(bus: &VirtualScsiMapping<&Element>, wanted: &Wanted) -> VirtualScsiMapping {
    let mut mapping = VirtualScsiMapping::new();
    // The bus is named by both of its adapters exactly as they were read.
    for part in [
        "AssociatedLogicalPartition",
        "ClientAdapter",
        "ServerAdapter",
    ] {
        if let Some(element) = bus.element().child(part) {
            mapping
                .0
                .insert_ordered(element.clone(), VirtualScsiMapping::ORDER);
        }
    }
    holding(mapping, wanted)
}

fn holding(mut mapping: VirtualScsiMapping, wanted: &Wanted) -> VirtualScsiMapping {
    let mut storage: Storage<&mut Element> = mapping.storage_mut();
    storage.element_mut().push(wanted.element.clone());
    if let Some(address) = &wanted.address {
        let mut target = mapping.target_device_mut();
        let mut device = match wanted.mapped.kind {
            Kind::LogicalUnit => target.logical_unit_mut(),
            Kind::VirtualDisk => target.logical_volume_mut(),
            Kind::PhysicalVolume => target.physical_volume_mut(),
            Kind::OpticalMedia => target.optical_mut(),
        };
        device.set_lua(address.clone());
    }
    mapping
}

fn bus_with_room<'v>(
    vios: &'v VirtualIoServer<&mut Element>,
    client: &Client,
    slot: Option<u32>,
) -> Option<VirtualScsiMapping<&'v Element>> {
    let in_slot = |mapping: &VirtualScsiMapping<&'v Element>| {
        let own = mapping.client_adapter()?.adapter().slot().ok().flatten();
        Some(slot.is_none() || slot == own)
    };
    let udid =
        |mapping: &VirtualScsiMapping<&'v Element>| mapping.server_adapter()?.adapter().udid();
    let mine: Vec<_> = vios
        .scsi_mappings()
        .filter(|mapping| {
            client_of(mapping.as_view()) == Some(client.uuid) && in_slot(mapping) == Some(true)
        })
        .collect();
    mine.iter()
        .find(|mapping| {
            let bus = udid(mapping);
            bus.is_some() && mine.iter().filter(|other| udid(other) == bus).count() < BUS_LIMIT
        })
        .map(VirtualScsiMapping::as_view)
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
