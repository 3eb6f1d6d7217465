//! What programs read of an error: where it happened, the server's code for it, what is left, and what to do.

use super::{Error, advice};
use crate::saga::{SagaFailure, StepFailure};

impl Error {
    /// The error that this one passes on, if that is one of the driver's.
    pub(crate) fn within(&self) -> Option<&Error> {
        match self {
            Error::Saga(failure) => Some(&failure.error),
            Error::Operation {
                source: Some(source),
                ..
            } => source.downcast_ref(),
            _ => None,
        }
    }

    /// The steps that failed, the outermost first: a step may have been an operation with steps of its own.
    #[must_use]
    pub fn failed_steps(&self) -> Vec<&str> {
        std::iter::successors(Some(self), |error| error.within())
            .filter_map(|error| match error {
                Error::Saga(failure) => failure.step.as_deref(),
                _ => None,
            })
            .collect()
    }

    /// What may be left of the steps that ran, of operations within operations too: each with why it could not be
    /// removed.
    #[must_use]
    pub fn left_behind(&self) -> Vec<&StepFailure> {
        match self {
            Error::Saga(failure) => failure.all_left_behind(),
            _ => self.within().map(Error::left_behind).unwrap_or_default(),
        }
    }

    /// The identifier in what the server said (`HSCL3681`, `VIOS0014`, `PVME04000504-0048`), or the constant that it
    /// gave as its reason (`INVALID_URL`).
    #[must_use]
    pub fn reason_code(&self) -> Option<&str> {
        match self {
            Error::Refused { refusal, .. } => identifier(&refusal.message).or_else(|| {
                let reason = refusal.reason.as_str();
                let is_constant = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
                (!reason.is_empty() && reason.bytes().all(is_constant)).then_some(reason)
            }),
            Error::Job(failure) => identifier(&failure.message),
            _ => self.within()?.reason_code(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Error::Invalid { remedy, .. }
            | Error::Credentials { remedy, .. }
            | Error::Operation { remedy, .. } => remedy.clone(),
            Error::Refused { refusal, .. } => advice(refusal).to_owned(),
            Error::Saga(failure) => failure.error.remedy(),
            Error::Cancelled { .. } | Error::DryRun(_) => "repeat it when it is wanted".to_owned(),
            // These end with it.
            other => {
                let text = other.to_string();
                let last = text.rsplit("; ").next();
                last.unwrap_or_default().to_owned()
            }
        }
    }
}

impl SagaFailure {
    /// What may be left of this saga's steps, and of the sagas that its steps ran.
    #[must_use]
    pub fn all_left_behind(&self) -> Vec<&StepFailure> {
        let failed =
            std::iter::once(&self.error).chain(self.others.iter().map(|other| &other.error));
        let within = failed.flat_map(Error::left_behind);
        self.left_behind.iter().chain(within).collect()
    }
}

/// The first word of a text that looks like a message identifier of these products: three to five capital letters and
/// at least four hexadecimal digits, or more of them in two groups.
fn identifier(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    text.split(|c| !is_part(c))
        .map(|word| word.trim_matches('-'))
        .find(|word| {
            let prefix = ["HSCL", "HSCP", "HSC", "VIOS", "PVME", "PVMB", "REST"]
                .iter()
                .find_map(|prefix| word.strip_prefix(prefix));
            prefix.is_some_and(|digits| {
                digits.len() >= 4
                    && digits.bytes().any(|byte| byte.is_ascii_digit())
                    && digits
                        .bytes()
                        .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn failure(step: &str, error: Error, left_behind: Vec<StepFailure>) -> Error {
        SagaFailure {
            saga: "create web".to_owned(),
            step: Some(step.to_owned()),
            error,
            others: Vec::new(),
            left_behind,
        }
        .into()
    }

    fn full() -> Error {
        Error::operation(ErrorKind::NoSpace, "the pool is full", "free some")
    }

    #[test]
    fn what_an_operation_within_an_operation_left_is_not_hidden() {
        let left = StepFailure {
            step: "find the volumes there".to_owned(),
            error: Error::internal("gone"),
        };
        let inner = failure("find the volumes there", full(), vec![left]);
        let outer = failure("prepare the destination", inner, Vec::new());
        let told = Error::caused(ErrorKind::NoSpace, "it did not move", "repeat it", outer);
        assert_eq!(told.left_behind().len(), 1);
        assert_eq!(
            told.failed_steps(),
            ["prepare the destination", "find the volumes there"]
        );
        let Error::Operation {
            source: Some(source),
            ..
        } = &told
        else {
            panic!()
        };
        assert!(
            !source.to_string().contains("everything it had made"),
            "{source}"
        );
        assert!(failure("a", full(), Vec::new()).left_behind().is_empty());
    }

    #[test]
    fn codes_are_found_in_what_servers_say() {
        for (text, code) in [
            ("[LPAR_SCM] HSCL3681 The partition is on.", Some("HSCL3681")),
            ("VIOS0014: try again", Some("VIOS0014")),
            ("(PVME04000504-0048) no", Some("PVME04000504-0048")),
            ("the HSCLient of VIOS 1", None),
            ("", None),
        ] {
            assert_eq!(identifier(text), code, "{text}");
        }
    }

    #[test]
    fn every_error_says_what_to_do() {
        assert_eq!(full().remedy(), "free some");
        assert_eq!(failure("a", full(), Vec::new()).remedy(), "free some");
        let late = Error::Conflict {
            call: crate::error::Call {
                method: http::Method::POST,
                url: "https://hmc/rest".to_owned(),
            },
            tries: 3,
        };
        assert_eq!(
            late.remedy(),
            "see who else configures this system, then repeat"
        );
    }
}
