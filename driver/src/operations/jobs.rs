//! Jobs on partitions, and those whose numbers nobody told us (`docs/decisions/unknown-jobs.md`).

use std::time::Duration;

use powervm_schema::job::{JobRequest, JobResponse};
use powervm_schema::xml::Element;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::{Groups, Job, JobOutcome, Session};

use super::driver::path_of;

/// How long an unknown job may take before it is cancelled, or told of.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long it is waited for after that.
const FAREWELL: Duration = Duration::from_secs(60);
/// Pause between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// By how many seconds a server's clock may seem to differ from one look to the next: `Date` counts whole ones.
const SLACK: u64 = 2;
/// How often in a row the list of jobs may be refused.
const LOOKS: u32 = 3;
/// Operations that are never cut short: half of them is worse than none, or they have a way of their own to be
/// stopped.
const NEVER_CUT: [&str; 6] = [
    "Migrate",
    "MigrateAbort",
    "MigrateRecover",
    "RemoteRestart",
    "Suspend",
    "Resume",
];

/// Runs a job on a partition.
///
/// If the answer to its submission was lost, or was an error although the job was taken, the job
/// runs under a number that we do not know. Then this waits until no job that may be it runs on
/// the partition any more, and deletes it: otherwise it would strike while the operation that
/// failed is being undone.
///
/// # Errors
/// As [`Session::job`]. [`ErrorKind::TimedOut`] when its answer was lost, and a job goes on of which nobody knows whose it is.
pub(super) async fn run(
    session: &Session,
    partition: PartitionUuid,
    operation: &str,
    job: Job,
) -> Result<JobOutcome> {
    let lost = Lost::if_it_is(session, &job);
    let outcome = session.job(job.clone()).await;
    if let Err(error) = &outcome
        && may_go_on_unseen(error)
    {
        match lost.see_off(session, &path_of(partition)).await {
            Err(error) if error.is_not_found() => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => return Err(error),
            Err(error) => tracing::warn!(
                %error, %partition, operation, "a job may be running that nobody looks at"
            ),
            Ok(()) => {}
        }
    }
    outcome
}

/// Whether a job that ended with this error may run all the same, under a number that nobody knows.
pub(super) fn may_go_on_unseen(error: &Error) -> bool {
    match error {
        // It has ended, or was seen off.
        Error::Job(_) => false,
        error => !matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Invalid),
    }
}

/// What was known when a job was submitted, by which it is told from the jobs of others should its answer be lost.
pub(super) struct Lost<'j> {
    job: &'j Job,
    sent: Instant,
    /// The highest number of a job by then; numbers rise from job to job.
    newest: Option<u64>,
}

impl<'j> Lost<'j> {
    /// To be called before the job is submitted.
    pub(super) fn if_it_is(session: &Session, job: &'j Job) -> Self {
        Self {
            job,
            sent: Instant::now(),
            newest: session.newest_job(),
        }
    }

    /// Waits until no job at the target that may be this one runs any more, and deletes those that ended. One that does
    /// not end is cancelled if it is the only one, unless it is of a kind that must not be.
    ///
    /// # Errors
    /// As [`see_off_at`].
    pub(super) async fn see_off(&self, session: &Session, target: &str) -> Result<()> {
        let is_ours = |job: &JobResponse<&Element>| self.may_be(job, session.server_time());
        see_off_all(session, target, is_ours, true).await
    }

    /// Not if it asks for something else, is older than a job that was known by then, or began before this one was
    /// sent by the server's own clock.
    fn may_be(&self, job: &JobResponse<&Element>, server_time: Option<u64>) -> bool {
        let asks_for_it = job
            .request()
            .is_some_and(|request| self.job.may_be(&request));
        let number = job.job_id().and_then(|id| id.trim().parse::<u64>().ok());
        let is_older =
            matches!((number, self.newest), (Some(number), Some(newest)) if number <= newest);
        let started = job.time_started().ok().flatten().map(|ms| ms / 1000);
        let age = server_time
            .zip(started.filter(|started| *started > 0))
            .map(|(now, started)| now.saturating_sub(started));
        let began_before = age.is_some_and(|age| age > self.sent.elapsed().as_secs() + SLACK);
        asks_for_it && !is_older && !began_before
    }
}

/// Waits until no job of that operation runs on the partition any more, and deletes those that ended. A partition that
/// is not there has none. None of them is cancelled: who submitted it is not known here.
///
/// # Errors
/// As [`see_off_at`].
pub(super) async fn see_off(
    session: &Session,
    partition: PartitionUuid,
    operation: &str,
) -> Result<()> {
    let is_ours = |request: &JobRequest<&Element>| {
        let requested = request.requested_operation();
        requested.and_then(|requested| requested.operation()) == Some(operation)
    };
    match see_off_at(session, &path_of(partition), is_ours).await {
        Err(error) if error.is_not_found() => Ok(()),
        seen_off => seen_off,
    }
}

/// Waits until none of these jobs runs on the target any more, and deletes those that ended. None of them is cancelled.
///
/// # Errors
/// Those of the requests; [`ErrorKind::TimedOut`] when one goes on.
pub(super) async fn see_off_at(
    session: &Session,
    target: &str,
    is_ours: impl Fn(&JobRequest<&Element>) -> bool,
) -> Result<()> {
    let is_ours =
        |job: &JobResponse<&Element>| job.request().is_some_and(|request| is_ours(&request));
    see_off_all(session, target, is_ours, false).await
}

/// A job that runs.
struct Running {
    id: String,
    operation: String,
}

impl Running {
    fn may_be_cut(&self) -> bool {
        !NEVER_CUT.contains(&self.operation.as_str())
    }
}

async fn see_off_all(
    session: &Session,
    target: &str,
    is_ours: impl Fn(&JobResponse<&Element>) -> bool,
    may_be_cut: bool,
) -> Result<()> {
    let path = format!("{target}/jobs");
    let start = Instant::now();
    let mut refused = 0;
    loop {
        let feed = match session.get_feed(&path, Groups::Omitted).await {
            Err(error) if !error.is_not_found() && refused + 1 < LOOKS => {
                refused += 1;
                tracing::debug!(%error, target, "looking for jobs again");
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            feed => feed?,
        };
        refused = 0;
        let mut running = Vec::new();
        for entry in &feed.entries {
            let job = JobResponse(&entry.content);
            let Some(id) = job.job_id().filter(|_| is_ours(&job)) else {
                continue;
            };
            let status = job.status().ok().flatten();
            if status.is_none_or(|status| status.is_pending()) {
                let request = job.request();
                let requested = request
                    .as_ref()
                    .and_then(|request| request.requested_operation());
                let operation = requested.and_then(|requested| requested.operation());
                running.push(Running {
                    id: id.to_owned(),
                    operation: operation.unwrap_or_default().to_owned(),
                });
            } else {
                session.clear_away(&format!("jobs/{id}")).await?;
            }
        }
        if running.is_empty() {
            return Ok(());
        }
        if start.elapsed() >= PATIENCE {
            if !running.iter().any(Running::may_be_cut) {
                return Ok(());
            }
            match running.as_slice() {
                [one] if may_be_cut && start.elapsed() < PATIENCE + FAREWELL => {
                    if let Err(error) = session.cancel_job(&one.id).await {
                        tracing::warn!(%error, job = one.id, "could not cancel a job");
                    }
                }
                [one] if may_be_cut => {
                    return Err(Error::operation(
                        ErrorKind::TimedOut,
                        format!(
                            "the job {} ({} at {target}) was cancelled and still goes on",
                            one.id, one.operation
                        ),
                        "see what keeps it, and repeat this when it has ended",
                    ));
                }
                several => return Err(whose(several, target)),
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Jobs that go on, and may be somebody else's.
fn whose(running: &[Running], target: &str) -> Error {
    let each: Vec<String> = running
        .iter()
        .map(|job| format!("{} ({})", job.id, job.operation))
        .collect();
    Error::operation(
        ErrorKind::TimedOut,
        format!(
            "at {target} still goes on after {} s, and may be somebody else's, so that it is left alone: job {}",
            PATIENCE.as_secs(),
            each.join(", job ")
        ),
        "wait for its end or cancel it on the server, and repeat this",
    )
}

#[cfg(test)]
#[path = "jobs_tests.rs"]
mod tests;
