//! Where changes come from.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

/// `[gerrit]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GerritConfig {
    /// Its address.
    pub url: String,
    /// The account; without one changes can be watched and run, and nothing is said.
    pub username: Option<String>,
    /// File with the account's HTTP password.
    pub password_file: Option<PathBuf>,
    /// PEM file of the authority that vouches for its certificate; the system's without one.
    pub ca: Option<PathBuf>,
    /// The repository to watch.
    pub project: String,
    /// Its branches; `*` stands for anything.
    pub branches: Vec<String>,
    /// What the first line of a comment has to be to ask for another run; `*` stands for anything, capital letters
    /// are as good as small ones, `NAME` is the CI's name.
    pub rechecks: Vec<String>,
    /// Seconds from one question for changes to the next.
    pub poll_seconds: u64,
    /// Changes to a page, at most 500.
    pub page: usize,
    /// Most pages that are read in a row; what is left comes with the next question.
    pub pages: usize,
    /// Seconds that Gerrit has for an answer.
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

impl Default for GerritConfig {
    fn default() -> Self {
        // A reason may follow the word; the name of another CI may too, and is none.
        let rechecks = [
            "recheck",
            "recheck NAME",
            "recheck NAME *",
            "recheck bug *",
            "recheck no bug*",
            "recheck -*",
            "recheck:*",
            "recheck,*",
            "recheck (*",
        ];
        Self {
            url: "https://review.opendev.org".to_owned(),
            username: None,
            password_file: None,
            ca: None,
            project: "openstack/nova".to_owned(),
            branches: vec!["master".to_owned()],
            rechecks: rechecks.map(str::to_owned).into(),
            poll_seconds: 60,
            page: 100,
            pages: 20,
            timeout_seconds: 60,
        }
    }
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
