//! `If-Match` and `If-None-Match` with the product's etags: decimal numbers, bare or quoted.

use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};

use super::problem::Problem;

/// Whether a read may be answered with 304: the client has the state that `etag` names.
#[must_use]
pub fn is_unchanged(headers: &HeaderMap, etag: i32) -> bool {
    names(headers, &IF_NONE_MATCH, etag).unwrap_or(false)
}

/// Refuses a change that was made from another state than the present one. Without `If-Match` every change goes.
///
/// # Errors
/// 412
pub fn require_match(headers: &HeaderMap, etag: Option<i32>) -> Result<(), Problem> {
    let matches = match etag {
        Some(etag) => names(headers, &IF_MATCH, etag).unwrap_or(true),
        None => true,
    };
    if matches { Ok(()) } else { Err(stale()) }
}

/// 412, as clients expect it when somebody else was faster.
fn stale() -> Problem {
    Problem::new(
        412,
        "Precondition Failed",
        "The resource has been changed since it was read: its ETag is no longer the one of If-Match. Read it again and repeat the change.",
    )
}

/// Whether a header names `etag`; nothing if the header is absent.
fn names(headers: &HeaderMap, header: &HeaderName, etag: i32) -> Option<bool> {
    let mut present = None;
    for value in headers.get_all(header) {
        let text = value.to_str().unwrap_or_default();
        let named = text
            .split(',')
            .map(bare)
            .any(|tag| tag == "*" || tag.parse() == Ok(etag));
        present = Some(present.unwrap_or(false) || named);
    }
    present
}

/// A tag without quotes and without the mark of a weak one.
fn bare(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn header(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn tags_may_be_bare_quoted_or_many() {
        for value in [
            "-215935973",
            "\"-215935973\"",
            "W/\"-215935973\"",
            "1, -215935973",
            "*",
        ] {
            assert!(
                is_unchanged(&header(IF_NONE_MATCH, value), -215_935_973),
                "{value}"
            );
            assert!(
                require_match(&header(IF_MATCH, value), Some(-215_935_973)).is_ok(),
                "{value}"
            );
        }
        for value in ["1", "\"1\"", "", "x", "\"", "-2159359730000000000000"] {
            assert!(!is_unchanged(&header(IF_NONE_MATCH, value), 2), "{value}");
            assert_eq!(
                require_match(&header(IF_MATCH, value), Some(2))
                    .unwrap_err()
                    .status,
                412,
                "{value}"
            );
        }
    }

    #[test]
    fn without_a_header_everything_goes() {
        assert!(!is_unchanged(&HeaderMap::new(), 1));
        assert!(require_match(&HeaderMap::new(), Some(1)).is_ok());
        assert!(require_match(&header(IF_MATCH, "4"), None).is_ok());
    }
}
