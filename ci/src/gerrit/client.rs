//! Requests and answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::error::GerritError;
use super::model::{AccountInfo, ChangeInfo, CommentInfo, ReviewInput};
use super::time::Timestamp;
use super::transport::{Transport, TransportError};

/// What may stand in a query as it is.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// The line before all JSON.
const GUARD: &[u8] = b")]}'";
/// Comments of a patch set as a whole stand under this name.
const PATCH_SET_LEVEL: &str = "/PATCHSET_LEVEL";
/// Most of Gerrit's words that are repeated, in characters.
const MOST_WORDS: usize = 200;

/// An account's HTTP credentials, from Gerrit's settings page.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub username: String,
    /// Not the password of a web page, but the one that Gerrit generates.
    pub password: SecretString,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// A page of changes, most recently updated first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The changes.
    pub changes: Vec<ChangeInfo>,
    /// Whether there are more behind them.
    pub more: bool,
    /// What the server's clock said.
    pub date: Option<Timestamp>,
}

/// A Gerrit.
#[derive(Clone)]
pub struct Gerrit {
    transport: Arc<dyn Transport>,
    base: String,
    credentials: Option<Credentials>,
    timeout: Duration,
}

impl fmt::Debug for Gerrit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gerrit")
            .field("base", &self.base)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Gerrit {
    /// The Gerrit at this address, such as `https://review.opendev.org`; a request may take so long.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        base: &str,
        credentials: Option<Credentials>,
        timeout: Duration,
    ) -> Self {
        Self {
            transport,
            base: base.trim_end_matches('/').to_owned(),
            credentials,
            timeout,
        }
    }

    /// Whether it logs on, without which nobody can vote.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// The account that it logs on with.
    ///
    /// # Errors
    /// Gerrit gives no answer, or does not know the account.
    pub async fn own_account(&self) -> Result<AccountInfo, GerritError> {
        let mut account: AccountInfo = self.get("/accounts/self".to_owned()).await?.0;
        if account.username.is_none() {
            account.username = self
                .credentials
                .as_ref()
                .map(|known| known.username.clone());
        }
        Ok(account)
    }

    /// Changes that a query finds, `most` of them from the `start`th on, each with its newest patch set and messages.
    ///
    /// # Errors
    /// Gerrit gives no answer, or refuses the query.
    pub async fn changes(
        &self,
        query: &str,
        start: usize,
        most: usize,
    ) -> Result<Page, GerritError> {
        let query = utf8_percent_encode(query, QUERY);
        let path = format!(
            "/changes/?q={query}&S={start}&n={most}&o=CURRENT_REVISION&o=MESSAGES&o=DETAILED_ACCOUNTS"
        );
        let (changes, headers) = self.get::<Vec<ChangeInfo>>(path).await?;
        Ok(Page {
            more: changes.last().is_some_and(|last| last.more),
            changes,
            date: date(&headers),
        })
    }

    /// One change; nothing when there is none, or none that the account may see.
    ///
    /// # Errors
    /// Gerrit gives no answer.
    pub async fn change(&self, number: u64) -> Result<Option<ChangeInfo>, GerritError> {
        let path = format!("/changes/{number}?o=CURRENT_REVISION&o=MESSAGES&o=DETAILED_ACCOUNTS");
        match self.get(path).await {
            Ok((change, _)) => Ok(Some(change)),
            Err(GerritError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Comments on a change's patch sets as a whole: where people write into the reply box of Gerrit's page, the
    /// message says `(1 comment)` and no more, and the text is here.
    ///
    /// # Errors
    /// Gerrit gives no answer.
    pub async fn patch_set_comments(&self, number: u64) -> Result<Vec<CommentInfo>, GerritError> {
        let path = format!("/changes/{number}/comments");
        let (mut files, _) = self.get::<BTreeMap<String, Vec<CommentInfo>>>(path).await?;
        Ok(files.remove(PATCH_SET_LEVEL).unwrap_or_default())
    }

    /// Says something of a patch set, and votes.
    ///
    /// # Errors
    /// Gerrit gives no answer or refuses. After [`GerritError::Lost`], [`GerritError::Failed`] and
    /// [`GerritError::Garbled`] it may have done it all the same.
    pub async fn review(
        &self,
        number: u64,
        commit: &str,
        review: &ReviewInput,
    ) -> Result<(), GerritError> {
        let commit = utf8_percent_encode(commit, QUERY);
        let path = format!("/changes/{number}/revisions/{commit}/review");
        let body = serde_json::to_vec(review).unwrap_or_default();
        self.call::<serde_json::Value>(Method::POST, path, body.into())
            .await?;
        Ok(())
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<(T, HeaderMap), GerritError> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: Bytes,
    ) -> Result<(T, HeaderMap), GerritError> {
        // The query is long and says little.
        let told = path.split('?').next().unwrap_or_default();
        let request = format!("{method} {told}");
        let built = self.request(&method, &path, body);
        let built = built.map_err(|error| GerritError::Unreachable {
            request: request.clone(),
            why: error.to_string(),
        })?;
        let answer = match tokio::time::timeout(self.timeout, self.transport.call(built)).await {
            Err(_) => Err(TransportError::Lost(format!(
                "none within {} s",
                self.timeout.as_secs()
            ))),
            Ok(answer) => answer,
        };
        let answer = answer.map_err(|error| match error {
            TransportError::Unreachable(why) => GerritError::Unreachable {
                request: request.clone(),
                why,
            },
            TransportError::Lost(why) => GerritError::Lost {
                request: request.clone(),
                why,
            },
        })?;
        let (parts, body) = checked(&request, answer)?.into_parts();
        let json = unguarded(&body).ok_or_else(|| GerritError::Garbled {
            request: request.clone(),
            why: format!("it begins with {:?}", words(&body, 40)),
        })?;
        let value = serde_json::from_slice(json).map_err(|error| GerritError::Garbled {
            request,
            why: error.to_string(),
        })?;
        Ok((value, parts.headers))
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        body: Bytes,
    ) -> Result<Request<Bytes>, http::Error> {
        let prefix = if self.credentials.is_some() { "/a" } else { "" };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{prefix}{path}", self.base))
            .header(ACCEPT, "application/json");
        if let Some(credentials) = &self.credentials {
            let plain = format!(
                "{}:{}",
                credentials.username,
                credentials.password.expose_secret()
            );
            let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(plain)))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json; charset=UTF-8");
        }
        request.body(body)
    }
}

/// Sorts out what is no success.
fn checked(request: &str, answer: Response<Bytes>) -> Result<Response<Bytes>, GerritError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let request = request.to_owned();
    let text = words(answer.body(), MOST_WORDS);
    Err(match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => GerritError::Busy {
            request,
            status: status.as_u16(),
            retry_after: retry_after(answer.headers()),
        },
        StatusCode::CONFLICT => GerritError::Conflict { request, text },
        status if status.is_server_error() => GerritError::Failed {
            request,
            status: status.as_u16(),
            text,
        },
        status => GerritError::Refused {
            request,
            status: status.as_u16(),
            text,
        },
    })
}

fn unguarded(body: &[u8]) -> Option<&[u8]> {
    body.trim_ascii_start().strip_prefix(GUARD)
}

/// The first line of a text that a stranger sent, fit for a log.
fn words(body: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.trim().lines().next().unwrap_or_default();
    line.chars()
        .filter(|c| !c.is_control())
        .take(most)
        .collect()
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    Timestamp::of_http_date(headers.get(DATE)?.to_str().ok()?)
}

/// Seconds, or a date, which counts from the server's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = Timestamp::of_http_date(text)?.millis() - date(headers)?.millis();
    u64::try_from(until).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_in_two_ways_when_to_come_back() {
        let headers = |after: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            headers.insert(DATE, "Sun, 22 Nov 2026 03:04:05 GMT".parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(headers("17"), Some(Duration::from_secs(17)));
        assert_eq!(
            headers("Sun, 22 Nov 2026 03:05:05 GMT"),
            Some(Duration::from_secs(60))
        );
        assert_eq!(headers("Sun, 22 Nov 2026 03:00:05 GMT"), None);
        assert_eq!(headers("soon"), None);
    }

    #[test]
    fn the_guard_is_taken_away_and_strangers_words_are_bounded() {
        assert_eq!(unguarded(b")]}'\n[]"), Some(&b"\n[]"[..]));
        assert_eq!(unguarded(b"<html>"), None);
        assert_eq!(words("\u{1b}[31mred\nsecond".as_bytes(), 200), "[31mred");
        assert_eq!(words(&[b'x'; 1000], 10).len(), 10);
    }
}
