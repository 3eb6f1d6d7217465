//! A peer in another process, by its admin API. Its ready file tells where that is and what to say to be let in; it is
//! read before each question, so that a peer may start later, and start again.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use super::Peer;
use crate::admin::arrivals::Asked;
use crate::model::migration::journey::{Answer, Journey, Question, Trouble};
use crate::recording::Proxy;

/// How long the peer may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest ready file, in bytes.
const LARGEST_FILE: u64 = 256 * 1024;
/// The largest answer, in bytes.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// The longest refusal that is told on, in characters.
const LONGEST_TEXT: usize = 2000;

/// Why a peer cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// There is no HTTP client.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// There is no TLS library.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// A simulator in another process on this machine.
#[derive(Clone)]
pub struct Remote {
    client: reqwest::Client,
    ready_file: PathBuf,
}

/// What of a ready file is read.
#[derive(Deserialize)]
struct Ready {
    admin: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    admin_token: Option<SecretString>,
}

fn secret<'de, D: Deserializer<'de>>(input: D) -> Result<Option<SecretString>, D::Error> {
    let text = Option::<String>::deserialize(input)?;
    Ok(text.map(SecretString::from))
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Remote {
    /// The simulator that writes this ready file.
    ///
    /// # Errors
    /// [`RemoteError`]
    pub fn new(ready_file: impl Into<PathBuf>) -> Result<Self, RemoteError> {
        // The admin API speaks http, on this machine: certificates are nobody's.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .build()?;
        Ok(Self {
            client,
            ready_file: ready_file.into(),
        })
    }

    async fn request(&self, journey: Uuid, question: &Question) -> Result<Answer, Trouble> {
        let (origin, token) = self.access().map_err(Trouble::Silence)?;
        let arrival = format!("{origin}/arrivals/{journey}");
        let (request, told) = match question {
            Question::Check(told) => (
                self.client.post(format!("{origin}/arrivals/check")),
                Some(told),
            ),
            Question::Reserve(told) => (self.client.put(arrival), Some(told)),
            Question::TakeIn(told) => (self.client.post(format!("{arrival}/take-in")), Some(told)),
            Question::GiveUp => (self.client.delete(arrival), None),
        };
        let bearer = format!("Bearer {}", token.expose_secret());
        let mut request = request.header(AUTHORIZATION, bearer);
        if let Some(told) = told {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body(told)?);
        }
        let response = request.send().await.map_err(|error| silence(&error))?;
        let status = response.status();
        let text = limited(response).await?;
        let unreadable = || Trouble::Silence("its answer cannot be read".to_owned());
        match status {
            StatusCode::OK => serde_json::from_slice(&text).map_err(|_| unreadable()),
            StatusCode::CONFLICT => {
                let refused: Refused = serde_json::from_slice(&text).map_err(|_| unreadable())?;
                let why = refused.error.chars().take(LONGEST_TEXT).collect();
                Err(Trouble::Refused(why))
            }
            StatusCode::UNAUTHORIZED => Err(Trouble::Silence(
                "it does not know the token of its ready file".to_owned(),
            )),
            other => Err(Trouble::Silence(format!("it answers {other}"))),
        }
    }

    /// Where the admin API is, and its token.
    fn access(&self) -> Result<(String, SecretString), String> {
        let ready = read(&self.ready_file)?;
        let (Some(url), Some(token)) = (ready.admin, ready.admin_token) else {
            return Err(format!(
                "{} names no admin API: start the peer with --admin",
                self.ready_file.display()
            ));
        };
        let origin = Proxy::origin(&url).map_err(|error| error.to_string())?;
        Ok((origin, token))
    }
}

impl Peer for Remote {
    fn ask<'a>(
        &'a self,
        journey: Uuid,
        question: &'a Question,
    ) -> BoxFuture<'a, Result<Answer, Trouble>> {
        self.request(journey, question).boxed()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("ready_file", &self.ready_file)
            .finish_non_exhaustive()
    }
}

fn body(told: &Journey) -> Result<Vec<u8>, Trouble> {
    serde_json::to_vec(&Asked::from(told.clone()))
        .map_err(|error| Trouble::Silence(error.to_string()))
}

fn read(path: &Path) -> Result<Ready, String> {
    let told = |error: &dyn fmt::Display| format!("{}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(|error| told(&error))?;
    let mut text = Vec::new();
    file.take(LARGEST_FILE)
        .read_to_end(&mut text)
        .map_err(|error| told(&error))?;
    // The parser's own words may quote a secret.
    serde_json::from_slice(&text).map_err(|_| told(&"this is no ready file"))
}

async fn limited(mut response: reqwest::Response) -> Result<Vec<u8>, Trouble> {
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| silence(&error))? {
        if text.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Trouble::Silence("its answer is too long".to_owned()));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// The innermost reason; the outer ones tell the URL.
fn silence(error: &reqwest::Error) -> Trouble {
    let mut source = std::error::Error::source(error);
    let mut text = "the request failed".to_owned();
    while let Some(reason) = source {
        text = reason.to_string();
        source = reason.source();
    }
    Trouble::Silence(text)
}
