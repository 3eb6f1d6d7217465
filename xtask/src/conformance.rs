//! `cargo xtask conformance`: unmodified real clients driven against powervm-sim.
//!
//! Each program of `conformance/` starts its own simulators on free ports, prints a line
//! `ok - NAME`, `not ok - NAME: WHY` or `skipped - NAME: WHY` a check, and ends with
//! `N passed, N failed, N skipped`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command;
use crate::python::Python;
use crate::workspace::Workspace;

/// A program and the file of pinned packages that it runs with, if it needs any.
struct Program {
    name: &'static str,
    requirements: Option<&'static str>,
}

impl Program {
    const fn new(name: &'static str, requirements: Option<&'static str>) -> Self {
        Self { name, requirements }
    }
}

const PROGRAMS: &[Program] = &[
    Program::new("curl_hmc", None),
    Program::new("pypowervm_client", Some("pypowervm.txt")),
    Program::new("nova_in_tree", Some("nova.txt")),
    Program::new("nova_services", Some("nova.txt")),
    Program::new("nova_out_of_tree", Some("nova-powervm.txt")),
];

/// Which programs to run, and how.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only these programs (the files of conformance/ without `.py`), comma-separated.
    #[arg(long, value_delimiter = ',', value_name = "PROGRAM", value_parser = known_program)]
    only: Vec<String>,
    /// Keep the simulators' logs and say where they are.
    #[arg(long)]
    keep: bool,
}

fn known_program(name: &str) -> Result<String, String> {
    if PROGRAMS.iter().any(|program| program.name == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
    Err(format!("the programs are {}", names.join(", ")))
}

/// How many checks ended which way.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Tally {
    /// Reads `N passed, N failed[, N skipped]`.
    fn parse(line: &str) -> Option<Self> {
        let mut tally = Self::default();
        let mut parts = line.trim().split(", ");
        tally.passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
        tally.failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
        if let Some(part) = parts.next() {
            tally.skipped = part.strip_suffix(" skipped")?.parse().ok()?;
        }
        parts.next().is_none().then_some(tally)
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Builds the simulator, makes the environments, runs the programs and sums up.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = Python::find().context("the real clients are Python programs")?;
    // All of the workspace, so that dependencies keep the features that `cargo test` built them with.
    command::run(&mut workspace.cargo(["build", "--workspace", "--bins"]))?;
    let mut total = Tally::default();
    for program in PROGRAMS {
        if !options.only.is_empty() && !options.only.iter().any(|name| name == program.name) {
            continue;
        }
        total.add(&program.run(workspace, &python, options)?);
    }
    println!(
        "{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.skipped
    );
    if total.failed > 0 {
        bail!("{} conformance checks failed", total.failed);
    }
    if total.passed == 0 {
        bail!("no conformance check passed: none was run");
    }
    Ok(())
}

impl Program {
    fn run(&self, workspace: &Workspace, python: &Python, options: &Options) -> Result<Tally> {
        let folder = workspace.root().join("conformance");
        let environments = workspace.target().join("conformance");
        std::fs::create_dir_all(&environments)
            .with_context(|| format!("cannot make {}", environments.display()))?;
        let mut command = match self.requirements {
            None => python.command(),
            Some(name) => {
                let requirements = folder.join("requirements").join(name);
                let environment = environments.join(name.trim_end_matches(".txt"));
                python.environment(&environment, &requirements)?.command()
            }
        };

        println!("# {}", self.name);
        command
            .arg(folder.join(format!("{}.py", self.name)))
            .arg("--simulator")
            .arg(workspace.debug_binary("powervm-sim"))
            .arg("--work")
            .arg(environments.join("work"));
        if options.keep {
            command.arg("--keep");
        }
        command
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let tally =
            follow(&mut command).with_context(|| format!("conformance/{}.py", self.name))?;
        Ok(tally)
    }
}

/// Runs a program, shows what it prints as it prints it, and reads the tally off its last line.
fn follow(command: &mut Command) -> Result<Tally> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start it")?;
    let output = child.stdout.take().context("it has no output")?;
    let mut last = String::new();
    for line in BufReader::new(output).lines() {
        let line = line.context("it printed no UTF-8")?;
        println!("{line}");
        if !line.trim().is_empty() {
            last = line;
        }
    }
    let status = child.wait().context("cannot wait for it")?;
    let Some(tally) = Tally::parse(&last) else {
        bail!("it ended ({status}) without saying `N passed, N failed, N skipped`");
    };
    if !status.success() && tally.failed == 0 {
        bail!("it ended with {status} though no check failed");
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_program_is_read() {
        let expected = Tally {
            passed: 12,
            failed: 1,
            skipped: 3,
        };
        assert_eq!(
            Tally::parse("12 passed, 1 failed, 3 skipped\n"),
            Some(expected)
        );
        assert!(Tally::parse("12 passed, 1 failed").is_some());
        assert_eq!(Tally::parse("ok - logs on"), None);
        assert_eq!(Tally::parse("12 passed"), None);
        assert_eq!(Tally::parse("many passed, 1 failed"), None);
        assert_eq!(Tally::parse("1 passed, 1 failed, 1 skipped, 1 lost"), None);
    }

    #[test]
    fn every_program_and_its_requirements_are_there() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance");
        for program in PROGRAMS {
            assert!(folder.join(format!("{}.py", program.name)).is_file());
            let requirements = program
                .requirements
                .map(|name| folder.join("requirements").join(name));
            assert!(requirements.is_none_or(|file| file.is_file()));
        }
    }

    #[test]
    fn an_unknown_program_is_refused_with_the_names() {
        let error = known_program("nova").unwrap_err();
        assert!(error.contains("pypowervm_client"), "{error}");
    }
}
