//! Removes a server, or whatever is left of one.
//!
//! Every step looks for what may be there instead of relying on the step before, so that a call after
//! a failed one, or after a crash, finishes the work.

mod notes;
mod reach;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join_all, try_join_all};
use notes::{Asked, Found, Gone};
use powervm_schema::partition::LogicalPartition;
use powervm_schema::xml::Element;
use tokio::sync::OwnedMutexGuard;

use super::control::Control;
use super::driver::{Disks, Driver, path_of};
use super::map::Removed;
use super::operation::{Notes, Operation, Plan};
use super::request::DestroyRequest;
use super::volume::ports;
use super::volume::traces::Traces;
use super::{jobs, map, partition, power, unfinished};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::journal::Outcome;
use crate::partition::PartitionUuid;
use crate::partition::power::POWER_OFF as POWER_OFF_JOB;
use crate::partition::state::is_stoppable;
use crate::rest::Groups;
use crate::saga::{Saga, Step, checkpoint};
use crate::storage::local::LocalDisks;
use crate::storage::mapping::{Client, Kind, Mapped};
use crate::storage::names;
use crate::storage::ssp::{ImageCache, Unit};

const POWER_OFF: &str = "power off";
const UNMAP: &str = "unmap disks and media";
const DISKS: &str = "delete the disks";
const MEDIA: &str = "delete the config drive";
const VOLUMES: &str = "remove the volumes' disks";
const PARTITION: &str = "delete the partition";
const KEPT: &str = "forget its slots and NVRAM";

impl Driver {
    /// Removes a server: its partition with its adapters, its mappings on every Virtual I/O Server,
    /// its config drive and, if asked to, its disks. In a shared storage pool the image goes with
    /// its last clone.
    ///
    /// A server that does not exist is removed already. A call that failed or was cancelled can be
    /// repeated until it succeeds; one that failed after it began to take disks away stays in the journal, and the
    /// next start finishes it.
    ///
    /// # Errors
    /// The step that failed, and why. [`ErrorKind::Precondition`] while a Virtual I/O Server that serves it is out of
    /// reach: it is powered off then and has everything else that it had.
    pub async fn destroy(&self, request: DestroyRequest, control: &Control) -> Result<()> {
        let uuid = PartitionUuid::of_instance(request.instance);
        if !control.is_dry_run() {
            self.finish_rebuilds(uuid, control).await?;
        }
        let mut asked = Asked {
            instance: request.instance,
            name: request.name,
            destroy_disks: request.destroy_disks,
            volumes: request.volumes,
        };
        let turn = self.shared.instances.take(&uuid).await;
        let found = self.find(uuid).await?;
        // Written down with it: when the partition is gone, nothing else knows its name.
        asked.name = asked.name.or_else(|| Some(found.as_ref()?.name.clone()));
        let earlier = unfinished::removals::<Asked, Gone>(self, uuid).await?;
        let mut gone = Gone::default();
        for record in &earlier {
            asked.name = asked.name.or_else(|| record.asked.name.clone());
            gone.extend(record.notes.clone());
        }
        let what = asked.title();
        let steps = control.for_steps();
        let destroy = Arc::new(Destroy {
            driver: self.clone(),
            uuid,
            asked,
            is_known: found.is_some() || gone.has_begun,
            found,
            reach: Mutex::default(),
            control: steps.clone(),
            notes: Notes::new(gone),
            _turn: turn,
        });
        self.perform(&destroy, control, &steps)
            .await
            .map_err(|error| repeatable(&what, error))?;
        for record in earlier {
            let finished = Outcome::Finished;
            self.shared.journal.end(record.id, &finished).await?;
        }
        Ok(())
    }

    /// The partition. That there is none is asked twice: to take the disks of a server that runs is no way to remove
    /// it.
    async fn find(&self, uuid: PartitionUuid) -> Result<Option<Found>> {
        for _ in 0..2 {
            match self.session().get_entry(&path_of(uuid), Groups::None).await {
                Ok(entry) => {
                    self.refuse_others(&entry.content)?;
                    return Ok(Some(Found::of(&entry.content)));
                }
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
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
fn recipe(asked: &Asked) -> Saga<Destroy> {
    let mut saga = Saga::new(format!("delete {}", asked.title()))
        .step(Step::new(POWER_OFF, Destroy::power_off))
        .step(Step::new(UNMAP, Destroy::unmap).after([POWER_OFF]))
        .step(Step::new(MEDIA, Destroy::delete_media).after([UNMAP]))
        .step(Step::new(VOLUMES, Destroy::forget_volumes).after([UNMAP]));
    let mut before = vec![UNMAP, MEDIA, VOLUMES];
    if asked.destroy_disks {
        saga = saga.step(Step::new(DISKS, Destroy::delete_disks).after([UNMAP]));
        before.push(DISKS);
    }
    // Last: as long as there is a partition, a repeated call knows its name and its number.
    saga = saga.step(Step::new(PARTITION, Destroy::delete_partition).after(before));
    if asked.destroy_disks {
        saga = saga.step(Step::new(KEPT, Destroy::forget_kept).after([PARTITION]));
    }
    saga
}

/// A removal on its way.
pub(super) struct Destroy {
    driver: Driver,
    uuid: PartitionUuid,
    asked: Asked,
    found: Option<Found>,
    /// The partition is there, or an earlier removal had begun: what bears the server's name is the server's.
    is_known: bool,
    /// The Virtual I/O Servers that can be reached, as the first step that needs them found them.
    reach: Mutex<Vec<Vios>>,
    control: Control,
    notes: Notes<Gone>,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Destroy {
    const KIND: &'static str = "destroy";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = Gone;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Gone> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked)
    }

    fn is_owed(&self) -> bool {
        self.notes.with(|gone| gone.has_begun)
    }

    /// Every step looks for what may be there, so it is just run again.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        gone: Gone,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        jobs::see_off(driver.session(), uuid, POWER_OFF_JOB).await?;
        let vioses = driver.active_vioses().await?;
        let volumes = gone.removed.values().flat_map(|removed| &removed.volumes);
        let disks = volumes.map(|(name, udid, _)| (name.as_str(), udid.as_deref()));
        Traces::of(&asked.volumes, disks)
            .see_off(driver, &vioses)
            .await?;
        let found = driver.find(uuid).await?;
        Ok(Some(Self {
            driver: driver.clone(),
            uuid,
            asked,
            is_known: found.is_some() || gone.has_begun,
            found,
            reach: Mutex::default(),
            control: control.clone(),
            notes: Notes::new(gone),
            _turn: turn,
        }))
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

    /// What is mapped is written down first: once it is not, nothing tells whose disks they are.
    async fn unmap(self: Arc<Self>) -> Result<()> {
        let seen = self.driver.mappings().await?;
        let vioses = self.check_reach(&seen).await?;
        let client = Client {
            uuid: self.uuid,
            id: self.found.as_ref().and_then(|found| found.id),
            href: self.driver.partition_href(self.uuid),
        };
        self.remember(map::of(&seen, &client));
        self.notes.with(|gone| gone.has_begun = true);
        checkpoint().await?;
        let removed = map::nowhere(&self.driver, &vioses, &client).await?;
        self.remember(removed);
        if self.found.as_ref().is_some_and(|found| found.has_ports) {
            ports::take_all(&self.driver, &vioses, &client).await?;
        }
        Ok(())
    }

    fn vioses(&self) -> Vec<Vios> {
        let reach = self.reach.lock().unwrap_or_else(PoisonError::into_inner);
        reach.clone()
    }

    fn remember(&self, removed: BTreeMap<String, Removed>) {
        self.notes.with(|gone| gone.remember(removed));
    }

    fn removed(&self) -> BTreeMap<String, Removed> {
        self.notes.with(|notes| notes.removed.clone())
    }

    /// Only the instance's own config drive, by its name: a guest may have had others' media. It is
    /// looked for where it was mapped, and everywhere if it was mapped nowhere.
    async fn delete_media(self: Arc<Self>) -> Result<()> {
        let names: Vec<String> = self
            .uuid
            .instances()
            .iter()
            .flat_map(|instance| names::config_drives(*instance))
            .collect();
        let is_ours =
            |mapped: &Mapped| mapped.kind == Kind::OpticalMedia && names.contains(&mapped.name);
        let places: BTreeSet<String> = self
            .removed()
            .into_iter()
            .filter(|(_, found)| found.mapped.iter().any(is_ours))
            .map(|(vios, _)| vios)
            .collect();
        let repositories = self.driver.repositories(&self.vioses()).await?;
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

    /// The units that were mapped, or else one of the instance's name that lost its mapping; then the images that
    /// nothing is a clone of any more.
    async fn delete_units(&self, images: &ImageCache, removed: &BTreeSet<Mapped>) -> Result<()> {
        let units = images.units().list().await?;
        let doomed = self.doomed(&units, removed);
        let sources = self.notes.with(|notes| {
            let found = doomed.iter().filter_map(|unit| unit.cloned_from.clone());
            notes.images.extend(found);
            notes.images.clone()
        });
        checkpoint().await?;
        let deletions = join_all(doomed.iter().map(|unit| images.units().delete(unit))).await;
        // Also after a failure, since only now is it known which images the units were clones of. One
        // that still has a clone stays.
        for image in sources {
            if let Err(error) = images.remove_if_unused(&image).await {
                tracing::warn!(%error, image, "an image that may be unused stays; the next removal tries again");
            }
        }
        deletions.into_iter().collect()
    }

    fn doomed<'u>(&self, units: &'u [Unit], removed: &BTreeSet<Mapped>) -> Vec<&'u Unit> {
        let was_mapped = |unit: &Unit| {
            removed.iter().any(|mapped| {
                mapped.kind == Kind::LogicalUnit
                    && mapped.name == unit.name
                    && names::is_instance_unit(&unit.name)
                    && mapped
                        .udid
                        .as_deref()
                        .is_none_or(|mapped| mapped == unit.udid)
            })
        };
        let boot = self.asked.name.as_deref().map(names::boot_units);
        let has_boot_name = |name: &str| boot.iter().flatten().any(|boot| boot == name);
        let mut doomed: Vec<&Unit> = units
            .iter()
            .filter(|unit| !unit.is_image() && was_mapped(unit))
            .collect();
        // Names of logical units are not unique: where the boot disk was mapped, another one of its name is another
        // server's that was told to leave its disk.
        if !removed.iter().any(|mapped| has_boot_name(&mapped.name)) {
            let is_lost =
                |unit: &&Unit| !unit.is_image() && !unit.is_in_use && has_boot_name(&unit.name);
            doomed.extend(units.iter().filter(is_lost));
        }
        doomed
    }

    /// The logical volumes that were mapped and bear a name of ours, and one that lost its mapping. Their names are so
    /// short that another server may have the same: of a server that nobody knows, nothing is removed by its name.
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
        if let Some(name) = self.asked.name.as_ref().filter(|_| self.is_known) {
            doomed.extend(
                self.uuid
                    .instances()
                    .iter()
                    .flat_map(|instance| names::boot_virtual_disks(name, *instance)),
            );
        }
        if doomed.is_empty() {
            return Ok(());
        }
        disks.remove(&doomed.into_iter().collect::<Vec<_>>()).await
    }

    async fn forget_kept(self: Arc<Self>) -> Result<()> {
        self.driver
            .delete_kept_if_possible(self.uuid, &self.control)
            .await;
        Ok(())
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
