//! `VolumeGroup`: its virtual disks, its media repository and its physical volumes, each list as a whole.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{choice, required, text, value};
use crate::model::Refusal;
use crate::model::command::{
    CreateVolumeGroup, DiskRequest, MediumRequest, RepositoryRequest, UpdateVolumeGroup,
};
use crate::model::names::{MountType, VirtualDiskKind};
use crate::model::storage::VolumeGroup;
use crate::model::units::Gigabytes;

/// A new volume group.
pub(crate) fn create(root: &Element, vios: Uuid) -> Result<CreateVolumeGroup, Refusal> {
    let volumes = root
        .child("PhysicalVolumes")
        .map_or(Ok(Vec::new()), volumes)?;
    Ok(CreateVolumeGroup {
        vios,
        name: required(root, "GroupName")?.to_owned(),
        physical_volumes: volumes,
    })
}

/// A change of a volume group. A repository whose `OpticalMedia` is missing keeps its media; see [`Change::complete`].
#[derive(Clone, Debug)]
pub(crate) struct Change {
    update: UpdateVolumeGroup,
    without_media: Vec<String>,
}

impl Change {
    /// Reads the body.
    pub(crate) fn read(root: &Element, vios: Uuid, group: Uuid) -> Result<Self, Refusal> {
        let mut without_media = Vec::new();
        let disks = root
            .child("VirtualDisks")
            .map(|list| list.children_named("VirtualDisk").map(disk).collect())
            .transpose()?;
        let repositories = match root.child("MediaRepositories") {
            Some(list) => {
                let mut repositories = Vec::new();
                for element in list.children_named("VirtualMediaRepository") {
                    let repository = repository(element)?;
                    if element.child("OpticalMedia").is_none() {
                        without_media.push(repository.name.clone());
                    }
                    repositories.push(repository);
                }
                Some(repositories)
            }
            None => None,
        };
        let physical_volumes = root.child("PhysicalVolumes").map(volumes).transpose()?;
        Ok(Self {
            update: UpdateVolumeGroup {
                vios,
                group,
                disks,
                repositories,
                physical_volumes,
            },
            without_media,
        })
    }

    /// The command, now that the present state of the group is known.
    pub(crate) fn complete(&self, present: Option<&VolumeGroup>) -> UpdateVolumeGroup {
        let mut update = self.update.clone();
        let Some(there) = present.and_then(|group| group.repository.as_ref()) else {
            return update;
        };
        for repository in update.repositories.iter_mut().flatten() {
            if repository.name == there.name && self.without_media.contains(&repository.name) {
                let keep = |name: &String| MediumRequest {
                    name: name.clone(),
                    mount: None,
                    size: None,
                };
                repository.media = there.media.keys().map(keep).collect();
            }
        }
        update
    }
}

fn disk(element: &Element) -> Result<DiskRequest, Refusal> {
    let owned = |name: &str| text(element, name).map(str::to_owned);
    Ok(DiskRequest {
        udid: owned("UniqueDeviceID"),
        name: required(element, "DiskName")?.to_owned(),
        label: owned("DiskLabel"),
        capacity: gigabytes(element, "DiskCapacity")?
            .ok_or_else(|| super::body::incomplete(element, "DiskCapacity"))?,
        base_image: owned("BaseImage"),
        kind: choice(element, "VirtualDiskType", VirtualDiskKind::parse)?,
        file_format: owned("FileFormat"),
        options: super::storage_options::options(element)?,
    })
}

fn repository(element: &Element) -> Result<RepositoryRequest, Refusal> {
    let media = element.child("OpticalMedia");
    let media = media
        .map(|list| {
            list.children_named("VirtualOpticalMedia")
                .map(medium)
                .collect()
        })
        .transpose()?;
    Ok(RepositoryRequest {
        name: required(element, "RepositoryName")?.to_owned(),
        size: gigabytes(element, "RepositorySize")?
            .ok_or_else(|| super::body::incomplete(element, "RepositorySize"))?,
        media: media.unwrap_or_default(),
    })
}

fn medium(element: &Element) -> Result<MediumRequest, Refusal> {
    Ok(MediumRequest {
        name: required(element, "MediaName")?.to_owned(),
        mount: choice(element, "MountType", mount_type)?,
        size: gigabytes(element, "Size")?,
    })
}

/// `r` is how some consoles write `ro`.
fn mount_type(text: &str) -> Option<MountType> {
    if text == "r" {
        Some(MountType::ReadOnly)
    } else {
        MountType::parse(text)
    }
}

fn volumes(list: &Element) -> Result<Vec<String>, Refusal> {
    list.children_named("PhysicalVolume")
        .map(|volume| required(volume, "VolumeName").map(str::to_owned))
        .collect()
}

/// A leaf that holds a size in gigabytes.
pub(crate) fn gigabytes(element: &Element, name: &str) -> Result<Option<Gigabytes>, Refusal> {
    value(element, name, "double", Gigabytes::parse)
}
