//! Starts, stops and reboots partitions.
//!
//! Every job ends before the call returns, and the state is read again afterwards, never assumed.

use std::sync::Arc;
use std::time::Duration;

use powervm_schema::partition::{LogicalPartition, PartitionType, RmcState};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::{Driver, path_of};
use super::jobs;
use super::operation::{Notes, Operation, Plan};
use super::request::{Reboot, ServerRef, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::power::{
    PANEL_FUNCTION, POWER_OFF, POWER_ON, PowerOff, RemoveMedia, crash, power_on,
};
use crate::partition::state::{is_startable, is_stoppable};
use crate::partition::{PartitionUuid, PowerState};
use crate::rest::{Groups, Job, Session};
use crate::saga::{Saga, Step};

const START: &str = "power on";
const STOP: &str = "power off";
const REBOOT: &str = "reboot";
const DUMP: &str = "dump the memory and restart";

impl Driver {
    /// Starts a server that is off; one that runs is left alone.
    ///
    /// # Errors
    /// No such server; a job that failed.
    pub async fn start(
        &self,
        server: impl Into<ServerRef>,
        control: &Control,
    ) -> Result<PowerState> {
        self.power(server.into(), Change::Start, control).await
    }

    /// Stops a server; one that is off is left alone.
    ///
    /// # Errors
    /// No such server; the last job of the ladder failed.
    pub async fn stop(
        &self,
        server: impl Into<ServerRef>,
        how: Stop,
        control: &Control,
    ) -> Result<PowerState> {
        self.power(server.into(), Change::Stop(how), control).await
    }

    /// Reboots a server; one that is off is started.
    ///
    /// # Errors
    /// No such server; the last job of the ladder failed.
    pub async fn reboot(
        &self,
        server: impl Into<ServerRef>,
        how: Reboot,
        control: &Control,
    ) -> Result<PowerState> {
        self.power(server.into(), Change::Reboot(how), control)
            .await
    }

    /// Has a server that runs write down all that it remembers, as a crash would, and start again.
    ///
    /// # Errors
    /// No such server; one that does not run; a job that failed.
    pub async fn dump(
        &self,
        server: impl Into<ServerRef>,
        control: &Control,
    ) -> Result<PowerState> {
        self.power(server.into(), Change::Dump, control).await
    }

    async fn power(
        &self,
        server: ServerRef,
        change: Change,
        control: &Control,
    ) -> Result<PowerState> {
        let partition = self.resolve(&server).await?;
        let turn = self.shared.instances.take(&partition).await;
        let steps = control.for_steps();
        let power = Arc::new(Power {
            driver: self.clone(),
            control: steps.clone(),
            partition,
            asked: Asked {
                server: server.to_string(),
                partition: partition.as_uuid(),
                change,
            },
            notes: Notes::default(),
            is_revived: false,
            _turn: turn,
        });
        self.perform(&power, control, &steps)
            .await
            .map_err(without_saga)?;
        self.keep_nvram_if_possible(partition).await;
        state_of(self.session(), partition)
            .await
            .map(|state| PowerState::of(&state))
    }
}

/// What is to happen to the power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Change {
    Start,
    Stop(Stop),
    Reboot(Reboot),
    Dump,
}

/// What the journal keeps of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    server: String,
    partition: Uuid,
    change: Change,
}

/// A change of power on its way: one step, which looks at the state that it finds.
pub(super) struct Power {
    driver: Driver,
    control: Control,
    partition: PartitionUuid,
    asked: Asked,
    notes: Notes<()>,
    is_revived: bool,
    _turn: OwnedMutexGuard<()>,
}

impl Operation for Power {
    const KIND: &'static str = "power";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    /// Nothing is taken back: a server that failed to stop is not started.
    fn recipe(&self) -> Saga<Self> {
        let (verb, step) = match self.asked.change {
            Change::Start => ("start", Step::new(START, Self::start)),
            Change::Stop(_) => ("stop", Step::new(STOP, Self::stop)),
            Change::Reboot(_) => ("reboot", Step::new(REBOOT, Self::reboot)),
            Change::Dump => ("dump", Step::new(DUMP, Self::dump)),
        };
        Saga::new(format!("{verb} {}", self.asked.server)).step(step)
    }

    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        match state_of(driver.session(), partition).await {
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        for operation in [POWER_ON, POWER_OFF, PANEL_FUNCTION] {
            jobs::see_off(driver.session(), partition, operation).await?;
        }
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            partition,
            asked,
            notes: Notes::default(),
            is_revived: true,
            _turn: turn,
        }))
    }
}

impl Power {
    async fn start(self: Arc<Self>) -> Result<()> {
        let state = state_of(self.driver.session(), self.partition).await?;
        if is_startable(&state) {
            on(&self.driver, self.partition, None).await?;
        }
        Ok(())
    }

    async fn stop(self: Arc<Self>) -> Result<()> {
        let found = read(self.driver.session(), self.partition).await?;
        if is_stoppable(&found.state) {
            let is_hard = self.asked.change == Change::Stop(Stop::Hard);
            self.descend(&found, is_hard, false).await?;
        }
        Ok(())
    }

    /// Taken up again, a reboot only sees to it that the server is on: whether it went off before, nobody knows, and
    /// to reboot a server twice is worse than not at all.
    async fn reboot(self: Arc<Self>) -> Result<()> {
        let found = read(self.driver.session(), self.partition).await?;
        if is_startable(&found.state) {
            on(&self.driver, self.partition, None).await?;
        } else if !self.is_revived {
            let is_hard = self.asked.change == Change::Reboot(Reboot::Hard);
            self.descend(&found, is_hard, true).await?;
        }
        Ok(())
    }

    /// Taken up again as a reboot is: a second dump would be of the start after the first.
    async fn dump(self: Arc<Self>) -> Result<()> {
        let found = read(self.driver.session(), self.partition).await?;
        if self.is_revived {
            return match is_startable(&found.state) {
                true => on(&self.driver, self.partition, None).await,
                false => Ok(()),
            };
        }
        if !is_stoppable(&found.state) {
            return Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "{} cannot be dumped: it is {}",
                    self.asked.server, found.state
                ),
                "start it first; what is off has nothing to write down",
            ));
        }
        let (operation, job) = crash(&path_of(self.partition), found.is_ibmi);
        jobs::run(self.driver.session(), self.partition, operation, job)
            .await
            .map(drop)
    }

    async fn descend(&self, found: &Found, is_hard: bool, restart: bool) -> Result<()> {
        let first = if is_hard {
            PowerOff::Immediate
        } else {
            PowerOff::kindest(found.rmc_is_active)
        };
        let patience = self.driver.config().shutdown_timeout();
        descend(
            &self.driver,
            self.partition,
            first,
            patience,
            restart,
            &self.control,
        )
        .await
    }
}

/// One step, which says all that there is to say.
pub(super) fn without_saga(error: Error) -> Error {
    match error {
        Error::Saga(failure) => failure.error.clone(),
        error => error,
    }
}

/// Powers the partition on and waits until it is.
///
/// # Errors
/// A job that failed for another reason than that the partition was on already.
pub(super) async fn on(
    driver: &Driver,
    partition: PartitionUuid,
    media: Option<&RemoveMedia>,
) -> Result<()> {
    on_by(driver, partition, power_on(&path_of(partition), media)).await
}

/// Powers the partition on unless it is on.
///
/// # Errors
/// As [`on`].
pub(super) async fn start(driver: &Driver, partition: PartitionUuid) -> Result<()> {
    let state = state_of(driver.session(), partition).await?;
    if is_startable(&state) {
        on(driver, partition, None).await?;
    }
    Ok(())
}

/// Powers the partition on by this job and waits until it is.
///
/// # Errors
/// As [`on`].
pub(super) async fn on_by(driver: &Driver, partition: PartitionUuid, job: Job) -> Result<()> {
    let run = || jobs::run(driver.session(), partition, POWER_ON, job.clone());
    match run().await {
        Err(error) if error.kind() == ErrorKind::UnknownOutcome => {
            tracing::warn!(%error, "the answer to a power on was lost, looking at the partition");
            if is_startable(&state_of(driver.session(), partition).await?) {
                run().await?;
            }
            Ok(())
        }
        result => result.map(drop),
    }
}

/// Takes the partition's power away, if it has any; that there is none is as good.
///
/// # Errors
/// A job that failed for another reason than that the partition was off already.
pub(super) async fn off_hard(driver: &Driver, partition: PartitionUuid) -> Result<()> {
    let job = PowerOff::Immediate.job(&path_of(partition), false);
    match jobs::run(driver.session(), partition, POWER_OFF, job).await {
        // It may be anything but the partition that was not found, and what runs must not lose its disks.
        Err(error) if error.is_not_found() => match state_of(driver.session(), partition).await {
            Err(error) if error.is_not_found() => Ok(()),
            Ok(state) if is_startable(&state) => Ok(()),
            _ => Err(error),
        },
        result => result.map(drop),
    }
}

/// Powers the partition off as kindly as can be, if it has any power: the guest has this long to shut down in.
///
/// # Errors
/// No such partition; the last job of the ladder failed.
pub(super) async fn off_kindly(
    driver: &Driver,
    partition: PartitionUuid,
    patience: Duration,
    control: &Control,
) -> Result<()> {
    let found = read(driver.session(), partition).await?;
    if !is_stoppable(&found.state) {
        return Ok(());
    }
    let first = PowerOff::kindest(found.rmc_is_active);
    descend(driver, partition, first, patience, false, control).await
}

/// Goes down the ladder from `first` until one way works.
///
/// Only the first way is given the guest's time to shut down in.
async fn descend(
    driver: &Driver,
    partition: PartitionUuid,
    first: PowerOff,
    patience: Duration,
    restart: bool,
    control: &Control,
) -> Result<()> {
    let mut way = if patience.is_zero() {
        PowerOff::Immediate
    } else {
        first
    };
    let mut limit = Some(patience).filter(|_| way != PowerOff::Immediate);
    loop {
        let mut job = way.job(&path_of(partition), restart);
        if let Some(limit) = limit.take() {
            job = job.timeout(limit.max(Duration::from_secs(1)));
        }
        let Err(error) = jobs::run(driver.session(), partition, POWER_OFF, job).await else {
            return Ok(());
        };
        let timed_out = error.kind() == ErrorKind::TimedOut;
        let Some(next) = way.next(timed_out).filter(|_| worth_insisting(&error)) else {
            return Err(error);
        };
        if control.token().is_cancelled() {
            return Err(Error::Cancelled {
                what: "powering off".to_owned(),
            });
        }
        control.warn(format!(
            "the partition did not end the kind way ({error}), insisting"
        ));
        way = next;
    }
}

/// Whether another way may work where this one failed: the server did answer, the partition did not.
fn worth_insisting(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::JobFailed
            | ErrorKind::TimedOut
            | ErrorKind::Refused
            | ErrorKind::UnknownOutcome
            | ErrorKind::Busy
    )
}

struct Found {
    state: String,
    rmc_is_active: bool,
    is_ibmi: bool,
}

async fn read(session: &Session, partition: PartitionUuid) -> Result<Found> {
    let entry = session.get_entry(&path_of(partition), Groups::None).await?;
    let document = LogicalPartition(&entry.content);
    let partition = document.partition();
    Ok(Found {
        state: partition
            .state()
            .ok()
            .flatten()
            .map(|state| state.to_string())
            .unwrap_or_default(),
        rmc_is_active: partition.rmc_state().ok().flatten() == Some(RmcState::Active),
        is_ibmi: partition.partition_type().ok().flatten() == Some(PartitionType::Os400),
    })
}

/// The partition's state as the server names it.
///
/// # Errors
/// No such partition; those of the request.
pub(super) async fn state_of(session: &Session, partition: PartitionUuid) -> Result<String> {
    let state = session.quick(&path_of(partition), "PartitionState").await?;
    Ok(state.as_str().unwrap_or("Unknown").to_owned())
}
