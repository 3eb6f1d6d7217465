//! Keystone and Swift in one router: as much of them as the client needs, and what can befall them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use bytes::Bytes;
use md5::{Digest, Md5};
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "a well kept secret";

/// What befalls a request for an object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ill {
    /// It is answered with this status.
    Refuse(u16),
    /// Its answer takes minutes.
    Slow,
    /// Its answer breaks off.
    Cut,
    /// Its answer has another object.
    Mixed,
}

#[derive(Default)]
struct Kept {
    containers: BTreeMap<String, BTreeMap<String, Bytes>>,
    token: Option<String>,
    logons: usize,
    ills: VecDeque<Ill>,
}

#[derive(Clone, Default)]
pub(crate) struct Cloud(Arc<Mutex<Kept>>);

impl Cloud {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/v3/auth/tokens", post(log_on))
            .route("/v1/AUTH_powervm/{container}", any(container))
            .route("/v1/AUTH_powervm/{container}/{object}", any(object))
            .with_state(self.clone())
    }

    pub(crate) fn object(&self, container: &str, name: &str) -> Option<Bytes> {
        self.kept().containers.get(container)?.get(name).cloned()
    }

    pub(crate) fn keep(&self, container: &str, name: &str, content: Bytes) {
        let mut kept = self.kept();
        let container = kept.containers.entry(container.to_owned()).or_default();
        container.insert(name.to_owned(), content);
    }

    pub(crate) fn logons(&self) -> usize {
        self.kept().logons
    }

    pub(crate) fn expire(&self) {
        self.kept().token = None;
    }

    pub(crate) fn befall(&self, ills: impl IntoIterator<Item = Ill>) {
        self.kept().ills = ills.into_iter().collect();
    }
}

async fn log_on(State(cloud): State<Cloud>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let wanted = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": {
            "name": "powervm", "domain": {"name": "powervm"}, "password": PASSWORD,
        }}},
        "scope": {"project": {"name": "powervm", "domain": {"name": "powervm"}}},
    }});
    if asked != wanted {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut kept = cloud.kept();
    kept.logons += 1;
    let token = format!("token-{}", kept.logons);
    kept.token = Some(token.clone());
    let catalog = json!({"token": {"methods": ["password"], "catalog": [
        {"type": "compute", "endpoints": [{"interface": "public", "url": "http://nova"}]},
        {"type": "object-store", "name": "swift", "endpoints": [
            {"interface": "internal", "region": "one", "url": "http://inside/v1/AUTH_powervm"},
            {"interface": "public", "region": "one", "url": "http://swift:8080/v1/AUTH_powervm"},
        ]},
    ]}});
    let headers = [("X-Subject-Token", token)];
    (StatusCode::CREATED, headers, catalog.to_string()).into_response()
}

fn is_let_in(cloud: &Cloud, headers: &HeaderMap) -> bool {
    let token = headers
        .get("X-Auth-Token")
        .map(|token| token.to_str().unwrap());
    token.is_some() && token == cloud.kept().token.as_deref()
}

async fn container(
    State(cloud): State<Cloud>,
    method: Method,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> StatusCode {
    match (is_let_in(&cloud, &headers), method) {
        (false, _) => StatusCode::UNAUTHORIZED,
        (true, Method::PUT) => {
            cloud.kept().containers.entry(name).or_default();
            StatusCode::CREATED
        }
        (true, _) => StatusCode::METHOD_NOT_ALLOWED,
    }
}

async fn object(
    State(cloud): State<Cloud>,
    method: Method,
    headers: HeaderMap,
    Path((container, name)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let ill = cloud.kept().ills.pop_front();
    match ill {
        Some(Ill::Refuse(status)) => {
            return StatusCode::from_u16(status).unwrap().into_response();
        }
        Some(Ill::Slow) => tokio::time::sleep(Duration::from_secs(300)).await,
        _ => {}
    }
    if !is_let_in(&cloud, &headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut kept = cloud.kept();
    let container = kept.containers.get_mut(&container);
    match (method, container) {
        (_, None) => StatusCode::NOT_FOUND.into_response(),
        (Method::PUT, Some(container)) => {
            let sent = headers
                .get("ETag")
                .map(|tag| tag.to_str().unwrap().to_owned());
            if sent.is_some_and(|sent| sent != tag(&body)) {
                return StatusCode::UNPROCESSABLE_ENTITY.into_response();
            }
            container.insert(name, body);
            StatusCode::CREATED.into_response()
        }
        (Method::DELETE, Some(container)) => match container.remove(&name) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        (Method::GET, Some(container)) => match container.get(&name) {
            Some(content) => sent(content.clone(), ill),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn sent(content: Bytes, ill: Option<Ill>) -> Response {
    let headers = [("ETag", tag(&content))];
    match ill {
        Some(Ill::Cut) => {
            let blocks: [Result<Bytes, std::io::Error>; 2] = [
                Ok(content.slice(..content.len() / 2)),
                Err(std::io::Error::other("the connection broke")),
            ];
            let body = Body::from_stream(futures_util::stream::iter(blocks));
            (headers, body).into_response()
        }
        Some(Ill::Mixed) => (headers, "something else").into_response(),
        _ => (headers, content).into_response(),
    }
}

fn tag(content: &[u8]) -> String {
    let sum = Md5::digest(content);
    sum.iter().map(|byte| format!("{byte:02x}")).collect()
}
