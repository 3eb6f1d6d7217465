//! The command line `powervm`: nouns and verbs as users of the `openstack` client know them.
//!
//! `docs/use.md` describes it. Results go to standard output, everything else to standard error.

mod agent;
mod arguments;
mod config;
mod connection;
mod console;
mod doctor;
mod dry_run;
mod exit;
mod host;
mod image;
mod interface;
mod meters;
mod migration;
mod network;
mod nova;
mod output;
mod progress;
mod rebuild;
mod recover;
mod rescue;
mod resize;
mod server;
mod signals;
mod snapshot;
mod store;
mod volume;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use tokio_util::sync::CancellationToken;

use self::arguments::{Arguments, ImageVerb, Noun};
use self::connection::Origin;
use self::output::Output;
use self::progress::Bars;
use self::signals::Signals;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Control, Driver};

/// Reads the arguments, does what they say, and returns the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    let method = nova::method(&arguments.noun);
    log_to_stderr();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = Error::caused(
                ErrorKind::Local,
                "no threads could be started",
                "free some memory",
                error,
            );
            return output.failure(&error);
        }
    };
    let outcome = runtime.block_on(run(arguments, &output));
    match outcome {
        Ok(code) => code,
        Err(error) => match method {
            Some(method) => output.of(method).failure(&error),
            None => output.failure(&error),
        },
    }
}

async fn run(arguments: Arguments, output: &Output) -> Result<ExitCode> {
    let control = control(&arguments, output);
    let (connection, place) = (&arguments.connection, &arguments.place);
    let changes = match &arguments.noun {
        Noun::Server(verb) => verb.changes(),
        Noun::Network(verb) => verb.changes(),
        Noun::Host(verb) => verb.changes(),
        Noun::Metrics(_) | Noun::Image(ImageVerb::List) => false,
        // Nothing of a console is in the journal.
        Noun::Console(_) => false,
        Noun::Image(_) => true,
        Noun::Interface(_) | Noun::Volume(_) => true,
        // Nothing of the host is changed.
        Noun::Store(_) => false,
        Noun::Recover(verb) if !verb.apply || arguments.dry_run => {
            recover::show(connection, place, verb, output).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Noun::Doctor => return doctor::run(connection, place, output).await,
        Noun::Config(verb) => return config::run(connection, place, verb, output),
        Noun::Recover(_) => true,
    };
    let changes = changes && !arguments.dry_run;
    // What a server was before stands in the journal alone.
    let looks_back = matches!(&arguments.noun, Noun::Server(verb) if verb.looks_back());
    let driver = if changes || looks_back {
        connection::connect_to_change(connection, place).await?
    } else {
        connection::connect(connection, place).await?
    };
    let origin = Origin {
        connection,
        place,
        is_dry_run: arguments.dry_run,
    };
    let noun = &arguments.noun;
    let outcome = async {
        if changes && !matches!(noun, Noun::Recover(_)) {
            recover::first(&driver, &control).await?;
        }
        if arguments.dry_run {
            dry_run::show(&driver, noun, &origin, output, &control).await
        } else {
            act(&driver, noun, &origin, output, &control).await
        }
    };
    let outcome = outcome.await;
    connection::leave(driver.session()).await;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Does what the arguments say.
async fn act(
    driver: &Driver,
    noun: &Noun,
    origin: &Origin<'_>,
    output: &Output,
    control: &Control,
) -> Result<()> {
    match noun {
        Noun::Server(verb) => server::run(driver, verb, origin, output, control).await,
        Noun::Interface(verb) => interface::run(driver, verb, output, control).await,
        Noun::Volume(verb) => volume::run(driver, verb, output, control).await,
        Noun::Network(verb) => network::run(driver, verb, output, control).await,
        Noun::Host(verb) => host::run(driver, verb, output, control).await,
        Noun::Metrics(given) => meters::metrics(driver, given, output, control).await,
        Noun::Image(verb) => image::run(driver, verb, output, control).await,
        Noun::Console(verb) => console::run(driver, verb, output, control).await,
        Noun::Store(verb) => store::run(driver, verb, output, control).await,
        Noun::Recover(_) => recover::apply(driver, output, control).await,
        // Done before there is a driver, since it says why there can be none.
        Noun::Doctor | Noun::Config(_) => Ok(()),
    }
}

/// What goes along with the operation: interrupts cancel it, and a terminal shows how it goes.
fn control(arguments: &Arguments, output: &Output) -> Control {
    let mut control = Control::default().cancelled_by(cancel_on_interrupt());
    if let Some(bars) = Bars::on_terminal(output.is_json()) {
        control = control.watched_by(bars);
    }
    if arguments.dry_run {
        control = control.dry_run();
    }
    control
}

/// The first interrupt or `SIGTERM` undoes what is on its way, the second gives up at once.
fn cancel_on_interrupt() -> CancellationToken {
    let cancel = CancellationToken::new();
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            // The command itself can do without; its journal is there for such an end.
            eprintln!("signals cannot be listened to, an interrupt will undo nothing: {error}");
            return cancel;
        }
    };
    let token = cancel.clone();
    tokio::spawn(async move {
        signals.next().await;
        eprintln!("interrupted: undoing what was begun; interrupt again to leave it as it is");
        token.cancel();
        signals.next().await;
        eprintln!("given up: what was begun may be left on the host");
        std::process::exit(exit::CANCELLED.into());
    });
    cancel
}

/// Logs as `RUST_LOG` says, and without it what an operator should know.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}
