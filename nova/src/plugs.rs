//! Waiting for Neutron: Nova, which is Python, hears when ports carry traffic, and the operation waits for it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use powervm_driver::operations::PlugEvents;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::call::Call;
use crate::trouble::Trouble;

/// What was heard of the ports: nothing yet, that they are connected, or why not.
type Heard = Option<Result<(), String>>;

/// Python's end: hears that the operation waits, and says what Neutron has said.
#[derive(Debug)]
pub struct Plugs {
    waiting: Arc<Mutex<mpsc::Receiver<()>>>,
    heard: watch::Sender<Heard>,
}

/// The operation's end.
struct Ears {
    ports: Vec<String>,
    waiting: mpsc::Sender<()>,
    heard: watch::Receiver<Heard>,
}

/// Both ends, for ports of which Nova listens to news already.
#[must_use]
pub fn plugs(ports: Vec<String>) -> (Plugs, Arc<dyn PlugEvents>) {
    let (waiting, waited) = mpsc::channel(1);
    let (tell, heard) = watch::channel(None);
    let plugs = Plugs {
        waiting: Arc::new(Mutex::new(waited)),
        heard: tell,
    };
    let ears = Ears {
        ports,
        waiting,
        heard,
    };
    (plugs, Arc::new(ears))
}

impl Plugs {
    /// Ends when the operation waits for the ports (true), or is over without that.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn waiting(&self) -> Result<Call<bool>, Trouble> {
        let waiting = Arc::clone(&self.waiting);
        Call::start(&CancellationToken::new(), |_| async move {
            Ok(waiting.lock().await.recv().await.is_some())
        })
    }

    /// The ports are connected; or why they are not.
    pub fn done(&self, failure: Option<String>) {
        self.heard.send_replace(Some(failure.map_or(Ok(()), Err)));
    }
}

impl PlugEvents for Ears {
    fn expect<'a>(
        &'a self,
        _: Uuid,
        ports: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<String>, powervm_driver::Error>> {
        let expected = ports.iter().filter(|port| self.ports.contains(port));
        let expected = expected.cloned().collect();
        Box::pin(async move { Ok(expected) })
    }

    fn plugged<'a>(&'a self, _: Uuid, _: &'a [String]) -> BoxFuture<'a, Result<(), String>> {
        let mut heard = self.heard.clone();
        Box::pin(async move {
            // It has been told once; that is enough.
            let _ = self.waiting.try_send(());
            match heard.wait_for(Option::is_some).await {
                Ok(told) => told.clone().unwrap_or(Ok(())),
                Err(_) => Err("nobody listens to the network service any more".to_owned()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    fn ports(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn an_operation_waits_until_python_has_heard() {
        let (plugs, ears) = plugs(ports(&["a"]));
        let waiting = plugs.waiting().unwrap();
        let call: Call<Result<(), String>> =
            Call::start(&CancellationToken::new(), |_| async move {
                let expected = ears.expect(Uuid::nil(), &ports(&["a", "b"])).await?;
                assert_eq!(expected, ["a"]);
                Ok(ears.plugged(Uuid::nil(), &expected).await)
            })
            .unwrap();
        assert!(waiting.wait(LONG) && waiting.take().unwrap().unwrap());
        assert!(!call.wait(Duration::ZERO));
        plugs.done(Some("no agent".to_owned()));
        assert!(call.wait(LONG));
        assert_eq!(call.take().unwrap().unwrap(), Err("no agent".to_owned()));
    }

    #[test]
    fn an_operation_that_is_over_is_not_waited_for() {
        let (plugs, ears) = plugs(ports(&["a"]));
        drop(ears);
        let waiting = plugs.waiting().unwrap();
        assert!(waiting.wait(LONG));
        assert!(!waiting.take().unwrap().unwrap());
    }

    #[test]
    fn an_operation_does_not_wait_for_a_python_that_has_gone() {
        let (plugs, ears) = plugs(ports(&["a"]));
        drop(plugs);
        let call = Call::start(&CancellationToken::new(), |_| async move {
            Ok(ears.plugged(Uuid::nil(), &[]).await)
        })
        .unwrap();
        assert!(call.wait(LONG));
        assert!(call.take().unwrap().unwrap().is_err());
    }
}
