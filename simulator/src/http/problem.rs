//! What a request is refused with: an HTTP status and the two texts of the error document.

use std::borrow::Cow;

use crate::model::Refusal;

/// A refusal on its way to becoming an `HttpErrorResponse` document (`docs/protocol/errors.md`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {reason} {message}")]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// `ReasonCode` of the document: a constant such as `INVALID_URL` or a sentence.
    pub reason: Cow<'static, str>,
    /// `Message` of the document, usually beginning with a code (`REST000B …`).
    pub message: Cow<'static, str>,
    /// With 405, the methods that would do.
    pub allow: Option<&'static str>,
}

impl Problem {
    /// A refusal with these texts.
    #[must_use]
    pub fn new(
        status: u16,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            reason: reason.into(),
            message: message.into(),
            allow: None,
        }
    }

    /// A URL that follows no rule of the grammar: 400 `INVALID_URL`, `REST000B`.
    #[must_use]
    pub fn invalid_url(detail: &str) -> Self {
        let space = if detail.is_empty() { "" } else { " " };
        Self::new(400, "INVALID_URL", format!("{NOT_A_URL}{space}{detail}"))
    }

    /// A method that the resource does not have: 405 with the ones that it has.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let problem = Self::new(
            405,
            "Method Not Allowed",
            format!("The resource allows {allow}."),
        );
        Self {
            allow: Some(allow),
            ..problem
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status, refusal.reason, refusal.message)
    }
}

/// The message of `REST000B` (recorded from an HMC V8R8.6, which answers with it to unknown UUIDs as well).
pub(crate) const NOT_A_URL: &str =
    "REST000B The URL presented to the Management Console REST Web Services is not valid.";
