//! Moments as the files of the service write them.

use jiff::Timestamp;

use crate::clock::Millis;

fn timestamp(at: Millis) -> Timestamp {
    i64::try_from(at.0)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .unwrap_or_default()
}

/// In names of files: `20150430T035300+0000`.
pub(super) fn compact(at: Millis) -> String {
    timestamp(at).strftime("%Y%m%dT%H%M%S+0000").to_string()
}

/// In samples: `2015-05-27T08:17:45+0000`.
pub(super) fn plain(at: Millis) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// In feeds: `2015-04-30T03:53:00.000Z`.
pub(super) fn precise(at: Millis) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Reads what [`compact`] has written.
pub(super) fn parse(text: &str) -> Option<Millis> {
    let parsed = Timestamp::strptime("%Y%m%dT%H%M%S%z", text).ok()?;
    u64::try_from(parsed.as_millisecond()).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_from_its_name() {
        let at = Millis(1_430_365_980_000);
        assert_eq!(compact(at), "20150430T035300+0000");
        assert_eq!(plain(at), "2015-04-30T03:53:00+0000");
        assert_eq!(precise(at), "2015-04-30T03:53:00.000Z");
        assert_eq!(parse(&compact(at)), Some(at));
        assert_eq!(
            parse("20150430T035300-0400"),
            Some(Millis(at.0 + 4 * 3_600_000))
        );
        for text in ["", "x", "20150430T035300", "99999999T999999+0000"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
