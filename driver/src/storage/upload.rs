//! Sends images and media to the server, watched and cancellable.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use powervm_schema::file::File;
use tokio_util::io::StreamReader;

use super::for_want_of_space;
use super::image::Image;
use crate::error::{Error, Result};
use crate::operations::{Control, Progress};
use crate::rest::{Groups, Session, Upload};

/// Sends an image into the disk with this UDID.
///
/// # Errors
/// A source that fails, is cut short or is another image than its checksum says; those of the
/// upload; cancellation.
pub(crate) async fn disk(
    session: &Session,
    control: &Control,
    image: &Image,
    name: &str,
    vios: &str,
    udid: &str,
) -> Result<()> {
    let content = image.open().await?;
    let target = Target {
        name,
        vios: Some(vios),
        udid: Some(udid),
    };
    send(
        session,
        control,
        Upload::disk(name, vios, udid, image.size),
        target,
        image.size,
        content,
    )
    .await?;
    tracing::info!(
        image = name,
        checksum = image.checksum,
        "uploaded the image"
    );
    Ok(())
}

/// Sends a medium into the repository of a Virtual I/O Server.
///
/// # Errors
/// Those of the upload; cancellation.
pub(crate) async fn media(
    session: &Session,
    control: &Control,
    name: &str,
    vios: &str,
    content: Vec<u8>,
) -> Result<()> {
    let size = content.len() as u64;
    let content = stream::iter([Ok(Bytes::from(content))]);
    send(
        session,
        control,
        Upload::media(name, vios, size),
        Target {
            name,
            vios: Some(vios),
            udid: None,
        },
        size,
        content,
    )
    .await
}

/// What tells one upload's record from others'.
#[derive(Clone, Copy)]
struct Target<'a> {
    name: &'a str,
    vios: Option<&'a str>,
    udid: Option<&'a str>,
}

async fn send<S>(
    session: &Session,
    control: &Control,
    upload: Upload,
    target: Target<'_>,
    total: u64,
    content: S,
) -> Result<()>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
{
    let name = target.name;
    let what: Arc<str> = name.into();
    let watcher = control.clone();
    let progress = move |sent| {
        watcher.note(&Progress::Transfer {
            what: Arc::clone(&what),
            sent,
            total,
        })
    };
    // Cancelling ends the source rather than the request, so that the upload ends in good order and
    // its record is deleted before anything else happens.
    let was_stopped = Arc::new(AtomicBool::new(false));
    let content = Stoppable {
        content,
        stopped: Box::pin(control.stopped()),
        was_stopped: Arc::clone(&was_stopped),
    };
    let sent = session
        .upload(upload, StreamReader::new(content), progress)
        .await;
    match sent {
        Err(Error::Source { .. }) if was_stopped.load(Ordering::SeqCst) => Err(Error::Cancelled {
            what: format!("the upload of {name}"),
        }),
        Err(error) => {
            if let Err(error) = forget(session, target).await {
                tracing::warn!(%error, file = name, "could not delete the record of a failed upload; delete it by hand");
            }
            Err(for_want_of_space(error, name))
        }
        Ok(()) => Ok(()),
    }
}

/// Identifiers of the disks that something is being uploaded into, by whomever.
///
/// # Errors
/// Those of the request.
pub(crate) async fn targets(session: &Session) -> Result<BTreeSet<String>> {
    let feed = session.get_feed("web/File", Groups::Omitted).await?;
    let targets = feed
        .entries
        .iter()
        .filter_map(|entry| File(&entry.content).target_device_udid().map(str::to_owned));
    Ok(targets.collect())
}

/// Deletes the records of uploads into the disk with this UDID.
///
/// # Errors
/// Those of the requests.
pub(crate) async fn forget_disk(session: &Session, name: &str, udid: &str) -> Result<()> {
    let target = Target {
        name,
        vios: None,
        udid: Some(udid),
    };
    forget(session, target).await
}

/// Deletes the records of uploads of this medium through this Virtual I/O Server.
///
/// # Errors
/// Those of the requests.
pub(crate) async fn forget_media(session: &Session, name: &str, vios: &str) -> Result<()> {
    let target = Target {
        name,
        vios: Some(vios),
        udid: None,
    };
    forget(session, target).await
}

/// Deletes the record of an upload. It is left over when its creation was answered by an error or
/// not at all; a server keeps a hundred of them and then takes no more uploads.
async fn forget(session: &Session, target: Target<'_>) -> Result<()> {
    for entry in session.get_feed("web/File", Groups::Omitted).await?.entries {
        let file = File(&entry.content);
        let is_its_server = target.vios.is_none_or(|wanted| {
            file.target_vios_uuid()
                .is_some_and(|vios| vios.eq_ignore_ascii_case(wanted))
        });
        if is_its_server
            && file.name() == Some(target.name)
            && file.target_device_udid() == target.udid
        {
            let id = file.uuid().unwrap_or(&entry.id);
            session.ensure_deleted(&format!("web/File/{id}")).await?;
        }
    }
    Ok(())
}

/// A stream that fails when it is stopped.
struct Stoppable<S> {
    content: S,
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
    was_stopped: Arc<AtomicBool>,
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Stoppable<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Looked at until it is ready once: a future must not be polled after its end.
        let stopped = self.was_stopped.load(Ordering::SeqCst)
            || self.stopped.as_mut().poll(context).is_ready();
        if stopped {
            self.was_stopped.store(true, Ordering::SeqCst);
            return Poll::Ready(Some(Err(io::Error::other("the upload was stopped"))));
        }
        self.content.poll_next_unpin(context)
    }
}
