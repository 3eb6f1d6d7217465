//! Our own form: a line of JSON for the head, then one for each exchange, written as it is answered. A recording that
//! broke off in the middle of a line is good up to there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::mask::Mask;
use super::{Captured, Exchange, Headers, ReadError, Recording};

/// What a recording calls itself.
pub(super) const FORMAT: &str = "powervm-sim recording";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    program: String,
    upstream: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    at_ms: u64,
    took_ms: u64,
    request: Request,
    response: Response,
}

#[derive(Serialize, Deserialize)]
struct Request {
    method: String,
    url: String,
    headers: Headers,
    body: Body,
}

#[derive(Serialize, Deserialize)]
struct Response {
    status: u16,
    headers: Headers,
    body: Body,
}

#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<String>,
    length: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sha256: Option<String>,
}

impl From<Captured> for Body {
    fn from(captured: Captured) -> Self {
        Self {
            text: captured.text,
            length: captured.length,
            sha256: captured.sha256,
        }
    }
}

impl From<Body> for Captured {
    fn from(body: Body) -> Self {
        Self {
            text: body.text,
            length: body.length,
            sha256: body.sha256,
        }
    }
}

/// A recording that is being written.
#[derive(Debug)]
pub struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    mask: Mask,
    written: u64,
}

impl Journal {
    /// Begins a recording in a new file that its owner alone can read.
    ///
    /// # Errors
    /// That of the file; one that is there already is not overwritten.
    pub fn create(path: &Path, upstream: &str) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let head = Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            upstream: Some(upstream.to_owned()),
        };
        write_line(&mut file, &head)?;
        let inner = Inner {
            file,
            mask: Mask::default(),
            written: 0,
        };
        Ok(Self {
            inner: Mutex::new(inner),
        })
    }

    /// Masks an exchange and writes it.
    ///
    /// # Errors
    /// That of the file.
    pub fn add(&self, mut exchange: Exchange) -> io::Result<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = &mut *inner;
        let mask = &mut inner.mask;
        // The answer to a logon first: the token is then known wherever else it stands.
        for body in [&mut exchange.body, &mut exchange.request_body] {
            body.text = body.text.take().map(|text| mask.document(&text));
        }
        mask.headers(&mut exchange.request_headers);
        mask.headers(&mut exchange.headers);
        exchange.url = mask.everywhere(&exchange.url);
        let line = Line {
            at_ms: exchange.at_ms,
            took_ms: exchange.took_ms,
            request: Request {
                method: exchange.method,
                url: exchange.url,
                headers: exchange.request_headers,
                body: exchange.request_body.into(),
            },
            response: Response {
                status: exchange.status,
                headers: exchange.headers,
                body: exchange.body.into(),
            },
        };
        write_line(&mut inner.file, &line)?;
        inner.written += 1;
        Ok(())
    }

    /// How many exchanges were written.
    #[must_use]
    pub fn written(&self) -> u64 {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.written
    }
}

/// A line in one write, so that a kill leaves whole lines behind it.
fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}

/// Whether a text is in this form.
pub(super) fn is_journal(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    serde_json::from_str::<Head>(first).is_ok_and(|head| head.format == FORMAT)
}

/// Reads a recording in this form.
pub(super) fn parse(text: &str) -> Result<Recording, ReadError> {
    let wrong = |number: usize, error: String| ReadError::Syntax(format!("line {number}: {error}"));
    let mut lines = text.lines().zip(1..);
    let (first, _) = lines.next().unwrap_or_default();
    let head: Head = serde_json::from_str(first).map_err(|error| wrong(1, error.to_string()))?;
    if head.version != VERSION {
        return Err(wrong(
            1,
            format!(
                "version {} of the form is not known; use a newer powervm-sim",
                head.version
            ),
        ));
    }
    let mut recording = Recording {
        upstream: head.upstream,
        exchanges: Vec::new(),
    };
    let mut lines = lines.filter(|(line, _)| !line.trim().is_empty()).peekable();
    while let Some((line, number)) = lines.next() {
        let read: Line = match serde_json::from_str(line) {
            Ok(read) => read,
            // Who recorded was killed while writing the last line.
            Err(error) if error.is_eof() && lines.peek().is_none() => break,
            Err(error) => return Err(wrong(number, error.to_string())),
        };
        recording.exchanges.push(Exchange {
            at_ms: read.at_ms,
            took_ms: read.took_ms,
            method: read.request.method,
            url: read.request.url,
            request_headers: read.request.headers,
            request_body: read.request.body.into(),
            status: read.response.status,
            headers: read.response.headers,
            body: read.response.body.into(),
        });
    }
    Ok(recording)
}
