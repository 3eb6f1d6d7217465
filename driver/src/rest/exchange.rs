//! One request with its retries: the busy ones, the broken ones, the one after a new logon.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use secrecy::ExposeSecret;
use tokio::time::{Instant, timeout};

use super::answer::{self, Answer, ReadFailure};
use super::body::Body;
use super::count::CallRecord;
use super::logon;
use super::path::class_of;
use super::retry::may_repeat;
use super::session::{Auth, Core, Session, is_unauthorized};
use super::transport::{TransportError, TransportFailure};
use crate::error::{Call, Error, Result};

pub(super) const ATOM: &str = "application/atom+xml";
pub(super) const ATOM_UTF8: &str = "application/atom+xml; charset=UTF-8";
pub(super) const ANYTHING: &str = "*/*";

/// A request that can be sent more than once.
#[derive(Clone)]
pub(super) struct Exchange {
    pub(super) method: Method,
    /// Path and query.
    pub(super) path: String,
    pub(super) accept: &'static str,
    pub(super) content_type: Option<String>,
    /// `If-Match` for changes, `If-None-Match` for reads.
    pub(super) etag: Option<String>,
    pub(super) body: Bytes,
    /// For the whole answer.
    pub(super) timeout: Duration,
    /// A lost connection leaves the outcome open, so the caller has to look.
    pub(super) changes: bool,
}

impl Exchange {
    pub(super) fn new(
        method: Method,
        path: String,
        accept: &'static str,
        timeout: Duration,
    ) -> Exchange {
        let changes = method == Method::PUT || method == Method::POST;
        Exchange {
            method,
            path,
            accept,
            content_type: None,
            etag: None,
            body: Bytes::new(),
            timeout,
            changes,
        }
    }

    pub(super) fn with_body(mut self, content_type: String, body: impl Into<Bytes>) -> Exchange {
        self.content_type = Some(content_type);
        self.body = body.into();
        self
    }

    pub(super) fn with_etag(mut self, etag: Option<&str>) -> Exchange {
        self.etag = etag.map(str::to_owned);
        self
    }

    fn request(&self, core: &Core, auth: &Auth) -> Result<Request<Body>> {
        let mut builder = core.builder(&self.method, &self.path, self.accept, Some(auth));
        if let Some(content_type) = &self.content_type {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(etag) = &self.etag {
            let name = if self.method == Method::GET {
                header::IF_NONE_MATCH
            } else {
                header::IF_MATCH
            };
            builder = builder.header(name, etag);
        }
        builder
            .body(Body::whole(self.body.clone()))
            .map_err(unsendable)
    }
}

pub(super) fn unsendable(error: http::Error) -> Error {
    Error::invalid(
        format!("the request cannot be written: {error}"),
        "correct the path or etag that it was made of",
    )
}

impl Core {
    pub(super) fn call_of(&self, method: &Method, path: &str) -> Call {
        Call {
            method: method.clone(),
            url: format!("{}{path}", self.endpoint.origin()),
        }
    }

    /// A request with the headers that every request has.
    pub(super) fn builder(
        &self,
        method: &Method,
        path: &str,
        accept: &'static str,
        auth: Option<&Auth>,
    ) -> http::request::Builder {
        let mut builder = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.endpoint.origin()))
            .header(header::ACCEPT, accept)
            .header("X-Audit-Memento", self.memento.clone());
        if let Some(auth) = auth
            && let Ok(mut token) = HeaderValue::from_str(auth.token.expose_secret())
        {
            token.set_sensitive(true);
            builder = builder.header("X-API-Session", token);
        }
        builder
    }

    /// Sends a request once and reads its answer. Error statuses are answers.
    pub(super) async fn send(
        &self,
        request: Request<Body>,
        limit: u64,
        within: Duration,
    ) -> (Result<Answer, ReadFailure>, Duration) {
        let start = Instant::now();
        let answered = timeout(within, async {
            let answer = self
                .transport
                .call(request)
                .await
                .map_err(ReadFailure::Transport)?;
            let (head, body) = answer.into_parts();
            if let Some(time) = answer::date(&head.headers) {
                self.server_time.store(time, Ordering::Relaxed);
            }
            let body = answer::read(body, &head.headers, limit).await?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body,
            })
        });
        let result = answered
            .await
            .unwrap_or_else(|_| Err(ReadFailure::Transport(TransportError::timeout(within))));
        (result, start.elapsed())
    }

    /// Turns an answer with an error status into the error.
    pub(super) fn refused(&self, call: Call, answer: &Answer, changes: bool) -> Error {
        let mut refusal = answer.refusal(&self.limits);
        refusal.reason = self.scrubbed(&refusal.reason);
        refusal.message = self.scrubbed(&refusal.message);
        if changes && answer::is_gateway(&refusal) {
            let source = TransportError::new(
                TransportFailure::Garbled,
                format!("a gateway answered {}", refusal.status),
            );
            return Error::UnknownOutcome { call, source };
        }
        if answer.status.is_client_error() || answer.status.is_server_error() {
            return Error::Refused {
                call,
                refusal: Box::new(refusal),
            };
        }
        Error::BadAnswer {
            call,
            status: answer.status,
            problem: "a status that this API does not use".to_owned(),
        }
    }

    /// The error for a request without a usable answer.
    pub(super) fn failed(
        &self,
        call: Call,
        failure: ReadFailure,
        changes: bool,
        limit: u64,
    ) -> Error {
        match failure {
            // The change was made, most likely; only the document about it is too large.
            ReadFailure::TooLarge if changes => {
                let source = TransportError::new(
                    TransportFailure::Garbled,
                    format!("more than {limit} bytes"),
                );
                Error::UnknownOutcome { call, source }
            }
            ReadFailure::TooLarge => Error::TooLarge { call, limit },
            ReadFailure::Transport(source) if !source.may_have_arrived() => {
                Error::Unreachable { call, source }
            }
            ReadFailure::Transport(source) if changes => Error::UnknownOutcome { call, source },
            ReadFailure::Transport(source) => Error::Interrupted { call, source },
        }
    }
}

impl Session {
    /// Sends a request until it is answered with a 2xx or 304, or has to be given up.
    pub(super) async fn exchange(&self, exchange: &Exchange) -> Result<Answer> {
        let core = &*self.core;
        let policy = &core.options.retry;
        let limit = core.options.document_limit;
        let call = || core.call_of(&exchange.method, &exchange.path);
        let class = class_of(&exchange.path);
        let mut busy_pauses = policy.busy_pauses.iter();
        let mut tries = 1;
        let mut pause = policy.connection_pause;
        let mut relogged = false;
        let mut may_have_been_deleted = false;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let auth = self.auth();
            if auth.lost {
                return Err(logon::lost());
            }
            let request = exchange.request(core, &auth)?;
            let (result, took) = core.send(request, limit, exchange.timeout).await;
            let answer = result.as_ref().ok();
            self.record(&CallRecord {
                number: core.next_number(),
                method: exchange.method.clone(),
                class: class.clone(),
                path: exchange.path.clone(),
                status: answer.map(|answer| answer.status),
                took,
                sent: exchange.body.len() as u64,
                received: answer.map_or(0, |answer| answer.body.len() as u64),
                attempt,
            });
            let answer = match result {
                Ok(answer) => answer,
                Err(failure) => {
                    let repeat = match &failure {
                        ReadFailure::Transport(error) => may_repeat(&exchange.method, error),
                        ReadFailure::TooLarge => false,
                    };
                    if !repeat || tries >= policy.connection_tries || !core.budget.take() {
                        return Err(core.failed(call(), failure, exchange.changes, limit));
                    }
                    may_have_been_deleted |=
                        matches!(&failure, ReadFailure::Transport(e) if e.may_have_arrived());
                    tries += 1;
                    let wait = core.jitter.between(pause / 2, pause);
                    tracing::warn!(path = %exchange.path, ?failure, ?wait, "no answer, asking again");
                    tokio::time::sleep(wait).await;
                    pause = pause.saturating_mul(2);
                    continue;
                }
            };
            core.budget.give_back();
            if answer.status.is_success()
                || (answer.status == StatusCode::NOT_MODIFIED && exchange.etag.is_some())
            {
                return Ok(answer);
            }
            if is_unauthorized(answer.status) && !relogged {
                relogged = true;
                logon::again(self, auth.generation).await?;
                continue;
            }
            if answer.status == StatusCode::NOT_FOUND
                && exchange.method == Method::DELETE
                && may_have_been_deleted
            {
                return Ok(Answer {
                    status: StatusCode::NO_CONTENT,
                    ..answer
                });
            }
            let error = core.refused(call(), &answer, exchange.changes);
            match (&error, busy_pauses.as_slice().first()) {
                (Error::Refused { refusal, .. }, Some(wait)) if refusal.is_busy() => {
                    busy_pauses.next();
                    tracing::info!(path = %exchange.path, %refusal, ?wait, "busy, asking again");
                    tokio::time::sleep(*wait).await;
                }
                _ => return Err(error),
            }
        }
    }
}
