//! What was found, and whether it would stop a deploy.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// What a finding means for deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It could not be told by looking.
    Unknown,
    /// Deploys work, but somebody should look at it.
    Odd,
    /// No deploy would work.
    Stops,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at: `clock`, `virtual I/O server vios1`.
    pub about: String,
    /// What it means.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do, where there is something to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// Everything that was found, in the order in which it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// The worst of the verdicts.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.findings.iter().map(|finding| finding.verdict);
        verdicts.max().unwrap_or(Verdict::Unknown)
    }

    /// The findings that no deploy would get past.
    pub fn stops(&self) -> impl Iterator<Item = &Finding> {
        let all = self.findings.iter();
        all.filter(|finding| finding.verdict == Verdict::Stops)
    }

    pub(super) fn good(&mut self, about: impl Into<String>, found: impl Into<String>) {
        self.add(about, Verdict::Good, found, None);
    }

    pub(super) fn unknown(
        &mut self,
        about: impl Into<String>,
        found: impl Into<String>,
        remedy: &str,
    ) {
        self.add(about, Verdict::Unknown, found, Some(remedy.to_owned()));
    }

    pub(super) fn odd(&mut self, about: impl Into<String>, found: impl Into<String>, remedy: &str) {
        self.add(about, Verdict::Odd, found, Some(remedy.to_owned()));
    }

    pub(super) fn stop(
        &mut self,
        about: impl Into<String>,
        found: impl Into<String>,
        remedy: &str,
    ) {
        self.add(about, Verdict::Stops, found, Some(remedy.to_owned()));
    }

    /// What a deploy reads and could not be read stops it.
    pub(super) fn needed<T>(&mut self, about: &str, result: Result<T>) -> Option<T> {
        result
            .map_err(|error| self.failed(about, Verdict::Stops, &error))
            .ok()
    }

    /// The same for what a deploy does without.
    pub(super) fn wanted<T>(&mut self, about: &str, result: Result<T>) -> Option<T> {
        result
            .map_err(|error| self.failed(about, Verdict::Odd, &error))
            .ok()
    }

    fn failed(&mut self, about: &str, verdict: Verdict, error: &Error) {
        let remedy = (error.kind() == ErrorKind::Forbidden)
            .then(|| "give the user a role that may read it, such as hmcoperator".to_owned());
        self.add(about, verdict, error.to_string(), remedy);
    }

    fn add(
        &mut self,
        about: impl Into<String>,
        verdict: Verdict,
        found: impl Into<String>,
        remedy: Option<String>,
    ) {
        self.findings.push(Finding {
            about: about.into(),
            verdict,
            found: found.into(),
            remedy,
        });
    }
}
