//! When to ask again, and how long to wait before.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::transport::{TransportError, TransportFailure};

/// How requests are repeated.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// Pauses before a request is repeated that the server refused as busy. Safe for every method: a refused
    /// request changed nothing. Real clients wait 5, 10 and 15 seconds.
    pub busy_pauses: Vec<Duration>,
    /// How often a request without side effects is tried in all when the connection fails; requests that were
    /// never sent are repeated as well, whatever their method.
    pub connection_tries: u32,
    /// Pause before the second try after a failed connection, doubled before each further one, and shortened by a
    /// random part of up to a half so that many clients do not return at once.
    pub connection_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            busy_pauses: [5, 10, 15].map(Duration::from_secs).to_vec(),
            connection_tries: 3,
            connection_pause: Duration::from_millis(500),
        }
    }
}

/// Whether a request that failed like this may be sent again without looking first: it never arrived, or it only
/// reads, or it removes something that stays removed. A server that took the whole of a long timeout is not asked
/// to do so again.
pub(super) fn may_repeat(method: &Method, error: &TransportError) -> bool {
    let harmless = *method == Method::GET || *method == Method::DELETE;
    let slow = matches!(error.failure(), TransportFailure::Timeout(_));
    !error.may_have_arrived() || (harmless && !slow)
}

/// Keeps a session that meets only failures from multiplying its load: each repeat after a failed connection
/// takes tokens, each success gives one back. When they are gone, errors surface at once.
#[derive(Debug)]
pub(super) struct RetryBudget(Mutex<u32>);

const FULL: u32 = 500;
const COST: u32 = 5;

impl RetryBudget {
    pub(super) fn full() -> RetryBudget {
        RetryBudget(Mutex::new(FULL))
    }

    pub(super) fn take(&self) -> bool {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let enough = *left >= COST;
        *left = if enough { *left - COST } else { *left };
        enough
    }

    pub(super) fn give_back(&self) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *left = FULL.min(*left + 1);
    }
}

/// Random pauses out of one seeded stream.
#[derive(Debug)]
pub(crate) struct Jitter(Mutex<ChaCha8Rng>);

impl Jitter {
    pub(crate) fn seeded(seed: u64) -> Jitter {
        Jitter(Mutex::new(ChaCha8Rng::seed_from_u64(seed)))
    }

    /// A pause between the two, both included.
    pub(crate) fn between(&self, least: Duration, most: Duration) -> Duration {
        let part: f64 = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random();
        least + most.saturating_sub(least).mul_f64(part)
    }

    /// 128 random bits.
    pub(super) fn bits(&self) -> u128 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random()
    }
}

#[cfg(test)]
mod tests {
    use super::super::transport::TransportFailure::{Broken, Connect, Tls};
    use super::*;

    #[test]
    fn changes_are_repeated_only_if_they_never_arrived() {
        let repeats = |method: Method, failure: TransportFailure| {
            may_repeat(&method, &TransportError::new(failure, "x"))
        };
        for method in [Method::GET, Method::DELETE, Method::PUT, Method::POST] {
            assert!(repeats(method.clone(), Connect) && repeats(method, Tls));
        }
        assert!(repeats(Method::GET, Broken) && repeats(Method::DELETE, Broken));
        assert!(!repeats(Method::PUT, Broken) && !repeats(Method::POST, Broken));
        let slow = TransportError::timeout(Duration::from_secs(1));
        assert!(!may_repeat(&Method::POST, &slow) && !may_repeat(&Method::GET, &slow));
    }

    #[test]
    fn the_budget_runs_dry_and_recovers() {
        let budget = RetryBudget::full();
        assert_eq!((0..1000).filter(|_| budget.take()).count(), 100);
        (0..5).for_each(|_| budget.give_back());
        assert!(budget.take() && !budget.take());
    }

    #[test]
    fn pauses_repeat_with_their_seed() {
        let draw = |seed| {
            let jitter = Jitter::seeded(seed);
            [(); 4].map(|()| jitter.between(Duration::from_secs(1), Duration::from_secs(2)))
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert!(
            draw(7)
                .iter()
                .all(|pause| (1.0..=2.0).contains(&pause.as_secs_f64()))
        );
    }
}
