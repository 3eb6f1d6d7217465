//! Starts a server from its own disk again, and removes its rescue disk.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::{POWER_OFF, disks_of, unmap};
use crate::error::{Error, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::{Disks, Driver};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::target::Target;
use crate::operations::{jobs, power};
use crate::partition::PartitionUuid;
use crate::partition::power::{POWER_OFF as POWER_OFF_JOB, POWER_ON as POWER_ON_JOB};
use crate::saga::{Saga, Step, checkpoint};
use crate::storage::mapping::{Kind, Mapped};
use crate::storage::names;
use crate::storage::ssp::ImageCache;

const UNMAP: &str = "unmap the rescue disk";
const DISK: &str = "delete the rescue disk";
const POWER_ON: &str = "power on";

impl Driver {
    /// Powers a server off, removes its rescue disk, and powers it on from its own. One without a rescue disk is only
    /// powered on. By the server's name, or else its partition's, a rescue disk is found that lost its mapping.
    ///
    /// # Errors
    /// No such server; the step that failed, and why. It can be repeated.
    pub async fn unrescue(
        &self,
        instance: Uuid,
        name: Option<String>,
        control: &Control,
    ) -> Result<()> {
        let uuid = PartitionUuid::of_instance(instance);
        let turn = self.shared.instances.take(&uuid).await;
        let target = Target::read(self, uuid).await?;
        let server = name.unwrap_or_else(|| target.name.clone());
        let is_mapped = !disks_of(self, uuid).await?.is_empty();
        let asked = Asked {
            has_disk: is_mapped || lost_disk(self, uuid, &server).await?.is_some(),
            instance,
            server,
        };
        let steps = control.for_steps();
        let unrescue = Arc::new(Unrescue {
            driver: self.clone(),
            control: steps.clone(),
            vioses: self.active_vioses().await?,
            target,
            asked,
            notes: Notes::default(),
            _turn: turn,
        });
        let done = self.perform(&unrescue, control, &steps).await;
        done.map_err(|error| repeatable(&unrescue.asked.server, error))
    }
}

/// The rescue disk of a server's name that is mapped to nobody.
async fn lost_disk(
    driver: &Driver,
    partition: PartitionUuid,
    server: &str,
) -> Result<Option<Mapped>> {
    let disk = |kind, name: String, udid: String| Mapped {
        kind,
        name,
        udid: Some(udid),
        is_logical_volume: kind == Kind::VirtualDisk,
    };
    match &driver.shared.disks {
        Disks::Ssp { images, .. } => {
            let name = names::rescue_unit(server);
            let units = images.units().list().await?.into_iter();
            let mut lost =
                units.filter(|unit| !unit.is_image() && !unit.is_in_use && unit.name == name);
            Ok(lost
                .next()
                .map(|unit| disk(Kind::LogicalUnit, unit.name, unit.udid)))
        }
        Disks::Local(disks) => {
            for instance in partition.instances() {
                let name = names::rescue_virtual_disk(server, instance);
                if let Some(found) = disks.find_disk(&name).await? {
                    return Ok(Some(disk(Kind::VirtualDisk, found.name, found.udid)));
                }
            }
            Ok(None)
        }
    }
}

/// What was begun can be done again.
fn repeatable(server: &str, error: Error) -> Error {
    let Error::Saga(failure) = error else {
        return error;
    };
    let step = failure.step.as_deref().unwrap_or("its beginning");
    Error::caused(
        failure.error.kind(),
        format!(
            "the end of the rescue of {server} stopped at '{step}': {}",
            failure.error
        ),
        "repeat it when that is mended",
        failure.error.clone(),
    )
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    instance: Uuid,
    server: String,
    has_disk: bool,
}

/// What is known of things only as long as other things are there.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::operations) struct Gone {
    /// The rescue disks that were mapped.
    disks: BTreeSet<Mapped>,
    /// Identifiers of the images that they were clones of.
    images: BTreeSet<String>,
}

/// The end of a rescue on its way.
pub(in crate::operations) struct Unrescue {
    driver: Driver,
    control: Control,
    vioses: Vec<Vios>,
    target: Target,
    asked: Asked,
    notes: Notes<Gone>,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Unrescue {
    const KIND: &'static str = "unrescue";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = Gone;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Gone> {
        &self.notes
    }

    /// Nothing is taken back: the end of a rescue is finished.
    fn recipe(&self) -> Saga<Self> {
        let saga = Saga::new(format!("unrescue {}", self.asked.server));
        if !self.asked.has_disk {
            return saga.step(Step::new(POWER_ON, Self::power_on));
        }
        saga.step(Step::new(POWER_OFF, Self::power_off))
            .step(Step::new(UNMAP, Self::unmap).after([POWER_OFF]))
            .step(Step::new(DISK, Self::delete_disk).after([UNMAP]))
            .step(Step::new(POWER_ON, Self::power_on).after([DISK]))
    }

    async fn revive(
        driver: &Driver,
        asked: Asked,
        gone: Gone,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        let target = match Target::read(driver, uuid).await {
            Err(error) if error.is_not_found() => return Ok(None),
            target => target?,
        };
        for operation in [POWER_ON_JOB, POWER_OFF_JOB] {
            jobs::see_off(driver.session(), uuid, operation).await?;
        }
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            vioses: driver.active_vioses().await?,
            target,
            asked,
            notes: Notes::new(gone),
            _turn: turn,
        }))
    }
}

impl Unrescue {
    async fn power_off(self: Arc<Self>) -> Result<()> {
        let (uuid, patience) = (
            self.target.client.uuid,
            self.driver.config().shutdown_timeout(),
        );
        power::off_kindly(&self.driver, uuid, patience, &self.control).await
    }

    /// What is mapped is written down first: once it is not, nothing tells whose disk it is.
    async fn unmap(self: Arc<Self>) -> Result<()> {
        let uuid = self.target.client.uuid;
        let mut found = disks_of(&self.driver, uuid).await?;
        if found.is_empty() {
            found.extend(lost_disk(&self.driver, uuid, &self.asked.server).await?);
        }
        self.notes.with(|gone| gone.disks.extend(found));
        checkpoint().await?;
        unmap(&self.driver, &self.vioses, &self.target, &self.doomed()).await
    }

    fn doomed(&self) -> Vec<Mapped> {
        self.notes.with(|gone| gone.disks.iter().cloned().collect())
    }

    async fn delete_disk(self: Arc<Self>) -> Result<()> {
        let doomed = self.doomed();
        match &self.driver.shared.disks {
            Disks::Ssp { images, .. } => self.delete_units(images, &doomed).await,
            Disks::Local(disks) => {
                let names: Vec<String> = doomed.into_iter().map(|disk| disk.name).collect();
                disks.remove(&names).await
            }
        }
    }

    /// The image goes with its last clone.
    async fn delete_units(&self, images: &ImageCache, doomed: &[Mapped]) -> Result<()> {
        let units = images.units().list().await?;
        let is_doomed = |name: &str, udid: &str| {
            doomed.iter().any(|disk| {
                disk.name == name && disk.udid.as_deref().is_none_or(|known| known == udid)
            })
        };
        let goes: Vec<_> = units
            .iter()
            .filter(|unit| !unit.is_image() && is_doomed(&unit.name, &unit.udid))
            .collect();
        let sources = self.notes.with(|gone| {
            gone.images
                .extend(goes.iter().filter_map(|unit| unit.cloned_from.clone()));
            gone.images.clone()
        });
        checkpoint().await?;
        for unit in goes {
            images.units().delete(unit).await?;
        }
        for image in sources {
            if let Err(error) = images.remove_if_unused(&image).await {
                tracing::warn!(%error, image, "an image that may be unused stays; the next removal tries again");
            }
        }
        Ok(())
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        power::start(&self.driver, self.target.client.uuid).await
    }
}
