//! `powervm-sim` as users start it.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use crate::client::logon_body;

const PROGRAM: &str = env!("CARGO_BIN_EXE_powervm-sim");

struct Running {
    child: Child,
    text: String,
    ready: serde_json::Value,
    folder: tempfile::TempDir,
}

async fn start(arguments: &[&str], password: Option<&str>) -> Running {
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
    fn text(&self, key: &str) -> &str {
        self.ready[key]
            .as_str()
            .unwrap_or_else(|| panic!("no {key} in {}", self.ready))
    }

    async fn logon(&self) -> u16 {
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
    async fn end(mut self, signal: &str) -> i32 {
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

#[tokio::test]
async fn wrong_command_lines_are_told() {
    for (arguments, code, told) in [
        (&["serve", "--weather", "/nowhere"][..], 1, "/nowhere"),
        (
            &[
                "serve",
                "--systems",
                "3",
                "--listen",
                "0",
                "--tls-listen",
                "0",
            ],
            1,
            "hmc",
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
        let output = Command::new(PROGRAM)
            .args(arguments)
            .output()
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(told), "{text}");
    }
}
