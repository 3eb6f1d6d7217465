//! The results as the page's script reads them. Durations are microseconds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::{CheckVerdict, Verdict};
use crate::moment::Wall;
use crate::results::{Results, RunResult, StepResult, TestResult};
use crate::table;

/// The most calls of a test that are listed one by one.
const CALLS_OF_TEST: usize = 1_000;
/// The most calls that are listed one by one.
const CALLS: usize = 100_000;
/// The longest text, in characters.
const LONGEST: usize = 20_000;

#[derive(Debug, Serialize)]
pub(super) struct Page<'a> {
    title: String,
    counts: BTreeMap<&'static str, usize>,
    findings: usize,
    took: u64,
    began: Option<String>,
    /// Percentiles of all calls: how many, 50, 90, 95, 99, 100.
    latency: [u64; 6],
    runs: Vec<Run<'a>>,
    environment: &'a BTreeMap<String, String>,
    configuration: &'a BTreeMap<String, String>,
    notes: &'a [String],
    tests: Vec<Test<'a>>,
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    name: &'a str,
    verdict: &'static str,
    facts: Vec<(&'static str, String)>,
}

#[derive(Debug, Serialize)]
struct Test<'a> {
    name: &'a str,
    title: &'a str,
    run: &'a str,
    worker: u32,
    verdict: &'static str,
    reason: Option<String>,
    begin: u64,
    took: u64,
    problems: Vec<String>,
    repro: Option<&'a str>,
    follows: Vec<(&'a str, &'a str)>,
    tags: &'a [String],
    audited: bool,
    steps: Vec<Step<'a>>,
    /// Step, end, duration, method, path, status (0 for none), bytes sent, bytes received, try.
    calls: Vec<CallRow<'a>>,
    omitted: u64,
    /// Method, path, count, errors, repeated, median, 95th percentile, bytes.
    classes: Vec<ClassRow<'a>>,
    /// When, step, what, request.
    faults: Vec<(u64, &'a str, &'a str, Option<&'a str>)>,
    kept: Vec<String>,
    notes: &'a [String],
    attachments: Vec<(&'a str, String)>,
}

type CallRow<'a> = (&'a str, u64, u64, &'a str, &'a str, u16, u64, u64, u32);
type ClassRow<'a> = (&'a str, &'a str, u64, u64, u64, u64, u64, u64);

#[derive(Debug, Serialize)]
struct Step<'a> {
    name: &'a str,
    verdict: &'static str,
    begin: u64,
    took: u64,
    count: u64,
    p50: u64,
    p95: u64,
    requests: Option<u64>,
    /// What was looked at, how it came out, what was seen.
    checks: Vec<(&'a str, &'static str, String)>,
    /// Server, begin from the test's, duration, why refused.
    operations: Vec<(&'a str, u64, u64, Option<&'a str>)>,
}

/// What the page is called.
pub(super) fn title(results: &Results) -> String {
    format!("{} · PowerVM", table::counts(results))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} … (cut)", text.get(..at).unwrap_or_default()),
    }
}

impl<'a> Page<'a> {
    pub(super) fn of(results: &'a Results) -> Self {
        let verdicts = [
            Verdict::Passed,
            Verdict::Failed,
            Verdict::Skipped,
            Verdict::Cancelled,
        ];
        let latency = &results.latency;
        let mut room = CALLS;
        Self {
            title: title(results),
            counts: verdicts
                .map(|verdict| (verdict.name(), results.count(verdict)))
                .into(),
            findings: results.findings(),
            took: results.took_us(),
            began: results.began().map(Wall::to_the_second),
            latency: [
                latency.count,
                latency.p50_us,
                latency.p90_us,
                latency.p95_us,
                latency.p99_us,
                latency.max_us,
            ],
            runs: results.runs.iter().map(Run::of).collect(),
            environment: &results.environment,
            configuration: &results.configuration,
            notes: &results.notes,
            tests: results
                .tests
                .iter()
                .map(|test| Test::of(test, &mut room))
                .collect(),
        }
    }
}

impl<'a> Run<'a> {
    fn of(run: &'a RunResult) -> Self {
        let begins = &run.begins;
        let facts = [
            ("producer", Some(run.producer.clone())),
            ("began", run.began.wall.map(Wall::to_the_second)),
            ("seed", begins.seed.map(|seed| seed.to_string())),
            ("commit", begins.commit.clone()),
            ("version", begins.version.clone()),
            ("target", begins.target.clone()),
            ("flavor", begins.flavor.clone()),
            ("weather", begins.weather.clone()),
            ("image", begins.image.clone()),
            ("could not run", run.could_not_run.clone()),
            ("repeat it", begins.repro.clone()),
        ];
        Self {
            name: &run.name,
            verdict: run.verdict.map_or("unfinished", Verdict::name),
            facts: facts
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
        }
    }
}

impl<'a> Test<'a> {
    /// `room` is how many calls may still be listed on the page.
    fn of(test: &'a TestResult, room: &mut usize) -> Self {
        let listed = test.calls.len().min(CALLS_OF_TEST).min(*room);
        *room -= listed;
        let calls = test.calls.iter().take(listed).map(|call| {
            let (step, method, path) =
                (call.step.as_str(), call.method.as_str(), call.path.as_str());
            let status = call.status.unwrap_or_default();
            (
                step,
                call.end_us,
                call.took_us,
                method,
                path,
                status,
                call.sent,
                call.received,
                call.attempt,
            )
        });
        let classes = test.classes.iter().map(|((method, path), class)| {
            let (p50, p95) = (class.percentile(50), class.percentile(95));
            (
                method.as_str(),
                path.as_str(),
                class.count,
                class.errors,
                class.repeated,
                p50,
                p95,
                class.bytes,
            )
        });
        let faults = test.faults.iter();
        let faults = faults.map(|fault| {
            (
                fault.at_us,
                fault.step.as_str(),
                fault.fault.as_str(),
                fault.struck.as_deref(),
            )
        });
        let attachments = test.attachments.iter();
        Self {
            name: &test.name,
            title: &test.title,
            run: &test.run,
            worker: test.worker,
            verdict: test.verdict.name(),
            reason: test.reason.as_deref().map(cut),
            begin: test.begin_us,
            took: test.took_us,
            problems: match test.verdict {
                Verdict::Passed => Vec::new(),
                _ => test.problems().iter().map(|problem| cut(problem)).collect(),
            },
            repro: test.repro.as_deref(),
            follows: test
                .follows
                .iter()
                .map(|test| (test.name.as_str(), test.id.as_str()))
                .collect(),
            tags: &test.tags,
            audited: test.audited,
            steps: test.steps.iter().map(Step::of).collect(),
            calls: calls.collect(),
            omitted: test.call_count() - listed as u64,
            classes: classes.collect(),
            faults: faults.collect(),
            kept: test
                .kept
                .iter()
                .map(|kept| format!("{} ({})", kept.item, kept.policy))
                .collect(),
            notes: &test.notes,
            attachments: attachments
                .map(|(name, text)| (name.as_str(), cut(text)))
                .collect(),
        }
    }
}

impl<'a> Step<'a> {
    fn of(step: &'a StepResult) -> Self {
        let summary = step.summary();
        let checks = step.checks.iter().map(|check| {
            let verdict = match check.verdict {
                CheckVerdict::Passed => "passed",
                CheckVerdict::Failed => "failed",
                CheckVerdict::NotCheckable => "not checkable",
            };
            (check.what.as_str(), verdict, cut(&check.detail))
        });
        let operations = step.operations.iter().map(|operation| {
            let server = operation.server.as_str();
            (
                server,
                operation.begin_us,
                operation.took_us,
                operation.refused.as_deref(),
            )
        });
        Self {
            name: &step.name,
            verdict: step.verdict.name(),
            begin: step.begin_us,
            took: step.makespan_us(),
            count: summary.count,
            p50: summary.p50_us,
            p95: summary.p95_us,
            requests: step.traffic.map(|traffic| traffic.requests),
            checks: checks.collect(),
            operations: operations.collect(),
        }
    }
}
