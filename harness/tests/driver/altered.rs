//! A simulator whose answers are altered on their way: for what it never shows by itself.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http_body_util::BodyExt as _;
use powervm_driver::operations::Driver;
use powervm_driver::rest::{Credentials, Endpoint, ServiceTransport, Session, SessionOptions};
use powervm_simulator::Simulator;
use regex::Regex;

use crate::support::{Bench, Calls};

/// The moment that RFC 9110 has as its example of a date, in seconds since 1970.
pub(crate) const DATE: (&str, u64) = ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777);

/// How the answers of a simulator are altered: in documents whose path has this in it, this becomes that.
pub(crate) type Alteration = (&'static str, &'static str, &'static str);

/// The simulator, with the alteration if there is one, and with the date in each answer.
pub(crate) fn altered(simulator: &Simulator, alteration: Option<Alteration>) -> Router {
    let alter = move |request: Request, next: Next| async move {
        let path = request.uri().path().to_owned();
        let answer = next.run(request).await;
        match alteration {
            Some((end, this, that)) if path.contains(end) => rewrite(answer, this, that).await,
            _ => answer,
        }
    };
    let dated = |request: Request, next: Next| async move {
        let mut answer = next.run(request).await;
        let date = http::HeaderValue::from_static(DATE.0);
        answer.headers_mut().insert(http::header::DATE, date);
        answer
    };
    let router = simulator.router();
    router.layer(from_fn(alter)).layer(from_fn(dated))
}

async fn rewrite(answer: Response, this: &str, that: &str) -> Response {
    let (mut parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let text = Regex::new(this).unwrap().replace_all(&text, that);
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text.into_owned()))
}

impl Bench {
    /// The same host as it shows itself with this alteration, and no call made yet.
    pub(crate) async fn seen_as(self, alteration: Alteration) -> Self {
        let calls = Arc::new(Calls::default());
        let credentials = self.simulator.credentials();
        let endpoint = Endpoint::new("http://localhost:12080").unwrap();
        let endpoint = endpoint.credentials(Credentials::Password {
            user: credentials.user.clone(),
            password: credentials.password.clone(),
        });
        let router = altered(&self.simulator, Some(alteration));
        let options = SessionOptions {
            observer: Some(calls.clone()),
            ..SessionOptions::default()
        };
        let transport = Arc::new(ServiceTransport::new(router));
        let session = Session::logon(endpoint, transport, options).await.unwrap();
        let driver = Driver::connect(session, self.driver.config().clone()).await;
        calls.take();
        Self {
            driver: driver.unwrap(),
            calls,
            ..self
        }
    }
}
