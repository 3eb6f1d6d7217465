//! Where changes come from.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// `[gerrit]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GerritConfig {
    /// Its address.
    #[serde(default = "url")]
    pub url: String,
    /// The account; without one changes can be watched and run, and nothing is said.
    #[serde(default)]
    pub username: Option<String>,
    /// File with the account's HTTP password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// PEM file of the authority that vouches for its certificate; the system's without one.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The repository to watch.
    #[serde(default = "project")]
    pub project: String,
    /// Its branches; `*` stands for anything.
    #[serde(default = "branches")]
    pub branches: Vec<String>,
    /// What the first line of a comment has to be to ask for another run; `*` stands for anything, capital letters
    /// are as good as small ones, `NAME` is the CI's name.
    #[serde(default = "rechecks")]
    pub rechecks: Vec<String>,
    /// Seconds from one question for changes to the next.
    #[serde(default = "poll_seconds")]
    pub poll_seconds: u64,
    /// Changes to a page, at most 500.
    #[serde(default = "page")]
    pub page: usize,
    /// Most pages that are read in a row; what is left comes with the next question.
    #[serde(default = "pages")]
    pub pages: usize,
    /// Seconds that Gerrit has for an answer.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
}

impl GerritConfig {
    /// From one question to the next.
    #[must_use]
    pub fn poll(&self) -> Duration {
        Duration::from_secs(self.poll_seconds)
    }

    /// How long an answer may take.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

fn url() -> String {
    "https://review.opendev.org".to_owned()
}

fn project() -> String {
    "openstack/nova".to_owned()
}

fn branches() -> Vec<String> {
    vec!["master".to_owned()]
}

fn rechecks() -> Vec<String> {
    // A reason may follow the word; the name of another CI may too, and is none.
    [
        "recheck",
        "recheck NAME",
        "recheck NAME *",
        "recheck bug *",
        "recheck no bug*",
        "recheck -*",
        "recheck:*",
        "recheck,*",
        "recheck (*",
    ]
    .map(str::to_owned)
    .into()
}

fn poll_seconds() -> u64 {
    60
}

fn page() -> usize {
    100
}

fn pages() -> usize {
    20
}

fn timeout_seconds() -> u64 {
    60
}

/// `[stream]`: `gerrit stream-events` through the system's ssh.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamConfig {
    /// The program.
    #[serde(default = "program")]
    pub program: PathBuf,
    /// Gerrit's host.
    pub host: String,
    /// Its port.
    #[serde(default = "port")]
    pub port: u16,
    /// The account.
    pub username: String,
    /// The private key; ssh's own choice without one.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// The file with the host's key; no other one is believed.
    pub known_hosts: PathBuf,
}

fn program() -> PathBuf {
    "ssh".into()
}

fn port() -> u16 {
    29_418
}
