//! `powervm-harness sagas`, `powervm-harness crashes` and `powervm-harness faults`

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::ProgressBar;

use crate::matrix::{self, MatrixReport, Selection};
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

type Run = fn(&Selection, &(dyn Fn() + Sync)) -> anyhow::Result<MatrixReport>;

fn play(command: &Matrix, run: Run) -> Result<Ending, Stop> {
    let selection = Selection {
        subjects: command.operations.clone(),
        stride: command.stride,
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
    let bar = if io::stderr().is_terminal() {
        ProgressBar::new_spinner()
    } else {
        ProgressBar::hidden()
    };
    bar.enable_steady_tick(Duration::from_millis(200));
    let report = run(&selection, &|| {
        bar.inc(1);
        bar.set_message(format!("{} cases", bar.position()));
    });
    bar.finish_and_clear();
    let report = report?;
    if command.json {
        print(&(serde_json::to_string_pretty(&report)? + "\n"));
    } else {
        print(&report.text());
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
