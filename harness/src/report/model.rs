//! What a run comes to, as data. Everything else that is told of a run is made from this.

use serde::Serialize;
use uuid::Uuid;

use crate::audit::Audit;
use crate::image::ImageFacts;
use crate::scenario::{RefusalKind, TempestTest};
use crate::stats::Summary;
use crate::target::{Description, Traffic};

/// The version of the report's shape (key `format` of the JSON report).
pub const FORMAT: u32 = 1;

pub use powervm_report::event::{CheckVerdict, Verdict};

/// One thing that was looked at after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// How it came out.
    pub verdict: CheckVerdict,
    /// What was seen.
    pub detail: String,
}

impl Check {
    /// A check that compares.
    #[must_use]
    pub fn that(what: impl Into<String>, holds: bool, detail: impl Into<String>) -> Self {
        let verdict = if holds {
            CheckVerdict::Passed
        } else {
            CheckVerdict::Failed
        };
        Self {
            what: what.into(),
            verdict,
            detail: detail.into(),
        }
    }

    /// A check that cannot be made here.
    #[must_use]
    pub fn not_checkable(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            verdict: CheckVerdict::NotCheckable,
            detail: why.into(),
        }
    }
}

/// One operation on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationReport {
    /// The server, as the scenario calls it.
    pub server: String,
    /// The instance's UUID.
    pub instance: Uuid,
    /// When it began, in milliseconds from the begin of the scenario.
    pub begin_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Why it did not succeed; none when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedReport>,
}

/// Why an operation did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedReport {
    /// In a word.
    pub kind: RefusalKind,
    /// In the driver's words.
    pub message: String,
}

/// How long a phase of the step's operations took: a step of the driver's own recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhaseReport {
    /// The phase's name.
    pub name: String,
    /// How many operations ended it.
    pub count: usize,
    /// How many of them failed in it.
    pub failed: usize,
    /// Median, in milliseconds.
    pub p50_ms: u64,
    /// 95th percentile, in milliseconds.
    pub p95_ms: u64,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// What it does, in a word.
    pub verb: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// The durations of its operations.
    pub summary: Summary,
    /// What went over the wire for it, checks not included.
    pub traffic: Traffic,
    /// Requests divided by operations.
    pub requests_per_operation: f64,
    /// Changes of Virtual I/O Servers divided by operations.
    pub vios_writes_per_operation: f64,
    /// The driver's phases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<PhaseReport>,
    /// The operations, in the order of their servers.
    pub operations: Vec<OperationReport>,
    /// What was looked at afterwards.
    pub checks: Vec<Check>,
}

impl StepReport {
    /// A step that was not run.
    #[must_use]
    pub fn skipped(name: &str, verb: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            verb,
            verdict: Verdict::Skipped,
            summary: Summary::default(),
            traffic: Traffic::default(),
            requests_per_operation: 0.0,
            vios_writes_per_operation: 0.0,
            phases: Vec::new(),
            operations: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks
            .iter()
            .filter(|check| check.verdict == CheckVerdict::Failed)
    }
}

/// One scenario.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScenarioReport {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The tempest tests that it follows.
    pub follows: Vec<TempestTest>,
    /// How it went.
    pub verdict: Verdict,
    /// Why it was skipped or could not go on; none otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// From its first step's begin to its audit's end, in milliseconds.
    pub took_ms: u64,
    /// The steps.
    pub steps: Vec<StepReport>,
    /// What was removed at the end because no step had: one line each.
    pub cleanup: Vec<String>,
    /// What was left behind; none when the scenario was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit: Option<Audit>,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// The version of this shape.
    pub format: u32,
    /// The version of the harness.
    pub version: &'static str,
    /// The seed; with the version it repeats an embedded run to the byte.
    pub seed: u64,
    /// Where it ran.
    pub target: Description,
    /// The image that was deployed.
    pub image: ImageFacts,
    /// How it went, all in all.
    pub verdict: Verdict,
    /// The scenarios.
    pub scenarios: Vec<ScenarioReport>,
}

impl RunReport {
    /// How many scenarios went that way.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.scenarios
            .iter()
            .filter(|scenario| scenario.verdict == verdict)
            .count()
    }

    /// How many things were left behind, lost or changed, over all scenarios.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.scenarios
            .iter()
            .filter_map(|scenario| scenario.audit.as_ref())
            .map(|audit| audit.findings.len())
            .sum()
    }
}
