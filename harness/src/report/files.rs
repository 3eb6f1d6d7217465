//! The report folder: the event log and what is made of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use powervm_report::log::LogError;
use powervm_report::results::Results;
use powervm_report::{html, junit, subunit};
use thiserror::Error;

use super::{RunReport, results};

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
    /// The event log cannot be written or read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Writes the report into a folder, which is made when it is not there, and returns the files.
///
/// The files hold no wall time, no host name and no path, so that two embedded runs with one seed write the same
/// bytes.
///
/// # Errors
/// [`ReportError`] naming the file that cannot be written.
pub fn write(report: &RunReport, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    write_from(report, &results(report), folder)
}

/// As [`write()`], from what the event log of the run came to, so with the calls.
///
/// # Errors
/// [`ReportError`] naming the file that cannot be written.
pub fn write_from(
    report: &RunReport,
    results: &Results,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    fs::create_dir_all(folder).map_err(|error| ReportError::Write {
        path: folder.to_owned(),
        error,
    })?;
    let serialise = |error: &dyn std::error::Error| ReportError::Serialise(error.to_string());
    let json = serde_json::to_string_pretty(report).map_err(|error| serialise(&error))?;
    let xml = junit::junit(results).map_err(|error| serialise(&error))?;
    let (mut page, mut stream) = (Vec::new(), Vec::new());
    html::write(results, &mut page).map_err(|error| serialise(&error))?;
    subunit::write(results, &mut stream).map_err(|error| serialise(&error))?;
    let files = [
        ("report.json", (json + "\n").into_bytes()),
        ("junit.xml", xml.into_bytes()),
        ("report.html", page),
        ("results.subunit", stream),
    ];
    let mut written = Vec::with_capacity(files.len());
    for (name, content) in files {
        let path = folder.join(name);
        fs::write(&path, content).map_err(|error| ReportError::Write {
            path: path.clone(),
            error,
        })?;
        written.push(path);
    }
    Ok(written)
}
