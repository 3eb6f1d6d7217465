//! A call that runs: waited for, listened to, cancelled.

use std::future::Future;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::trouble::Trouble;

/// Threads that carry all calls: they only wait for the network.
const WORKERS: usize = 4;

/// The one runtime, made with the first call: not in a process that forks afterwards.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> Result<&'static Runtime, Trouble> {
    static RUNTIME: OnceLock<io::Result<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            Builder::new_multi_thread()
                .worker_threads(WORKERS)
                .thread_name("powervm")
                .enable_all()
                .build()
        })
        .as_ref()
        .map_err(|error| Trouble::local(format!("the runtime cannot be started: {error}")))
}

/// A call and what comes of it. Clones are the same call.
#[derive(Debug)]
pub struct Call<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    state: Mutex<State<T>>,
    ended: Condvar,
    cancel: CancellationToken,
}

#[derive(Debug)]
struct State<T> {
    is_over: bool,
    result: Option<Result<T, Trouble>>,
    /// Both ends of the bell: one is rung, the other is listened to.
    bell: Option<(UnixStream, UnixStream)>,
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T: Send + 'static> Call<T> {
    /// Starts what `begin` makes; the token is cancelled with the call, and when its parent is.
    ///
    /// # Errors
    /// As [`runtime`].
    pub fn start<F>(
        parent: &CancellationToken,
        begin: impl FnOnce(CancellationToken) -> F,
    ) -> Result<Self, Trouble>
    where
        F: Future<Output = Result<T, Trouble>> + Send + 'static,
    {
        let call = Self::waiting(parent.child_token());
        let work = begin(call.shared.cancel.clone());
        let (work, ending) = (runtime()?.spawn(work), call.clone());
        runtime()?.spawn(async move {
            let result = work.await.unwrap_or_else(|error| {
                Err(Trouble::internal(format!("the call broke down: {error}")))
            });
            ending.end(result);
        });
        Ok(call)
    }

    /// A call that is over.
    #[must_use]
    pub fn over(result: Result<T, Trouble>) -> Self {
        let call = Self::waiting(CancellationToken::new());
        call.end(result);
        call
    }

    fn waiting(cancel: CancellationToken) -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    is_over: false,
                    result: None,
                    bell: None,
                }),
                ended: Condvar::new(),
                cancel,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, result: Result<T, Trouble>) {
        let mut state = self.state();
        state.is_over = true;
        state.result = Some(result);
        if let Some((bell, _)) = &mut state.bell {
            ring(bell);
        }
        drop(state);
        self.shared.ended.notify_all();
    }

    /// Whether it is over; waits so long for that.
    #[must_use]
    pub fn wait(&self, patience: Duration) -> bool {
        let state = self.state();
        let ended = self
            .shared
            .ended
            .wait_timeout_while(state, patience, |state| !state.is_over);
        let (state, _) = ended.unwrap_or_else(PoisonError::into_inner);
        state.is_over
    }

    /// A file descriptor that is readable once the call is over; it is closed with the call.
    ///
    /// # Errors
    /// The process has no file descriptors left.
    pub fn bell(&self) -> io::Result<RawFd> {
        let mut state = self.state();
        let is_over = state.is_over;
        let (bell, ear) = match &mut state.bell {
            Some(pair) => pair,
            none => none.insert(UnixStream::pair()?),
        };
        if is_over {
            ring(bell);
        }
        Ok(ear.as_raw_fd())
    }

    /// What came of it, once; none before it is over, and after it was taken.
    #[must_use]
    pub fn take(&self) -> Option<Result<T, Trouble>> {
        self.state().result.take()
    }

    /// Asks it to end. What it has done is undone first.
    pub fn cancel(&self) {
        self.shared.cancel.cancel();
    }
}

/// One byte for whoever listens. Nobody listens any more when it cannot be written.
fn ring(bell: &mut UnixStream) {
    let _ = bell
        .set_nonblocking(true)
        .and_then(|()| bell.write_all(b"."));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_call_is_waited_for_and_its_result_taken_once() {
        let call = Call::start(&CancellationToken::new(), |_| async { Ok(7) }).unwrap();
        assert!(call.wait(LONG));
        assert_eq!(call.take().unwrap().unwrap(), 7);
        assert!(call.take().is_none());
    }

    #[test]
    fn the_bell_rings_before_and_after_the_end() {
        let (tell, told) = tokio::sync::oneshot::channel::<()>();
        let call = Call::start(&CancellationToken::new(), |_| async {
            told.await.map_err(|_| Trouble::internal("never told"))
        })
        .unwrap();
        let early = call.bell().unwrap();
        assert!(!call.wait(Duration::ZERO));
        tell.send(()).unwrap();
        assert!(call.wait(LONG));
        assert_eq!(call.bell().unwrap(), early);
        let mut state = call.state();
        let (_, ear) = state.bell.as_mut().unwrap();
        let mut byte = [0];
        ear.read_exact(&mut byte).unwrap();
        assert_eq!(&byte, b".");
    }

    #[test]
    fn cancelling_the_parent_cancels_its_calls() {
        let parent = CancellationToken::new();
        let call: Call<()> = Call::start(&parent, |cancel| async move {
            cancel.cancelled().await;
            Err(Trouble::internal("cancelled"))
        })
        .unwrap();
        assert!(!call.wait(Duration::ZERO));
        parent.cancel();
        assert!(call.wait(LONG));
        assert!(call.take().unwrap().is_err());
    }

    #[test]
    fn a_call_that_panics_is_over_with_an_error() {
        let call: Call<()> = Call::start(&CancellationToken::new(), |_| async {
            panic!("on purpose")
        })
        .unwrap();
        assert!(call.wait(LONG));
        let trouble = call.take().unwrap().unwrap_err();
        assert!(trouble.message.contains("broke down"), "{trouble}");
    }
}
