//! The command line of `powervm-harness`.

mod arguments;
mod audit;
mod list;
mod machine;
mod matrix;
mod mixed;
mod report;
mod run;
mod selection;
mod soak;
mod targets;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};

/// How a command ended, as its exit code tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// Everything passed: 0.
    Passed,
    /// Something failed, was left behind or was broken off: 1.
    Failed,
    /// The command line asks for something that there is not: 255, as for whatever else keeps a run from being. A CI
    /// tells three endings apart.
    Usage,
    /// The command could not run at all: 255.
    CouldNotRun,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Passed => Self::SUCCESS,
            Ending::Failed => Self::from(1),
            Ending::Usage | Ending::CouldNotRun => Self::from(255),
        }
    }
}

/// Why a command stopped before it had a result.
#[derive(Debug)]
struct Stop {
    ending: Ending,
    error: anyhow::Error,
}

impl Stop {
    fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self {
            ending: Ending::Usage,
            error: error.into(),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self {
            ending: Ending::CouldNotRun,
            error: error.into(),
        }
    }
}

/// Runs the program with the arguments of the process and tells its exit code: 0 when everything passed, 1 when
/// something failed, 255 when nothing could run, a wrong command line included.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors. Nothing is left to do when not even this can be printed.
            let _ = error.print();
            return if error.use_stderr() {
                Ending::Usage.into()
            } else {
                Ending::Passed.into()
            };
        }
    };
    log(match &arguments.command {
        Command::Ci(_) => "powervm_ci=info",
        _ => "",
    });
    let ended = match arguments.command {
        Command::Run(command) => run::run(&command),
        Command::Report(command) => report::report(&command),
        Command::List(command) => list::list(&command),
        Command::Audit(command) => audit::audit(&command),
        Command::Soak(command) => soak::soak(&command),
        Command::Sagas(command) => matrix::sagas(&command),
        Command::Crashes(command) => matrix::crashes(&command),
        Command::Faults(command) => matrix::faults(&command),
        Command::Ci(command) => return powervm_ci::cli::main(&command),
    };
    match ended {
        Ok(ending) => ending.into(),
        Err(stop) => {
            say(&format!("powervm-harness: {:#}", stop.error));
            stop.ending.into()
        }
    }
}

/// Logs to standard error as `RUST_LOG` says; without it what is given, by default nothing.
fn log(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .finish();
    // Somebody else's subscriber, in a test for instance, may stay.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Tells what a run left in this process; a run that left something has failed.
fn without_leaks(ending: Ending, leaks: &[String]) -> Ending {
    for leak in leaks {
        say(&format!("LEAK: {leak}"));
    }
    match ending {
        Ending::Passed if !leaks.is_empty() => Ending::Failed,
        ending => ending,
    }
}

/// Prints a line on standard error. A closed one is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Prints on standard output; a reader who went away, as `head` does, ends nothing.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
