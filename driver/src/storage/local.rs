//! Boot disks in a volume group of one Virtual I/O Server: copies of cached image disks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use powervm_schema::storage::{
    BackStoreType, FileFormat, VirtualDisk, VirtualDiskType, VolumeGroup,
};
use powervm_schema::units::Gigabytes;
use powervm_schema::xml::Element;

use super::cached::{CacheState, CachedImage};
use super::flights::{Flight, Flights};
use super::image::{Claim, Image};
use super::mapping::{Wanted, is_logical_volume};
use super::names::{base_name, image_virtual_disk, is_image_virtual_disk};
use super::size::virtual_disk_size;
use super::upload;
use super::{Capacity, for_want_of_space};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::Control;
use crate::rest::{Groups, Session};
use crate::transaction::{Changed, Group};

/// A volume group that holds boot disks and cached images.
pub struct LocalDisks {
    session: Session,
    group: Group,
    /// Name of the volume group.
    pub name: String,
    /// UUID of the Virtual I/O Server that owns it.
    pub vios: String,
    /// UUID of the volume group.
    pub uuid: String,
    flights: Flights<Disk>,
}

/// A virtual disk as it was when it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Disk {
    /// Name, without a device's path.
    pub(crate) name: String,
    /// Unique device identifier.
    pub(crate) udid: String,
    /// Size.
    pub(crate) capacity: Gigabytes,
    /// The whole element, which a mapping of it holds.
    element: Element,
}

impl LocalDisks {
    /// Finds the volume group of this name on the active Virtual I/O Servers.
    ///
    /// # Errors
    /// None of them has it.
    pub async fn find(
        session: &Session,
        group: &Group,
        vioses: &[Vios],
        name: &str,
    ) -> Result<Self> {
        for vios in vioses {
            let feed = session
                .get_feed(&format!("{}/VolumeGroup", vios.path()), Groups::None)
                .await?;
            if let Some(entry) = feed
                .entries
                .iter()
                .find(|entry| VolumeGroup(&entry.content).name() == Some(name))
            {
                return Ok(Self {
                    session: session.clone(),
                    group: group.clone(),
                    name: name.to_owned(),
                    vios: vios.uuid.clone(),
                    uuid: entry.id.clone(),
                    flights: Flights::default(),
                });
            }
        }
        Err(Error::operation(
            ErrorKind::Precondition,
            format!("no active Virtual I/O Server has a volume group '{name}'"),
            "correct volume_group_name, or start the Virtual I/O Server that has it",
        ))
    }

    fn path(&self) -> String {
        format!("VirtualIOServer/{}/VolumeGroup/{}", self.vios, self.uuid)
    }

    /// What there is and what is left.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn capacity(&self) -> Result<Capacity> {
        let entry = self.session.get_entry(&self.path(), Groups::None).await?;
        let group = VolumeGroup(&entry.content);
        let total = group.capacity().ok().flatten().unwrap_or_default();
        let free = group.available_size().ok().flatten().unwrap_or_default();
        Ok(Capacity {
            total_gb: total.as_f64(),
            used_gb: total.saturating_sub(free).as_f64(),
        })
    }

    /// What operations that need the same image hold together.
    pub(crate) fn board(&self, image: &Image) -> Arc<Flight<Disk>> {
        self.flights.board(&image_virtual_disk(image.id))
    }

    /// The disk of the image, uploaded now if the volume group does not have it.
    ///
    /// # Errors
    /// Those of the requests and of the upload; cancellation.
    pub(crate) async fn ensure_image(
        &self,
        flight: &Flight<Disk>,
        image: &Image,
        control: &Control,
        claim: &dyn Claim,
    ) -> Result<Disk> {
        flight
            .result(|| self.find_or_upload(image, control, claim))
            .await
    }

    async fn find_or_upload(
        &self,
        image: &Image,
        control: &Control,
        claim: &dyn Claim,
    ) -> Result<Disk> {
        let name = image_virtual_disk(image.id);
        if let Some(disk) = self.find_disk(&name).await? {
            return Ok(disk);
        }
        claim.begin().await?;
        let created = AtomicBool::new(false);
        let uploaded = async {
            let new = New {
                name: &name,
                capacity: virtual_disk_size(image.size),
                base: None,
            };
            let disk = self.create(&new, &created).await?;
            upload::disk(&self.session, control, image, &name, &self.vios, &disk.udid).await?;
            Ok(disk)
        }
        .await;
        if uploaded.is_err() {
            // What is left of it would pass for the image.
            let removed = if created.load(Ordering::SeqCst) {
                self.remove(std::slice::from_ref(&name)).await
            } else {
                Ok(())
            };
            match removed {
                Ok(()) => claim.over(),
                Err(error) => {
                    tracing::error!(%error, disk = name, "could not remove a partial image");
                }
            }
        }
        uploaded
    }

    /// Removes what is left of an upload that was begun and did not end: the partial image, which would pass for
    /// the image, and its record.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) async fn abandon_image(&self, name: &str) -> Result<()> {
        if let Some(disk) = self.find_disk(name).await? {
            upload::forget_disk(&self.session, name, &disk.udid).await?;
        }
        self.remove(&[name.to_owned()]).await
    }

    /// All cached images.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) async fn survey(&self) -> Result<Vec<CachedImage>> {
        let entry = self.session.get_entry(&self.path(), Groups::None).await?;
        let uploading = upload::targets(&self.session).await?;
        let group = VolumeGroup(&entry.content);
        let images = group.virtual_disks().filter_map(|disk| {
            let name = base_name(disk.name()?);
            let is_image = is_logical_volume(&disk) && is_image_virtual_disk(name);
            is_image.then(|| {
                let udid = disk.udid().unwrap_or_default().to_owned();
                let state = if uploading.contains(&udid) {
                    CacheState::Uploading
                } else {
                    CacheState::Unused
                };
                CachedImage {
                    name: name.to_owned(),
                    udid,
                    gigabytes: disk.capacity().ok().flatten().unwrap_or_default().as_f64(),
                    state,
                    clones: None,
                }
            })
        });
        Ok(images.collect())
    }

    /// Removes a cached image, unless somebody uploads it or is about to copy it.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) async fn remove_if_idle(&self, name: &str) -> Result<()> {
        let removal = async {
            let images = self.survey().await?;
            let is_idle =
                |image: &CachedImage| image.name == name && image.state == CacheState::Unused;
            match images.iter().any(is_idle) {
                true => self.remove(&[name.to_owned()]).await,
                false => Ok(()),
            }
        };
        let removed = self
            .flights
            .alone(name, |disk| disk.name == name, removal)
            .await?;
        if removed.is_none() {
            tracing::info!(image = name, "the image is about to be used and stays");
        }
        Ok(())
    }

    /// Says so if there is a virtual disk of this name.
    ///
    /// # Errors
    /// There is; those of the request.
    pub(crate) async fn refuse_existing(&self, name: &str) -> Result<()> {
        match self.find_disk(name).await? {
            Some(_) => Err(exists(name)),
            None => Ok(()),
        }
    }

    /// A boot disk with the image's content, as large as asked for and at least as large as the
    /// image. `created` is set as soon as it may exist.
    ///
    /// # Errors
    /// A disk of that name is there already; those of the request.
    pub(crate) async fn copy_image(
        &self,
        image: &Disk,
        name: &str,
        root_gb: u64,
        created: &AtomicBool,
    ) -> Result<Disk> {
        let capacity = Gigabytes::whole(root_gb).max(image.capacity);
        self.create(
            &New {
                name,
                capacity,
                base: Some(&image.udid),
            },
            created,
        )
        .await
    }

    async fn create(&self, new: &New<'_>, created: &AtomicBool) -> Result<Disk> {
        let (name, document) = (new.name.to_owned(), new.document());
        let attempted = Arc::new(AtomicBool::new(false));
        let attempt = Arc::clone(&attempted);
        let edit = move |group: &mut Element| {
            let mut group = VolumeGroup(group);
            let is_there = group.virtual_disks().any(|disk| is_named(&disk, &name));
            match (is_there, attempt.swap(true, Ordering::SeqCst)) {
                (false, _) => {
                    group.push_virtual_disk(VirtualDisk(document.clone()));
                    Ok(Changed::Yes)
                }
                // It was absent when we first looked: the answer to our own update was lost.
                (true, true) => Ok(Changed::No),
                (true, false) => {
                    attempt.store(false, Ordering::SeqCst);
                    Err(exists(&name))
                }
            }
        };
        let edited = self.group.edit(&self.path(), &[], edit).await;
        created.store(attempted.load(Ordering::SeqCst), Ordering::SeqCst);
        let edited = edited
            .map_err(|error| for_want_of_space(error, &format!("the virtual disk {}", new.name)))?;
        Disk::named(&edited.entry.content, new.name).ok_or_else(|| {
            Error::operation(
                ErrorKind::BadAnswer,
                format!(
                    "the server does not list the virtual disk {} that it made",
                    new.name
                ),
                "look into the volume group",
            )
        })
    }

    /// The virtual disk of this name.
    ///
    /// # Errors
    /// Those of the request.
    pub(crate) async fn find_disk(&self, name: &str) -> Result<Option<Disk>> {
        let entry = self.session.get_entry(&self.path(), Groups::None).await?;
        Ok(Disk::named(&entry.content, name))
    }

    /// Lets a virtual disk grow to this size; one that is as large already stays.
    ///
    /// # Errors
    /// There is none of that name; those of the request.
    pub(crate) async fn grow(&self, name: &str, to: Gigabytes) -> Result<()> {
        let (wanted, place) = (name.to_owned(), self.name.clone());
        let edit = move |group: &mut Element| {
            let disks = group.child_mut("VirtualDisks");
            let found = disks
                .into_iter()
                .flat_map(Element::children_mut)
                .find(|disk| is_named(&VirtualDisk(&**disk), &wanted));
            let Some(disk) = found else {
                return Err(Error::operation(
                    ErrorKind::NotFound,
                    format!("the volume group {place} has no virtual disk {wanted}"),
                    "look into the volume group",
                ));
            };
            let mut disk = VirtualDisk(disk);
            if disk.capacity().ok().flatten().unwrap_or_default() >= to {
                return Ok(Changed::No);
            }
            disk.set_capacity(to);
            Ok(Changed::Yes)
        };
        let edited = self.group.edit(&self.path(), &[], edit).await;
        edited
            .map(drop)
            .map_err(|error| for_want_of_space(error, &format!("the virtual disk {name}")))
    }

    /// Removes virtual disks by their names; what is not there needs no removing. Files and network
    /// devices that look like disks are left alone.
    ///
    /// # Errors
    /// Those of the request, such as a disk that is still mapped.
    pub(crate) async fn remove(&self, names: &[String]) -> Result<()> {
        let names = names.to_vec();
        let edit = move |group: &mut Element| {
            let mut changed = false;
            VolumeGroup(group).retain_virtual_disks(|disk| {
                let goes =
                    is_logical_volume(&disk) && names.iter().any(|name| is_named(&disk, name));
                changed |= goes;
                !goes
            });
            Ok(changed.into())
        };
        self.group.edit(&self.path(), &[], edit).await.map(drop)
    }
}

/// A virtual disk to be made.
struct New<'a> {
    name: &'a str,
    capacity: Gigabytes,
    base: Option<&'a str>,
}

impl New<'_> {
    fn document(&self) -> Element {
        let mut disk = VirtualDisk::new();
        disk.set_capacity(self.capacity)
            .set_label("None")
            .set_name(self.name);
        if let Some(base) = self.base {
            disk.set_base_image(base);
        }
        disk.set_disk_type(VirtualDiskType::LogicalVolume)
            .set_file_format(FileFormat::Raw);
        disk.0
    }
}

impl Disk {
    /// The disk as a mapping wants it.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted::virtual_disk(VirtualDisk(&self.element))
    }

    /// Whether it is a file that its server converts from another format while it is read; such a file cannot grow.
    pub(crate) fn is_converted_file(&self) -> bool {
        let store = VirtualDisk(&self.element).back_store_type().ok().flatten();
        store == Some(BackStoreType::UserQcow)
    }

    fn named(group: &Element, name: &str) -> Option<Self> {
        let group = VolumeGroup(group);
        let disk = group.virtual_disks().find(|disk| is_named(disk, name))?;
        Some(Self {
            name: base_name(disk.name()?).to_owned(),
            udid: disk.udid()?.to_owned(),
            capacity: disk.capacity().ok().flatten().unwrap_or_default(),
            element: disk.element().clone(),
        })
    }
}

fn is_named(disk: &VirtualDisk<&Element>, name: &str) -> bool {
    disk.name().is_some_and(|found| base_name(found) == name)
}

fn exists(name: &str) -> Error {
    Error::operation(
        ErrorKind::Exists,
        format!("the volume group has a virtual disk '{name}' already"),
        "remove what is left of an instance of that name, or choose another name",
    )
}
