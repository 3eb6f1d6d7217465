//! What a watch runs changes with.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::queue::Run;
use crate::run::{self, RunResult, process};

/// `ci run` ends what it began, and clears up, before it ends itself.
const GRACE: Duration = Duration::from_secs(45);

/// Runs a change, to its end or until it is cancelled. Everything that it began has ended when it returns.
pub trait Runner: Send + Sync {
    /// One run.
    fn run(&self, run: Run, cancel: CancellationToken) -> BoxFuture<'static, RunResult>;
}

/// `powervm-harness ci run` in a process of its own, which the operator's isolation may surround. It has none of this
/// process' secrets: no password, no environment.
#[derive(Debug, Clone)]
pub struct Processes {
    config: Config,
    config_file: PathBuf,
    program: PathBuf,
}

impl Processes {
    /// Runs `program` with this configuration, which it reads from `config_file`.
    #[must_use]
    pub fn new(config: Config, config_file: PathBuf, program: PathBuf) -> Self {
        Self {
            config,
            config_file,
            program,
        }
    }

    fn command(&self, run: &Run) -> (Command, PathBuf) {
        let folder = self.config.logs.join(&run.id);
        let mut words: Vec<std::ffi::OsString> =
            self.config.run.isolation.iter().map(Into::into).collect();
        words.push(self.program.clone().into());
        let mut words = words.into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .args(["ci", "run", "--config"])
            .arg(&self.config_file)
            .args(["--change", &format!("{}/{}", run.change, run.patch_set)])
            .args(["--commit", &run.commit, "--run-id", &run.id])
            .arg("--logs")
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        process::cleaned(&mut command);
        (command, folder)
    }
}

impl Runner for Processes {
    fn run(&self, run: Run, cancel: CancellationToken) -> BoxFuture<'static, RunResult> {
        let (command, folder) = self.command(&run);
        let whole = self.config.run.limits.whole + GRACE.as_secs() * 2;
        Box::pin(async move {
            // The result of an earlier try is not this one's.
            if folder.join("result.json").is_file()
                && let Err(error) = std::fs::remove_dir_all(&folder)
            {
                return RunResult::error(format!(
                    "the logs of an earlier try cannot be removed: {error}"
                ));
            }
            // It has a limit of its own; this is for one that does not keep it.
            let limit = Duration::from_secs(whole);
            let ended = process::watched(command, limit, GRACE, &cancel).await;
            match (ended, run::read_result(&folder)) {
                (Ok(process::Ended::Exited(_)), Ok(result)) => result,
                (Ok(process::Ended::Cancelled), _) => RunResult::error("it was cancelled"),
                (Ok(process::Ended::TimedOut), _) => {
                    RunResult::error("`ci run` did not end by itself")
                }
                (Ok(process::Ended::Exited(code)), Err(error)) => RunResult::error(format!(
                    "`ci run` ended with {code:?} and left no result: {error}"
                )),
                (Err(error), _) => RunResult::error(format!("`ci run` cannot be started: {error}")),
            }
        })
    }
}
