//! What a request knows of its connection, and how an answer tears it down.

use std::net::SocketAddr;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::Response;

/// The connection of a request, put into its extensions by the accept loop. In process there is none.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Whether it is https.
    pub secure: bool,
    /// The server's own address.
    pub local: SocketAddr,
}

/// The connection is closed without an answer; also the error of a body that breaks off.
///
/// In an answer's extensions it tells the accept loop to close the connection. In process, where there is none, the
/// body of such an answer fails at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulated server closed the connection")]
pub struct Aborted;

/// An answer that is none: the connection is closed.
pub fn aborted() -> Response<Body> {
    let mut response = Response::new(broken_body(Bytes::new()));
    response.extensions_mut().insert(Aborted);
    response
}

/// A body that yields `bytes` and then fails.
pub fn broken_body(bytes: Bytes) -> Body {
    let begin = stream::iter((!bytes.is_empty()).then_some(Ok(bytes)));
    // The pause between lets the beginning reach the socket: hyper writes nothing of a body that fails right away.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(Aborted)
    });
    Body::from_stream(begin.chain(end))
}
