//! An image on its way from the image service's client, which is Python, to an upload.
//!
//! Nothing is read before the upload wants it: an image that the host has already is never downloaded. A block waits
//! until there is room for it, so that at most [`AHEAD`] blocks are in memory.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use powervm_driver::storage::image::Feed;
use tokio::sync::{Mutex as TurnMutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::call::Call;
use crate::trouble::Trouble;

/// Blocks that are ready before they are wanted.
pub const AHEAD: usize = 4;
/// Bytes that a block may have.
pub const LARGEST_BLOCK: usize = 16 << 20;

type Block = io::Result<Bytes>;
type Wish = mpsc::Sender<Block>;

/// Where the upload takes blocks.
struct Spout {
    wishes: mpsc::UnboundedSender<Wish>,
}

impl Feed for Spout {
    fn open(&self) -> BoxStream<'static, Block> {
        let (blocks, taken) = mpsc::channel(AHEAD);
        if self.wishes.send(blocks).is_err() {
            let error = io::Error::other("nobody downloads the image any more");
            return stream::iter([Err(error)]).boxed();
        }
        stream::unfold(taken, |mut taken| async move {
            let block = taken.recv().await?;
            Some((block, taken))
        })
        .boxed()
    }
}

/// Where the download puts blocks.
#[derive(Debug)]
pub struct Pipe {
    wishes: Arc<TurnMutex<mpsc::UnboundedReceiver<Wish>>>,
    current: Mutex<Option<Wish>>,
}

/// A pipe: where blocks are put, and what an image's source is made of.
#[must_use]
pub fn pipe() -> (Pipe, Arc<dyn Feed>) {
    let (wishes, heard) = mpsc::unbounded_channel();
    let pipe = Pipe {
        wishes: Arc::new(TurnMutex::new(heard)),
        current: Mutex::default(),
    };
    (pipe, Arc::new(Spout { wishes }))
}

impl Pipe {
    fn current(&self) -> MutexGuard<'_, Option<Wish>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next download that is wanted; none once the operation is over.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn wanted(&self) -> Result<Call<Option<Download>>, Trouble> {
        let wishes = Arc::clone(&self.wishes);
        Call::start(&CancellationToken::new(), |_| async move {
            Ok(wishes.lock().await.recv().await.map(Download))
        })
    }

    /// What is put from now on belongs to this download.
    pub fn begin(&self, download: Download) {
        *self.current() = Some(download.0);
    }

    /// Puts a block: done at once if there is room, otherwise a call that ends when there is. False once nobody wants
    /// more.
    ///
    /// # Errors
    /// A block that is too large; as [`Call::start`].
    pub fn put(&self, block: Bytes) -> Result<Put, Trouble> {
        if block.len() > LARGEST_BLOCK {
            return Err(Trouble::invalid(format!(
                "a block of an image has {} bytes, above the limit of {LARGEST_BLOCK}",
                block.len()
            )));
        }
        let Some(wish) = self.current().clone() else {
            return Ok(Put::Done(false));
        };
        match wish.try_send(Ok(block)) {
            Ok(()) => Ok(Put::Done(true)),
            Err(mpsc::error::TrySendError::Full(block)) => {
                let later = Call::start(&CancellationToken::new(), |_| async move {
                    Ok(wish.send(block).await.is_ok())
                })?;
                Ok(Put::Later(later))
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Ok(Put::Done(false)),
        }
    }

    /// The download is complete, or it failed with this text.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn end(&self, failure: Option<String>) -> Result<(), Trouble> {
        let (Some(wish), Some(failure)) = (self.current().take(), failure) else {
            return Ok(());
        };
        Call::start(&CancellationToken::new(), |_| async move {
            Ok(wish.send(Err(io::Error::other(failure))).await.is_ok())
        })
        .map(drop)
    }
}

/// A download that is wanted.
#[derive(Debug)]
pub struct Download(Wish);

/// What became of a block.
#[derive(Debug)]
pub enum Put {
    /// It is on its way, or (false) nobody wants it.
    Done(bool),
    /// There is no room yet.
    Later(Call<bool>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    fn wanted(pipe: &Pipe) -> Option<Download> {
        let call = pipe.wanted().unwrap();
        assert!(call.wait(LONG));
        call.take().unwrap().unwrap()
    }

    #[test]
    fn blocks_come_out_in_their_order_and_never_more_than_there_is_room_for() {
        let (pipe, feed) = pipe();
        let mut taken = feed.open();
        pipe.begin(wanted(&pipe).unwrap());
        for number in 0..AHEAD {
            let put = pipe.put(Bytes::from(vec![number as u8])).unwrap();
            assert!(matches!(put, Put::Done(true)));
        }
        let Put::Later(later) = pipe.put(Bytes::from_static(b"last")).unwrap() else {
            panic!("there was room");
        };
        assert!(!later.wait(Duration::ZERO));
        let next = |taken: &mut BoxStream<'static, Block>| {
            crate::call::runtime().unwrap().block_on(taken.next())
        };
        assert_eq!(next(&mut taken).unwrap().unwrap(), [0].as_slice());
        assert!(later.wait(LONG));
        pipe.end(None).unwrap();
        for number in 1..AHEAD {
            assert_eq!(
                next(&mut taken).unwrap().unwrap(),
                [number as u8].as_slice()
            );
        }
        assert_eq!(next(&mut taken).unwrap().unwrap(), b"last".as_slice());
        drop(later);
        assert!(next(&mut taken).is_none());
    }

    #[test]
    fn a_failed_download_fails_the_upload() {
        let (pipe, feed) = pipe();
        let mut taken = feed.open();
        pipe.begin(wanted(&pipe).unwrap());
        pipe.end(Some("Glance is gone".to_owned())).unwrap();
        let next = crate::call::runtime().unwrap().block_on(taken.next());
        assert!(next.unwrap().unwrap_err().to_string().contains("Glance"));
    }

    #[test]
    fn nobody_is_asked_to_download_what_is_not_wanted() {
        let (pipe, feed) = pipe();
        drop(feed);
        assert!(wanted(&pipe).is_none());
        assert!(matches!(
            pipe.put(Bytes::from_static(b"x")).unwrap(),
            Put::Done(false)
        ));
    }

    #[test]
    fn a_block_larger_than_is_safe_is_refused() {
        let (pipe, _feed) = pipe();
        assert!(pipe.put(Bytes::from(vec![0; LARGEST_BLOCK + 1])).is_err());
    }
}
