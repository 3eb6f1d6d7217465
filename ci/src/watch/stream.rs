//! `gerrit stream-events` over ssh: tells at once that something happened.
//!
//! What happened is then read through REST, like everything else: so an event that comes twice, late, or not at all
//! does no harm, and nothing has to be known of the events but whose they are.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::StreamConfig;

/// Longest line, in bytes: an event holds the message of a commit.
const MOST_BYTES: u64 = 4 << 20;
/// A connection that held for so long was a good one.
const GOOD: Duration = Duration::from_secs(60);

/// One line; the rest of it is read through REST.
#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    change: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    project: String,
}

/// Something that a watch wants to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// A connection came about: whatever happened before it was not heard.
    Connected,
    /// Something happened to a change of the project.
    Happened,
}

/// Listens until it is cancelled, and connects again whenever the connection ends.
pub async fn listen(
    config: &StreamConfig,
    project: &str,
    hints: &Sender<Hint>,
    backoff: &mut Backoff,
    cancel: &CancellationToken,
) {
    while !cancel.is_cancelled() {
        let begun = Instant::now();
        let ended = tokio::select! {
            () = cancel.cancelled() => return,
            ended = connection(config, project, hints) => ended,
        };
        if begun.elapsed() > GOOD {
            backoff.reset();
        }
        let wait = backoff.wait(None);
        let why = ended
            .err()
            .map_or_else(|| "it ended".to_owned(), |error| error.to_string());
        tracing::warn!(
            why,
            seconds = wait.as_secs(),
            "the event stream broke off; asking now and then goes on"
        );
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// An ssh that ends with its owner.
struct Ssh(Child);

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(config: &StreamConfig) -> Command {
    let mut command = Command::new(&config.program);
    command
        .args(["-T", "-a", "-x"])
        .args(["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"])
        .args([
            "-o",
            "ServerAliveInterval=30",
            "-o",
            "ServerAliveCountMax=3",
            "-o",
            "ConnectTimeout=30",
        ])
        .arg("-o")
        .arg(format!(
            "UserKnownHostsFile={}",
            config.known_hosts.display()
        ))
        .args(["-p", &config.port.to_string(), "-l", &config.username]);
    if let Some(key) = &config.key {
        command.args(["-o", "IdentitiesOnly=yes", "-i"]).arg(key);
    }
    let kinds = [
        "patchset-created",
        "comment-added",
        "change-restored",
        "change-abandoned",
        "change-merged",
        "wip-state-changed",
    ];
    command.args(["--", &config.host, "gerrit", "stream-events"]);
    for kind in kinds {
        command.args(["-s", kind]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

async fn connection(config: &StreamConfig, project: &str, hints: &Sender<Hint>) -> io::Result<()> {
    let mut child = command(config).spawn()?;
    let output = child.stdout.take();
    let _ssh = Ssh(child);
    let output = output.ok_or_else(|| io::Error::other("ssh has no output"))?;
    let mut lines = BufReader::new(pipe::Receiver::from_owned_fd(OwnedFd::from(output))?);
    // Whether the connection stands is not told before the first event; the sweep costs one question.
    let _ = hints.try_send(Hint::Connected);
    let mut line = Vec::new();
    loop {
        line.clear();
        let count = (&mut lines)
            .take(MOST_BYTES)
            .read_until(b'\n', &mut line)
            .await?;
        if count == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return Err(io::Error::other("an event is cut short or too long"));
        }
        if is_ours(&line, project) {
            // A hint that does not fit is one of many.
            let _ = hints.try_send(Hint::Happened);
        }
    }
}

fn is_ours(line: &[u8], project: &str) -> bool {
    let Ok(event) = serde_json::from_slice::<Event>(line) else {
        return false;
    };
    // Gerrit says so when it could not keep up with us.
    event.kind == "dropped-output" || event.change.is_some_and(|change| change.project == project)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(program: &str) -> StreamConfig {
        StreamConfig {
            program: program.into(),
            host: "review.example.org".to_owned(),
            port: 29_418,
            username: "powervm-ci".to_owned(),
            key: Some("/etc/powervm-ci/key".into()),
            known_hosts: "/etc/powervm-ci/known_hosts".into(),
        }
    }

    #[test]
    fn ssh_believes_no_other_host_and_asks_nobody() {
        let command = command(&config("ssh"));
        let words: Vec<_> = command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let text = words.join(" ");
        for part in [
            "StrictHostKeyChecking=yes",
            "UserKnownHostsFile=/etc/powervm-ci/known_hosts",
            "BatchMode=yes",
            "-p 29418 -l powervm-ci",
            "-i /etc/powervm-ci/key",
            "-- review.example.org gerrit stream-events",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn events_of_others_and_garbage_are_not_ours() {
        let ours = br#"{"type":"comment-added","change":{"project":"openstack/nova","number":12}}"#;
        assert!(is_ours(ours, "openstack/nova"));
        assert!(!is_ours(ours, "openstack/cinder"));
        assert!(is_ours(br#"{"type":"dropped-output"}"#, "openstack/nova"));
        assert!(!is_ours(
            br#"{"type":"ref-updated","refUpdate":{}}"#,
            "openstack/nova"
        ));
        assert!(!is_ours(b"Welcome to Gerrit", "openstack/nova"));
    }

    #[tokio::test]
    async fn a_connection_that_ends_is_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("ssh");
        let event = r#"{"type":"patchset-created","change":{"project":"openstack/nova"}}"#;
        std::fs::write(&script, format!("#!/bin/sh\necho '{event}'\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&script, mode).unwrap();
        let (sender, mut hints) = tokio::sync::mpsc::channel(16);
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let config = config(&script.display().to_string());
        let listening = tokio::spawn(async move {
            let short = Duration::from_millis(1);
            let mut backoff = Backoff::new(short, short, 1);
            listen(&config, "openstack/nova", &sender, &mut backoff, &stop).await;
        });
        for _ in 0..2 {
            assert_eq!(hints.recv().await, Some(Hint::Connected));
            assert_eq!(hints.recv().await, Some(Hint::Happened));
        }
        cancel.cancel();
        listening.await.unwrap();
    }
}
