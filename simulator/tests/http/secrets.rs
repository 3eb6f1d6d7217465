//! Nothing secret is written anywhere, at any level.

use std::io;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::Method;
use powervm_simulator::serve::{ServeOptions, serve};
use powervm_simulator::weather::{Rule, Weather};
use secrecy::{ExposeSecret as _, SecretString};
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{Client, job_body, logon_body, novalink};
use crate::process::{PASSWORD, Process};

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

/// The program itself, at the most talkative: logon right and wrong, CHAP, a job with a password, the admin API.
#[tokio::test]
async fn the_program_logs_no_secret_at_any_level() {
    use serde_json::json;
    let process = Process::start(&["serve", "--admin", "0"]).await.unwrap();
    let token = process.logon("neo").await;
    let wrong = logon_body("neo", "<Password>mistyped-password-1</Password>");
    let wrong = process.rest(Method::PUT, "web/Logon", "", wrong).await;
    assert_eq!(wrong.status, 401);
    let volume = json!({"name": "v", "gigabytes": 1, "protocol": "iscsi"});
    let volume = process.admin(Method::POST, "/volumes", volume).await.json();
    let map = format!("/volumes/{}/map", volume["id"].as_str().unwrap());
    let host = json!({"connector": {"initiator": "iqn.1994-05.com.example:x"}, "chap": true});
    let info = process.admin(Method::POST, &map, host).await.json();
    let chap = info["connection_info"]["data"]["auth_password"]
        .as_str()
        .unwrap();
    let listing = process
        .admin(Method::GET, "/inventory", json!(null))
        .await
        .json();
    let vios = listing["virtual_io_servers"][0]["uuid"].as_str().unwrap();
    let job = job_body(
        "ISCSIDiscovery",
        "VirtualIOServer",
        &[("user", "u"), ("password", "secret-of-a-job")],
    );
    let path = format!("uom/VirtualIOServer/{vios}/do/ISCSIDiscovery");
    process.rest(Method::PUT, &path, &token, job).await;
    let admin = process.text("admin_token").to_owned();
    let url = format!("{}/clock?token={admin}", process.text("admin"));
    let in_url = crate::process::http().get(url).bearer_auth(&admin).send();
    assert_eq!(in_url.await.unwrap().status(), 400);
    let requests = process
        .admin(Method::GET, "/requests", json!(null))
        .await
        .body;
    let arguments = std::fs::read(format!("/proc/{}/cmdline", process.pid())).unwrap();
    let arguments = String::from_utf8_lossy(&arguments).into_owned();
    let secrets = [
        PASSWORD,
        "mistyped-password-1",
        "secret-of-a-job",
        &token,
        &admin,
        chap,
    ]
    .map(str::to_owned);
    let (code, log) = process.end("TERM").await;
    assert_eq!(code, Some(0));
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "{log}");
    for secret in secrets {
        for (place, text) in [("log", &log), ("requests", &requests), ("argv", &arguments)] {
            assert!(!text.contains(&secret), "{secret} in the {place}");
        }
    }
}
