//! A server that moves to another host while it is off, in one call with a driver for each host.
//!
//! Each host's journal has what it is to become there: here it runs again if it has not moved, there it gets its size and
//! runs if it has. Where it is decides, whoever looks first.

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::course::Place;
use super::data::{LiveMigration, MigrationData};
use super::lead::Migrated;
use super::settle::{self, ON, SIZE, Settle, TAKE};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::{jobs, power, resize};
use crate::partition::power::POWER_OFF;
use crate::partition::state::{is_startable, is_stoppable};
use crate::partition::{Flavor, PartitionUuid};
use crate::saga::{Outline, Saga, Step};

const OFF: &str = "power off";
const GO: &str = "let the server go";

/// A server that is to move while it is off.
#[derive(Debug, Clone)]
pub struct ColdMigration {
    /// Which server, and how it moves.
    pub order: LiveMigration,
    /// Its new size, if it is to have one: confirmed or reverted there, as any.
    pub flavor: Option<Flavor>,
}

impl Driver {
    /// Shuts a server of this host down, moves it to the destination (an inactive migration), gives it another size
    /// there if that is asked for, and powers it on if it ran. One that is there already has moved already, and only gets
    /// its size.
    ///
    /// Both hosts are asked before the server is shut down, the destination also for room for the new size. Whatever fails
    /// before it has moved, and a cancellation, leave it here as it was, running if it ran. If the process is killed,
    /// the recovery of both hosts' drivers has it run here as it was, or there in its new size.
    ///
    /// # Errors
    /// As [`Driver::live_migrate`]; a server that has moved and could not be given its size or be powered on: it runs there
    /// if it ran, and the call can be repeated.
    pub async fn cold_migrate(
        &self,
        destination: &Self,
        request: ColdMigration,
        control: &Control,
    ) -> Result<Migrated> {
        let ColdMigration { order, flavor } = request;
        let uuid = self.find_on_either(destination, &order).await?;
        if Place::surely(self, uuid).await? == Place::Gone {
            let mut migrated = self.lead(destination, order, true, control).await?;
            if let Some(flavor) = flavor {
                let there = &migrated.to;
                let sized = destination.size_there(uuid, flavor, control).await;
                sized.map_err(|error| come(there, error))?;
                migrated.arrived.server = destination.show(uuid.as_uuid()).await?;
            }
            return Ok(migrated);
        }
        let data = self.check_cold(destination, uuid, &order).await?;
        if let Some(flavor) = &flavor {
            destination.could_size(self, uuid, flavor).await?;
        }
        if control.is_dry_run() {
            let told = self.lead(destination, order, true, control).await;
            return Err(told.map_or_else(
                |error| whole(error, flavor.is_some()),
                |_| Error::internal("a dry run did something"),
            ));
        }
        let state = power::state_of(self.session(), uuid).await?;
        let was_on = is_stoppable(&state);
        if !was_on && !is_startable(&state) {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!("{} is {state} and cannot be powered off", order.server),
                "wait until it is done",
            ));
        }
        let steps = control.for_steps();
        let server = data.title();
        let settle = Arc::new(Settle {
            driver: destination.clone(),
            source: Some((self.clone(), order)),
            control: steps.clone(),
            asked: settle::Asked {
                instance: uuid.as_uuid(),
                server: server.clone(),
                flavor,
                power_on: was_on,
            },
            migrated: Mutex::default(),
            notes: Notes::default(),
        });
        let away = Arc::new(Away {
            driver: self.clone(),
            settle: Some(Arc::clone(&settle)),
            control: steps.clone(),
            asked: Asked {
                instance: uuid.as_uuid(),
                server,
                was_on,
            },
            notes: Notes::default(),
        });
        let outcome = self.perform(&away, control, &steps).await;
        match (outcome, settle.migrated()) {
            (Ok(()), Some(mut migrated)) => {
                migrated.arrived.server = destination.show(uuid.as_uuid()).await?;
                Ok(migrated)
            }
            (Ok(()), None) => Err(Error::internal("a server that moved is not known to have")),
            (Err(error), Some(migrated)) => Err(come(&migrated.to, innermost(error))),
            (Err(error), None) => Err(innermost(error)),
        }
    }

    /// That it could go, before it is shut down.
    async fn check_cold(
        &self,
        destination: &Self,
        uuid: PartitionUuid,
        order: &LiveMigration,
    ) -> Result<MigrationData> {
        let access = order.access.clone();
        let data = destination.check_migration_destination(uuid.as_uuid(), access);
        self.check_source(data.await?, true).await
    }
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    instance: Uuid,
    /// The partition's name.
    server: String,
    was_on: bool,
}

/// A server that leaves while it is off.
pub(in crate::operations) struct Away {
    driver: Driver,
    /// The destination's part; nothing on the way back.
    settle: Option<Arc<Settle>>,
    control: Control,
    asked: Asked,
    notes: Notes<()>,
}

impl Operation for Away {
    const KIND: &'static str = "cold migration";
    const PLAN: Plan = Plan::Undo;
    const SURROUNDS: bool = true;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        Saga::new(format!("move {} while it is off", self.asked.server))
            .step(Step::new(OFF, Self::power_off).undo(Self::power_on_again))
            .step(Step::new(GO, Self::let_go).after([OFF]))
    }

    /// What has gone is the destination's; what it left is removed by what moved it.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        match Place::surely(driver, uuid).await? {
            Place::Gone => Ok(None),
            Place::Leaving(_) => Err(super::refused(
                &asked.server,
                "it still is on its way",
                "recover again when that is over",
            )),
            Place::Here => Ok(Some(Self {
                driver: driver.clone(),
                settle: None,
                control: control.clone(),
                asked,
                notes: Notes::default(),
            })),
        }
    }
}

impl Away {
    fn uuid(&self) -> PartitionUuid {
        PartitionUuid::of_instance(self.asked.instance)
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        let _turn = self.driver.shared.instances.take(&self.uuid()).await;
        let patience = self.driver.config().shutdown_timeout();
        power::off_kindly(&self.driver, self.uuid(), patience, &self.control).await
    }

    /// What has not moved runs again.
    async fn power_on_again(self: Arc<Self>) -> Result<()> {
        let _turn = self.driver.shared.instances.take(&self.uuid()).await;
        if Place::surely(&self.driver, self.uuid()).await? != Place::Here {
            return Ok(());
        }
        // A job whose answer was lost must not strike afterwards.
        jobs::see_off(self.driver.session(), self.uuid(), POWER_OFF).await?;
        match self.asked.was_on {
            true => power::start(&self.driver, self.uuid()).await,
            false => Ok(()),
        }
    }

    async fn let_go(self: Arc<Self>) -> Result<()> {
        let Some(settle) = &self.settle else {
            return Err(Error::internal("a move that is taken back cannot go on"));
        };
        // A repeated step finds it gone.
        if Place::surely(&self.driver, self.uuid()).await? == Place::Gone {
            return Ok(());
        }
        let there = settle.driver.clone();
        there.perform(settle, &self.control, &settle.control).await
    }
}

/// It has moved, and something else could not be done.
fn come(there: &str, error: Error) -> Error {
    Error::caused(
        error.kind(),
        format!("the server is on {there} now, but not all that was asked for was done: {error}"),
        "repeat the call when that is mended",
        error,
    )
}

/// The error of the part that failed, unless something around it was left behind.
fn innermost(error: Error) -> Error {
    match error {
        Error::Saga(failure)
            if failure.left_behind.is_empty()
                && matches!(failure.error, Error::Saga(_))
                && failure.others.is_empty() =>
        {
            innermost(failure.error.clone())
        }
        error => error,
    }
}

/// The steps of the migration, with those around them.
fn whole(told: Error, is_resized: bool) -> Error {
    let Error::DryRun(outline) = told else {
        return told;
    };
    let of_size = Outline::of_parts("", resize::STEPS.map(|name| (name, true, Vec::new())));
    let mut parts = vec![
        (OFF, true, Vec::new()),
        (GO, false, Vec::new()),
        (TAKE, true, outline.steps.clone()),
    ];
    if is_resized {
        parts.push((SIZE, false, of_size.steps));
    }
    parts.push((ON, false, Vec::new()));
    Error::DryRun(Arc::new(Outline::of_parts(outline.saga.clone(), parts)))
}
