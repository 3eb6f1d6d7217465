use axum::body::Body;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::conforms::conforms;
use crate::weather::Weather;

mod described;
mod following;
mod safety;
mod storage;
mod strikes;
mod times;
mod worlds;

const TOKEN: &str = "a-token";

struct Api {
    simulator: Simulator,
    router: Router,
    /// The description.
    document: Value,
    /// What was asked and succeeded, as method and described path.
    succeeded: std::sync::Mutex<std::collections::BTreeSet<String>>,
}

impl Api {
    fn new() -> Self {
        Self::of(Weather::Calm)
    }

    fn of(weather: Weather) -> Self {
        let builder = Simulator::builder().seed(7).weather(weather);
        let simulator = builder.check_invariants(true).build().unwrap();
        let router = router(&simulator, SecretString::from(TOKEN));
        Self::with(simulator, router)
    }

    fn with(simulator: Simulator, router: Router) -> Self {
        Self {
            simulator,
            router,
            document: openapi::document(&operations()),
            succeeded: std::sync::Mutex::default(),
        }
    }

    /// Sends a request, and holds whatever comes of it against the description.
    async fn send(
        &self,
        method: &Method,
        path: &str,
        body: Option<Value>,
        token: &str,
    ) -> (u16, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .body(
                body.as_ref()
                    .map_or(Body::empty(), |body| Body::from(body.to_string())),
            )
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let kind = response.headers().get("content-type");
        let kind = kind.map(|kind| kind.to_str().unwrap().to_owned());
        let mut answer = response.into_body();
        let text = if kind.as_deref() == Some("text/event-stream") {
            // It never ends.
            answer.frame().await.unwrap().unwrap().into_data().unwrap()
        } else {
            answer.collect().await.unwrap().to_bytes()
        };
        let text = String::from_utf8(text.to_vec()).unwrap();
        self.is_as_described(
            (method, path),
            body.as_ref(),
            (status, kind.as_deref()),
            &text,
        );
        (status, text)
    }

    fn is_as_described(
        &self,
        (method, path): (&Method, &str),
        body: Option<&Value>,
        (status, kind): (u16, Option<&str>),
        text: &str,
    ) {
        let document = &self.document;
        let paths = document["paths"].as_object().unwrap();
        let place = format!("{method} {path}");
        let found = paths.iter().find(|(template, _)| matches(template, path));
        let described = found.map(|(_, methods)| &methods[method.as_str().to_lowercase()]);
        let Some(described) = described.filter(|described| described.is_object()) else {
            assert!(
                matches!(status, 404 | 405 | 401 | 400),
                "{place}: {status} {text}"
            );
            return;
        };
        let answer = &described["responses"][status.to_string()];
        assert!(
            answer.is_object(),
            "{place}: {status} is not described: {text}"
        );
        if let Some(kind) = kind {
            let schema = &answer["content"][kind]["schema"];
            assert!(
                !schema.is_null(),
                "{place}: {status} as {kind} is not described"
            );
            if kind == "application/json" {
                let value = serde_json::from_str(text).unwrap();
                conforms(document, schema, &value, &place).unwrap();
            }
        } else {
            assert!(
                answer["content"].is_null() && text.is_empty(),
                "{place}: {text}"
            );
        }
        if status < 300 {
            if let Some(schema) = described["requestBody"]["content"].get("application/json") {
                let nothing = Value::Null;
                let body = body.unwrap_or(&nothing);
                conforms(document, &schema["schema"], body, &place).unwrap();
            }
            let template = found.unwrap().0;
            let mut succeeded = self.succeeded.lock().unwrap();
            succeeded.insert(format!("{method} {template}"));
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, text) = self.send(&method, path, body, TOKEN).await;
        assert!(status < 300, "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, Some(body)).await
    }

    /// A request of the REST API, logged on.
    async fn rest(&self, method: Method, path: &str, body: &'static str) -> (u16, String) {
        use secrecy::ExposeSecret as _;
        let credentials = self.simulator.credentials();
        let now = self.simulator.now();
        let token = self
            .simulator
            .sessions()
            .logon(&credentials.user, &credentials.password, now);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("x-api-session", token.unwrap().expose_secret())
            .body(Body::from(body))
            .unwrap();
        let response = self.simulator.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response
            .into_body()
            .collect()
            .await
            .map(|body| body.to_bytes());
        (
            status,
            body.map_or_else(
                |_| "(broken)".to_owned(),
                |body| String::from_utf8_lossy(&body).into_owned(),
            ),
        )
    }
}

/// Whether a path is one of a template's.
fn matches(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (templates, parts): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    templates.len() == parts.len()
        && templates
            .iter()
            .zip(&parts)
            .all(|(template, part)| template.starts_with('{') || template == part)
}
