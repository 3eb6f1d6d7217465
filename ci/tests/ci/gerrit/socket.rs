//! On a socket, by axum.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use tokio::net::TcpListener;

use super::process::PAGE;
use super::{FakeGerrit, Trouble};

/// Serves it; gives its address.
pub(crate) async fn serve(gerrit: FakeGerrit) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(handle).with_state(gerrit);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn handle(State(gerrit): State<FakeGerrit>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let request = Request::from_parts(parts, body);
    let fate = gerrit.fate(&request);
    if matches!(fate, Some(Trouble::Status(..))) {
        let Some(Trouble::Status(status, after)) = fate else {
            unreachable!()
        };
        let mut answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
        if let Some(after) = after {
            answer = answer.header("retry-after", after);
        }
        return answer.body(Body::from("Lock failure")).unwrap();
    }
    let broken = |length: usize, begin: Bytes| {
        let pieces = stream::iter([Ok(begin), Err(std::io::Error::other("broken"))]);
        Response::builder()
            .header("content-length", length)
            .body(Body::from_stream(pieces))
            .unwrap()
    };
    if matches!(fate, Some(Trouble::ResetBefore | Trouble::Down)) {
        return broken(10, Bytes::new());
    }
    let answer = gerrit.answer(&request);
    match fate {
        Some(Trouble::Slow(time)) => tokio::time::sleep(time).await,
        Some(Trouble::Html) => return Response::new(Body::from(PAGE)),
        Some(Trouble::ResetAfter) => return broken(10, Bytes::new()),
        Some(Trouble::Truncated) => {
            let body = answer.body();
            return broken(body.len(), body.slice(..body.len() / 2));
        }
        _ => {}
    }
    answer.map(Body::from)
}
