//! Writes the event log of a run as it goes.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use powervm_driver::rest::{CallObserver, CallRecord};
use powervm_report::event::{Call, Event, Fault, RunBegins, RunEnds, StepBegins};
use powervm_report::log::{EventWriter, LogError};

use crate::engine::{self, Observer};
use crate::image::ImageFacts;
use crate::scenario::Scenario;
use crate::target::{CallWatch, Description, template};

use super::lanes::{Clock, Lanes};
use super::{Verdict, events};

/// What answers say when a server, or what stands before it, cannot serve just now.
const TROUBLE: [u16; 3] = [502, 503, 504];

/// Writes an event log: what the engine tells, and every request of the driver.
pub struct Recorder<W: Write + Send> {
    /// The command that repeats the run, its scenarios left out; and the commit that it was.
    repro: String,
    commit: Option<String>,
    state: Mutex<State<W>>,
}

struct State<W: Write> {
    lanes: Lanes<W>,
    begins: RunBegins,
    configuration: Option<Event>,
}

impl<W: Write + Send> Recorder<W> {
    /// Begins a log of scenarios of which so many run at a time. `repro` is the command that repeats the run without
    /// its scenarios.
    ///
    /// # Errors
    /// When its first line cannot be written.
    pub fn new(
        out: W,
        clock: Clock,
        workers: usize,
        repro: &str,
        commit: Option<String>,
    ) -> Result<Self, LogError> {
        let writer = EventWriter::new(out, events::PRODUCER)?;
        Ok(Self {
            repro: repro.to_owned(),
            commit,
            state: Mutex::new(State {
                lanes: Lanes::new(writer, clock, workers),
                begins: RunBegins::default(),
                configuration: None,
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
        self.state().lanes.tell_of_run(Event::RunEnds(RunEnds {
            verdict: Verdict::Failed,
            could_not_run: Some(why.to_owned()),
        }));
    }

    /// Ends the log; what happens afterwards is not written.
    ///
    /// # Errors
    /// The first that writing met, which the run went on after.
    pub fn finish(&self) -> Result<(), LogError> {
        self.state().lanes.finish()
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, scenario: &str, record: &CallRecord) {
        let lanes = &mut self.state().lanes;
        let Some(step) = lanes.step(scenario) else {
            return;
        };
        let path = record.path.split('?').next().unwrap_or_default();
        let call = Call {
            test: scenario.to_owned(),
            step: step.to_owned(),
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
        lanes.tell(scenario, Event::Call(call));
        if let Some(fault) = fault {
            lanes.tell(scenario, fault);
        }
    }
}

impl<W: Write + Send> Observer for Recorder<W> {
    fn observe(&self, event: &engine::Event<'_>) {
        let State {
            lanes,
            begins,
            configuration,
        } = &mut *self.state();
        match event {
            engine::Event::RunBegins { scenarios } => {
                let begins = RunBegins {
                    tests: Some(*scenarios as u64),
                    ..std::mem::take(begins)
                };
                lanes.tell_of_run(Event::RunBegins(begins));
                if let Some(configuration) = configuration.take() {
                    lanes.tell_of_run(configuration);
                }
            }
            engine::Event::ScenarioBegins { scenario, index } => {
                lanes.begin(*index, &scenario.name);
                let mut begins =
                    events::test_begins(&scenario.name, &scenario.title, &scenario.follows);
                begins.tags = scenario.tags.iter().map(ToString::to_string).collect();
                begins.repro = Some(format!("{} {}", self.repro, selector(scenario)));
                lanes.tell(&scenario.name, Event::TestBegins(begins));
            }
            engine::Event::StepBegins { scenario, step } => {
                lanes.enter(scenario, &step.name);
                let begins = StepBegins {
                    test: (*scenario).to_owned(),
                    step: step.name.clone(),
                    verb: step.verb().to_owned(),
                };
                lanes.tell(scenario, Event::StepBegins(begins));
            }
            engine::Event::StepEnds { scenario, report } => {
                lanes.enter(scenario, "");
                for event in events::step_ends(scenario, report, None) {
                    lanes.tell(scenario, event);
                }
            }
            engine::Event::ScenarioEnds { report } => {
                let skipped = report
                    .steps
                    .iter()
                    .filter(|step| step.verdict == Verdict::Skipped)
                    .flat_map(|step| events::step_ends(&report.name, step, None));
                for event in skipped.chain(events::test_ends(report)) {
                    lanes.tell(&report.name, event);
                }
                lanes.end(&report.name);
            }
            engine::Event::RunEnds { report } => {
                lanes.tell_of_run(events::run_ends(report.verdict));
            }
            engine::Event::OperationBegins { .. }
            | engine::Event::OperationEnters { .. }
            | engine::Event::OperationEnds { .. } => {}
        }
    }
}

/// The word of a command line that means this scenario.
fn selector(scenario: &Scenario) -> String {
    let Some(path) = &scenario.path else {
        return scenario.name.clone();
    };
    let path = path.to_string_lossy();
    shlex::try_quote(&path).map_or_else(|_| scenario.name.clone(), Into::into)
}

/// Sees the requests of one scenario.
struct Calls<W: Write + Send> {
    recorder: Arc<Recorder<W>>,
    scenario: String,
}

impl<W: Write + Send> CallObserver for Calls<W> {
    fn called(&self, record: &CallRecord) {
        self.recorder.called(&self.scenario, record);
    }
}

impl<W: Write + Send + 'static> CallWatch for Recorder<W> {
    fn of_scenario(self: Arc<Self>, name: &str) -> Arc<dyn CallObserver> {
        Arc::new(Calls {
            recorder: self,
            scenario: name.to_owned(),
        })
    }
}
