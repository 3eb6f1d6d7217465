//! Makes results of events, one after the other.

use std::collections::HashMap;

use crate::event::{Call, Entry, Event, Fault, RunBegins, StepEnds, TestBegins, TestEnds};
use crate::log::LogError;
use crate::moment::Wall;
use crate::stats::Summary;

use super::test::{At, CallResult, FaultResult, StepResult, TestResult};
use super::{Limits, Results, RunResult};

/// How many durations of calls the overall percentiles are taken of.
const SAMPLES: usize = 1_000_000;
/// How many kinds of calls of a test are told apart; the others are one.
const CLASSES: usize = 1_000;

/// Makes results of events, one after the other.
#[derive(Debug)]
pub struct Collector {
    limits: Limits,
    results: Results,
    producer: String,
    /// Tests that have begun and not ended, by run and name.
    open: HashMap<(String, String), usize>,
    /// Runs by name.
    runs: HashMap<String, usize>,
    bytes: usize,
    calls: usize,
    durations: Vec<u64>,
}

impl Collector {
    /// Results of nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            results: Results::default(),
            producer: String::new(),
            open: HashMap::new(),
            runs: HashMap::new(),
            bytes: 0,
            calls: 0,
            durations: Vec::new(),
        }
    }

    /// Takes the event of a line; `length` is the line's in bytes.
    ///
    /// # Errors
    /// [`LogError::TooMany`] when the limits do not allow it.
    pub fn take(&mut self, entry: Entry, line: u64, length: usize) -> Result<(), LogError> {
        let Entry {
            event,
            run,
            at_us,
            wall,
        } = entry;
        let at = At {
            virtual_us: at_us,
            wall,
        };
        if !matches!(event, Event::Call(_)) {
            self.bytes = self.bytes.saturating_add(length);
            self.most("bytes of events", self.bytes, self.limits.bytes, line)?;
        }
        match event {
            Event::Log(log) => self.producer = log.producer,
            Event::RunBegins(begins) => {
                let index = self.run(&run, at, line)?;
                if let Some(run) = self.results.runs.get_mut(index) {
                    run.begins = begins;
                    run.began = at;
                }
            }
            Event::RunEnds(ends) => {
                let index = self.run(&run, at, line)?;
                if let Some(run) = self.results.runs.get_mut(index) {
                    run.verdict = Some(ends.verdict);
                    run.could_not_run = ends.could_not_run;
                }
            }
            Event::Environment(facts) => self.results.environment.extend(facts.facts),
            Event::Configuration(facts) => self.results.configuration.extend(facts.facts),
            Event::Note(note) if note.test.is_empty() => self.results.notes.push(note.text),
            Event::TestBegins(begins) => self.test_begins(&run, at, begins, line)?,
            Event::TestEnds(ends) => self.test_ends(&run, at, ends, line)?,
            Event::Call(call) => self.call(&run, at, call, line)?,
            Event::Fault(fault) => self.fault(&run, at, fault, line)?,
            event => self.within(&run, at, event, line)?,
        }
        Ok(())
    }

    fn most(
        &self,
        what: &'static str,
        count: usize,
        limit: usize,
        line: u64,
    ) -> Result<(), LogError> {
        if count > limit {
            return Err(LogError::TooMany { line, what, limit });
        }
        Ok(())
    }

    /// The run of this name, made when it is not there.
    fn run(&mut self, name: &str, at: At, line: u64) -> Result<usize, LogError> {
        if let Some(index) = self.runs.get(name) {
            return Ok(*index);
        }
        self.most("runs", self.runs.len() + 1, self.limits.tests, line)?;
        let index = self.results.runs.len();
        self.results.runs.push(RunResult {
            name: name.to_owned(),
            producer: self.producer.clone(),
            begins: RunBegins::default(),
            began: at,
            verdict: None,
            could_not_run: None,
        });
        self.runs.insert(name.to_owned(), index);
        Ok(index)
    }

    /// Microseconds since the begin of the run.
    fn since(&self, run: &str, at: At) -> u64 {
        let began = self
            .runs
            .get(run)
            .and_then(|index| self.results.runs.get(*index));
        let began = began.map(|run| run.began).unwrap_or_default();
        match (at.virtual_us, at.wall, began.wall) {
            (Some(virtual_us), ..) => {
                virtual_us.saturating_sub(began.virtual_us.unwrap_or_default())
            }
            (None, Some(wall), Some(began)) => micros(wall, began),
            _ => 0,
        }
    }

    /// The open test of this name, made when it is not there.
    fn test(
        &mut self,
        run: &str,
        name: &str,
        at: At,
        line: u64,
    ) -> Result<&mut TestResult, LogError> {
        self.run(run, at, line)?;
        let since = self.since(run, at);
        let key = (run.to_owned(), name.to_owned());
        let index = match self.open.get(&key) {
            Some(index) => *index,
            None => {
                let index = self.results.tests.len();
                self.most("tests", index + 1, self.limits.tests, line)?;
                let mut test = TestResult::new(run, name);
                test.began = at;
                test.begin_us = since;
                self.results.tests.push(test);
                self.open.insert(key, index);
                index
            }
        };
        let limit = self.limits.tests;
        let test = self.results.tests.get_mut(index);
        test.ok_or(LogError::TooMany {
            line,
            what: "tests",
            limit,
        })
    }

    fn test_begins(
        &mut self,
        run: &str,
        at: At,
        begins: TestBegins,
        line: u64,
    ) -> Result<(), LogError> {
        // A test that begins again is another try, with a result of its own.
        self.open.remove(&(run.to_owned(), begins.test.clone()));
        let test = self.test(run, &begins.test, at, line)?;
        test.title = begins.title;
        test.follows = begins.follows;
        test.tags = begins.tags;
        test.worker = begins.worker;
        test.repro = begins.repro;
        test.reason = Some("the log ends before the test does".to_owned());
        Ok(())
    }

    fn test_ends(&mut self, run: &str, at: At, ends: TestEnds, line: u64) -> Result<(), LogError> {
        let end = {
            self.run(run, at, line)?;
            self.since(run, at)
        };
        let test = self.test(run, &ends.test, at, line)?;
        test.verdict = ends.verdict;
        test.reason = ends.reason;
        test.audited = ends.audited;
        test.took_us = ends.took_us.unwrap_or(end.saturating_sub(test.begin_us));
        self.open.remove(&(run.to_owned(), ends.test));
        Ok(())
    }

    fn call(&mut self, run: &str, at: At, call: Call, line: u64) -> Result<(), LogError> {
        if self.durations.len() < SAMPLES {
            self.durations.push(call.took_us);
        }
        if call.test.is_empty() {
            return Ok(());
        }
        let room = self.calls < self.limits.calls;
        let most = self.limits.calls_of_test;
        let end_us = {
            self.run(run, at, line)?;
            self.since(run, at)
        };
        let test = self.test(run, &call.test, at, line)?;
        let kept = CallResult {
            step: call.step,
            end_us,
            took_us: call.took_us,
            method: call.method,
            path: call.path,
            status: call.status,
            sent: call.sent,
            received: call.received,
            attempt: call.attempt,
        };
        let mut class = (kept.method.clone(), kept.path.clone());
        if test.classes.len() >= CLASSES && !test.classes.contains_key(&class) {
            class = ("*".to_owned(), "others".to_owned());
        }
        test.classes.entry(class).or_default().add(&kept);
        if room && test.calls.len() < most {
            test.calls.push(kept);
            self.calls += 1;
        }
        Ok(())
    }

    fn fault(&mut self, run: &str, at: At, fault: Fault, line: u64) -> Result<(), LogError> {
        if fault.test.is_empty() {
            let struck = fault
                .struck
                .map_or_else(String::new, |struck| format!(" at {struck}"));
            self.results
                .notes
                .push(format!("fault: {}{struck}", fault.fault));
            return Ok(());
        }
        let at_us = {
            self.run(run, at, line)?;
            self.since(run, at)
        };
        let test = self.test(run, &fault.test, at, line)?;
        test.faults.push(FaultResult {
            step: fault.step,
            at_us,
            fault: fault.fault,
            struck: fault.struck,
        });
        Ok(())
    }

    /// Whatever belongs to a test and is kept as it is.
    fn within(&mut self, run: &str, at: At, event: Event, line: u64) -> Result<(), LogError> {
        let since = {
            self.run(run, at, line)?;
            self.since(run, at)
        };
        let Some(name) = test_of(&event).map(str::to_owned) else {
            return Ok(());
        };
        let test = self.test(run, &name, at, line)?;
        match event {
            Event::StepBegins(begins) => with_step(test, &begins.step, since, |step| {
                step.verb = begins.verb;
                step.reason = Some("the log ends before the step does".to_owned());
            }),
            Event::StepEnds(ends) => step_ends(test, ends, since),
            Event::Operation(operation) => {
                let name = operation.step.clone();
                with_step(test, &name, since, |step| step.operations.push(operation));
            }
            Event::Phase(phase) => {
                let name = phase.step.clone();
                with_step(test, &name, since, |step| step.phases.push(phase));
            }
            Event::Check(check) if check.step.is_empty() => test.checks.push(check),
            Event::Check(check) => {
                let name = check.step.clone();
                with_step(test, &name, since, |step| step.checks.push(check));
            }
            Event::Finding(finding) => test.findings.push(finding.finding),
            Event::Kept(kept) => test.kept.push(kept),
            Event::Note(note) => test.notes.push(note.text),
            Event::Attachment(text) => test.attachments.push((text.name, text.text)),
            // The others were taken before.
            _ => {}
        }
        Ok(())
    }

    /// What it all comes to.
    #[must_use]
    pub fn end(mut self) -> Results {
        self.results.latency = Summary::of(self.durations);
        self.results
    }
}

/// The test of an event that is kept as it is.
fn test_of(event: &Event) -> Option<&str> {
    Some(match event {
        Event::StepBegins(begins) => &begins.test,
        Event::StepEnds(ends) => &ends.test,
        Event::Operation(operation) => &operation.test,
        Event::Phase(phase) => &phase.test,
        Event::Check(check) => &check.test,
        Event::Finding(finding) => &finding.test,
        Event::Kept(kept) => &kept.test,
        Event::Note(note) => &note.test,
        Event::Attachment(text) => &text.test,
        _ => return None,
    })
}

/// Does something to the step of this name, which is made when it is not there; of several, to the last.
fn with_step(test: &mut TestResult, name: &str, since: u64, change: impl FnOnce(&mut StepResult)) {
    match test.steps.iter_mut().rfind(|step| step.name == name) {
        Some(step) => change(step),
        None => {
            let mut step = StepResult::new(name);
            step.begin_us = since;
            change(&mut step);
            test.steps.push(step);
        }
    }
}

fn step_ends(test: &mut TestResult, ends: StepEnds, since: u64) {
    with_step(test, &ends.step, since, |step| {
        step.verdict = ends.verdict;
        step.took_us = ends.took_us;
        step.reason = ends.reason;
        step.traffic = ends.traffic;
    });
}

fn micros(later: Wall, earlier: Wall) -> u64 {
    u64::try_from(later.since(earlier).as_micros()).unwrap_or(u64::MAX)
}
