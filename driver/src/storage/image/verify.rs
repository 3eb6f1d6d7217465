//! Counts and hashes what streams by.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::source::Blocks;

/// A stream that fails in the end if it was not what it should have been.
pub struct Verified {
    blocks: Blocks,
    expected: Expected,
    seen: u64,
    digest: Option<Checksum>,
    ended: bool,
}

struct Expected {
    size: u64,
    checksum: String,
}

/// The one digest that an image's checksum is of: each costs as much processor time as all else that an upload does.
enum Checksum {
    Md5(Md5),
    Sha256(Box<Sha256>),
}

impl Checksum {
    /// None for what is no checksum but a version, which says nothing of the content.
    fn of(expected: &str) -> Option<Self> {
        let is_digest = expected.bytes().all(|byte| byte.is_ascii_hexdigit());
        match expected.len() {
            32 if is_digest => Some(Self::Md5(Md5::new())),
            64 if is_digest => Some(Self::Sha256(Box::default())),
            _ => None,
        }
    }

    fn update(&mut self, block: &[u8]) {
        match self {
            Self::Md5(digest) => digest.update(block),
            Self::Sha256(digest) => digest.update(block),
        }
    }

    fn end(self) -> String {
        match self {
            Self::Md5(digest) => hexadecimal(&digest.finalize()),
            Self::Sha256(digest) => hexadecimal(&digest.finalize()),
        }
    }
}

/// MD5 of a text, in hexadecimal digits.
pub(super) fn md5_of(text: &str) -> String {
    hexadecimal(&Md5::digest(text.as_bytes()))
}

/// MD5 of all that comes, in hexadecimal digits, and how many bytes came.
pub(super) async fn md5_of_all(mut blocks: Blocks) -> io::Result<(String, u64)> {
    let mut digest = Md5::new();
    let mut size = 0;
    while let Some(block) = blocks.next().await {
        let block = block?;
        digest.update(&block);
        size += block.len() as u64;
    }
    Ok((hexadecimal(&digest.finalize()), size))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Verified {
    pub(super) fn new(blocks: Blocks, size: u64, checksum: &str) -> Self {
        Self {
            blocks,
            digest: Checksum::of(checksum),
            expected: Expected {
                size,
                checksum: checksum.to_owned(),
            },
            seen: 0,
            ended: false,
        }
    }

    fn check(&mut self, block: &Bytes) -> io::Result<()> {
        self.seen += block.len() as u64;
        if self.seen > self.expected.size {
            return Err(io::Error::other(format!(
                "the image has more than its {} bytes",
                self.expected.size
            )));
        }
        if let Some(digest) = &mut self.digest {
            digest.update(block);
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let Expected { size, checksum } = &self.expected;
        if self.seen != *size {
            let text = format!("the image ended after {} of {size} bytes", self.seen);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        let found = self.digest.take().map(Checksum::end);
        if let Some(found) = found.filter(|found| found != checksum) {
            return Err(io::Error::other(format!(
                "the image's checksum is {found}, not {checksum}"
            )));
        }
        Ok(())
    }
}

impl Stream for Verified {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let next = std::task::ready!(self.blocks.as_mut().poll_next(context));
        let judged = match next {
            Some(Ok(block)) => match self.check(&block) {
                Ok(()) => return Poll::Ready(Some(Ok(block))),
                Err(error) => Some(Err(error)),
            },
            Some(Err(error)) => Some(Err(error)),
            None => self.finish().err().map(Err),
        };
        self.ended = true;
        Poll::Ready(judged)
    }
}
