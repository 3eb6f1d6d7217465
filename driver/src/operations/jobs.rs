//! Jobs on partitions, and those whose numbers nobody told us.

use std::time::Duration;

use powervm_schema::job::{JobRequest, JobResponse};
use powervm_schema::xml::Element;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::{Groups, Job, JobOutcome, Session};

use super::driver::path_of;

/// How long an unknown job may take before it is cancelled.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long it is waited for after that.
const FAREWELL: Duration = Duration::from_secs(60);
/// Pause between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
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
/// runs under a number that we do not know. Then this waits until no job of that operation runs on
/// the partition any more, and deletes it: otherwise it would strike while the operation that
/// failed is being undone.
///
/// # Errors
/// As [`Session::job`].
pub(super) async fn run(
    session: &Session,
    partition: PartitionUuid,
    operation: &str,
    job: Job,
) -> Result<JobOutcome> {
    let outcome = session.job(job).await;
    if let Err(error) = &outcome
        && may_go_on_unseen(error)
        && let Err(error) = see_off(session, partition, operation).await
    {
        tracing::warn!(%error, %partition, "a job may be running that nobody looks at");
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

/// Waits until no job of that operation runs on the partition any more, and deletes those that ended. One that does
/// not end is cancelled. A partition that is not there has none.
///
/// # Errors
/// Those of the requests; a job that was cancelled and goes on.
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

/// Waits until none of these jobs runs on the target any more, and deletes those that ended. One that does not end is
/// cancelled, unless it is of a kind that must not be.
///
/// # Errors
/// Those of the requests; a job that was cancelled and goes on.
pub(super) async fn see_off_at(
    session: &Session,
    target: &str,
    is_ours: impl Fn(&JobRequest<&Element>) -> bool,
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
        let mut running: Vec<(String, bool)> = Vec::new();
        for entry in &feed.entries {
            let job = JobResponse(&entry.content);
            let request = job.request().filter(|request| is_ours(request));
            let (Some(request), Some(id)) = (request, job.job_id()) else {
                continue;
            };
            let status = job.status().ok().flatten();
            if status.is_none_or(|status| status.is_pending()) {
                let operation = request.requested_operation();
                let operation = operation.and_then(|operation| operation.operation());
                let may_be_cut = operation.is_none_or(|name| !NEVER_CUT.contains(&name));
                running.push((id.to_owned(), may_be_cut));
            } else {
                session.clear_away(&format!("jobs/{id}")).await?;
            }
        }
        let Some((first, _)) = running.first() else {
            return Ok(());
        };
        if start.elapsed() >= PATIENCE {
            let cut = running.iter().filter(|(_, may_be_cut)| *may_be_cut);
            if cut.clone().next().is_none() {
                return Ok(());
            }
            if start.elapsed() >= PATIENCE + FAREWELL {
                return Err(Error::operation(
                    ErrorKind::TimedOut,
                    format!("the job {first} at {target} was cancelled and still goes on"),
                    "see what keeps it, and repeat this when it has ended",
                ));
            }
            for (id, _) in cut {
                if let Err(error) = session.cancel_job(id).await {
                    tracing::warn!(%error, job = id, "could not cancel a job");
                }
            }
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
