//! Writes the event log of a run as it goes.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use powervm_driver::rest::{CallObserver, CallRecord};
use powervm_report::event::{Call, Entry, Event, Fault, RunBegins, RunEnds, StepBegins};
use powervm_report::log::{EventWriter, LogError};
use tokio::time::Instant;

use crate::engine::{self, Observer};
use crate::image::ImageFacts;
use crate::target::{Description, template};
use crate::wall::WallClock;

use super::{Verdict, events};

/// What answers say when a server, or what stands before it, cannot serve just now.
const TROUBLE: [u16; 3] = [502, 503, 504];

/// By which clock a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The run's own: the same seed gives the same log, byte for byte.
    Virtual,
    /// The machine's.
    Wall,
}

/// Writes an event log: what the engine tells, and every request of the driver.
pub struct Recorder<W: Write + Send> {
    began: Instant,
    clock: Clock,
    /// The command that repeats the run, its scenarios left out; and the commit that it was.
    repro: String,
    commit: Option<String>,
    state: Mutex<State<W>>,
}

struct State<W: Write> {
    /// None once the log has ended.
    writer: Option<EventWriter<W>>,
    begins: RunBegins,
    configuration: Option<Event>,
    running: bool,
    test: String,
    step: String,
    broken: Option<LogError>,
}

impl<W: Write + Send> Recorder<W> {
    /// Begins a log. `repro` is the command that repeats the run without its scenarios.
    ///
    /// # Errors
    /// When its first line cannot be written.
    pub fn new(
        out: W,
        clock: Clock,
        repro: &str,
        commit: Option<String>,
    ) -> Result<Self, LogError> {
        Ok(Self {
            began: Instant::now(),
            clock,
            repro: repro.to_owned(),
            commit,
            state: Mutex::new(State {
                writer: Some(EventWriter::new(out, events::PRODUCER)?),
                begins: RunBegins::default(),
                configuration: None,
                running: false,
                test: String::new(),
                step: String::new(),
                broken: None,
            }),
        })
    }

    /// Says where the run will be.
    pub fn describe(&self, seed: u64, target: &Description, image: &ImageFacts) {
        let mut state = self.state();
        state.begins = RunBegins {
            commit: self.commit.clone(),
            repro: Some(self.repro.clone()),
            ..events::run_begins(seed, target, image)
        };
        state.configuration = Some(events::configuration(seed, target));
    }

    /// Says that the run could not be.
    pub fn could_not_run(&self, why: &str) {
        self.write(
            &mut self.state(),
            Event::RunEnds(RunEnds {
                verdict: Verdict::Failed,
                could_not_run: Some(why.to_owned()),
            }),
        );
    }

    /// Ends the log; what happens afterwards is not written.
    ///
    /// # Errors
    /// The first that writing met, which the run went on after.
    pub fn finish(&self) -> Result<(), LogError> {
        let mut state = self.state();
        let writer = state.writer.take();
        if let Some(error) = state.broken.take() {
            return Err(error);
        }
        match writer.map(EventWriter::finish) {
            Some(Err(error)) => Err(LogError::Io { line: 0, error }),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, state: &mut State<W>, event: Event) {
        let mut entry = Entry::from(event);
        match self.clock {
            Clock::Virtual => {
                let micros = self.began.elapsed().as_micros();
                entry.at_us = Some(u64::try_from(micros).unwrap_or(u64::MAX));
            }
            Clock::Wall => entry.wall = Some(WallClock::date()),
        }
        let written = state.writer.as_mut().map(|writer| writer.write(&entry));
        if let Some(Err(error)) = written
            && state.broken.is_none()
        {
            state.broken = Some(error);
        }
    }

    fn write_all(&self, state: &mut State<W>, events: Vec<Event>) {
        for event in events {
            self.write(state, event);
        }
    }
}

impl<W: Write + Send> Observer for Recorder<W> {
    fn observe(&self, event: &engine::Event<'_>) {
        let state = &mut *self.state();
        match event {
            engine::Event::RunBegins { scenarios } => {
                state.running = true;
                let begins = RunBegins {
                    tests: Some(*scenarios as u64),
                    ..std::mem::take(&mut state.begins)
                };
                self.write(state, Event::RunBegins(begins));
                let configuration = state.configuration.take();
                self.write_all(state, configuration.into_iter().collect());
            }
            engine::Event::ScenarioBegins { scenario, .. } => {
                state.test = scenario.name.clone();
                let mut begins =
                    events::test_begins(&scenario.name, &scenario.title, &scenario.follows);
                begins.tags = scenario.tags.iter().map(ToString::to_string).collect();
                begins.repro = Some(format!("{} {}", self.repro, scenario.name));
                self.write(state, Event::TestBegins(begins));
            }
            engine::Event::StepBegins { step } => {
                state.step = step.name.clone();
                let begins = StepBegins {
                    test: state.test.clone(),
                    step: step.name.clone(),
                    verb: step.verb().to_owned(),
                };
                self.write(state, Event::StepBegins(begins));
            }
            engine::Event::StepEnds { report } => {
                state.step.clear();
                let ends = events::step_ends(&state.test, report, None);
                self.write_all(state, ends);
            }
            engine::Event::ScenarioEnds { report } => {
                let skipped = report
                    .steps
                    .iter()
                    .filter(|step| step.verdict == Verdict::Skipped);
                let mut ends: Vec<Event> = skipped
                    .flat_map(|step| events::step_ends(&report.name, step, None))
                    .collect();
                ends.extend(events::test_ends(report));
                self.write_all(state, ends);
                state.test.clear();
            }
            engine::Event::RunEnds { report } => {
                self.write(state, events::run_ends(report.verdict));
            }
            engine::Event::OperationBegins { .. }
            | engine::Event::OperationEnters { .. }
            | engine::Event::OperationEnds { .. } => {}
        }
    }
}

impl<W: Write + Send> CallObserver for Recorder<W> {
    fn called(&self, record: &CallRecord) {
        let state = &mut *self.state();
        if !state.running {
            return;
        }
        let path = record.path.split('?').next().unwrap_or_default();
        let call = Call {
            test: state.test.clone(),
            step: state.step.clone(),
            method: record.method.to_string(),
            path: template(path),
            status: record.status.map(|status| status.as_u16()),
            took_us: u64::try_from(record.took.as_micros()).unwrap_or(u64::MAX),
            sent: record.sent,
            received: record.received,
            attempt: record.attempt,
        };
        let fault = match call.status {
            None => Some("no answer".to_owned()),
            Some(status) if TROUBLE.contains(&status) => Some(format!("answered with {status}")),
            Some(_) => None,
        };
        let fault = fault.map(|fault| {
            Event::Fault(Fault {
                test: call.test.clone(),
                step: call.step.clone(),
                fault,
                struck: Some(format!("{} {}", call.method, call.path)),
            })
        });
        self.write(state, Event::Call(call));
        self.write_all(state, fault.into_iter().collect());
    }
}
