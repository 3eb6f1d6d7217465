//! A logged-on session: what all requests of one driver share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use http::{HeaderValue, StatusCode};
use powervm_schema::xml::{Element, Limits};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, Semaphore};

use super::count::{CallCounts, CallObserver, CallRecord};
use super::endpoint::{Credentials, Endpoint};
use super::events::Hub;
use super::logon;
use super::retry::{Jitter, RetryBudget, RetryPolicy};
use super::socket::HttpTransport;
use super::together::Gathering;
use super::transport::Transport;
use crate::error::{Error, Result};

/// What kind of server this is; it says so when a session logs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flavor {
    /// A Hardware Management Console, with one or more systems.
    Hmc,
    /// NovaLink, a partition that manages its own system.
    NovaLink,
}

/// How a session behaves.
#[derive(Clone)]
pub struct SessionOptions {
    /// Put into the server's audit log with every request (`X-Audit-Memento`). Visible ASCII.
    pub audit_memento: String,
    /// How requests are repeated.
    pub retry: RetryPolicy,
    /// How often the first logon is tried while the server cannot be reached or does not know the URL yet
    /// (it is starting). A refused password is never tried again: consoles lock accounts.
    pub connect_tries: u32,
    /// Pause between these tries.
    pub connect_pause: Duration,
    /// How long an answer may take, its body included.
    pub answer_timeout: Duration,
    /// How long the answer to an update may take: a VIOS changes its mappings within it.
    pub update_timeout: Duration,
    /// How long an upload may stand still, in either direction, before it is given up.
    pub stall_timeout: Duration,
    /// Uploads at a time; the others wait for their turn.
    pub uploads: usize,
    /// The largest document that is read, in bytes.
    pub document_limit: u64,
    /// Pause before each look at a running job.
    pub job_poll: Duration,
    /// Seeds the pauses between retries and the name under which a token file is asked for.
    pub seed: u64,
    /// Sees every request.
    pub observer: Option<Arc<dyn CallObserver>>,
}

impl Default for SessionOptions {
    /// The waits of the known clients: 1200 s for an answer, an hour for an update, jobs looked at every second.
    fn default() -> SessionOptions {
        SessionOptions {
            audit_memento: "powervm".to_owned(),
            retry: RetryPolicy::default(),
            connect_tries: 1,
            connect_pause: Duration::from_secs(2),
            answer_timeout: Duration::from_secs(1200),
            update_timeout: Duration::from_secs(3600),
            stall_timeout: Duration::from_secs(60),
            uploads: 3,
            document_limit: 64 << 20,
            job_poll: Duration::from_secs(1),
            seed: 0,
            observer: None,
        }
    }
}

/// A session with one server. Clones share it; it stays logged on until [`Session::logoff`].
#[derive(Clone)]
pub struct Session {
    pub(super) core: Arc<Core>,
    scopes: Vec<CallCounts>,
}

pub(super) struct Core {
    pub(super) endpoint: Endpoint,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) options: SessionOptions,
    pub(super) memento: HeaderValue,
    pub(super) limits: Limits,
    pub(super) auth: Mutex<Auth>,
    pub(super) logon_turn: tokio::sync::Mutex<()>,
    pub(super) flavor: Flavor,
    pub(super) budget: RetryBudget,
    pub(super) jitter: Jitter,
    pub(super) upload_turns: Semaphore,
    pub(super) events: Mutex<Weak<Hub>>,
    /// The server's clock, in seconds since 1970, at its last answer; 0 before one told it.
    pub(super) server_time: AtomicU64,
    /// The highest number of a job that the server has told; 0 before the first.
    pub(super) newest_job: AtomicU64,
    /// The forms of jobs, by the type of their target and their operation.
    pub(super) templates: Mutex<Templates>,
    /// Readings of feeds that have not begun.
    pub(super) gathering: Gathering,
    requests: AtomicU64,
    counts: CallCounts,
}

/// The forms of jobs by the type of their target and their operation; a cell is there as soon as one is asked for.
type Templates = BTreeMap<(String, String), Arc<OnceCell<Element>>>;

/// The session's token and what became of it.
#[derive(Clone)]
pub(super) struct Auth {
    pub(super) token: SecretString,
    /// Counts logons, so that of many requests that meet an expired token only the first logs on again.
    pub(super) generation: u64,
    /// A logon was refused, or the session was logged off: no further logon is tried.
    pub(super) lost: bool,
}

impl Session {
    /// Logs on over sockets, with [`HttpTransport`].
    ///
    /// # Errors
    /// As [`Session::logon`].
    pub async fn connect(endpoint: Endpoint, options: SessionOptions) -> Result<Session> {
        let transport = Arc::new(HttpTransport::new(&endpoint)?);
        Session::logon(endpoint, transport, options).await
    }

    /// Logs on through this transport.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 401 for a refused user or password, which is not tried again;
    /// [`Error::Unreachable`] when no try reached the server; [`Error::Credentials`] when the token file cannot be
    /// used; [`Error::BadAnswer`] when the server is none of this API.
    pub async fn logon(
        endpoint: Endpoint,
        transport: Arc<dyn Transport>,
        options: SessionOptions,
    ) -> Result<Session> {
        let memento = HeaderValue::from_str(&options.audit_memento).map_err(|_| {
            Error::invalid(
                "the audit memento cannot be a header's value",
                "use visible ASCII characters only",
            )
        })?;
        if endpoint.is_tls() && *endpoint.trusted() == super::Trust::Anything {
            tracing::warn!(server = %endpoint.origin(), "the server's certificate is not checked");
        }
        if !endpoint.is_tls() && !endpoint.is_loopback() {
            tracing::warn!(server = %endpoint.origin(), "credentials travel unencrypted");
        }
        let limits = Limits {
            bytes: usize::try_from(options.document_limit).unwrap_or(usize::MAX),
            ..Limits::RESPONSE
        };
        let mut core = Core {
            jitter: Jitter::seeded(options.seed),
            upload_turns: Semaphore::new(options.uploads.max(1)),
            auth: Mutex::new(Auth {
                token: SecretString::default(),
                generation: 0,
                lost: false,
            }),
            logon_turn: tokio::sync::Mutex::default(),
            flavor: Flavor::Hmc,
            budget: RetryBudget::full(),
            events: Mutex::default(),
            server_time: AtomicU64::new(0),
            newest_job: AtomicU64::new(0),
            templates: Mutex::default(),
            gathering: Gathering::default(),
            requests: AtomicU64::new(0),
            counts: CallCounts::new(),
            endpoint,
            transport,
            options,
            memento,
            limits,
        };
        let (token, flavor) = logon::first(&core).await?;
        core.flavor = flavor;
        core.auth = Mutex::new(Auth {
            token,
            generation: 1,
            lost: false,
        });
        tracing::info!(server = %core.endpoint.origin(), ?flavor, "logged on");
        Ok(Session {
            core: Arc::new(core),
            scopes: Vec::new(),
        })
    }

    /// What kind of server this is.
    pub fn flavor(&self) -> Flavor {
        self.core.flavor
    }

    /// The server's address.
    pub fn endpoint(&self) -> &Endpoint {
        &self.core.endpoint
    }

    /// How this session behaves.
    pub fn options(&self) -> &SessionOptions {
        &self.core.options
    }

    /// Whether it logged on with a password, and not with a token file.
    pub fn has_password(&self) -> bool {
        matches!(
            self.core.endpoint.logon_credentials(),
            Credentials::Password { .. }
        )
    }

    /// The server's clock at its last answer that told it, in seconds since 1970.
    #[must_use]
    pub fn server_time(&self) -> Option<u64> {
        let time = self.core.server_time.load(Ordering::Relaxed);
        (time > 0).then_some(time)
    }

    /// The highest number of a job of this session. Servers count them upwards.
    pub(crate) fn newest_job(&self) -> Option<u64> {
        let number = self.core.newest_job.load(Ordering::Relaxed);
        (number > 0).then_some(number)
    }

    /// All requests of this session so far, those of its scopes included.
    pub fn counts(&self) -> &CallCounts {
        &self.core.counts
    }

    /// The same session, whose requests through the returned value are counted in `counts` as well. Requests of a
    /// joint update are counted for whoever began it.
    #[must_use]
    pub fn counted_in(&self, counts: CallCounts) -> Session {
        let mut scoped = self.clone();
        scoped.scopes.push(counts);
        scoped
    }

    /// The session for its own errands, which nobody's scope counts.
    pub(super) fn unscoped(&self) -> Session {
        Session {
            core: Arc::clone(&self.core),
            scopes: Vec::new(),
        }
    }

    /// Ends the session on the server. Requests after it fail with [`Error::Credentials`].
    ///
    /// # Errors
    /// When the server could not be told; it forgets the session by itself after a while.
    pub async fn logoff(&self) -> Result<()> {
        logon::logoff(self).await
    }

    pub(crate) fn jitter(&self) -> &Jitter {
        &self.core.jitter
    }

    pub(super) fn auth(&self) -> Auth {
        self.core
            .auth
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn record(&self, record: &CallRecord) {
        self.core.record(record);
        for scope in &self.scopes {
            scope.called(record);
        }
    }
}

impl Core {
    pub(super) fn next_number(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn record(&self, record: &CallRecord) {
        tracing::debug!(
            number = record.number,
            method = %record.method,
            path = %record.path,
            status = record.status.map(|status| status.as_u16()),
            took = ?record.took,
            "request"
        );
        self.counts.called(record);
        if let Some(observer) = &self.options.observer {
            observer.called(record);
        }
    }

    /// Text of the server without our password or token, should it have sent them back.
    pub(super) fn scrubbed(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let token = self
            .auth
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .token
            .clone();
        let mut hide = |secret: &SecretString| {
            let secret = secret.expose_secret();
            if !secret.is_empty() && text.contains(secret) {
                text = text.replace(secret, "[redacted]");
            }
        };
        hide(&token);
        if let Credentials::Password { password, .. } = self.endpoint.logon_credentials() {
            hide(password);
        }
        text
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Session");
        out.field("server", &self.core.endpoint.origin())
            .field("flavor", &self.core.flavor)
            .finish_non_exhaustive()
    }
}

/// Whether this answer says that the token is not valid, or no longer.
pub(super) fn is_unauthorized(status: StatusCode) -> bool {
    status == StatusCode::UNAUTHORIZED
}
