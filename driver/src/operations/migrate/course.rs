//! The course of a migration: where the partition is, the job that moves it, and how that is stopped.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use powervm_schema::job::JobResponse;
use powervm_schema::partition::{LogicalPartition, MigrationState, PartitionState};
use tokio::time::Instant;

use super::refused;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::control::{Control, Progress};
use crate::operations::driver::{Driver, path_of};
use crate::operations::jobs;
use crate::partition::PartitionUuid;
use crate::rest::{Groups, Job};
use crate::saga::{Outline, OutlinedStep};

/// The job that moves a partition.
pub(super) const MIGRATE: &str = "Migrate";
/// The job that checks whether it could.
pub(super) const VALIDATE: &str = "MigrateValidate";
/// The job that stops a migration.
const ABORT: &str = "MigrateAbort";
/// The job that undoes one that cannot go on.
const RECOVER: &str = "MigrateRecover";
/// How long a migration that was told to stop may take to do so.
const GRACE: Duration = Duration::from_secs(600);
/// How long the job that stops it may take.
const STOPPING: Duration = Duration::from_secs(300);
/// Pause before it is told so again.
const STOP_AGAIN: Duration = Duration::from_secs(10);
/// Pause between two looks at a partition on its way.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Where a partition is, as the driver of one host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operations) enum Place {
    /// On this host, and on no way.
    Here,
    /// On its way from here; true when the migration has failed and waits for a recovery.
    Leaving(bool),
    /// Not on this host.
    Gone,
}

impl Place {
    /// Looks now. That a partition is not there is asked twice: much is made of it.
    ///
    /// # Errors
    /// Those of the request.
    pub(in crate::operations) async fn of(driver: &Driver, uuid: PartitionUuid) -> Result<Self> {
        for _ in 0..2 {
            let entry = match driver
                .session()
                .get_entry(&path_of(uuid), Groups::None)
                .await
            {
                Ok(entry) => entry,
                Err(error) if error.is_not_found() => continue,
                Err(error) => return Err(error),
            };
            if driver.refuse_others(&entry.content).is_err() {
                return Ok(Self::Gone);
            }
            let document = LogicalPartition(&entry.content);
            let migration = document.migration_state().ok().flatten();
            let is_idle = migration
                .as_ref()
                .is_none_or(|state| *state == MigrationState::NotMigrating);
            let is_moving = matches!(
                document.partition().state().ok().flatten(),
                Some(PartitionState::MigratingRunning | PartitionState::MigratingNotActive)
            );
            return Ok(if is_idle && !is_moving {
                Self::Here
            } else {
                Self::Leaving(migration == Some(MigrationState::Failed))
            });
        }
        Ok(Self::Gone)
    }

    /// As [`Self::of`], again if the server could not be asked.
    ///
    /// # Errors
    /// That of the last try.
    pub(in crate::operations) async fn surely(
        driver: &Driver,
        uuid: PartitionUuid,
    ) -> Result<Self> {
        for _ in 0..4 {
            match Self::of(driver, uuid).await {
                Err(error) => {
                    tracing::warn!(%error, "looking for the partition again");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
                place => return place,
            }
        }
        Self::of(driver, uuid).await
    }
}

/// Moves the partition with this job. When this returns, it is on no way any more, whatever became of the job.
///
/// A migration that is cancelled, or takes longer than `limit`, is aborted. One whose job nobody knows any more, since
/// an answer was lost, is watched until it is over.
///
/// # Errors
/// Why the partition is still here; one that could be neither moved nor brought back.
pub(super) async fn run(
    driver: &Driver,
    uuid: PartitionUuid,
    job: Job,
    limit: Duration,
    control: &Control,
) -> Result<()> {
    let deadline = Instant::now() + limit;
    let mut brake = Brake::new(control, deadline);
    let outcome = {
        let mut running = pin!(driver.session().job(job.timeout(limit + GRACE)));
        loop {
            tokio::select! {
                outcome = &mut running => break outcome,
                () = brake.pulled() => abort(driver, uuid, control).await,
            }
        }
    };
    let cause = match outcome {
        Ok(outcome) => {
            if Place::surely(driver, uuid).await? == Place::Gone {
                return Ok(());
            }
            Error::operation(
                ErrorKind::BadAnswer,
                format!(
                    "the migration's job ended as {}, and the partition is where it was",
                    outcome.status
                ),
                "see the log of the management console",
            )
        }
        Err(error) => error,
    };
    let place = settle(driver, uuid, brake, control).await?;
    clear(driver, uuid).await;
    if place == Place::Gone {
        control.warn(format!(
            "the partition has moved, although its job did not say so: {cause}"
        ));
        return Ok(());
    }
    Err(cause)
}

/// Waits until the partition is on no way any more, and where it is then. What cannot go on is brought back.
///
/// # Errors
/// It cannot be brought back; those of the requests.
pub(super) async fn wait(
    driver: &Driver,
    uuid: PartitionUuid,
    limit: Duration,
    control: &Control,
) -> Result<Place> {
    let brake = Brake::new(control, Instant::now() + limit);
    let place = settle(driver, uuid, brake, control).await?;
    clear(driver, uuid).await;
    Ok(place)
}

async fn settle(
    driver: &Driver,
    uuid: PartitionUuid,
    mut brake: Brake,
    control: &Control,
) -> Result<Place> {
    loop {
        match Place::surely(driver, uuid).await? {
            Place::Gone => return Ok(Place::Gone),
            Place::Leaving(true) => return recover(driver, uuid, control).await,
            Place::Leaving(false) => {}
            Place::Here if is_running(driver, uuid).await => {}
            Place::Here => return Ok(Place::Here),
        }
        if brake.is_worn() {
            return recover(driver, uuid, control).await;
        }
        control.note(&Progress::Waiting {
            what: "the partition is on its way".to_owned(),
        });
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = brake.pulled() => abort(driver, uuid, control).await,
        }
    }
}

/// Stops a migration, whichever way works, and tells where the partition is then.
///
/// # Errors
/// It cannot be stopped.
pub(super) async fn bring_back(
    driver: &Driver,
    uuid: PartitionUuid,
    control: &Control,
) -> Result<Place> {
    if let Place::Leaving(false) = Place::surely(driver, uuid).await? {
        abort(driver, uuid, control).await;
    }
    settle(driver, uuid, Brake::pulled_already(), control).await
}

/// Has a migration stopped. That it could not be is told by the partition, which is looked at next.
async fn abort(driver: &Driver, uuid: PartitionUuid, control: &Control) {
    control.note(&Progress::Waiting {
        what: "the migration is being aborted".to_owned(),
    });
    if let Err(error) = stop(driver, uuid).await {
        tracing::warn!(%error, partition = %uuid, "could not abort the migration");
    }
}

async fn stop(driver: &Driver, uuid: PartitionUuid) -> Result<()> {
    let job = Job::new(path_of(uuid), ABORT).timeout(STOPPING);
    jobs::run(driver.session(), uuid, ABORT, job)
        .await
        .map(drop)
}

/// Undoes a migration that cannot go on.
async fn recover(driver: &Driver, uuid: PartitionUuid, control: &Control) -> Result<Place> {
    control.warn("the migration has failed and does not end, recovering the partition");
    let mut last = None;
    for _ in 0..3 {
        let undone = force(driver, uuid, true).await;
        match Place::surely(driver, uuid).await? {
            Place::Leaving(_) => last = undone.err().or(last),
            place => return Ok(place),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(last.unwrap_or_else(|| {
        Error::operation(
            ErrorKind::JobFailed,
            "the partition was recovered from its migration, and still is on its way",
            "recover it on the management console",
        )
    }))
}

async fn force(driver: &Driver, uuid: PartitionUuid, force: bool) -> Result<()> {
    let mut job = Job::new(path_of(uuid), RECOVER);
    if force {
        job = job.parameter("Force", "true");
    }
    jobs::run(driver.session(), uuid, RECOVER, job)
        .await
        .map(drop)
}

/// Whether a job that moves the partition has begun or will.
async fn is_running(driver: &Driver, uuid: PartitionUuid) -> bool {
    let path = format!("{}/jobs", path_of(uuid));
    let Ok(feed) = driver.session().get_feed(&path, Groups::Omitted).await else {
        return false;
    };
    feed.entries.iter().any(|entry| {
        let job = JobResponse(&entry.content);
        operation_of(&job).as_deref() == Some(MIGRATE)
            && job
                .status()
                .ok()
                .flatten()
                .is_none_or(|status| status.is_pending())
    })
}

fn operation_of(job: &JobResponse<&powervm_schema::xml::Element>) -> Option<String> {
    let request = job.request()?;
    Some(request.requested_operation()?.operation()?.to_owned())
}

/// Deletes ended jobs of the migration that nobody was told the numbers of. Those of a partition that has gone can be
/// found only where a server lists all jobs; what is not found, it forgets in time.
async fn clear(driver: &Driver, uuid: PartitionUuid) {
    let session = driver.session();
    for operation in [MIGRATE, VALIDATE, ABORT, RECOVER] {
        if let Err(error) = jobs::see_off(session, uuid, operation).await {
            tracing::warn!(%error, "could not look for jobs that ended");
        }
    }
    let Ok(feed) = session.get_feed("jobs", Groups::Omitted).await else {
        return;
    };
    for entry in &feed.entries {
        let job = JobResponse(&entry.content);
        let operation = operation_of(&job).unwrap_or_default();
        let is_ours = job.target_uuid().is_some_and(|target| uuid.is(target))
            && [MIGRATE, VALIDATE, ABORT, RECOVER].contains(&operation.as_str());
        let is_over = job
            .status()
            .ok()
            .flatten()
            .is_some_and(|status| !status.is_pending());
        if let Some(id) = job.job_id().filter(|_| is_ours && is_over)
            && let Err(error) = session.ensure_deleted(&format!("jobs/{id}")).await
        {
            tracing::warn!(%error, "could not delete a job that ended");
        }
    }
}

/// Stops a migration when it is cancelled or takes too long; again and again, since one that has not begun yet cannot
/// be stopped.
struct Brake {
    stopped: BoxFuture<'static, ()>,
    deadline: Instant,
    first: Option<Instant>,
    last: Instant,
}

impl Brake {
    fn new(control: &Control, deadline: Instant) -> Self {
        Self {
            stopped: Box::pin(control.stopped()),
            deadline,
            first: None,
            last: Instant::now(),
        }
    }

    /// One that has been pulled already.
    fn pulled_already() -> Self {
        Self {
            stopped: Box::pin(std::future::pending()),
            deadline: Instant::now(),
            first: Some(Instant::now()),
            last: Instant::now(),
        }
    }

    /// Ends when it is time to stop.
    async fn pulled(&mut self) {
        if self.first.is_some() {
            tokio::time::sleep_until(self.last + STOP_AGAIN).await;
        } else {
            tokio::select! {
                () = &mut self.stopped => {}
                () = tokio::time::sleep_until(self.deadline) => {}
            }
            self.first = Some(Instant::now());
        }
        self.last = Instant::now();
    }

    /// Whether what was told to stop had its time to do so.
    fn is_worn(&self) -> bool {
        self.first.is_some_and(|at| at.elapsed() >= GRACE)
    }
}

impl Driver {
    /// Stops the live migration of an instance of this host; when this returns, it is as it was. A call of
    /// [`Driver::live_migration`] that is under way ends with an error.
    ///
    /// # Errors
    /// It is not on its way; it has arrived in the meantime; it could not be stopped.
    pub async fn live_migration_abort(
        &self,
        instance: uuid::Uuid,
        control: &Control,
    ) -> Result<()> {
        let uuid = PartitionUuid::of_instance(instance);
        match Place::surely(self, uuid).await? {
            Place::Leaving(_) => {}
            place => return Err(not_leaving(instance, &place)),
        }
        refuse_dry_run(control, "abort the migration")?;
        match bring_back(self, uuid, control).await? {
            Place::Gone => Err(Error::operation(
                ErrorKind::Precondition,
                format!("{instance} has arrived before its migration could be aborted"),
                "migrate it back",
            )),
            Place::Here | Place::Leaving(_) => Ok(()),
        }
    }

    /// Brings an instance back whose live migration failed and could not be undone. With `force`, one that still goes
    /// on is stopped as well.
    ///
    /// # Errors
    /// It is not on its way; the job failed, such as without a mover service partition that is up.
    pub async fn live_migration_recover(
        &self,
        instance: uuid::Uuid,
        force_it: bool,
        control: &Control,
    ) -> Result<()> {
        let uuid = PartitionUuid::of_instance(instance);
        match Place::surely(self, uuid).await? {
            Place::Leaving(_) => {}
            place => return Err(not_leaving(instance, &place)),
        }
        refuse_dry_run(control, "recover the partition")?;
        let undone = force(self, uuid, force_it).await;
        match Place::surely(self, uuid).await? {
            Place::Leaving(_) => undone.and_then(|()| {
                Err(refused(
                    &instance.to_string(),
                    "it still is on its way",
                    "recover it with force",
                ))
            }),
            Place::Here | Place::Gone => Ok(()),
        }
    }
}

/// One step, which is told instead of done.
fn refuse_dry_run(control: &Control, what: &str) -> Result<()> {
    if !control.is_dry_run() {
        return Ok(());
    }
    let outline = Outline {
        saga: what.to_owned(),
        steps: vec![OutlinedStep {
            name: what.to_owned(),
            after: Vec::new(),
            has_undo: false,
        }],
    };
    Err(Error::DryRun(Arc::new(outline)))
}

fn not_leaving(instance: uuid::Uuid, place: &Place) -> Error {
    let (kind, why) = match place {
        Place::Gone => (ErrorKind::NotFound, "not on this host"),
        _ => (ErrorKind::Precondition, "not being migrated"),
    };
    Error::operation(
        kind,
        format!("{instance} is {why}"),
        "see where it is with server show",
    )
}
