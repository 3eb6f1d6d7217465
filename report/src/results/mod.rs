//! What a log comes to: its runs and tests, with everything that renderers tell of them.

mod fold;
mod test;

use std::collections::{BTreeMap, HashMap};
use std::io::BufRead;
use std::path::Path;

use crate::event::{Entry, RunBegins, Verdict};
use crate::log::{EventReader, LogError};
use crate::moment::Wall;
use crate::stats::Summary;

pub use self::fold::Collector;
pub use self::test::{At, CallClass, CallResult, FaultResult, StepResult, TestResult};

/// The exit code when every test passed, and nothing was left behind.
pub const PASSED: u8 = 0;
/// The exit code when a test failed or was broken off.
pub const FAILED: u8 = 1;
/// The exit code when no test could run.
pub const COULD_NOT_RUN: u8 = 255;

/// How much of a log is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most tests; more are an error.
    pub tests: usize,
    /// The most bytes of lines whose content is kept; more are an error. Calls are not among them.
    pub bytes: usize,
    /// The most calls of one test that are kept one by one; the others are counted.
    pub calls_of_test: usize,
    /// The most calls of all tests that are kept one by one; the others are counted.
    pub calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            tests: 100_000,
            bytes: 256 << 20,
            calls_of_test: 5_000,
            calls: 500_000,
        }
    }
}

/// A run of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// What its lines call it; often empty.
    pub name: String,
    /// Who wrote it, with version.
    pub producer: String,
    /// How it began.
    pub begins: RunBegins,
    /// When it began.
    pub began: At,
    /// How it ended; none when its last line is missing.
    pub verdict: Option<Verdict>,
    /// Why it could not run.
    pub could_not_run: Option<String>,
}

/// What a log comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results {
    /// The runs, in the order of their first lines.
    pub runs: Vec<RunResult>,
    /// Facts of the environment.
    pub environment: BTreeMap<String, String>,
    /// Facts of the configuration.
    pub configuration: BTreeMap<String, String>,
    /// The tests, in the order of their first lines.
    pub tests: Vec<TestResult>,
    /// Notes that are about no test.
    pub notes: Vec<String>,
    /// Durations of all calls.
    pub latency: Summary,
}

impl Results {
    /// Reads a log.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be read or is none.
    pub fn read(path: &Path) -> Result<Self, LogError> {
        Self::of(EventReader::open(path)?, Limits::default())
    }

    /// Reads several logs as if they were one.
    ///
    /// # Errors
    /// [`LogError::In`] when one cannot be read or is none.
    pub fn read_all<P: AsRef<Path>>(paths: &[P]) -> Result<Self, LogError> {
        let mut collector = Collector::new(Limits::default());
        for path in paths {
            let path = path.as_ref();
            let mut read = || {
                let mut reader = EventReader::open(path)?;
                while let Some(entry) = reader.next() {
                    collector.take(entry?, reader.line(), reader.length())?;
                }
                Ok(())
            };
            read().map_err(|error: LogError| error.within(path))?;
        }
        Ok(collector.end())
    }

    /// Reads a log from any input.
    ///
    /// # Errors
    /// [`LogError`] when it is none, or holds more than the limits allow.
    pub fn of<R: BufRead>(mut reader: EventReader<R>, limits: Limits) -> Result<Self, LogError> {
        let mut fold = Collector::new(limits);
        while let Some(entry) = reader.next() {
            fold.take(entry?, reader.line(), reader.length())?;
        }
        Ok(fold.end())
    }

    /// What events come to that were not written.
    ///
    /// # Errors
    /// [`LogError::TooMany`] when there are more than the default limits allow.
    pub fn of_entries(entries: impl IntoIterator<Item = Entry>) -> Result<Self, LogError> {
        let mut fold = Collector::new(Limits::default());
        for (index, entry) in entries.into_iter().enumerate() {
            fold.take(entry, index as u64 + 1, 0)?;
        }
        Ok(fold.end())
    }

    /// How many tests went that way.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> usize {
        self.tests
            .iter()
            .filter(|test| test.verdict == verdict)
            .count()
    }

    /// How many things were left behind, lost or changed.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.tests.iter().map(|test| test.findings.len()).sum()
    }

    /// The tests that went that way.
    pub fn tests_that(&self, verdict: Verdict) -> impl Iterator<Item = &TestResult> {
        self.tests
            .iter()
            .filter(move |test| test.verdict == verdict)
    }

    /// The exit code that tells how it went: [`PASSED`], [`FAILED`] or [`COULD_NOT_RUN`].
    ///
    /// A run that could not begin, or whose last line is missing, weighs more than tests that failed: it is unknown
    /// what it would have come to.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let broken = |run: &RunResult| run.could_not_run.is_some() || run.verdict.is_none();
        let bad = [Verdict::Failed, Verdict::Cancelled];
        let run_failed =
            |run: &RunResult| run.verdict.is_some_and(|verdict| bad.contains(&verdict));
        if self.runs.iter().any(broken) {
            COULD_NOT_RUN
        } else if bad.iter().any(|bad| self.count(*bad) > 0) || self.runs.iter().any(run_failed) {
            FAILED
        } else if self.count(Verdict::Passed) > 0 {
            PASSED
        } else {
            COULD_NOT_RUN
        }
    }

    /// The first moment on the wall clock, if there is any.
    #[must_use]
    pub fn began(&self) -> Option<Wall> {
        self.runs.iter().filter_map(|run| run.began.wall).min()
    }

    /// From the first begin of a test to the last end, in microseconds; where some runs have wall time, of these.
    #[must_use]
    pub fn took_us(&self) -> u64 {
        let Some(first) = self.began() else {
            let first = self.tests.iter().map(|test| test.begin_us).min();
            let last = self.tests.iter().map(TestResult::end_us).max();
            return last
                .unwrap_or_default()
                .saturating_sub(first.unwrap_or_default());
        };
        let began: HashMap<&str, Wall> = self
            .runs
            .iter()
            .filter_map(|run| Some((run.name.as_str(), run.began.wall?)))
            .collect();
        let span = |test: &TestResult| {
            let before = began.get(test.run.as_str())?.since(first).as_micros();
            let before = u64::try_from(before).unwrap_or(u64::MAX);
            let at = |us: u64| before.saturating_add(us);
            Some((at(test.begin_us), at(test.end_us())))
        };
        let spans = || self.tests.iter().filter_map(span);
        let begin = spans().map(|(begin, _)| begin).min().unwrap_or_default();
        let end = spans().map(|(_, end)| end).max().unwrap_or_default();
        end.saturating_sub(begin)
    }

    /// The run that a test belongs to.
    #[must_use]
    pub fn run_of(&self, test: &TestResult) -> Option<&RunResult> {
        self.runs.iter().find(|run| run.name == test.run)
    }
}

#[cfg(test)]
mod tests;
