//! `powervm-sim` as a process of its own, and a client of it.

use std::process::Stdio;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::binary::PROGRAM;
use crate::client::logon_body;

pub(crate) const PASSWORD: &str = "known-password-4711";

pub(crate) struct Process {
    child: Child,
    pub(crate) ready: Value,
    folder: TempDir,
}

/// What came of a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }

    /// The text of the first element with this name.
    pub(crate) fn text(&self, element: &str) -> String {
        let (_, rest) = self
            .body
            .split_once(&format!("<{element} "))
            .unwrap_or_else(|| panic!("no {element} in {}", self.body));
        let (_, rest) = rest.split_once('>').unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    }
}

pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

impl Process {
    /// Starts it and waits until it listens; the error is what it said when it ended instead.
    pub(crate) async fn start(arguments: &[&str]) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let ready = folder.path().join("ready.json");
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        command.args(["--listen", "0", "--tls-listen", "none", "--ready-file"]);
        command.arg(&ready);
        command
            .env("RUST_LOG", "trace")
            .env("POWERVM_SIM_PASSWORD", PASSWORD)
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let listening = async {
            loop {
                if let Ok(text) = std::fs::read(&ready) {
                    return Some(serde_json::from_slice(&text).unwrap());
                }
                if child.try_wait().unwrap().is_some() {
                    return None;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        let told = timeout(Duration::from_secs(60), listening).await.unwrap();
        match told {
            Some(ready) => Ok(Self {
                child,
                ready,
                folder,
            }),
            None => Err(std::fs::read_to_string(folder.path().join("log")).unwrap()),
        }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    pub(crate) fn ready_file(&self) -> std::path::PathBuf {
        self.folder.path().join("ready.json")
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    /// All that it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// A request of the admin API.
    pub(crate) async fn admin(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}{path}", self.text("admin"));
        let request = http()
            .request(method, url)
            .bearer_auth(self.text("admin_token"));
        let request = if body.is_null() {
            request
        } else {
            request.body(body.to_string())
        };
        answer(request).await
    }

    /// A request of the REST API.
    pub(crate) async fn rest(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let url = format!("{}/rest/api/{path}", self.text("http"));
        let request = http().request(method, url).header("X-API-Session", token);
        answer(request.body(body)).await
    }

    /// Logs on and returns the token.
    pub(crate) async fn logon(&self, user: &str) -> String {
        let body = logon_body(user, &format!("<Password>{PASSWORD}</Password>"));
        let logon = self.rest(Method::PUT, "web/Logon", "", body).await;
        assert_eq!(logon.status, 200, "{}", logon.body);
        logon.text("X-API-Session")
    }

    pub(crate) async fn signal(&self, signal: &str) {
        let mut kill = Command::new("kill");
        let kill = kill.args([&format!("-{signal}"), &self.pid()]).status();
        assert!(kill.await.unwrap().success());
    }

    /// Ends it with a signal; returns its exit code, none if the signal killed it, and what it logged.
    pub(crate) async fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal).await;
        let ended = timeout(Duration::from_secs(20), self.child.wait());
        (ended.await.unwrap().unwrap().code(), self.log())
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    Answer {
        status: answer.status().as_u16(),
        body: answer.text().await.unwrap(),
    }
}
