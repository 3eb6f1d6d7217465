//! Whoever watches a run.

use crate::report::{RunReport, ScenarioReport, StepReport};
use crate::scenario::{Scenario, Step};

/// What happens during a run.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The run begins.
    RunBegins {
        /// How many scenarios there are.
        scenarios: usize,
    },
    /// A scenario begins.
    ScenarioBegins {
        /// The scenario.
        scenario: &'a Scenario,
        /// Its position, from 0.
        index: usize,
    },
    /// A step begins.
    StepBegins {
        /// The scenario's name.
        scenario: &'a str,
        /// The step.
        step: &'a Step,
    },
    /// An operation begins.
    OperationBegins {
        /// The server.
        server: &'a str,
    },
    /// An operation enters a phase of the driver's recipe.
    OperationEnters {
        /// The server.
        server: &'a str,
        /// The phase.
        phase: &'a str,
    },
    /// An operation ends.
    OperationEnds {
        /// The server.
        server: &'a str,
        /// Whether it succeeded.
        done: bool,
    },
    /// A step ends.
    StepEnds {
        /// The scenario's name.
        scenario: &'a str,
        /// How it went.
        report: &'a StepReport,
    },
    /// A scenario ends, its audit made.
    ScenarioEnds {
        /// How it went.
        report: &'a ScenarioReport,
    },
    /// The run ends.
    RunEnds {
        /// How it went.
        report: &'a RunReport,
    },
}

/// Sees a run. Called from the run itself, so it has to be quick.
pub trait Observer: Send + Sync {
    /// Takes note.
    fn observe(&self, event: &Event<'_>);
}

/// Looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: &Event<'_>) {}
}
