//! What came of a matrix. Nothing in it depends on the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use serde::Serialize;

use super::stage::Stage;
use super::subjects::Subject;

/// A case that did not end as it has to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseFailure {
    /// The operation.
    pub operation: String,
    /// What was done to it.
    pub case: String,
    /// What is not as it has to be.
    pub problem: String,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SubjectReport {
    /// The operation.
    pub operation: String,
    /// What a journal calls the operations that it consists of.
    pub journalled: BTreeSet<String>,
    /// Requests that it makes when nothing goes wrong.
    pub calls: usize,
    /// Cases.
    pub cases: usize,
    /// Cases by what was done.
    pub kinds: BTreeMap<String, usize>,
    /// Cases by how they ended.
    pub endings: BTreeMap<String, usize>,
}

/// A matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatrixReport {
    /// `sagas`, `crashes` or `faults`.
    pub matrix: &'static str,
    /// What was drawn from.
    pub seed: u64,
    /// Cases in all.
    pub cases: usize,
    /// Cases by what was done and how they ended.
    pub kinds: BTreeMap<String, BTreeMap<String, usize>>,
    /// By operation, in the order of the table.
    pub operations: Vec<SubjectReport>,
    /// Cases that did not end as they have to.
    pub failures: Vec<CaseFailure>,
}

/// How one case ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    pub(super) kind: String,
    pub(super) case: String,
    pub(super) outcome: Result<&'static str, String>,
}

/// What the cases that failed are counted as.
const FAILED: &str = "FAILED";

impl Ended {
    fn ending(&self) -> String {
        self.outcome
            .as_ref()
            .map_or(FAILED, |ending| ending)
            .to_owned()
    }

    /// What is not as it has to be.
    pub(super) fn failure(&self, subject: &Subject) -> Option<CaseFailure> {
        let problem = self.outcome.as_ref().err()?;
        Some(CaseFailure {
            operation: subject.full_name(),
            case: self.case.clone(),
            problem: problem.clone(),
        })
    }
}

impl fmt::Display for CaseFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            case,
            problem,
        } = self;
        write!(formatter, "FAILED: {operation}: {case}: {problem}")
    }
}

impl SubjectReport {
    /// The operation with these cases.
    pub(super) fn of<'e>(stage: &Stage, cases: impl Iterator<Item = &'e Ended>) -> Self {
        let mut report = Self {
            operation: stage.subject.full_name(),
            journalled: stage.journalled.clone(),
            calls: stage.calls.len(),
            ..Self::default()
        };
        for ended in cases {
            report.cases += 1;
            *report.kinds.entry(ended.kind.clone()).or_default() += 1;
            *report.endings.entry(ended.ending()).or_default() += 1;
        }
        report
    }
}

impl fmt::Display for SubjectReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}: {} requests, {} cases ({}): {}",
            self.operation,
            self.calls,
            self.cases,
            counts(&self.kinds),
            counts(&self.endings)
        )
    }
}

fn counts(counts: &BTreeMap<String, usize>) -> String {
    let each: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    each.join(", ")
}

impl MatrixReport {
    pub(super) fn new(matrix: &'static str, seed: u64) -> Self {
        Self {
            matrix,
            seed,
            cases: 0,
            kinds: BTreeMap::new(),
            operations: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Adds an operation with its cases.
    pub(super) fn add(&mut self, stage: &Stage, cases: Vec<Ended>) {
        for ended in &cases {
            let endings = self.kinds.entry(ended.kind.clone()).or_default();
            *endings.entry(ended.ending()).or_default() += 1;
            self.failures.extend(ended.failure(&stage.subject));
        }
        self.cases += cases.len();
        self.operations.push(SubjectReport::of(stage, cases.iter()));
    }

    /// Whether every case ended as it has to.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// For people: all of it.
    #[must_use]
    pub fn text(&self) -> String {
        let operations = self.operations.iter().map(|report| format!("{report}\n"));
        operations.collect::<String>() + &self.summary()
    }

    /// For people who were told of the operations already: what failed, and the sums.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = String::new();
        for failure in &self.failures {
            let _ = writeln!(text, "{failure}");
        }
        for (kind, endings) in &self.kinds {
            let sum: usize = endings.values().sum();
            let _ = writeln!(text, "{kind}: {sum} cases: {}", counts(endings));
        }
        let _ = writeln!(
            text,
            "{}: {} operations, {} cases, {} failed (seed {})",
            self.matrix,
            self.operations.len(),
            self.cases,
            self.failures.len(),
            self.seed
        );
        text
    }
}
