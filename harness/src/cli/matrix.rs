//! `powervm-harness sagas`, `powervm-harness crashes` and `powervm-harness faults`

use std::io::{self, IsTerminal};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::matrix::{self, MatrixReport, News, Reach, Selection, Watch};
use crate::stats::{human, millis};
use crate::wall::WallClock;

use super::arguments::Matrix;
use super::{Ending, Stop, print, say};

pub(super) fn sagas(command: &Matrix) -> Result<Ending, Stop> {
    play(command, matrix::sagas::run)
}

pub(super) fn crashes(command: &Matrix) -> Result<Ending, Stop> {
    play(command, matrix::crashes::run)
}

pub(super) fn faults(command: &Matrix) -> Result<Ending, Stop> {
    play(command, matrix::faults::run)
}

/// How often a terminal-less run says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(15);

type Run = fn(&Selection, Watch<'_>) -> MatrixReport;

fn play(command: &Matrix, run: Run) -> Result<Ending, Stop> {
    let selection = Selection {
        subjects: command.operations.clone(),
        stride: command.stride,
        reach: if command.in_turn {
            Reach::InTurn
        } else {
            Reach::Whole
        },
        pairs: command.pairs,
        seed: command.seed,
        threads: command.threads,
    };
    if selection.chosen().is_empty() {
        let known: Vec<String> = matrix::all()
            .iter()
            .map(matrix::Subject::full_name)
            .collect();
        return Err(Stop::usage(anyhow::anyhow!(
            "there is no such operation; there are: {}",
            known.join("; ")
        )));
    }
    let wall = WallClock::start();
    let progress = Progress::begin(wall, command.json);
    let report = run(&selection, &|news| progress.tell(&news));
    progress.end();
    if command.json {
        print(&(serde_json::to_string_pretty(&report)? + "\n"));
    } else {
        print(&report.summary());
    }
    say(&format!(
        "took {} of wall time",
        human(millis(wall.elapsed()))
    ));
    Ok(if report.passed() {
        Ending::Passed
    } else {
        Ending::Failed
    })
}

/// Tells people of a run while it goes on: failures and finished operations at once, and from time to time how far it
/// is.
struct Progress {
    wall: WallClock,
    bar: ProgressBar,
    is_json: bool,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    planned: usize,
    ended: usize,
    failed: usize,
    told: Duration,
}

impl Progress {
    fn begin(wall: WallClock, is_json: bool) -> Self {
        let bar = if io::stderr().is_terminal() {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::hidden()
        };
        bar.enable_steady_tick(Duration::from_millis(200));
        bar.set_message("doing each operation once");
        Self {
            wall,
            bar,
            is_json,
            counts: Mutex::default(),
        }
    }

    fn tell(&self, news: &News<'_>) {
        match news {
            News::Planned { operations, cases } => {
                self.counts().planned = *cases;
                self.say(&format!("{operations} operations, {cases} cases"));
            }
            News::Passed => self.count(0),
            News::Failed(failure) => {
                self.say(&failure.to_string());
                self.count(1);
            }
            News::Operation(report) if self.is_json => self.say(&report.to_string()),
            News::Operation(report) => self.bar.suspend(|| print(&format!("{report}\n"))),
        }
    }

    fn count(&self, failed: usize) {
        let mut counts = self.counts();
        counts.ended += 1;
        counts.failed += failed;
        let (ended, planned, failed) = (counts.ended, counts.planned, counts.failed);
        let so_far = format!("{ended} of {planned} cases, {failed} failed");
        let now = self.wall.elapsed();
        let is_due = self.bar.is_hidden() && now.saturating_sub(counts.told) >= TELL_EVERY;
        if is_due {
            counts.told = now;
        }
        drop(counts);
        if is_due {
            self.say(&format!("{so_far} after {}", human(millis(now))));
        }
        self.bar.set_message(so_far);
    }

    fn say(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}
