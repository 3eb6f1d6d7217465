//! The same over real sockets: what only a network can do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use powervm_driver::ErrorKind;
use powervm_driver::rest::{
    Credentials, Endpoint, Fingerprint, Flavor, Groups, RetryPolicy, Session, SessionOptions,
    Trust, Upload,
};
use powervm_schema::xml::{Element, Namespace};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::fake::{Fake, Seen, TOKEN, answer, feed, options, web};

fn at(address: SocketAddr, scheme: &str) -> Endpoint {
    let password = Credentials::Password {
        user: "u".to_owned(),
        password: "p".into(),
    };
    Endpoint::new(&format!("{scheme}://{address}"))
        .unwrap()
        .credentials(password)
}

fn quick() -> SessionOptions {
    let retry = RetryPolicy {
        connection_pause: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    SessionOptions { retry, ..options() }
}

/// Reads one request up to the end of its headers and a body of the length they give.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut all = Vec::new();
    let mut block = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            });
            if all.len() >= end + 4 + length.unwrap_or(0) {
                return Some(text);
            }
        }
        let read = stream.read(&mut block).await.ok()?;
        if read == 0 {
            return None;
        }
        all.extend_from_slice(&block[..read]);
    }
}

fn logon_answer() -> String {
    let body = format!("<LogonResponse><X-API-Session>{TOKEN}</X-API-Session></LogonResponse>");
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A server of raw bytes: logons are answered well, everything else with these bytes and the end of the connection.
async fn raw(bytes: &'static [u8]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, bytes, Arc::clone(&counted)));
        }
    });
    (address, requests)
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &'static [u8],
    requests: Arc<AtomicUsize>,
) {
    while let Some(request) = read_request(&mut stream).await {
        if request.contains("/rest/api/web/Logon") {
            stream.write_all(logon_answer().as_bytes()).await.unwrap();
            continue;
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        return;
    }
}

#[tokio::test]
async fn a_whole_session_works_over_http() {
    let fake = Fake::new(|seen, _| match seen.uri.as_str() {
        uri if uri.contains("contents") => answer(204, ""),
        uri if uri.contains("File") => answer(200, web("File", "f-1", "")),
        _ => answer(200, feed(&[])),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = fake.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let session = Session::connect(at(address, "http"), quick())
        .await
        .unwrap();
    session.get_feed("Cluster", Groups::None).await.unwrap();
    let upload = Upload::media("cfg.iso", "V", 300_000);
    session
        .upload(upload, std::io::Cursor::new(vec![b'i'; 300_000]), |_| {})
        .await
        .unwrap();
    session.logoff().await.unwrap();
    let contents = fake
        .seen()
        .into_iter()
        .find(|seen| seen.uri.contains("contents"))
        .unwrap();
    assert_eq!(contents.body.len(), 300_000);
    assert_eq!(contents.header("transfer-encoding"), Some("chunked"));
}

/// What the contents of an upload of ten bytes from this source are for an HMC behind a socket.
async fn contents(source: &'static [u8]) -> (Option<Seen>, Option<ErrorKind>) {
    let fake = Fake::new(|seen, _| match seen.uri.as_str() {
        uri if uri.contains("contents") => answer(204, ""),
        _ => answer(200, web("File", "f-1", "")),
    });
    let fake = fake.hmc();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = fake.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let session = Session::connect(at(address, "http"), quick())
        .await
        .unwrap();
    assert_eq!(session.flavor(), Flavor::Hmc);
    let result = session
        .upload(Upload::media("a.iso", "V", 10), source, |_| {})
        .await;
    let seen = fake
        .seen()
        .into_iter()
        .find(|seen| seen.uri.contains("contents"));
    (seen, result.err().map(|error| error.kind()))
}

#[tokio::test]
async fn hmcs_get_a_length_and_never_a_file_of_another_size() {
    let (seen, error) = contents(b"0123456789").await;
    let seen = seen.unwrap();
    assert_eq!((seen.body.as_str(), error), ("0123456789", None));
    assert_eq!(
        (
            seen.header("content-length"),
            seen.header("transfer-encoding")
        ),
        (Some("10"), None)
    );
    for source in [b"012345678".as_slice(), b"0123456789x"] {
        let (seen, error) = contents(source).await;
        assert_eq!(error, Some(ErrorKind::Local));
        assert!(seen.is_none_or(|seen| seen.body == "BROKEN"));
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Session::connect(at(address, "http"), quick())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(
        error.to_string().contains("check that the server runs"),
        "{error}"
    );
}

#[tokio::test]
async fn dropped_connections_and_half_bodies_are_told_apart_by_method() {
    for bytes in [
        b"".as_slice(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<entry xmlns=",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<entr",
        b"\x16\x03\x01garbage\r\n\r\n",
    ] {
        let (address, requests) = raw(bytes).await;
        let session = Session::connect(at(address, "http"), quick())
            .await
            .unwrap();
        let error = session.get_feed("X", Groups::None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        assert_eq!(requests.swap(0, Ordering::SeqCst), 3);
        let error = session
            .create("X", &Element::new(Namespace::Uom, "X"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownOutcome, "{error}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "a change is sent once");
    }
}

/// An https server with a certificate of its own for 127.0.0.1: its address, the certificate's fingerprint and PEM.
async fn tls() -> (SocketAddr, Fingerprint, String) {
    let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.signing_key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![pair.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move { shake(acceptor, stream).await });
        }
    });
    (address, Fingerprint::of(pair.cert.der()), pair.cert.pem())
}

async fn shake(acceptor: TlsAcceptor, stream: TcpStream) {
    if let Ok(stream) = acceptor.accept(stream).await {
        converse(stream, b"", Arc::default()).await;
    }
}

#[tokio::test]
async fn certificates_are_believed_as_told() {
    let (address, fingerprint, pem) = tls().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    for trust in [
        Trust::Pinned(fingerprint),
        Trust::Anything,
        Trust::Authority(file.clone()),
    ] {
        Session::connect(at(address, "https").trust(trust), quick())
            .await
            .unwrap();
    }
    let other = Trust::Pinned(Fingerprint::of(b"another"));
    for trust in [Trust::System, other] {
        let error = Session::connect(at(address, "https").trust(trust), quick())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        let text = error.to_string();
        assert!(
            text.contains("TLS failed") && text.contains(&fingerprint.to_string()),
            "{text}"
        );
    }
    std::fs::write(&file, "no certificate").unwrap();
    let error = Session::connect(at(address, "https").trust(Trust::Authority(file)), quick())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
