//! A server that answers as a test says, in this process or on a socket.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use powervm_driver::rest::{
    Credentials, Endpoint, RetryPolicy, ServiceTransport, Session, SessionOptions,
};

pub(crate) const USER: &str = "hscroot";
pub(crate) const PASSWORD: &str = "pass<word>&7h3-s3cr37";
pub(crate) const TOKEN: &str = "dG9rZW4tdGhhdC1tdXN0LW5vdC1sZWFr";

/// One request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) uri: String,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn is(&self, method: &str, start: &str) -> bool {
        self.method == method && self.uri.starts_with(start)
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.uri)
    }
}

type Handler = dyn Fn(&Seen, usize) -> Response + Send + Sync;

/// Answers logons by itself with tokens that count up, and everything else through the handler, which gets the
/// request and how many requests with the same method and path (no query) came before.
#[derive(Clone)]
pub(crate) struct Fake {
    handler: Arc<Handler>,
    seen: Arc<Mutex<Vec<Seen>>>,
    logons: Arc<AtomicUsize>,
    hmc: bool,
}

impl Fake {
    pub(crate) fn new(handler: impl Fn(&Seen, usize) -> Response + Send + Sync + 'static) -> Fake {
        Fake {
            handler: Arc::new(handler),
            seen: Arc::default(),
            logons: Arc::default(),
            hmc: false,
        }
    }

    /// The same, but an HMC.
    pub(crate) fn hmc(self) -> Fake {
        Fake { hmc: true, ..self }
    }

    /// Everything but the logon, as `METHOD /path?query`.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| !seen.uri.contains("Logon"))
            .map(Seen::line)
            .collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn logons(&self) -> usize {
        self.logons.load(Ordering::SeqCst)
    }

    pub(crate) fn router(&self) -> Router {
        let fake = self.clone();
        Router::new().fallback(move |request: Request| {
            let fake = fake.clone();
            async move { fake.answer(request).await }
        })
    }

    async fn answer(&self, request: Request) -> Response {
        let (head, body) = request.into_parts();
        // A body that breaks off is an upload's; what came of it is not looked at here.
        let body = to_bytes(body, usize::MAX)
            .await
            .map(|body| String::from_utf8_lossy(&body).into_owned());
        let seen = Seen {
            method: head.method.to_string(),
            uri: head.uri.path_and_query().unwrap().to_string(),
            headers: head.headers,
            body: body.unwrap_or_else(|_| "BROKEN".to_owned()),
        };
        let path = |uri: &str| uri.split('?').next().unwrap().to_owned();
        let before = {
            let mut all = self.seen.lock().unwrap();
            let same =
                |other: &&Seen| other.method == seen.method && path(&other.uri) == path(&seen.uri);
            let before = all.iter().filter(same).count();
            all.push(seen.clone());
            before
        };
        if seen.is("PUT", "/rest/api/web/Logon") {
            let count = self.logons.fetch_add(1, Ordering::SeqCst) + 1;
            let mut response = token_answer(&format!("{TOKEN}{count}="));
            if self.hmc {
                response.headers_mut().remove("X-MC-Type");
            }
            return response;
        }
        if seen.is("DELETE", "/rest/api/web/Logon") {
            return answer(204, "");
        }
        (self.handler)(&seen, before)
    }

    pub(crate) async fn session(&self) -> Session {
        self.session_with(options()).await
    }

    pub(crate) async fn session_with(&self, options: SessionOptions) -> Session {
        let transport = Arc::new(ServiceTransport::new(self.router()));
        Session::logon(endpoint(), transport, options)
            .await
            .unwrap()
    }
}

pub(crate) fn endpoint() -> Endpoint {
    let password = Credentials::Password {
        user: USER.to_owned(),
        password: PASSWORD.into(),
    };
    Endpoint::new("http://127.0.0.1")
        .unwrap()
        .credentials(password)
}

pub(crate) fn options() -> SessionOptions {
    SessionOptions {
        seed: 7,
        retry: RetryPolicy::default(),
        ..SessionOptions::default()
    }
}

pub(crate) fn answer(status: u16, body: impl Into<Body>) -> Response {
    Response::builder()
        .status(status)
        .header("content-type", "application/atom+xml")
        .body(body.into())
        .unwrap()
}

pub(crate) fn with_etag(etag: &str, mut response: Response) -> Response {
    response.headers_mut().insert("etag", etag.parse().unwrap());
    response
}

pub(crate) fn token_answer(token: &str) -> Response {
    let body = format!(
        r#"<LogonResponse xmlns="http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/" schemaVersion="V1_1_0"><Metadata><Atom/></Metadata><X-API-Session kxe="false" kb="ROR">
{token}
</X-API-Session></LogonResponse>"#
    );
    let mut response = answer(200, body);
    response
        .headers_mut()
        .insert("X-MC-Type", "PVM".parse().unwrap());
    response
}

const UOM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/";
const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";

fn entry_in(namespace: &str, kind: &str, id: &str, href: &str, etag: &str, inner: &str) -> String {
    let link = if href.is_empty() {
        String::new()
    } else {
        format!(r#"<link rel="SELF" href="{href}"/>"#)
    };
    let etag = if etag.is_empty() {
        String::new()
    } else {
        format!(r#"<etag:etag xmlns:etag="{UOM}">{etag}</etag:etag>"#)
    };
    format!(
        r#"<entry xmlns="http://www.w3.org/2005/Atom"><id>{id}</id><title>{kind}</title><published>2026-01-01T00:00:00.000Z</published>{link}<author><name>IBM Power Systems Management Console</name></author>{etag}<content type="application/vnd.ibm.powervm.uom+xml; type={kind}"><{kind}:{kind} xmlns:{kind}="{namespace}" xmlns="{namespace}" schemaVersion="V1_0">{inner}</{kind}:{kind}></content></entry>"#
    )
}

/// A uom resource with its SELF link on another host, as NovaLink writes it.
pub(crate) fn resource(kind: &str, id: &str, query: &str, etag: &str, inner: &str) -> String {
    entry_in(
        UOM,
        kind,
        id,
        &format!("http://localhost:12080/rest/api/uom/{kind}/{id}{query}"),
        etag,
        inner,
    )
}

/// A web resource, without link or etag.
pub(crate) fn web(kind: &str, id: &str, inner: &str) -> String {
    entry_in(WEB, kind, id, "", "", inner)
}

pub(crate) fn feed(entries: &[String]) -> String {
    format!(
        r#"<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><updated>x</updated>{}</feed>"#,
        entries.concat()
    )
}

/// An error answer as real servers give it.
pub(crate) fn refusal(status: u16, reason: &str, message: &str) -> Response {
    let inner = format!(
        "<Metadata><Atom/></Metadata><HTTPStatus>{status}</HTTPStatus><RequestURI>/rest/api/uom/x</RequestURI><ReasonCode>{reason}</ReasonCode><Message>{message}</Message>"
    );
    answer(status, web("HttpErrorResponse", "e", &inner))
}
