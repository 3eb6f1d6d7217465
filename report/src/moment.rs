//! Moments: on the clock that a run owns, and on the wall.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment on the wall clock, in whole microseconds; RFC 3339 in UTC as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(i64);

/// The simulated machine room's first moment, 2026-01-01T00:00:00Z: where the virtual time of a run without wall time
/// is drawn on formats that know dates only.
pub const VIRTUAL_EPOCH: Wall = Wall(1_767_225_600_000_000);

impl Wall {
    /// The moment so many microseconds after 1970-01-01T00:00:00Z; outside of the years 1 to 9998, the nearest in them.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        const FIRST: i64 = -62_135_596_800_000_000;
        const LAST: i64 = 253_370_764_799_999_999;
        Self(micros.clamp(FIRST, LAST))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// That much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// How long before this an earlier moment was; nothing if it was later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or_default())
    }

    /// The second that it is in, as people write it: `2026-01-31 23:59:59 UTC`.
    #[must_use]
    pub fn to_the_second(self) -> String {
        let timestamp = Timestamp::from_microsecond(self.0).unwrap_or_default();
        timestamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    fn parse(text: &str) -> Result<Self, jiff::Error> {
        Ok(Self::from_micros(
            text.parse::<Timestamp>()?.as_microsecond(),
        ))
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{timestamp:.6}")
    }
}

impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Wall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| {
            D::Error::custom(format!(
                "{text:.40?} is no moment such as 2026-01-31T23:59:59.5Z: {error}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{VIRTUAL_EPOCH, Wall};

    #[test]
    fn text_is_rfc_3339_in_utc() {
        assert_eq!(VIRTUAL_EPOCH.to_string(), "2026-01-01T00:00:00.000000Z");
        let read: Wall = serde_json::from_str("\"2026-01-01T02:00:00.5+02:00\"").expect("a moment");
        assert_eq!(read, VIRTUAL_EPOCH.after(Duration::from_millis(500)));
        assert_eq!(read.since(VIRTUAL_EPOCH), Duration::from_millis(500));
        assert_eq!(VIRTUAL_EPOCH.since(read), Duration::ZERO);
        assert!(serde_json::from_str::<Wall>("\"yesterday\"").is_err());
    }

    #[test]
    fn people_read_seconds() {
        let moment = Wall::from_micros(1_767_225_599_999_999);
        assert_eq!(moment.to_the_second(), "2025-12-31 23:59:59 UTC");
    }

    #[test]
    fn no_number_is_too_large_to_print() {
        for micros in [i64::MIN, i64::MAX] {
            assert!(!Wall::from_micros(micros).to_string().is_empty());
        }
    }
}
