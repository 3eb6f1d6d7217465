//! What a server says when it does not do what it was asked.

use std::borrow::Cow;

/// A command that was refused: the world is as it was before.
///
/// `status` is the HTTP status, `reason` the `ReasonCode` element and `message` the `Message` element of the error
/// document. Codes such as `HSCL05DE` stand in the message, as on real servers (`docs/protocol/partitions.md`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {reason}: {message}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The text of `ReasonCode`.
    pub reason: Cow<'static, str>,
    /// The text of `Message`.
    pub message: String,
}

impl Refusal {
    /// The reason that real servers give for nearly everything that logic refuses.
    pub const INTERNAL: &'static str = "Unknown internal error.";

    /// The reason of a 404 (recorded from an HMC V8R8.6 and captured from V10R3).
    pub const UNKNOWN_RESOURCE: &'static str =
        "The supplied URI does not identify a known resource.";

    /// A refusal with these parts.
    #[must_use]
    pub fn new(
        status: u16,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// 500 with `REST0126`: the console's logic or the hypervisor refused a creation or a change.
    #[must_use]
    pub fn logic(text: impl AsRef<str>) -> Self {
        Self::new(500, Self::INTERNAL, format!("REST0126 {}", text.as_ref()))
    }

    /// 500 with a text of the Virtual I/O Server or of the management layer as it is.
    #[must_use]
    pub fn internal(text: impl Into<String>) -> Self {
        Self::new(500, Self::INTERNAL, text)
    }

    /// 400: the request itself makes no sense.
    #[must_use]
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(400, "Bad Request", text)
    }

    /// 400 for an operation that the resource does not have, as captured from an HMC V10R3.
    #[must_use]
    pub fn no_such_operation() -> Self {
        Self::new(
            400,
            "The request body contains an unrecognized field.",
            "REST0006 No such Operation",
        )
    }

    /// 404: there is no such resource (any more).
    #[must_use]
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        Self::new(
            404,
            Self::UNKNOWN_RESOURCE,
            format!("REST029B The specified UUID {id} does not exist for the type {kind}."),
        )
    }
}
