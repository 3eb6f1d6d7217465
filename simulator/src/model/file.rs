//! Files: the way of an image or ISO from a client to a disk.

use std::sync::Arc;
use uuid::Uuid;

use super::command::{CreateFile, Outcome};
use super::names::{FileKind, MountType};
use super::refusal::Refusal;
use super::resource::Resource;
use super::storage::{Content, media};
use super::units::Gigabytes;
use super::world::World;
use crate::clock::Millis;

/// `File` of the web service.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// `FileUUID`; written in lower case.
    pub uuid: Uuid,
    /// `Filename`
    pub name: String,
    /// `InternetMediaType`
    pub media_type: String,
    /// `FileEnumType`
    pub kind: FileKind,
    /// `TargetVirtualIOServerUUID`
    pub vios: Uuid,
    /// `TargetDeviceUniqueDeviceID`
    pub device: Option<String>,
    /// `ExpectedFileSizeInBytes`
    pub expected_bytes: Option<u64>,
    /// `SHA256` as it came, lower case.
    pub expected_sha256: Option<String>,
    /// `DateModified`
    pub modified: Millis,
    /// What has been uploaded; its length is `CurrentFileSizeInBytes`.
    pub content: Option<Content>,
    /// Changes with the document.
    pub version: u64,
}

/// The most files that a console keeps.
pub const LIMIT: usize = 100;
/// The longest `Filename`.
pub const NAME_LENGTH: usize = 79;

impl World {
    /// What the bytes will be written to must be there before they come.
    pub(super) fn create_file(
        &mut self,
        now: Millis,
        request: CreateFile,
    ) -> Result<Outcome, Refusal> {
        if self.files.len() >= LIMIT {
            return Err(Refusal::internal(format!(
                "The management console has its maximum of {LIMIT} files. Delete files whose upload is over."
            )));
        }
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if request.name.is_empty()
            || request.name.len() > NAME_LENGTH
            || !request.name.bytes().all(good)
        {
            return Err(Refusal::bad_request(format!(
                "The file name must have 1 to {NAME_LENGTH} letters, digits and _ . -."
            )));
        }
        let digest = request
            .expected_sha256
            .map(|text| text.trim().to_ascii_lowercase())
            .filter(|text| !text.is_empty());
        if digest.as_ref().is_some_and(|text| {
            text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
        }) {
            return Err(Refusal::bad_request(
                "SHA256 must be 64 hexadecimal digits.",
            ));
        }
        let file = File {
            uuid: self.ids.random_uuid(),
            name: request.name,
            media_type: request
                .media_type
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
            kind: request.kind,
            vios: request.vios,
            device: request.device,
            expected_bytes: request.expected_bytes,
            expected_sha256: digest,
            modified: now,
            content: None,
            version: self.touch(),
        };
        self.destination(&file)?;
        let uuid = file.uuid;
        self.files.insert(uuid, Arc::new(file));
        Ok(Outcome::Written(Resource::File(uuid)))
    }

    /// The bytes have come: checks them against what was announced and writes them to their destination.
    pub(super) fn commit_file(
        &mut self,
        now: Millis,
        uuid: Uuid,
        content: Content,
    ) -> Result<Outcome, Refusal> {
        let file = self
            .files
            .get(&uuid)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("File", uuid))?;
        if let Some(expected) = file
            .expected_bytes
            .filter(|expected| *expected != content.bytes)
        {
            return Err(Refusal::bad_request(format!(
                "{} bytes were announced for {}, but {} came.",
                expected, file.name, content.bytes
            )));
        }
        if file
            .expected_sha256
            .as_ref()
            .is_some_and(|expected| *expected != content.sha256_hex())
        {
            return Err(Refusal::bad_request(format!(
                "The SHA-256 of what came for {} is not the one announced.",
                file.name
            )));
        }
        match self.destination(&file)? {
            Destination::Media { group } => self.write_medium(now, &file, group, content)?,
            Destination::Disk {
                group,
                number,
                capacity,
            } => {
                check_fits(&file, capacity, content)?;
                self.write_disk(now, &file, group, number, content);
            }
            Destination::Unit {
                tier,
                unit,
                capacity,
            } => {
                check_fits(&file, capacity, content)?;
                self.check_pool_takes(tier, unit, content)?;
                self.edit_unit(now, tier, unit, |unit| unit.content = Some(content));
            }
        }
        let version = self.touch();
        if let Some(file) = self.files.get_mut(&uuid).map(Arc::make_mut) {
            file.content = Some(content);
            file.modified = now;
            file.version = version;
        }
        Ok(Outcome::Written(Resource::File(uuid)))
    }

    /// Only the file goes; what was made of it stays.
    pub(super) fn delete_file(&mut self, uuid: Uuid) -> Result<Outcome, Refusal> {
        match self.files.remove(&uuid) {
            Some(_) => Ok(Outcome::Deleted(Resource::File(uuid))),
            None => Err(Refusal::not_found("File", uuid)),
        }
    }

    fn destination(&self, file: &File) -> Result<Destination, Refusal> {
        let vios = self.ready_vios(file.vios)?;
        match file.kind {
            FileKind::BrokeredMediaIso => {
                media::check_name(&file.name)?;
                let group = vios.repository_group().ok_or_else(|| {
                    Refusal::internal(format!(
                        "Virtual I/O Server {} has no media repository. Create one first.",
                        vios.partition.name
                    ))
                })?;
                let taken = group
                    .repository
                    .as_ref()
                    .and_then(|repository| repository.media.get(&file.name));
                match taken.filter(|_| file.content.is_none()) {
                    Some(_) => Err(Refusal::internal(format!(
                        "There is a medium {} in the repository of {} already.",
                        file.name, vios.partition.name
                    ))),
                    None => Ok(Destination::Media { group: group.uuid }),
                }
            }
            FileKind::BrokeredDiskImage => {
                let udid = file.device.as_deref().ok_or_else(|| {
                    Refusal::bad_request("A disk image needs TargetDeviceUniqueDeviceID, the UDID of a virtual disk or logical unit.")
                })?;
                let disk = vios.volume_groups.iter().find_map(|group| {
                    let (number, disk) = group.disks.iter().find(|(_, disk)| disk.udid == udid)?;
                    Some(Destination::Disk {
                        group: group.uuid,
                        number: *number,
                        capacity: disk.capacity,
                    })
                });
                disk.or_else(|| self.unit_destination(file.vios, udid))
                    .ok_or_else(|| {
                        Refusal::internal(format!(
                            "Virtual I/O Server {} has no disk with the UDID {udid}.",
                            vios.partition.name
                        ))
                    })
            }
        }
    }

    fn unit_destination(&self, vios: Uuid, udid: &str) -> Option<Destination> {
        self.tiers_of(self.cluster_of(vios)?.pool).find_map(|tier| {
            let unit = tier.unit(udid)?;
            Some(Destination::Unit {
                tier: tier.uuid,
                unit: unit.uuid,
                capacity: unit.capacity,
            })
        })
    }

    fn write_medium(
        &mut self,
        now: Millis,
        file: &File,
        group: Uuid,
        content: Content,
    ) -> Result<(), Refusal> {
        let mut vios = (*self.ready_vios(file.vios)?).clone();
        let unchanged = vios.clone();
        for slot in vios
            .volume_groups
            .iter_mut()
            .filter(|candidate| candidate.uuid == group)
        {
            if let Some(repository) = Arc::make_mut(slot).repository.as_mut() {
                // A second upload of the same file replaces the first.
                if file.content.is_some() {
                    repository.media.remove(&file.name);
                }
                let size = Gigabytes::holding_bytes(content.bytes);
                media::add(
                    &unchanged,
                    repository,
                    &file.name,
                    MountType::ReadWrite,
                    size,
                    Some(content),
                )?;
            }
        }
        self.keep_group(vios, group);
        self.announce_group(now, file.vios, group);
        Ok(())
    }

    fn write_disk(&mut self, now: Millis, file: &File, group: Uuid, number: u32, content: Content) {
        let Some(mut vios) = self.vioses.get(&file.vios).map(|vios| (**vios).clone()) else {
            return;
        };
        for slot in vios
            .volume_groups
            .iter_mut()
            .filter(|candidate| candidate.uuid == group)
        {
            if let Some(disk) = Arc::make_mut(slot).disks.get_mut(&number) {
                Arc::make_mut(disk).content = Some(content);
            }
        }
        self.keep_group(vios, group);
        self.announce_group(now, file.vios, group);
    }

    fn announce_group(&mut self, now: Millis, vios: Uuid, group: Uuid) {
        let kind = super::names::EventKind::ModifyUri;
        self.announce(now, kind, Resource::VolumeGroup { vios, group }, "Other");
        self.announce(now, kind, Resource::VirtualIoServer(vios), "Other");
    }
}

/// Where the bytes of a file go.
enum Destination {
    Media {
        group: Uuid,
    },
    Disk {
        group: Uuid,
        number: u32,
        capacity: Gigabytes,
    },
    Unit {
        tier: Uuid,
        unit: Uuid,
        capacity: Gigabytes,
    },
}

fn check_fits(file: &File, capacity: Gigabytes, content: Content) -> Result<(), Refusal> {
    if content.bytes <= capacity.bytes() {
        return Ok(());
    }
    Err(Refusal::internal(format!(
        "{} has {} bytes and does not fit on its disk of {capacity} GB.",
        file.name, content.bytes
    )))
}
