//! The steps of a rebuild, and the ways back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::old::Old;
use super::{RebuildRequest, drive_image};
use crate::error::{Error, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver};
use crate::operations::imaged::{self, DiskNames, DiskNotes, MakesDisk};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::target::Target;
use crate::operations::{jobs, map, power};
use crate::partition::PartitionUuid;
use crate::partition::power::{POWER_OFF as POWER_OFF_JOB, POWER_ON as POWER_ON_JOB, RemoveMedia};
use crate::saga::{Saga, Step, checkpoint};
use crate::storage::exchange::{self, Exchange, Seated};
use crate::storage::image::Image;
use crate::storage::mapping::{GROUP, Mapped, Wanted};
use crate::storage::media::Repository;
use crate::storage::upload;

const POWER_OFF: &str = "power off";
const IMAGE: &str = "provide the image";
const DISK: &str = "create the new boot disk";
const DRIVE: &str = "upload the new config drive";
const EXCHANGE: &str = "exchange disk and config drive";
const POWER_ON: &str = "power on";
const OLD: &str = "delete what it had";

/// What the journal keeps of it.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) instance: Uuid,
    /// The server's name as it was made with.
    pub(super) server: String,
    pub(super) was_on: bool,
    /// UUIDs of the Virtual I/O Servers that it works with.
    pub(super) servers: BTreeSet<String>,
    /// GB that the new disk has at least.
    pub(super) gigabytes: u64,
    /// The new boot disk.
    pub(super) disk: Option<DiskNames>,
    /// Name of the new config drive.
    pub(super) drive: Option<String>,
    pub(super) old: Old,
}

/// What its steps found and made.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::operations) struct Made {
    pub(super) disk: DiskNotes,
    /// Where the new config drive is.
    pub(super) media: Option<Repository>,
    pub(super) media_uploaded: bool,
    /// What the server had is about to go: nothing is taken back any more.
    pub(super) is_decided: bool,
}

/// What cannot be in a journal and is not needed on the way back.
pub(super) struct Order {
    pub(super) request: RebuildRequest,
}

/// A rebuild on its way, or on its way back.
pub(in crate::operations) struct Rebuild {
    pub(super) driver: Driver,
    pub(super) control: Control,
    pub(super) vioses: Vec<Vios>,
    pub(super) target: Target,
    pub(super) asked: Asked,
    pub(super) order: Option<Order>,
    /// The server was removed meanwhile, with its mappings.
    pub(super) is_gone: bool,
    /// Another process left it when all was done but to delete what the server had.
    pub(super) is_past_return: bool,
    pub(super) notes: Notes<Made>,
    pub(super) _turn: OwnedMutexGuard<()>,
}

/// What is done, and after what. The disk is made while the guest shuts down; what the server had goes last.
fn recipe(rebuild: &Rebuild) -> Saga<Rebuild> {
    let asked = &rebuild.asked;
    let saga = Saga::new(format!("rebuild {}", asked.server));
    let old = Step::new(OLD, Rebuild::delete_old);
    if rebuild.is_past_return {
        return saga.step(old);
    }
    let mut saga =
        saga.step(Step::new(POWER_OFF, Rebuild::power_off).undo(Rebuild::power_on_again));
    let mut ready = vec![POWER_OFF];
    if asked.disk.is_some() {
        saga = saga
            .step(Step::new(IMAGE, Rebuild::provide_image).undo(Rebuild::release_image))
            .step(
                Step::new(DISK, Rebuild::create_disk)
                    .after([IMAGE])
                    .undo(Rebuild::delete_disk),
            );
        ready.push(DISK);
    }
    if asked.drive.is_some() {
        saga.push(Step::new(DRIVE, Rebuild::upload_drive).undo(Rebuild::delete_drive));
        ready.push(DRIVE);
    }
    saga.push(
        Step::new(EXCHANGE, Rebuild::exchange)
            .after(ready)
            .undo(Rebuild::exchange_back),
    );
    let mut last = EXCHANGE;
    if asked.was_on {
        saga.push(
            Step::new(POWER_ON, Rebuild::power_on)
                .after([last])
                .undo(Rebuild::power_off_again),
        );
        last = POWER_ON;
    }
    saga.step(old.after([last]))
}

impl Operation for Rebuild {
    const KIND: &'static str = "rebuild";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = Made;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Made> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(self)
    }

    fn is_owed(&self) -> bool {
        self.is_decided()
    }

    fn plan(&self) -> Plan {
        match self.is_past_return {
            true => Plan::Finish,
            false => Plan::Undo,
        }
    }

    /// Its image is not in the journal: the server becomes what it was, unless that was about to go.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        made: Made,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        // Those that it worked with, whether they can be reached now or not.
        let mut vioses = driver.vioses_now().await?.as_ref().clone();
        vioses.retain(|vios| asked.servers.contains(&vios.uuid));
        let target = Target::find(driver, uuid).await?;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            vioses,
            asked: Asked {
                was_on: asked.was_on && target.is_some(),
                ..asked
            },
            is_gone: target.is_none(),
            target: target.unwrap_or_else(|| Target::gone(driver, uuid)),
            order: None,
            is_past_return: made.is_decided,
            notes: Notes::new(made),
            _turn: turn,
        }))
    }
}

impl MakesDisk for Rebuild {
    fn driver(&self) -> &Driver {
        &self.driver
    }

    fn control(&self) -> &Control {
        &self.control
    }

    fn vioses(&self) -> &[Vios] {
        &self.vioses
    }

    fn disk_names(&self) -> Option<&DiskNames> {
        self.asked.disk.as_ref()
    }

    fn disk_source(&self) -> Result<(&Image, u64)> {
        let image = self.request()?.image.as_ref();
        Ok((image.ok_or_else(imaged::no_image)?, self.asked.gigabytes))
    }

    fn disk_notes<T>(&self, change: impl FnOnce(&mut DiskNotes) -> T) -> T {
        self.notes.with(|made| change(&mut made.disk))
    }
}

impl Rebuild {
    fn uuid(&self) -> PartitionUuid {
        self.target.client.uuid
    }

    fn request(&self) -> Result<&RebuildRequest> {
        let order = self.order.as_ref().map(|order| &order.request);
        order.ok_or_else(|| Error::internal("a rebuild that is taken back cannot go on"))
    }

    /// Whether what the server had is about to go.
    pub(super) fn is_decided(&self) -> bool {
        self.notes.with(|made| made.is_decided)
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        let patience = self.driver.config().shutdown_timeout();
        power::off_kindly(&self.driver, self.uuid(), patience, &self.control).await
    }

    async fn power_on_again(self: Arc<Self>) -> Result<()> {
        if self.is_decided() {
            return Ok(());
        }
        // A job whose answer was lost must not strike afterwards.
        jobs::see_off(self.driver.session(), self.uuid(), POWER_OFF_JOB).await?;
        match self.asked.was_on {
            true => power::start(&self.driver, self.uuid()).await,
            false => Ok(()),
        }
    }

    async fn provide_image(self: Arc<Self>) -> Result<()> {
        imaged::provide_image(&*self).await
    }

    async fn release_image(self: Arc<Self>) -> Result<()> {
        match self.is_decided() {
            true => Ok(()),
            false => imaged::release_image(&*self).await,
        }
    }

    async fn create_disk(self: Arc<Self>) -> Result<()> {
        imaged::create_disk(&*self).await
    }

    async fn delete_disk(self: Arc<Self>) -> Result<()> {
        match self.is_decided() {
            true => Ok(()),
            false => imaged::delete_disk(&*self).await,
        }
    }

    async fn upload_drive(self: Arc<Self>) -> Result<()> {
        let Some(name) = &self.asked.drive else {
            return Ok(());
        };
        if self.notes.with(|made| made.media_uploaded) {
            return Ok(());
        }
        let image = drive_image(&self.driver, &self.asked, self.request()?).await?;
        let known = self.driver.repositories(&self.vioses).await?;
        let repository = match self.asked.old.repository(known) {
            Some(repository) => repository,
            None => self.driver.repository_for_upload(&self.vioses).await?,
        };
        self.notes
            .with(|made| made.media = Some(repository.clone()));
        checkpoint().await?;
        let session = self.driver.session();
        upload::media(session, &self.control, name, &repository.vios, image).await?;
        self.notes.with(|made| made.media_uploaded = true);
        Ok(())
    }

    async fn delete_drive(self: Arc<Self>) -> Result<()> {
        let repository = self.notes.with(|made| made.media.clone());
        let (Some(repository), Some(name)) = (repository, &self.asked.drive) else {
            return Ok(());
        };
        if self.is_decided() {
            return Ok(());
        }
        upload::forget_media(self.driver.session(), name, &repository.vios).await?;
        let names = std::slice::from_ref(name);
        repository
            .remove_media(&self.driver.shared.group, names)
            .await
    }

    async fn exchange(self: Arc<Self>) -> Result<()> {
        self.each(|vios| self.exchanges(vios)).await
    }

    async fn exchange_back(self: Arc<Self>) -> Result<()> {
        if self.is_decided() || self.is_gone {
            return Ok(());
        }
        let disk = match &self.asked.old.disk {
            Some(disk) if self.asked.disk.is_some() => Some(disk.wanted(&self.driver).await?),
            _ => None,
        };
        self.each(|vios| self.exchanges_back(vios, disk.as_ref()))
            .await
    }

    /// One change of each Virtual I/O Server that has something of the server.
    async fn each(&self, exchanges: impl Fn(&Vios) -> Vec<Exchange>) -> Result<()> {
        let edit = |vios: &Vios| {
            let exchanges = exchanges(vios);
            if exchanges.is_empty() {
                return None;
            }
            let client = self.target.client.clone();
            Some(move |document: &mut Element| Ok(exchange::all(document, &client, &exchanges)))
        };
        map::each(&self.driver, &self.vioses, GROUP, edit)
            .await
            .map(drop)
    }

    /// The new config drive, where it is on this Virtual I/O Server.
    fn drive_on(&self, vios: &Vios) -> Option<Wanted> {
        let name = self.asked.drive.as_ref()?;
        let is_here = |place: &Repository| place.vios == vios.uuid;
        let is_here = self
            .notes
            .with(|made| made.media.as_ref().is_some_and(is_here));
        is_here.then(|| Wanted::optical_media(name))
    }

    fn exchanges(&self, vios: &Vios) -> Vec<Exchange> {
        let mut all = Vec::new();
        if let (Some(seat), Some(_)) = (self.asked.old.disk_on(vios), &self.asked.disk) {
            all.push(Exchange {
                goes: vec![seat.mapped.clone()],
                comes: imaged::wanted(self, vios),
            });
        }
        let goes: Vec<Mapped> = self
            .asked
            .old
            .drives_on(vios)
            .map(|seat| seat.mapped.clone())
            .collect();
        let comes = self.drive_on(vios);
        if comes.is_some() || !goes.is_empty() {
            all.push(Exchange { goes, comes });
        }
        all
    }

    fn exchanges_back(&self, vios: &Vios, disk: Option<&Wanted>) -> Vec<Exchange> {
        let mut all = Vec::new();
        let again = |seat: &Seated, wanted: Wanted| {
            let wanted = wanted.at(seat.address.clone());
            match seat.slot {
                Some(slot) => wanted.in_slot(slot),
                None => wanted,
            }
        };
        if let (Some(seat), Some(wanted)) = (self.asked.old.disk_on(vios), disk) {
            all.push(Exchange {
                goes: imaged::made(self).into_iter().collect(),
                comes: Some(again(seat, wanted.clone())),
            });
        }
        let drive = self.drive_on(vios);
        let mut goes: Vec<Mapped> = drive.iter().map(|wanted| wanted.mapped().clone()).collect();
        for seat in self.asked.old.drives_on(vios) {
            let wanted = Wanted::optical_media(&seat.mapped.name);
            all.push(Exchange {
                goes: std::mem::take(&mut goes),
                comes: Some(again(seat, wanted)),
            });
        }
        if !goes.is_empty() {
            all.push(Exchange { goes, comes: None });
        }
        all
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        let config = self.driver.config();
        let drive = self.asked.drive.as_ref();
        let media = drive
            .filter(|_| config.remove_vopt_media_on_boot)
            .map(|name| RemoveMedia {
                name: name.clone(),
                after: Duration::from_secs(60 * u64::from(config.remove_vopt_media_time)),
            });
        power::on(&self.driver, self.uuid(), media.as_ref()).await
    }

    async fn power_off_again(self: Arc<Self>) -> Result<()> {
        if self.is_decided() {
            return Ok(());
        }
        jobs::see_off(self.driver.session(), self.uuid(), POWER_ON_JOB).await?;
        power::off_hard(&self.driver, self.uuid()).await?;
        jobs::see_off(self.driver.session(), self.uuid(), POWER_OFF_JOB).await
    }

    /// From here on, nothing is taken back: that is written down before anything goes.
    async fn delete_old(self: Arc<Self>) -> Result<()> {
        if !self.is_decided() {
            self.notes.with(|made| made.is_decided = true);
            if let Err(error) = checkpoint().await {
                self.notes.with(|made| made.is_decided = false);
                return Err(error);
            }
        }
        let disk = self.delete_old_disk().await;
        let drives = self.delete_old_drives().await;
        disk.and(drives)
    }

    async fn delete_old_disk(&self) -> Result<()> {
        let (Some(old), Some(_)) = (&self.asked.old.disk, &self.asked.disk) else {
            return Ok(());
        };
        let images = match &self.driver.shared.disks {
            Disks::Ssp { images, .. } => images,
            Disks::Local(disks) => {
                return disks.remove(std::slice::from_ref(&old.mapped.name)).await;
            }
        };
        let units = images.units().list().await?;
        let is_it = |udid: &str| old.mapped.udid.as_deref() == Some(udid);
        for unit in units
            .iter()
            .filter(|unit| !unit.is_image() && is_it(&unit.udid))
        {
            images.units().delete(unit).await?;
        }
        if let Some(image) = &old.image
            && let Err(error) = images.remove_if_unused(image).await
        {
            tracing::warn!(%error, image, "an image that may be unused stays; the next removal tries again");
        }
        Ok(())
    }

    async fn delete_old_drives(&self) -> Result<()> {
        let old = &self.asked.old.drives;
        if old.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = old.iter().cloned().collect();
        for repository in self.driver.repositories(&self.vioses).await? {
            repository
                .remove_media(&self.driver.shared.group, &names)
                .await?;
        }
        Ok(())
    }
}
