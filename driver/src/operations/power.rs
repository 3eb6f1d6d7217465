//! Starts, stops and reboots partitions.
//!
//! Every job ends before the call returns, and the state is read again afterwards, never assumed.

use std::time::Duration;

use powervm_schema::partition::{LogicalPartition, RmcState};

use super::control::Control;
use super::driver::{Driver, path_of};
use super::jobs;
use super::request::{Reboot, ServerRef, Stop};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::power::{POWER_OFF, POWER_ON, PowerOff, RemoveMedia, power_on};
use crate::partition::state::{is_startable, is_stoppable};
use crate::partition::{PartitionUuid, PowerState};
use crate::rest::{Groups, Session};

impl Driver {
    /// Starts a server that is off; one that runs is left alone.
    ///
    /// # Errors
    /// No such server; a job that failed.
    pub async fn start(
        &self,
        server: impl Into<ServerRef>,
        _control: &Control,
    ) -> Result<PowerState> {
        let partition = self.resolve(&server.into()).await?;
        let _turn = self.shared.instances.take(&partition).await;
        let state = state_of(self.session(), partition).await?;
        if is_startable(&state) {
            on(self, partition, None).await?;
        }
        self.power_state(partition).await
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
        let partition = self.resolve(&server.into()).await?;
        let _turn = self.shared.instances.take(&partition).await;
        let found = read(self.session(), partition).await?;
        if is_stoppable(&found.state) {
            let first = if how == Stop::Hard {
                PowerOff::Immediate
            } else {
                PowerOff::kindest(found.rmc_is_active)
            };
            descend(self, partition, first, false, control).await?;
        }
        self.power_state(partition).await
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
        let partition = self.resolve(&server.into()).await?;
        let _turn = self.shared.instances.take(&partition).await;
        let found = read(self.session(), partition).await?;
        if is_startable(&found.state) {
            on(self, partition, None).await?;
        } else {
            let first = if how == Reboot::Hard {
                PowerOff::Immediate
            } else {
                PowerOff::kindest(found.rmc_is_active)
            };
            descend(self, partition, first, true, control).await?;
        }
        self.power_state(partition).await
    }

    async fn power_state(&self, partition: PartitionUuid) -> Result<PowerState> {
        state_of(self.session(), partition)
            .await
            .map(|state| PowerState::of(&state))
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
    let run = || {
        jobs::run(
            driver.session(),
            partition,
            POWER_ON,
            power_on(&path_of(partition), media),
        )
    };
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
        Err(error) if error.is_not_found() => Ok(()),
        result => result.map(drop),
    }
}

/// Goes down the ladder from `first` until one way works.
///
/// Only the first way is given the configured time, which is the guest's to shut down in.
async fn descend(
    driver: &Driver,
    partition: PartitionUuid,
    first: PowerOff,
    restart: bool,
    control: &Control,
) -> Result<()> {
    let patience = driver.config().shutdown_timeout();
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
