//! `powervm doctor`

use std::process::ExitCode;

use super::arguments::{Connection, Place};
use super::connection::{self, unix_seconds};
use super::exit;
use super::output::{Output, Table};
use crate::doctor::{self, Diagnosis, Verdict};
use crate::error::Result;

/// Prints what was found; the exit code tells whether a deploy would work.
pub(super) async fn run(
    connection: &Connection,
    place: &Place,
    output: &Output,
) -> Result<ExitCode> {
    let (session, config) = connection::session(connection, place).await?;
    let diagnosis = doctor::examine(&session, &config, unix_seconds()).await;
    connection::leave(&session).await;
    output.print(&diagnosis, table)?;
    Ok(if diagnosis.verdict() == Verdict::Stops {
        ExitCode::from(exit::FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

fn table(diagnosis: &Diagnosis) -> Table {
    let mut table = Table::with(&["About", "Verdict", "Found", "What to do"]);
    for finding in &diagnosis.findings {
        let verdict = match finding.verdict {
            Verdict::Good => "good",
            Verdict::Unknown => "unknown",
            Verdict::Odd => "odd",
            Verdict::Stops => "STOPS DEPLOYS",
        };
        table.row([
            finding.about.as_str(),
            verdict,
            &finding.found,
            finding.remedy.as_deref().unwrap_or_default(),
        ]);
    }
    table
}
