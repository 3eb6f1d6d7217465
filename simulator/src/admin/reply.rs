//! Reading JSON bodies and queries, and answering.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

use crate::http::body;
use crate::model::Refusal;

/// Reads a JSON body.
pub(super) async fn read<T: for<'de> Deserialize<'de>>(request: Request) -> Result<T, Response> {
    let (parts, body) = request.into_parts();
    let bytes = body::document(&parts.headers, body)
        .await
        .map_err(|problem| {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
            refusal(status, &problem.message)
        })?;
    serde_json::from_slice(&bytes).map_err(|error| {
        refusal(
            StatusCode::BAD_REQUEST,
            &format!("the body is not as documented: {error}"),
        )
    })
}

/// Reads a body that may be as large as a saved state.
pub(super) async fn read_large(
    headers: &HeaderMap,
    mut sent: Body,
    most: usize,
) -> Result<Bytes, Response> {
    let too_large = || {
        let text = format!("the body is larger than {most} bytes");
        refusal(StatusCode::PAYLOAD_TOO_LARGE, &text)
    };
    if body::announced(headers).is_some_and(|length| length > most as u64) {
        body::drain(sent).await;
        return Err(too_large());
    }
    let mut text = BytesMut::new();
    loop {
        match body::chunk(&mut sent, Duration::from_secs(60)).await {
            Ok(Some(chunk)) if text.len() + chunk.len() > most => {
                body::drain(sent).await;
                return Err(too_large());
            }
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => return Ok(text.freeze()),
            Err(problem) => return Err(refusal(StatusCode::BAD_REQUEST, &problem.message)),
        }
    }
}

/// The query's parameters, decoded.
pub(super) fn query(request: &Request) -> impl Iterator<Item = (String, String)> {
    let decoded = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    let pairs = request.uri().query().unwrap_or_default().split('&');
    pairs.map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// The value of a query parameter, decoded.
pub(super) fn parameter(request: &Request, name: &str) -> Option<String> {
    query(request)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value)
}

/// A query parameter that is a number, or its usual value.
pub(super) fn number(request: &Request, name: &str, usual: u64) -> Result<u64, Box<Response>> {
    parameter(request, name).map_or(Ok(usual), |text| {
        text.parse().map_err(|_| {
            Box::new(refusal(
                StatusCode::BAD_REQUEST,
                &format!("{name} is a whole number"),
            ))
        })
    })
}

/// 200 with JSON.
pub(super) fn answer(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => json_response(StatusCode::OK, text.into()),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// 204
pub(super) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// An error with its reason.
pub(super) fn refusal(status: StatusCode, message: &str) -> Response {
    json_response(status, json!({ "error": message }).to_string().into())
}

/// What the model refused.
pub(super) fn refused(why: &Refusal) -> Response {
    let status = StatusCode::from_u16(why.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refusal(status, &why.message)
}

pub(super) fn json_response(status: StatusCode, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use http::header::CONTENT_LENGTH;

    use super::*;

    async fn read(announced: Option<u64>, text: &'static str) -> Result<Bytes, StatusCode> {
        let mut headers = HeaderMap::new();
        if let Some(length) = announced {
            headers.insert(CONTENT_LENGTH, length.into());
        }
        let read = read_large(&headers, Body::from(text), 10).await;
        read.map_err(|refusal| refusal.status())
    }

    #[tokio::test]
    async fn a_body_is_refused_when_it_says_that_it_is_too_large_and_when_it_is() {
        let too_large = Err(StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read(Some(10), "0123456789").await.unwrap(), "0123456789");
        assert_eq!(read(None, "0123456789").await.unwrap(), "0123456789");
        assert_eq!(read(Some(11), "").await, too_large);
        assert_eq!(read(None, "0123456789a").await, too_large);
        assert_eq!(read(Some(1), "0123456789a").await, too_large);
    }
}
