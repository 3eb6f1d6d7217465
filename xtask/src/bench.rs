//! `cargo xtask bench`: the criterion benchmarks.

use anyhow::Result;
use clap::Args;

use crate::command;
use crate::conformance;
use crate::recordings;
use crate::workspace::Workspace;

/// The benchmarks that need nothing but Rust.
const ALONE: &[&str] = &["parse", "answer", "serve", "spawn"];
/// The one that needs Nova, from PyPI.
const COMPARE: &str = "compare";

/// What to measure.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only these benchmarks (the files of benches/benches); without, all but compare, which needs Nova.
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
        for name in ALONE {
            command.args(["--bench", name]);
        }
    }
    for name in &options.names {
        command.args(["--bench", name]);
    }
    if options.names.iter().any(|name| name == COMPARE) {
        let nova = conformance::nova(workspace)?;
        command.env("POWERVM_BENCH_PYTHON", nova.program());
        command.env(
            "POWERVM_BENCH_PROGRAMS",
            workspace.root().join("conformance"),
        );
    }
    command.arg("--").args(&options.criterion);
    command::run(command.env(recordings::VARIABLE, folder))
}
