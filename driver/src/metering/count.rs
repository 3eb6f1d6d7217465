//! Counters as the files write them: whole numbers, or floats such as `5.6e14`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A counter; one that is not told is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Count(pub(super) u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Counting)
    }
}

struct Counting;

impl Visitor<'_> for Counting {
    type Value = Count;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number that is not negative")
    }

    fn visit_unit<E: Error>(self) -> Result<Count, E> {
        Ok(Count(0))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Count, E> {
        Ok(Count(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Count, E> {
        let number = u64::try_from(number);
        number
            .map(Count)
            .map_err(|_| E::custom("a counter is negative"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Count, E> {
        if !number.is_finite() || number < 0.0 {
            return Err(E::custom("a counter is negative"));
        }
        // Beyond what a counter holds, the cast stops at its end.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = number as u64;
        Ok(Count(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_come_in_several_spellings() {
        for (text, wanted) in [
            ("7", 7),
            ("5.6e14", 560_000_000_000_000),
            ("null", 0),
            ("0.9", 0),
        ] {
            let Count(found) = serde_json::from_str(text).unwrap();
            assert_eq!(found, wanted, "{text}");
        }
        let Count(most) = serde_json::from_str("1e300").unwrap();
        assert_eq!(most, u64::MAX);
        for text in ["-1", "-0.5", "\"7\"", "[]"] {
            assert!(serde_json::from_str::<Count>(text).is_err(), "{text}");
        }
    }
}
