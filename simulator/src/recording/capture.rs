//! Bodies that pass through: text up to a size is kept, everything else is counted and digested only.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use sha2::{Digest as _, Sha256};

use super::Captured;

/// The largest text that is kept, in bytes.
pub(super) const LARGEST_TEXT: usize = 64 << 20;

/// Whether a body is a text by its media type. Bodies of no type are taken for texts: clients send XML so.
pub(super) fn is_text(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return true;
    };
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    ["xml", "json", "text/", "urlencoded"]
        .iter()
        .any(|part| kind.contains(part))
}

/// A whole body; none if it is larger than [`LARGEST_TEXT`] or breaks off.
pub(super) async fn whole(body: Body) -> Option<Bytes> {
    let mut stream = body.into_data_stream();
    let mut read = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.ok()?;
        if read.len() + chunk.len() > LARGEST_TEXT {
            return None;
        }
        read.extend_from_slice(&chunk);
    }
    Some(read.freeze())
}

/// What is recorded of a body that was read whole: its text, or its digest if it is none.
pub(super) fn captured(bytes: &[u8]) -> Captured {
    match std::str::from_utf8(bytes) {
        Ok(text) => Captured::kept(text.to_owned()),
        Err(_) => {
            let mut meter = Meter::default();
            meter.add(bytes);
            meter.end()
        }
    }
}

/// Counts and digests.
#[derive(Default)]
struct Meter {
    length: u64,
    digest: Sha256,
}

impl Meter {
    fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        self.digest.update(bytes);
    }

    fn end(&mut self) -> Captured {
        let digest = std::mem::take(&mut self.digest).finalize();
        Captured {
            text: None,
            length: self.length,
            sha256: Some(digest.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}

/// What is learnt of a body while it streams by.
#[derive(Clone, Default)]
pub(super) struct Passing {
    meter: Arc<Mutex<Meter>>,
}

impl Passing {
    /// The same body, measured.
    pub(super) fn through<S, E>(
        &self,
        stream: S,
    ) -> impl futures_util::Stream<Item = Result<Bytes, E>> + use<S, E>
    where
        S: futures_util::Stream<Item = Result<Bytes, E>>,
    {
        let meter = Arc::clone(&self.meter);
        stream.map(move |chunk| {
            if let Ok(chunk) = &chunk {
                meter
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(chunk);
            }
            chunk
        })
    }

    /// What has passed so far.
    pub(super) fn captured(&self) -> Captured {
        self.meter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .end()
    }
}
