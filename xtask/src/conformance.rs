//! `cargo xtask conformance`: unmodified real clients driven against powervm-sim.
//!
//! Each program of `conformance/` starts its own simulators on free ports, prints a line
//! `ok - NAME`, `not ok - NAME: WHY` or `skipped - NAME: WHY` a check, and ends with
//! `N passed, N failed, N skipped`. Several run at once; the last line of all is their sum.

mod programs;
mod tally;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;

use self::programs::{PROGRAMS, Program};
use self::tally::Tally;
use crate::command;
use crate::package;
use crate::python::Python;
use crate::watch::Stopwatch;
use crate::workspace::Workspace;

/// Which programs to run, and how.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Only these programs (the files of conformance/ without `.py`), comma-separated.
    #[arg(long, value_delimiter = ',', value_name = "PROGRAM", value_parser = known_program)]
    only: Vec<String>,
    /// Keep the simulators' logs and say where they are.
    #[arg(long)]
    keep: bool,
    /// Run all of Nova's own functional tests that are listed, not only the quick ones, and also the programs that the
    /// other runs leave out (docs/conformance.md names them).
    #[arg(long)]
    whole: bool,
    /// How many programs run at once [default: one for each processor].
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

impl Options {
    fn choose(&self, program: &Program) -> bool {
        if self.only.is_empty() {
            self.whole || !program.only_whole
        } else {
            self.only.iter().any(|name| name == program.name)
        }
    }
}

fn known_program(name: &str) -> Result<String, String> {
    if PROGRAMS.iter().any(|program| program.name == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = PROGRAMS.iter().map(|program| program.name).collect();
    Err(format!("the programs are {}", names.join(", ")))
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

/// The Python of the environment that this program runs in, made if it is not there.
pub(crate) fn environment(workspace: &Workspace, name: &str) -> Result<Python> {
    let program = PROGRAMS.iter().find(|program| program.name == name);
    let program = program.with_context(|| format!("there is no program {name}"))?;
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
        .filter(|program| options.choose(program))
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
        package::install(workspace, python, package::DEV)?;
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
    let mut last = String::new();
    let status = command::follow(command, |line| {
        println!("{name}: {line}");
        tally.count(line);
        if line.starts_with("not ok - ") {
            failures.push(line.trim_end().to_owned());
        }
        if !line.trim().is_empty() {
            line.clone_into(&mut last);
        }
    })?;
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
    fn what_runs_only_on_demand_is_run_by_name_and_as_part_of_the_whole() {
        let chosen = |options: &Options| {
            let programs = PROGRAMS.iter().filter(|program| options.choose(program));
            programs.map(|program| program.name).collect::<Vec<_>>()
        };
        let usual = chosen(&Options::default());
        let on_demand = PROGRAMS.iter().filter(|program| program.only_whole);
        assert!(
            on_demand
                .clone()
                .all(|program| !usual.contains(&program.name))
        );
        assert_eq!(usual.len() + on_demand.count(), PROGRAMS.len());
        let named = Options {
            only: vec!["nova_32".to_owned()],
            ..Options::default()
        };
        assert_eq!(chosen(&named), ["nova_32"]);
        let whole = Options {
            whole: true,
            ..Options::default()
        };
        assert_eq!(chosen(&whole).len(), PROGRAMS.len());
    }

    #[test]
    fn an_unknown_program_is_refused_with_the_names() {
        let error = known_program("nova").unwrap_err();
        assert!(error.contains("pypowervm_client"), "{error}");
    }
}
