//! The network agent of a host: the VLANs that servers need are bridged, those that nobody needs go after a while, and
//! SR-IOV ports are watched.
//!
//! It keeps nothing and has no journal: each round looks at what is there and does what is missing, so that one that was
//! killed goes on with its next start.

mod due;
mod ports;
mod round;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::due::Due;
pub use self::ports::{NoPorts, PortSource, WantedPort};
use super::bridge::BridgeMap;
use super::control::Control;
use super::driver::Driver;
use crate::error::{Error, ErrorKind, Result};
use crate::rest::Notice;

/// The longest pause after rounds that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How the agent works. Names and defaults are those that operators of Neutron's agents for PowerVM know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentOptions {
    /// Which bridge is on which physical network: `bridge_mappings`.
    pub bridges: BridgeMap,
    /// Between two looks at everything: `heal_and_optimize_interval`.
    pub interval: Duration,
    /// Pause after a round that failed, `exception_interval`; doubled with each that follows, up to five minutes.
    pub pause: Duration,
    /// Whether VLANs that nobody needs go: `automated_powervm_vlan_cleanup`.
    pub prunes: bool,
    /// How many VLANs go from a bridge at a time.
    pub prune_limit: usize,
}

impl Default for AgentOptions {
    fn default() -> Self {
        Self {
            bridges: BridgeMap::default(),
            interval: Duration::from_secs(1800),
            pause: Duration::from_secs(5),
            prunes: true,
            prune_limit: 3,
        }
    }
}

/// What one round did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AgentRound {
    /// Whether everything was looked at, and not only what events were about.
    pub heals: bool,
    /// The bridges of the physical networks.
    pub bridges: Vec<AgentBridge>,
    /// Trunk adapters to Open vSwitch that nobody needed, and that are gone.
    pub swept: usize,
    /// What is not as it should be, in words: VLANs that could not be bridged, SR-IOV ports that are not well.
    pub problems: BTreeSet<String>,
}

impl AgentRound {
    /// Whether it changed something.
    #[must_use]
    pub fn changed(&self) -> bool {
        let has_changed =
            |bridge: &AgentBridge| !(bridge.provisioned.is_empty() && bridge.pruned.is_empty());
        self.swept > 0 || self.bridges.iter().any(has_changed)
    }
}

/// What became of a bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentBridge {
    /// UUID of the bridge.
    pub bridge: String,
    /// The physical networks that it is on.
    pub networks: BTreeSet<String>,
    /// VLANs that servers need of it, as far as they were looked at.
    pub wanted: BTreeSet<u16>,
    /// VLANs that it carries since this round.
    pub provisioned: BTreeSet<u16>,
    /// VLANs that it does not carry any more.
    pub pruned: BTreeSet<u16>,
}

/// The agent of a host.
pub struct NetworkAgent {
    driver: Driver,
    ports: Arc<dyn PortSource>,
    options: AgentOptions,
    problems: BTreeSet<String>,
    has_swept: bool,
}

impl Driver {
    /// The agent of this host, with the ports of `ports` besides those of the adapters that are there.
    #[must_use]
    pub fn network_agent(&self, ports: Arc<dyn PortSource>, options: AgentOptions) -> NetworkAgent {
        NetworkAgent {
            driver: self.clone(),
            ports,
            options,
            problems: BTreeSet::new(),
            has_swept: false,
        }
    }
}

impl NetworkAgent {
    /// Looks at everything, now and after each interval, and at what events are about, until it is cancelled. `told`
    /// hears of each round.
    ///
    /// A round that fails is repeated; what it began is taken back.
    ///
    /// # Errors
    /// The session is lost, or the user lacks the authority.
    pub async fn run(
        mut self,
        control: &Control,
        mut told: impl FnMut(&AgentRound) + Send,
    ) -> Result<()> {
        let mut events = self.driver.session().events();
        let mut due = Due::at_once();
        let mut pause = self.options.pause;
        loop {
            let ports = Arc::clone(&self.ports);
            tokio::select! {
                biased;
                () = control.token().cancelled() => return Ok(()),
                () = tokio::time::sleep_until(due.at()) => {
                    let scope = due.take(self.options.interval);
                    let round = match self.round(&scope, control).await {
                        Ok(round) => {
                            pause = self.options.pause;
                            round
                        }
                        Err(_) if control.token().is_cancelled() => return Ok(()),
                        Err(error) if is_final(&error) => return Err(error),
                        Err(error) => {
                            due.again(&scope, pause);
                            pause = (pause * 2).min(LONGEST_PAUSE);
                            self.failed(&error)
                        }
                    };
                    ports.done(&round).await;
                    told(&round);
                }
                () = ports.changed() => due.all_soon(),
                notice = events.next() => match notice {
                    Some(Notice::Event(event)) => due.take_note(&event),
                    Some(Notice::Resync) => due.all_soon(),
                    None => return Err(lost()),
                },
            }
        }
    }

    /// Looks at everything once.
    ///
    /// # Errors
    /// Those of the requests; what could not be done for one bridge stands in the round.
    pub async fn once(&mut self, control: &Control) -> Result<AgentRound> {
        let round = self.round(&due::Scope::Heal, control).await?;
        self.ports.done(&round).await;
        Ok(round)
    }

    fn failed(&mut self, error: &Error) -> AgentRound {
        tracing::warn!(%error, "a round of the network agent failed; trying again");
        AgentRound {
            problems: [error.to_string()].into(),
            ..AgentRound::default()
        }
    }

    /// Logs what is new, and what is over.
    fn compare(&mut self, problems: &BTreeSet<String>) {
        for problem in problems.difference(&self.problems) {
            tracing::warn!("{problem}");
        }
        for problem in self.problems.difference(problems) {
            tracing::info!("over: {problem}");
        }
        self.problems.clone_from(problems);
    }
}

/// Repeating it would only lock the account.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::Forbidden)
}

fn lost() -> Error {
    Error::operation(
        ErrorKind::Unauthorized,
        "the session is lost, so nothing is heard of the host any more",
        "check the credentials, and start the agent again",
    )
}
