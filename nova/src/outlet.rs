//! An image of a server on its way to the image service's client, which is Python.
//!
//! The driver sends it as it would send it to a server. A block waits until Python has taken the ones before it, and the
//! driver hears whether the image service took the image only when that has said so.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use http_body_util::BodyDataStream;
use powervm_driver::rest::{Body, Transport, TransportError, TransportFailure};
use powervm_driver::storage::capture::CaptureTarget;
use tokio::sync::{Mutex as TurnMutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::trouble::Trouble;

/// Blocks that wait to be taken.
const AHEAD: usize = 4;
/// Where the image goes, as far as the driver knows.
const PLACE: &str = "http://image.service/";

enum Piece {
    Block(Bytes),
    End,
}

/// What the driver writes into, once.
struct Drain(Mutex<Option<(mpsc::Sender<Piece>, oneshot::Receiver<bool>)>>);

impl Transport for Drain {
    fn call(
        &self,
        request: Request<Body>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            let gone = || {
                TransportError::new(
                    TransportFailure::Broken,
                    "the image service's client is gone",
                )
            };
            let (pieces, verdict) = ends.ok_or_else(gone)?;
            let mut blocks = BodyDataStream::new(request.into_body());
            while let Some(block) = blocks.next().await {
                let block =
                    block.map_err(|error| TransportError::new(TransportFailure::Broken, error))?;
                pieces.send(Piece::Block(block)).await.map_err(|_| gone())?;
            }
            pieces.send(Piece::End).await.map_err(|_| gone())?;
            let status = match verdict.await {
                Ok(true) => StatusCode::NO_CONTENT,
                _ => StatusCode::BAD_GATEWAY,
            };
            let mut answer = Response::new(Body::empty());
            *answer.status_mut() = status;
            Ok(answer)
        })
    }
}

/// Where Python takes the image.
#[derive(Debug)]
pub struct Outlet {
    pieces: Arc<TurnMutex<mpsc::Receiver<Piece>>>,
    verdict: Mutex<Option<oneshot::Sender<bool>>>,
}

/// An outlet, and what a snapshot's target is made of.
#[must_use]
pub fn outlet() -> (Outlet, CaptureTarget) {
    let (pieces, taken) = mpsc::channel(AHEAD);
    let (verdict, heard) = oneshot::channel();
    let outlet = Outlet {
        pieces: Arc::new(TurnMutex::new(taken)),
        verdict: Mutex::new(Some(verdict)),
    };
    let target = CaptureTarget::Url {
        url: PLACE.to_owned(),
        token: None,
        through: Some(Arc::new(Drain(Mutex::new(Some((pieces, heard)))))),
    };
    (outlet, target)
}

impl Outlet {
    /// The next block; none at the end.
    ///
    /// # Errors
    /// As [`Call::start`]; the call fails when the image breaks off.
    pub fn next(&self) -> Result<Call<Option<Bytes>>, Trouble> {
        let pieces = Arc::clone(&self.pieces);
        Call::start(&CancellationToken::new(), |_| async move {
            match pieces.lock().await.recv().await {
                Some(Piece::Block(block)) => Ok(Some(block)),
                Some(Piece::End) => Ok(None),
                None => Err(Trouble::local("the copy of the disk broke off")),
            }
        })
    }

    /// Whether the image service took it.
    pub fn done(&self, is_taken: bool) {
        let verdict = self
            .verdict
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(verdict) = verdict {
            // Nobody asks any more when the copy has failed.
            let _ = verdict.send(is_taken);
        }
        if !is_taken && let Ok(mut pieces) = self.pieces.try_lock() {
            pieces.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::StreamBody;
    use std::io;
    use std::time::Duration;

    type Answer = Result<Response<Body>, TransportError>;

    fn send(target: CaptureTarget, blocks: Vec<io::Result<Bytes>>) -> Call<Answer> {
        let CaptureTarget::Url {
            through: Some(drain),
            ..
        } = target
        else {
            panic!("an outlet is a URL with a transport");
        };
        let blocks = stream::iter(blocks).map(|block| block.map(http_body::Frame::data));
        let body = Body::streamed(StreamBody::new(blocks));
        let request = Request::put(PLACE).body(body).unwrap();
        Call::start(&CancellationToken::new(), |_| async move {
            Ok(drain.call(request).await)
        })
        .unwrap()
    }

    fn get<T: Send + 'static>(call: &Call<T>) -> Result<T, Trouble> {
        assert!(call.wait(Duration::from_secs(60)));
        call.take().unwrap()
    }

    #[test]
    fn the_image_is_taken_when_the_image_service_says_so() {
        for (is_taken, status) in [
            (true, StatusCode::NO_CONTENT),
            (false, StatusCode::BAD_GATEWAY),
        ] {
            let (outlet, target) = outlet();
            let sent = send(
                target,
                vec![Ok(Bytes::from_static(b"a")), Ok(Bytes::from_static(b"b"))],
            );
            assert_eq!(
                get(&outlet.next().unwrap()).unwrap().unwrap(),
                b"a".as_slice()
            );
            assert_eq!(
                get(&outlet.next().unwrap()).unwrap().unwrap(),
                b"b".as_slice()
            );
            assert!(get(&outlet.next().unwrap()).unwrap().is_none());
            assert!(!sent.wait(Duration::ZERO));
            outlet.done(is_taken);
            assert_eq!(get(&sent).unwrap().unwrap().status(), status);
        }
    }

    #[test]
    fn an_image_that_breaks_off_is_no_whole_one() {
        let (outlet, target) = outlet();
        let broken = vec![
            Ok(Bytes::from_static(b"a")),
            Err(io::Error::other("the disk is gone")),
        ];
        let sent = send(target, broken);
        assert!(get(&outlet.next().unwrap()).unwrap().is_some());
        assert!(get(&outlet.next().unwrap()).is_err());
        assert!(get(&sent).unwrap().is_err());
    }
}
