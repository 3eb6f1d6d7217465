//! A host that Nova's compute service drives.

use std::sync::Arc;

use powervm_driver::journal::JournalFile;
use powervm_driver::operations::{Control, LifecycleEvents};
use powervm_driver::operations::{Driver, NovaMethod};
use powervm_driver::rest::Session;
use powervm_driver::vnc::{self, Repeater};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::call::Call;
use crate::operations::{self, Along};
use crate::settings::Settings;
use crate::trouble::Trouble;

/// A connection to a host. Clones are the same.
#[derive(Clone)]
pub struct Host {
    driver: Driver,
    events: Arc<Mutex<Option<LifecycleEvents>>>,
    /// Cancels all calls.
    closing: CancellationToken,
    /// Operations that run, and who serves consoles.
    running: TaskTracker,
}

impl Host {
    /// Logs on, opens the journal, and checks the host. What another process left half done is dealt with by the
    /// operation `recover`.
    ///
    /// # Errors
    /// As [`Call::start`]; the call fails when the settings or the host are not fit for work.
    pub fn connect(settings: Settings) -> Result<Call<Self>, Trouble> {
        let closing = CancellationToken::new();
        let connect = async move {
            let config = settings.config()?;
            let endpoint = settings.endpoint()?;
            let path = config.journal.clone();
            if path.as_os_str().is_empty() {
                return Err(Trouble::invalid("the settings name no journal"));
            }
            let journal = JournalFile::open(&path, Some(unix_seconds)).await?;
            let session = Session::connect(endpoint, settings.session(&config)).await?;
            let driver =
                match Driver::connect_with(session.clone(), config, Arc::new(journal)).await {
                    Ok(driver) => driver,
                    Err(error) => {
                        // Nova's service starts again and again, and servers let in only so many.
                        if let Err(error) = session.logoff().await {
                            tracing::debug!(%error, "could not log off");
                        }
                        return Err(error.into());
                    }
                };
            let events = Arc::new(Mutex::new(Some(driver.lifecycle())));
            Ok(Self {
                driver,
                events,
                closing,
                running: TaskTracker::new(),
            })
        };
        Call::start(&CancellationToken::new(), |_| async move {
            connect
                .await
                .map_err(|trouble: Trouble| trouble.in_method(NovaMethod::InitHost))
        })
    }

    /// Begins an operation. The log speaks of it by this number.
    ///
    /// # Errors
    /// A request that is no JSON; as [`Call::start`].
    pub fn start(
        &self,
        operation: &str,
        request: &str,
        number: u64,
        along: Along,
    ) -> Result<Call<Value>, Trouble> {
        let request: Value = serde_json::from_str(request)
            .map_err(|error| Trouble::invalid(format!("the request is no JSON: {error}")))?;
        let (driver, operation) = (self.driver.clone(), operation.to_owned());
        let span = tracing::info_span!("call", number);
        Call::start(&self.closing, |cancel| {
            let work = async move {
                let control = Control::default().cancelled_by(cancel);
                operations::perform(&driver, &operation, &request, along, &control)
                    .await
                    .map_err(|trouble| trouble.in_method(operations::method(&operation, &request)))
            };
            self.running.track_future(work.instrument(span))
        })
    }

    /// Serves the consoles of all servers at this address, as long as the session lasts; tells the port.
    ///
    /// # Errors
    /// As [`Call::start`]; the call fails when nobody can listen there, or the certificates cannot be used.
    pub fn serve_consoles(&self, address: &str) -> Result<Call<Value>, Trouble> {
        let (driver, closing) = (self.driver.clone(), self.closing.clone());
        let (running, address) = (self.running.clone(), address.to_owned());
        Call::start(&self.closing, |_| async move {
            let tls = vnc::acceptor(&driver.config().vnc)?;
            let unusable =
                |error| Trouble::local(format!("no console can be served at {address}: {error}"));
            let listener = TcpListener::bind(&address).await.map_err(unusable)?;
            let port = listener.local_addr().map_err(unusable)?.port();
            let is_encrypted = tls.is_some();
            let repeater = Repeater::of(driver, tls);
            running.spawn(async move {
                if let Err(error) = repeater.serve(listener, &closing).await {
                    tracing::error!(%error, "consoles are served no more");
                }
            });
            Ok(json!({"port": port, "is_encrypted": is_encrypted}))
        })
    }

    /// Waits for what servers do by themselves; null once the session is over.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn event(&self) -> Result<Call<Value>, Trouble> {
        let events = Arc::clone(&self.events);
        Call::start(&self.closing, |cancel| async move {
            let mut events = events.lock().await;
            let Some(heard) = events.as_mut() else {
                return Ok(Value::Null);
            };
            let event = tokio::select! {
                () = cancel.cancelled() => None,
                event = heard.next() => event,
            };
            let Some(event) = event else {
                *events = None;
                return Ok(Value::Null);
            };
            Ok(json!({
                "instances": event.id.instances(),
                "transition": event.transition,
                "state": event.state,
            }))
        })
    }

    /// Cancels everything that runs, and logs off when it has undone what it did.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn close(&self) -> Result<Call<Value>, Trouble> {
        self.closing.cancel();
        self.running.close();
        let (session, events) = (self.driver.session().clone(), Arc::clone(&self.events));
        let running = self.running.clone();
        Call::start(&CancellationToken::new(), |_| async move {
            running.wait().await;
            *events.lock().await = None;
            session.logoff().await?;
            Ok(Value::Null)
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "operators want to know when an operation began; no operation depends on it"
)]
fn unix_seconds() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
