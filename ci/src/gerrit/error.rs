//! How talking to Gerrit goes wrong.

use std::time::Duration;

/// Why Gerrit gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GerritError {
    /// No connection came about: nothing was carried out.
    #[error(
        "{request}: no connection to Gerrit: {why}; its address and the network are to be looked at if that stays"
    )]
    Unreachable {
        /// Method and path.
        request: String,
        /// What the system said.
        why: String,
    },
    /// The connection broke or the answer did not come in time: whether it was carried out is not known.
    #[error("{request}: no answer: {why}")]
    Lost {
        /// Method and path.
        request: String,
        /// What happened.
        why: String,
    },
    /// Too many requests, or it is being started or stopped.
    #[error("{request}: Gerrit is busy ({status})")]
    Busy {
        /// Method and path.
        request: String,
        /// 408, 429 or 503.
        status: u16,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// 409: something else was being done to the change, or its state forbids it.
    #[error("{request}: conflict (409): {text}")]
    Conflict {
        /// Method and path.
        request: String,
        /// Gerrit's words.
        text: String,
    },
    /// 5xx: whether it was carried out is not known.
    #[error("{request}: Gerrit failed ({status}): {text}")]
    Failed {
        /// Method and path.
        request: String,
        /// The status.
        status: u16,
        /// Gerrit's words.
        text: String,
    },
    /// The answer is not what Gerrit sends: cut short, or the page of a proxy.
    #[error("{request}: not an answer of Gerrit's: {why}")]
    Garbled {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        why: String,
    },
    /// Gerrit does not do this for us, however often it is asked.
    #[error("{request}: refused ({status}): {text}{}", advice(*status))]
    Refused {
        /// Method and path.
        request: String,
        /// The status.
        status: u16,
        /// Gerrit's words.
        text: String,
    },
}

impl GerritError {
    /// Whether it may go well the next time without anybody mending anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// How long Gerrit asks to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "; give the address that it points at as [gerrit] url",
        401 => {
            "; see whether [gerrit] username and password_file are those of Gerrit's settings page, HTTP credentials"
        }
        403 => "; the account lacks the permission",
        404 => "; there is no such thing, or the account may not see it",
        _ => "",
    }
}
