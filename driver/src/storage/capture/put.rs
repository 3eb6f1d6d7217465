//! An image sent to a server with one HTTP PUT.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt;
use http::{Method, Request, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::{CaptureTarget, Reading};
use crate::error::{Error, ErrorKind, Result};
use crate::rest::Body;
use crate::storage::image::reach;

/// How long nothing may move, in either direction.
const STALL: Duration = Duration::from_secs(300);

/// Sends all of it.
///
/// # Errors
/// A server that cannot be reached, does not take it, or takes nothing for [`STALL`]. It is sent once.
pub(super) async fn put(target: &CaptureTarget, size: u64, reading: Reading) -> Result<()> {
    let CaptureTarget::Url {
        url,
        token,
        through,
    } = target
    else {
        return Err(Error::internal("an image is put to a URL only"));
    };
    let (uri, transport) = match through {
        Some(transport) => (
            url.parse().map_err(|_| unusable(target))?,
            Arc::clone(transport),
        ),
        None => reach(url)?,
    };
    let moved = Arc::new(Mutex::new(Instant::now()));
    let seen = Arc::clone(&moved);
    let blocks = reading.blocks().inspect_ok(move |_| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    });
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri(uri)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, size);
    if let Some(token) = token {
        let mut token = header::HeaderValue::from_str(token.expose_secret()).map_err(|_| {
            Error::invalid("the image server's token is no header's value", "check it")
        })?;
        token.set_sensitive(true);
        request = request.header("X-Auth-Token", token);
    }
    let body = Body::streamed(StreamBody::new(blocks.map_ok(Frame::data)));
    let request = request.body(body).map_err(|_| unusable(target))?;
    let answer = tokio::select! {
        answer = transport.call(request) => answer.map_err(|error| Error::caused(
            ErrorKind::Local,
            format!("the image was not sent to {target}"),
            "check the URL, and that its server runs and takes images of this size",
            error,
        ))?,
        () = stalled(&moved) => return Err(Error::operation(
            ErrorKind::TimedOut,
            format!("the server of {target} took nothing for {} s", STALL.as_secs()),
            "see what keeps it",
        )),
    };
    match answer.status() {
        status if status.is_success() => Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Error::operation(
            ErrorKind::Local,
            format!(
                "the server of {target} did not take the image: {}",
                answer.status()
            ),
            "give a token that may write there, in POWERVM_IMAGE_TOKEN",
        )),
        status => Err(Error::operation(
            ErrorKind::Local,
            format!("the server of {target} did not take the image: {status}"),
            "give the final URL of a server that takes images with PUT",
        )),
    }
}

/// Ends when nothing has moved for too long.
async fn stalled(moved: &Mutex<Instant>) {
    loop {
        let last = *moved.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= STALL {
            return;
        }
        tokio::time::sleep_until(last + STALL).await;
    }
}

fn unusable(target: &CaptureTarget) -> Error {
    Error::invalid(
        format!("'{target}' is no usable URL"),
        "give an http:// or https:// URL",
    )
}
