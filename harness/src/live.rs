//! A run as it goes: bars on a terminal, a line per step elsewhere.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::engine::{Event, Observer};
use crate::report::{StepReport, Verdict};
use crate::stats::human;

/// The most operations that get a line of their own.
const MOST_LINES: usize = 10;

/// Shows a run on standard error.
#[derive(Debug)]
pub struct LiveView {
    bars: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    scenarios: usize,
    heading: String,
    step: Option<ProgressBar>,
    operations: BTreeMap<String, ProgressBar>,
}

impl LiveView {
    /// A view that fits standard error.
    #[must_use]
    pub fn new() -> Self {
        let bars = io::stderr().is_terminal().then(MultiProgress::new);
        Self {
            bars,
            state: Mutex::default(),
        }
    }

    fn line(&self, text: &str) {
        match &self.bars {
            // A terminal that went away is no reason to end a run.
            Some(bars) => drop(bars.println(text)),
            None => drop(writeln!(io::stderr(), "{text}")),
        }
    }

    fn step_begins(&self, state: &mut State, name: &str, operations: usize) {
        let Some(bars) = &self.bars else { return };
        let bar = bars.add(ProgressBar::new(operations as u64));
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        bar.set_prefix(format!("{} · {name}", state.heading));
        state.step = Some(bar);
    }

    fn operation_begins(&self, state: &mut State, server: &str) {
        let Some(bars) = &self.bars else { return };
        if state.operations.len() >= MOST_LINES {
            return;
        }
        let bar = bars.add(ProgressBar::new_spinner());
        bar.set_message(server.to_owned());
        state.operations.insert(server.to_owned(), bar);
    }

    fn operation_ends(state: &mut State, server: &str) {
        if let Some(bar) = state.operations.remove(server) {
            bar.finish_and_clear();
        }
        if let Some(bar) = &state.step {
            bar.inc(1);
        }
    }

    fn step_ends(&self, state: &mut State, report: &StepReport) {
        for (_, bar) in std::mem::take(&mut state.operations) {
            bar.finish_and_clear();
        }
        if let Some(bar) = state.step.take() {
            bar.finish_and_clear();
        }
        let time = human(report.summary.makespan_ms);
        self.line(&format!(
            "{} · {}: {} in {time}",
            state.heading,
            report.name,
            report.verdict.name()
        ));
        for check in report.failures() {
            self.line(&format!("    {}: {}", check.what, check.detail));
        }
    }
}

impl Default for LiveView {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for LiveView {
    fn observe(&self, event: &Event<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::RunBegins { scenarios } => state.scenarios = *scenarios,
            Event::ScenarioBegins { scenario, index } => {
                state.heading = format!("[{}/{}] {}", index + 1, state.scenarios, scenario.name);
            }
            Event::StepBegins { step, .. } => {
                self.step_begins(&mut state, &step.name, step.operations())
            }
            Event::OperationBegins { server } => self.operation_begins(&mut state, server),
            Event::OperationEnters { server, phase } => {
                if let Some(bar) = state.operations.get(*server) {
                    bar.set_message(format!("{server}: {phase}"));
                    bar.tick();
                }
            }
            Event::OperationEnds { server, .. } => Self::operation_ends(&mut state, server),
            Event::StepEnds { report, .. } => self.step_ends(&mut state, report),
            Event::ScenarioEnds { report } => {
                if report.verdict == Verdict::Skipped {
                    let reason = report.reason.as_deref().unwrap_or_default();
                    self.line(&format!("{}: skipped, {reason}", state.heading));
                }
                match &report.audit {
                    Some(audit) if audit.is_clean() => {
                        self.line(&format!(
                            "{} · leak audit: nothing left behind",
                            state.heading
                        ));
                    }
                    Some(audit) => {
                        for finding in &audit.findings {
                            self.line(&format!("{} · leak audit: {finding}", state.heading));
                        }
                    }
                    None => {}
                }
            }
            Event::RunEnds { .. } => {}
        }
    }
}
