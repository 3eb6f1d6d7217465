//! A command that runs until a signal ends it: log, runtime, signals.

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{self, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Runs a command on a runtime of its own.
pub(super) fn run(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    log();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no runtime")?;
    let done = runtime.block_on(command);
    // Whatever still runs then, such as a body that nobody sends on, ends with the process.
    runtime.shutdown_timeout(Duration::from_millis(50));
    done
}

/// What somebody outside asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM or SIGINT.
    End,
    /// SIGUSR1.
    Save,
}

/// The signals that are listened for.
pub(super) struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    user: unix::Signal,
}

impl Signals {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("no SIGTERM handler")?,
            interrupt: signal(SignalKind::interrupt()).context("no SIGINT handler")?,
            user: signal(SignalKind::user_defined1()).context("no SIGUSR1 handler")?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.user.recv() => Signal::Save,
        }
    }

    pub(super) async fn end(&mut self) {
        while self.next().await != Signal::End {}
    }
}

fn log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let coloured = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_writer(std::io::stderr);
    let _ = log.try_init();
}
