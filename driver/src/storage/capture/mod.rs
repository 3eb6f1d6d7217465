//! The content of a disk on its way to an image: read once, a block at a time, and hashed as it goes by.

mod file;
mod put;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use md5::Md5;
use secrecy::SecretString;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::image::without_secrets;
use crate::devices::Opened;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Control, Progress};
use crate::rest::Transport;

pub(crate) use file::{ImageFile, Paths};

/// How much is read at a time.
const BLOCK: usize = 1 << 20;

/// Where an image goes.
#[derive(Clone)]
pub enum CaptureTarget {
    /// To a raw image file of this name, which must not exist.
    File(PathBuf),
    /// With one HTTP PUT, as `application/octet-stream`.
    Url {
        /// An `http` or `https` URL.
        url: String,
        /// What goes along as `X-Auth-Token`, as OpenStack's image service wants it.
        token: Option<SecretString>,
        /// The way to the server; its own connection without.
        through: Option<Arc<dyn Transport>>,
    },
}

impl CaptureTarget {
    /// A URL without a token.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self::Url {
            url: url.into(),
            token: None,
            through: None,
        }
    }
}

impl fmt::Display for CaptureTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "{}", path.display()),
            // A URL that was signed has its secret in the query.
            Self::Url { url, .. } => {
                let url = without_secrets(url);
                formatter.write_str(url.split(['?', '#']).next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for CaptureTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CaptureTarget({self})")
    }
}

/// What an image came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Captured {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
    /// MD5 in hexadecimal digits, which image services call the checksum.
    pub md5: String,
}

/// Reads an opened disk to its end.
pub(crate) struct Reading {
    device: String,
    size: u64,
    tally: Arc<Mutex<Tally>>,
    content: Pin<Box<dyn AsyncRead + Send>>,
    control: Control,
    what: Arc<str>,
}

#[derive(Default)]
struct Tally {
    bytes: u64,
    md5: Md5,
    sha256: Sha256,
    /// Why the disk could not be read on.
    failure: Option<String>,
}

impl Reading {
    pub(crate) fn of(opened: Opened, control: &Control, what: &str) -> Self {
        Self {
            device: opened.device,
            size: opened.size,
            tally: Arc::default(),
            content: opened.content,
            control: control.clone(),
            what: what.into(),
        }
    }

    /// Sends it all.
    ///
    /// # Errors
    /// A disk that cannot be read on; a target that takes no more; cancellation.
    pub(crate) async fn send(mut self, to: &Sink<'_>) -> Result<Captured> {
        let (tally, device, size) = (Arc::clone(&self.tally), self.device.clone(), self.size);
        let stopped = self.control.stopped();
        // Never left half way: a file that is made after its removal would stay.
        let file = match to {
            Sink::File(file) => Some(file.begin().await?),
            Sink::Url(_) => None,
        };
        let sent = async {
            match (to, file) {
                (Sink::File(_), None) => Err(Error::internal("an image file that was not begun")),
                (Sink::File(_), Some(mut file)) => {
                    while let Some(block) =
                        self.next().await.map_err(|error| unread(&device, error))?
                    {
                        file.write(&block).await?;
                    }
                    file.end(size).await
                }
                (Sink::Url(target), _) => put::put(target, size, self).await,
            }
        };
        let sent = tokio::select! {
            sent = sent => sent,
            () = stopped => Err(Error::Cancelled { what: "the copy of a disk".to_owned() }),
        };
        let tally = std::mem::take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner));
        match tally.failure {
            Some(failure) => Err(unread(&device, io::Error::other(failure))),
            None if sent.is_ok() && tally.bytes < size => Err(Error::operation(
                ErrorKind::Local,
                format!(
                    "the server answered before it had more than {} of {size} bytes",
                    tally.bytes
                ),
                "give the final URL of a server that takes images with PUT",
            )),
            None => sent.map(|()| tally.captured()),
        }
    }

    /// The next block; none at the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        // A disk and a file that are both fast would leave no moment to be cancelled in.
        tokio::task::yield_now().await;
        let seen = self.tally().bytes;
        let left = usize::try_from(self.size - seen).unwrap_or(usize::MAX);
        let mut block = BytesMut::with_capacity(left.min(BLOCK));
        while block.len() < left.min(BLOCK) {
            let room = left.min(BLOCK) - block.len();
            if (&mut self.content)
                .take(room as u64)
                .read_buf(&mut block)
                .await?
                == 0
            {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    format!(
                        "it ended after {} of {} bytes",
                        seen + block.len() as u64,
                        self.size
                    ),
                ));
            }
        }
        let block = block.freeze();
        let sent = self.tally().take(&block);
        self.control.note(&Progress::Transfer {
            what: Arc::clone(&self.what),
            sent,
            total: self.size,
        });
        Ok((!block.is_empty()).then_some(block))
    }

    /// All blocks as a stream. A failure is kept, since whoever sends the stream may tell of it as of his own.
    fn blocks(self) -> impl Stream<Item = io::Result<Bytes>> + Send {
        stream::unfold(Some(self), |reading| async {
            let mut reading = reading?;
            match reading.next().await {
                Ok(block) => block.map(|block| (Ok(block), Some(reading))),
                Err(error) => {
                    reading.tally().failure = Some(error.to_string());
                    Some((Err(error), None))
                }
            }
        })
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn take(&mut self, block: &Bytes) -> u64 {
        self.bytes += block.len() as u64;
        self.md5.update(block);
        self.sha256.update(block);
        self.bytes
    }

    fn captured(self) -> Captured {
        let hexadecimal = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        Captured {
            bytes: self.bytes,
            sha256: hexadecimal(&self.sha256.finalize()),
            md5: hexadecimal(&self.md5.finalize()),
        }
    }
}

/// What takes the content.
pub(crate) enum Sink<'a> {
    File(&'a ImageFile),
    Url(&'a CaptureTarget),
}

fn unread(device: &str, error: io::Error) -> Error {
    Error::caused(
        ErrorKind::Local,
        format!("the disk {device} could not be read to its end: {error}"),
        "see what the machine's log says of it",
        error,
    )
}
