//! Jobs that somebody asks for by hand, and sees to the end of.

use std::time::Duration;

use powervm_driver::rest::{Groups, Job, JobOutcome, Session};
use powervm_driver::{Error, ErrorKind, Result};
use powervm_schema::job::JobResponse;

use super::hall::Hall;

/// How long a job that nobody knows the number of may run.
const PATIENCE: u32 = 120;

/// Runs a job on a partition. If its answer was lost, it is looked for among the partition's jobs, seen to its end and
/// deleted: whoever asks without looking again leaves a record behind.
pub(super) async fn run(
    hall: &Hall,
    session: &Session,
    partition: &str,
    operation: &str,
    job: Job,
) -> Result<JobOutcome> {
    let outcome = session.job(job).await;
    let is_known = |error: &Error| {
        matches!(
            error.kind(),
            ErrorKind::JobFailed
                | ErrorKind::TimedOut
                | ErrorKind::Unreachable
                | ErrorKind::NotFound
        )
    };
    if outcome.as_ref().is_err_and(|error| !is_known(error)) {
        hall.restored("look for lost jobs", || {
            see_off(session, partition, operation)
        })
        .await;
    }
    outcome
}

async fn see_off(session: &Session, partition: &str, operation: &str) -> Result<()> {
    for _ in 0..PATIENCE {
        let path = format!("{partition}/jobs");
        let feed = match session.get_feed(&path, Groups::Omitted).await {
            Err(error) if error.is_not_found() => return Ok(()),
            feed => feed?,
        };
        let mut is_running = false;
        for entry in &feed.entries {
            let job = JobResponse(&entry.content);
            let asked = job.request().and_then(|request| {
                let asked = request.requested_operation()?.operation()?;
                Some(asked == operation)
            });
            let Some(id) = job.job_id().filter(|_| asked == Some(true)) else {
                continue;
            };
            let status = job.status().ok().flatten();
            if status.is_none_or(|status| status.is_pending()) {
                is_running = true;
            } else {
                session.ensure_deleted(&format!("jobs/{id}")).await?;
            }
        }
        if !is_running {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
    }
    Err(Error::operation(
        ErrorKind::TimedOut,
        format!("{operation} of {partition} never ended"),
        "look at the simulator's jobs",
    ))
}
