//! `cargo xtask bench`: the criterion benchmarks.

use anyhow::Result;
use clap::Args;

use crate::command;
use crate::recordings;
use crate::workspace::Workspace;

/// What to measure.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only these benchmarks (the files of benches/benches), all without it.
    #[arg(value_name = "BENCHMARK")]
    names: Vec<String>,
    /// Passed on to criterion, after `--`: a filter, `--baseline NAME`, `--quick` ...
    #[arg(last = true, value_name = "ARGUMENT")]
    criterion: Vec<String>,
}

/// Builds in release mode and runs the benchmarks, with the recordings at hand.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let folder = recordings::fetch(workspace)?;
    let mut command = workspace.cargo(["bench", "--package", "powervm-benches"]);
    if options.names.is_empty() {
        command.arg("--benches");
    }
    for name in &options.names {
        command.args(["--bench", name]);
    }
    command.arg("--").args(&options.criterion);
    command::run(command.env(recordings::VARIABLE, folder))
}
