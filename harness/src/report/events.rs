//! What a run comes to, as events of a log.

use powervm_report::event::{
    self, Event, Facts, Finding, Follows, Kept, Note, Operation, Phase, RunBegins, RunEnds,
    StepEnds, TestBegins, TestEnds,
};
use powervm_report::results::Results;

use crate::scenario::TempestTest;
use crate::target::Description;

use super::{RunReport, ScenarioReport, StepReport, Verdict};

/// Who writes the log.
pub(super) const PRODUCER: &str = concat!("powervm-harness ", env!("CARGO_PKG_VERSION"));

/// What a report comes to, calls not included.
#[must_use]
pub fn results(report: &RunReport) -> Results {
    let mut events = vec![
        Event::Log(event::Log {
            format: event::FORMAT,
            producer: PRODUCER.to_owned(),
        }),
        Event::RunBegins(run_begins(report.seed, &report.target, &report.image)),
    ];
    for scenario in &report.scenarios {
        events.push(Event::TestBegins(test_begins(
            &scenario.name,
            &scenario.title,
            &scenario.follows,
        )));
        for step in &scenario.steps {
            events.extend(step_ends(&scenario.name, step, scenario.reason.as_deref()));
        }
        events.extend(test_ends(scenario));
    }
    events.push(run_ends(report.verdict));
    // A run has fewer scenarios than a log may have tests.
    Results::of_entries(events.into_iter().map(Into::into)).unwrap_or_default()
}

/// How a run on this target begins.
pub(super) fn run_begins(
    seed: u64,
    target: &Description,
    image: &crate::image::ImageFacts,
) -> RunBegins {
    RunBegins {
        seed: Some(seed),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        target: Some(target.name.clone()),
        flavor: Some(target.flavor.clone()),
        weather: Some(target.weather.clone()).filter(|weather| !weather.is_empty()),
        image: Some(format!(
            "{} ({} bytes, sha256 {})",
            image.name, image.bytes, image.sha256
        )),
        ..RunBegins::default()
    }
}

/// What the scenarios of a run are configured with.
pub(super) fn configuration(seed: u64, target: &Description) -> Event {
    let clock = if target.virtual_clock {
        "virtual"
    } else {
        "wall"
    };
    let mut facts = Facts::default();
    let mut fact = |name: &str, value: &str| {
        facts.facts.insert(name.to_owned(), value.to_owned());
    };
    fact("seed", &seed.to_string());
    fact("target", &target.name);
    fact("flavor", &target.flavor);
    fact("weather", &target.weather);
    fact("clock", clock);
    Event::Configuration(facts)
}

pub(super) fn test_begins(name: &str, title: &str, follows: &[TempestTest]) -> TestBegins {
    TestBegins {
        test: name.to_owned(),
        title: title.to_owned(),
        follows: follows
            .iter()
            .map(|test| Follows {
                name: test.name.clone(),
                id: test.id.to_string(),
            })
            .collect(),
        ..TestBegins::default()
    }
}

/// A step that is over: its operations, phases and checks, and how it ended.
pub(super) fn step_ends(test: &str, step: &StepReport, reason: Option<&str>) -> Vec<Event> {
    let (test, name) = (test.to_owned(), step.name.clone());
    let mut events: Vec<Event> = step
        .operations
        .iter()
        .map(|operation| {
            Event::Operation(Operation {
                test: test.clone(),
                step: name.clone(),
                server: operation.server.clone(),
                instance: Some(operation.instance.to_string()),
                begin_us: micros(operation.begin_ms),
                took_us: micros(operation.took_ms),
                refused: operation
                    .refused
                    .as_ref()
                    .map(|refused| refused.message.clone()),
            })
        })
        .collect();
    if step.operations.is_empty() && step.summary.count > 0 {
        // A list of servers is an operation of no server.
        events.push(Event::Operation(Operation {
            test: test.clone(),
            step: name.clone(),
            took_us: micros(step.summary.makespan_ms),
            ..Operation::default()
        }));
    }
    events.extend(step.phases.iter().map(|phase| {
        Event::Phase(Phase {
            test: test.clone(),
            step: name.clone(),
            phase: phase.name.clone(),
            count: phase.count as u64,
            failed: phase.failed as u64,
            p50_us: micros(phase.p50_ms),
            p95_us: micros(phase.p95_ms),
        })
    }));
    events.extend(step.checks.iter().map(|check| {
        Event::Check(event::Check {
            test: test.clone(),
            step: name.clone(),
            what: check.what.clone(),
            verdict: check.verdict,
            detail: check.detail.clone(),
        })
    }));
    let tried = !matches!(step.verdict, Verdict::Skipped);
    // A step that failed without a failed check could not be made; the scenario tells why.
    let unexplained = step.verdict == Verdict::Failed && step.failures().next().is_none();
    events.push(Event::StepEnds(StepEnds {
        test,
        step: name,
        verdict: step.verdict,
        took_us: micros(step.summary.makespan_ms),
        reason: match step.verdict {
            Verdict::Skipped => Some("an earlier step failed".to_owned()),
            _ => reason.filter(|_| unexplained).map(str::to_owned),
        },
        traffic: tried.then(|| event::Traffic {
            requests: step.traffic.requests,
            vios_writes: step.traffic.all_vios_writes(),
            image_uploads: step.traffic.image_uploads,
        }),
    }));
    events
}

/// A scenario that is over, its steps not included: clean-up, audit, and how it ended.
pub(super) fn test_ends(scenario: &ScenarioReport) -> Vec<Event> {
    let test = || scenario.name.clone();
    let mut events: Vec<Event> = scenario
        .cleanup
        .iter()
        .map(|line| {
            Event::Note(Note {
                test: test(),
                text: format!("clean-up: {line}"),
            })
        })
        .collect();
    if let Some(audit) = &scenario.audit {
        events.extend(audit.findings.iter().map(|finding| {
            Event::Finding(Finding {
                test: test(),
                finding: finding.to_string(),
            })
        }));
        events.extend(audit.kept.iter().map(|kept| {
            Event::Kept(Kept {
                test: test(),
                item: kept.item.to_string(),
                policy: kept.policy.to_owned(),
            })
        }));
    }
    events.push(Event::TestEnds(TestEnds {
        test: test(),
        verdict: scenario.verdict,
        took_us: Some(micros(scenario.took_ms)),
        reason: scenario.reason.clone(),
        audited: scenario.audit.is_some(),
    }));
    events
}

pub(super) fn run_ends(verdict: Verdict) -> Event {
    Event::RunEnds(RunEnds {
        verdict,
        could_not_run: None,
    })
}

fn micros(milliseconds: u64) -> u64 {
    milliseconds.saturating_mul(1000)
}
