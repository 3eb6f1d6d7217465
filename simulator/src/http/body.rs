//! Request bodies: documents within a limit, and the rest of what nobody wants to read.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;

use super::problem::Problem;

/// The largest document that a client may send, in bytes. A Virtual I/O Server with thousands of mappings has a few.
pub const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;
/// How much of an unwanted body is read so that its sender hears the answer, in bytes.
const DRAINED: usize = 4 * LARGEST_DOCUMENT;
/// How long a client may pause within a body.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a whole document may take, however steadily it drips.
const LONGEST: Duration = Duration::from_secs(600);

/// Reads a whole document.
///
/// # Errors
/// 413 if it is larger than [`LARGEST_DOCUMENT`] (what follows is read and dropped within reason, as a client that
/// is still sending would not see the answer), 408 if it stalls or drips for `LONGEST`, 400 if it breaks off.
pub async fn document(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let read = tokio::time::timeout(LONGEST, whole(headers, body)).await;
    read.unwrap_or_else(|_| {
        Err(Problem::new(
            408,
            "Request Timeout",
            "The body of the request took longer than ten minutes.",
        ))
    })
}

async fn whole(headers: &HeaderMap, mut body: Body) -> Result<Bytes, Problem> {
    if announced(headers).is_some_and(|length| length > LARGEST_DOCUMENT as u64) {
        drain(body).await;
        return Err(too_large());
    }
    let mut read = BytesMut::new();
    while let Some(chunk) = chunk(&mut body, PAUSE).await? {
        if read.len() + chunk.len() > LARGEST_DOCUMENT {
            drop(read);
            drain(body).await;
            return Err(too_large());
        }
        read.extend_from_slice(&chunk);
    }
    Ok(read.freeze())
}

/// The next bytes of a body; none at its end.
///
/// # Errors
/// 408 if nothing comes for `pause` of tokio's time, 400 if the body breaks off.
pub async fn chunk(body: &mut Body, pause: Duration) -> Result<Option<Bytes>, Problem> {
    loop {
        let frame = tokio::time::timeout(pause, body.frame())
            .await
            .map_err(|_| {
                Problem::new(408, "Request Timeout", "The body of the request stalled.")
            })?;
        match frame {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Some(Err(_)) => {
                return Err(Problem::new(
                    400,
                    "Bad Request",
                    "The body of the request broke off.",
                ));
            }
        }
    }
}

/// Reads and drops what is left of a body, within reason.
pub async fn drain(mut body: Body) {
    let mut read = 0;
    while let Ok(Some(chunk)) = chunk(&mut body, Duration::from_secs(5)).await {
        read += chunk.len();
        if read > DRAINED {
            return;
        }
    }
}

/// The `Content-Length` of a request.
#[must_use]
pub fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn too_large() -> Problem {
    Problem::new(
        413,
        "Request Entity Too Large",
        format!("The document is larger than the {LARGEST_DOCUMENT} bytes that the server reads."),
    )
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn chunks(number: usize, size: usize) -> Body {
        Body::from_stream(stream::iter(
            (0..number).map(move |_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; size]))),
        ))
    }

    #[tokio::test]
    async fn documents_within_the_limit_are_read() {
        assert_eq!(
            document(&HeaderMap::new(), chunks(3, 5))
                .await
                .unwrap()
                .len(),
            15
        );
        assert!(
            document(&HeaderMap::new(), Body::empty())
                .await
                .unwrap()
                .is_empty()
        );
    }

    #[tokio::test]
    async fn larger_ones_are_refused_whether_announced_or_not() {
        let size = 1024 * 1024;
        let refused = document(&HeaderMap::new(), chunks(LARGEST_DOCUMENT / size + 1, size))
            .await
            .unwrap_err();
        assert_eq!(refused.status, 413);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, "16777217".parse().unwrap());
        assert_eq!(
            document(&headers, chunks(1, 1)).await.unwrap_err().status,
            413
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_or_breaks_is_refused() {
        let stalled = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(
            document(&HeaderMap::new(), stalled)
                .await
                .unwrap_err()
                .status,
            408
        );
        // A byte now and then is no stall, but does not go on for ever either.
        let dripping = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
        });
        let began = tokio::time::Instant::now();
        let refused = document(&HeaderMap::new(), Body::from_stream(dripping)).await;
        assert_eq!(refused.unwrap_err().status, 408);
        assert_eq!(began.elapsed(), LONGEST);
        let broken = Body::from_stream(stream::iter([
            Ok(Bytes::from("x")),
            Err(std::io::Error::other("gone")),
        ]));
        assert_eq!(
            document(&HeaderMap::new(), broken)
                .await
                .unwrap_err()
                .status,
            400
        );
    }
}
