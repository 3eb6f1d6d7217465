//! Errors as Python gets them: plain data.

use powervm_driver::operations::{NovaException, NovaMethod, nova_exception};
use powervm_driver::{Error, ErrorKind};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// Why a call failed.
#[derive(Debug, Clone, Error, Serialize)]
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
    /// The exception that Nova is to get, by the name of its class.
    pub exception: Option<&'static str>,
    /// Whether that class is one of Nova's own.
    pub is_of_nova: bool,
    /// The exception that is to be inside that one.
    pub inner: Option<&'static str>,
    #[serde(skip)]
    cause: Box<Error>,
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
        let message = message.into();
        Self {
            message: message.clone(),
            ..Error::operation(kind, message, "see the log").into()
        }
    }

    /// The same, with the exception that Nova is to get where it asked for this.
    #[must_use]
    pub fn in_method(mut self, method: NovaMethod) -> Self {
        let exception = nova_exception(method, &self.cause);
        self.exception = exception.map(NovaException::name);
        self.is_of_nova = exception.is_some_and(NovaException::is_of_nova);
        self.inner = exception
            .and_then(NovaException::inner)
            .map(NovaException::name);
        self
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
        Self {
            kind: word(error.kind()).to_owned(),
            message: error.to_string(),
            status: error.status().map(|status| status.as_u16()),
            left_behind: !error.left_behind().is_empty(),
            exception: None,
            is_of_nova: false,
            inner: None,
            cause: Box::new(error),
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
        let trouble = Trouble::from(error).in_method(NovaMethod::Spawn);
        assert_eq!(
            trouble.to_json(),
            r#"{"kind":"no_space","message":"no memory is left; free some","status":null,"left_behind":false,"exception":"ComputeResourcesUnavailable","is_of_nova":true,"inner":null}"#
        );
    }

    #[test]
    fn a_rollback_has_another_exception_inside() {
        let trouble = Trouble::invalid("no").in_method(NovaMethod::Resize);
        assert_eq!(
            (trouble.exception, trouble.inner),
            (Some("InstanceFaultRollback"), Some("ResizeError"))
        );
        assert_eq!(trouble.message, "no");
    }
}
