//! Files on their way to a disk or to the media repository of a VIOS, never held whole in memory.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, header};
use powervm_schema::xml::{Element, Namespace};
use tokio::io::AsyncRead;
use tokio::time::Instant;
use tracing::Instrument;

use super::answer::ReadFailure;
use super::body::Body;
use super::count::CallRecord;
use super::exchange::unsendable;
use super::logon;
use super::path::{Groups, class_of, resolve};
use super::session::{Flavor, Session};
use super::source::{Meter, Metered, Progress};
use super::transport::TransportError;
use crate::error::{Error, Result};

const ACCEPT: &str = "application/vnd.ibm.powervm.web+xml";
const MEDIA: &str = "application/octet-stream";

/// What the file becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadKind {
    /// Virtual optical media of the file's name in the media repository of the VIOS.
    MediaIso,
    /// The contents of the virtual disk or logical unit with the target's UDID.
    DiskImage,
}

/// A file to upload.
#[derive(Debug, Clone)]
pub struct Upload {
    kind: UploadKind,
    filename: String,
    vios: String,
    target_udid: Option<String>,
    size: u64,
    sha256: Option<String>,
}

impl Upload {
    /// Optical media: `filename` of at most 37 characters `[.0-9A-Z_a-z]`, through the VIOS of this UUID, of
    /// exactly `size` bytes.
    pub fn media(filename: impl Into<String>, vios_uuid: impl Into<String>, size: u64) -> Upload {
        Upload {
            kind: UploadKind::MediaIso,
            filename: filename.into(),
            vios: vios_uuid.into(),
            target_udid: None,
            size,
            sha256: None,
        }
    }

    /// The contents of the disk with this UDID, through the VIOS of this UUID, of exactly `size` bytes.
    pub fn disk(
        filename: impl Into<String>,
        vios_uuid: impl Into<String>,
        udid: impl Into<String>,
        size: u64,
    ) -> Upload {
        let media = Upload::media(filename, vios_uuid, size);
        Upload {
            kind: UploadKind::DiskImage,
            target_udid: Some(udid.into()),
            ..media
        }
    }

    /// Lets the server check the contents against this SHA-256, in hexadecimal.
    #[must_use]
    pub fn sha256(mut self, digest: impl Into<String>) -> Upload {
        self.sha256 = Some(digest.into());
        self
    }

    fn document(&self) -> Element {
        let leaf = |name: &str, text: &str| Element::leaf(Namespace::Web, name, text);
        let kind = match self.kind {
            UploadKind::MediaIso => "BROKERED_MEDIA_ISO",
            UploadKind::DiskImage => "BROKERED_DISK_IMAGE",
        };
        let mut file =
            Element::new(Namespace::Web, "File").with_attributes(&[("schemaVersion", "V1_0")]);
        file.push(
            Element::new(Namespace::Web, "Metadata").with(Element::new(Namespace::Web, "Atom")),
        );
        file.push(leaf("Filename", &self.filename));
        file.push(leaf("InternetMediaType", MEDIA));
        if let Some(digest) = &self.sha256 {
            file.push(leaf("SHA256", digest));
        }
        file.push(leaf("ExpectedFileSizeInBytes", &self.size.to_string()));
        file.push(leaf("FileEnumType", kind));
        file.push(leaf("TargetVirtualIOServerUUID", &self.vios));
        if let Some(udid) = &self.target_udid {
            file.push(leaf("TargetDeviceUniqueDeviceID", udid));
        }
        file
    }
}

impl Session {
    /// Uploads a file: creates its `File`, streams the contents, and always deletes the `File` again (servers keep
    /// no more than a hundred), even when the returned future is dropped on the way. The disk or media stays, also
    /// a partly written one: removing it after a failure is the caller's undo.
    ///
    /// `progress` is called with the bytes sent so far. At most [`SessionOptions::uploads`](super::SessionOptions)
    /// run at a time, the others wait. The contents are sent once: neither a busy server nor an expired session
    /// makes them be sent again, because the source cannot be rewound.
    ///
    /// # Errors
    /// [`Error::Source`] when the source fails or does not have exactly the upload's size;
    /// [`Error::UnknownOutcome`] when the server took the contents and did not answer, or when nothing moved for the
    /// session's stall timeout; and those of any request.
    pub async fn upload<R>(
        &self,
        upload: Upload,
        source: R,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<()>
    where
        R: AsyncRead + Send + 'static,
    {
        let turn = self.core.upload_turns.acquire().await;
        let session = self.clone();
        let document = upload.document();
        // In a task, so that a File which is made while this future is dropped still meets its guard.
        let created = tokio::spawn(
            async move { FileGuard::create(session, &document).await }.in_current_span(),
        );
        let guard = created
            .await
            .unwrap_or_else(|_| Err(Error::internal("the task of an upload was torn down")))?;
        let id = guard.id.clone().unwrap_or_default();
        let span = tracing::info_span!("upload", file = %upload.filename, bytes = upload.size);
        let sent = self
            .send_contents(&upload, &id, source, Box::new(progress))
            .instrument(span)
            .await;
        guard.delete().await;
        drop(turn);
        sent
    }

    async fn send_contents<R>(
        &self,
        upload: &Upload,
        id: &str,
        source: R,
        progress: Progress,
    ) -> Result<()>
    where
        R: AsyncRead + Send + 'static,
    {
        let core = &*self.core;
        let path = resolve(&format!("web/File/contents/{id}"), Groups::Omitted)?;
        let auth = self.auth();
        if auth.lost {
            return Err(logon::lost());
        }
        let mut builder = core
            .builder(&Method::PUT, &path, ACCEPT, Some(&auth))
            .header(header::CONTENT_TYPE, MEDIA);
        // NovaLink's own client sends chunks without a length, HMCs are known to get a length.
        if core.flavor == Flavor::Hmc {
            builder = builder.header(header::CONTENT_LENGTH, upload.size);
        }
        let meter = Arc::new(Meter::new(upload.size));
        let body = Body::streamed(Metered::new(source, Arc::clone(&meter), progress));
        let request = builder.body(body).map_err(unsendable)?;
        let call = core.call_of(&Method::PUT, &path);
        let start = Instant::now();
        let limit = core.options.document_limit;
        let mut sending = pin!(core.send(request, limit, Duration::MAX));
        let result = tokio::select! {
            (result, _) = &mut sending => result,
            stalled = stall(&meter, core.options.stall_timeout, core.options.answer_timeout) => {
                Err(ReadFailure::Transport(stalled))
            }
        };
        self.record(&CallRecord {
            number: core.next_number(),
            method: Method::PUT,
            class: class_of(&path),
            path,
            status: result.as_ref().ok().map(|answer| answer.status),
            took: start.elapsed(),
            sent: meter.sent(),
            received: result.as_ref().map_or(0, |answer| answer.body.len() as u64),
            attempt: 1,
        });
        if let Some(source) = meter.source_failure() {
            return Err(Error::Source { call, source });
        }
        let answer = result.map_err(|failure| core.failed(call.clone(), failure, true, limit))?;
        if answer.status.is_success() {
            Ok(())
        } else {
            Err(core.refused(call, &answer, true))
        }
    }
}

/// Ends when nothing moved for too long: neither bytes while there are some, nor an answer after them.
async fn stall(meter: &Meter, while_sending: Duration, after_sending: Duration) -> TransportError {
    loop {
        let allowed = if meter.is_complete() {
            after_sending
        } else {
            while_sending
        };
        let now = Instant::now();
        let due = meter.last_move() + allowed;
        if due <= now {
            meter.blame_the_source_if_hungry(allowed);
            return TransportError::timeout(allowed);
        }
        tokio::time::sleep_until(due.min(now + while_sending)).await;
    }
}

/// Deletes the `File` when the upload is over, however it ends.
struct FileGuard {
    session: Session,
    id: Option<String>,
}

impl FileGuard {
    async fn create(session: Session, document: &Element) -> Result<FileGuard> {
        let file = session.create("web/File", document).await?;
        let uuid = file
            .content
            .child("FileUUID")
            .map(|uuid| uuid.text().trim().to_owned());
        let id = uuid.filter(|uuid| !uuid.is_empty()).unwrap_or(file.id);
        Ok(FileGuard {
            session,
            id: Some(id),
        })
    }

    async fn delete(mut self) {
        if let Some(id) = self.id.take() {
            // A task of its own, so that dropping the upload now does not lose the deletion.
            let session = self.session.clone();
            let _ =
                tokio::spawn(async move { remove(&session, &id).await }.in_current_span()).await;
        }
    }
}

impl Drop for FileGuard {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let session = self.session.clone();
            runtime.spawn(async move { remove(&session, &id).await }.in_current_span());
        }
    }
}

async fn remove(session: &Session, id: &str) {
    if let Err(error) = session.clear_away(&format!("web/File/{id}")).await {
        tracing::warn!(%error, file = id, "could not delete the File of an upload; delete it by hand");
    }
}
