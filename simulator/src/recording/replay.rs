//! A recording served again: each request gets what the same request got, in the order of the recording.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::proxy::own_origin;
use super::{Exchange, Recording, links, replayed, told};
use crate::http::body;

/// The longest time that a paced answer takes.
const LONGEST: Duration = Duration::from_secs(600);

/// A recording at work.
#[derive(Clone)]
pub struct Replay {
    shared: Arc<Shared>,
}

struct Shared {
    answers: BTreeMap<Key, Answers>,
    paced: bool,
}

type Key = (String, String);

struct Answers {
    exchanges: Vec<Exchange>,
    /// Which of them were given, and which was the last.
    given: Mutex<(Vec<bool>, Option<usize>)>,
}

impl Replay {
    /// Serves `recording`. Paced answers take as long as they took; others come at once, except for the last answer
    /// to a long poll for events, which would otherwise be asked for without a pause.
    #[must_use]
    pub fn new(recording: Recording, paced: bool) -> Self {
        let mut grouped: BTreeMap<Key, Vec<Exchange>> = BTreeMap::new();
        for exchange in recording.exchanges {
            grouped
                .entry(key(&exchange.method, &exchange.url))
                .or_default()
                .push(exchange);
        }
        let answers = grouped.into_iter().map(|(key, exchanges)| {
            let given = Mutex::new((vec![false; exchanges.len()], None));
            (key, Answers { exchanges, given })
        });
        Self {
            shared: Arc::new(Shared {
                answers: answers.collect(),
                paced,
            }),
        }
    }

    /// The recording as an HTTP service.
    pub fn router(&self) -> Router {
        let handler = |State(replay): State<Self>, request: Request<Body>| async move {
            replay.answer(request).await
        };
        Router::new().fallback(handler).with_state(self.clone())
    }

    /// How many different requests it can answer.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.answers.len()
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, sent) = request.into_parts();
        let url = parts
            .uri
            .path_and_query()
            .map_or("/", http::uri::PathAndQuery::as_str);
        let sent = if parts.method == Method::GET {
            Vec::new()
        } else {
            match body::document(&parts.headers, sent).await {
                Ok(bytes) => bytes.to_vec(),
                // Contents of files are larger than documents and are not compared.
                Err(_) => Vec::new(),
            }
        };
        let Some(answers) = self.shared.answers.get(&key(parts.method.as_str(), url)) else {
            return self.unknown(&parts.method, url);
        };
        let text = links::point_to(&String::from_utf8_lossy(&sent), "");
        let seen = parts
            .headers
            .get(IF_NONE_MATCH)
            .and_then(|etag| etag.to_str().ok());
        let (exchange, again) = answers.next(&text, seen);
        let poll = again && exchange.path().ends_with("/uom/Event");
        if self.shared.paced || poll {
            let took = Duration::from_millis(exchange.took_ms);
            // A poll that was answered at once was so because there was an event; there is none any more.
            let took = if poll {
                took.max(Duration::from_secs(1))
            } else {
                took
            };
            tokio::time::sleep(took.min(LONGEST)).await;
        }
        render(exchange, &own_origin(&parts), seen)
    }

    fn unknown(&self, method: &Method, url: &str) -> Response<Body> {
        let path = url.split('?').next().unwrap_or_default();
        if path.ends_with("/web/Logon") {
            return if method == Method::PUT {
                logon()
            } else {
                status(StatusCode::NO_CONTENT)
            };
        }
        let url: String = url.chars().take(300).collect();
        told(
            StatusCode::NOT_FOUND,
            &format!("powervm-sim replay: the recording has no answer to {method} {url}"),
        )
    }
}

impl Answers {
    /// The answer that is next, and whether it was given before: the first not yet given to the same body, else the
    /// first not yet given, else the last one again.
    fn next(&self, body: &str, seen: Option<&str>) -> (&Exchange, bool) {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let (used, last) = &mut *given;
        // Who has seen nothing cannot be told that nothing has changed.
        let fits = |exchange: &Exchange| seen.is_some() || exchange.status != 304;
        let same = |exchange: &Exchange| {
            links::point_to(exchange.request_body.text(), "").trim() == body.trim()
        };
        let free = |used: &[bool], wanted: &dyn Fn(&Exchange) -> bool| {
            let mut numbered = self.exchanges.iter().enumerate();
            numbered
                .find(|(index, exchange)| used.get(*index) == Some(&false) && wanted(exchange))
                .map(|(index, _)| index)
        };
        let fresh =
            free(used, &|exchange| fits(exchange) && same(exchange)).or_else(|| free(used, &fits));
        let again = fresh.is_none();
        let repeated = last.filter(|index| self.exchanges.get(*index).is_some_and(fits));
        let fallback = || self.exchanges.iter().rposition(fits);
        let chosen = fresh.or(repeated).or_else(fallback).unwrap_or(0);
        if let Some(used) = used.get_mut(chosen) {
            *used = true;
        }
        *last = Some(chosen);
        static NOTHING: Exchange = Exchange::NOTHING;
        (self.exchanges.get(chosen).unwrap_or(&NOTHING), again)
    }
}

impl Exchange {
    const NOTHING: Self = Self {
        at_ms: 0,
        took_ms: 0,
        method: String::new(),
        url: String::new(),
        request_headers: Vec::new(),
        request_body: super::Captured {
            text: None,
            length: 0,
            sha256: None,
        },
        status: 204,
        headers: Vec::new(),
        body: super::Captured {
            text: None,
            length: 0,
            sha256: None,
        },
    };
}

fn render(exchange: &Exchange, own: &str, seen: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(exchange.status).unwrap_or(StatusCode::OK);
    for (name, value) in replayed(&exchange.headers) {
        response.headers_mut().append(name, value);
    }
    let etag = response
        .headers()
        .get(ETAG)
        .and_then(|etag| etag.to_str().ok());
    if exchange.status == 200 && seen.is_some() && seen == etag {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.headers_mut().remove(CONTENT_TYPE);
        return response;
    }
    *response.body_mut() = Body::from(links::point_to(exchange.body.text(), own));
    response
}

/// The answer to a logon that was not recorded.
fn logon() -> Response<Body> {
    const ANSWER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><LogonResponse xmlns=\"http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/\" xmlns:ns2=\"http://www.w3.org/XML/1998/namespace/k2\" schemaVersion=\"V1_0\"><Metadata><Atom/></Metadata><X-API-Session kxe=\"false\" kb=\"ROR\">masked-1</X-API-Session></LogonResponse>";
    let mut response = Response::new(Body::from(ANSWER));
    let kind = HeaderValue::from_static("application/vnd.ibm.powervm.web+xml; type=LogonResponse");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Method and URL, the latter decoded and with its parameters in order.
fn key(method: &str, url: &str) -> Key {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(decoded)
        .collect();
    parameters.sort();
    (
        method.to_ascii_uppercase(),
        format!(
            "{}?{}",
            decoded(path.trim_end_matches('/')),
            parameters.join("&")
        ),
    )
}
