//! Removes a server, or whatever is left of one.
//!
//! Every step looks for what may be there instead of relying on the step before, so that a call after
//! a failed one, or after a crash, finishes the work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join_all, try_join_all};
use powervm_schema::partition::LogicalPartition;
use powervm_schema::xml::Element;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::{Disks, Driver, path_of};
use super::map::Removed;
use super::request::DestroyRequest;
use super::volume::{find, forget, ports};
use super::{map, partition, power};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::partition::PartitionUuid;
use crate::partition::state::is_stoppable;
use crate::rest::Groups;
use crate::saga::{Saga, Step};
use crate::storage::local::LocalDisks;
use crate::storage::mapping::{Client, Kind, Mapped};
use crate::storage::names;
use crate::storage::ssp::ImageCache;
use crate::volume::Connection;

const POWER_OFF: &str = "power off";
const UNMAP: &str = "unmap disks and media";
const DISKS: &str = "delete the disks";
const MEDIA: &str = "delete the config drive";
const VOLUMES: &str = "remove the volumes' disks";
const PARTITION: &str = "delete the partition";

impl Driver {
    /// Removes a server: its partition with its adapters, its mappings on every Virtual I/O Server,
    /// its config drive and, if asked to, its disks. In a shared storage pool the image goes with
    /// its last clone.
    ///
    /// A server that does not exist is removed already. A call that failed or was cancelled can be
    /// repeated until it succeeds.
    ///
    /// # Errors
    /// The step that failed, and why.
    pub async fn destroy(&self, request: DestroyRequest, control: &Control) -> Result<()> {
        let uuid = PartitionUuid::of_instance(request.instance);
        let turn = self.shared.instances.take(&uuid).await;
        let found = match self.session().get_entry(&path_of(uuid), Groups::None).await {
            Ok(entry) => {
                self.refuse_others(&entry.content)?;
                Some(Found::of(&entry.content))
            }
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error),
        };
        let known = found.as_ref().map(|found| found.name.clone());
        let name = request.name.clone().or(known);
        let vioses = self.active_vioses().await?;
        let what = name.clone().unwrap_or_else(|| request.instance.to_string());
        let destroy = Arc::new(Destroy {
            driver: self.clone(),
            instances: uuid.instances(),
            uuid,
            name,
            found,
            vioses,
            volumes: request.volumes,
            control: control.clone(),
            removed: Mutex::default(),
            _turn: turn,
        });
        let saga = recipe(&what, request.destroy_disks);
        let options = control.saga_options(&control.for_steps());
        saga.run(destroy, options)
            .await
            .map_err(|error| repeatable(&what, error))
    }
}

impl Driver {
    /// A partition of another system that the same console manages has its mappings where we do not
    /// look for them.
    pub(super) fn refuse_others(&self, partition: &Element) -> Result<()> {
        let document = LogicalPartition(partition);
        let Some(href) = document.partition().associated_managed_system() else {
            return Ok(());
        };
        let system = href
            .split('?')
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if system.eq_ignore_ascii_case(&self.shared.system.uuid) {
            return Ok(());
        }
        Err(Error::operation(
            ErrorKind::Precondition,
            format!(
                "the server is not on {} but on another system of the console",
                self.shared.system.name
            ),
            "name that system as managed_system",
        ))
    }
}

/// What is removed, and after what. Nothing is taken back: a removal is finished, not undone.
fn recipe(what: &str, with_disks: bool) -> Saga<Destroy> {
    let mut saga = Saga::new(format!("delete {what}"))
        .step(Step::new(POWER_OFF, Destroy::power_off))
        .step(Step::new(UNMAP, Destroy::unmap).after([POWER_OFF]))
        .step(Step::new(MEDIA, Destroy::delete_media).after([UNMAP]));
    saga = saga.step(Step::new(VOLUMES, Destroy::forget_volumes).after([UNMAP]));
    let mut before = vec![UNMAP, MEDIA, VOLUMES];
    if with_disks {
        saga = saga.step(Step::new(DISKS, Destroy::delete_disks).after([UNMAP]));
        before.push(DISKS);
    }
    // Last: as long as there is a partition, a repeated call knows its name and its number.
    saga.step(Step::new(PARTITION, Destroy::delete_partition).after(before))
}

/// A removal on its way.
struct Destroy {
    driver: Driver,
    uuid: PartitionUuid,
    instances: [Uuid; 2],
    name: Option<String>,
    found: Option<Found>,
    vioses: Vec<Vios>,
    volumes: Vec<Connection>,
    control: Control,
    removed: Mutex<BTreeMap<String, Removed>>,
    _turn: OwnedMutexGuard<()>,
}

/// The partition as it was found.
struct Found {
    id: Option<u32>,
    name: String,
    state: String,
    /// Whether it has Fibre Channel ports of its own.
    has_ports: bool,
}

impl Found {
    fn of(document: &Element) -> Self {
        let document = LogicalPartition(document);
        let partition = document.partition();
        Self {
            has_ports: document
                .virtual_fibre_channel_client_adapters()
                .next()
                .is_some(),
            id: partition.id().ok().flatten(),
            name: partition.name().unwrap_or_default().to_owned(),
            state: partition
                .state()
                .ok()
                .flatten()
                .map(|state| state.to_string())
                .unwrap_or_default(),
        }
    }
}

impl Destroy {
    /// Hard when the disks go anyway. Where they stay, the guest has been shut down by whoever asked
    /// for that, and only what still runs is cut off here.
    async fn power_off(self: Arc<Self>) -> Result<()> {
        match &self.found {
            Some(found) if is_stoppable(&found.state) => {
                power::off_hard(&self.driver, self.uuid).await
            }
            _ => Ok(()),
        }
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        let client = Client {
            uuid: self.uuid,
            id: self.found.as_ref().and_then(|found| found.id),
            href: self.driver.partition_href(self.uuid),
        };
        let removed = map::nowhere(&self.driver, &self.vioses, &client).await?;
        if self.found.as_ref().is_some_and(|found| found.has_ports) {
            ports::take_all(&self.driver, &self.vioses, &client).await?;
        }
        *self.removed.lock().unwrap_or_else(PoisonError::into_inner) = removed;
        Ok(())
    }

    fn removed(&self) -> BTreeMap<String, Removed> {
        self.removed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Only the instance's own config drive, by its name: a guest may have had others' media. It is
    /// looked for where it was mapped, and everywhere if it was mapped nowhere.
    async fn delete_media(self: Arc<Self>) -> Result<()> {
        let names: Vec<String> = self
            .instances
            .iter()
            .map(|instance| names::config_drive(*instance))
            .collect();
        let is_ours =
            |mapped: &Mapped| mapped.kind == Kind::OpticalMedia && names.contains(&mapped.name);
        let places: BTreeSet<String> = self
            .removed()
            .into_iter()
            .filter(|(_, found)| found.mapped.iter().any(is_ours))
            .map(|(vios, _)| vios)
            .collect();
        let repositories = self.driver.repositories(&self.vioses).await?;
        let removals = repositories
            .iter()
            .filter(|repository| places.is_empty() || places.contains(&repository.vios))
            .map(|repository| repository.remove_media(&self.driver.shared.group, &names));
        try_join_all(removals).await.map(drop)
    }

    async fn delete_disks(self: Arc<Self>) -> Result<()> {
        let removed: BTreeSet<Mapped> = self
            .removed()
            .into_values()
            .flat_map(|removed| removed.mapped)
            .collect();
        match &self.driver.shared.disks {
            Disks::Ssp { images, .. } => self.delete_units(images, &removed).await,
            Disks::Local(disks) => self.delete_virtual_disks(disks, &removed).await,
        }
    }

    /// The units that were mapped, and one of the instance's name that lost its mapping; then the
    /// images that nothing is a clone of any more.
    async fn delete_units(&self, images: &ImageCache, removed: &BTreeSet<Mapped>) -> Result<()> {
        let boot = self.name.as_deref().map(names::boot_unit);
        let was_mapped = |name: &str, udid: &str| {
            removed.iter().any(|mapped| {
                mapped.kind == Kind::LogicalUnit
                    && mapped.name == name
                    && names::is_instance_unit(name)
                    && mapped.udid.as_deref().is_none_or(|mapped| mapped == udid)
            })
        };
        let units = images.units().list().await?;
        let doomed: Vec<_> = units
            .iter()
            .filter(|unit| !unit.is_image())
            .filter(|unit| {
                let is_lost = !unit.is_in_use && boot.as_deref() == Some(unit.name.as_str());
                was_mapped(&unit.name, &unit.udid) || is_lost
            })
            .collect();
        let deletions = join_all(doomed.iter().map(|unit| images.units().delete(unit))).await;
        // Also after a failure, since only now is it known which images the units were clones of. One
        // that still has a clone stays.
        let sources: BTreeSet<&str> = doomed
            .iter()
            .filter_map(|unit| unit.cloned_from.as_deref())
            .collect();
        for image in sources {
            images.remove_if_unused(image).await;
        }
        deletions.into_iter().collect()
    }

    /// The logical volumes that were mapped and bear a name of ours, and one that lost its mapping.
    async fn delete_virtual_disks(
        &self,
        disks: &LocalDisks,
        removed: &BTreeSet<Mapped>,
    ) -> Result<()> {
        let mut doomed: BTreeSet<String> = removed
            .iter()
            .filter(|mapped| mapped.kind == Kind::VirtualDisk && mapped.is_logical_volume)
            .filter(|mapped| names::is_instance_virtual_disk(&mapped.name))
            .map(|mapped| mapped.name.clone())
            .collect();
        if let Some(name) = &self.name {
            doomed.extend(
                self.instances
                    .iter()
                    .map(|instance| names::boot_virtual_disk(name, *instance)),
            );
        }
        if doomed.is_empty() {
            return Ok(());
        }
        disks.remove(&doomed.into_iter().collect::<Vec<_>>()).await
    }

    /// A disk that a Virtual I/O Server will not let go is warned of: it keeps nobody from anything but
    /// the next volume at its address.
    async fn forget_volumes(self: Arc<Self>) -> Result<()> {
        let removed = self.removed();
        let servers = self.vioses.iter().map(|vios| {
            let known = removed.get(&vios.uuid).map(|removed| &removed.volumes);
            self.forget_volumes_on(vios, known)
        });
        join_all(servers).await;
        Ok(())
    }

    async fn forget_volumes_on(
        &self,
        vios: &Vios,
        known: Option<&BTreeSet<(String, Option<String>, String)>>,
    ) {
        let mut disks = known.cloned().unwrap_or_default();
        for volume in &self.volumes {
            let Some(udid) = volume.target_udid.as_deref() else {
                continue;
            };
            let is_known = disks
                .iter()
                .any(|(_, known, _)| known.as_deref() == Some(udid));
            if is_known || !find::may_serve(vios, volume) {
                continue;
            }
            match find::disks_with(&self.driver, vios, udid).await {
                Ok(names) => {
                    let left = names
                        .into_iter()
                        .map(|name| (name, Some(udid.to_owned()), volume.volume.clone()));
                    disks.extend(left);
                }
                Err(error) => self.control.warn(format!(
                    "{} could not be asked for the disk of the volume {}: {error}",
                    vios.name, volume.volume
                )),
            }
        }
        for (name, udid, volume) in disks {
            // Somebody else may be about to map it.
            let _turn = self.driver.shared.volumes.take(&volume).await;
            let connection = self.volumes.iter().find(|known| known.volume == volume);
            let gone = match connection {
                Some(connection) => {
                    forget::volume_now(&self.driver, vios, connection, &name, udid.as_deref()).await
                }
                None => forget::disk_now(&self.driver, vios, &name, udid.as_deref()).await,
            };
            if let Err(error) = gone {
                self.control.warn(format!(
                    "{} still has the disk {name} of the volume {volume}: {error}",
                    vios.name
                ));
            }
        }
    }

    async fn delete_partition(self: Arc<Self>) -> Result<()> {
        match self.found {
            Some(_) => partition::delete(&self.driver, self.uuid).await,
            None => Ok(()),
        }
    }
}

/// A failed removal is finished by another call, not undone.
fn repeatable(what: &str, error: Error) -> Error {
    let Error::Saga(failure) = error else {
        return error;
    };
    let step = failure.step.as_deref().unwrap_or("its beginning");
    Error::caused(
        failure.error.kind(),
        format!(
            "the deletion of {what} stopped at '{step}': {}",
            failure.error
        ),
        "repeat it when that is mended; what is gone stays gone",
        failure.error.clone(),
    )
}
