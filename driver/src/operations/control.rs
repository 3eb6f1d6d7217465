//! What goes along with every operation: who watches it, and how it is cancelled.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::plug_events::PlugEvents;
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
    plug_events: Option<Arc<dyn PlugEvents>>,
    cancel: CancellationToken,
    rehearsal: saga::Rehearsal,
    is_dry_run: bool,
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

    /// Has an operation that plugs interfaces wait until the network service has connected them, before it starts the
    /// server: as long as `vif_plugging_timeout` says, and only if `vif_plugging_is_fatal`.
    #[must_use]
    pub fn waiting_for_plugs(mut self, events: Arc<dyn PlugEvents>) -> Self {
        self.plug_events = Some(events);
        self
    }

    /// Repeats a step or an undo of the operation's saga, which has to change nothing: for tests.
    #[must_use]
    pub fn rehearsing(mut self, rehearsal: saga::Rehearsal) -> Self {
        self.rehearsal = rehearsal;
        self
    }

    /// Has the operation look at everything that it would look at before its first step, and end there with
    /// [`Error::DryRun`](crate::Error::DryRun), which has the steps. An operation that finds nothing to do ends as it always does.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.is_dry_run = true;
        self
    }

    /// Whether the operation ends before its first step.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    /// Who hears from the network service, if anybody does.
    pub(super) fn plug_events(&self) -> Option<&Arc<dyn PlugEvents>> {
        self.plug_events.as_ref()
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

    /// The same control for the steps of a saga: cancelled with the operation, and by [`Self::stop`].
    pub(crate) fn for_steps(&self) -> Self {
        Self {
            watcher: self.watcher.clone(),
            plug_events: self.plug_events.clone(),
            cancel: self.cancel.child_token(),
            rehearsal: self.rehearsal.clone(),
            is_dry_run: self.is_dry_run,
        }
    }

    /// The same control for an operation that is not to be cancelled half way.
    pub(crate) fn uncancelled(&self) -> Self {
        Self {
            cancel: CancellationToken::new(),
            ..self.clone()
        }
    }

    /// Stops what watches this control: a step failed, so the work of the others is for nothing.
    fn stop(&self) {
        self.cancel.cancel();
    }

    /// Ends when the operation is cancelled, its saga is dropped, or another of its steps failed.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let (mine, sagas) = (self.cancel.clone(), saga::cancellation());
        async move {
            tokio::select! {
                () = mine.cancelled() => {}
                () = sagas.cancelled() => {}
            }
        }
    }

    /// How a saga of the operation is run, whose steps have `steps` as their control.
    pub(crate) fn saga_options(&self, steps: &Self) -> saga::RunOptions {
        let (watcher, steps) = (self.watcher.clone(), steps.clone());
        let observer = saga::observe_with(move |event| {
            if let Some(watcher) = &watcher {
                watcher.note(&Progress::Step(event.clone()));
            }
            if matches!(event.phase, saga::Phase::Failed { .. }) {
                steps.stop();
            }
        });
        saga::RunOptions {
            rehearsal: self.rehearsal.clone(),
            ..saga::RunOptions::default()
        }
        .cancel(self.cancel.clone())
        .observer(observer)
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
