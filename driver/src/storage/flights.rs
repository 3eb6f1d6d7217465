//! Work that many operations need done once, such as the upload of an image.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::error::{Error, ErrorKind, Result};

/// Flights by what they bring. A flight lives as long as somebody holds it.
pub(crate) struct Flights<T>(Mutex<BTreeMap<String, Weak<Flight<T>>>>);

/// One piece of work and, once it is done, its result.
pub(crate) struct Flight<T> {
    state: tokio::sync::Mutex<State<T>>,
    landed: Mutex<Option<T>>,
    failures: AtomicU64,
}

enum State<T> {
    Due,
    Done(T),
    Failed(Error),
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Flights<T> {
    /// The flight for this key, a new one when nobody holds one.
    pub(crate) fn board(&self, key: &str) -> Arc<Flight<T>> {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.strong_count() > 0);
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade) {
            return flight;
        }
        let flight = Arc::new(Flight {
            state: tokio::sync::Mutex::new(State::Due),
            landed: Mutex::new(None),
            failures: AtomicU64::new(0),
        });
        flights.insert(key.to_owned(), Arc::downgrade(&flight));
        flight
    }

    /// Whether anybody holds a flight that brought, or may yet bring, such a thing.
    pub(crate) fn is_held(&self, key: &str, is_it: impl Fn(&T) -> bool) -> bool {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.iter().any(|(held, flight)| {
            flight.upgrade().is_some_and(|flight| {
                held == key
                    || flight
                        .landed
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .as_ref()
                        .is_some_and(&is_it)
            })
        })
    }
}

impl<T: Clone> Flights<T> {
    /// Does work that nobody may be on a flight for meanwhile: nothing when somebody holds one of this key, or that
    /// brought such a thing; who boards one now waits until the work is done.
    pub(crate) async fn alone<R>(
        &self,
        key: &str,
        is_it: impl Fn(&T) -> bool,
        work: impl Future<Output = Result<R>>,
    ) -> Result<Option<R>> {
        let flight = self.board(key);
        let state = flight.state.lock().await;
        // One of these is ours.
        let others = Arc::strong_count(&flight) > 1;
        if others || self.is_held_under_another(key, is_it) {
            return Ok(None);
        }
        let done = work.await;
        drop(state);
        done.map(Some)
    }

    fn is_held_under_another(&self, key: &str, is_it: impl Fn(&T) -> bool) -> bool {
        let flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flights.iter().any(|(held, flight)| {
            held != key
                && flight.upgrade().is_some_and(|flight| {
                    let landed = flight.landed.lock().unwrap_or_else(PoisonError::into_inner);
                    landed.as_ref().is_some_and(&is_it)
                })
        })
    }
}

impl<T: Clone> Flight<T> {
    /// The result: of the work that was done, or that somebody does meanwhile, or that is done now.
    ///
    /// # Errors
    /// What the work returned. Whoever waited for work that failed gets its error and does not try
    /// it once more, unless it was cancelled: then the next one takes over.
    pub(crate) async fn result<F>(&self, work: impl FnOnce() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let failures = self.failures.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        match &*state {
            State::Done(result) => return Ok(result.clone()),
            State::Failed(error)
                if self.failures.load(Ordering::SeqCst) > failures
                    && error.kind() != ErrorKind::Cancelled =>
            {
                return Err(error.clone());
            }
            State::Due | State::Failed(_) => {}
        }
        match work().await {
            Ok(result) => {
                *self.landed.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
                *state = State::Done(result.clone());
                Ok(result)
            }
            Err(error) => {
                self.failures.fetch_add(1, Ordering::SeqCst);
                *state = State::Failed(error.clone());
                Err(error)
            }
        }
    }

    /// Forgets the result: it turned out not to be there any more.
    pub(crate) async fn forget(&self, is_it: impl Fn(&T) -> bool) {
        let mut state = self.state.lock().await;
        if matches!(&*state, State::Done(result) if is_it(result)) {
            *state = State::Due;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    use super::*;

    async fn slowly(times: &AtomicU32, outcome: Result<u32>) -> Result<u32> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        times.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_done_once_and_its_failure_is_everybodys() {
        let flights = Flights::default();
        for (outcome, expected) in [(Ok(7), Ok(7)), (Err(Error::internal("no")), Err(()))] {
            let times = AtomicU32::new(0);
            let flight = flights.board("a");
            let one = || slowly(&times, outcome.clone());
            let (a, b, c) =
                tokio::join!(flight.result(one), flight.result(one), flight.result(one));
            assert_eq!(times.load(Ordering::SeqCst), 1);
            for result in [a, b, c] {
                assert_eq!(result.map_err(drop), expected);
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_boards_while_work_is_done_alone() {
        let (flights, times) = (Flights::default(), AtomicU32::new(0));
        let flight = flights.board("a");
        let alone = flights.alone("a", |_| false, async { Ok(()) }).await;
        assert_eq!(alone.unwrap(), None, "somebody is on it");
        drop(flight);
        let removal = flights.alone("a", |_: &u32| false, async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(times.load(Ordering::SeqCst))
        });
        let upload = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            flights.board("a").result(|| slowly(&times, Ok(7))).await
        };
        let (removed, uploaded) = tokio::join!(removal, upload);
        assert_eq!((removed.unwrap(), uploaded.unwrap()), (Some(0), 7));
    }

    #[tokio::test(start_paused = true)]
    async fn cancelled_work_is_taken_over() {
        let (flights, times) = (Flights::default(), AtomicU32::new(0));
        let flight = flights.board("a");
        let cancelled = Err(Error::Cancelled {
            what: "upload".to_owned(),
        });
        let (a, b) = tokio::join!(
            flight.result(|| slowly(&times, cancelled)),
            flight.result(|| slowly(&times, Ok(1)))
        );
        assert!(a.is_err());
        assert_eq!(b.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_before_my_time_is_not_mine() {
        let (flights, times) = (Flights::default(), AtomicU32::new(0));
        let flight = flights.board("a");
        assert!(
            flight
                .result(|| slowly(&times, Err(Error::internal("no"))))
                .await
                .is_err()
        );
        assert_eq!(flight.result(|| slowly(&times, Ok(2))).await.unwrap(), 2);
        assert!(flights.is_held("a", |_| false) && flights.is_held("b", |unit| *unit == 2));
        flight.forget(|unit| *unit == 2).await;
        assert_eq!(flight.result(|| slowly(&times, Ok(3))).await.unwrap(), 3);
        drop(flight);
        assert!(!flights.is_held("a", |_| true));
    }
}
