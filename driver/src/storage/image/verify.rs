//! Counts and hashes what streams by.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use md5::Md5;
use sha2::{Digest, Sha256};

use super::source::Blocks;

/// A stream that fails in the end if it was not what it should have been.
pub struct Verified {
    blocks: Blocks,
    expected: Expected,
    seen: u64,
    md5: Option<Md5>,
    sha256: Sha256,
    digests: Digests,
    ended: bool,
}

struct Expected {
    size: u64,
    checksum: String,
}

/// Digests of a stream that was read to its end.
#[derive(Clone, Default)]
pub struct Digests(Arc<Mutex<Option<Ends>>>);

#[derive(Clone)]
struct Ends {
    md5: String,
    sha256: String,
}

impl Digests {
    /// MD5 in hexadecimal digits.
    #[must_use]
    pub fn md5(&self) -> Option<String> {
        self.ends().map(|ends| ends.md5)
    }

    /// SHA-256 in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> Option<String> {
        self.ends().map(|ends| ends.sha256)
    }

    fn ends(&self) -> Option<Ends> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// MD5 of a text, in hexadecimal digits.
pub(super) fn md5_of(text: &str) -> String {
    hexadecimal(&Md5::digest(text.as_bytes()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Verified {
    pub(super) fn new(blocks: Blocks, size: u64, checksum: &str) -> (Self, Digests) {
        let digests = Digests::default();
        let verified = Self {
            blocks,
            expected: Expected {
                size,
                checksum: checksum.to_owned(),
            },
            seen: 0,
            // MD5 is as slow as SHA-256, so it is only computed where it is compared or asked for.
            md5: matches!(checksum.len(), 0 | 32).then(Md5::new),
            sha256: Sha256::new(),
            digests: digests.clone(),
            ended: false,
        };
        (verified, digests)
    }

    fn take(&mut self, block: &Bytes) -> io::Result<()> {
        self.seen += block.len() as u64;
        if self.seen > self.expected.size {
            return Err(io::Error::other(format!(
                "the image has more than its {} bytes",
                self.expected.size
            )));
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(block);
        }
        self.sha256.update(block);
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        let Expected { size, checksum } = &self.expected;
        if self.seen != *size {
            let text = format!("the image ended after {} of {size} bytes", self.seen);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
        }
        let md5 = self
            .md5
            .take()
            .map(|md5| hexadecimal(&md5.finalize()))
            .unwrap_or_default();
        let sha256 = hexadecimal(&std::mem::take(&mut self.sha256).finalize());
        let is_digest = checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
        let found = match checksum.len() {
            32 if is_digest => Some(&md5),
            64 if is_digest => Some(&sha256),
            _ => None,
        };
        if let Some(found) = found.filter(|found| *found != checksum) {
            return Err(io::Error::other(format!(
                "the image's checksum is {found}, not {checksum}"
            )));
        }
        *self
            .digests
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Ends { md5, sha256 });
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
            Some(Ok(block)) => match self.take(&block) {
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
