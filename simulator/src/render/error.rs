//! The error document: an Atom entry with an `HttpErrorResponse`, for every refusal of every verb.
//!
//! Recordings `fake_httperror`, `fake_httperror_service_unavail` and the 404 of an HMC V8R8.6.0. It has neither links
//! nor an etag. `RequestURI` leaves the query out; `RequestHeaders` prints the headers as a Java map does, the session
//! masked. Clients decide by `HTTPStatus` and by codes in `Message`.

use uuid::Uuid;

use super::envelope::{Content, Envelope};
use super::writer::{ROO, ROR, WEB, Writer};
use crate::clock::Millis;

/// What an error document tells.
#[derive(Clone, Copy, Debug)]
pub struct ErrorDocument<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `ReasonCode`.
    pub reason: &'a str,
    /// `Message`.
    pub message: &'a str,
    /// The path of the request; a query is cut off.
    pub uri: &'a str,
    /// The request's headers, by name and value, as received.
    pub headers: &'a [(&'a str, &'a str)],
    /// The transaction number of the request, `XT10002170`.
    pub transaction: &'a str,
}

/// Headers whose values are never repeated.
const SECRET: [&str; 4] = [
    "x-api-session",
    "authorization",
    "cookie",
    "proxy-authorization",
];
/// Longest text taken over from a request, in characters; an error must not be as large as what caused it.
const LONGEST: usize = 2048;

impl ErrorDocument<'_> {
    /// The document's text.
    #[must_use]
    pub fn render(&self, schema_version: &'static str, now: Millis) -> String {
        let path = self.uri.split('?').next().unwrap_or_default();
        let mut w = Writer::new(schema_version, 2048);
        w.root("HttpErrorResponse", WEB, None, |w| {
            w.value("HTTPStatus", ROR, self.status);
            w.text("RequestURI", ROR, &cut(path));
            w.text("ReasonCode", ROR, self.reason);
            w.text("Message", ROO, self.message);
            w.text("RequestBody", ROO, "");
            w.text("RequestHeaders", ROO, &cut(&self.printed_headers()));
        });
        let seed = format!("{}{path}", self.transaction);
        let content = Content {
            id: Uuid::new_v3(&Uuid::NAMESPACE_URL, seed.as_bytes()).to_string(),
            title: "HttpErrorResponse",
            service: "web",
            etag: None,
            xml: w.finish().into(),
        };
        Envelope { now, console: None }
            .entry(&content, &[])
            .to_string()
    }

    fn printed_headers(&self) -> String {
        let mut printed: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| {
                let secret = SECRET.contains(&name.to_ascii_lowercase().as_str());
                format!("{name}={}", if secret { "*******" } else { value })
            })
            .collect();
        printed.push(format!("X-Transaction-ID={}", self.transaction));
        format!("{{{}}}", printed.join(", "))
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_masked_and_the_query_left_out() {
        let text = ErrorDocument {
            status: 404,
            reason: "The supplied URI does not identify a known resource.",
            message: "REST000B <no>",
            uri: "/rest/api/uom/X?group=None",
            headers: &[
                ("Accept", "*/*"),
                ("X-API-Session", "secret-token"),
                ("Authorization", "Basic secret"),
            ],
            transaction: "XT10000001",
        }
        .render("V1_5_0", Millis::EPOCH);
        assert!(
            !text.contains("secret")
                && !text.contains("group=None")
                && !text.contains("rel=\"SELF\"")
        );
        assert!(text.contains("{Accept=*/*, X-API-Session=*******, Authorization=*******, X-Transaction-ID=XT10000001}"));
        assert!(text.contains("REST000B &lt;no&gt;"));
    }
}
