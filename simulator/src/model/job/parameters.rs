//! Parameters of jobs, some of which are secrets.

use std::fmt;

use super::Job;
use crate::model::command::SubmitJob;

/// What stands for the value of a secret parameter wherever it is shown.
pub const MASK: &str = "*******";

/// Whether the value of a parameter is a secret, such as `password` and `discoveryPassword` of `ISCSIDiscovery`.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    name.to_ascii_lowercase().contains("password")
}

/// Parameters with their secrets masked.
#[derive(Clone, Copy)]
pub struct Shown<'a>(pub &'a [(String, String)]);

impl<'a> Shown<'a> {
    /// Names and values.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().map(|(name, value)| {
            let value = if is_secret(name) { MASK } else { value };
            (name.as_str(), value)
        })
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl fmt::Debug for SubmitJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitJob")
            .field("target", &self.target)
            .field("operation", &self.operation)
            .field("parameters", &Shown(&self.parameters))
            .finish()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("target", &self.target)
            .field("operation", &self.operation)
            .field("parameters", &Shown(&self.parameters))
            .field("status", &self.status)
            .field("started", &self.started)
            .field("completed", &self.completed)
            .field("results", &self.results)
            .field("exception", &self.exception)
            .finish_non_exhaustive()
    }
}
