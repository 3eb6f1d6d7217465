//! Runs scenarios on a target.
//!
//! The engine knows nothing of drivers, simulators or files: it asks a [`Target`] for a [`Host`](crate::target::Host),
//! does what the scenario says, and makes a report. Whoever wants to watch is an [`Observer`].

mod checks;
mod deployed;
mod looks;
mod names;
mod observer;
mod operation;
mod parallel;
mod scenario;
mod step;

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::image::Image;
use crate::report::{FORMAT, RunReport, ScenarioReport, Verdict};
use crate::scenario::Scenario;
use crate::target::{Target, TargetError};

pub use self::observer::{Event, NoObserver, Observer};
pub use self::parallel::run_in_parallel;

/// What a run needs beside scenarios and a target.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Decides names, identifiers and, on an embedded target, everything else that is random.
    pub seed: u64,
    /// The image that servers boot from.
    pub image: Image,
    /// Scenarios that are left out, by name, with the reason that the report gives.
    pub excluded: BTreeMap<String, String>,
    /// Breaks the run off: what is under way is undone, what was deployed is deleted, and the report is made.
    pub cancel: CancellationToken,
}

/// Runs the scenarios one after the other, each on a host of its own opening.
///
/// Failures of scenarios are in the report.
///
/// # Errors
/// [`TargetError`] when the target cannot be used at all.
pub async fn run(
    scenarios: &[Scenario],
    target: &dyn Target,
    settings: &Settings,
    observer: &dyn Observer,
) -> Result<RunReport, TargetError> {
    observer.observe(&Event::RunBegins {
        scenarios: scenarios.len(),
    });
    let mut reports = Vec::with_capacity(scenarios.len());
    for (index, scenario) in scenarios.iter().enumerate() {
        observer.observe(&Event::ScenarioBegins { scenario, index });
        let report = scenario::run(scenario, target, settings, observer).await?;
        observer.observe(&Event::ScenarioEnds { report: &report });
        reports.push(report);
    }
    let report = summary(reports, target, settings);
    observer.observe(&Event::RunEnds { report: &report });
    Ok(report)
}

/// The report of a run, from those of its scenarios.
fn summary(reports: Vec<ScenarioReport>, target: &dyn Target, settings: &Settings) -> RunReport {
    let verdict = [Verdict::Cancelled, Verdict::Failed]
        .into_iter()
        .find(|verdict| reports.iter().any(|report| report.verdict == *verdict))
        .unwrap_or(Verdict::Passed);
    RunReport {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        seed: settings.seed,
        target: target.describe(),
        image: settings.image.facts(),
        verdict,
        scenarios: reports,
    }
}

#[cfg(test)]
mod tests;
