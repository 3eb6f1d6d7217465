//! `cargo xtask bench`: the benchmarks of benches/, and what the driver costs in today's Nova.

use anyhow::Result;
use clap::Args;

use crate::command;
use crate::conformance;
use crate::package;
use crate::recordings;
use crate::workspace::Workspace;

/// The benchmarks that need nothing but Rust.
const ALONE: &[&str] = &["parse", "answer", "serve", "spawn"];
/// The one that needs a Nova with a driver of its own, from PyPI.
const COMPARE: &str = "compare";
/// The one that runs no Rust program of benches/, but the driver in today's Nova.
const NOVA: &str = "nova";
/// Its programs in conformance/.
const THREADS: &str = "nova_threads";
const BOOTS: &str = "nova_boots";

/// What to measure.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only these benchmarks (the files of benches/benches, and nova); without, all but compare and nova, which need Nova.
    #[arg(value_name = "BENCHMARK")]
    names: Vec<String>,
    /// Passed on to criterion, after `--`: a filter, `--baseline NAME`, `--quick` ...
    #[arg(last = true, value_name = "ARGUMENT")]
    criterion: Vec<String>,
}

/// Builds in release mode and runs the benchmarks, with the recordings at hand.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let (of_nova, names): (Vec<_>, Vec<_>) = options.names.iter().partition(|name| *name == NOVA);
    if !of_nova.is_empty() {
        nova(workspace)?;
        if names.is_empty() {
            return Ok(());
        }
    }
    let folder = recordings::fetch(workspace)?;
    let mut command = workspace.cargo(["bench", "--package", "powervm-benches"]);
    if names.is_empty() {
        for name in ALONE {
            command.args(["--bench", name]);
        }
    }
    for name in &names {
        command.args(["--bench", name]);
    }
    if names.iter().any(|name| *name == COMPARE) {
        let nova = conformance::environment(workspace, "nova_in_tree")?;
        command.env("POWERVM_BENCH_PYTHON", nova.program());
        command.env(
            "POWERVM_BENCH_PROGRAMS",
            workspace.root().join("conformance"),
        );
    }
    command.arg("--").args(&options.criterion);
    command::run(command.env(recordings::VARIABLE, folder))
}

/// What ten servers cost that are made at once through the driver's Python side, and what Nova itself costs.
fn nova(workspace: &Workspace) -> Result<()> {
    let python = conformance::environment(workspace, THREADS)?;
    let build = ["build", "--release", "--package", "powervm-simulator"];
    command::run(&mut workspace.cargo(build))?;
    package::install(workspace, &python, package::RELEASE)?;
    for program in [THREADS, BOOTS] {
        let file = workspace.root().join("conformance").join(program);
        command::run(
            python
                .command()
                .arg(file.with_extension("py"))
                .arg("--bench")
                .arg("--simulator")
                .arg(workspace.release_binary("powervm-sim"))
                .arg("--work")
                .arg(workspace.target().join("conformance").join("bench"))
                .env("PYTHONUNBUFFERED", "1")
                .env("PYTHONDONTWRITEBYTECODE", "1"),
        )?;
    }
    Ok(())
}
