//! Volumes among the virtual SCSI mappings: which a partition has, and edits that add and remove single
//! ones.

use std::collections::BTreeSet;

use powervm_schema::storage::{BackStoreType, PhysicalVolume, VirtualDisk, VirtualDiskType};
use powervm_schema::vios::{MappedStorage, VirtualIoServer, VirtualScsiMapping};
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use super::mapping::{Client, Kind, Mapped, Wanted, client_of, mapped};
use crate::transaction::Changed;

/// What a server adapter names as its partition when any may come.
const ANY_PARTITION: u32 = 65_535;

/// A volume as a Virtual I/O Server serves it to a partition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Served {
    /// What is mapped.
    pub(crate) mapped: Mapped,
    /// What the client that mapped it has written on it: the volume's identifier.
    pub(crate) tag: Option<String>,
    /// Its address on the bus.
    pub(crate) address: Option<String>,
    #[serde(with = "as_text")]
    element: Element,
}

/// A document as its text.
mod as_text {
    use powervm_schema::xml::Element;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        element: &Element,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&element.to_xml())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Element, D::Error> {
        let text = String::deserialize(deserializer)?;
        Element::parse(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}

impl Served {
    /// The same, to be mapped again.
    pub(crate) fn again(&self) -> Option<Wanted> {
        let storage = match self.mapped.kind {
            Kind::PhysicalVolume => MappedStorage::PhysicalVolume(PhysicalVolume(&self.element)),
            Kind::VirtualDisk => MappedStorage::VirtualDisk(VirtualDisk(&self.element)),
            Kind::LogicalUnit | Kind::OpticalMedia => return None,
        };
        let wanted = Wanted::of(storage, self.element.clone());
        Some(wanted.at(self.address.clone()))
    }
}

/// A disk of a Virtual I/O Server, marked with the volume's identifier.
pub(crate) fn disk(name: &str, udid: Option<&str>, volume: &str) -> Wanted {
    let mut disk = PhysicalVolume::new();
    disk.storage_mut().set_tag(volume);
    disk.set_name(name);
    if let Some(udid) = udid {
        disk.set_udid(udid);
    }
    Wanted::of(
        MappedStorage::PhysicalVolume(disk.as_view()),
        disk.0.clone(),
    )
}

/// A file on the management partition, marked with the volume's identifier.
pub(crate) fn file(path: &str, volume: &str) -> Wanted {
    let mut disk = VirtualDisk::new();
    disk.storage_mut().set_tag(volume);
    disk.set_name(path)
        .set_disk_type(VirtualDiskType::File)
        .set_back_store_type(BackStoreType::Loop);
    Wanted::of(MappedStorage::VirtualDisk(disk.as_view()), disk.0.clone())
}

/// A Ceph image, marked with the volume's identifier.
pub(crate) fn image(name: &str, user: Option<&str>, volume: &str) -> Wanted {
    let mut disk = VirtualDisk::new();
    disk.storage_mut().set_tag(volume);
    disk.set_name(name)
        .set_disk_type(VirtualDiskType::Rbd)
        .set_back_store_type(BackStoreType::UserRbd);
    if let Some(user) = user {
        disk.set_rbd_user(user);
    }
    Wanted::of(MappedStorage::VirtualDisk(disk.as_view()), disk.0.clone())
}

/// What a Virtual I/O Server serves to the partition: disks, files and images.
pub(crate) fn served_to(vios: &Element, client: &Client) -> Vec<Served> {
    VirtualIoServer(vios)
        .scsi_mappings()
        .filter(|mapping| client_of(mapping.as_view()) == Some(client.uuid))
        .filter_map(|mapping| served(&mapping))
        .collect()
}

fn served(mapping: &VirtualScsiMapping<&Element>) -> Option<Served> {
    let storage = mapping.storage()?.mapped()?;
    let (element, tag) = match &storage {
        MappedStorage::PhysicalVolume(disk) => (disk.0, disk.storage().tag()),
        MappedStorage::VirtualDisk(disk) => (disk.0, disk.storage().tag()),
        MappedStorage::LogicalUnit(_) | MappedStorage::OpticalMedia(_) => return None,
    };
    let target = mapping.target_device().and_then(|target| target.device());
    Some(Served {
        mapped: Mapped::of(&storage),
        tag: tag.filter(|tag| !tag.is_empty()).map(str::to_owned),
        address: target.and_then(|device| device.lua()).map(str::to_owned),
        element: element.clone(),
    })
}

/// What the client that made a mapping has written on it: a volume's identifier.
pub(crate) fn tag_of(mapping: &VirtualScsiMapping<&Element>) -> Option<String> {
    served(mapping)?.tag
}

/// Takes these of the partition's mappings away, and no others.
pub(crate) fn unmap(vios: &mut Element, client: &Client, these: &[Mapped]) -> Changed {
    let mut changed = false;
    VirtualIoServer(vios).retain_scsi_mappings(|mapping| {
        let goes = client_of(mapping.as_view()) == Some(client.uuid)
            && mapped(mapping).is_some_and(|found| these.iter().any(|this| this.is_same(&found)));
        changed |= goes;
        !goes
    });
    changed.into()
}

/// Whether a mapping serves this disk to anybody.
pub(crate) fn is_served(vios: &Element, disk: &str) -> bool {
    VirtualIoServer(vios).scsi_mappings().any(|mapping| {
        mapped(mapping)
            .is_some_and(|found| found.kind == Kind::PhysicalVolume && found.name == disk)
    })
}

/// Whether a mapping that is marked with this volume's identifier serves it to anybody.
pub(crate) fn is_tagged(vios: &Element, volume: &str) -> bool {
    VirtualIoServer(vios)
        .scsi_mappings()
        .filter_map(|mapping| served(&mapping))
        .any(|served| served.tag.as_deref() == Some(volume))
}

/// The partitions that mappings name by number. Those for any partition name none.
pub(crate) fn partitions_named(vios: &Element) -> BTreeSet<u32> {
    let vios = VirtualIoServer(vios);
    vios.scsi_mappings()
        .filter_map(|mapping| partition_named(&mapping))
        .collect()
}

fn partition_named(mapping: &VirtualScsiMapping<&Element>) -> Option<u32> {
    let number = mapping
        .server_adapter()?
        .adapter()
        .remote_partition_id()
        .ok()
        .flatten();
    number.filter(|number| *number != ANY_PARTITION && *number != 0)
}

/// Takes all mappings away that name one of these partitions, which are gone.
pub(crate) fn remove_partitions(vios: &mut Element, gone: &BTreeSet<u32>) -> Changed {
    let mut changed = false;
    VirtualIoServer(vios).retain_scsi_mappings(|mapping| {
        let goes = partition_named(&mapping).is_some_and(|number| gone.contains(&number));
        changed |= goes;
        !goes
    });
    changed.into()
}
