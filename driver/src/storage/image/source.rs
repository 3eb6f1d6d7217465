//! Opens images: files block by block, URLs as their servers send them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyDataStream;
use tokio_util::io::ReaderStream;

use super::{BLOCK, ImageSource, unreadable, without_secrets};
use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Body, Endpoint, HttpTransport, Transport};

/// Blocks of an image on their way.
pub(super) type Blocks = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// What a server says about an image without sending it.
pub(super) struct Description {
    /// Bytes.
    pub(super) size: u64,
    /// `ETag`, or else `Last-Modified`.
    pub(super) version: Option<String>,
}

/// How often an image server may send us elsewhere.
const MAX_REDIRECTS: usize = 5;

impl ImageSource {
    /// The content and, where it is known beforehand, its size.
    pub(super) async fn open(&self) -> Result<(Blocks, Option<u64>)> {
        match self {
            Self::File(path) => {
                let name = path.display().to_string();
                let file = tokio::fs::File::open(path)
                    .await
                    .map_err(|error| unreadable(&name, error))?;
                let size = file
                    .metadata()
                    .await
                    .map_err(|error| unreadable(&name, error))?
                    .len();
                Ok((
                    Box::pin(ReaderStream::with_capacity(file, BLOCK)),
                    Some(size),
                ))
            }
            Self::Bytes(bytes) => {
                let size = bytes.len() as u64;
                let mut rest = bytes.clone();
                let blocks = stream::poll_fn(move |_| {
                    let next = rest.split_to(rest.len().min(BLOCK));
                    std::task::Poll::Ready((!next.is_empty()).then_some(Ok(next)))
                });
                Ok((Box::pin(blocks), Some(size)))
            }
            Self::Fed(feed) => Ok((feed.open(), None)),
            Self::Url(_) | Self::Through(..) => {
                let answer = self.request(Method::GET).await?;
                let size = length(answer.headers());
                let blocks = BodyDataStream::new(answer.into_body())
                    .map(|block| block.map_err(io::Error::other));
                Ok((Box::pin(blocks), size))
            }
        }
    }

    /// Size in bytes.
    pub(super) async fn size(&self) -> Result<u64> {
        match self {
            Self::File(path) => {
                let found = tokio::fs::metadata(path).await;
                let found = found.and_then(|found| {
                    if found.is_file() {
                        Ok(found)
                    } else {
                        Err(io::Error::other("it is no regular file"))
                    }
                });
                found
                    .map(|found| found.len())
                    .map_err(|error| unreadable(&path.display().to_string(), error))
            }
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::Fed(_) => Err(Error::invalid(
                "an image that is fed does not tell its size",
                "name its size with it",
            )),
            Self::Url(_) | Self::Through(..) => self.describe().await.map(|found| found.size),
        }
    }

    /// What the server of a URL says about it.
    pub(super) async fn describe(&self) -> Result<Description> {
        let answer = self.request(Method::HEAD).await?;
        let headers = answer.headers();
        let size = length(headers).ok_or_else(|| {
            Error::operation(
                ErrorKind::Local,
                format!("the server of {self} does not tell the image's size"),
                "use an image server that sends Content-Length, or download the image first",
            )
        })?;
        let version = [header::ETAG, header::LAST_MODIFIED]
            .iter()
            .find_map(|name| headers.get(name)?.to_str().ok())
            .map(str::to_owned);
        Ok(Description { size, version })
    }

    /// Asks for the URL, and wherever its server sends us, never from `https` to `http`.
    async fn request(&self, method: Method) -> Result<Response<Body>> {
        let (url, transport) = match self {
            Self::Url(url) => (url.as_str(), None),
            Self::Through(url, transport) => (url.as_str(), Some(Arc::clone(transport))),
            Self::File(_) | Self::Bytes(_) | Self::Fed(_) => {
                return Err(Error::internal("no URL to ask"));
            }
        };
        let mut uri = read(url)?;
        for _ in 0..=MAX_REDIRECTS {
            let transport = match &transport {
                Some(transport) => Arc::clone(transport),
                None => connect(&uri)?,
            };
            let request = Request::builder()
                .method(method.clone())
                .uri(uri.clone())
                .header(header::ACCEPT, "*/*")
                .header(header::ACCEPT_ENCODING, "identity");
            let request = request.body(Body::empty()).map_err(|_| unusable(url))?;
            let answer = transport.call(request).await.map_err(|error| {
                Error::caused(
                    ErrorKind::Local,
                    format!("the image server of {self} gave no answer"),
                    "check the URL and that its server runs",
                    error,
                )
            })?;
            match answer.status() {
                StatusCode::OK => return Ok(answer),
                status if status.is_redirection() => {
                    uri = elsewhere(&uri, answer.headers()).ok_or_else(|| unusable(url))?
                }
                status => {
                    return Err(Error::operation(
                        ErrorKind::Local,
                        format!("the image server answered {status} for {self}"),
                        "check the URL, and that the image may be read without logging on",
                    ));
                }
            }
        }
        Err(Error::operation(
            ErrorKind::Local,
            format!("the image server sent us on more than {MAX_REDIRECTS} times for {self}"),
            "give the image's final URL",
        ))
    }
}

/// A URL and a way to its server.
///
/// # Errors
/// It is none.
pub(crate) fn reach(url: &str) -> Result<(Uri, Arc<dyn Transport>)> {
    let uri = read(url)?;
    let transport = connect(&uri)?;
    Ok((uri, transport))
}

fn connect(uri: &Uri) -> Result<Arc<dyn Transport>> {
    let (scheme, authority) = (uri.scheme_str().unwrap_or("http"), uri.authority());
    let port = if scheme == "https" { 443 } else { 80 };
    let origin = match authority {
        Some(authority) if authority.port().is_some() => format!("{scheme}://{authority}"),
        Some(authority) => format!("{scheme}://{authority}:{port}"),
        None => return Err(unusable(&uri.to_string())),
    };
    Ok(Arc::new(HttpTransport::new(&Endpoint::new(&origin)?)?))
}

fn read(url: &str) -> Result<Uri> {
    let uri: Uri = url.parse().map_err(|_| unusable(url))?;
    let known = matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some();
    if known { Ok(uri) } else { Err(unusable(url)) }
}

fn unusable(url: &str) -> Error {
    Error::invalid(
        format!("'{}' is no usable image URL", without_secrets(url)),
        "give an http:// or https:// URL without user and password",
    )
}

/// Where a redirection leads: an absolute URL or a path on the same server.
fn elsewhere(from: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    let to: Uri = location.parse().ok()?;
    if to.authority().is_none() {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = to
            .path_and_query()
            .filter(|path| path.as_str().starts_with('/'))
            .cloned();
        parts.path_and_query.as_ref()?;
        return Uri::from_parts(parts).ok();
    }
    let downgrade = from.scheme_str() == Some("https") && to.scheme_str() != Some("https");
    (!downgrade && matches!(to.scheme_str(), Some("http" | "https"))).then_some(to)
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}
