//! The report as people read it at the end of a run.

use super::{RunReport, results};

/// The table of a run, its failures and what could not be checked, and the last line: what passed.
#[must_use]
pub fn render(report: &RunReport, width: Option<u16>) -> String {
    powervm_report::table::render(&results(report), width)
}

/// How long the driver's own steps took, step by step of the scenarios: where the time goes.
#[must_use]
pub fn phases(report: &RunReport) -> String {
    powervm_report::table::phases(&results(report))
}
