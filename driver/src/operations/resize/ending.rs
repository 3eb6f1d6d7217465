//! How a resize or a cold migration ends, on the host that the server left: it is confirmed, or reverted.

use std::sync::Arc;

use powervm_schema::partition::LogicalPartition;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::request::{Before, ConfirmRequest, Destination, RevertRequest};
use super::run::{Asked, POWER_OFF, POWER_ON, Part, RENAME, Resize, SIZE, edit, rename};
use super::volumes;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::{Driver, path_of};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::plan::find_pool;
use crate::operations::request::DestroyRequest;
use crate::operations::volume::VolumesReport;
use crate::operations::{jobs, plug, power};
use crate::partition::configuration::{NewSize, room_without};
use crate::partition::name::{migrating_name, partition_name, resizing_name};
use crate::partition::power::{POWER_OFF as POWER_OFF_JOB, POWER_ON as POWER_ON_JOB};
use crate::partition::{Configuration, PartitionUuid, document};
use crate::rest::Groups;
use crate::saga::{Saga, Step};

/// How far back the journal is searched for what a server was.
const LOOK_BACK: usize = 1000;

impl Driver {
    /// Confirms a resize: the partition gets its name back. On the host that a server left for another one, what is
    /// left of it there is removed, without its disks. One that is confirmed already is confirmed, and so is one of which
    /// nothing is left.
    ///
    /// # Errors
    /// A server whose partition has yet another name; those of the requests. It can be repeated.
    pub async fn confirm_migration(
        &self,
        request: ConfirmRequest,
        control: &Control,
    ) -> Result<()> {
        let uuid = PartitionUuid::of_instance(request.instance);
        let turn = self.shared.instances.take(&uuid).await;
        // Asked twice: what is left of a server that has moved must not be taken for removed.
        let place = match self.place_of(uuid, request.name.clone()).await {
            Err(error) if error.is_not_found() => self.place_of(uuid, request.name).await,
            place => place,
        };
        let place = match place {
            Err(error) if error.is_not_found() => {
                // What an earlier call had begun to remove may still be owed.
                drop(turn);
                return self.destroy(remains(request.instance), control).await;
            }
            place => place?,
        };
        match place.stage {
            Stage::AtHome => Ok(()),
            Stage::Left(Destination::SameHost) => {
                let steps = control.for_steps();
                let confirm = Arc::new(Confirm {
                    driver: self.clone(),
                    uuid,
                    asked: Confirmed {
                        instance: request.instance,
                        server: place.server,
                        usual: place.usual,
                    },
                    notes: Notes::default(),
                    _turn: turn,
                });
                let done = self.perform(&confirm, control, &steps).await;
                done.map_err(|error| repeatable("confirmation", &confirm.asked.server, error))
            }
            Stage::Left(Destination::OtherHost) => {
                drop(turn);
                self.destroy(remains(request.instance), control).await
            }
        }
    }

    /// Reverts a resize, or takes a server back that left for another host: its partition gets back its size and
    /// its name, its volumes are attached, and it is powered on if that is asked for. A boot disk that has grown stays
    /// large. One that is what it was already only gets its volumes and is powered on. Returns what became of the volumes.
    ///
    /// # Errors
    /// No such server, or one that is not being resized or moved; nothing is known of what it was. What failed on the
    /// way can be repeated.
    pub async fn finish_revert_migration(
        &self,
        request: RevertRequest,
        control: &Control,
    ) -> Result<VolumesReport> {
        if request.volumes.is_empty() {
            let none = volumes::none(&request.instance.to_string(), &request.metadata);
            return self.take_back(request, control).await.map(|()| none);
        }
        let uuid = PartitionUuid::of_instance(request.instance);
        let place = self.place_of(uuid, request.name.clone()).await?;
        let has_left = !matches!(place.stage, Stage::AtHome);
        self.return_with_volumes(request, has_left, control).await
    }

    pub(super) async fn take_back(&self, request: RevertRequest, control: &Control) -> Result<()> {
        let uuid = PartitionUuid::of_instance(request.instance);
        let turn = self.shared.instances.take(&uuid).await;
        let place = self.place_of(uuid, request.name.clone()).await?;
        let before = match place.stage {
            Stage::Left(Destination::SameHost) => Some(self.before(uuid, request.before).await?),
            Stage::Left(Destination::OtherHost) | Stage::AtHome => None,
        };
        let steps = control.for_steps();
        let revert = Arc::new(Revert {
            driver: self.clone(),
            control: steps.clone(),
            uuid,
            asked: Reverted {
                instance: request.instance,
                server: place.server,
                usual: place.usual,
                before,
                power_on: request.power_on,
            },
            notes: Notes::default(),
            _turn: turn,
        });
        let done = self.perform(&revert, control, &steps).await;
        done.map_err(|error| repeatable("reversion", &revert.asked.server, error))?;
        // What stayed on its host has been plugged all the time.
        if !matches!(place.stage, Stage::Left(Destination::SameHost)) {
            plug::announce_all(self, uuid).await;
        }
        Ok(())
    }

    /// Where a server stands.
    async fn place_of(&self, uuid: PartitionUuid, name: Option<String>) -> Result<Place> {
        let entry = self
            .session()
            .get_entry(&path_of(uuid), Groups::None)
            .await?;
        self.refuse_others(&entry.content)?;
        let document = LogicalPartition(&entry.content);
        let now = document.partition().name().unwrap_or_default().to_owned();
        let server = match name {
            Some(name) => name,
            None => match self.kept(uuid).await? {
                Some(kept) => kept.server,
                None => now.clone(),
            },
        };
        let names = |error| {
            Error::caused(
                ErrorKind::Invalid,
                format!("{error}"),
                "give the server's name",
                error,
            )
        };
        let usual = partition_name(&server).map_err(names)?;
        let stage = if now == resizing_name(&server).map_err(names)? {
            Stage::Left(Destination::SameHost)
        } else if now == migrating_name(&server).map_err(names)? {
            Stage::Left(Destination::OtherHost)
        } else if now == usual {
            Stage::AtHome
        } else {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "the partition of {server} is called '{now}', as none is that is being resized or moved"
                ),
                "give the name that the server was made with",
            ));
        };
        Ok(Place {
            server,
            usual,
            stage,
        })
    }

    /// What the journal kept of the last resize of this server.
    async fn kept(&self, uuid: PartitionUuid) -> Result<Option<Asked>> {
        let history = self.shared.journal.history(LOOK_BACK).await?;
        let of_server = history
            .into_iter()
            .filter(|record| record.beginning.kind == Resize::KIND)
            .filter_map(|record| serde_json::from_value(record.beginning.asked).ok())
            .find(|asked: &Asked| {
                uuid.belongs_to(asked.instance)
                    && matches!(asked.part, Part::Whole | Part::Leave(_))
            });
        Ok(of_server)
    }

    async fn before(&self, uuid: PartitionUuid, before: Before) -> Result<Configuration> {
        match before {
            Before::Kept(kept) => Ok(*kept),
            Before::Journal => match self.kept(uuid).await? {
                Some(kept) => Ok(kept.before),
                None => Err(Error::operation(
                    ErrorKind::Precondition,
                    "the journal does not know what the server was before its resize",
                    "give its former size",
                )),
            },
            Before::Flavor(flavor) => {
                let entry = self
                    .session()
                    .get_entry(&path_of(uuid), Groups::None)
                    .await?;
                let system = self.system().await?;
                let read = LogicalPartition(&entry.content);
                let new = NewSize::of(&flavor, self.config().sizing(), &system.limits, &read)?;
                system.limits.check(&new.sizing)?;
                let name = read.partition().name().unwrap_or_default();
                room_without(system.room, &read).check(name, &new.sizing)?;
                let pool = match new.pool {
                    Some(kept) => kept,
                    None => find_pool(self, &new.sizing).await?,
                };
                let mut document = entry.content.clone();
                document::resize(&mut document, &new.sizing, pool);
                Ok(Configuration::of(&document))
            }
        }
    }
}

/// Where a server stands.
struct Place {
    server: String,
    /// Its partition's usual name.
    usual: String,
    stage: Stage,
}

enum Stage {
    /// It bears its usual name.
    AtHome,
    /// It left.
    Left(Destination),
}

/// What is left of a server that has moved: all but its disks.
fn remains(instance: Uuid) -> DestroyRequest {
    DestroyRequest {
        destroy_disks: false,
        ..DestroyRequest::of(instance)
    }
}

/// What was begun can be done again.
fn repeatable(what: &str, server: &str, error: Error) -> Error {
    let Error::Saga(failure) = error else {
        return error;
    };
    let step = failure.step.as_deref().unwrap_or("its beginning");
    Error::caused(
        failure.error.kind(),
        format!(
            "the {what} of {server} stopped at '{step}': {}",
            failure.error
        ),
        "repeat it when that is mended",
        failure.error.clone(),
    )
}

/// What the journal keeps of a confirmation.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Confirmed {
    instance: Uuid,
    server: String,
    usual: String,
}

/// A confirmation on its way.
pub(in crate::operations) struct Confirm {
    driver: Driver,
    uuid: PartitionUuid,
    asked: Confirmed,
    notes: Notes<()>,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Confirm {
    const KIND: &'static str = "confirm";
    const PLAN: Plan = Plan::Finish;
    type Asked = Confirmed;
    type Notes = ();

    fn asked(&self) -> &Confirmed {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        Saga::new(format!("confirm the resize of {}", self.asked.server))
            .step(Step::new(RENAME, Self::rename))
    }

    async fn revive(
        driver: &Driver,
        asked: Confirmed,
        (): (),
        _: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        if !is_there(driver, uuid).await? {
            return Ok(None);
        }
        Ok(Some(Self {
            driver: driver.clone(),
            uuid,
            asked,
            notes: Notes::default(),
            _turn: turn,
        }))
    }
}

impl Confirm {
    async fn rename(self: Arc<Self>) -> Result<()> {
        rename(&self.driver, self.uuid, &self.asked.usual).await
    }
}

/// What the journal keeps of a reversion.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Reverted {
    instance: Uuid,
    server: String,
    usual: String,
    /// What a server that did not leave this host was.
    before: Option<Configuration>,
    power_on: bool,
}

/// A reversion on its way.
pub(in crate::operations) struct Revert {
    driver: Driver,
    control: Control,
    uuid: PartitionUuid,
    asked: Reverted,
    notes: Notes<()>,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Revert {
    const KIND: &'static str = "revert";
    const PLAN: Plan = Plan::Finish;
    type Asked = Reverted;
    type Notes = ();

    fn asked(&self) -> &Reverted {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    /// The name last but for the power: as long as it is the other one, a repeated call knows that there is work left.
    fn recipe(&self) -> Saga<Self> {
        let mut saga = Saga::new(format!("revert the resize of {}", self.asked.server));
        let mut before = Vec::new();
        if self.asked.before.is_some() {
            saga = saga
                .step(Step::new(POWER_OFF, Self::power_off))
                .step(Step::new(SIZE, Self::size).after([POWER_OFF]));
            before.push(SIZE);
        }
        saga = saga.step(Step::new(RENAME, Self::rename).after(before));
        if self.asked.power_on {
            saga.push(Step::new(POWER_ON, Self::power_on).after([RENAME]));
        }
        saga
    }

    async fn revive(
        driver: &Driver,
        asked: Reverted,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&uuid).await;
        if !is_there(driver, uuid).await? {
            return Ok(None);
        }
        for operation in [POWER_ON_JOB, POWER_OFF_JOB] {
            jobs::see_off(driver.session(), uuid, operation).await?;
        }
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            uuid,
            asked,
            notes: Notes::default(),
            _turn: turn,
        }))
    }
}

impl Revert {
    async fn power_off(self: Arc<Self>) -> Result<()> {
        let patience = self.driver.config().shutdown_timeout();
        power::off_kindly(&self.driver, self.uuid, patience, &self.control).await
    }

    async fn size(self: Arc<Self>) -> Result<()> {
        let Some(before) = self.asked.before.clone() else {
            return Ok(());
        };
        edit(&self.driver, self.uuid, move |partition| {
            before.restore(partition)
        })
        .await
    }

    async fn rename(self: Arc<Self>) -> Result<()> {
        rename(&self.driver, self.uuid, &self.asked.usual).await
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        power::start(&self.driver, self.uuid).await
    }
}

async fn is_there(driver: &Driver, partition: PartitionUuid) -> Result<bool> {
    match power::state_of(driver.session(), partition).await {
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
        Ok(_) => Ok(true),
    }
}
