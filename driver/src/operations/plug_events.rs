//! Waiting until the network service says that the interfaces that were plugged carry traffic.
//!
//! An operation that plugs interfaces and then starts the server asks whoever came along in its [`Control`]: before it
//! plugs them, so that no news is missed, and before the server starts. Without anybody it waits for nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::control::{Control, Progress};
use super::driver::Driver;
use super::plan::PlannedInterface;
use crate::config;
use crate::error::{Error, ErrorKind, Result};

/// The step that waits.
pub(super) const PLUGGED: &str = "wait for the network";

/// Somebody who hears from the network service when ports carry traffic: `network-vif-plugged`.
///
/// Ports are named by the `id` of their [`NetworkInterface`](crate::network::NetworkInterface); interfaces without one are waited for by nobody.
pub trait PlugEvents: Send + Sync {
    /// Called before these ports of an instance are plugged: whatever is told of them from now on counts. Returns those
    /// of them that news are to be expected of, so not those that are active already.
    ///
    /// # Errors
    /// Nobody can listen; nothing is plugged then.
    fn expect<'a>(
        &'a self,
        instance: Uuid,
        ports: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<String>>>;

    /// Ends when all of these ports, which [`Self::expect`] returned, carry traffic. It is dropped when that takes too
    /// long, and may be called again after it has ended.
    ///
    /// # Errors
    /// What the network service said of a port that it could not connect, in words.
    fn plugged<'a>(
        &'a self,
        instance: Uuid,
        ports: &'a [String],
    ) -> BoxFuture<'a, Result<(), String>>;

    /// Called once after [`Self::expect`] when nobody waits any more, whatever the outcome.
    fn forget(&self, instance: Uuid, ports: &[String]) {
        let _ = (instance, ports);
    }
}

/// Ports whose news are listened to as long as this lives.
pub(super) struct Expected {
    events: Arc<dyn PlugEvents>,
    instance: Uuid,
    ports: Vec<String>,
    limit: Duration,
}

impl Expected {
    /// Whether an operation with this control waits for news of these interfaces at all.
    pub(super) fn is_wanted(
        driver: &Driver,
        control: &Control,
        interfaces: &[PlannedInterface],
    ) -> bool {
        let config = driver.config();
        control.plug_events().is_some()
            && config.vif_plugging_is_fatal
            && config.vif_plugging_timeout > 0
            && interfaces
                .iter()
                .any(|planned| planned.interface.id.is_some())
    }

    /// Listens, before the interfaces are plugged. None when there is nothing to wait for.
    ///
    /// # Errors
    /// Nobody can listen.
    pub(super) async fn of(
        driver: &Driver,
        control: &Control,
        instance: Uuid,
        interfaces: &[PlannedInterface],
    ) -> Result<Option<Self>> {
        let Some(events) = control.plug_events() else {
            return Ok(None);
        };
        if !Self::is_wanted(driver, control, interfaces) {
            return Ok(None);
        }
        let ports: Vec<String> = interfaces
            .iter()
            .filter_map(|planned| planned.interface.id.clone())
            .collect();
        let ports = events.expect(instance, &ports).await?;
        Ok((!ports.is_empty()).then(|| Self {
            events: Arc::clone(events),
            instance,
            ports,
            limit: config::wait(driver.config().vif_plugging_timeout),
        }))
    }

    /// Waits for the news.
    ///
    /// # Errors
    /// They do not come in time, or are bad; the operation was cancelled.
    pub(super) async fn wait(&self, control: &Control) -> Result<()> {
        control.note(&Progress::Waiting {
            what: "the network service connects the ports".to_owned(),
        });
        let plugged = self.events.plugged(self.instance, &self.ports);
        let heard = tokio::select! {
            heard = tokio::time::timeout(self.limit, plugged) => heard,
            () = control.stopped() => {
                return Err(Error::Cancelled { what: "the wait for the network".to_owned() });
            }
        };
        let (kind, why) = match heard {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => (
                ErrorKind::Refused,
                format!("the network service could not connect a port: {why}"),
            ),
            Err(_) => (
                ErrorKind::TimedOut,
                format!(
                    "the network service did not say within {} s that the ports are connected: {}",
                    self.limit.as_secs(),
                    self.ports.join(", ")
                ),
            ),
        };
        Err(Error::operation(
            kind,
            why,
            "see the logs of the host's network agent; vif_plugging_timeout says how long is waited",
        ))
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.events.forget(self.instance, &self.ports);
    }
}
