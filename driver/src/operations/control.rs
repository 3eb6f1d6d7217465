//! What goes along with every operation: who watches it, and how it is cancelled.

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::saga;

/// Something that a watcher of an operation may show.
#[derive(Debug, Clone)]
pub enum Progress {
    /// A step began, ended, failed or was undone.
    Step(saga::Event),
    /// Bytes of an upload are on their way.
    Transfer {
        /// What is uploaded: an image's or a config drive's name on the server.
        what: Arc<str>,
        /// How many bytes were sent.
        sent: u64,
        /// How many there are.
        total: u64,
    },
    /// The operation waits for somebody else.
    Waiting {
        /// For what, in words.
        what: String,
    },
    /// Something is not as it should be, though the operation goes on.
    Warning {
        /// What, in words.
        what: String,
    },
}

/// Watches an operation. It is called from the operation itself, so it should be quick.
pub trait Watcher: Send + Sync {
    /// Takes note.
    fn note(&self, progress: &Progress);
}

impl<F: Fn(&Progress) + Send + Sync> Watcher for F {
    fn note(&self, progress: &Progress) {
        self(progress);
    }
}

/// Goes along with an operation. The default watches nothing and is never cancelled.
#[derive(Clone, Default)]
pub struct Control {
    watcher: Option<Arc<dyn Watcher>>,
    cancel: CancellationToken,
}

impl Control {
    /// Adds a watcher.
    #[must_use]
    pub fn watched_by(mut self, watcher: impl Watcher + 'static) -> Self {
        self.watcher = Some(Arc::new(watcher));
        self
    }

    /// Cancels the operation with this token. A cancelled operation undoes what it did before it returns.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Tells the watcher.
    pub(crate) fn note(&self, progress: &Progress) {
        if let Some(watcher) = &self.watcher {
            watcher.note(progress);
        }
    }

    /// Tells the watcher, and the log, of something odd.
    pub(crate) fn warn(&self, what: impl Into<String>) {
        let what = what.into();
        tracing::warn!("{what}");
        self.note(&Progress::Warning { what });
    }

    /// The token that cancels the operation.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.cancel
    }

    /// How a saga of the operation is run.
    pub(crate) fn saga_options(&self) -> saga::RunOptions {
        let options = saga::RunOptions::default().cancel(self.cancel.clone());
        match self.watcher.clone() {
            None => options,
            Some(watcher) => {
                options.observer(saga::observe_with(move |event| watcher.note(&Progress::Step(event.clone()))))
            }
        }
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Control")
            .field("watched", &self.watcher.is_some())
            .field("cancelled", &self.cancel.is_cancelled())
            .finish()
    }
}
