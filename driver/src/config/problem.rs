//! What is wrong with a configuration, or odd about it.

use std::fmt;

use serde::Serialize;

use crate::error::printable;

/// One thing that is wrong with a configuration, or odd about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key, option or variable that it is about, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The line of the file that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What it is, and what to do.
    pub what: String,
    /// Whether nothing works until it is mended.
    pub stops: bool,
}

impl Problem {
    /// One that stops everything.
    pub(crate) fn of(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            line: None,
            what: what.into(),
            stops: true,
        }
    }

    /// One that somebody should look at.
    pub(crate) fn odd(key: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            stops: false,
            ..Self::of(key, what)
        }
    }

    /// One that is about no key.
    pub(crate) fn about_all(what: impl Into<String>) -> Self {
        Self {
            key: None,
            ..Self::of("", what)
        }
    }

    /// The same, on a line of the file.
    pub(crate) fn on(mut self, line: Option<usize>) -> Self {
        self.line = self.line.or(line);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        if let Some(key) = &self.key {
            write!(formatter, "{}: ", printable(key))?;
        }
        formatter.write_str(&printable(&self.what))
    }
}
