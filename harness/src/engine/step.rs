//! One step: everything in it begins at once; afterwards it is looked at what came out.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::audit::{Inventory, Policy};
use crate::report::{CheckVerdict, PhaseReport, StepReport, Verdict};
use crate::scenario::{Action, Deed, Step, Work};
use crate::stats::{Summary, millis, percentile};
use crate::target::{Capacity, Description, Failure, Host, Usage};

use super::Settings;
use super::checks;
use super::deployed::Deployed;
use super::looks;
use super::names::Names;
use super::observer::{Event, Observer};
use super::operation::{self, Operation, Outcome};

/// What a step needs to know of the scenario around it.
pub(super) struct Surroundings<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) settings: &'a Settings,
    pub(super) observer: &'a dyn Observer,
    pub(super) target: &'a Description,
    pub(super) names: &'a Names,
    pub(super) deployed: &'a Deployed,
    /// What was in use before the first step.
    pub(super) used: Usage,
    pub(super) policy: Policy,
    pub(super) began: Instant,
    /// The steps before this one.
    pub(super) earlier: &'a [StepReport],
}

/// Runs one step and looks at what came out.
///
/// # Errors
/// Only when the host could not even be asked what it has left or what is on it; failures of operations are in the
/// report.
pub(super) async fn run(
    step: &Step,
    around: &Surroundings<'_>,
) -> Result<(StepReport, Vec<Outcome>), Failure> {
    let operations = prepare(step, around).await?;
    let before: Option<Vec<Inventory>> = if step.expect.untouched {
        Some(around.host.inventory().await?)
    } else {
        None
    };

    let traffic_before = around.host.traffic();
    let mut outcomes = join_all(
        operations
            .into_iter()
            .map(|operation| one(operation, around)),
    )
    .await;
    let listed = if step.work.is_empty() {
        Some(timed_list(around).await?)
    } else {
        None
    };
    let traffic = around.host.traffic().since(&traffic_before);

    let spans: Vec<_> = match &listed {
        Some((span, _)) => vec![*span],
        None => outcomes.iter().map(|outcome| outcome.span).collect(),
    };
    let count = spans.len().max(1) as f64;
    let mut report = StepReport {
        name: step.name.clone(),
        verb: step.verb(),
        verdict: Verdict::Passed,
        summary: Summary::of(&spans),
        requests_per_operation: rounded(traffic.requests as f64 / count),
        vios_writes_per_operation: rounded(traffic.all_vios_writes() as f64 / count),
        traffic,
        phases: phases(&outcomes),
        operations: outcomes.iter().map(Outcome::report).collect(),
        checks: Vec::new(),
    };
    if around.settings.cancel.is_cancelled() {
        report.verdict = Verdict::Cancelled;
        return Ok((report, outcomes));
    }
    let looks = looks::all(around.host, &mut outcomes).await;
    let names = listed.map(|(_, names)| names);
    report.checks = checks::all(step, around, &report, &outcomes, &looks, names, before).await;
    if report
        .checks
        .iter()
        .any(|check| check.verdict == CheckVerdict::Failed)
    {
        report.verdict = Verdict::Failed;
    }
    Ok((report, outcomes))
}

/// Resolves names and amounts of everything that the step does.
async fn prepare(step: &Step, around: &Surroundings<'_>) -> Result<Vec<Operation>, Failure> {
    let deploys = step
        .work
        .iter()
        .any(|work| matches!(work.action, Action::Create(_) | Action::Do(Deed::Resize(_))));
    let capacity = if deploys {
        around.host.capacity().await?
    } else {
        Capacity::default()
    };
    let image = &around.settings.image;
    let of = |work: &Work| {
        let servers = work.servers().into_iter();
        servers
            .map(|server| {
                let deployed = around.deployed;
                deployed.operation(work, &server, around.names, capacity, image)
            })
            .collect::<Vec<_>>()
    };
    Ok(step.work.iter().flat_map(of).collect())
}

async fn one(operation: Operation, around: &Surroundings<'_>) -> Outcome {
    let server = operation.instance.server.clone();
    around
        .observer
        .observe(&Event::OperationBegins { server: &server });
    // The watch may outlive this call as far as the compiler can tell, the observer may not: a channel lies between.
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel::<String>();
    let enter = Arc::new(move |phase: &str| {
        // The receiver is gone only when the operation is over.
        let _ = sender.send(phase.to_owned());
    });
    let running = operation::run(
        around.host,
        operation,
        around.began,
        enter,
        &around.settings.cancel,
    );
    tokio::pin!(running);
    let outcome = loop {
        tokio::select! {
            biased;
            Some(phase) = receiver.recv() => {
                around.observer.observe(&Event::OperationEnters { server: &server, phase: &phase });
            }
            outcome = &mut running => break outcome,
        }
    };
    around.observer.observe(&Event::OperationEnds {
        server: &server,
        done: outcome.result.is_ok(),
    });
    outcome
}

type Span = (std::time::Duration, std::time::Duration);

async fn timed_list(around: &Surroundings<'_>) -> Result<(Span, Vec<String>), Failure> {
    let begin = around.began.elapsed();
    let names = around.host.list().await?;
    Ok(((begin, around.began.elapsed()), names))
}

/// The phases of all operations, by name, in the order of their first end.
fn phases(outcomes: &[Outcome]) -> Vec<PhaseReport> {
    let mut order: Vec<&str> = Vec::new();
    let mut durations: BTreeMap<&str, (Vec<u64>, usize)> = BTreeMap::new();
    for phase in outcomes.iter().flat_map(|outcome| &outcome.phases) {
        if !order.contains(&phase.name.as_str()) {
            order.push(&phase.name);
        }
        let (took, failed) = durations.entry(&phase.name).or_default();
        took.push(millis(phase.took));
        *failed += usize::from(!phase.done);
    }
    order
        .into_iter()
        .map(|name| {
            let (mut took, failed) = durations.remove(name).unwrap_or_default();
            took.sort_unstable();
            PhaseReport {
                name: name.to_owned(),
                count: took.len(),
                failed,
                p50_ms: percentile(&took, 50),
                p95_ms: percentile(&took, 95),
            }
        })
        .collect()
}

/// Two decimals are enough for a rate, and the same on every machine.
fn rounded(rate: f64) -> f64 {
    (rate * 100.0).round() / 100.0
}
