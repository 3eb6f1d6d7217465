//! A test of a log, and what belongs to it.

use std::collections::BTreeMap;

use crate::event::{Check, CheckVerdict, Follows, Kept, Operation, Phase, Traffic, Verdict};
use crate::moment::{VIRTUAL_EPOCH, Wall};
use crate::stats::{Summary, percentile};

/// A moment of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct At {
    /// On the run's own clock, in microseconds since its begin.
    pub virtual_us: Option<u64>,
    /// On the wall clock.
    pub wall: Option<Wall>,
}

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// The run that it belongs to.
    pub run: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub title: String,
    /// The tempest tests that it follows.
    pub follows: Vec<Follows>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Who ran it.
    pub worker: u32,
    /// The command that repeats it.
    pub repro: Option<String>,
    /// When it began.
    pub began: At,
    /// When it began, in microseconds since the begin of its run, on the clock that the run goes by.
    pub begin_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// How it went. A test whose end is missing has failed.
    pub verdict: Verdict,
    /// Why it was skipped or failed.
    pub reason: Option<String>,
    /// Its steps.
    pub steps: Vec<StepResult>,
    /// Checks that belong to no step.
    pub checks: Vec<Check>,
    /// Its calls, as far as they are kept, in the order of their ends.
    pub calls: Vec<CallResult>,
    /// All its calls by method and path.
    pub classes: BTreeMap<(String, String), CallClass>,
    /// The faults that struck.
    pub faults: Vec<FaultResult>,
    /// Whether a leak audit was made.
    pub audited: bool,
    /// What is not as it was.
    pub findings: Vec<String>,
    /// What is meant to stay.
    pub kept: Vec<Kept>,
    /// What else there is to know.
    pub notes: Vec<String>,
    /// Texts by name.
    pub attachments: Vec<(String, String)>,
}

impl TestResult {
    /// A test of which nothing is known yet.
    pub(super) fn new(run: &str, name: &str) -> Self {
        Self {
            run: run.to_owned(),
            name: name.to_owned(),
            title: String::new(),
            follows: Vec::new(),
            tags: Vec::new(),
            worker: 0,
            repro: None,
            began: At::default(),
            begin_us: 0,
            took_us: 0,
            verdict: Verdict::Failed,
            reason: None,
            steps: Vec::new(),
            checks: Vec::new(),
            calls: Vec::new(),
            classes: BTreeMap::new(),
            faults: Vec::new(),
            audited: false,
            findings: Vec::new(),
            kept: Vec::new(),
            notes: Vec::new(),
            attachments: Vec::new(),
        }
    }

    /// When it ended, in microseconds since the begin of its run.
    #[must_use]
    pub fn end_us(&self) -> u64 {
        self.begin_us.saturating_add(self.took_us)
    }

    /// Its begin as a date: the wall clock's, or [`VIRTUAL_EPOCH`] with the virtual time on top.
    #[must_use]
    pub fn began_on(&self) -> Wall {
        let virtually = VIRTUAL_EPOCH.after(std::time::Duration::from_micros(self.begin_us));
        self.began.wall.unwrap_or(virtually)
    }

    /// What went wrong, a line each: the reason, failed checks, and what the leak audit found.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.reason.clone().into_iter().collect();
        for step in &self.steps {
            // The reason of a step that is the test's reason already, with the step's name before it, is told once.
            let told = |reason: &String| lines.iter().any(|line| line.ends_with(reason.as_str()));
            let reason = step.reason.iter().filter(|reason| !told(reason));
            let reason = reason.map(|reason| format!("{}: {reason}", step.name));
            let checks = step
                .failures()
                .map(|check| format!("{}: {}: {}", step.name, check.what, check.detail));
            let more: Vec<String> = reason
                .filter(|_| step.verdict == Verdict::Failed)
                .chain(checks)
                .collect();
            lines.extend(more);
        }
        let failed = self
            .checks
            .iter()
            .filter(|check| check.verdict == CheckVerdict::Failed);
        lines.extend(failed.map(|check| format!("{}: {}", check.what, check.detail)));
        lines.extend(
            self.findings
                .iter()
                .map(|finding| format!("LEAK: {finding}")),
        );
        lines
    }

    /// How many calls it made.
    #[must_use]
    pub fn call_count(&self) -> u64 {
        self.classes.values().map(|class| class.count).sum()
    }
}

/// A step of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResult {
    /// Its name.
    pub name: String,
    /// What it does, in a word.
    pub verb: String,
    /// When it began, in microseconds since the begin of the run.
    pub begin_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// How it went. A step whose end is missing has failed.
    pub verdict: Verdict,
    /// Why it was skipped or failed.
    pub reason: Option<String>,
    /// Its operations.
    pub operations: Vec<Operation>,
    /// The phases of its operations.
    pub phases: Vec<Phase>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// What went over the wire.
    pub traffic: Option<Traffic>,
}

impl StepResult {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            verb: String::new(),
            begin_us: 0,
            took_us: 0,
            verdict: Verdict::Failed,
            reason: None,
            operations: Vec::new(),
            phases: Vec::new(),
            checks: Vec::new(),
            traffic: None,
        }
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.verdict == CheckVerdict::Failed)
    }

    /// Durations of its operations.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let durations = self.operations.iter().map(|operation| operation.took_us);
        Summary::of(durations.collect())
    }

    /// From the begin of the first operation to the end of the last, in microseconds; the step's own duration without
    /// operations.
    #[must_use]
    pub fn makespan_us(&self) -> u64 {
        let first = self
            .operations
            .iter()
            .map(|operation| operation.begin_us)
            .min();
        let last = self
            .operations
            .iter()
            .map(|operation| operation.begin_us.saturating_add(operation.took_us))
            .max();
        match (first, last) {
            (Some(first), Some(last)) => last.saturating_sub(first),
            _ => self.took_us,
        }
    }
}

/// A call of the REST API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallResult {
    /// The step; empty between steps.
    pub step: String,
    /// When it ended, in microseconds since the begin of the run.
    pub end_us: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// HTTP method.
    pub method: String,
    /// The path, its identifiers left out.
    pub path: String,
    /// The answer's status; none when no answer came.
    pub status: Option<u16>,
    /// Bytes of the request's body.
    pub sent: u64,
    /// Bytes of the answer's body.
    pub received: u64,
    /// Which try it was, from 1.
    pub attempt: u32,
}

/// Calls of one method and path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallClass {
    /// How many.
    pub count: u64,
    /// How many were answered with 400 or above, or not at all.
    pub errors: u64,
    /// How many were not the first try.
    pub repeated: u64,
    /// Bytes sent and received.
    pub bytes: u64,
    /// Durations in microseconds, of the first [`CallClass::SAMPLES`].
    durations: Vec<u64>,
}

impl CallClass {
    /// How many durations are kept.
    pub const SAMPLES: usize = 10_000;

    pub(super) fn add(&mut self, call: &CallResult) {
        self.count += 1;
        self.errors += u64::from(call.status.is_none_or(|status| status >= 400));
        self.repeated += u64::from(call.attempt > 1);
        self.bytes = self
            .bytes
            .saturating_add(call.sent)
            .saturating_add(call.received);
        if self.durations.len() < Self::SAMPLES {
            self.durations.push(call.took_us);
        }
    }

    /// A percentile of the durations, in microseconds.
    #[must_use]
    pub fn percentile(&self, percent: usize) -> u64 {
        let mut sorted = self.durations.clone();
        sorted.sort_unstable();
        percentile(&sorted, percent)
    }
}

/// A fault that struck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultResult {
    /// The step; empty between steps.
    pub step: String,
    /// When, in microseconds since the begin of the run.
    pub at_us: u64,
    /// What, in words.
    pub fault: String,
    /// The method and path that it struck.
    pub struck: Option<String>,
}
