//! Files and Ceph images that a Virtual I/O Server serves as virtual disks: there only while they are mapped
//! (`docs/protocol/san.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::{Backing, VirtualIoServer};
use crate::model::command::ExternalName;
use crate::model::names::{BackStoreType, Flavor, VirtualDiskKind};
use crate::model::refusal::Refusal;
use crate::model::san::Protocol;
use crate::model::storage::Content;
use crate::model::units::Gigabytes;
use crate::model::world::World;

/// A `VirtualDisk` of type `File` or `RBD`.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ExternalDisk {
    /// `DiskName` and `DiskLabel`: the path of a file, or `pool/image`.
    pub name: String,
    /// `UniqueDeviceID`: a UUID made from the name (recording `fake_vios_hosting_vios_feed`).
    pub udid: String,
    /// `VirtualDiskType`
    pub kind: VirtualDiskKind,
    /// `BackStoreType`
    pub back_store: Option<BackStoreType>,
    /// `RbdUser`
    pub rbd_user: Option<String>,
    /// `Tag`
    pub tag: Option<String>,
    /// `DiskCapacity`, as last looked at.
    pub capacity: Gigabytes,
    /// What lies on it, as far as known.
    pub content: Option<Content>,
}

impl World {
    /// The disk of this name that a mapping is about to serve: the one that is served already, or what the storage has.
    pub(super) fn open_external(
        &mut self,
        vios: &VirtualIoServer,
        wish: &ExternalName,
    ) -> Result<Backing, Refusal> {
        let backing = Backing::External {
            name: wish.name.clone(),
        };
        if vios.external_disks.contains_key(&wish.name) {
            return Ok(backing);
        }
        let refuse = |why: String| {
            Refusal::internal(format!(
                "HSCL2970 The IOServer command on {} has failed: {why}",
                vios.partition.name
            ))
        };
        if self.flavor == Flavor::Hmc {
            return Err(refuse(format!(
                "a virtual disk of type {} is not supported on this Virtual I/O Server.",
                wish.kind
            )));
        }
        let protocol = match wish.kind {
            VirtualDiskKind::Rbd => Protocol::Rbd,
            VirtualDiskKind::File | VirtualDiskKind::LogicalVolume => Protocol::File,
        };
        let volume = self
            .san
            .external(protocol, &wish.name)
            .ok_or_else(|| refuse(format!("there is no file or image {}.", wish.name)))?;
        let disk = ExternalDisk {
            name: wish.name.clone(),
            udid: Uuid::new_v3(&Uuid::NAMESPACE_URL, wish.name.as_bytes()).to_string(),
            kind: wish.kind,
            back_store: wish.back_store,
            rbd_user: wish.rbd_user.clone(),
            tag: wish.tag.clone(),
            capacity: Gigabytes::from_megabytes(volume.megabytes),
            content: volume.content,
        };
        self.edit_vios(vios.partition.uuid, |server, version| {
            server
                .external_disks
                .insert(disk.name.clone(), Arc::new(disk));
            server.mappings_version = version;
        });
        Ok(backing)
    }

    /// Closes what no mapping serves any more.
    pub(super) fn close_external(&mut self, vios: Uuid, name: &str) {
        let backing = Backing::External {
            name: name.to_owned(),
        };
        if self
            .vioses
            .get(&vios)
            .is_some_and(|server| !server.maps(&backing))
        {
            self.edit_vios(vios, |server, _| {
                server.external_disks.remove(name);
            });
        }
    }
}
