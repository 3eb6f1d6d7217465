//! The simulator on real sockets, in real time.

use std::time::Duration;

use futures_util::stream;
use http::Method;
use powervm_simulator::Simulator;
use powervm_simulator::serve::{AdminOptions, ServeError, ServeOptions, Serving, serve};
use powervm_simulator::weather::{Rule, Weather};
use reqwest::{Certificate, Response};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{Client, logon_body, novalink};

fn options() -> ServeOptions {
    let any = "127.0.0.1:0".parse().unwrap();
    let admin = AdminOptions {
        address: any,
        token: SecretString::from("admin-token"),
    };
    ServeOptions {
        http: Some(any),
        https: Some(any),
        admin: Some(admin),
        ..ServeOptions::default()
    }
}

async fn served() -> (Simulator, Serving, reqwest::Client) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let simulator = novalink(Weather::Calm).build().unwrap();
    let serving = serve(&simulator, &options()).await.unwrap();
    let certificate =
        Certificate::from_pem(serving.certificate_pem.as_ref().unwrap().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([certificate])
        .build()
        .unwrap();
    (simulator, serving, client)
}

async fn logon(simulator: &Simulator, client: &reqwest::Client, origin: &str) -> String {
    let credentials = simulator.credentials();
    let body = logon_body(
        &credentials.user,
        &format!(
            "<Password>{}</Password>",
            credentials.password.expose_secret()
        ),
    );
    let answer = client
        .put(format!("{origin}/rest/api/web/Logon"))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            answer.headers()["x-mc-type"].to_str().unwrap()
        ),
        (200, "PVM")
    );
    let text = answer.text().await.unwrap();
    powervm_schema::xml::Element::parse(text.as_bytes())
        .unwrap()
        .child_value("X-API-Session")
        .unwrap()
        .to_owned()
}

async fn get(client: &reqwest::Client, url: &str, token: &str) -> reqwest::Result<Response> {
    client.get(url).header("X-API-Session", token).send().await
}

#[tokio::test]
async fn http_and_https_serve_the_same_with_links_of_their_own() {
    let (simulator, serving, client) = served().await;
    let http = format!("http://{}", serving.http.unwrap());
    let https = format!("https://{}", serving.https.unwrap());
    let token = logon(&simulator, &client, &https).await;
    for origin in [&http, &https] {
        let answer = get(
            &client,
            &format!("{origin}/rest/api/uom/ManagedSystem?group=None"),
            &token,
        )
        .await
        .unwrap();
        assert_eq!(answer.status(), 200);
        assert!(
            answer
                .text()
                .await
                .unwrap()
                .contains(&format!("href=\"{origin}/rest/api/uom/ManagedSystem"))
        );
    }
    serving.stop().await;
}

#[tokio::test]
async fn a_client_that_does_not_know_the_certificate_is_right_to_refuse() {
    let (_simulator, serving, _client) = served().await;
    let stranger = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap();
    assert!(
        stranger
            .get(format!("https://{}/", serving.https.unwrap()))
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn small_answers_on_one_connection_are_not_delayed() {
    let (simulator, serving, client) = served().await;
    let origin = format!("http://{}", serving.http.unwrap());
    let token = logon(&simulator, &client, &origin).await;
    let began = Instant::now();
    for _ in 0..50 {
        let answer = get(
            &client,
            &format!("{origin}/rest/api/uom/LogicalPartition/quick/All"),
            &token,
        )
        .await
        .unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
    }
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn an_upload_that_disconnects_leaves_nothing() {
    let (simulator, serving, _client) = served().await;
    let client = Client::of(&simulator).await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let before = simulator.world();
    let mut stream = TcpStream::connect(serving.http.unwrap()).await.unwrap();
    let head = format!(
        "PUT /rest/api/web/File/contents/{file} HTTP/1.1\r\nHost: x\r\nX-API-Session: {}\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n",
        client.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 0x10000]).await.unwrap();
    stream.write_all(b"\r\n10000\r\nhalf").await.unwrap();
    drop(stream);
    let seen = async {
        while simulator.counters().upload_bytes == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen)
        .await
        .unwrap();
    assert_eq!(simulator.counters().uploads, 0);
    assert_eq!(*simulator.world(), *before);
    assert_eq!(client.upload(&file, "all of it").await.status, 204);
}

#[tokio::test]
async fn an_image_is_streamed_through_a_socket() {
    let (simulator, serving, http) = served().await;
    let client = Client::of(&simulator).await;
    let udid = client.logical_unit("image", 1).await;
    let file = client.file("image", Some(&udid), None).await;
    let url = format!(
        "http://{}/rest/api/web/File/contents/{file}",
        serving.http.unwrap()
    );
    let chunk = bytes::Bytes::from(vec![7; 1 << 16]);
    let body = stream::iter((0..1600).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let answer = http
        .put(url)
        .header("X-API-Session", &client.token)
        .body(reqwest::Body::wrap_stream(body))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 204);
    let content = simulator
        .world()
        .tiers
        .values()
        .find_map(|tier| tier.unit(&udid))
        .unwrap()
        .content
        .unwrap();
    assert_eq!(content.bytes, 1600 << 16);
}

#[tokio::test]
async fn faults_close_real_connections() {
    let (simulator, serving, client) = served().await;
    let origin = format!("http://{}", serving.http.unwrap());
    let token = logon(&simulator, &client, &origin).await;
    let url = format!("{origin}/rest/api/uom/ManagedSystem");
    simulator
        .faults()
        .add(Rule::new("GET", "*/ManagedSystem").nth(1).reset())
        .unwrap();
    simulator
        .faults()
        .add(Rule::new("GET", "*/ManagedSystem").nth(2).cut(200))
        .unwrap();
    let mut raw = TcpStream::connect(serving.http.unwrap()).await.unwrap();
    let head = format!(
        "GET /rest/api/uom/ManagedSystem HTTP/1.1\r\nHost: x\r\nX-API-Session: {token}\r\n\r\n"
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    let mut nothing = Vec::new();
    raw.read_to_end(&mut nothing).await.unwrap();
    assert!(nothing.is_empty(), "{}", String::from_utf8_lossy(&nothing));
    let cut = get(&client, &url, &token).await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(cut.text().await.is_err());
    assert_eq!(get(&client, &url, &token).await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_no_http_is_answered_or_closed() {
    let (simulator, serving, client) = served().await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00garbage"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        &[0; 4096],
    ] {
        let mut raw = TcpStream::connect(serving.http.unwrap()).await.unwrap();
        raw.write_all(garbage).await.unwrap();
        raw.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(Duration::from_secs(5), raw.read_to_end(&mut answer))
            .await
            .unwrap();
    }
    let mut raw = TcpStream::connect(serving.http.unwrap()).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let _ = raw.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = raw.read_to_end(&mut answer).await;
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    logon(
        &simulator,
        &client,
        &format!("http://{}", serving.http.unwrap()),
    )
    .await;
}

#[tokio::test]
async fn stopping_ends_a_long_poll_within_a_second() {
    let (simulator, serving, client) = served().await;
    let origin = format!("http://{}", serving.http.unwrap());
    let token = logon(&simulator, &client, &origin).await;
    let url = format!("{origin}/rest/api/uom/Event");
    get(&client, &url, &token).await.unwrap();
    let poll = tokio::spawn(async move {
        get(&client, &url, &token)
            .await
            .map(|answer| answer.status())
    });
    while simulator.counters().by_class.get("event") != Some(&1) {
        tokio::task::yield_now().await;
    }
    let began = Instant::now();
    serving.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert!(poll.await.unwrap().is_err());
}

#[tokio::test]
async fn the_admin_api_needs_its_token_and_a_loopback_address() {
    let (simulator, serving, client) = served().await;
    let origin = format!("http://{}", serving.admin.unwrap());
    let ask = |method: Method, path: &str, body: &'static str| {
        client
            .request(method, format!("{origin}{path}"))
            .header("Authorization", "Bearer admin-token")
            .body(body)
            .send()
    };
    assert_eq!(
        client
            .get(format!("{origin}/health"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    assert_eq!(
        client
            .get(format!("{origin}/counters"))
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
    for path in [
        "/counters",
        "/inventory",
        "/contents",
        "/faults",
        "/clock",
        "/invariants",
    ] {
        let answer = ask(Method::GET, path, "").await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        serde_json::from_slice::<serde_json::Value>(&answer.bytes().await.unwrap()).unwrap();
    }
    let rule = r#"{"method": "GET", "path": "*", "first": 1, "fault": {"answer": {"status": 503, "message": "later"}}}"#;
    assert_eq!(
        ask(Method::POST, "/faults", rule).await.unwrap().status(),
        200
    );
    assert_eq!(
        Client::of(&simulator)
            .await
            .get("ManagedSystem")
            .await
            .status,
        503
    );
    let listed = ask(Method::GET, "/faults", "")
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(listed.contains("\"hits\":1"), "{listed}");
    assert_eq!(
        ask(Method::DELETE, "/faults", "").await.unwrap().status(),
        204
    );
    assert_eq!(
        ask(Method::DELETE, "/faults/1", "").await.unwrap().status(),
        404
    );
    assert_eq!(
        ask(Method::POST, "/faults", "{}").await.unwrap().status(),
        400
    );
    let now = simulator.now();
    assert_eq!(
        ask(
            Method::POST,
            "/clock/advance",
            r#"{"milliseconds": 3600000}"#
        )
        .await
        .unwrap()
        .status(),
        200
    );
    assert!(simulator.now().since(now) >= Duration::from_secs(3600));
    assert_eq!(
        ask(Method::GET, "/nothing", "").await.unwrap().status(),
        404
    );

    let beyond = AdminOptions {
        address: "0.0.0.0:0".parse().unwrap(),
        token: SecretString::from("x"),
    };
    let refused = serve(
        &simulator,
        &ServeOptions {
            admin: Some(beyond),
            ..ServeOptions::default()
        },
    )
    .await;
    assert!(matches!(refused, Err(ServeError::AdminNotLoopback(_))));
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let (simulator, serving, _client) = served().await;
    let again = ServeOptions {
        http: serving.http,
        ..ServeOptions::default()
    };
    let error = serve(&simulator, &again).await.unwrap_err().to_string();
    assert!(
        error.contains(&serving.http.unwrap().to_string()),
        "{error}"
    );
}
