//! Without a socket: fit for a paused clock.

use std::future::pending;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode, header};
use powervm_ci::gerrit::transport::{Transport, TransportError};

use super::{FakeGerrit, Trouble};

/// Hands requests to a Gerrit in the same process.
pub(crate) struct InProcess(pub(crate) FakeGerrit);

/// A page of a proxy.
pub(crate) const PAGE: &str = "<!DOCTYPE html><html><title>Bad gateway</title></html>";

impl Transport for InProcess {
    fn call(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let lost = |why: &str| Err(TransportError::Lost(why.to_owned()));
            match self.0.fate(&request) {
                None => Ok(self.0.answer(&request)),
                Some(Trouble::Down) => {
                    Err(TransportError::Unreachable("connection refused".to_owned()))
                }
                Some(Trouble::Slow(time)) => {
                    let answer = self.0.answer(&request);
                    tokio::time::sleep(time).await;
                    if time.is_zero() {
                        pending::<()>().await
                    }
                    Ok(answer)
                }
                Some(Trouble::Status(status, after)) => {
                    let mut answer =
                        Response::builder().status(StatusCode::from_u16(status).unwrap());
                    if let Some(seconds) = after {
                        answer = answer.header(header::RETRY_AFTER, seconds);
                    }
                    Ok(answer.body(Bytes::from_static(b"Lock failure")).unwrap())
                }
                Some(Trouble::Truncated) => {
                    let answer = self.0.answer(&request);
                    let half = answer.body().len() / 2;
                    Ok(answer.map(|body| body.slice(..half)))
                }
                Some(Trouble::Html) => {
                    let _ = self.0.answer(&request);
                    Ok(Response::new(Bytes::from_static(PAGE.as_bytes())))
                }
                Some(Trouble::ResetAfter) => {
                    let _ = self.0.answer(&request);
                    lost("connection reset by peer")
                }
                Some(Trouble::ResetBefore) => lost("connection reset by peer"),
            }
        })
    }
}
