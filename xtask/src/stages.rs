//! The stages of `cargo xtask test`, cheapest first.

use std::process::Command;
use std::thread;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::conformance;
use crate::failures::Failures;
use crate::recordings;
use crate::workspace::Workspace;

/// One thing that is checked.
pub(crate) struct Stage {
    /// What `--only` and `--skip` call it.
    pub(crate) name: &'static str,
    /// What it does, shown when it starts.
    pub(crate) about: &'static str,
    /// What to do when it fails.
    pub(crate) advice: &'static str,
    /// Stages that must have passed before; `--only` brings them along.
    pub(crate) needs: &'static [&'static str],
    /// Does it.
    pub(crate) run: fn(&Workspace) -> Result<()>,
}

/// All stages in the order in which they run.
pub(crate) const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        about: "the code is formatted",
        advice: "run `cargo fmt --all`",
        needs: &[],
        run: |workspace| command::run(&mut workspace.cargo(["fmt", "--all", "--check"])),
    },
    Stage {
        name: "clippy",
        about: "the lints hold, warnings denied",
        advice: "read the lint's message above; most name the fix",
        needs: &[],
        run: |workspace| {
            command::run(&mut workspace.cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ]))?;
            // Python's side of the package for Nova is built with a feature only.
            command::run(&mut workspace.cargo([
                "clippy",
                "--package",
                "powervm-nova",
                "--features",
                "python",
                "--",
                "--deny",
                "warnings",
            ]))
        },
    },
    Stage {
        name: "recordings",
        about: "the recorded server responses are here",
        advice: "pip needs python3 and the Python package index; the message above says which is missing",
        needs: &[],
        run: |workspace| {
            let folder = recordings::fetch(workspace)?;
            println!("recordings: {}", folder.display());
            Ok(())
        },
    },
    Stage {
        name: "test",
        about: "the Rust tests pass",
        advice: "run the failing test alone with `cargo test -p CRATE NAME`",
        needs: &["recordings"],
        run: |workspace| {
            let folder = recordings::fetch(workspace).context("the tests need the recordings")?;
            let mut tests = workspace.cargo([
                "test",
                "--workspace",
                "--no-fail-fast",
                "--lib",
                "--bins",
                "--tests",
                "--examples",
            ]);
            let mut failures = Failures::default();
            eprintln!("$ {}", command::line(&tests));
            let status = command::follow(tests.env(recordings::VARIABLE, folder), |line| {
                println!("{line}");
                failures.line(line);
            })?;
            if !status.success() {
                bail!("{} ({status}){}", command::line(&tests), failures.told());
            }
            Ok(())
        },
    },
    Stage {
        name: "doctest",
        about: "the examples in the documentation work",
        advice: "run `cargo test --doc -p CRATE`",
        needs: &[],
        run: |workspace| command::run(&mut workspace.cargo(["test", "--workspace", "--doc"])),
    },
    Stage {
        name: "doc",
        about: "the documentation builds, warnings denied",
        advice: "run `cargo doc --workspace --no-deps` and mend the links that it names",
        needs: &[],
        run: |workspace| {
            command::run(
                workspace
                    .cargo(["doc", "--workspace", "--no-deps"])
                    .env("RUSTDOCFLAGS", "--deny warnings"),
            )
        },
    },
    Stage {
        name: "soak",
        about: "a simulated day of mixed load in stormy weather leaves nothing behind",
        advice: "read what is LEAK, VIOLATED or UNEXPECTED above; the same seed repeats the day",
        needs: &[],
        run: soak,
    },
    Stage {
        name: "conformance",
        about: "unmodified real clients agree with the simulator",
        advice: "the checks that say `not ok` tell why; run `cargo xtask conformance --keep` to keep the simulator's log",
        needs: &[],
        run: |workspace| conformance::run(workspace, &conformance::Options::default()),
    },
];

/// Both flavours at the same time: each is one thread.
fn soak(workspace: &Workspace) -> Result<()> {
    command::run(&mut workspace.cargo(["build", "--workspace", "--bins"]))?;
    let day = |flavor: &str| {
        let mut soak = Command::new(workspace.debug_binary("powervm-harness"));
        soak.args(["soak", "--hours", "24", "--weather", "stormy"])
            .args(["--check-invariants", "--parallel", "4", "--flavor", flavor]);
        command::run(&mut soak)
    };
    thread::scope(|scope| {
        let days = ["hmc", "novalink"].map(|flavor| scope.spawn(move || day(flavor)));
        let ended = days.map(|day| day.join().unwrap_or_else(|_| bail!("the day panicked")));
        ended.into_iter().collect()
    })
}

/// The stage of that name.
pub(crate) fn named(name: &str) -> Option<&'static Stage> {
    STAGES.iter().find(|stage| stage.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_is_a_stage_that_runs_before() {
        for (at, stage) in STAGES.iter().enumerate() {
            for need in stage.needs {
                let before = STAGES.iter().position(|other| other.name == *need);
                assert!(
                    before.is_some_and(|b| b < at),
                    "{} needs {need}",
                    stage.name
                );
            }
        }
    }

    #[test]
    fn names_are_unique() {
        for stage in STAGES {
            let same = STAGES.iter().filter(|other| other.name == stage.name);
            assert_eq!(same.count(), 1, "{}", stage.name);
        }
    }
}
