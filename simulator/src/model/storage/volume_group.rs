//! A posted volume group against the one that is there (`docs/protocol/storage.md`).

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{StorageOptions, VirtualDisk, VolumeGroup, VolumeUsage, media};
use crate::clock::Millis;
use crate::model::command::{CreateVolumeGroup, DiskRequest, Outcome, UpdateVolumeGroup};
use crate::model::names::{EventKind, VirtualDiskKind};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::units::Gigabytes;
use crate::model::vios::{Backing, VirtualIoServer};
use crate::model::world::World;

/// The longest name of a virtual disk or volume group.
pub const NAME_LENGTH: usize = 15;

impl World {
    pub(in crate::model) fn create_volume_group(
        &mut self,
        now: Millis,
        request: CreateVolumeGroup,
    ) -> Result<Outcome, Refusal> {
        let vios = self.ready_vios(request.vios)?;
        check_name(&request.name)?;
        if vios
            .volume_groups
            .iter()
            .any(|group| group.name == request.name)
        {
            return Err(failed(
                &vios,
                &format!("the volume group {} exists already.", request.name),
            ));
        }
        if request.physical_volumes.is_empty() {
            return Err(failed(
                &vios,
                "a volume group needs at least one physical volume.",
            ));
        }
        let uuid = self.ids.named_uuid();
        let serial = format!("00f8d6de{}", self.ids.hex(24));
        let mut group = VolumeGroup {
            uuid,
            name: request.name,
            serial,
            capacity: Gigabytes::ZERO,
            reserved: Gigabytes::ZERO,
            partition_size: 64,
            maximum_volumes: 1024,
            physical_volumes: Vec::new(),
            disks: imbl::OrdMap::new(),
            next_disk: 1,
            repository: None,
            version: 0,
        };
        let mut server = (*vios).clone();
        for name in &request.physical_volumes {
            add_volume(&mut server, &mut group, name)?;
        }
        server.volume_groups.push(Arc::new(group));
        let resource = Resource::VolumeGroup {
            vios: request.vios,
            group: uuid,
        };
        self.keep_group(server, uuid);
        self.announce(now, EventKind::AddUri, resource, "");
        self.announce(
            now,
            EventKind::ModifyUri,
            Resource::VirtualIoServer(request.vios),
            "Other",
        );
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn update_volume_group(
        &mut self,
        now: Millis,
        request: UpdateVolumeGroup,
    ) -> Result<Outcome, Refusal> {
        let vios = self.ready_vios(request.vios)?;
        let before = vios.volume_group(request.group).map(Arc::clone);
        let before = before.ok_or_else(|| Refusal::not_found("VolumeGroup", request.group))?;
        let mut server = (*vios).clone();
        let mut group = (*before).clone();
        if let Some(volumes) = &request.physical_volumes {
            replace_volumes(&mut server, &mut group, volumes)?;
        }
        if let Some(disks) = request.disks {
            replace_disks(&vios, &mut group, disks)?;
        }
        if let Some(repositories) = request.repositories {
            media::replace_repository(&vios, &mut group, repositories)?;
        }
        let resource = Resource::VolumeGroup {
            vios: request.vios,
            group: request.group,
        };
        if group == *before {
            return Ok(Outcome::Written(resource));
        }
        if group.allocated() > group.capacity {
            return Err(no_space(&vios, &group));
        }
        let changed = group.disks.iter().filter(|(number, disk)| {
            before
                .disks
                .get(*number)
                .is_some_and(|old| old.capacity != disk.capacity || old.options != disk.options)
        });
        let changed: Vec<String> = changed.map(|(_, disk)| disk.udid.clone()).collect();
        for slot in server
            .volume_groups
            .iter_mut()
            .filter(|slot| slot.uuid == request.group)
        {
            *slot = Arc::new(group.clone());
        }
        if !changed.is_empty() {
            server.mappings_version = self.touch();
        }
        self.keep_group(server, request.group);
        for udid in changed {
            let group = request.group;
            self.touch_buses_of(request.vios, &Backing::VirtualDisk { group, udid });
        }
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        self.announce(
            now,
            EventKind::ModifyUri,
            Resource::VirtualIoServer(request.vios),
            "Other",
        );
        Ok(Outcome::Written(resource))
    }

    /// A Virtual I/O Server whose storage can be worked on.
    pub(in crate::model) fn ready_vios(&self, vios: Uuid) -> Result<Arc<VirtualIoServer>, Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        self.check_vios_is_ready(server)?;
        Ok(Arc::clone(server))
    }

    /// Puts a changed Virtual I/O Server back, with new versions for its storage and one of its groups.
    pub(in crate::model) fn keep_group(&mut self, mut server: VirtualIoServer, group: Uuid) {
        let version = self.touch();
        server.storage_version = version;
        for group in server
            .volume_groups
            .iter_mut()
            .filter(|candidate| candidate.uuid == group)
        {
            Arc::make_mut(group).version = version;
        }
        self.vioses.insert(server.partition.uuid, Arc::new(server));
    }
}

fn replace_volumes(
    server: &mut VirtualIoServer,
    group: &mut VolumeGroup,
    names: &[String],
) -> Result<(), Refusal> {
    let gone: Vec<String> = group
        .physical_volumes
        .iter()
        .filter(|name| !names.contains(name))
        .cloned()
        .collect();
    for name in gone {
        let Some(volume) = server
            .physical_volumes
            .iter_mut()
            .find(|volume| volume.name == name)
        else {
            continue;
        };
        let size = Gigabytes::from_megabytes(volume.megabytes);
        if group.physical_volumes.len() <= 1 || group.free() < size {
            let why = format!(
                "{name} cannot leave volume group {}: its space is needed.",
                group.name
            );
            return Err(failed(server, &why));
        }
        Arc::make_mut(volume).usage = VolumeUsage::Unused;
        group.capacity = group.capacity.minus(size);
        group.physical_volumes.retain(|other| *other != name);
    }
    for name in names {
        if !group.physical_volumes.contains(name) {
            add_volume(server, group, name)?;
        }
    }
    Ok(())
}

fn add_volume(
    server: &mut VirtualIoServer,
    group: &mut VolumeGroup,
    name: &str,
) -> Result<(), Refusal> {
    let mapped = server.maps(&Backing::PhysicalVolume {
        name: name.to_owned(),
    });
    let Some(volume) = server
        .physical_volumes
        .iter_mut()
        .find(|volume| volume.name == name)
    else {
        return Err(failed(
            server,
            &format!("there is no physical volume {name}."),
        ));
    };
    if mapped || volume.usage != VolumeUsage::Unused {
        return Err(failed(
            server,
            &format!("physical volume {name} is in use."),
        ));
    }
    let volume = Arc::make_mut(volume);
    volume.usage = VolumeUsage::VolumeGroup(group.uuid);
    group.capacity = group
        .capacity
        .plus(Gigabytes::from_megabytes(volume.megabytes));
    group.physical_volumes.push(name.to_owned());
    Ok(())
}

/// Removes what is not listed, grows what is listed larger, then makes what has no UDID yet.
fn replace_disks(
    vios: &VirtualIoServer,
    group: &mut VolumeGroup,
    requests: Vec<DiskRequest>,
) -> Result<(), Refusal> {
    let listed: BTreeSet<&str> = requests
        .iter()
        .filter_map(|request| request.udid.as_deref())
        .collect();
    if let Some(unknown) = listed.iter().find(|udid| group.disk(udid).is_none()) {
        return Err(failed(
            vios,
            &format!(
                "there is no virtual disk {unknown} in volume group {}.",
                group.name
            ),
        ));
    }
    let gone: Vec<(u32, Arc<VirtualDisk>)> = group
        .disks
        .iter()
        .filter(|(_, disk)| !listed.contains(disk.udid.as_str()))
        .map(|(number, disk)| (*number, Arc::clone(disk)))
        .collect();
    for (number, disk) in gone {
        if vios.maps(&Backing::VirtualDisk {
            group: group.uuid,
            udid: disk.udid.clone(),
        }) {
            return Err(failed(
                vios,
                &format!(
                    "virtual disk {} is mapped to a client. Remove its mapping first.",
                    disk.name
                ),
            ));
        }
        group.disks.remove(&number);
    }
    for request in requests {
        match &request.udid {
            Some(udid) => {
                grow_disk(vios, group, udid, request.capacity)?;
                set_options(group, udid, &request.options);
            }
            None => add_disk(vios, group, request)?,
        }
    }
    Ok(())
}

fn grow_disk(
    vios: &VirtualIoServer,
    group: &mut VolumeGroup,
    udid: &str,
    capacity: Gigabytes,
) -> Result<(), Refusal> {
    let size = group.partition_size;
    let number = group
        .disks
        .iter()
        .find(|(_, disk)| disk.udid == udid)
        .map(|(number, _)| *number);
    let Some(disk) = number.and_then(|number| group.disks.get_mut(&number)) else {
        return Ok(());
    };
    if capacity == disk.capacity || capacity.rounded_up_to(size) == disk.capacity {
        return Ok(());
    }
    if capacity < disk.capacity {
        return Err(failed(
            vios,
            &format!(
                "virtual disk {} cannot shrink from {} GB.",
                disk.name, disk.capacity
            ),
        ));
    }
    Arc::make_mut(disk).capacity = capacity.rounded_up_to(size);
    Ok(())
}

fn set_options(group: &mut VolumeGroup, udid: &str, options: &StorageOptions) {
    let number = group
        .disks
        .iter()
        .find(|(_, disk)| disk.udid == udid)
        .map(|(number, _)| *number);
    let Some(disk) = number.and_then(|number| group.disks.get_mut(&number)) else {
        return;
    };
    let options = disk.options.with(options);
    if options != disk.options {
        Arc::make_mut(disk).options = options;
    }
}

fn add_disk(
    vios: &VirtualIoServer,
    group: &mut VolumeGroup,
    request: DiskRequest,
) -> Result<(), Refusal> {
    check_name(&request.name)?;
    let elsewhere = vios
        .volume_groups
        .iter()
        .filter(|other| other.uuid != group.uuid)
        .flat_map(|other| other.disks.values());
    if elsewhere
        .chain(group.disks.values())
        .any(|disk| disk.name == request.name)
    {
        return Err(failed(
            vios,
            &format!(
                "0516-360 the device name {} is already used; choose a different name.",
                request.name
            ),
        ));
    }
    if request.capacity == Gigabytes::ZERO {
        return Err(failed(
            vios,
            &format!("virtual disk {} needs a capacity.", request.name),
        ));
    }
    if group.disks.len() >= usize::try_from(group.maximum_volumes).unwrap_or(usize::MAX) {
        return Err(failed(
            vios,
            &format!(
                "volume group {} has its maximum of {} disks.",
                group.name, group.maximum_volumes
            ),
        ));
    }
    let base = match &request.base_image {
        Some(udid) => {
            let image = vios
                .volume_groups
                .iter()
                .find_map(|group| group.disk(udid))
                .or_else(|| group.disk(udid));
            Some(image.ok_or_else(|| {
                failed(vios, &format!("there is no virtual disk {udid} to copy."))
            })?)
        }
        None => None,
    };
    let capacity = request.capacity.rounded_up_to(group.partition_size);
    let content = base.and_then(|disk| disk.content);
    if content.is_some_and(|content| content.bytes > capacity.bytes()) {
        return Err(failed(
            vios,
            &format!(
                "virtual disk {} is smaller than the image to copy.",
                request.name
            ),
        ));
    }
    if capacity > group.free() {
        return Err(no_space(vios, group));
    }
    let number = group.next_disk;
    group.next_disk = number.saturating_add(1);
    let disk = VirtualDisk {
        udid: format!("03{}.{number}", group.serial),
        name: request.name,
        label: request.label.unwrap_or_else(|| "None".to_owned()),
        capacity,
        kind: request.kind.unwrap_or(VirtualDiskKind::LogicalVolume),
        file_format: request.file_format,
        options: request.options,
        content,
    };
    group.disks.insert(number, Arc::new(disk));
    Ok(())
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !name.is_empty() && name.len() <= NAME_LENGTH && name.bytes().all(good) {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "The name {name:?} is not valid: a Virtual I/O Server takes 1 to {NAME_LENGTH} letters, digits and _ . -."
    )))
}

fn no_space(vios: &VirtualIoServer, group: &VolumeGroup) -> Refusal {
    failed(
        vios,
        &format!(
            "0516-404 there are not enough free partitions in volume group {} ({} GB free).",
            group.name,
            group.free()
        ),
    )
}

/// A command of the Virtual I/O Server that failed.
pub(in crate::model) fn failed(vios: &VirtualIoServer, why: &str) -> Refusal {
    Refusal::internal(format!(
        "HSCL2970 The IOServer command on {} has failed: {why}",
        vios.partition.name
    ))
}
