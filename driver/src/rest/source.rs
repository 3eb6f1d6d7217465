//! The contents of an upload, counted and watched on their way out.

use std::cmp::Ordering;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::io::AsyncRead;
use tokio::time::Instant;
use tokio_util::io::poll_read_buf;

use crate::error::{Cause, seconds};

/// Bytes read and sent at a time.
const BLOCK: usize = 64 * 1024;

/// How far an upload has come, seen from outside of the body that is being sent.
#[derive(Debug)]
pub(super) struct Meter(Mutex<Reading>, u64);

#[derive(Debug)]
struct Reading {
    sent: u64,
    last_move: Instant,
    /// The last read is still waiting for the source.
    hungry: bool,
    failure: Option<Cause>,
}

impl Meter {
    /// Of an upload of this many bytes.
    pub(super) fn new(size: u64) -> Meter {
        Meter(
            Mutex::new(Reading {
                sent: 0,
                last_move: Instant::now(),
                hungry: false,
                failure: None,
            }),
            size,
        )
    }

    pub(super) fn is_complete(&self) -> bool {
        self.read(|reading| reading.sent >= self.1)
    }

    /// Bytes that were sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.read(|reading| reading.sent)
    }

    pub(super) fn last_move(&self) -> Instant {
        self.read(|reading| reading.last_move)
    }

    /// Why the source stopped the upload, if it did.
    pub(super) fn source_failure(&self) -> Option<Cause> {
        self.read(|reading| reading.failure.clone())
    }

    fn read<T>(&self, look: impl FnOnce(&mut Reading) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn advance(&self, bytes: u64) -> u64 {
        self.read(|reading| {
            reading.sent += bytes;
            reading.last_move = Instant::now();
            reading.hungry = false;
            reading.sent
        })
    }

    /// Nothing moved for this long: if it was the source that gave nothing, it failed.
    pub(super) fn blame_the_source_if_hungry(&self, waited: Duration) {
        self.read(|reading| {
            if reading.hungry {
                let error = io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("it gave nothing for {}", seconds(waited)),
                );
                reading.failure = Some(Arc::new(error));
            }
        });
    }

    fn wait_for_source(&self) {
        self.read(|reading| reading.hungry = true);
    }

    /// Keeps the error for the caller and gives another to the transport, so that the server sees a cut body.
    fn fail(&self, error: io::Error) -> io::Error {
        let told = io::Error::other(error.to_string());
        self.read(|reading| reading.failure = Some(Arc::new(error)));
        told
    }
}

/// Called with the bytes sent so far.
pub(super) type Progress = Box<dyn Fn(u64) + Send + Sync>;

/// A body of exactly the announced size out of a reader: one that ends early or has more is an error, never a file
/// that only looks whole.
pub(super) struct Metered<R> {
    source: Option<Pin<Box<R>>>,
    meter: Arc<Meter>,
    progress: Progress,
    /// Bytes read, of which those in the buffer are not sent yet.
    have: u64,
    buffer: BytesMut,
}

impl<R: AsyncRead> Metered<R> {
    pub(super) fn new(source: R, meter: Arc<Meter>, progress: Progress) -> Metered<R> {
        Metered {
            source: Some(Box::pin(source)),
            meter,
            progress,
            have: 0,
            buffer: BytesMut::new(),
        }
    }

    fn block(&mut self) -> Frame<Bytes> {
        let block = self.buffer.split().freeze();
        (self.progress)(self.meter.advance(block.len() as u64));
        Frame::data(block)
    }
}

impl<R: AsyncRead> http_body::Body for Metered<R> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        while let Some(source) = &mut this.source {
            this.buffer.reserve(BLOCK);
            let Poll::Ready(read) = poll_read_buf(source.as_mut(), context, &mut this.buffer)
            else {
                this.meter.wait_for_source();
                return Poll::Pending;
            };
            let failure = match read {
                Ok(0) if this.have == this.meter.1 => {
                    this.source = None;
                    continue;
                }
                Ok(0) => {
                    let text = format!("it ended after {} of {} bytes", this.have, this.meter.1);
                    io::Error::new(io::ErrorKind::UnexpectedEof, text)
                }
                Ok(read) => {
                    this.have += read as u64;
                    match this.have.cmp(&this.meter.1) {
                        Ordering::Less => return Poll::Ready(Some(Ok(this.block()))),
                        // The last block waits until the source has confirmed its end: a server that has all it
                        // was promised would not ask for more.
                        Ordering::Equal => continue,
                        Ordering::Greater => {
                            io::Error::other(format!("it has more than its {} bytes", this.meter.1))
                        }
                    }
                }
                Err(error) => error,
            };
            this.source = None;
            this.buffer.clear();
            return Poll::Ready(Some(Err(this.meter.fail(failure))));
        }
        if this.buffer.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(this.block())))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(
            self.meter
                .1
                .saturating_sub(self.have - self.buffer.len() as u64),
        )
    }
}
