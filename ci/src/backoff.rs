//! How long to wait before the next try.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Waits that double, with jitter, so that all the CIs of a Gerrit that comes back do not come back at once.
#[derive(Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
    chance: ChaCha8Rng,
}

/// No server is believed that says to stay away for longer.
const LONGEST: Duration = Duration::from_secs(3600);

impl Backoff {
    /// Waits from about `least` to about `most`; the same seed gives the same ones.
    #[must_use]
    pub fn new(least: Duration, most: Duration, seed: u64) -> Self {
        Self {
            least,
            most,
            next: least,
            chance: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// The next wait: between half of the doubled last one and all of it, and no less than the server asks for.
    pub fn wait(&mut self, asked: Option<Duration>) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.most);
        let drawn = whole.mul_f64(self.chance.random_range(0.5..=1.0));
        asked.map_or(drawn, |asked| asked.min(LONGEST) + drawn / 4)
    }

    /// Something went well: the next wait is short again.
    pub fn reset(&mut self) {
        self.next = self.least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_honour_what_the_server_asks() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, second * 8, 7);
        for whole in [1, 2, 4, 8, 8, 8] {
            let wait = backoff.wait(None);
            assert!(
                wait <= second * whole && wait >= second * whole / 2,
                "{wait:?}"
            );
        }
        let asked = backoff.wait(Some(second * 30));
        assert!(asked >= second * 30 && asked <= second * 33, "{asked:?}");
        assert!(backoff.wait(Some(second * 1_000_000)) < second * 3700);
        backoff.reset();
        assert!(backoff.wait(None) <= second);
    }
}
