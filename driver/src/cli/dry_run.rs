//! `powervm --dry-run …`: the steps instead of the deed.

use std::sync::Arc;

use super::act;
use super::arguments::Noun;
use super::connection::Origin;
use super::output::{Output, Table};
use crate::error::{Error, Result};
use crate::operations::{Control, Driver};
use crate::saga::{Outline, OutlinedStep};

/// Prints the steps of what the command would do. What has nothing to do says so as it always does.
pub(super) async fn show(
    driver: &Driver,
    noun: &Noun,
    origin: &Origin<'_>,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let mut outlines = Vec::new();
    for noun in noun.one_by_one() {
        match act(driver, &noun, origin, output, control).await {
            Err(Error::DryRun(outline)) => outlines.push(outline),
            outcome => outcome?,
        }
    }
    if outlines.is_empty() {
        return Ok(());
    }
    let outlines: Vec<&Outline> = outlines.iter().map(Arc::as_ref).collect();
    output.print(&outlines, |outlines| table(outlines))
}

/// Ends a dry run of what is no operation with steps of its own, but done at once.
///
/// # Errors
/// In a dry run [`Error::DryRun`], whose only step is what would be done.
pub(super) fn instead(control: &Control, would: &str) -> Result<()> {
    if !control.is_dry_run() {
        return Ok(());
    }
    let step = OutlinedStep {
        name: would.to_owned(),
        after: Vec::new(),
        has_undo: false,
    };
    Err(Error::DryRun(Arc::new(Outline {
        saga: would.to_owned(),
        steps: vec![step],
    })))
}

fn table(outlines: &[&Outline]) -> Table {
    let mut table = Table::with(&["Would", "Step", "After", "Undone when a later step fails"]);
    for outline in outlines {
        for step in &outline.steps {
            table.row([
                outline.saga.clone(),
                step.name.clone(),
                step.after.join(", "),
                if step.has_undo { "yes" } else { "no" }.to_owned(),
            ]);
        }
    }
    table
}
