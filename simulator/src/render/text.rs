//! The text of a document in pieces: what an answer shares with others is not copied for it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

/// A text of one or more pieces, each of them UTF-8.
#[derive(Clone, Debug, Default)]
pub struct Text(Vec<Bytes>);

impl Text {
    /// A text of so many pieces, to be pushed.
    pub(crate) fn with_capacity(pieces: usize) -> Self {
        Self(Vec::with_capacity(pieces))
    }

    /// The same, with this piece at its end.
    pub(crate) fn push(&mut self, piece: Bytes) {
        self.0.push(piece);
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Bytes::is_empty)
    }

    /// The body of an answer.
    pub fn into_body(mut self) -> Body {
        if self.0.len() < 2 {
            return self.0.pop().map_or_else(Body::empty, Body::from);
        }
        Body::new(Pieces {
            left: self.len() as u64,
            pieces: self.0.into_iter(),
        })
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(vec![Bytes::from(text)])
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = match self.0.as_slice() {
            [only] => Cow::Borrowed(&**only),
            // A character may not lie across two pieces, but nothing here depends on that.
            pieces => Cow::Owned(pieces.concat()),
        };
        f.write_str(&String::from_utf8_lossy(&whole))
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |text: &Self| text.0.concat();
        self.len() == other.len() && bytes(self) == bytes(other)
    }
}

impl Eq for Text {}

/// A body that hands out pieces and knows its length.
struct Pieces {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.next();
        if let Some(piece) = &piece {
            self.left = self.left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn pieces_are_one_body_of_known_length() {
        let mut text = Text::from("one ".to_owned());
        text.push(Bytes::from_static(b"two"));
        assert_eq!((text.len(), text.to_string()), (7, "one two".to_owned()));
        assert_eq!(text, Text::from("one two".to_owned()));
        assert_ne!(text, Text::from("one too".to_owned()));
        let body = text.into_body();
        assert_eq!(body.size_hint().exact(), Some(7));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "one two");
        assert!(Text::default().is_empty());
    }
}
