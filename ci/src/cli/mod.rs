//! `powervm-harness ci`.

mod run;
mod vote;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, ConfigError};
use crate::gerrit::socket::{SocketError, Sockets};
use crate::gerrit::{Credentials, Gerrit};
use crate::secret::{self, SecretError};

/// `ci`
#[derive(Debug, Args)]
pub struct Ci {
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch Gerrit, run what is new and say how it ended, until a signal (TERM or INT) ends it.
    Watch(Watch),
    /// Run one change of Nova, or a folder with a Nova in it. Exit codes: 0 passed, 1 failed, 255 could not run.
    Run(Run),
    /// Say in Gerrit how a run ended: once, however often it is called.
    Vote(Vote),
}

/// `ci watch`
#[derive(Debug, Args)]
struct Watch {
    /// The configuration (docs/third-party-ci.md).
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Look once, run what there is, say how it ended, and end.
    #[arg(long)]
    once: bool,
}

/// `ci run`
#[derive(Debug, Args)]
struct Run {
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// A change and its patch set, fetched from `[run] git`.
    #[arg(long, value_name = "N/M", value_parser = change, required_unless_present = "source")]
    change: Option<(u64, u32)>,
    /// The commit that the patch set has to be.
    #[arg(long, value_name = "COMMIT", requires = "change")]
    commit: Option<String>,
    /// A folder with a Nova in it instead: it stays as it is.
    #[arg(long, value_name = "DIR", conflicts_with = "change")]
    source: Option<PathBuf>,
    /// The run's name, by default `manual`, or of the change.
    #[arg(long, value_name = "NAME", value_parser = name)]
    run_id: Option<String>,
    /// Folder for logs, by default one of the run's name below `logs`.
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
}

/// `ci vote`
#[derive(Debug, Args)]
struct Vote {
    /// The configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Folder with the logs of the run: its result.json tells how it ended.
    #[arg(long, value_name = "DIR")]
    logs: PathBuf,
    /// Print what would be said, and say nothing.
    #[arg(long)]
    dry_run: bool,
    /// Say it although something of ours is there already on this patch set: somebody asked for the run.
    #[arg(long)]
    again: bool,
}

/// Why a command had no result: exit code 255.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error(transparent)]
    Queue(#[from] crate::queue::QueueError),
    #[error(transparent)]
    Gerrit(#[from] crate::gerrit::GerritError),
    #[error("{0}")]
    Other(String),
}

/// Does it, and tells the exit code of the process: 0 passed, 1 failed, 255 could not run.
#[must_use]
pub fn main(arguments: &Ci) -> ExitCode {
    let ended = match &arguments.command {
        Command::Watch(command) => watch::watch(command),
        Command::Run(command) => run::run(command),
        Command::Vote(command) => vote::vote(command),
    };
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(stop) => {
            say(&format!("powervm-harness ci: {stop}"));
            ExitCode::from(255)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Stop> {
    let made = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    made.map_err(|error| Stop::Other(format!("cannot start the runtime: {error}")))
}

/// Gerrit, with the account of the configuration if it has one.
fn gerrit(config: &Config) -> Result<Gerrit, Stop> {
    let gerrit = &config.gerrit;
    let credentials = match (&gerrit.username, &gerrit.password_file) {
        (Some(username), Some(file)) => Some(Credentials {
            username: username.clone(),
            password: secret::read(file)?,
        }),
        _ => None,
    };
    let sockets = Sockets::new(gerrit.ca.as_deref())?;
    Ok(Gerrit::new(
        Arc::new(sockets),
        &gerrit.url,
        credentials,
        gerrit.timeout(),
    ))
}

/// Cancelled by the first signal to end; the second one ends the process.
fn until_signal() -> Result<CancellationToken, Stop> {
    use tokio::signal::unix::{SignalKind, signal};
    let none = |error: io::Error| Stop::Other(format!("no signals can be heard: {error}"));
    let mut term = signal(SignalKind::terminate()).map_err(none)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(none)?;
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    tokio::spawn(async move {
        for turn in 0..2 {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            if turn == 0 {
                say("stopping: what is under way is ended and waits for the next start");
                token.cancel();
            }
        }
        std::process::exit(255);
    });
    Ok(cancel)
}

/// Jitter need not be the same on two machines.
fn seed(config: &Config) -> u64 {
    let bytes = config.name.bytes().chain(std::process::id().to_ne_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// `N/M`, as Gerrit's page writes it.
fn change(text: &str) -> Result<(u64, u32), String> {
    let parsed = text.split_once('/').or_else(|| text.split_once(','));
    let parsed = parsed
        .and_then(|(change, patch_set)| Some((change.parse().ok()?, patch_set.parse().ok()?)));
    match parsed {
        Some((change, patch_set)) if change > 0 && patch_set > 0 => Ok((change, patch_set)),
        _ => Err("has to be a change and a patch set, such as 987654/3".to_owned()),
    }
}

/// What can be the name of a folder.
fn name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.is_empty() && text.len() <= 128 && !text.starts_with('.') && text.chars().all(legal) {
        Ok(text.to_owned())
    } else {
        Err("letters, digits, -, _ and . alone, at most 128".to_owned())
    }
}

/// Prints a line on standard error. A closed one is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints on standard output.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        ci: Ci,
    }

    #[test]
    fn the_command_line_is_consistent_and_careful() {
        Program::command().debug_assert();
        assert_eq!(change("987654/3"), Ok((987_654, 3)));
        assert_eq!(change("987654,3"), Ok((987_654, 3)));
        for text in ["", "1", "0/1", "1/0", "1/2/3", "a/b", "-1/2"] {
            assert!(change(text).is_err(), "{text}");
        }
        assert!(name("12-3-0a1b2c3d").is_ok());
        for text in ["", "..", "a/b", ".hidden", "a b"] {
            assert!(name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_run_needs_a_change_or_a_folder_and_not_both() {
        let parse = |words: &[&str]| {
            Program::try_parse_from([&["p", "run", "--config", "c"], words].concat())
        };
        assert!(parse(&[]).is_err());
        assert!(parse(&["--change", "1/2", "--source", "d"]).is_err());
        assert!(parse(&["--source", "d"]).is_ok());
        assert!(parse(&["--change", "1/2"]).is_ok());
    }
}
