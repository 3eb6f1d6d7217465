//! What was done and what failed, by kind.

use std::collections::BTreeMap;

use powervm_driver::{Error, ErrorKind};
use serde::Serialize;

/// How often an operation succeeded and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Successes.
    pub done: u64,
    /// Failures.
    pub failed: u64,
}

/// Failures of one kind, with the first as an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureCount {
    /// How many.
    pub count: u64,
    /// What the first one said.
    pub first: String,
}

/// The books of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// By the name of the operation.
    pub operations: BTreeMap<String, Count>,
    /// By operation and the kind of the driver's error.
    pub failures: BTreeMap<String, FailureCount>,
    /// Failures that no weather explains: defects of the driver or of the simulator. At most a hundred.
    pub unexpected: Vec<String>,
}

/// How many unexpected failures are kept.
const KEPT: usize = 100;

impl Ledger {
    /// Notes how an operation ended; gives back what it made.
    pub fn note<T>(&mut self, operation: &str, ended: Result<T, Error>) -> Option<T> {
        let count = self.operations.entry(operation.to_owned()).or_default();
        match ended {
            Ok(made) => {
                count.done += 1;
                Some(made)
            }
            Err(error) => {
                count.failed += 1;
                self.failed(operation, &error);
                None
            }
        }
    }

    fn failed(&mut self, operation: &str, error: &Error) {
        let message = error.to_string();
        if is_a_defect(error.kind(), &message) {
            self.unexpected(format!("{operation}: {message}"));
        }
        let kind = format!("{operation}: {:?}", error.kind());
        self.failures
            .entry(kind)
            .or_insert_with(|| FailureCount {
                count: 0,
                first: message,
            })
            .count += 1;
    }

    /// Notes what should not have happened.
    pub fn unexpected(&mut self, what: String) {
        if self.unexpected.len() < KEPT {
            self.unexpected.push(what);
        }
    }
}

/// Servers that are busy, refuse or lose answers are the weather; these kinds are somebody's mistake.
fn is_a_defect(kind: ErrorKind, message: &str) -> bool {
    matches!(
        kind,
        ErrorKind::Internal
            | ErrorKind::BadAnswer
            | ErrorKind::TooLarge
            | ErrorKind::Invalid
            | ErrorKind::Unauthorized
            | ErrorKind::Forbidden
    ) || message.contains("bug of the simulator")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_kind_and_defects_stand_out() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.note("spawn", Ok(7)), Some(7));
        for _ in 0..2 {
            let cancelled: Result<(), Error> = Err(Error::Cancelled {
                what: "spawn".to_owned(),
            });
            assert_eq!(ledger.note("spawn", cancelled), None);
        }
        assert_eq!(ledger.operations["spawn"], Count { done: 1, failed: 2 });
        assert_eq!(ledger.failures["spawn: Cancelled"].count, 2);
        assert!(ledger.unexpected.is_empty());
        assert!(is_a_defect(ErrorKind::Internal, ""));
        assert!(is_a_defect(
            ErrorKind::Refused,
            "500: which is a bug of the simulator"
        ));
        assert!(!is_a_defect(ErrorKind::Busy, "HSCL3205"));
    }
}
