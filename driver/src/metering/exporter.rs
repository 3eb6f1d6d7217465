//! Serves meters to Prometheus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::exposition::{Exposition, MEDIA_TYPE};
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Driver, Meter};

/// How long one who asks waits for the console.
const PATIENCE: Duration = Duration::from_secs(60);
/// The most who may wait at the same time; the console is asked for one of them.
const MOST_WAITING: usize = 16;

/// Serves the meters of a host. Clones share them.
#[derive(Clone)]
pub struct Exporter {
    shared: Arc<Shared>,
}

struct Shared {
    meter: Meter,
    waiting: tokio::sync::Semaphore,
    reads: AtomicU64,
    failures: AtomicU64,
}

impl Exporter {
    /// Of this driver's host.
    #[must_use]
    pub fn of(driver: &Driver) -> Self {
        let shared = Shared {
            meter: Meter::of(driver),
            waiting: tokio::sync::Semaphore::new(MOST_WAITING),
            reads: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The metrics, once.
    ///
    /// # Errors
    /// As [`Meter::read`].
    pub async fn once(&self) -> Result<String> {
        let exposition = Exposition {
            metered: Some(self.shared.meter.read().await?),
            reads: 1,
            failures: 0,
        };
        exposition.text()
    }

    /// The metrics now. When the console cannot be asked, they say that it is so.
    ///
    /// # Errors
    /// There is no memory for them.
    pub async fn text(&self) -> Result<String> {
        let shared = &self.shared;
        let reads = shared.reads.fetch_add(1, Ordering::Relaxed) + 1;
        let metered = match tokio::time::timeout(PATIENCE, shared.meter.read()).await {
            Ok(Ok(metered)) => Some(metered),
            Ok(Err(error)) => {
                tracing::error!(%error, "the meters cannot be read");
                None
            }
            Err(_) => {
                tracing::error!("the console did not answer in time");
                None
            }
        };
        let failed = u64::from(metered.is_none());
        let failures = shared.failures.fetch_add(failed, Ordering::Relaxed) + failed;
        let exposition = Exposition {
            metered,
            reads,
            failures,
        };
        exposition.text()
    }

    /// What serves `/metrics`.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/metrics", get(show))
            .with_state(self.clone())
    }

    /// Serves them until it is cancelled.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn serve(&self, listener: TcpListener, cancel: &CancellationToken) -> Result<()> {
        let served = axum::serve(listener, self.router());
        let cancelled = cancel.clone().cancelled_owned();
        // Whoever waits for the console then is let go.
        let outcome = tokio::select! {
            outcome = served.into_future() => outcome,
            () = cancelled => Ok(()),
        };
        outcome.map_err(|error| {
            let what = "the metrics cannot be served any more";
            Error::caused(ErrorKind::Local, what, "start it again", error)
        })
    }
}

async fn show(State(exporter): State<Exporter>) -> Response {
    let Ok(_turn) = exporter.shared.waiting.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match exporter.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "there are no metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
