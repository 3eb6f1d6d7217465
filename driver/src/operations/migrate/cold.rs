//! A server that moves to another host while it is off, in one call with a driver for each host.

use std::sync::Arc;

use super::course::Place;
use super::data::{LiveMigration, MigrationData};
use super::lead::Migrated;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::power;
use crate::operations::request::Stop;
use crate::operations::resize::ResizeRequest;
use crate::partition::state::{is_startable, is_stoppable};
use crate::partition::{Flavor, PartitionUuid};
use crate::saga::OutlinedStep;

const OFF: &str = "power off";
const SIZE: &str = "change its size";
const ON: &str = "power on there";

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
    /// there if that is asked for, and powers it on if it ran. One that is there already has moved already, and is left
    /// as it is.
    ///
    /// Both hosts are asked before the server is shut down. Whatever fails before it has moved, and a cancellation,
    /// leave it here as it was, running if it ran. If the process is killed, the server is off where it is then, and
    /// the call can be repeated.
    ///
    /// # Errors
    /// As [`Driver::live_migrate`]; a server that has moved and could not be given its size or be powered on.
    pub async fn cold_migrate(
        &self,
        destination: &Self,
        request: ColdMigration,
        control: &Control,
    ) -> Result<Migrated> {
        let order = request.order;
        let uuid = self.find_on_either(destination, &order).await?;
        if Place::surely(self, uuid).await? == Place::Gone {
            return self.lead(destination, order, true, control).await;
        }
        self.check_cold(destination, uuid, &order).await?;
        if control.is_dry_run() {
            let told = self.lead(destination, order, true, control).await;
            return Err(told.map_or_else(
                |error| with_power(error, request.flavor.is_some()),
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
        let off = self.stop(uuid.as_uuid(), Stop::Graceful, control).await;
        let moved = match off {
            Ok(_) => self.lead(destination, order, true, control).await,
            Err(error) => Err(error),
        };
        let mut migrated = match moved {
            Ok(migrated) => migrated,
            Err(error) => {
                if was_on {
                    self.start_again(uuid, control).await;
                }
                return Err(error);
            }
        };
        let sized = match request.flavor {
            Some(flavor) => {
                let resize = ResizeRequest {
                    instance: uuid.as_uuid(),
                    name: Some(migrated.arrived.server.summary.name.clone()),
                    flavor,
                    from_gb: None,
                };
                destination.resize(resize, control).await
            }
            None => Ok(()),
        };
        let on = match was_on {
            true => destination.start(uuid.as_uuid(), control).await.map(drop),
            false => Ok(()),
        };
        let told = |what: &str, error: Error| {
            Error::caused(
                error.kind(),
                format!("the server is on {} now, but {what}: {error}", migrated.to),
                "do that there when it is mended",
                error,
            )
        };
        sized.map_err(|error| told("its size could not be changed", error))?;
        on.map_err(|error| told("it could not be powered on", error))?;
        migrated.arrived.server = destination.show(uuid.as_uuid()).await?;
        Ok(migrated)
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

    /// What has not moved runs again.
    async fn start_again(&self, uuid: PartitionUuid, control: &Control) {
        let whole = control.uncancelled();
        if let Ok(Place::Here) = Place::surely(self, uuid).await
            && let Err(error) = self.start(uuid.as_uuid(), &whole).await
        {
            control.warn(format!(
                "the server has not moved, and is still off: {error}"
            ));
        }
    }
}

/// The steps of the migration, with those around them.
fn with_power(told: Error, is_resized: bool) -> Error {
    let Error::DryRun(outline) = told else {
        return told;
    };
    let mut outline = outline.as_ref().clone();
    let step = |name: &str, after: Option<String>| OutlinedStep {
        name: name.to_owned(),
        after: after.into_iter().collect(),
        has_undo: name == OFF,
    };
    for first in outline
        .steps
        .iter_mut()
        .filter(|step| step.after.is_empty())
    {
        first.after.push(OFF.to_owned());
    }
    outline.steps.insert(0, step(OFF, None));
    for name in [is_resized.then_some(SIZE), Some(ON)].into_iter().flatten() {
        let last = outline.steps.last().map(|last| last.name.clone());
        outline.steps.push(step(name, last));
    }
    Error::DryRun(Arc::new(outline))
}
