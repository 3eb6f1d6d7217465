//! Running a change: its source, an environment with it and our package, the scenarios, and the programs that use
//! Nova's API, against the simulator.
//!
//! Everything that comes from a change is a stranger's code. It runs in processes with a clean environment, a folder of
//! their own, bounded time and files; what more it needs, the operator gives (`[run] isolation`).

mod environment;
mod events;
mod lines;
mod logs;
pub mod process;
mod result;
mod source;
mod stage;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use powervm_report::results::Results;
use powervm_report::table;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::stage::{Site, StageError};
use crate::config::Config;

pub use result::{JobResult, Outcome, RunResult};
pub use source::{Source, reference};

/// The job that runs the scenarios.
const SCENARIOS: &str = "scenarios";
/// Where programs are told to write their event logs.
const EVENTS: &str = "POWERVM_EVENTS";
/// Largest `result.json`, in bytes.
const MOST_RESULT: u64 = 1 << 20;

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The Nova.
    pub source: Source,
    /// The run's name.
    pub run_id: String,
    /// The folder for logs.
    pub logs: PathBuf,
}

/// The programs of ours that a run starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// `powervm-harness`
    pub harness: PathBuf,
    /// `powervm-sim`
    pub simulator: PathBuf,
}

/// `result.json`: how a run ended, and what was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFile {
    /// The run's name.
    pub run_id: String,
    /// The change; none for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
    /// The patch set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch_set: Option<u32>,
    /// The patch set's commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How it ended.
    #[serde(flatten)]
    pub result: RunResult,
}

impl ResultFile {
    /// Reads `result.json` of a folder of logs.
    ///
    /// # Errors
    /// There is none, or it is none.
    pub fn read(logs: &Path) -> io::Result<Self> {
        let path = logs.join("result.json");
        if fs::metadata(&path)?.len() > MOST_RESULT {
            return Err(io::Error::other("it is too large"));
        }
        serde_json::from_slice(&fs::read(path)?).map_err(io::Error::other)
    }
}

/// How the run of a folder of logs ended.
///
/// # Errors
/// There is no result in it.
pub fn read_result(logs: &Path) -> io::Result<RunResult> {
    Ok(ResultFile::read(logs)?.result)
}

/// Runs it to its end; `result.json` in the folder of logs says how it ended, too.
pub async fn run(
    config: &Config,
    order: &Order,
    programs: &Programs,
    cancel: CancellationToken,
) -> RunResult {
    let (begun, date) = (Instant::now(), logs::now());
    let work = config.work().join(&order.run_id);
    let site = Site {
        logs: work.join("output"),
        work,
        file_mib: config.run.limits.file_mib,
        begun,
        until: begun + Duration::from_secs(config.run.limits.whole),
        cancel,
    };
    let mut order = order.clone();
    let mut result = match prepare(&site) {
        Ok(()) => stages(config, &mut order, programs, &site).await,
        Err(error) => RunResult::error(format!("the run's folders cannot be made: {error}")),
    };
    result.seconds = begun.elapsed().as_secs();
    if site.cancel.is_cancelled() {
        let _ = fs::remove_dir_all(&site.work);
        return RunResult::error("it was cancelled");
    }
    // Without logs there is nothing to vote with: people have to see why.
    let hosts = &config.run.hidden_hosts;
    if let Err(error) = logs::publish(&site.work, &order, hosts, date, &mut result) {
        return RunResult::error(format!("the logs cannot be kept: {error}"));
    }
    let (change, patch_set, commit) = match &order.source {
        Source::Change {
            number,
            patch_set,
            commit,
        } => (Some(*number), Some(*patch_set), commit.clone()),
        Source::Folder(_) => (None, None, None),
    };
    let file = ResultFile {
        run_id: order.run_id.clone(),
        change,
        patch_set,
        commit,
        result: result.clone(),
    };
    let written = write_result(&order.logs, &file);
    // The change's code may have taken rights away from its files; what is left is told.
    if let Err(error) = fs::remove_dir_all(&site.work) {
        tracing::warn!(%error, folder = %site.work.display(), "the run's folder cannot be removed");
    }
    match written {
        Ok(()) => result,
        Err(error) => RunResult::error(format!("result.json cannot be written: {error}")),
    }
}

fn write_result(logs: &Path, file: &ResultFile) -> io::Result<()> {
    let text = serde_json::to_string_pretty(file).map_err(io::Error::other)?;
    let mut temporary = tempfile::NamedTempFile::new_in(logs)?;
    io::Write::write_all(&mut temporary, text.as_bytes())?;
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    temporary.as_file().set_permissions(readable)?;
    temporary
        .persist(logs.join("result.json"))
        .map_err(|error| error.error)?;
    Ok(())
}

fn prepare(site: &Site) -> io::Result<()> {
    if site.work.exists() {
        // Of a run that was cut short.
        fs::remove_dir_all(&site.work)?;
    }
    for folder in ["home", "tmp", "programs", "output", "events"] {
        fs::create_dir_all(site.work.join(folder))?;
    }
    Ok(())
}

/// The order learns which commit a patch set is.
async fn stages(config: &Config, order: &mut Order, programs: &Programs, site: &Site) -> RunResult {
    let run = &config.run;
    let cache = config.work().join("cache");
    let source_limit = Duration::from_secs(run.limits.source);
    // The scenarios know nothing of the change: they run while packages are installed.
    let (source, python, scenarios) = tokio::join!(
        source::fetch(site, &order.source, &run.git, source_limit),
        environment::prepare(site, run, &cache),
        scenarios(site, config, programs),
    );
    let ((source, found), python) = match (source, python) {
        (Ok(source), Ok(python)) => (source, python),
        (Err(error), _) | (_, Err(error)) => return RunResult::error(error.to_string()),
    };
    if let Source::Change { commit, .. } = &mut order.source {
        *commit = found;
    }
    let mut jobs = match scenarios {
        Ok(job) => vec![job],
        Err(error) => return RunResult::error(error.to_string()),
    };
    let installed = environment::install(site, run, &python, &source).await;
    let mut why = None;
    match installed {
        Ok(()) => {
            for name in &run.programs {
                match program(site, config, programs, &python, name).await {
                    Ok(job) => jobs.push(job),
                    Err(error) => return RunResult::error(error.to_string()),
                }
            }
        }
        Err(error @ (StageError::Failed { .. } | StageError::TimedOut(_))) => {
            why = Some(error.to_string());
            jobs.push(JobResult {
                name: environment::INSTALL.to_owned(),
                outcome: outcome(&Err(error)).unwrap_or(Outcome::Error),
                after: site.begun.elapsed().as_secs(),
                seconds: 0,
                counts: None,
            });
        }
        Err(error) => return RunResult::error(error.to_string()),
    }
    let of = |wanted| jobs.iter().any(|job| job.outcome == wanted);
    let outcome = match () {
        () if of(Outcome::Failure) => Outcome::Failure,
        () if of(Outcome::TimedOut) => Outcome::TimedOut,
        () => Outcome::Success,
    };
    RunResult {
        outcome,
        seconds: 0,
        jobs,
        why,
    }
}

async fn scenarios(
    site: &Site,
    config: &Config,
    programs: &Programs,
) -> Result<JobResult, StageError> {
    let mut command = site.command(&programs.harness);
    let report = site.work.join("report");
    command
        .args(["run", "--quiet", "--report"])
        .arg(&report)
        .args(&config.run.scenarios)
        .current_dir(&config.run.checkout);
    let limit = config.run.limits.scenarios;
    let mut ended = job(site, SCENARIOS, command, limit).await;
    // Where nothing could run there may be none.
    let events = events::of_job(&site.work, SCENARIOS);
    let _ = fs::rename(report.join("events.jsonl"), &events);
    if let (Ok(job), Ok(results)) = (&mut ended, Results::read(&events)) {
        job.counts = Some(table::counts(&results));
    }
    ended
}

async fn program(
    site: &Site,
    config: &Config,
    programs: &Programs,
    python: &Path,
    name: &str,
) -> Result<JobResult, StageError> {
    let job_name = name.replace('_', "-");
    let mut command = site.command(python);
    command
        .arg(
            config
                .run
                .checkout
                .join("conformance")
                .join(format!("{name}.py")),
        )
        .arg("--simulator")
        .arg(&programs.simulator)
        .arg("--work")
        .arg(site.work.join("programs"))
        .arg("--keep")
        .env(EVENTS, events::of_job(&site.work, &job_name))
        .env("PYTHONUNBUFFERED", "1")
        // What is imported is compiled once, and not beside the checkout's files.
        .env(
            "PYTHONPYCACHEPREFIX",
            site.work.join("tmp").join("bytecode"),
        );
    job(site, &job_name, command, config.run.limits.program).await
}

/// Runs something that has a line of its own in what is said.
async fn job(
    site: &Site,
    name: &str,
    command: std::process::Command,
    limit: u64,
) -> Result<JobResult, StageError> {
    let (begun, after) = (Instant::now(), site.begun.elapsed().as_secs());
    let ended = site.run(name, command, Duration::from_secs(limit)).await;
    let seconds = begun.elapsed().as_secs();
    let last = stage::last_line(&site.output(name));
    Ok(JobResult {
        name: name.to_owned(),
        outcome: match outcome(&ended) {
            Some(outcome) => outcome,
            None => return Err(ended.err().unwrap_or(StageError::Cancelled)),
        },
        after,
        seconds,
        counts: last.contains(" passed").then_some(last),
    })
}

/// What the end of a command says of the change; nothing when it says nothing.
fn outcome(ended: &Result<(), StageError>) -> Option<Outcome> {
    match ended {
        Ok(()) => Some(Outcome::Success),
        Err(StageError::Failed {
            code: Some(255), ..
        }) => None,
        Err(StageError::Failed { .. }) => Some(Outcome::Failure),
        Err(StageError::TimedOut(_)) => Some(Outcome::TimedOut),
        Err(StageError::Cancelled | StageError::Impossible { .. }) => None,
    }
}
