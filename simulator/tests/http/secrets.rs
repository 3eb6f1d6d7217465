//! Nothing secret is written anywhere, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Method;
use powervm_simulator::serve::{ServeOptions, serve};
use powervm_simulator::weather::{Rule, Weather};
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{Client, logon_body, novalink};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_answers_and_debug_output_hold_no_secret() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(captured.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let simulator = novalink(Weather::Calm)
        .password(SecretString::from("the-secret-password"))
        .build()
        .unwrap();
    let client = Client::of(&simulator).await;
    let mut told = format!(
        "{simulator:?} {:?} {:?}",
        simulator.credentials(),
        simulator.sessions()
    );

    let wrong = client
        .logon(&simulator.credentials().user, "another-secret-password")
        .await;
    let missing = client.get("LogicalPartition/42").await;
    simulator
        .faults()
        .add(Rule::new("GET", "*/Cluster").answer(500, "r", "m"))
        .unwrap();
    let failed = client.get("Cluster").await;
    let broken = client
        .send(
            Method::PUT,
            "/rest/api/web/Logon",
            &[],
            "<LogonRequest><Password>the-secret-password</Password>",
        )
        .await;
    let body = logon_body(
        "u",
        "<GenerateX-API-SessionFile>true</GenerateX-API-SessionFile>",
    );
    let file = client
        .send(Method::PUT, "/rest/api/web/Logon", &[], body)
        .await;
    let token_in_file = std::fs::read_to_string(file.text("X-API-SessionFile")).unwrap();

    let _ = rustls::crypto::ring::default_provider().install_default();
    let any = "127.0.0.1:0".parse().unwrap();
    let serving = serve(
        &simulator,
        &ServeOptions {
            http: Some(any),
            https: Some(any),
            ..ServeOptions::default()
        },
    )
    .await
    .unwrap();
    told.push_str(&format!("{serving:?}"));
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    for origin in [
        format!("http://{}", serving.http.unwrap()),
        format!("https://{}", serving.https.unwrap()),
    ] {
        let answer = http
            .get(format!("{origin}/rest/api/uom/Toaster"))
            .header("X-API-Session", &client.token)
            .send()
            .await
            .unwrap();
        told.push_str(&answer.text().await.unwrap());
    }
    serving.stop().await;
    for answer in [wrong, missing, failed, broken, file] {
        told.push_str(&format!("{:?} {}", answer.headers, answer.body));
    }
    let end = client
        .send(Method::DELETE, "/rest/api/web/Logon", &[], Body::empty())
        .await;
    assert_eq!(end.status, 204);

    let logs = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(
        logs.contains("/rest/api/web/Logon") && logs.contains("transaction"),
        "nothing was captured"
    );
    let password = simulator.credentials().password.expose_secret();
    for secret in [
        password,
        "another-secret-password",
        &client.token,
        &token_in_file,
    ] {
        assert!(!logs.contains(secret), "a secret in the logs");
        assert!(!told.contains(secret), "a secret in an answer");
    }
}
