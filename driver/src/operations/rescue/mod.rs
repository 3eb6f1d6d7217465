//! Starts a server from another disk, for somebody to mend what is on its own.

mod unrescue;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

pub(super) use self::unrescue::Unrescue;
use super::control::Control;
use super::driver::{Driver, path_of};
use super::imaged::{self, Boarded, DiskNames, DiskNotes, ImageNames, MakesDisk};
use super::operation::{Notes, Operation, Plan};
use super::target::Target;
use super::{jobs, map, power, unfinished};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::partition::PartitionUuid;
use crate::partition::power::{POWER_OFF as POWER_OFF_JOB, POWER_ON as POWER_ON_JOB, to_menus};
use crate::partition::state::{is_startable, is_stoppable};
use crate::saga::{Saga, Step};
use crate::storage::image::Image;
use crate::storage::mapping::{self, GROUP, Kind, Mapped};
use crate::storage::{names, volumes};

const POWER_OFF: &str = "power off";
const IMAGE: &str = "provide the image";
const DISK: &str = "create the rescue disk";
const MAP: &str = "map the rescue disk";
const POWER_ON: &str = "power on to the menus";

/// A server to be started from another disk.
#[derive(Debug, Clone)]
pub struct RescueRequest {
    /// The instance's UUID.
    pub instance: Uuid,
    /// The server's name as it was made with; the partition's own serves otherwise.
    pub name: Option<String>,
    /// What the other disk holds.
    pub image: Image,
}

impl Driver {
    /// Powers a server off, gives it a rescue disk with this image beside its own disks, and powers it on to the menus
    /// of its firmware (System Management Services), where that disk is chosen.
    ///
    /// A failed or cancelled call leaves the server as it was, and running if it ran, but for a cached image.
    ///
    /// # Errors
    /// Before anything is changed: no such server; one that has a rescue disk already ([`ErrorKind::Exists`]). Then
    /// [`Error::Saga`] with the step that failed.
    pub async fn rescue(&self, request: RescueRequest, control: &Control) -> Result<()> {
        let instance = request.instance;
        let uuid = PartitionUuid::of_instance(instance);
        let turn = self.shared.instances.take(&uuid).await;
        unfinished::refuse(self, uuid).await?;
        let target = Target::read(self, uuid).await?;
        if !disks_of(self, uuid).await?.is_empty() {
            return Err(Error::operation(
                ErrorKind::Exists,
                format!("{} has a rescue disk already", target.name),
                "unrescue it first",
            ));
        }
        let state = power::state_of(self.session(), uuid).await?;
        if !is_stoppable(&state) && !is_startable(&state) {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("{} is {state} and cannot be powered off", target.name),
                "wait until it is done",
            ));
        }
        let server = request.name.unwrap_or_else(|| target.name.clone());
        let (unit, disk) = (
            names::rescue_unit(&server),
            names::rescue_virtual_disk(&server, instance),
        );
        let vioses = self.active_vioses().await?;
        let asked = Asked {
            instance,
            was_on: is_stoppable(&state),
            servers: vioses.iter().map(|vios| vios.uuid.clone()).collect(),
            disk: DiskNames {
                namesakes: imaged::namesakes(self, &unit, &disk).await?,
                unit,
                disk,
                image: ImageNames::of(&request.image),
                tag: self.tag(),
            },
            server,
        };
        let steps = control.for_steps();
        let rescue = Arc::new(Rescue {
            driver: self.clone(),
            control: steps.clone(),
            vioses,
            notes: Notes::new(DiskNotes::boarded(Some(Boarded::of(self, &request.image)))),
            image: Some(request.image),
            target,
            asked,
            _turn: turn,
        });
        self.perform(&rescue, control, &steps).await
    }
}

/// The rescue disks that are mapped to a partition.
async fn disks_of(driver: &Driver, partition: PartitionUuid) -> Result<Vec<Mapped>> {
    let vioses = driver.mappings().await?;
    let mapped = vioses
        .iter()
        .flat_map(|vios| mapping::mapped_to(&vios.content, partition));
    let mut found: Vec<Mapped> = mapped.filter(is_rescue_disk).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

fn is_rescue_disk(mapped: &Mapped) -> bool {
    match mapped.kind {
        Kind::LogicalUnit => names::is_rescue_unit(&mapped.name),
        Kind::VirtualDisk => {
            mapped.is_logical_volume && names::is_rescue_virtual_disk(&mapped.name)
        }
        Kind::PhysicalVolume | Kind::OpticalMedia => false,
    }
}

/// Takes these disks from a partition, and no others.
async fn unmap(driver: &Driver, vioses: &[Vios], target: &Target, these: &[Mapped]) -> Result<()> {
    let edits = vioses.iter().map(|vios| {
        let (client, these) = (target.client.clone(), these.to_vec());
        let edit = move |document: &mut _| Ok(volumes::unmap(document, &client, &these));
        let path = vios.path();
        async move { driver.shared.group.edit(&path, &[GROUP], edit).await }
    });
    let edited = futures_util::future::join_all(edits).await;
    edited.into_iter().try_for_each(|edited| edited.map(drop))
}

/// What the journal keeps of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    instance: Uuid,
    server: String,
    was_on: bool,
    /// UUIDs of the Virtual I/O Servers that it works with.
    servers: BTreeSet<String>,
    disk: DiskNames,
}

/// A rescue on its way, or on its way back.
pub(super) struct Rescue {
    driver: Driver,
    control: Control,
    vioses: Vec<Vios>,
    target: Target,
    /// Not in the journal, and not needed on the way back.
    image: Option<Image>,
    asked: Asked,
    notes: Notes<DiskNotes>,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Rescue {
    const KIND: &'static str = "rescue";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = DiskNotes;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<DiskNotes> {
        &self.notes
    }

    /// The disk is made while the guest shuts down.
    fn recipe(&self) -> Saga<Self> {
        Saga::new(format!("rescue {}", self.asked.server))
            .step(Step::new(POWER_OFF, Self::power_off).undo(Self::power_on_again))
            .step(Step::new(IMAGE, Self::provide_image).undo(Self::release_image))
            .step(
                Step::new(DISK, Self::create_disk)
                    .after([IMAGE])
                    .undo(Self::delete_disk),
            )
            .step(
                Step::new(MAP, Self::map)
                    .after([POWER_OFF, DISK])
                    .undo(Self::unmap),
            )
            .step(
                Step::new(POWER_ON, Self::power_on)
                    .after([MAP])
                    .undo(Self::power_off_again),
            )
    }

    /// Its image is not in the journal: the server becomes what it was.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        notes: DiskNotes,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        // Those that it worked with, whether they can be reached now or not.
        let mut vioses = driver.vioses_now().await?.as_ref().clone();
        vioses.retain(|vios| asked.servers.contains(&vios.uuid));
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            vioses,
            target: Target::read(driver, uuid).await?,
            image: None,
            asked,
            notes: Notes::new(notes),
            _turn: turn,
        }))
    }
}

impl MakesDisk for Rescue {
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
        Some(&self.asked.disk)
    }

    fn disk_source(&self) -> Result<(&Image, u64)> {
        match &self.image {
            Some(image) => Ok((image, 0)),
            None => Err(Error::internal("a rescue that is taken back cannot go on")),
        }
    }

    fn disk_notes<T>(&self, change: impl FnOnce(&mut DiskNotes) -> T) -> T {
        self.notes.with(change)
    }
}

impl Rescue {
    fn uuid(&self) -> PartitionUuid {
        self.target.client.uuid
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        let patience = self.driver.config().shutdown_timeout();
        power::off_kindly(&self.driver, self.uuid(), patience, &self.control).await
    }

    async fn power_on_again(self: Arc<Self>) -> Result<()> {
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
        imaged::release_image(&*self).await
    }

    async fn create_disk(self: Arc<Self>) -> Result<()> {
        imaged::create_disk(&*self).await
    }

    async fn delete_disk(self: Arc<Self>) -> Result<()> {
        imaged::delete_disk(&*self).await
    }

    async fn map(self: Arc<Self>) -> Result<()> {
        map::everywhere(&self.driver, &self.vioses, &self.target.client, |vios| {
            imaged::wanted(&*self, vios).into_iter().collect()
        })
        .await
    }

    /// The rescue disk alone: the server's own stays mapped.
    async fn unmap(self: Arc<Self>) -> Result<()> {
        let these = disks_of(&self.driver, self.uuid()).await?;
        unmap(&self.driver, &self.vioses, &self.target, &these).await
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        let job = to_menus(&path_of(self.uuid()));
        power::on_by(&self.driver, self.uuid(), job).await
    }

    async fn power_off_again(self: Arc<Self>) -> Result<()> {
        jobs::see_off(self.driver.session(), self.uuid(), POWER_ON_JOB).await?;
        power::off_hard(&self.driver, self.uuid()).await?;
        jobs::see_off(self.driver.session(), self.uuid(), POWER_OFF_JOB).await
    }
}
