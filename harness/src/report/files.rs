//! The report folder: `report.json` and `junit.xml`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{RunReport, junit};

/// A report that cannot be written.
#[derive(Debug, Error)]
pub enum ReportError {
    /// The folder or a file in it cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The report cannot be put in words.
    #[error("cannot serialise the report: {0}")]
    Serialise(String),
}

/// Writes the report into a folder, which is made when it is not there, and returns the files.
///
/// The files hold no wall time, no host name and no path, so that two embedded runs with one seed write the same
/// bytes.
///
/// # Errors
/// [`ReportError`] naming the file that cannot be written.
pub fn write(report: &RunReport, folder: &Path) -> Result<[PathBuf; 2], ReportError> {
    fs::create_dir_all(folder).map_err(|error| ReportError::Write {
        path: folder.to_owned(),
        error,
    })?;
    let json = serde_json::to_string_pretty(report)
        .map_err(|error| ReportError::Serialise(error.to_string()))?;
    let xml = junit(report).map_err(|error| ReportError::Serialise(error.to_string()))?;
    let files = [folder.join("report.json"), folder.join("junit.xml")];
    for (path, text) in files.iter().zip([json + "\n", xml]) {
        fs::write(path, text).map_err(|error| ReportError::Write {
            path: path.clone(),
            error,
        })?;
    }
    Ok(files)
}
