//! What may be wrong with an event log.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::event::FORMAT;

/// An event log that cannot be written or read.
#[derive(Debug, Error)]
pub enum LogError {
    /// A file cannot be opened.
    #[error("cannot open {}: {error}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Reading or writing failed.
    #[error("the event log broke off at line {line}: {error}")]
    Io {
        /// The line that was read or written, from 1.
        line: u64,
        /// Why.
        error: io::Error,
    },
    /// A line is longer than any that is written.
    #[error("line {line} of the event log is longer than {limit} bytes; is it an event log?")]
    TooLong {
        /// The line, from 1.
        line: u64,
        /// The most bytes of a line.
        limit: usize,
    },
    /// A line is no event.
    #[error("line {line} of the event log is no event: {problem}")]
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The first line is not that of an event log.
    #[error(
        "line {line} comes before any line that names the format; the first has to be {{\"event\":\"log\",\"format\":{FORMAT},\"producer\":\"…\"}}"
    )]
    NoHeader {
        /// The line, from 1.
        line: u64,
    },
    /// The log was written in another format.
    #[error(
        "line {line} says format {format}, and this version reads {FORMAT}; use the version that wrote it"
    )]
    Format {
        /// The line, from 1.
        line: u64,
        /// What it says.
        format: u32,
    },
    /// One of several logs.
    #[error("{}: {error}", path.display())]
    In {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        error: Box<LogError>,
    },
    /// The log holds more than is kept in memory.
    #[error("line {line}: the event log has more than {limit} {what}; split it")]
    TooMany {
        /// The line, from 1.
        line: u64,
        /// What there is too much of.
        what: &'static str,
        /// How much is kept.
        limit: usize,
    },
}

impl LogError {
    /// Says in which log it was.
    pub(crate) fn within(self, path: &Path) -> Self {
        match self {
            Self::Open { .. } => self,
            error => Self::In {
                path: path.to_owned(),
                error: Box::new(error),
            },
        }
    }
}
