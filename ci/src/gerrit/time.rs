//! Gerrit's timestamps: `2026-11-22 03:04:05.000000000`, in UTC.

use std::fmt;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize};

/// A moment on Gerrit's clock, in milliseconds since 1970. Ours is never compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads Gerrit's form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment: DateTime = text.trim().parse().ok()?;
        let moment = moment.to_zoned(TimeZone::UTC).ok()?;
        Some(Self(moment.timestamp().as_millisecond()))
    }

    /// Reads the `Date` field of an HTTP answer.
    #[must_use]
    pub fn of_http_date(text: &str) -> Option<Self> {
        let moment = httpdate::parse_http_date(text).ok()?;
        let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Self)
    }

    /// So much earlier.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// As the query operators `after:` and `before:` want it, to the second.
    #[must_use]
    pub fn query(self) -> String {
        let moment =
            jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let moment = moment.to_zoned(TimeZone::UTC).datetime();
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} +0000",
            moment.year(),
            moment.month(),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second()
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.query().trim_end_matches(" +0000"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Gerrit writes text; our own files hold the number.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(i64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(millis) => Ok(Self(millis)),
            Form::Text(text) => Self::parse(&text)
                .ok_or_else(|| serde::de::Error::custom(format!("{:.40?} is no timestamp", text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gerrits_form_is_read_and_written() {
        let moment = Timestamp::parse("2026-11-22 03:04:05.678000000").unwrap();
        assert_eq!(moment.query(), "2026-11-22 03:04:05 +0000");
        assert_eq!(moment.millis() % 1000, 678);
        assert_eq!(
            moment.earlier(Duration::from_secs(6)).to_string(),
            "2026-11-22 03:03:59"
        );
        let told = Timestamp::of_http_date("Sun, 22 Nov 2026 03:04:05 GMT").unwrap();
        assert_eq!(told.millis(), moment.millis() - 678);
        for text in ["", "yesterday", "2026-13-01 00:00:00", "9999999999"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }
}
