//! Several scenarios at a time, each in a world and on a clock of its own.

use std::time::Duration;

use tokio::runtime::Runtime;

use crate::leaks::{Connections, Watch};
use crate::matrix::pool;
use crate::report::{RunReport, ScenarioReport};
use crate::runtime::virtual_clock;
use crate::scenario::Scenario;
use crate::target::{Target, TargetError};

use super::observer::{Event, Observer};
use super::{Settings, scenario, summary};

/// What the tasks of a scenario have after it to end by themselves.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the scenarios on so many threads. The report is that of [`super::run`], byte for byte: it has the scenarios in
/// their order, and no scenario knows of another. The target has to make a host of its own for each. Also returns what
/// was left in this process.
///
/// The observer hears the events of several scenarios mixed, each on its own clock; those of operations do not say whose
/// they are.
///
/// # Errors
/// As [`super::run`].
pub fn run_in_parallel(
    scenarios: &[Scenario],
    target: &dyn Target,
    settings: &Settings,
    observer: &dyn Observer,
    threads: usize,
) -> Result<(RunReport, Vec<String>), TargetError> {
    observer.observe(&Event::RunBegins {
        scenarios: scenarios.len(),
    });
    // The first runtime of a process opens two sockets for its signals, and they stay.
    drop(runtime()?);
    let connections = Connections::begin();
    let all: Vec<(usize, &Scenario)> = scenarios.iter().enumerate().collect();
    let one =
        |(index, scenario): &(usize, &Scenario)| play(*index, scenario, target, settings, observer);
    let mut reports = Vec::with_capacity(scenarios.len());
    let mut leaks = Vec::new();
    for played in pool::run(&all, threads, one, |_, _| {}) {
        let crashed = |_| TargetError::Simulator("a scenario panicked".to_owned());
        let (report, left) = played.map_err(crashed)??;
        reports.push(report);
        leaks.extend(left);
    }
    leaks.extend(connections.leak());
    let report = summary(reports, target, settings);
    observer.observe(&Event::RunEnds { report: &report });
    Ok((report, leaks))
}

fn runtime() -> Result<Runtime, TargetError> {
    virtual_clock()
        .map_err(|error| TargetError::Simulator(format!("cannot start the runtime: {error}")))
}

fn play(
    index: usize,
    scenario: &Scenario,
    target: &dyn Target,
    settings: &Settings,
    observer: &dyn Observer,
) -> Result<(ScenarioReport, Option<String>), TargetError> {
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let watch = Watch::begin();
        observer.observe(&Event::ScenarioBegins { scenario, index });
        let report = scenario::run(scenario, target, settings, observer).await?;
        observer.observe(&Event::ScenarioEnds { report: &report });
        let tasks = watch.tasks_after(PATIENCE).await;
        let name = &scenario.name;
        let left = (tasks > 0).then(|| format!("{tasks} tasks of {name} that still live"));
        Ok((report, left))
    });
    runtime.shutdown_background();
    outcome
}
