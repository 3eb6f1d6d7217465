//! Images: where a boot disk's content comes from, and whether it arrived whole.
//!
//! An image is streamed, never held. While it streams it is counted and hashed, so that a download
//! that was cut short, or that is another image than its checksum says, fails the upload before the
//! server takes the disk for complete.

mod source;
mod verify;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::rest::Transport;

pub(crate) use source::reach;
pub use verify::Verified;

/// A bootable disk image in raw format.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its UUID in the image service, or one derived from its checksum.
    pub id: Uuid,
    /// Its name, from which the name of its logical unit follows.
    pub name: String,
    /// Checksum of its content in hexadecimal digits: MD5, as image services keep it, or SHA-256.
    /// Anything else is taken as an opaque version and not compared with the content.
    pub checksum: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where its content is.
    pub source: ImageSource,
}

/// Whoever wants an image uploaded: told before the upload makes anything, so that a journal knows of it first.
pub(crate) trait Claim: Send + Sync {
    /// The upload is about to begin; it does not when this fails.
    fn begin(&self) -> BoxFuture<'_, Result<()>>;

    /// It failed, and nothing of it is left.
    fn over(&self);
}

/// Where an image's content is.
#[derive(Clone)]
pub enum ImageSource {
    /// A file of this machine.
    File(PathBuf),
    /// An `http` or `https` URL.
    Url(String),
    /// A URL that is fetched through this transport.
    Through(String, Arc<dyn Transport>),
    /// The content itself.
    Bytes(Bytes),
    /// Whatever another part of this process reads.
    Fed(Arc<dyn Feed>),
}

/// Another part of this process that reads an image: the image service's client, for instance.
pub trait Feed: Send + Sync {
    /// The content from its beginning, block by block. A block is asked for when there is room for it.
    fn open(&self) -> BoxStream<'static, std::io::Result<Bytes>>;
}

/// The namespace of UUIDs that are derived from checksums.
const DERIVED: Uuid = Uuid::from_u128(0x6f2b_0a51_6c55_4f0e_9d3b_51a7_b0c4_5d10);

/// Bytes of a file that are read at once.
const BLOCK: usize = 256 * 1024;

impl Image {
    /// An image of which everything is known but its UUID.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        checksum: impl Into<String>,
        size: u64,
        source: ImageSource,
    ) -> Self {
        let checksum = checksum.into().to_ascii_lowercase();
        let id = Uuid::new_v3(&DERIVED, checksum.as_bytes());
        Self {
            id,
            name: name.into(),
            checksum,
            size,
            source,
        }
    }

    /// The image in a file, which is read once for its checksum.
    ///
    /// # Errors
    /// A file that cannot be read, or that changes while it is read.
    pub async fn from_file(path: &Path, name: Option<&str>) -> Result<Self> {
        let source = ImageSource::File(path.to_owned());
        let size = source.size().await?;
        let name = name.map_or_else(|| stem(&path.to_string_lossy()), str::to_owned);
        let (content, _) = source.open().await?;
        let (checksum, read) = verify::md5_of_all(content)
            .await
            .map_err(|error| unreadable(&path.display().to_string(), error))?;
        if read != size {
            let text = format!("{read} bytes were read of {size}");
            let error = std::io::Error::other(text);
            return Err(unreadable(&path.display().to_string(), error));
        }
        Ok(Self::new(name, checksum, size, source))
    }

    /// The image in a file whose checksum is known.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub async fn described_file(path: &Path, name: Option<&str>, checksum: &str) -> Result<Self> {
        let source = ImageSource::File(path.to_owned());
        let size = source.size().await?;
        let name = name.map_or_else(|| stem(&path.to_string_lossy()), str::to_owned);
        Ok(Self::new(name, checksum, size, source))
    }

    /// The image behind a URL, whose server is asked for the size.
    ///
    /// Without a checksum the image is told by its URL, size and `ETag` or `Last-Modified`, so that
    /// a changed image is uploaded again; its content is then taken as it comes.
    ///
    /// # Errors
    /// A URL that does not answer, or an answer without a length, or neither a checksum nor a
    /// version.
    pub async fn from_url(url: &str, name: Option<&str>, checksum: Option<&str>) -> Result<Self> {
        let source = ImageSource::Url(url.to_owned());
        let found = source.describe().await?;
        let checksum = match (checksum, found.version) {
            (Some(checksum), _) => checksum.to_owned(),
            // As long as an MD5, and none: it says nothing about the content.
            (None, Some(version)) => {
                let hash = verify::md5_of(&format!("{url} {} {version}", found.size));
                format!("url_{}", hash.get(4..).unwrap_or_default())
            }
            (None, None) => {
                return Err(Error::operation(
                    ErrorKind::Invalid,
                    format!("the server of {source} tells neither ETag nor Last-Modified"),
                    "give the image's checksum as well",
                ));
            }
        };
        let name = name.map_or_else(|| stem(url), str::to_owned);
        Ok(Self::new(name, checksum, found.size, source))
    }

    /// The content, counted and hashed on its way.
    ///
    /// The stream ends with an error when the content is shorter or longer than the image's size,
    /// or is not what its checksum says.
    ///
    /// # Errors
    /// A source that cannot be opened, or that says that it has another size.
    pub async fn open(&self) -> Result<Verified> {
        let (stream, size) = self.source.open().await?;
        if size.is_some_and(|size| size != self.size) {
            return Err(Error::operation(
                ErrorKind::Local,
                format!(
                    "{} has {} bytes, not {}",
                    self.source,
                    size.unwrap_or_default(),
                    self.size
                ),
                "describe the image anew: it has changed",
            ));
        }
        Ok(Verified::new(stream, self.size, &self.checksum))
    }

    /// As much of the checksum as names of logical units hold.
    pub(crate) fn short_checksum(&self) -> String {
        self.checksum.chars().take(32).collect()
    }
}

impl fmt::Display for ImageSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(formatter, "the file {}", path.display()),
            Self::Url(url) | Self::Through(url, _) => formatter.write_str(without_secrets(url)),
            Self::Bytes(bytes) => write!(formatter, "an image in memory ({} bytes)", bytes.len()),
            Self::Fed(_) => formatter.write_str("an image of the image service"),
        }
    }
}

impl fmt::Debug for ImageSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A URL without what may be a signature or a password in it.
pub(crate) fn without_secrets(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let visible = url.get(..end).unwrap_or_default();
    if visible.contains('@') {
        "a URL with credentials"
    } else {
        visible
    }
}

/// The last part of a path or URL, without its extension.
fn stem(path: &str) -> String {
    let visible = without_secrets(path);
    let last = visible
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(visible);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    if stem.is_empty() {
        "image".to_owned()
    } else {
        stem.to_owned()
    }
}

fn unreadable(what: &str, source: std::io::Error) -> Error {
    Error::caused(
        ErrorKind::Local,
        format!("{what} cannot be read: {source}"),
        "check the image and its server",
        source,
    )
}

#[cfg(test)]
mod tests;
