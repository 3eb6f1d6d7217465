//! The VNC repeater between an RFB client and an RFB server of this file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use powervm_driver::config::VncOptions;
use powervm_driver::vnc::{
    self, CLOSED_AFTER, Consoles, HANDSHAKE, Line, MOST_CLIENTS, MOST_OF_ONE, Repeater,
};
use powervm_driver::{Error, ErrorKind, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const KNOWN: Uuid = Uuid::from_u128(0x71c2_0000_0000_4000_8000_0000_0000_0001);
const UNKNOWN: Uuid = Uuid::from_u128(2);

/// Consoles whose RFB server says back what it is told, and what was done with them.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Vec<&'static str>>>);

impl Fake {
    fn done(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Consoles for Fake {
    fn open(&self, server: Uuid) -> BoxFuture<'_, Result<Line>> {
        Box::pin(async move {
            if server != KNOWN {
                return Err(Error::operation(
                    ErrorKind::NotFound,
                    "there is none",
                    "look",
                ));
            }
            self.0.lock().unwrap().push("open");
            let (near, far) = duplex(4096);
            tokio::spawn(rfb_server(far));
            Ok(Box::new(near) as Line)
        })
    }

    fn close(&self, _: Uuid) -> BoxFuture<'_, Result<()>> {
        self.0.lock().unwrap().push("close");
        Box::pin(async { Ok(()) })
    }
}

/// An RFB 3.8 server without security that says back what comes after the handshake.
async fn rfb_server(mut stream: DuplexStream) -> std::io::Result<()> {
    stream.write_all(b"RFB 003.008\n").await?;
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    assert_eq!(&version, b"RFB 003.008\n");
    stream.write_all(&[1, 1]).await?;
    assert_eq!(stream.read_u8().await?, 1);
    stream.write_u32(0).await?;
    let (mut from, mut to) = tokio::io::split(stream);
    tokio::io::copy(&mut from, &mut to).await.map(drop)
}

/// Asks for a console; what the repeater answers.
async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    server: Uuid,
) -> std::io::Result<String> {
    stream
        .write_all(format!("CONNECT {server} HTTP/1.1\r\n\r\n").as_bytes())
        .await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

/// An RFB client that takes no security.
async fn plain(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) {
    let mut version = [0; 12];
    stream.read_exact(&mut version).await.unwrap();
    stream.write_all(&version).await.unwrap();
    let mut kinds = [0; 2];
    stream.read_exact(&mut kinds).await.unwrap();
    assert_eq!(kinds, [1, 1]);
    stream.write_all(&[1]).await.unwrap();
    assert_eq!(stream.read_u32().await.unwrap(), 0);
}

/// What goes there and comes back.
async fn echo(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), text: &[u8]) {
    stream.write_all(text).await.unwrap();
    stream.flush().await.unwrap();
    let mut back = vec![0; text.len()];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(back, text);
}

/// A client of the repeater, and its task.
fn client(repeater: &Repeater) -> (DuplexStream, tokio::task::JoinHandle<Result<()>>) {
    let (near, far) = duplex(4096);
    let repeater = repeater.clone();
    (
        far,
        tokio::spawn(async move { repeater.attend(near).await }),
    )
}

#[tokio::test(start_paused = true)]
async fn a_client_speaks_with_the_console_that_it_named() {
    let fake = Fake::default();
    let repeater = Repeater::of(fake.clone(), None);
    let (mut stream, task) = client(&repeater);
    assert_eq!(
        ask(&mut stream, KNOWN).await.unwrap(),
        "HTTP/1.1 200 OK\r\n\r\n"
    );
    plain(&mut stream).await;
    echo(&mut stream, b"hello").await;
    // Somebody who looks at it for a day is not bothered.
    sleep(Duration::from_secs(86_400)).await;
    echo(&mut stream, &[7; 3000]).await;
    drop(stream);
    task.await.unwrap().unwrap();
    assert_eq!(fake.done(), ["open"]);
}

#[tokio::test(start_paused = true)]
async fn who_names_no_known_server_gets_a_400() {
    let fake = Fake::default();
    let repeater = Repeater::of(fake.clone(), None);
    let (mut stream, task) = client(&repeater);
    let answer = ask(&mut stream, UNKNOWN).await.unwrap();
    assert_eq!(answer, "HTTP/1.1 400 Bad Request\r\n\r\n");
    assert!(task.await.unwrap().is_err());
    let (mut stream, task) = client(&repeater);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(task.await.unwrap().is_err());
    assert_eq!(fake.done(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_let_go() {
    let repeater = Repeater::of(Fake::default(), None);
    let (mut stream, task) = client(&repeater);
    stream.write_all(b"CONNECT").await.unwrap();
    let begun = tokio::time::Instant::now();
    assert!(task.await.unwrap().is_err());
    assert_eq!(begun.elapsed().as_secs(), HANDSHAKE.as_secs());
    let (mut endless, task) = client(&repeater);
    let _ = endless.write_all(&[b'x'; 4096]).await;
    assert!(task.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_console_is_closed_when_nobody_has_looked_for_a_while() {
    let fake = Fake::default();
    let repeater = Repeater::of(fake.clone(), None);
    for _ in 0..2 {
        let (mut stream, task) = client(&repeater);
        ask(&mut stream, KNOWN).await.unwrap();
        drop(stream);
        task.await.unwrap().unwrap();
        // The next one is back in time.
        sleep(CLOSED_AFTER - Duration::from_secs(1)).await;
    }
    assert_eq!(fake.done(), ["open", "open"]);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(fake.done(), ["close"]);
    sleep(CLOSED_AFTER * 3).await;
    assert_eq!(fake.done(), Vec::<&str>::new());
}

#[tokio::test(start_paused = true)]
async fn there_are_so_many_clients_and_no_more() {
    let repeater = Repeater::of(Fake::default(), None);
    let mut clients = Vec::new();
    for _ in 0..MOST_OF_ONE {
        let (mut stream, task) = client(&repeater);
        assert!(ask(&mut stream, KNOWN).await.unwrap().contains("200"));
        clients.push((stream, task));
    }
    let (mut stream, _) = client(&repeater);
    assert!(ask(&mut stream, KNOWN).await.unwrap().contains("400"));
    drop(clients.pop());
    sleep(Duration::from_secs(1)).await;
    let (mut stream, _task) = client(&repeater);
    assert!(ask(&mut stream, KNOWN).await.unwrap().contains("200"));
    // Those who have not said anything count as well.
    let waiting: Vec<_> = (0..MOST_CLIENTS).map(|_| client(&repeater)).collect();
    sleep(Duration::from_secs(1)).await;
    let (mut late, task) = client(&repeater);
    assert!(ask(&mut late, KNOWN).await.is_err());
    assert!(
        task.await
            .unwrap()
            .unwrap_err()
            .to_string()
            .contains("64 clients")
    );
    drop(waiting);
}

/// An authority, and what it signed: a certificate with its key, for this name.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (
            params.signed_by(&key, &self.0).unwrap().pem(),
            key.serialize_pem(),
        )
    }
}

/// A client's TLS, which shows this certificate if there is one.
fn connector(authority: &Authority, own: Option<&(String, String)>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.0.pem().as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// An RFB client that wants VeNCrypt with a certificate, as the proxies of OpenStack do.
async fn vencrypt(
    mut stream: TcpStream,
    connector: &TlsConnector,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    stream.write_all(&version).await?;
    let mut kinds = [0; 2];
    stream.read_exact(&mut kinds).await?;
    assert_eq!(kinds, [1, 19]);
    stream.write_all(&[19]).await?;
    assert_eq!((stream.read_u8().await?, stream.read_u8().await?), (0, 2));
    stream.write_all(&[0, 2]).await?;
    assert_eq!((stream.read_u8().await?, stream.read_u8().await?), (0, 1));
    assert_eq!(stream.read_u32().await?, 260);
    stream.write_u32(260).await?;
    assert_eq!(stream.read_u8().await?, 1);
    let mut tls = connector
        .connect(ServerName::try_from("repeater").unwrap(), stream)
        .await?;
    assert_eq!(tls.read_u32().await?, 0);
    Ok(tls)
}

#[tokio::test]
async fn after_its_end_nothing_holds_the_consoles() {
    let fake = Fake::default();
    let repeater = Repeater::of(fake.clone(), None);
    let (mut stream, task) = client(&repeater);
    assert!(ask(&mut stream, KNOWN).await.unwrap().contains("200"));
    plain(&mut stream).await;
    drop(stream);
    // From now on it waits five minutes before it closes the console.
    task.await.unwrap().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    repeater.serve(listener, &cancel).await.unwrap();
    drop(repeater);
    assert_eq!(fake.done(), ["open", "close"]);
    assert_eq!(Arc::strong_count(&fake.0), 1);
}

#[tokio::test]
async fn with_certificates_there_is_tls_between() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = authority.sign("repeater");
    let files = [
        ("ca", authority.0.pem()),
        ("cert", certificate),
        ("key", key),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let options = VncOptions {
        vnc_use_x509_auth: true,
        vnc_ca_certs: folder.path().join("ca"),
        vnc_server_cert: folder.path().join("cert"),
        vnc_server_key: folder.path().join("key"),
    };
    let fake = Fake::default();
    let repeater = Repeater::of(fake.clone(), vnc::acceptor(&options).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let served = tokio::spawn({
        let cancel = cancel.clone();
        async move { repeater.serve(listener, &cancel).await }
    });
    let connect = async || {
        let mut stream = TcpStream::connect(address).await.unwrap();
        assert!(ask(&mut stream, KNOWN).await.unwrap().contains("200"));
        stream
    };
    let own = authority.sign("proxy");
    let mut tls = vencrypt(connect().await, &connector(&authority, Some(&own)))
        .await
        .unwrap();
    echo(&mut tls, b"secret").await;
    // Without a certificate, or with one of somebody else's, nobody gets further.
    let foreign = stranger.sign("proxy");
    for own in [None, Some(&foreign)] {
        assert!(
            vencrypt(connect().await, &connector(&authority, own))
                .await
                .is_err()
        );
    }
    cancel.cancel();
    served.await.unwrap().unwrap();
    let done = fake.done();
    assert_eq!((done.len(), done.last()), (4, Some(&"close")), "{done:?}");
    assert!(tls.read_u8().await.is_err(), "its client was let go");
}

#[test]
fn files_that_are_no_certificates_are_told_by_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let authority = Authority::new();
    let (certificate, key) = authority.sign("repeater");
    let (_, other) = authority.sign("repeater");
    let (certificate, key) = (file("cert", &certificate), file("key", &key));
    let options =
        |cert: &std::path::Path, key: &std::path::Path, ca: &std::path::Path| VncOptions {
            vnc_use_x509_auth: true,
            vnc_ca_certs: ca.to_owned(),
            vnc_server_cert: cert.to_owned(),
            vnc_server_key: key.to_owned(),
        };
    let (none, junk, other) = (
        std::path::PathBuf::new(),
        file("junk", "junk"),
        file("other", &other),
    );
    assert!(vnc::acceptor(&VncOptions::default()).unwrap().is_none());
    assert!(
        vnc::acceptor(&options(&certificate, &key, &none))
            .unwrap()
            .is_some()
    );
    for (options, part) in [
        (options(&junk, &key, &none), "vnc_server_cert"),
        (options(&certificate, &junk, &none), "vnc_server_key"),
        (options(&certificate, &other, &none), "vnc_server_cert"),
        (options(&certificate, &key, &junk), "vnc_ca_certs"),
        (options(&folder.path().join("nope"), &key, &none), "nope"),
    ] {
        let error = vnc::acceptor(&options).err().unwrap().to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
}
