//! Processes of strangers' code: with a clean environment, and ended whole when their time is up.
//!
//! A tree is found by its process group, by its parents, and by a mark in the environment that children inherit. What
//! hides from all three is for the operator's isolation: a container, or a unit of systemd, ends with everything in it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// From the polite signal to the one that cannot be ignored, for a process with nothing to put in order.
pub const GRACE: Duration = Duration::from_secs(10);
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// The mark of a tree.
const MARK: &str = "POWERVM_CI_TREE";
/// What processes may know of ours: where programs are, and how pip and git reach the network.
const KEPT: &[&str] = &[
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_DEFAULT_TIMEOUT",
    "RUST_LOG",
];

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code; none after a signal.
    Exited(Option<i32>),
    /// Its time was up.
    TimedOut,
    /// Nobody wants it any more.
    Cancelled,
}

/// Takes away whatever of our environment is nothing to it.
pub fn cleaned(command: &mut Command) {
    command.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// Starts it, waits for it, and sees to it that nothing of it is left. One that is ended early has `grace` from the
/// polite signal to the one that cannot be ignored.
///
/// # Errors
/// It cannot be started.
pub async fn watched(
    mut command: Command,
    limit: Duration,
    grace: Duration,
    cancel: &CancellationToken,
) -> io::Result<Ended> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let own = format!(
        "{}.{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    // Trees in trees: each bears the marks of all around it.
    let outer = std::env::var(MARK).unwrap_or_default();
    command.env(MARK, format!("{outer}[{own}]"));
    let child = command.process_group(0).spawn()?;
    let mut tree = Tree {
        child: Some(child),
        mark: format!("[{own}]"),
    };
    let until = Instant::now() + limit;
    let ended = loop {
        if let Some(status) = tree.look()? {
            break Ended::Exited(status.code());
        }
        tokio::select! {
            () = cancel.cancelled() => break Ended::Cancelled,
            () = tokio::time::sleep_until(until) => break Ended::TimedOut,
            () = tokio::time::sleep(LOOK) => {}
        }
    };
    tree.end(matches!(ended, Ended::Exited(_)), grace).await;
    Ok(ended)
}

/// A process with all that came of it.
struct Tree {
    child: Option<Child>,
    mark: String,
}

impl Tree {
    fn look(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::try_wait)
    }

    /// Ends what is left, politely first unless the process itself is gone.
    async fn end(&mut self, is_gone: bool, grace: Duration) {
        if !is_gone {
            self.signal("TERM");
            let until = Instant::now() + grace;
            while Instant::now() < until && !matches!(self.look(), Ok(Some(_))) {
                tokio::time::sleep(LOOK).await;
            }
        }
        // What forks in the meantime is met the next time round.
        for _ in 0..20 {
            if !self.signal("KILL") {
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        while let Ok(None) = self.look() {
            tokio::time::sleep(LOOK).await;
            self.signal("KILL");
        }
        self.child = None;
    }

    /// Whether there was anybody to hear it.
    fn signal(&mut self, signal: &str) -> bool {
        let members = self.members();
        if members.is_empty() {
            return false;
        }
        // The shell has it built in; there is no other way without a system call of our own.
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "kill -s \"$0\" \"$@\" 2>/dev/null", signal])
            .args(members.iter().map(u32::to_string))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _ = command.status();
        true
    }

    fn members(&mut self) -> Vec<u32> {
        let root = match (&mut self.child, ()) {
            (Some(child), ()) => child.id(),
            (None, ()) => return Vec::new(),
        };
        let processes = processes();
        let mut members: HashSet<u32> = processes
            .iter()
            .filter(|(pid, process)| {
                **pid == root
                    || process.group == root
                    || fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environment| {
                        let environment = String::from_utf8_lossy(&environment);
                        environment
                            .split('\0')
                            .any(|entry| entry.starts_with(MARK) && entry.contains(&self.mark))
                    })
            })
            .map(|(pid, _)| *pid)
            .collect();
        loop {
            let before = members.len();
            let children = processes
                .iter()
                .filter(|(_, process)| members.contains(&process.parent));
            let children: Vec<u32> = children.map(|(pid, _)| *pid).collect();
            members.extend(children);
            if members.len() == before {
                break;
            }
        }
        members
            .into_iter()
            .filter(|pid| *pid > 1 && *pid != std::process::id())
            .collect()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.signal("KILL");
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

struct Process {
    parent: u32,
    group: u32,
}

/// All that live: what waits to be buried by its parent is not counted.
fn processes() -> HashMap<u32, Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name in the second field may hold anything, blanks and brackets too.
            let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
            let state = rest.next()?;
            let parent = rest.next()?.parse().ok()?;
            let group = rest.next()?.parse().ok()?;
            (state != "Z").then_some((pid, Process { parent, group }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdin(Stdio::null());
        cleaned(&mut command);
        command
    }

    /// Whether a process with this word among its arguments lives.
    fn lives(word: &str) -> bool {
        processes().keys().any(|pid| {
            fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                String::from_utf8_lossy(&line)
                    .split('\0')
                    .any(|part| part == word)
            })
        })
    }

    #[tokio::test]
    async fn a_process_ends_with_its_code_and_without_our_environment() {
        let cancel = CancellationToken::new();
        let minute = Duration::from_secs(60);
        let ended = watched(shell("exit 3"), minute, GRACE, &cancel)
            .await
            .unwrap();
        assert_eq!(ended, Ended::Exited(Some(3)));
        let script = "test -z \"$CARGO_PKG_NAME$HOME\" && test -n \"$PATH\"";
        let ended = watched(shell(script), minute, GRACE, &cancel)
            .await
            .unwrap();
        assert_eq!(ended, Ended::Exited(Some(0)));
        assert!(
            watched(Command::new("/nowhere"), minute, GRACE, &cancel)
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_tree_ends_whole_when_its_time_is_up() {
        // A child that ignores the polite signal, and one in a session of its own whose parent is gone.
        let script = "trap '' TERM; (setsid sleep 98761 &) ; sleep 98762 & sleep 98763";
        let cancel = CancellationToken::new();
        let ending = tokio::spawn(async move {
            let limit = Duration::from_millis(300);
            watched(shell(script), limit, Duration::from_secs(1), &cancel)
                .await
                .unwrap()
        });
        assert_eq!(ending.await.unwrap(), Ended::TimedOut);
        for word in ["98761", "98762", "98763"] {
            assert!(!lives(word), "{word}");
        }
    }

    #[tokio::test]
    async fn what_a_process_leaves_behind_ends_with_it() {
        let cancel = CancellationToken::new();
        let script = "(setsid sleep 98764 >/dev/null 2>&1 &); exit 0";
        let ended = watched(shell(script), Duration::from_secs(60), GRACE, &cancel)
            .await
            .unwrap();
        assert_eq!(ended, Ended::Exited(Some(0)));
        assert!(!lives("98764"));
    }

    #[tokio::test]
    async fn what_nobody_wants_any_more_ends_at_once() {
        let cancel = CancellationToken::new();
        cancel.cancel();
        let ended = watched(
            shell("sleep 98765"),
            Duration::from_secs(60),
            GRACE,
            &cancel,
        )
        .await
        .unwrap();
        assert_eq!(ended, Ended::Cancelled);
        assert!(!lives("98765"));
    }
}
