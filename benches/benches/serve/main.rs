//! What serving costs, with servers of its own, as ratios measured side by side in one run
//! (`docs/benchmarks.md`).
//!
//! This program is its own server as well: started as `powervm-sim …` it is that program, started as
//! `host N FLAVOR` it is a simulator with a few routes beside the API that hand out bytes from memory.

mod bursts;
mod client;
mod contention;
mod costs;
mod feeds;
mod host;
mod nginx;
mod process;
mod report;
mod room;
mod scale;
mod startup;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Parser as _;

use report::Report;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Rounds of alternating bursts.
    pub(crate) rounds: usize,
    /// How many times each start is timed.
    pub(crate) starts: usize,
    /// How many edits each of the contending clients commits.
    pub(crate) edits: usize,
}

const FULL: Effort = Effort {
    rounds: 24,
    starts: 7,
    edits: 20,
};
const QUICK: Effort = Effort {
    rounds: 6,
    starts: 3,
    edits: 5,
};

const PARTS: [&str; 5] = ["costs", "feeds", "scale", "startup", "contention"];

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("powervm-sim") => {
            let line = std::iter::once("powervm-sim".to_owned()).chain(arguments);
            powervm_simulator::cli::main(powervm_simulator::cli::Cli::parse_from(line))
        }
        Some("host") => told(host::run(
            arguments.next().as_deref(),
            arguments.next().as_deref(),
        )),
        _ => told(measure()),
    }
}

fn told(done: Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench serve: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<()> {
    let mut effort = FULL;
    let mut strict = false;
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            // Cargo's own, and criterion's word for the same thing.
            "--bench" => {}
            "--quick" => effort = QUICK,
            "--strict" => strict = true,
            part if PARTS.contains(&part) => chosen.push(argument),
            _ => bail!(
                "`{argument}` is not known; there are {} and --quick, --strict (fail if a goal is missed)",
                PARTS.join(", ")
            ),
        }
    }
    let wanted = |part: &str| chosen.is_empty() || chosen.iter().any(|name| name == part);
    let mut report = Report::begin();
    if wanted("costs") {
        costs::measure(effort, &mut report)?;
    }
    if wanted("feeds") {
        feeds::measure(effort, &mut report)?;
    }
    if wanted("scale") {
        scale::measure(effort, &mut report)?;
    }
    if wanted("startup") {
        startup::measure(effort, &mut report)?;
    }
    if wanted("contention") {
        contention::measure(effort, &mut report)?;
    }
    let missed = report.end();
    if strict && missed > 0 {
        bail!("{missed} goals are missed");
    }
    Ok(())
}
