//! Writing and reading event logs.

mod error;
mod reader;
mod writer;

pub use self::error::LogError;
pub use self::reader::{EventReader, LONGEST_LINE};
pub use self::writer::EventWriter;
