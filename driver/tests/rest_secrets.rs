//! Passwords and tokens show nowhere: not in a log line at the lowest level, of any crate, nor in any Debug or error.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use powervm_driver::rest::{
    Credentials, Endpoint, Groups, Job, ServiceTransport, Session, SessionOptions, Trust, Upload,
};
use powervm_schema::xml::{Element, Namespace};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

const USER: &str = "hscroot";
const PASSWORD: &str = "pass-7h3-s3cr37-word";
const TOKEN: &str = "dG9rZW4tdGhhdC1tdXN0LW5vdC1sZWFr";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// rustls and reqwest log through the log crate.
impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!(
            "LOG {} {}: {}\n",
            record.level(),
            record.target(),
            record.args()
        );
        self.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

/// A server that repeats what it was told in all its errors, and tells all who ask that their token expired once.
fn parrot() -> Router {
    let seen = Arc::new(Mutex::new(0));
    Router::new().fallback(move |request: Request| {
        let seen = Arc::clone(&seen);
        async move {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let number: u32 = {
                let mut seen = seen.lock().unwrap();
                *seen += 1;
                *seen
            };
            if head.uri.path().ends_with("Logon") && head.method == "PUT" {
                let text = String::from_utf8_lossy(&body);
                assert!(text.contains(PASSWORD));
                let body = format!("<LogonResponse><X-API-Session>{TOKEN}</X-API-Session></LogonResponse>");
                return Response::new(axum::body::Body::from(body));
            }
            if head.uri.path().contains("File") && !head.uri.path().contains("contents") {
                let body = "<entry xmlns='http://www.w3.org/2005/Atom'><id>f</id><content><File/></content></entry>";
                return Response::new(axum::body::Body::from(body));
            }
            let status = if number.is_multiple_of(5) { 401 } else { 500 };
            let said = format!(
                "<HttpErrorResponse><HTTPStatus>{status}</HTTPStatus><ReasonCode>{TOKEN}</ReasonCode><Message>HSCL0001 {:?} {PASSWORD} {}</Message><RequestHeaders>X-API-Session={TOKEN}</RequestHeaders></HttpErrorResponse>",
                head.headers.get("x-api-session").map(|token| token.to_str().unwrap().to_owned()).unwrap_or_default().replace('"', ""),
                String::from_utf8_lossy(&body).replace(['<', '&'], " "),
            );
            Response::builder().status(status).body(axum::body::Body::from(said)).unwrap()
        }
    })
}

async fn https(router: Router) -> String {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    // axum answers behind; this end only takes the TLS off.
    let inner = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inner_address = inner.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(inner, router).await });
    let outer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = outer.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = outer.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut plain = tokio::net::TcpStream::connect(inner_address).await.unwrap();
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
                }
            });
        }
    });
    format!("https://{address}")
}

/// Does one of everything and writes down all that it can see.
async fn everything(session: &Session, shown: &mut String) {
    let document = Element::new(Namespace::Uom, "X");
    let mut errors = Vec::new();
    errors.push(session.get_feed("Cluster", Groups::None).await.unwrap_err());
    errors.push(session.create("X", &document).await.unwrap_err());
    errors.push(
        session
            .post("X/1", Groups::None, &document, Some("1"))
            .await
            .unwrap_err(),
    );
    errors.push(session.delete("X/1", None).await.unwrap_err());
    errors.push(session.quick("X/1", "State").await.unwrap_err());
    errors.push(session.job(Job::new("X/1", "PowerOn")).await.unwrap_err());
    let media = Upload::media("a.iso", "V", 10);
    errors.push(
        session
            .upload(media, io::Cursor::new(vec![0; 10]), |_| {})
            .await
            .unwrap_err(),
    );
    for _ in 0..5 {
        errors.push(session.get_feed("X", Groups::None).await.unwrap_err());
    }
    let mut events = session.events();
    let _ = tokio::time::timeout(std::time::Duration::from_millis(50), events.next()).await;
    for error in errors {
        writeln!(shown, "{error} {error:?} {:?}", error.refusal()).unwrap();
    }
    writeln!(
        shown,
        "{session:?} {:?} {:?}",
        session.endpoint(),
        session.counts()
    )
    .unwrap();
    let _ = session.logoff().await;
    writeln!(shown, "{:?}", session.get_feed("X", Groups::None).await).unwrap();
}

#[tokio::test]
async fn secrets_show_nowhere() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log::set_boxed_logger(Box::new(log.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let credentials = || Credentials::Password {
        user: USER.to_owned(),
        password: PASSWORD.into(),
    };
    let mut shown = format!("{:?}\n", credentials());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, parrot()).await });
    for url in [plain, https(parrot()).await] {
        let endpoint = Endpoint::new(&url)
            .unwrap()
            .credentials(credentials())
            .trust(Trust::Anything);
        let session = Session::connect(endpoint, SessionOptions::default())
            .await
            .unwrap();
        everything(&session, &mut shown).await;
    }
    let endpoint = Endpoint::new("http://localhost")
        .unwrap()
        .credentials(credentials());
    let transport = Arc::new(ServiceTransport::new(parrot()));
    let session = Session::logon(endpoint, transport, SessionOptions::default())
        .await
        .unwrap();
    everything(&session, &mut shown).await;

    let log = log.text();
    assert!(
        log.contains("TRACE hyper") || log.contains("TRACE") && log.contains("hyper"),
        "hyper's own lines are there"
    );
    assert!(
        log.contains("LOG ") && log.contains("rustls"),
        "so are those of the log crate"
    );
    assert!(log.contains("/rest/api/uom/Cluster?group=None"));
    assert!(shown.contains("HSCL0001") && shown.contains("[redacted]"));
    for secret in [PASSWORD, TOKEN] {
        for (place, text) in [("log", &log), ("output", &shown)] {
            if let Some(at) = text.find(secret) {
                let line = text[..at].rfind('\n').map_or(0, |start| start + 1);
                panic!("a secret in the {place}: {}", &text[line..at]);
            }
        }
    }
}
