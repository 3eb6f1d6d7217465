//! The project's own commands.
//!
//! `cargo xtask test` is what continuous integration runs, `cargo xtask bench` measures, `cargo xtask fuzz`
//! looks for inputs that break, and
//! `cargo xtask conformance` and `cargo xtask recordings` are two of the test stages on their own.
//! Everything is done by starting cargo and python3 directly: no shell is needed.

mod bench;
mod command;
mod conformance;
mod failures;
#[cfg(test)]
mod features;
mod fuzz;
mod package;
mod python;
mod recordings;
mod stages;
mod suite;
mod watch;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, about)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Check everything: format, lints, recordings, tests, documentation, conformance.
    Test(suite::Selection),
    /// Drive the real clients of conformance/ against powervm-sim.
    Conformance(conformance::Options),
    /// Fetch the recorded server responses that the tests read, and print their folder.
    Recordings,
    /// Run the benchmarks (in release mode); `serve` starts servers and prints ratios.
    Bench(bench::Options),
    /// Run the fuzz targets, each for a minute.
    Fuzz(fuzz::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let workspace = Workspace::locate()?;
    match arguments.task {
        Task::Test(selection) => suite::run(&workspace, &selection),
        Task::Conformance(options) => conformance::run(&workspace, &options),
        Task::Recordings => {
            let folder = recordings::fetch(&workspace)?;
            println!("{}", folder.display());
            Ok(())
        }
        Task::Bench(options) => bench::run(&workspace, &options),
        Task::Fuzz(options) => fuzz::run(&workspace, &options),
    }
}
