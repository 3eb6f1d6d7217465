//! A server leaves, and its volumes are detached.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Revert;
use super::request::{Before, DepartRequest, Departure, RevertRequest};
use super::run::Resize;
use super::volumes::{told, wanted};
use crate::error::{Error, Result};
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::unfinished;
use crate::operations::volume::Metadata;
use crate::partition::PartitionUuid;
use crate::saga::{Outline, Saga, Step};
use crate::volume::Connection;

const LEAVE: &str = "let the server leave";
const DETACH: &str = "detach its volumes";

impl Driver {
    /// Both, or neither.
    pub(super) async fn leave_with_volumes(
        &self,
        request: DepartRequest,
        control: &Control,
    ) -> Result<Departure> {
        let steps = control.for_steps();
        let leaving = Arc::new(Leaving {
            driver: self.clone(),
            control: steps.clone(),
            asked: Asked {
                instance: request.instance,
                volumes: request.volumes.clone(),
            },
            request: Some(request),
            left: Mutex::default(),
            notes: Notes::default(),
        });
        if control.is_dry_run() {
            return Err(leaving.outline().await?);
        }
        self.perform(&leaving, control, &steps).await?;
        let left = leaving.left();
        left.ok_or_else(|| Error::internal("a server that left is not known to have"))
    }
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    instance: Uuid,
    /// Without credentials.
    volumes: Vec<Connection>,
}

/// A server with volumes on its way out.
pub(in crate::operations) struct Leaving {
    driver: Driver,
    control: Control,
    asked: Asked,
    /// Nothing when it has left already.
    request: Option<DepartRequest>,
    left: Mutex<Option<Departure>>,
    notes: Notes<()>,
}

impl Operation for Leaving {
    const KIND: &'static str = "departure with volumes";
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

    /// Taken up only if it has left.
    fn plan(&self) -> Plan {
        match self.request {
            Some(_) => Plan::Undo,
            None => Plan::Finish,
        }
    }

    fn recipe(&self) -> Saga<Self> {
        let saga = Saga::new(format!(
            "let {} leave with its volumes",
            self.asked.instance
        ));
        match self.request {
            None => saga.step(Step::new(DETACH, Self::detach)),
            Some(_) => saga
                .step(Step::new(LEAVE, Self::leave).undo(Self::come_back))
                .step(
                    Step::new(DETACH, Self::detach)
                        .after([LEAVE])
                        .undo(Self::attach_again),
                ),
        }
    }

    /// Credentials to attach volumes with are in no journal: what has left has left.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let uuid = PartitionUuid::of_instance(asked.instance);
        let done = unfinished::parts_done(driver, uuid, Self::KIND).await?;
        let has_left = done.contains(Resize::KIND) && !done.contains(Revert::KIND);
        Ok(has_left.then(|| Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            request: None,
            left: Mutex::default(),
            notes: Notes::default(),
        }))
    }
}

impl Leaving {
    fn left(&self) -> Option<Departure> {
        let left = self.left.lock();
        left.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn metadata(&self) -> Metadata {
        let request = self.request.as_ref();
        request
            .map(|request| request.metadata.clone())
            .unwrap_or_default()
    }

    /// The steps of both parts.
    async fn outline(&self) -> Result<Error> {
        let mut parts = Vec::new();
        if let Some(request) = &self.request {
            let own = told(self.driver.leave(request, &self.control)).await?;
            parts.push((LEAVE, true, own));
        }
        if let Some(volumes) = wanted(self.asked.instance, &self.asked.volumes, &self.metadata()) {
            let own = told(self.driver.detach_volumes(volumes, &self.control)).await?;
            parts.push((DETACH, true, own));
        }
        let whole = Outline::of_parts(self.recipe().name(), parts);
        Ok(Error::DryRun(Arc::new(whole)))
    }

    async fn leave(self: Arc<Self>) -> Result<()> {
        let (Some(request), None) = (&self.request, self.left()) else {
            return Ok(());
        };
        let left = self.driver.leave(request, &self.control).await?;
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
        Ok(())
    }

    async fn come_back(self: Arc<Self>) -> Result<()> {
        let (Some(request), Some(left)) = (&self.request, self.left()) else {
            return Ok(());
        };
        let back = RevertRequest {
            instance: request.instance,
            name: request.name.clone(),
            before: Before::Kept(Box::new(left.before)),
            power_on: left.was_on,
            volumes: Vec::new(),
            metadata: Metadata::new(),
        };
        let whole = self.control.uncancelled();
        let back = self.driver.finish_revert_migration(back, &whole);
        back.await.map(drop)
    }

    async fn detach(self: Arc<Self>) -> Result<()> {
        let wanted = wanted(self.asked.instance, &self.asked.volumes, &self.metadata());
        if let Some(volumes) = wanted {
            self.driver.detach_volumes(volumes, &self.control).await?;
        }
        Ok(())
    }

    /// What is attached still stays as it is.
    async fn attach_again(self: Arc<Self>) -> Result<()> {
        let Some(request) = &self.request else {
            return Ok(());
        };
        let whole = self.control.uncancelled();
        match wanted(request.instance, &request.volumes, &request.metadata) {
            Some(volumes) => self.driver.attach_volumes(volumes, &whole).await.map(drop),
            None => Ok(()),
        }
    }
}
