//! `cargo xtask conformance`: unmodified real clients driven against powervm-sim.
//!
//! Each program of `conformance/` starts its own simulators on free ports, prints a line
//! `ok - NAME`, `not ok - NAME: WHY` or `skipped - NAME: WHY` a check, and ends with
//! `N passed, N failed, N skipped`. Several run at once; the last line of all is their sum.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command;
use crate::package;
use crate::python::{Python, Wanted};
use crate::watch::Stopwatch;
use crate::workspace::Workspace;

/// A program and what it runs on.
struct Program {
    name: &'static str,
    /// The file of pinned packages that it runs with, if it needs any.
    requirements: Option<&'static str>,
    python: Wanted,
    /// Whether it runs our own package for Nova.
    wants_package: bool,
}

impl Program {
    const fn new(name: &'static str, requirements: Option<&'static str>, python: Wanted) -> Self {
        Self {
            name,
            requirements,
            python,
            wants_package: false,
        }
    }

    const fn with_package(mut self) -> Self {
        self.wants_package = true;
        self
    }
}

/// The longest first, so that none of them runs alone at the end.
const PROGRAMS: &[Program] = &[
    Program::new("nova_today", Some("nova-today.txt"), Wanted::Exactly311).with_package(),
    Program::new(
        "nova_today_eventlet",
        Some("nova-today.txt"),
        Wanted::Exactly311,
    )
    .with_package(),
    Program::new(
        "nova_out_of_tree",
        Some("nova-powervm.txt"),
        Wanted::Exactly311,
    ),
    Program::new(
        "nova_live_migration",
        Some("nova-powervm.txt"),
        Wanted::Exactly311,
    ),
    Program::new("nova_in_tree", Some("nova.txt"), Wanted::Exactly311),
    Program::new("pypowervm_client", Some("pypowervm.txt"), Wanted::Recent),
    Program::new(
        "nova_functional",
        Some("nova-today.txt"),
        Wanted::Exactly311,
    )
    .with_package(),
    Program::new("nova_31", Some("nova-31.txt"), Wanted::Exactly311).with_package(),
    Program::new("nova_killed", Some("nova-today.txt"), Wanted::Exactly311).with_package(),
    Program::new(
        "nova_today_moves",
        Some("nova-today.txt"),
        Wanted::Exactly311,
    )
    .with_package(),
    Program::new("nova_scenarios", Some("nova-today.txt"), Wanted::Exactly311).with_package(),
    Program::new("nova_services", Some("nova.txt"), Wanted::Exactly311),
    Program::new("reports", Some("reports.txt"), Wanted::Recent),
    Program::new("curl_hmc", None, Wanted::Recent),
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
    /// Run all of Nova's own functional tests that are listed, not only the quick ones.
    #[arg(long)]
    whole: bool,
    /// How many programs run at once [default: one for each processor].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
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

    /// Counts a line that tells of a check.
    fn count(&mut self, line: &str) {
        let counted = [
            ("ok - ", &mut self.passed),
            ("not ok - ", &mut self.failed),
            ("skipped - ", &mut self.skipped),
        ];
        for (word, count) in counted {
            *count += u32::from(line.starts_with(word));
        }
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

/// How a program ended.
#[derive(Debug)]
struct Ending {
    name: &'static str,
    tally: Tally,
    took: Duration,
    /// What the failed checks said, in their order.
    failures: Vec<String>,
}

/// The Python of the environment with nova 25.3.0, made if it is not there.
pub(crate) fn nova(workspace: &Workspace) -> Result<Python> {
    let program = PROGRAMS
        .iter()
        .find(|program| program.name == "nova_in_tree");
    let program = program.context("there is no program for Nova")?;
    let python = Python::find(program.python)?;
    let mut made = environments(workspace, &[program], &[python])?;
    let (_, python) = made.pop_first().context("no environment was made")?;
    Ok(python)
}

/// The environments' Pythons, by the file of pinned packages.
type Environments = BTreeMap<&'static str, Python>;

/// Builds the simulator, makes the environments, runs the programs and sums up.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let chosen: Vec<&Program> = PROGRAMS
        .iter()
        .filter(|program| {
            options.only.is_empty() || options.only.iter().any(|name| name == program.name)
        })
        .collect();
    // Before anything is built: whoever has no Python shall not wait for that.
    let pythons = chosen
        .iter()
        .map(|program| Python::find(program.python))
        .collect::<Result<Vec<_>>>()
        .context("the real clients are Python programs")?;
    // All of the workspace, so that dependencies keep the features that `cargo test` built them with.
    command::run(&mut workspace.cargo(["build", "--workspace", "--bins"]))?;
    let environments = environments(workspace, &chosen, &pythons)?;
    let wanting = chosen.iter().filter(|program| program.wants_package);
    let wanting: BTreeSet<_> = wanting.filter_map(|program| program.requirements).collect();
    for python in wanting.iter().filter_map(|name| environments.get(name)) {
        package::install(workspace, python)?;
    }

    let waiting: Mutex<VecDeque<_>> = Mutex::new(chosen.into_iter().zip(pythons).collect());
    let endings = Mutex::new(Vec::new());
    let jobs = options
        .jobs
        .or_else(|| thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = lock(&waiting).pop_front();
                    let Some((program, python)) = next else {
                        break;
                    };
                    let python = program
                        .requirements
                        .and_then(|name| environments.get(name))
                        .unwrap_or(&python);
                    let ending = program.run(workspace, python, options);
                    lock(&endings).push(ending);
                }
            });
        }
    });
    sum_up(&lock(&endings))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes the virtual environments that are needed and not there yet, all at once.
fn environments(
    workspace: &Workspace,
    programs: &[&Program],
    pythons: &[Python],
) -> Result<Environments> {
    let folder = workspace.target().join("conformance");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let pinned = workspace.root().join("conformance").join("requirements");
    let wanted: BTreeMap<&'static str, &Python> = programs
        .iter()
        .zip(pythons)
        .filter_map(|(program, python)| Some((program.requirements?, python)))
        .collect();
    thread::scope(|scope| {
        let (folder, pinned) = (&folder, &pinned);
        let makers: Vec<_> = wanted
            .into_iter()
            .map(|(name, python)| {
                let made = scope.spawn(move || {
                    let environment = folder.join(name.trim_end_matches(".txt"));
                    python.environment(&environment, &pinned.join(name))
                });
                (name, made)
            })
            .collect();
        let joined = makers.into_iter().map(|(name, made)| {
            let python = match made.join() {
                Ok(python) => python?,
                Err(_) => bail!("the environment of {name} could not be made"),
            };
            Ok((name, python))
        });
        joined.collect()
    })
}

/// Prints a line a program, and the sum; fails if a check did, or if none passed.
///
/// The error names each check that failed: among two thousand lines nobody finds them, and a log that was cut short
/// has lost them.
fn sum_up(endings: &[Ending]) -> Result<()> {
    let mut total = Tally::default();
    for ending in endings {
        println!(
            "# {:<20} {:>6.1} s  {}",
            ending.name,
            ending.took.as_secs_f64(),
            ending.tally
        );
        total.add(&ending.tally);
    }
    println!("{total}");
    if total.failed > 0 {
        let failures: Vec<_> = endings
            .iter()
            .flat_map(|ending| {
                let line = |failure| format!("\n      {}: {failure}", ending.name);
                ending.failures.iter().map(line)
            })
            .collect();
        bail!(
            "{} conformance checks failed:{}",
            total.failed,
            failures.concat()
        );
    }
    if total.passed == 0 {
        bail!("no conformance check passed: none was run");
    }
    Ok(())
}

impl Program {
    /// Runs it to its end. A program that breaks down has failed one check more.
    fn run(&self, workspace: &Workspace, python: &Python, options: &Options) -> Ending {
        let folder = workspace.root().join("conformance");
        let mut command = python.command();
        command
            .arg(folder.join(format!("{}.py", self.name)))
            .arg("--simulator")
            .arg(workspace.debug_binary("powervm-sim"))
            .arg("--work")
            .arg(workspace.target().join("conformance").join("work"));
        if options.keep {
            command.arg("--keep");
        }
        if options.whole {
            command.env("CONFORMANCE_WHOLE", "1");
        }
        command
            .env("PYTHONUNBUFFERED", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let watch = Stopwatch::start();
        let mut tally = Tally::default();
        let mut failures = Vec::new();
        if let Err(error) = follow(&mut command, self.name, &mut tally, &mut failures) {
            let failure = format!("not ok - it runs to its end: {error:#}");
            println!("{}: {failure}", self.name);
            failures.push(failure);
            tally.failed += 1;
        }
        Ending {
            name: self.name,
            tally,
            took: watch.elapsed(),
            failures,
        }
    }
}

/// Runs a program, shows what it prints as it prints it, counts its checks, keeps the lines of those that failed, and
/// holds the tally that it ends with against the count.
fn follow(
    command: &mut Command,
    name: &str,
    tally: &mut Tally,
    failures: &mut Vec<String>,
) -> Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start it")?;
    let output = child.stdout.take().context("it has no output")?;
    let mut last = String::new();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("its output broke off")?;
        let line = String::from_utf8_lossy(&line);
        println!("{name}: {line}");
        tally.count(&line);
        if line.starts_with("not ok - ") {
            failures.push(line.trim_end().to_owned());
        }
        if !line.trim().is_empty() {
            last = line.into_owned();
        }
    }
    let status = child.wait().context("cannot wait for it")?;
    let Some(told) = Tally::parse(&last) else {
        bail!("it ended ({status}) without saying `N passed, N failed, N skipped`");
    };
    if told != *tally {
        bail!("it says {told}, and it printed {tally}");
    }
    if !status.success() && tally.failed == 0 {
        bail!("it ended with {status} though no check failed");
    }
    Ok(())
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

    fn shell(script: &str) -> (Result<()>, Tally, Vec<String>) {
        let mut tally = Tally::default();
        let mut failures = Vec::new();
        let ended = follow(
            Command::new("sh").args(["-c", script]),
            "program",
            &mut tally,
            &mut failures,
        );
        (ended, tally, failures)
    }

    #[test]
    fn a_program_that_breaks_down_is_not_taken_for_one_that_passed() {
        let (ended, tally, _) = shell("echo 'ok - a'; echo 'skipped - b: why'; exit 3");
        assert!(ended.unwrap_err().to_string().contains("without saying"));
        assert_eq!(tally.to_string(), "1 passed, 0 failed, 1 skipped");
        let (ended, _, _) = shell("echo 'ok - a'; echo '2 passed, 0 failed, 0 skipped'");
        assert!(ended.unwrap_err().to_string().contains("it says 2 passed"));
        let (ended, _, _) = shell("echo 'ok - a'; echo '1 passed, 0 failed, 0 skipped'; exit 1");
        assert!(ended.unwrap_err().to_string().contains("no check failed"));
    }

    #[test]
    fn a_failed_check_is_counted_and_no_breakdown() {
        let (ended, tally, failures) =
            shell("echo 'not ok - a: why'; echo '0 passed, 1 failed, 0 skipped'; exit 1");
        assert!(ended.is_ok());
        assert_eq!(tally.failed, 1);
        let ending = Ending {
            name: "program",
            tally,
            took: Duration::ZERO,
            failures,
        };
        let error = sum_up(&[ending]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "1 conformance checks failed:\n      program: not ok - a: why"
        );
        assert!(sum_up(&[]).is_err());
    }

    #[test]
    fn an_unknown_program_is_refused_with_the_names() {
        let error = known_program("nova").unwrap_err();
        assert!(error.contains("pypowervm_client"), "{error}");
    }
}
