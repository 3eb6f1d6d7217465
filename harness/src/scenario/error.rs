//! What is wrong with a scenario file, and where.

use std::ops::Range;

use thiserror::Error;

/// A scenario file that cannot be used. Its text reads `file:line:column: key: what is wrong`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{origin}:{line}:{column}: {}{message}", key_prefix(.key))]
pub struct ScenarioError {
    /// The file, as the user or the catalogue names it.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key that is wrong, for example `step[2].expect.state`; empty when the file is not TOML at all.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

fn key_prefix(key: &str) -> String {
    if key.is_empty() {
        String::new()
    } else {
        format!("{key}: ")
    }
}

/// A file being read: turns byte ranges of its text into lines and columns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) origin: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn error(
        &self,
        at: &Range<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
    ) -> ScenarioError {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ScenarioError {
            origin: self.origin.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            key: key.into(),
            message: message.into(),
        }
    }

    pub(super) fn syntax(&self, error: &toml::de::Error) -> ScenarioError {
        self.error(&error.span().unwrap_or(0..0), "", error.message().trim())
    }
}
