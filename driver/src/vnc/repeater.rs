//! The repeater itself: who may connect, which console they get, and when it is closed.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::consoles::{Consoles, Line, Stream};
use super::{greeting, rfb};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::shared::Turns;

/// The port at which the drivers for OpenStack have it.
pub const PORT: u16 = 5901;
/// How long a client may take until it sees a console, the time to open that aside.
pub const HANDSHAKE: Duration = Duration::from_secs(30);
/// After how long a console is closed that nobody looks at any more.
pub const CLOSED_AFTER: Duration = Duration::from_secs(300);
/// The most clients at the same time.
pub const MOST_CLIENTS: usize = 64;
/// The most of them at one console.
pub const MOST_OF_ONE: usize = 8;
/// How long the repeater waits, after a socket could not be taken, before it tries the next.
const BREATH: Duration = Duration::from_millis(100);

/// A VNC repeater. Clones share everything.
#[derive(Clone)]
pub struct Repeater {
    shared: Arc<Shared>,
}

struct Shared {
    consoles: Box<dyn Consoles>,
    tls: Option<TlsAcceptor>,
    free: Arc<Semaphore>,
    /// Consoles are opened and closed one after the other, for each server.
    turns: Turns<Uuid>,
    open: Mutex<BTreeMap<Uuid, Open>>,
    /// Clients, and consoles that wait for their end: all of them hold the consoles.
    tasks: TaskTracker,
    /// Nobody is served any more.
    over: CancellationToken,
}

/// A console that is open.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    clients: usize,
    /// How often somebody has come: who waits to close it sees whether it was used again.
    visits: u64,
}

/// A client at a console, until it is dropped.
struct Visit {
    repeater: Repeater,
    server: Uuid,
}

impl Repeater {
    /// A repeater for these consoles, with TLS or without.
    #[must_use]
    pub fn of(consoles: impl Consoles, tls: Option<TlsAcceptor>) -> Self {
        let shared = Shared {
            consoles: Box::new(consoles),
            tls,
            free: Arc::new(Semaphore::new(MOST_CLIENTS)),
            turns: Turns::default(),
            open: Mutex::default(),
            tasks: TaskTracker::new(),
            over: CancellationToken::new(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Serves clients until it is cancelled; then lets them go, and closes the consoles that it opened. After that
    /// nothing of the repeater's holds them any more.
    ///
    /// # Errors
    /// A console that stays open.
    pub async fn serve(&self, listener: TcpListener, cancel: &CancellationToken) -> Result<()> {
        loop {
            let accepted = tokio::select! {
                () = cancel.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    let (repeater, cancel) = (self.clone(), cancel.clone());
                    let _ = stream.set_nodelay(true);
                    self.shared.tasks.spawn(async move {
                        tokio::select! {
                            () = cancel.cancelled() => {}
                            outcome = repeater.attend(stream) => match outcome {
                                Ok(()) => tracing::info!(%address, "a client has left its console"),
                                Err(error) => tracing::warn!(%address, %error, "a client was let go"),
                            },
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a client could not be taken");
                    sleep(BREATH).await;
                }
            }
        }
        self.close_all().await
    }

    /// Serves one client until it, or its console, hangs up.
    ///
    /// # Errors
    /// It is one too many, says nothing that is understood, names no server, or takes too long.
    pub async fn attend(&self, mut client: impl Stream + 'static) -> Result<()> {
        let shared = &self.shared;
        let _place = Arc::clone(&shared.free)
            .try_acquire_owned()
            .map_err(|_| refused(format!("there are {MOST_CLIENTS} clients already")))?;
        let asked = in_time(greeting::read(&mut client)).await?;
        let found = match asked {
            Some(server) => self.visit(server).await,
            None => Err(refused("it named no server".to_owned())),
        };
        let (_visit, mut console) = match found {
            Ok(found) => found,
            Err(error) => {
                in_time(client.write_all(greeting::UNKNOWN)).await?;
                return Err(error);
            }
        };
        in_time(client.write_all(greeting::WELCOME)).await?;
        let mut client: Line = match &shared.tls {
            None => Box::new(client),
            Some(tls) => {
                let handshake = async {
                    rfb::negotiate(&mut client, &mut console).await?;
                    tls.accept(client).await
                };
                Box::new(in_time(handshake).await?)
            }
        };
        match copy_bidirectional(&mut client, &mut console).await {
            Ok(_) => Ok(()),
            // How clients hang up.
            Err(error) if is_end(&error) => Ok(()),
            Err(error) => Err(broken(error)),
        }
    }

    /// Opens a console for a client.
    async fn visit(&self, server: Uuid) -> Result<(Visit, Line)> {
        let _turn = self.shared.turns.take(&server).await;
        if self
            .open()
            .get(&server)
            .is_some_and(|open| open.clients >= MOST_OF_ONE)
        {
            return Err(refused(format!(
                "{MOST_OF_ONE} clients look at that console already"
            )));
        }
        let console = self.shared.consoles.open(server).await?;
        let mut all = self.open();
        let open = all.entry(server).or_default();
        open.clients += 1;
        open.visits += 1;
        drop(all);
        let visit = Visit {
            repeater: self.clone(),
            server,
        };
        Ok((visit, console))
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<Uuid, Open>> {
        self.shared
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes a console after a while, unless somebody has come meanwhile.
    async fn close_later(self, server: Uuid, visits: u64) {
        tokio::select! {
            () = self.shared.over.cancelled() => return,
            () = sleep(CLOSED_AFTER) => {}
        }
        let _turn = self.shared.turns.take(&server).await;
        let is_idle = |open: &Open| open.clients == 0 && open.visits == visits;
        if !self.open().get(&server).is_some_and(is_idle) {
            return;
        }
        if let Err(error) = self.shared.consoles.close(server).await {
            tracing::warn!(%server, %error, "a console stays open");
        }
        self.open().remove(&server);
    }

    async fn close_all(&self) -> Result<()> {
        self.shared.over.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
        let servers: Vec<Uuid> = std::mem::take(&mut *self.open()).into_keys().collect();
        let mut outcome = Ok(());
        for server in servers {
            if let Err(error) = self.shared.consoles.close(server).await {
                outcome = outcome.and(Err(error));
            }
        }
        outcome
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut all = self.repeater.open();
        let Some(open) = all.get_mut(&self.server) else {
            return;
        };
        open.clients = open.clients.saturating_sub(1);
        let (clients, visits) = (open.clients, open.visits);
        drop(all);
        let shared = &self.repeater.shared;
        if clients == 0
            && !shared.over.is_cancelled()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let closing = self.repeater.clone().close_later(self.server, visits);
            shared.tasks.spawn_on(closing, &runtime);
        }
    }
}

/// What has to be done within the time of a handshake.
async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> Result<T> {
    let ended = timeout(HANDSHAKE, work).await;
    ended
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(broken)
}

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
    )
}

fn broken(error: io::Error) -> Error {
    Error::caused(
        ErrorKind::Local,
        "the client of a console was not understood, or was gone",
        "see what it speaks: CONNECT with a server's UUID, then RFB 3.7 or 3.8",
        error,
    )
}

fn refused(why: String) -> Error {
    Error::operation(
        ErrorKind::Precondition,
        format!("a client gets no console: {why}"),
        "name a server, or wait until somebody has left",
    )
}
