//! A duration drawn from a median and a 95th percentile.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The distribution of one latency: log-normal, given by two of its quantiles, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    median: f64,
    spread: f64,
}

/// How many standard deviations the 95th percentile of a normal distribution lies above its median.
const P95: f64 = 1.645;

impl Latency {
    /// The latency with this median and this 95th percentile; the percentile counts at least as much as the median.
    #[must_use]
    pub fn new(median_ms: f64, p95_ms: f64) -> Self {
        let median = if median_ms.is_finite() {
            median_ms.max(0.0)
        } else {
            0.0
        };
        let spread = if median > 0.0 && p95_ms > median {
            (p95_ms / median).ln() / P95
        } else {
            0.0
        };
        Self {
            median,
            spread: if spread.is_finite() { spread } else { 0.0 },
        }
    }

    /// The same median with the 95th percentile at `ratio` times the median.
    #[must_use]
    pub fn narrowed(self, ratio: f64) -> Self {
        Self::new(self.median, self.median * ratio)
    }

    /// The median, in milliseconds.
    #[must_use]
    pub fn median_ms(self) -> f64 {
        self.median
    }

    /// One duration, in whole milliseconds. Draws the same number of values whatever comes out.
    pub fn sample(self, random: &mut impl Rng) -> Duration {
        // Twelve uniform values make a normal one that never strays further than six deviations.
        let normal = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
        let milliseconds = self.median * (self.spread * normal).exp();
        Duration::from_millis(milliseconds.round().clamp(0.0, 86_400_000.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_quantiles_come_out() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let latency = Latency::new(1300.0, 3000.0);
        let mut samples: Vec<u128> = (0..20_000)
            .map(|_| latency.sample(&mut random).as_millis())
            .collect();
        samples.sort_unstable();
        assert!(
            (1260..1340).contains(&samples[10_000]),
            "{}",
            samples[10_000]
        );
        assert!(
            (2850..3150).contains(&samples[19_000]),
            "{}",
            samples[19_000]
        );
    }

    #[test]
    fn nonsense_is_no_latency() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for latency in [
            Latency::new(f64::NAN, 3.0),
            Latency::new(-4.0, 3.0),
            Latency::new(0.0, f64::INFINITY),
        ] {
            assert_eq!(latency.sample(&mut random), Duration::ZERO);
        }
    }
}
