//! Exit codes: what a script can tell from a failure.

use crate::error::{Error, ErrorKind};

/// Nothing went wrong.
const DONE: u8 = 0;
/// Anything without a code of its own.
pub(super) const FAILED: u8 = 1;
/// The arguments or the configuration make no sense.
const USAGE: u8 = 2;
/// There is no such server.
const NOT_FOUND: u8 = 3;
/// It exists already, or somebody else kept changing it.
const CONFLICT: u8 = 4;
/// The host has no room.
const NO_ROOM: u8 = 5;
/// The REST API cannot be reached, or gave no usable answer in time.
const UNREACHABLE: u8 = 6;
/// The credentials were refused, or do not suffice.
const CREDENTIALS: u8 = 7;
/// It failed, and not everything that it had made could be removed.
const LEFT_BEHIND: u8 = 8;
/// It was interrupted, and undone.
pub(super) const CANCELLED: u8 = 130;

/// What `--help` says of them.
pub(super) const HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration, 3 no such server, 4 exists already \
or changed meanwhile, 5 no room on the host, 6 no usable answer, 7 credentials refused, 8 failed and \
left something behind, 130 interrupted and undone";

/// The exit code for an error.
pub(super) fn code(error: &Error) -> u8 {
    if !error.left_behind().is_empty() {
        return LEFT_BEHIND;
    }
    match error.kind() {
        ErrorKind::Invalid => USAGE,
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Exists | ErrorKind::Conflict => CONFLICT,
        ErrorKind::NoSpace => NO_ROOM,
        ErrorKind::Unreachable
        | ErrorKind::Interrupted
        | ErrorKind::UnknownOutcome
        | ErrorKind::TimedOut
        | ErrorKind::BadAnswer
        | ErrorKind::TooLarge
        | ErrorKind::Busy => UNREACHABLE,
        ErrorKind::Unauthorized | ErrorKind::Forbidden => CREDENTIALS,
        ErrorKind::Cancelled => CANCELLED,
        ErrorKind::DryRun => DONE,
        _ => FAILED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saga::{SagaFailure, StepFailure};

    #[test]
    fn leaving_something_behind_outweighs_the_reason() {
        let error = Error::Cancelled {
            what: "it".to_owned(),
        };
        let failure = |left_behind| SagaFailure {
            saga: "create web".to_owned(),
            step: None,
            error: error.clone(),
            others: Vec::new(),
            left_behind,
        };
        assert_eq!(code(&failure(Vec::new()).into()), CANCELLED);
        let left = StepFailure {
            step: "create the partition".to_owned(),
            error: error.clone(),
        };
        let inner = Error::from(failure(vec![left]));
        assert_eq!(code(&inner), LEFT_BEHIND);
        let outer = SagaFailure {
            error: inner,
            ..failure(Vec::new())
        };
        assert_eq!(code(&outer.into()), LEFT_BEHIND);
    }
}
