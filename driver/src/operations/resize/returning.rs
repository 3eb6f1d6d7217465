//! The volumes of a server that left are attached, and it becomes what it was.
//!
//! They come first: what is not finished then needs no credentials.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Revert;
use super::request::{Before, RevertRequest};
use super::volumes::{told, wanted};
use crate::error::{Error, Result};
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::unfinished;
use crate::operations::volume::attach::Attach;
use crate::operations::volume::{Metadata, VolumesReport};
use crate::operations::{jobs, power};
use crate::partition::PartitionUuid;
use crate::partition::power::POWER_OFF as POWER_OFF_JOB;
use crate::partition::state::is_stoppable;
use crate::saga::{Outline, Saga, Step};

const OFF: &str = "power off";
const ATTACH: &str = "attach its volumes";
const BACK: &str = "take the server back";

impl Driver {
    /// Its volumes, its size and its name.
    pub(super) async fn return_with_volumes(
        &self,
        request: RevertRequest,
        has_left: bool,
        control: &Control,
    ) -> Result<VolumesReport> {
        let uuid = PartitionUuid::of_instance(request.instance);
        let state = power::state_of(self.session(), uuid).await?;
        let steps = control.for_steps();
        let returning = Arc::new(Returning {
            driver: self.clone(),
            control: steps.clone(),
            asked: Asked {
                instance: request.instance,
                name: request.name.clone(),
                before: request.before.clone(),
                power_on: request.power_on,
                was_on: is_stoppable(&state),
                has_left,
            },
            request: Some(request),
            attached: Mutex::default(),
            stage: Stage::Begun,
            notes: Notes::default(),
        });
        if control.is_dry_run() {
            return Err(returning.outline().await?);
        }
        self.perform(&returning, control, &steps).await?;
        let mut attached = returning
            .attached
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        attached
            .take()
            .ok_or_else(|| Error::internal("volumes that were attached are not known to be"))
    }
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    instance: Uuid,
    name: Option<String>,
    before: Before,
    power_on: bool,
    was_on: bool,
    /// It is not what it was already.
    has_left: bool,
}

/// How far another process came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begun,
    Attached,
    Back,
}

/// A server with volumes on its way back.
pub(in crate::operations) struct Returning {
    driver: Driver,
    control: Control,
    asked: Asked,
    /// Nothing when another process began it.
    request: Option<RevertRequest>,
    attached: Mutex<Option<VolumesReport>>,
    stage: Stage,
    notes: Notes<Option<Noted>>,
}

/// What its steps know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::operations) enum Noted {
    /// It may be half what it was.
    Returning,
}

impl Operation for Returning {
    const KIND: &'static str = "reversion with volumes";
    const PLAN: Plan = Plan::Undo;
    const SURROUNDS: bool = true;
    type Asked = Asked;
    type Notes = Option<Noted>;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Option<Noted>> {
        &self.notes
    }

    fn plan(&self) -> Plan {
        match self.stage {
            Stage::Begun => Plan::Undo,
            Stage::Attached | Stage::Back => Plan::Finish,
        }
    }

    fn recipe(&self) -> Saga<Self> {
        let mut saga = Saga::new(format!(
            "take {} back with its volumes",
            self.asked.instance
        ));
        let mut last = Vec::new();
        if self.stage == Stage::Begun {
            if self.asked.has_left {
                saga.push(Step::new(OFF, Self::power_off).undo(Self::power_on_again));
                last = vec![OFF];
            }
            saga.push(Step::new(ATTACH, Self::attach).after(last));
            last = vec![ATTACH];
        }
        saga.step(Step::new(BACK, Self::take_back).after(last))
    }

    /// Its volumes cannot be attached without credentials: as long as they are not, it stays where it is.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        _: Option<Noted>,
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        match power::state_of(driver.session(), uuid).await {
            Err(error) if error.is_not_found() => return Ok(None),
            state => drop(state?),
        }
        let done = unfinished::parts_done(driver, uuid, Self::KIND).await?;
        let stage = match (done.contains(Revert::KIND), done.contains(Attach::KIND)) {
            (true, _) => Stage::Back,
            (false, true) => Stage::Attached,
            (false, false) => Stage::Begun,
        };
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            request: None,
            attached: Mutex::default(),
            stage,
            notes: Notes::default(),
        }))
    }
}

impl Returning {
    fn uuid(&self) -> PartitionUuid {
        PartitionUuid::of_instance(self.asked.instance)
    }

    fn back(&self) -> RevertRequest {
        RevertRequest {
            instance: self.asked.instance,
            name: self.asked.name.clone(),
            before: self.asked.before.clone(),
            power_on: self.asked.power_on,
            volumes: Vec::new(),
            metadata: Metadata::new(),
        }
    }

    /// The steps of both parts.
    async fn outline(&self) -> Result<Error> {
        let mut parts = Vec::new();
        if self.asked.has_left {
            parts.push((OFF, true, Vec::new()));
        }
        let request = self.request.as_ref();
        let volumes = request
            .and_then(|request| wanted(request.instance, &request.volumes, &request.metadata));
        if let Some(volumes) = volumes {
            let own = told(self.driver.attach_volumes(volumes, &self.control)).await?;
            parts.push((ATTACH, false, own));
        }
        let own = told(self.driver.take_back(self.back(), &self.control)).await?;
        parts.push((BACK, false, own));
        let whole = Outline::of_parts(self.recipe().name(), parts);
        Ok(Error::DryRun(Arc::new(whole)))
    }

    /// Volumes come to a server that is off without an agent in it.
    async fn power_off(self: Arc<Self>) -> Result<()> {
        let _turn = self.driver.shared.instances.take(&self.uuid()).await;
        let patience = self.driver.config().shutdown_timeout();
        power::off_kindly(&self.driver, self.uuid(), patience, &self.control).await
    }

    /// One that is half what it was is left off: the call is repeated.
    async fn power_on_again(self: Arc<Self>) -> Result<()> {
        if self.notes.with(|notes| notes.is_some()) {
            return Ok(());
        }
        let _turn = self.driver.shared.instances.take(&self.uuid()).await;
        jobs::see_off(self.driver.session(), self.uuid(), POWER_OFF_JOB).await?;
        match self.asked.was_on {
            true => power::start(&self.driver, self.uuid()).await,
            false => Ok(()),
        }
    }

    async fn attach(self: Arc<Self>) -> Result<()> {
        let Some(request) = &self.request else {
            return Err(Error::internal("volumes are not attached on the way back"));
        };
        if let Some(volumes) = wanted(request.instance, &request.volumes, &request.metadata) {
            let attached = self.driver.attach_volumes(volumes, &self.control).await?;
            *self.attached.lock().unwrap_or_else(PoisonError::into_inner) = Some(attached);
        }
        Ok(())
    }

    async fn take_back(self: Arc<Self>) -> Result<()> {
        if self.stage == Stage::Back {
            return Ok(());
        }
        self.notes.with(|notes| *notes = Some(Noted::Returning));
        self.driver.take_back(self.back(), &self.control).await
    }
}
