//! Errors as Python gets them: plain data.

use powervm_driver::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{message}")]
pub struct Trouble {
    /// What the driver sorts it under, in words: `not_found`, `no_space`.
    pub kind: String,
    /// What failed, at which step, why, what was undone and what to do.
    pub message: String,
    /// HTTP status of the server's answer, if that was it.
    pub status: Option<u16>,
    /// Whether something was left behind.
    pub left_behind: bool,
}

impl Trouble {
    /// A defect of this library.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Internal, message)
    }

    /// Something of this machine failed.
    #[must_use]
    pub fn local(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Local, message)
    }

    /// What Python asked for makes no sense.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Invalid, message)
    }

    fn of_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind: word(kind).to_owned(),
            message: message.into(),
            status: None,
            left_behind: false,
        }
    }

    /// As one JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_value(self)
            .unwrap_or(Value::Null)
            .to_string()
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let left_behind = matches!(&error, Error::Saga(failure) if !failure.left_behind.is_empty());
        Self {
            status: error.status().map(|status| status.as_u16()),
            left_behind,
            ..Self::of_kind(error.kind(), error.to_string())
        }
    }
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::Precondition => "precondition",
        ErrorKind::NoSpace => "no_space",
        ErrorKind::Exists => "exists",
        ErrorKind::Unreachable => "unreachable",
        ErrorKind::Interrupted => "interrupted",
        ErrorKind::UnknownOutcome => "unknown_outcome",
        ErrorKind::Unauthorized => "unauthorized",
        ErrorKind::Forbidden => "forbidden",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Busy => "busy",
        ErrorKind::Refused => "refused",
        ErrorKind::BadAnswer => "bad_answer",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::TimedOut => "timed_out",
        ErrorKind::JobFailed => "job_failed",
        ErrorKind::Cancelled => "cancelled",
        ErrorKind::DryRun => "dry_run",
        ErrorKind::Local => "local",
        _ => "internal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_keeps_its_kind_and_its_words() {
        let error = Error::operation(ErrorKind::NoSpace, "no memory is left", "free some");
        let trouble = Trouble::from(error);
        assert_eq!(
            trouble.to_json(),
            r#"{"kind":"no_space","message":"no memory is left; free some","status":null,"left_behind":false}"#
        );
    }
}
