//! Answers with the headers that real servers send (`docs/protocol/urls.md`).

use axum::body::Body;
use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, EXPIRES,
    HeaderName,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::problem::Problem;
use crate::clock::Millis;
use crate::model::Flavor;
use crate::render::Text;

/// The media type of feeds and entries.
pub const ATOM: &str = "application/atom+xml; charset=UTF-8";
/// The media type of quick properties.
pub const JSON: &str = "application/json; charset=UTF-8";
/// The media type of files of measurements.
pub const MEASUREMENTS: &str = "application/vnd.ibm.powervm.pcm.json; charset=UTF-8";
/// The media type of the answer to a logon.
pub const LOGON: &str = "application/vnd.ibm.powervm.web+xml; type=LogonResponse; charset=UTF-8";

const X_MC_TYPE: HeaderName = HeaderName::from_static("x-mc-type");
const X_SCHEMA_VERSION: HeaderName = HeaderName::from_static("x-hmc-schema-version");
const X_TRANSACTION: HeaderName = HeaderName::from_static("x-transaction-id");

/// How many headers an answer has at most, those of HTTP itself included.
const MOST_HEADERS: usize = 12;

/// A document, 200.
#[must_use]
pub fn document(
    body: impl Into<Text>,
    media_type: HeaderValue,
    etag: Option<i32>,
) -> Response<Body> {
    let mut response = answer(body.into().into_body());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(
        EXPIRES,
        HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"),
    );
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static(
            "no-transform, must-revalidate, proxy-revalidate, no-cache=set-cookie",
        ),
    );
    if let Some(etag) = etag {
        headers.insert(ETAG, etag_value(etag));
    }
    response
}

/// An answer in JSON: no etag, and the caching headers of the recordings.
#[must_use]
pub fn json(body: impl Into<Bytes>) -> Response<Body> {
    let mut response = answer(Body::from(body.into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(
        EXPIRES,
        HeaderValue::from_static("Thu, 01 Dec 1994 16:00:00 GMT"),
    );
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("no-cache=\"set-cookie, set-cookie2\""),
    );
    response
}

/// A feed of links to samples: its etag is a moment in milliseconds (cassette `metrics_capture_lpar.yml`).
#[must_use]
pub fn samples(body: impl Into<Bytes>, newest: Millis) -> Response<Body> {
    let mut response = answer(Body::from(body.into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(ATOM));
    headers.insert(ETAG, HeaderValue::from(newest.0));
    response
}

/// A file of measurements: its etag is its name.
#[must_use]
pub fn measurements(body: impl Into<Bytes>, name: &str) -> Response<Body> {
    let mut response = answer(Body::from(body.into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEASUREMENTS));
    if let Ok(etag) = HeaderValue::from_str(name) {
        headers.insert(ETAG, etag);
    }
    response
}

/// Nothing to say: an empty feed, a deletion. 204
#[must_use]
pub fn no_content() -> Response<Body> {
    let mut response = answer(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
        .headers_mut()
        .insert(CONTENT_LANGUAGE, HeaderValue::from_static("en-US"));
    response
}

/// The client has this state already. 304, without a body.
#[must_use]
pub fn not_modified(etag: i32) -> Response<Body> {
    let mut response = answer(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(ETAG, etag_value(etag));
    response
}

/// An error document; the connection is closed after it, as recorded.
#[must_use]
pub fn error(problem: &Problem, document: String) -> Response<Body> {
    let mut response = answer(Body::from(document));
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(ATOM));
    headers.insert(CONNECTION, HeaderValue::from_static("Close"));
    if let Some(allowed) = problem.allow {
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    response
}

/// The headers of every answer: the transaction number, the schema version, and on NovaLink the kind of server.
///
/// HMCs of the recorded level send no `X-MC-Type`; clients take its absence for an HMC.
pub fn stamp(
    headers: &mut HeaderMap,
    flavor: Flavor,
    schema_version: &'static str,
    transaction: &str,
) {
    if flavor == Flavor::NovaLink {
        headers.insert(X_MC_TYPE, HeaderValue::from_static("PVM"));
    }
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind != JSON) {
        headers.insert(X_SCHEMA_VERSION, HeaderValue::from_static(schema_version));
    }
    if let Ok(transaction) = HeaderValue::from_str(transaction) {
        headers.insert(X_TRANSACTION, transaction);
    }
}

/// The media type of a document: the typed one that the client asked for, or Atom's.
#[must_use]
pub fn negotiated(headers: &HeaderMap) -> HeaderValue {
    let typed = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .filter(|accept| {
            accept.starts_with("application/vnd.ibm.powervm.")
                && accept.len() < 100
                && !accept.contains(',')
        })
        .and_then(|accept| {
            HeaderValue::from_str(&format!("{}; charset=UTF-8", accept.trim_end_matches(';'))).ok()
        });
    typed.unwrap_or(HeaderValue::from_static(ATOM))
}

/// Whether a client asks for quick properties as a typed document, which real servers answer with 406.
#[must_use]
pub fn refuses_json(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .unwrap_or("*/*");
    accept.starts_with("application/vnd.ibm.powervm.")
        && !accept.contains("*/*")
        && !accept.contains("json")
}

/// 200, with room for all headers that an answer gets, so that none of them makes the others move.
fn answer(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.headers_mut() = HeaderMap::with_capacity(MOST_HEADERS);
    response
}

fn etag_value(etag: i32) -> HeaderValue {
    HeaderValue::from(i64::from(etag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_wish_is_granted() {
        let mut headers = HeaderMap::new();
        assert_eq!(negotiated(&headers), ATOM);
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/vnd.ibm.powervm.uom+xml; type=LogicalPartition"),
        );
        assert_eq!(
            negotiated(&headers),
            "application/vnd.ibm.powervm.uom+xml; type=LogicalPartition; charset=UTF-8"
        );
        assert!(refuses_json(&headers));
    }

    #[test]
    fn only_a_novalink_names_its_kind() {
        let mut headers = HeaderMap::new();
        stamp(&mut headers, Flavor::Hmc, "V1_5_0", "XT10000001");
        assert!(!headers.contains_key("x-mc-type"));
        stamp(&mut headers, Flavor::NovaLink, "V1_11_0", "XT10000001");
        assert_eq!(headers["x-mc-type"], "PVM");
        assert_eq!(headers["x-hmc-schema-version"], "V1_11_0");
    }
}
