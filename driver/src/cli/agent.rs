//! `powervm network agent`

use std::io::BufRead as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Notify;

use super::arguments::AgentArguments;
use super::output::Output;
use crate::error::{Error, ErrorKind, Result};
use crate::operations::{
    AgentOptions, AgentRound, Control, Driver, NoPorts, PortSource, WantedPort,
};

/// The most that is read of a list of ports, in bytes.
const MOST: u64 = 16 << 20;

/// Works until it is interrupted or told to end, and prints a line for each round that everything was looked at in,
/// that changed something or that found something new.
pub(super) async fn run(
    driver: &Driver,
    asked: &AgentArguments,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let ports: Arc<dyn PortSource> = match &asked.ports {
        None => Arc::new(NoPorts),
        Some(path) if path.as_os_str() == "-" => Arc::new(Lines::of_stdin()),
        Some(path) => Arc::new(PortFile(path.clone())),
    };
    let options = AgentOptions {
        bridges: asked.bridge_mappings.clone(),
        interval: Duration::from_secs(asked.interval),
        prunes: !asked.no_prune,
        prune_limit: asked.prune_limit,
        ..AgentOptions::default()
    };
    let mut agent = driver.network_agent(ports, options);
    if asked.once || control.is_dry_run() {
        return output.line(&agent.once(control).await?, in_words);
    }
    let mut known = Default::default();
    agent
        .run(control, move |round| {
            if round.heals || round.changed() || round.problems != known {
                // Nobody may listen any more: the agent goes on.
                let _ = output.line(round, in_words);
            }
            known.clone_from(&round.problems);
        })
        .await
}

fn in_words(round: &AgentRound) -> String {
    let mut words = vec![if round.heals { "all" } else { "events" }.to_owned()];
    for bridge in &round.bridges {
        let networks: Vec<&str> = bridge.networks.iter().map(String::as_str).collect();
        let numbers = |vlans: &std::collections::BTreeSet<u16>| {
            let numbers: Vec<String> = vlans.iter().map(ToString::to_string).collect();
            numbers.join(" ")
        };
        words.push(format!(
            "{}: {} VLANs wanted",
            networks.join(","),
            bridge.wanted.len()
        ));
        for (what, vlans) in [("bridged", &bridge.provisioned), ("pruned", &bridge.pruned)] {
            if !vlans.is_empty() {
                words.push(format!("{what} {}", numbers(vlans)));
            }
        }
    }
    if round.swept > 0 {
        words.push(format!("removed {} trunk adapters", round.swept));
    }
    words.extend(
        round
            .problems
            .iter()
            .map(|problem| format!("problem: {problem}")),
    );
    words.join("; ")
}

/// A file that somebody else writes.
struct PortFile(PathBuf);

impl PortSource for PortFile {
    fn ports(&self) -> BoxFuture<'_, Result<Vec<WantedPort>>> {
        Box::pin(async move {
            let unreadable = |error: std::io::Error| {
                let what = format!("{} cannot be read: {error}", self.0.display());
                Error::caused(
                    ErrorKind::Local,
                    what,
                    "name a file with a list of ports",
                    error,
                )
            };
            let file = tokio::fs::File::open(&self.0).await.map_err(unreadable)?;
            let mut text = String::new();
            let read = file.take(MOST + 1).read_to_string(&mut text).await;
            if read.map_err(unreadable)? as u64 > MOST {
                return Err(Error::invalid(
                    format!("{} has more than {MOST} bytes", self.0.display()),
                    "name a file with a list of ports",
                ));
            }
            WantedPort::read_all(&text)
        })
    }
}

/// Lists of ports, one a line: the last one counts.
struct Lines {
    known: Arc<Known>,
}

#[derive(Default)]
struct Known {
    ports: Mutex<Option<Vec<WantedPort>>>,
    first: Notify,
    changed: Notify,
}

impl Known {
    fn ports(&self) -> Option<Vec<WantedPort>> {
        let ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.clone()
    }

    fn learn(&self, line: &str) {
        match WantedPort::read_all(line) {
            Ok(ports) => {
                let known = &mut *self.ports.lock().unwrap_or_else(PoisonError::into_inner);
                let is_first = known.replace(ports).is_none();
                if is_first {
                    self.first.notify_one();
                } else {
                    self.changed.notify_one();
                }
            }
            Err(error) => tracing::error!(%error, "a line with ports is left out"),
        }
    }
}

impl Lines {
    fn of_stdin() -> Self {
        let known = Arc::new(Known::default());
        let learning = Arc::clone(&known);
        // A thread of its own: a runtime would wait for the end of the input before it ends.
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            loop {
                let mut line = String::new();
                match std::io::Read::take(&mut input, MOST).read_line(&mut line) {
                    Ok(0) => break,
                    Ok(_) if line.trim().is_empty() => {}
                    Ok(_) => learning.learn(&line),
                    Err(error) => {
                        tracing::error!(%error, "no more ports are read");
                        break;
                    }
                }
            }
        });
        Self { known }
    }
}

impl PortSource for Lines {
    fn ports(&self) -> BoxFuture<'_, Result<Vec<WantedPort>>> {
        Box::pin(async move {
            loop {
                if let Some(ports) = self.known.ports() {
                    return Ok(ports);
                }
                self.known.first.notified().await;
            }
        })
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.known.changed.notified())
    }
}
