//! What happens on the server, as it happens: one long poll per session, shared by all who listen.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use http::Method;
use md5::{Digest, Md5};
use powervm_schema::xml::Element;
use secrecy::ExposeSecret;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::exchange::{ATOM, Exchange};
use super::path::{Groups, resolve};
use super::session::Session;
use crate::error::{Error, Result, printable};

/// Occurrences kept for a listener that is slow; a slower one is told to read everything again.
const BACKLOG: usize = 4096;
/// Pause after a failed poll, as the known clients make it.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Servers hold a poll for about ten seconds; one that answers "nothing" at once must not be asked in a loop.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

/// One event of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// `ADD_URI`, `MODIFY_URI`, `DELETE_URI`, `CUSTOM_CLIENT_EVENT` …
    pub kind: String,
    /// The server's number for it; grows.
    pub id: String,
    /// Whom it is about: an absolute URI under the server's own name for itself, so compare paths only.
    pub data: String,
    /// Names of what changed (`PartitionState`), or what a client put there.
    pub detail: String,
}

impl Occurrence {
    /// Whether this property is among those that changed.
    pub fn concerns(&self, property: &str) -> bool {
        self.detail
            .split(',')
            .any(|detail| detail.trim() == property)
    }

    fn of(event: &Element) -> Option<Occurrence> {
        let text = |name: &str| {
            printable(
                &event
                    .child(name)
                    .map(|child| child.text().into_owned())
                    .unwrap_or_default(),
            )
        };
        (event.local_name() == "Event").then(|| Occurrence {
            kind: text("EventType"),
            id: text("EventID"),
            data: text("EventData"),
            detail: text("EventDetail"),
        })
    }
}

/// What a listener gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something happened.
    Event(Arc<Occurrence>),
    /// Events may have been missed: whatever is known from before has to be read again. The first notice of a new
    /// queue, and what follows a failed poll, a server that dropped events, or a listener that was too slow.
    Resync,
}

/// A listener's end. Dropping the last one of a session stops the polling.
pub struct EventStream {
    receiver: broadcast::Receiver<Notice>,
    _hub: Arc<Hub>,
}

impl EventStream {
    /// The next notice; none after the session was logged off or lost.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.receiver.recv().await {
            Ok(notice) => Some(notice),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Notice::Resync),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The notices as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Notice> + Send {
        futures_util::stream::unfold(self, async |mut events| {
            events.next().await.map(|notice| (notice, events))
        })
    }
}

/// What the listeners of a session share.
pub(super) struct Hub {
    sender: broadcast::WeakSender<Notice>,
    _stop: DropGuard,
}

impl Session {
    /// Listens to the server's events from now on. The first listener starts the session's long poll, which runs in
    /// a task until the last one is dropped.
    pub fn events(&self) -> EventStream {
        let mut shared = self
            .core
            .events
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(hub) = shared.upgrade()
            && let Some(sender) = hub.sender.upgrade()
        {
            return EventStream {
                receiver: sender.subscribe(),
                _hub: hub,
            };
        }
        let (sender, receiver) = broadcast::channel(BACKLOG);
        let stop = CancellationToken::new();
        let hub = Arc::new(Hub {
            sender: sender.downgrade(),
            _stop: stop.clone().drop_guard(),
        });
        *shared = Arc::downgrade(&hub);
        let session = self.unscoped();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = session.poll_events(&sender) => {}
            }
        });
        EventStream {
            receiver,
            _hub: hub,
        }
    }

    async fn poll_events(&self, sender: &broadcast::Sender<Notice>) {
        // The queue's name stays that of the first token: a new one would start a new queue.
        let queue = Md5::digest(self.auth().token.expose_secret().as_bytes());
        let queue: String = queue.iter().map(|byte| format!("{byte:02x}")).collect();
        loop {
            let asked = Instant::now();
            match self.poll_once(&queue).await {
                Ok(occurrences) if occurrences.is_empty() => {
                    tokio::time::sleep_until(asked + LEAST_INTERVAL).await
                }
                Ok(occurrences) => {
                    for occurrence in occurrences {
                        let lost = matches!(
                            occurrence.kind.as_str(),
                            "NEW_CLIENT" | "CACHE_CLEARED" | "MISSING_EVENTS"
                        );
                        let notice = if lost {
                            Notice::Resync
                        } else {
                            Notice::Event(Arc::new(occurrence))
                        };
                        // No receiver is as good as a slow one: the hub stops this task when the last one is gone.
                        let _ = sender.send(notice);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no events");
                    if matches!(error, Error::Credentials { .. }) || self.auth().lost {
                        return;
                    }
                    tokio::time::sleep(AFTER_FAILURE).await;
                    let _ = sender.send(Notice::Resync);
                }
            }
        }
    }

    async fn poll_once(&self, queue: &str) -> Result<Vec<Occurrence>> {
        let query =
            format!("Event?QUEUE_CLIENTKEY_METHOD=USE_APPLICATIONID&QUEUE_APPLICATIONID={queue}");
        let path = resolve(&query, Groups::None)?;
        let exchange = Exchange::new(Method::GET, path, ATOM, self.core.options.answer_timeout);
        let answer = self.exchange(&exchange).await?;
        let feed = self.feed_of(&exchange, &answer)?;
        Ok(feed
            .entries
            .iter()
            .filter_map(|entry| Occurrence::of(&entry.content))
            .collect())
    }
}
