//! Jobs of Virtual I/O Servers and of the system that may be run again: they look for devices, remove
//! them, or hand out names.

use std::time::Duration;

use super::jobs::{Lost, may_go_on_unseen};
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Job, JobOutcome, Session};

/// How often a job is tried.
const TRIES: u32 = 3;
/// Pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs a job until it ends, again if it failed: whatever it did before does no harm.
///
/// If the answer to its submission was lost, the job may run under a number that we do not know. It
/// is waited for and deleted, so that it cannot undo later what is done next.
///
/// # Errors
/// That of the last try.
pub(super) async fn run(session: &Session, target: &str, job: &Job) -> Result<JobOutcome> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match once(session, target, job).await {
            Err(error) if is_worth_another_try(&error) => {
                tracing::warn!(%error, "trying the job again");
            }
            ended => return ended,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    once(session, target, job).await
}

/// Runs a job once; see [`run`].
///
/// # Errors
/// As [`Session::job`].
pub(super) async fn once(session: &Session, target: &str, job: &Job) -> Result<JobOutcome> {
    let lost = Lost::if_it_is(session, job);
    let outcome = session.job(job.clone()).await;
    if let Err(error) = &outcome
        && may_go_on_unseen(error)
        && let Err(error) = lost.see_off(session, target).await
    {
        tracing::warn!(%error, target, "could not look for a job that may be running");
    }
    outcome
}

/// A job that told by its results why it failed has been understood by the server.
fn is_worth_another_try(error: &Error) -> bool {
    match error {
        Error::Job(failure) => !failure.results.contains_key("RETURN_CODE"),
        error => matches!(
            error.kind(),
            ErrorKind::UnknownOutcome
                | ErrorKind::Refused
                | ErrorKind::Busy
                | ErrorKind::BadAnswer
                | ErrorKind::Interrupted
                | ErrorKind::TimedOut
        ),
    }
}
