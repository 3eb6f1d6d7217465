//! Appends events to a log.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use crate::event::{Entry, Event, FORMAT, Log};

use super::LogError;
use super::reader::LONGEST_LINE;

/// Writes events, a line each, every line with one write so that several processes may append to one file.
#[derive(Debug)]
pub struct EventWriter<W: Write> {
    out: W,
    lines: u64,
}

impl EventWriter<std::fs::File> {
    /// Opens a log to append to; it is made when it is not there.
    ///
    /// # Errors
    /// [`LogError`] when the file cannot be opened or written.
    pub fn append(path: &Path, producer: &str) -> Result<Self, LogError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| LogError::Open {
            path: path.to_owned(),
            error,
        })?;
        Self::new(file, producer)
    }
}

impl<W: Write> EventWriter<W> {
    /// Begins a log, or a part of one, with the line that names format and producer.
    ///
    /// # Errors
    /// [`LogError::Io`] when it cannot be written.
    pub fn new(out: W, producer: &str) -> Result<Self, LogError> {
        let mut writer = Self { out, lines: 0 };
        let header = Event::Log(Log {
            format: FORMAT,
            producer: producer.to_owned(),
        });
        writer.write(&header.into())?;
        Ok(writer)
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`LogError::Io`] when it cannot be written, [`LogError::TooLong`] when no reader would take it.
    pub fn write(&mut self, entry: &Entry) -> Result<(), LogError> {
        let line = self.lines + 1;
        let mut text = serde_json::to_vec(entry).map_err(|error| LogError::Malformed {
            line,
            problem: error.to_string(),
        })?;
        if text.len() >= LONGEST_LINE {
            return Err(LogError::TooLong {
                line,
                limit: LONGEST_LINE,
            });
        }
        text.push(b'\n');
        self.out
            .write_all(&text)
            .map_err(|error| LogError::Io { line, error })?;
        self.lines = line;
        Ok(())
    }

    /// Writes out what is still buffered and gives the output back.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
