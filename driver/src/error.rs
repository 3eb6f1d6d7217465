//! What can go wrong between the driver and a server, and what to do about it.
//!
//! Every error of a request names its method and URL; one that the server gave also has the HTTP status, the
//! server's reason code and its message. [`Error::kind`] sorts them for callers that map them to their own
//! (a Nova exception, an exit code). No error text holds a password or a session token.

mod telling;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};

use crate::rest::job::JobFailure;
use crate::rest::transport::{TransportError, TransportFailure};
use crate::saga::{Outline, SagaFailure};

/// Shorthand for results of the driver.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A source error that can be shared between several callers of one joint request.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The request an error belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// Absolute URL with its query; it never carries a secret.
    pub url: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// What a server said when it refused a request: its `HttpErrorResponse`, or as much of it as could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status of the answer.
    pub status: StatusCode,
    /// `HTTPStatus` inside the document, which some answers set apart from the status line (503 inside a 500).
    pub document_status: Option<u16>,
    /// `ReasonCode`: a constant (`INVALID_URL`) or a sentence, empty when there was no document.
    pub reason: String,
    /// `Message`, with the HSCL, VIOS, PVME or REST message identifier inside; empty when there was no document.
    pub message: String,
    /// Whether the body was an `HttpErrorResponse`, so that the busy rules may be applied to it.
    pub documented: bool,
}

impl Refusal {
    /// Whether the server said "busy, ask again", in one of the ways of real servers (`docs/protocol/errors.md`):
    /// `HSCL3205` or `VIOS0014` in the message, a documented 503, or a 500 whose text says that a VIOS is busy
    /// with another request or that the system is too busy.
    pub fn is_busy(&self) -> bool {
        if !self.documented {
            return false;
        }
        let message = self.message.as_str();
        if message.contains("HSCL3205") || message.contains("VIOS0014") {
            return true;
        }
        match self.document_status.unwrap_or(self.status.as_u16()) {
            503 => true,
            500 => {
                (message.contains("VIOS")
                    && message.contains("is busy processing some other request"))
                    || message.contains("The system is currently too busy")
            }
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if !self.reason.is_empty() {
            write!(f, " ({})", self.reason)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// Sorts errors by what a caller can do about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked makes no sense; ask differently.
    Invalid,
    /// The state of things forbids it now (a partition that must be off, a VIOS without RMC).
    Precondition,
    /// Memory, processors, slots or disk space are used up.
    NoSpace,
    /// Something of that name is there already.
    Exists,
    /// No connection could be made; nothing was changed.
    Unreachable,
    /// A read broke off; nothing was changed.
    Interrupted,
    /// A change was sent and no whole answer came: look whether it was made.
    UnknownOutcome,
    /// The credentials were refused or the session is lost (401).
    Unauthorized,
    /// The user lacks the authority (403).
    Forbidden,
    /// It does not exist (404).
    NotFound,
    /// Somebody else kept changing it (412).
    Conflict,
    /// The server or a VIOS stayed busy through all retries.
    Busy,
    /// The server refused it for another reason.
    Refused,
    /// The answer was no answer of a PowerVM REST API.
    BadAnswer,
    /// The answer was larger than is safe to read.
    TooLarge,
    /// It took too long.
    TimedOut,
    /// A job ended without success.
    JobFailed,
    /// The caller asked to stop.
    Cancelled,
    /// The caller wanted to know what would be done; nothing was.
    DryRun,
    /// A local file or stream failed.
    Local,
    /// A defect of the driver itself.
    Internal,
}

/// Any failure of the driver.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something handed in cannot work: a URL, a path, a graph of steps.
    #[error("{what}; {remedy}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// No connection came about, so the request was never sent.
    #[error(
        "{call}: no connection ({source}); check that the server runs and that the endpoint's address, port and TLS settings are right"
    )]
    Unreachable {
        /// The request.
        call: Call,
        /// What the transport said.
        source: TransportError,
    },
    /// A request without side effects broke off, after its retries.
    #[error(
        "{call}: the answer never came whole ({source}); nothing was changed, repeat it when the server is well"
    )]
    Interrupted {
        /// The request.
        call: Call,
        /// What the transport said.
        source: TransportError,
    },
    /// A request with side effects was sent and no whole answer came. It was not repeated.
    #[error(
        "{call}: sent, but the answer never came whole ({source}); the change may have been made or not, look before you repeat it"
    )]
    UnknownOutcome {
        /// The request.
        call: Call,
        /// What the transport said.
        source: TransportError,
    },
    /// The server answered with an error status.
    #[error("{call} was refused with {refusal}; {}", advice(refusal))]
    Refused {
        /// The request.
        call: Call,
        /// What the server said.
        refusal: Box<Refusal>,
    },
    /// The server answered, but with no document that this API knows: HTML, garbage, a feed for an entry.
    #[error(
        "{call} answered {status} with {problem}; check that the endpoint is the REST API of an HMC or NovaLink and not a proxy or a login page"
    )]
    BadAnswer {
        /// The request.
        call: Call,
        /// HTTP status of the answer.
        status: StatusCode,
        /// What is wrong with it.
        problem: String,
    },
    /// The answer exceeded the size that the session reads.
    #[error(
        "{call} answered with more than {limit} bytes; ask for fewer extended groups or raise the session's document limit"
    )]
    TooLarge {
        /// The request.
        call: Call,
        /// The limit in bytes.
        limit: u64,
    },
    /// A job ended without success, or not in time.
    #[error(transparent)]
    Job(Box<JobFailure>),
    /// A read-modify-write met somebody else's change on every try.
    #[error(
        "{call}: changed by others on each of {tries} tries; see who else configures this system, then repeat"
    )]
    Conflict {
        /// The last update.
        call: Call,
        /// How many updates were tried.
        tries: u32,
    },
    /// The source of an upload failed, or ended early or late.
    #[error("{call}: the data to send failed ({source}); check the image file or the image server")]
    Source {
        /// The upload.
        call: Call,
        /// What the stream said.
        source: Cause,
    },
    /// The password or the token file could not be used.
    #[error("{what}; {remedy}")]
    Credentials {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The caller cancelled.
    #[error("{what} was cancelled")]
    Cancelled {
        /// The operation.
        what: String,
    },
    /// Nothing was done: the operation was only to be [outlined](crate::operations::Control::dry_run).
    #[error("{} was not done: it was a dry run", .0.saga)]
    DryRun(Arc<Outline>),
    /// A saga failed and was undone, as far as its report says.
    #[error(transparent)]
    Saga(Arc<SagaFailure>),
    /// An error of an operation above the wire.
    #[error("{what}; {remedy}")]
    Operation {
        /// Where it belongs.
        kind: ErrorKind,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
        /// What caused it.
        #[source]
        source: Option<Cause>,
    },
}

impl Error {
    /// An [`Error::Invalid`].
    pub fn invalid(what: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Invalid {
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// An [`Error::Operation`] without a cause.
    pub fn operation(kind: ErrorKind, what: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::Operation {
            kind,
            what: what.into(),
            remedy: remedy.into(),
            source: None,
        }
    }

    /// An [`Error::Operation`] with its cause.
    pub fn caused(
        kind: ErrorKind,
        what: impl Into<String>,
        remedy: impl Into<String>,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        Error::Operation {
            kind,
            what: what.into(),
            remedy: remedy.into(),
            source: Some(Arc::new(source)),
        }
    }

    /// A defect of the driver, met where it should be impossible.
    pub(crate) fn internal(what: impl Into<String>) -> Error {
        Error::operation(
            ErrorKind::Internal,
            what,
            "report it with the log of the run",
        )
    }

    /// Sorts this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::Invalid { .. } => ErrorKind::Invalid,
            Error::Unreachable { .. } => ErrorKind::Unreachable,
            Error::Interrupted { source, .. } => match source.failure() {
                TransportFailure::Timeout(_) => ErrorKind::TimedOut,
                _ => ErrorKind::Interrupted,
            },
            Error::UnknownOutcome { .. } => ErrorKind::UnknownOutcome,
            Error::Refused { refusal, .. } => refusal_kind(refusal),
            Error::BadAnswer { .. } => ErrorKind::BadAnswer,
            Error::TooLarge { .. } => ErrorKind::TooLarge,
            Error::Job(failure) => failure.kind(),
            Error::Conflict { .. } => ErrorKind::Conflict,
            Error::Source { .. } => ErrorKind::Local,
            Error::Credentials { .. } => ErrorKind::Unauthorized,
            Error::Cancelled { .. } => ErrorKind::Cancelled,
            Error::DryRun(_) => ErrorKind::DryRun,
            Error::Saga(failure) => failure.error.kind(),
            Error::Operation { kind, .. } => *kind,
        }
    }

    /// What the server said, if this error came from its answer; looks through a saga's report.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Error::Refused { refusal, .. } => Some(refusal),
            Error::Saga(failure) => failure.error.refusal(),
            _ => None,
        }
    }

    /// HTTP status of the server's answer, if there was one.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Error::Refused { refusal, .. } => Some(refusal.status),
            Error::BadAnswer { status, .. } => Some(*status),
            Error::Conflict { .. } => Some(StatusCode::PRECONDITION_FAILED),
            Error::Saga(failure) => failure.error.status(),
            _ => None,
        }
    }

    /// The request that failed, if one did.
    pub fn call(&self) -> Option<&Call> {
        match self {
            Error::Unreachable { call, .. }
            | Error::Interrupted { call, .. }
            | Error::UnknownOutcome { call, .. }
            | Error::Refused { call, .. }
            | Error::BadAnswer { call, .. }
            | Error::TooLarge { call, .. }
            | Error::Conflict { call, .. }
            | Error::Source { call, .. } => Some(call),
            Error::Saga(failure) => failure.error.call(),
            _ => None,
        }
    }

    /// Whether the thing asked for is absent (404): done, for a deletion.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound
    }

    /// Whether the server's message holds this identifier (`HSCL3681`), in an error answer or a job's message.
    pub fn mentions(&self, identifier: &str) -> bool {
        match self {
            Error::Job(failure) => failure.message.contains(identifier),
            other => other
                .refusal()
                .is_some_and(|refusal| refusal.message.contains(identifier)),
        }
    }
}

impl From<SagaFailure> for Error {
    fn from(failure: SagaFailure) -> Error {
        Error::Saga(Arc::new(failure))
    }
}

impl From<JobFailure> for Error {
    fn from(failure: JobFailure) -> Error {
        Error::Job(Box::new(failure))
    }
}

fn refusal_kind(refusal: &Refusal) -> ErrorKind {
    if refusal.is_busy() {
        return ErrorKind::Busy;
    }
    match refusal.status.as_u16() {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        412 => ErrorKind::Conflict,
        _ => ErrorKind::Refused,
    }
}

fn advice(refusal: &Refusal) -> &'static str {
    match refusal_kind(refusal) {
        ErrorKind::Busy => "it stayed busy through all retries, repeat it later",
        ErrorKind::Unauthorized => "check the user, the password or the token file",
        ErrorKind::Forbidden => "give the user the authority for it",
        ErrorKind::NotFound => "it does not exist there, or no longer",
        ErrorKind::Conflict => "it was changed meanwhile, read it again and redo the change",
        _ if refusal.status.is_server_error() => {
            "look the message identifier up, and see the server's log"
        }
        _ => "look the message identifier up and change the request",
    }
}

/// Seconds, for messages.
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// Text of a server made fit for a message: no control characters, at most 4096 bytes.
pub(crate) fn printable(text: &str) -> String {
    const LIMIT: usize = 4096;
    let mut out = String::with_capacity(text.len().min(LIMIT));
    for c in text.trim().chars() {
        if out.len() + c.len_utf8() > LIMIT {
            out.push('…');
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, message: &str) -> Refusal {
        Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            document_status: Some(status),
            reason: "Unknown internal error.".into(),
            message: message.into(),
            documented: true,
        }
    }

    #[test]
    fn busy_is_told_by_the_texts_of_real_servers() {
        assert!(refusal(400, "HSCL3205 another operation").is_busy());
        assert!(refusal(500, "VIOS0014 wait").is_busy());
        assert!(refusal(503, "anything").is_busy());
        assert!(refusal(500, "VIOS 1*9999 is busy processing some other request.").is_busy());
        assert!(refusal(500, "The system is currently too busy").is_busy());
        assert!(!refusal(500, "HSCL0001 no").is_busy());
        assert!(!refusal(400, "VIOS 1 is busy processing some other request.").is_busy());
        assert!(
            !Refusal {
                documented: false,
                ..refusal(503, "")
            }
            .is_busy()
        );
    }

    #[test]
    fn server_text_cannot_drive_a_terminal_or_fill_memory() {
        assert_eq!(printable("a\u{1b}[2J\nb"), "a [2J b");
        assert!(printable(&"x".repeat(1 << 20)).len() < 5000);
    }

    #[test]
    fn the_error_stays_small() {
        assert!(
            std::mem::size_of::<Error>() <= 128,
            "{}",
            std::mem::size_of::<Error>()
        );
    }
}
