//! The volumes of a server are attached, and it arrives in its new size.

use std::sync::{Arc, Mutex, PoisonError};

use powervm_schema::partition::LogicalPartition;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::request::ArriveRequest;
use super::run::edit;
use super::volumes::{told, wanted};
use crate::error::{Error, Result};
use crate::operations::control::Control;
use crate::operations::driver::{Driver, path_of};
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::volume::{Metadata, VolumesReport};
use crate::operations::{jobs, power};
use crate::partition::power::{POWER_OFF, POWER_ON};
use crate::partition::state::is_stoppable;
use crate::partition::{Configuration, PartitionUuid};
use crate::rest::Groups;
use crate::saga::{Outline, Saga, Step};
use crate::volume::Connection;

const ATTACH: &str = "attach its volumes";
const ARRIVE: &str = "let the server arrive";

impl Driver {
    /// Both, or neither.
    pub(super) async fn arrive_with_volumes(
        &self,
        request: ArriveRequest,
        control: &Control,
    ) -> Result<VolumesReport> {
        let uuid = PartitionUuid::of_instance(request.instance);
        let path = path_of(uuid);
        let entry = self.session().get_entry(&path, Groups::None).await?;
        self.refuse_others(&entry.content)?;
        let state = LogicalPartition(&entry.content).partition().state();
        let is_on = state
            .ok()
            .flatten()
            .is_some_and(|state| is_stoppable(state.as_str()));
        let steps = control.for_steps();
        let arriving = Arc::new(Arriving {
            driver: self.clone(),
            control: steps.clone(),
            asked: Asked {
                instance: request.instance,
                server: request.name.clone(),
                volumes: request.volumes.clone(),
                before: Configuration::of(&entry.content),
                was_on: is_on,
            },
            request: Some(request),
            attached: Mutex::default(),
            notes: Notes::default(),
        });
        if control.is_dry_run() {
            return Err(arriving.outline().await?);
        }
        self.perform(&arriving, control, &steps).await?;
        let mut attached = arriving
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
    server: String,
    /// Without credentials: they are only detached.
    volumes: Vec<Connection>,
    /// What the server was as it left.
    before: Configuration,
    was_on: bool,
}

/// A server with volumes on its way in.
pub(in crate::operations) struct Arriving {
    driver: Driver,
    control: Control,
    asked: Asked,
    /// Nothing on the way back.
    request: Option<ArriveRequest>,
    attached: Mutex<Option<VolumesReport>>,
    notes: Notes<()>,
}

impl Operation for Arriving {
    const KIND: &'static str = "arrival with volumes";
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
        Saga::new(format!("let {} arrive with its volumes", self.asked.server))
            .step(Step::new(ATTACH, Self::attach).undo(Self::detach))
            .step(
                Step::new(ARRIVE, Self::arrive)
                    .after([ATTACH])
                    .undo(Self::leave_again),
            )
    }

    /// Whoever asked for it was never told: the server has left, as before.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        match power::state_of(driver.session(), uuid).await {
            Err(error) if error.is_not_found() => return Ok(None),
            state => drop(state?),
        }
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            request: None,
            attached: Mutex::default(),
            notes: Notes::default(),
        }))
    }
}

impl Arriving {
    /// The steps of both parts.
    async fn outline(&self) -> Result<Error> {
        let Some(request) = &self.request else {
            return Err(on_the_way_back());
        };
        let mut parts = Vec::new();
        if let Some(volumes) = wanted(request.instance, &request.volumes, &request.metadata) {
            let own = told(self.driver.attach_volumes(volumes, &self.control)).await?;
            parts.push((ATTACH, true, own));
        }
        let own = told(self.driver.arrive_resized(request.clone(), &self.control)).await?;
        parts.push((ARRIVE, true, own));
        let whole = Outline::of_parts(self.recipe().name(), parts);
        Ok(Error::DryRun(Arc::new(whole)))
    }

    async fn attach(self: Arc<Self>) -> Result<()> {
        let Some(request) = &self.request else {
            return Err(on_the_way_back());
        };
        if let Some(volumes) = wanted(request.instance, &request.volumes, &request.metadata) {
            let attached = self.driver.attach_volumes(volumes, &self.control).await?;
            *self.attached.lock().unwrap_or_else(PoisonError::into_inner) = Some(attached);
        }
        Ok(())
    }

    async fn detach(self: Arc<Self>) -> Result<()> {
        let whole = self.control.uncancelled();
        let volumes = &self.asked.volumes;
        match wanted(self.asked.instance, volumes, &Metadata::new()) {
            Some(volumes) => self.driver.detach_volumes(volumes, &whole).await.map(drop),
            None => Ok(()),
        }
    }

    async fn arrive(self: Arc<Self>) -> Result<()> {
        let Some(request) = &self.request else {
            return Err(on_the_way_back());
        };
        let request = request.clone();
        self.driver.arrive_resized(request, &self.control).await
    }

    /// It may have arrived all the same.
    async fn leave_again(self: Arc<Self>) -> Result<()> {
        let uuid = PartitionUuid::of_instance(self.asked.instance);
        let _turn = self.driver.shared.instances.take(&uuid).await;
        jobs::see_off(self.driver.session(), uuid, POWER_ON).await?;
        if !self.asked.was_on {
            power::off_hard(&self.driver, uuid).await?;
            jobs::see_off(self.driver.session(), uuid, POWER_OFF).await?;
        }
        let before = self.asked.before.clone();
        edit(&self.driver, uuid, move |partition| {
            before.restore(partition)
        })
        .await
    }
}

fn on_the_way_back() -> Error {
    Error::internal("an arrival that is taken back cannot go on")
}
