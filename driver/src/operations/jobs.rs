//! Jobs on partitions, and those whose numbers nobody told us.

use std::time::Duration;

use powervm_schema::job::JobResponse;
use tokio::time::Instant;

use crate::error::{ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::{Groups, Job, JobOutcome, Session};

use super::driver::path_of;

/// How long an unknown job may take before it is left alone.
const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two looks at it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Runs a job on a partition.
///
/// If the answer to its submission was lost, or was an error although the job was taken, the job
/// runs under a number that we do not know; if a look at it was refused, nobody looks any more. Then this waits until no job of that operation runs on
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
        && !matches!(
            error.kind(),
            ErrorKind::JobFailed
                | ErrorKind::TimedOut
                | ErrorKind::Unreachable
                | ErrorKind::Invalid
        )
        && let Err(error) = see_off(session, partition, operation).await
    {
        tracing::warn!(%error, %partition, "could not look for a job that may be running");
    }
    outcome
}

/// Waits until no job of that operation runs on the partition any more, and deletes those that ended. A partition
/// that is not there has none.
///
/// # Errors
/// Those of the requests.
pub(super) async fn see_off(
    session: &Session,
    partition: PartitionUuid,
    operation: &str,
) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        let feed = match session
            .get_feed(&format!("{}/jobs", path_of(partition)), Groups::Omitted)
            .await
        {
            Err(error) if error.is_not_found() => return Ok(()),
            feed => feed?,
        };
        let mut running = false;
        for entry in &feed.entries {
            let job = JobResponse(&entry.content);
            let is_ours = job
                .request()
                .and_then(|request| request.requested_operation()?.operation())
                .is_some_and(|found| found == operation);
            let Some(id) = job.job_id().filter(|_| is_ours) else {
                continue;
            };
            if job
                .status()
                .ok()
                .flatten()
                .is_none_or(|status| status.is_pending())
            {
                running = true;
            } else {
                session.ensure_deleted(&format!("jobs/{id}")).await?;
            }
        }
        if !running || Instant::now() >= until {
            return Ok(());
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
