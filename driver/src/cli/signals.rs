//! What ends a command from outside: an interrupt (`SIGINT`), or the `SIGTERM` of service managers, job runners and
//! `timeout`, which shall leave no more behind.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals to end, from now on.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes them from the system, which would end the process. Needs a runtime.
    ///
    /// # Errors
    /// The system does not give them.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next one of either kind.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
