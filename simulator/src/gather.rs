//! Bodies as they go to a socket: what there is of an answer goes out at once.
//!
//! hyper writes to the socket when 64 KiB or sixteen pieces wait, and a document is many small pieces: each time is a
//! system call. Pieces that are handed over as one buffer of many slices go out in one.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

/// So many pieces go together: with the head of the answer as many as hyper writes at a time.
const TOGETHER: usize = 63;

/// A body whose frames are runs of pieces.
#[derive(Debug)]
pub(crate) struct Gathered {
    body: Body,
    /// What went wrong behind the last run.
    trouble: Option<axum::Error>,
    /// Nothing was there behind the last run: who asks again is told so, and writes what it has to the socket before
    /// the rest comes, which may be an error.
    waited: bool,
}

impl From<Body> for Gathered {
    fn from(body: Body) -> Self {
        Self {
            body,
            trouble: None,
            waited: false,
        }
    }
}

impl HttpBody for Gathered {
    type Data = Run;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Run>, axum::Error>>> {
        if let Some(trouble) = self.trouble.take() {
            return Poll::Ready(Some(Err(trouble)));
        }
        if std::mem::take(&mut self.waited) {
            return Poll::Pending;
        }
        let mut run = Run::default();
        while run.pieces() < TOGETHER && !self.body.is_end_stream() {
            match Pin::new(&mut self.body).poll_frame(cx) {
                // No answer here has trailers.
                Poll::Ready(Some(Ok(frame))) => run.extend(frame.into_data()),
                Poll::Ready(Some(Err(trouble))) => {
                    self.trouble = Some(trouble);
                    break;
                }
                Poll::Ready(None) => break,
                Poll::Pending if run.has_remaining() => {
                    self.waited = true;
                    break;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        if run.has_remaining() {
            return Poll::Ready(Some(Ok(Frame::data(run))));
        }
        Poll::Ready(self.trouble.take().map(Err))
    }

    fn is_end_stream(&self) -> bool {
        self.trouble.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Pieces in a row, none of them empty.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// Where the reader is.
    first: Bytes,
    rest: VecDeque<Bytes>,
}

impl Run {
    fn pieces(&self) -> usize {
        usize::from(!self.first.is_empty()) + self.rest.len()
    }
}

impl Extend<Bytes> for Run {
    fn extend<T: IntoIterator<Item = Bytes>>(&mut self, pieces: T) {
        for piece in pieces {
            if self.first.is_empty() {
                self.first = piece;
            } else if !piece.is_empty() {
                self.rest.push_back(piece);
            }
        }
    }
}

impl Buf for Run {
    fn remaining(&self) -> usize {
        self.first.len() + self.rest.iter().map(Bytes::len).sum::<usize>()
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        if self.first.is_empty() {
            return 0;
        }
        let pieces = std::iter::once(&self.first).chain(&self.rest);
        let mut filled = 0;
        for (slice, piece) in slices.iter_mut().zip(pieces) {
            *slice = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        while count >= self.first.len() && !self.first.is_empty() {
            count -= self.first.len();
            self.first = self.rest.pop_front().unwrap_or_default();
        }
        self.first.advance(count);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, stream};
    use http_body_util::BodyExt as _;

    use super::*;

    fn pieces(number: usize) -> Vec<Result<Bytes, std::io::Error>> {
        let piece = |n: usize| Ok(Bytes::from(n.to_string()));
        (0..number).map(piece).collect()
    }

    #[tokio::test]
    async fn a_body_of_many_pieces_has_few_frames() {
        let mut body = Gathered::from(Body::from_stream(stream::iter(pieces(100))));
        let mut frames = Vec::new();
        let mut text = Vec::new();
        while let Some(frame) = body.frame().await {
            let mut run = frame.unwrap().into_data().unwrap();
            frames.push(run.pieces());
            text.extend_from_slice(&run.copy_to_bytes(run.remaining()));
        }
        assert_eq!(frames, [TOGETHER, 100 - TOGETHER]);
        let whole: String = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(text, whole.as_bytes());
    }

    #[tokio::test]
    async fn what_was_said_before_a_body_breaks_off_is_handed_out() {
        let mut all = pieces(2);
        all.push(Err(std::io::Error::other("broken")));
        let mut body = Gathered::from(Body::from_stream(stream::iter(all)));
        assert!(!body.is_end_stream());
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.pieces(), first.chunk()), (2, &b"0"[..]));
        assert!(body.frame().await.unwrap().is_err());
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn what_comes_later_lets_what_is_there_be_written_first() {
        let mut said = false;
        let all = stream::iter(pieces(2)).chain(stream::poll_fn(move |cx| {
            if std::mem::replace(&mut said, true) {
                return Poll::Ready(Some(Err(std::io::Error::other("broken"))));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        let mut body = Gathered::from(Body::from_stream(all));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let first = Pin::new(&mut body).poll_frame(&mut cx);
        assert!(matches!(first, Poll::Ready(Some(Ok(_)))));
        assert!(Pin::new(&mut body).poll_frame(&mut cx).is_pending());
        let last = Pin::new(&mut body).poll_frame(&mut cx);
        assert!(matches!(last, Poll::Ready(Some(Err(_)))));
    }

    #[tokio::test]
    async fn an_empty_body_and_one_of_a_single_piece_stay_what_they_are() {
        let mut empty = Gathered::from(Body::empty());
        assert!(empty.is_end_stream());
        assert!(empty.frame().await.is_none());
        let one = Gathered::from(Body::from("one"));
        assert_eq!(one.size_hint().exact(), Some(3));
        assert_eq!(one.collect().await.unwrap().to_bytes(), "one");
    }

    #[test]
    fn a_run_is_read_across_its_pieces() {
        let mut run = Run::default();
        run.extend(["ab", "", "cd", "e"].map(Bytes::from));
        assert_eq!((run.pieces(), run.remaining()), (3, 5));
        assert_eq!(seen(&run), [&b"ab"[..], b"cd"]);
        run.advance(3);
        assert_eq!((run.chunk(), run.remaining()), (&b"d"[..], 2));
        run.advance(2);
        assert!(!run.has_remaining());
        assert!(seen(&run).is_empty());
    }

    /// What of it goes into two slices.
    fn seen(run: &Run) -> Vec<Vec<u8>> {
        let mut slices = [IoSlice::new(&[]); 2];
        let filled = run.chunks_vectored(&mut slices);
        slices[..filled]
            .iter()
            .map(|slice| slice.to_vec())
            .collect()
    }
}
