//! Suspends servers and resumes them: what a server remembers goes to disk and comes back.
//!
//! Only an HMC does so, of a partition that was made capable of it, on a host with a device for it
//! (`docs/protocol/mobility.md`). Nothing is taken back: a server that failed to be suspended runs on.

use std::sync::Arc;

use powervm_schema::partition::{LogicalPartition, RmcState};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::{Driver, path_of};
use super::jobs;
use super::operation::{Notes, Operation, Plan};
use super::power::{state_of, without_saga};
use super::request::ServerRef;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{PartitionUuid, PowerState};
use crate::rest::{Flavor, Groups, Job};
use crate::saga::{Saga, Step};

const SUSPENDED: &str = "suspended";
const RUNNING: &str = "running";

impl Driver {
    /// Suspends a server that runs: its memory is written to a disk of the host, and given up with its processors. One
    /// that is suspended is left alone.
    ///
    /// # Errors
    /// A NovaLink; a server that does not run, is not capable of it, or has no RMC connection; a job that failed.
    pub async fn suspend(
        &self,
        server: impl Into<ServerRef>,
        control: &Control,
    ) -> Result<PowerState> {
        self.change_suspension(server.into(), Way::Suspend, control)
            .await
    }

    /// Resumes a server that is suspended. One that runs is left alone.
    ///
    /// # Errors
    /// A NovaLink; a server in another state; a host without room for it; a job that failed.
    pub async fn resume(
        &self,
        server: impl Into<ServerRef>,
        control: &Control,
    ) -> Result<PowerState> {
        self.change_suspension(server.into(), Way::Resume, control)
            .await
    }

    async fn change_suspension(
        &self,
        server: ServerRef,
        way: Way,
        control: &Control,
    ) -> Result<PowerState> {
        let partition = self.resolve(&server).await?;
        let turn = self.shared.instances.take(&partition).await;
        let state = way.check(self, partition).await?;
        if state != way.goal() {
            let steps = control.for_steps();
            let suspension = Arc::new(Suspension {
                driver: self.clone(),
                partition,
                asked: Asked {
                    server: server.to_string(),
                    partition: partition.as_uuid(),
                    way,
                },
                notes: Notes::default(),
                _turn: turn,
            });
            self.perform(&suspension, control, &steps)
                .await
                .map_err(without_saga)?;
        }
        let state = state_of(self.session(), partition).await?;
        Ok(PowerState::of(&state))
    }
}

/// There or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Suspend,
    Resume,
}

impl Way {
    fn goal(self) -> &'static str {
        match self {
            Self::Suspend => SUSPENDED,
            Self::Resume => RUNNING,
        }
    }

    fn job(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend",
            Self::Resume => "Resume",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Suspend => "suspend",
            Self::Resume => "resume",
        }
    }

    /// That the server can go this way, or is at its end; returns the state that it is in.
    async fn check(self, driver: &Driver, partition: PartitionUuid) -> Result<String> {
        if driver.session().flavor() == Flavor::NovaLink {
            return Err(Error::operation(
                ErrorKind::Precondition,
                "a NovaLink neither suspends nor resumes servers",
                "use the HMC of the host, if it has one, or stop the server",
            ));
        }
        let entry = driver
            .session()
            .get_entry(&path_of(partition), Groups::None)
            .await?;
        driver.refuse_others(&entry.content)?;
        let document = LogicalPartition(&entry.content);
        let (base, capable) = (document.partition(), document.suspend_capable());
        let name = base.name().unwrap_or_default();
        let state = base.state().ok().flatten();
        let state = state.map(|state| state.to_string()).unwrap_or_default();
        let needed = match self {
            Self::Suspend => RUNNING,
            Self::Resume => SUSPENDED,
        };
        let refused = |why: String, remedy: &str| {
            let what = format!("{name} cannot be {}: {why}", self.done());
            Err(Error::operation(ErrorKind::Precondition, what, remedy))
        };
        if state == self.goal() {
            return Ok(state);
        }
        if state != needed {
            return refused(
                format!("it is {state}"),
                "see its state with `powervm server show`",
            );
        }
        if self == Self::Suspend && capable.ok().flatten() != Some(true) {
            let why = "it was not made capable of it".to_owned();
            return refused(
                why,
                "allow it in the properties of the partition (SuspendCapable)",
            );
        }
        if self == Self::Suspend && base.rmc_state().ok().flatten() != Some(RmcState::Active) {
            return refused(
                "its RMC connection is not active".to_owned(),
                "wait until it has booted",
            );
        }
        Ok(state)
    }

    fn done(self) -> &'static str {
        match self {
            Self::Suspend => SUSPENDED,
            Self::Resume => "resumed",
        }
    }
}

/// What the journal keeps of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    server: String,
    partition: Uuid,
    way: Way,
}

/// A suspension, or its end, on its way: one step, which looks at the state that it finds.
pub(super) struct Suspension {
    driver: Driver,
    partition: PartitionUuid,
    asked: Asked,
    notes: Notes<()>,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Suspension {
    const KIND: &'static str = "suspension";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        let verb = self.asked.way.verb();
        Saga::new(format!("{verb} {}", self.asked.server)).step(Step::new(verb, Self::change))
    }

    /// Nothing is left to do for a server that is gone, or that somebody has stopped or started since.
    async fn revive(driver: &Driver, asked: Asked, (): (), _: &Control) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        for way in [Way::Suspend, Way::Resume] {
            jobs::see_off(driver.session(), partition, way.job()).await?;
        }
        match asked.way.check(driver, partition).await {
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::Precondition => {
                return Ok(None);
            }
            checked => checked?,
        };
        Ok(Some(Self {
            driver: driver.clone(),
            partition,
            asked,
            notes: Notes::default(),
            _turn: turn,
        }))
    }
}

impl Suspension {
    async fn change(self: Arc<Self>) -> Result<()> {
        let (session, partition) = (self.driver.session(), self.partition);
        let (goal, name) = (self.asked.way.goal(), self.asked.way.job());
        if state_of(session, partition).await? == goal {
            return Ok(());
        }
        let job = Job::new(path_of(partition), name);
        let Err(error) = jobs::run(session, partition, name, job).await else {
            return Ok(());
        };
        // The job may have been done although its answer, or a look at it, failed.
        if state_of(session, partition).await? == goal {
            tracing::warn!(%error, partition = %partition, "the job failed, and what it was to do is done");
            return Ok(());
        }
        Err(error)
    }
}
