//! What came of a matrix. Nothing in it depends on the machine.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

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
    /// `crashes` or `faults`.
    pub matrix: &'static str,
    /// What was drawn from.
    pub seed: u64,
    /// Cases in all.
    pub cases: usize,
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

impl MatrixReport {
    pub(super) fn new(matrix: &'static str, seed: u64) -> Self {
        Self {
            matrix,
            seed,
            cases: 0,
            operations: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Adds an operation with its cases.
    pub(super) fn add(&mut self, operation: String, calls: usize, cases: Vec<Ended>) {
        let mut report = SubjectReport {
            operation: operation.clone(),
            calls,
            cases: cases.len(),
            ..SubjectReport::default()
        };
        for ended in cases {
            *report.kinds.entry(ended.kind).or_default() += 1;
            let ending = match ended.outcome {
                Ok(ending) => ending,
                Err(problem) => {
                    self.failures.push(CaseFailure {
                        operation: operation.clone(),
                        case: ended.case,
                        problem,
                    });
                    "FAILED"
                }
            };
            *report.endings.entry(ending.to_owned()).or_default() += 1;
        }
        self.cases += report.cases;
        self.operations.push(report);
    }

    /// Whether every case ended as it has to.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let counts = |counts: &BTreeMap<String, usize>| {
            let each: Vec<String> = counts
                .iter()
                .map(|(what, count)| format!("{count} {what}"))
                .collect();
            each.join(", ")
        };
        for report in &self.operations {
            let _ = writeln!(
                text,
                "{}: {} requests, {} cases ({}): {}",
                report.operation,
                report.calls,
                report.cases,
                counts(&report.kinds),
                counts(&report.endings)
            );
        }
        for failure in &self.failures {
            let _ = writeln!(
                text,
                "FAILED: {}: {}: {}",
                failure.operation, failure.case, failure.problem
            );
        }
        let _ = writeln!(
            text,
            "{}: {} cases, {} failed (seed {})",
            self.matrix,
            self.cases,
            self.failures.len(),
            self.seed
        );
        text
    }
}
