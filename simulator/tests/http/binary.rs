//! `powervm-sim` as users start it.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::client::logon_body;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_powervm-sim");

pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) text: String,
    pub(crate) ready: serde_json::Value,
    folder: tempfile::TempDir,
}

pub(crate) async fn start(arguments: &[&str], password: Option<&str>) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let mut command = Command::new(PROGRAM);
    command
        .arg("serve")
        .args([
            "--listen",
            "0",
            "--tls-listen",
            "0",
            "--admin",
            "0",
            "--ready-file",
        ])
        .arg(&ready)
        .args(arguments);
    command
        .env_remove("RUST_LOG")
        .env_remove("POWERVM_SIM_PASSWORD")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    if let Some(password) = password {
        command.env("POWERVM_SIM_PASSWORD", password);
    }
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut text = String::new();
    let told = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            text.push_str(&line);
            text.push('\n');
            if line.starts_with("End it") {
                return;
            }
        }
        panic!("it ended before it was ready");
    };
    timeout(Duration::from_secs(30), told).await.unwrap();
    assert_eq!(
        std::fs::metadata(&ready).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let ready = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    Running {
        child,
        text,
        ready,
        folder,
    }
}

impl Running {
    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key]
            .as_str()
            .unwrap_or_else(|| panic!("no {key} in {}", self.ready))
    }

    /// Logs on to the NovaLink at a URL and reads one of its feeds.
    pub(crate) async fn read(&self, url: &str, path: &str) -> String {
        let body = logon_body(
            self.text("user"),
            &format!("<Password>{}</Password>", self.text("password")),
        );
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let logon = client
            .put(format!("{url}/rest/api/web/Logon"))
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(logon.status(), 200);
        let text = logon.text().await.unwrap();
        let token = text
            .split_once("X-API-Session")
            .and_then(|(_, rest)| rest.split_once('>')?.1.split_once('<'))
            .unwrap()
            .0
            .to_owned();
        let answer = client
            .get(format!("{url}/rest/api/uom/{path}"))
            .header("X-API-Session", token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    pub(crate) async fn logon(&self) -> u16 {
        let body = logon_body(
            self.text("user"),
            &format!("<Password>{}</Password>", self.text("password")),
        );
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client
            .put(format!("{}/rest/api/web/Logon", self.text("http")))
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    /// Sends a signal and returns the exit code, which has to come within a second.
    pub(crate) async fn end(mut self, signal: &str) -> i32 {
        let pid = self.child.id().unwrap().to_string();
        let began = Instant::now();
        assert!(
            Command::new("kill")
                .args([&format!("-{signal}"), &pid])
                .status()
                .await
                .unwrap()
                .success()
        );
        let status = timeout(Duration::from_secs(5), self.child.wait())
            .await
            .unwrap()
            .unwrap();
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "{:?}",
            began.elapsed()
        );
        assert!(!self.folder.path().join("ready.json").exists());
        status.code().unwrap()
    }
}

#[tokio::test]
async fn it_tells_how_to_connect_and_ends_on_sigterm() {
    let running = start(&[], None).await;
    for key in ["http", "https", "user", "password", "admin"] {
        assert!(running.text.contains(running.text(key)), "{key}");
    }
    assert!(
        running
            .text("certificate")
            .starts_with("-----BEGIN CERTIFICATE-----")
    );
    assert!(running.text.contains("adapter.Session("));
    assert_eq!(running.text("flavor"), "novalink");
    assert_eq!(running.logon().await, 200);
    assert_eq!(running.end("TERM").await, 0);
}

#[tokio::test]
async fn a_given_password_is_not_printed() {
    let running = start(
        &[
            "--flavor",
            "hmc",
            "--systems",
            "2",
            "--weather",
            "typical",
            "--time-scale",
            "1000",
        ],
        Some("given-secret"),
    )
    .await;
    assert!(!running.text.contains("given-secret"));
    assert_eq!(running.logon().await, 200);
    assert_eq!(running.end("INT").await, 0);
}

/// The texts of all elements of one name.
fn texts(document: &str, name: &str) -> Vec<String> {
    let open = format!("<{name} ");
    let parts = document.split(open.as_str()).skip(1);
    parts
        .filter_map(|part| {
            let (text, _) = part.split_once('>')?.1.split_once('<')?;
            Some(text.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn two_systems_have_a_novalink_each_and_one_storage() {
    let running = start(&["--systems", "2", "--shared-storage"], None).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let first = running.text("http");
    let neighbours = running.ready["neighbours"].as_array().unwrap();
    assert_eq!(neighbours.len(), 1);
    assert_eq!(neighbours[0]["system"], "neo2");
    let second = neighbours[0]["http"].as_str().unwrap();
    assert_ne!(first, second);
    assert!(running.text.contains(second));
    for (url, system) in [(first, "neo"), (second, "neo2")] {
        let systems = running.read(url, "ManagedSystem").await;
        assert_eq!(texts(&systems, "SystemName"), [system]);
        let partitions = running.read(url, "LogicalPartition").await;
        assert_eq!(texts(&partitions, "PartitionName"), ["novalink"]);
    }
    let clusters = running.read(first, "Cluster").await;
    assert_eq!(
        texts(&clusters, "ClusterName"),
        texts(&running.read(second, "Cluster").await, "ClusterName")
    );
    let pool = |document: &str| texts(document, "StoragePoolName");
    let pools = running.read(first, "SharedStoragePool").await;
    assert_eq!(pool(&pools).len(), 1);
    assert_eq!(
        pool(&pools),
        pool(&running.read(second, "SharedStoragePool").await)
    );
    assert_eq!(running.end("TERM").await, 0);
}

#[tokio::test]
async fn wrong_command_lines_are_told() {
    for (arguments, code, told) in [
        (&["serve", "--weather", "/nowhere"][..], 1, "/nowhere"),
        (&["serve", "--systems", "0"], 2, "--systems"),
        (
            &["serve", "--inventory", "room.toml", "--shared-storage"],
            2,
            "--shared-storage",
        ),
        (
            &[
                "serve",
                "--admin",
                "0.0.0.0:0",
                "--listen",
                "none",
                "--tls-listen",
                "none",
            ],
            1,
            "loopback",
        ),
        (&["serve", "--flavor", "toaster"], 2, "novalink"),
        (&[], 2, "serve"),
    ] {
        let ended = Command::new(PROGRAM)
            .args(arguments)
            .kill_on_drop(true)
            .output();
        let output = timeout(Duration::from_secs(30), ended)
            .await
            .unwrap_or_else(|_| panic!("{arguments:?} is served"))
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(told), "{text}");
    }
}
