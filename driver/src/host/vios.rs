//! The Virtual I/O Servers of a host, and whether they can work.

use std::time::Duration;

use powervm_schema::atom::Entry;
use powervm_schema::partition::{PartitionState, RmcState};
use powervm_schema::vios::VirtualIoServer;
use powervm_schema::xml::Element;
use serde::Serialize;
use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::rest::{Groups, Session};
use crate::volume::Wwpn;

/// A Virtual I/O Server as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Vios {
    /// UUID, as the server writes it.
    pub uuid: String,
    /// Name.
    pub name: String,
    /// Its partition number.
    pub id: Option<u32>,
    /// State of its partition.
    pub state: String,
    /// State of its RMC connection.
    pub rmc: String,
    /// Whether it is the management partition, which needs no RMC.
    pub is_management: bool,
    /// Whether it can work: it runs, and can be reached.
    pub is_active: bool,
    /// Seconds since it booted; absent reads as just now.
    #[serde(skip)]
    pub uptime: u64,
    /// Its Fibre Channel ports.
    #[serde(skip)]
    pub ports: Vec<FcPort>,
    /// Whether it can serve virtual NICs, and several backing devices of one.
    #[serde(skip)]
    pub vnic: VnicAbility,
}

/// A physical Fibre Channel port of a Virtual I/O Server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FcPort {
    /// `fcs0` …
    pub name: String,
    /// Its port name.
    pub wwpn: Wwpn,
    /// How many virtual ports it can still lend.
    pub available: u32,
    /// How many it can lend in all; 0 for a port that cannot be virtualised.
    pub total: u32,
}

/// What a Virtual I/O Server can do for virtual NICs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VnicAbility {
    /// It can serve them.
    pub serves: bool,
    /// It can stand in for another backing device.
    pub fails_over: bool,
}

/// How often a server that is not ready is looked at.
const POLL: Duration = Duration::from_secs(5);
/// How long to wait for a server that has been up for a while.
const SHORT_WAIT: Duration = Duration::from_secs(120);
/// How long to wait for one that booted within the last hour.
const LONG_WAIT: Duration = Duration::from_secs(600);
/// Uptime up to which a server counts as still booting.
const BOOTING: u64 = 3600;

impl Vios {
    /// All Virtual I/O Servers of a system.
    ///
    /// # Errors
    /// Those of the request.
    pub async fn all(session: &Session, system: &str) -> Result<Vec<Self>> {
        let feed = session
            .get_feed(
                &format!("ManagedSystem/{system}/VirtualIOServer"),
                Groups::None,
            )
            .await?;
        Ok(feed.entries.iter().map(Self::read).collect())
    }

    /// As its entry says, with whatever groups.
    pub(crate) fn read(entry: &Entry) -> Self {
        Self::of(&entry.id, &entry.content)
    }

    fn of(uuid: &str, document: &Element) -> Self {
        let vios = VirtualIoServer(document);
        let partition = vios.partition();
        let state = partition
            .state()
            .ok()
            .flatten()
            .unwrap_or(PartitionState::Unknown);
        let rmc = partition
            .rmc_state()
            .ok()
            .flatten()
            .unwrap_or(RmcState::Unknown);
        let is_management = partition
            .is_management_partition()
            .ok()
            .flatten()
            .unwrap_or(false);
        let is_running = state == PartitionState::Running;
        let is_reachable = is_management || matches!(rmc, RmcState::Active | RmcState::Busy);
        Self {
            uuid: uuid.to_owned(),
            name: partition.name().unwrap_or_default().to_owned(),
            id: partition.id().ok().flatten(),
            state: state.to_string(),
            rmc: rmc.to_string(),
            is_management,
            is_active: is_running && is_reachable,
            uptime: partition.uptime().ok().flatten().unwrap_or(0),
            ports: ports_of(&vios),
            vnic: VnicAbility {
                serves: vios.is_vnic_capable().ok().flatten().unwrap_or(false),
                fails_over: vios.vnic_failover_capable().ok().flatten().unwrap_or(false),
            },
        }
    }

    /// Whether it runs but cannot be reached yet.
    fn is_coming(&self) -> bool {
        !self.is_active && self.state == PartitionState::Running.as_str()
    }

    /// Its name and why it cannot be reached: `vios2 is running with RMC inactive`.
    pub(crate) fn described(&self) -> String {
        format!("{} is {} with RMC {}", self.name, self.state, self.rmc)
    }

    /// Path of this server.
    pub(crate) fn path(&self) -> String {
        format!("VirtualIOServer/{}", self.uuid)
    }
}

/// The ports of the adapters in the server's slots. What cannot be read is no port.
fn ports_of(vios: &VirtualIoServer<&Element>) -> Vec<FcPort> {
    let mut found = Vec::new();
    let io = vios.partition().io();
    for slot in io.iter().flat_map(|io| io.slots()) {
        let adapter = slot
            .slot()
            .and_then(|slot| slot.related_io_adapter()?.fibre_channel_adapter());
        for port in adapter.iter().flat_map(|adapter| adapter.ports()) {
            let wwpn = port.wwpn().and_then(|wwpn| wwpn.parse().ok());
            if let (Some(name), Some(wwpn)) = (port.port_name(), wwpn) {
                found.push(FcPort {
                    name: name.to_owned(),
                    wwpn,
                    available: port.available_ports().ok().flatten().unwrap_or(0),
                    total: port.total_ports().ok().flatten().unwrap_or(0),
                });
            }
        }
    }
    found
}

/// Waits until every Virtual I/O Server that runs can be reached, all of them and not just the first.
///
/// `limit` of zero waits 120 s, and 600 s when one of them booted within the last hour. When the
/// time is over, those that can be reached have to do.
///
/// # Errors
/// None can be reached.
pub async fn wait_until_ready(
    session: &Session,
    system: &str,
    limit: Duration,
) -> Result<Vec<Vios>> {
    let start = Instant::now();
    loop {
        let all = Vios::all(session, system).await?;
        let coming: Vec<&Vios> = all.iter().filter(|vios| vios.is_coming()).collect();
        let patience = match limit {
            Duration::ZERO if coming.iter().any(|vios| vios.uptime <= BOOTING) => LONG_WAIT,
            Duration::ZERO => SHORT_WAIT,
            limit => limit,
        };
        if coming.is_empty() || start.elapsed() >= patience {
            for vios in &coming {
                tracing::warn!(
                    vios = vios.name,
                    rmc = vios.rmc,
                    "the Virtual I/O Server cannot be reached; going on without it"
                );
            }
            return if all.iter().any(|vios| vios.is_active) {
                Ok(all)
            } else {
                Err(none_active(&all))
            };
        }
        tracing::info!(
            waiting_for = coming.len(),
            "waiting for the RMC connections of Virtual I/O Servers"
        );
        tokio::time::sleep(POLL).await;
    }
}

/// That a Virtual I/O Server can be reached, by its document with any groups: one that cannot does not tell what it
/// serves, however empty its lists are.
///
/// # Errors
/// It cannot; [`ErrorKind::Precondition`], to be repeated when it can.
pub(crate) fn check_reach(document: &Element) -> Result<()> {
    let vios = Vios::of("", document);
    if vios.is_active {
        return Ok(());
    }
    Err(out_of_reach(&[&vios], "what it serves cannot be seen"))
}

/// That these Virtual I/O Servers cannot be reached, and what that is an obstacle to.
pub(crate) fn out_of_reach(away: &[&Vios], so: &str) -> Error {
    let states: Vec<String> = away.iter().map(|vios| vios.described()).collect();
    Error::operation(
        ErrorKind::Precondition,
        format!("{}: {so}", states.join(", ")),
        "see that it runs and that its RMC connection becomes active, then repeat this",
    )
}

/// The active ones among these.
///
/// # Errors
/// There are none.
pub fn active(all: &[Vios]) -> Result<Vec<Vios>> {
    let active: Vec<Vios> = all.iter().filter(|vios| vios.is_active).cloned().collect();
    if active.is_empty() {
        Err(none_active(all))
    } else {
        Ok(active)
    }
}

fn none_active(all: &[Vios]) -> Error {
    let states: Vec<String> = all.iter().map(Vios::described).collect();
    let states = if states.is_empty() {
        "there is none".to_owned()
    } else {
        states.join(", ")
    };
    Error::operation(
        ErrorKind::Precondition,
        format!("no Virtual I/O Server can work: {states}"),
        "start one and see that its RMC connection becomes active",
    )
}

#[cfg(test)]
pub(crate) mod samples {
    //! Virtual I/O Servers for tests.

    use super::{FcPort, Vios, VnicAbility};
    use crate::volume::Wwpn;

    /// The port name with this number.
    pub(crate) fn wwpn(number: u64) -> Wwpn {
        format!("{number:016x}").parse().unwrap()
    }

    /// One that works, with ports by number and by how many virtual ones each can still lend.
    pub(crate) fn vios(id: u32, ports: &[(u64, u32)]) -> Vios {
        let port = |(number, available): &(u64, u32)| FcPort {
            name: format!("fcs{number}"),
            wwpn: wwpn(*number),
            available: *available,
            total: 64,
        };
        Vios {
            uuid: format!("V{id}"),
            name: format!("vios{id}"),
            id: Some(id),
            state: "running".to_owned(),
            rmc: "active".to_owned(),
            is_management: false,
            is_active: true,
            uptime: 0,
            ports: ports.iter().map(port).collect(),
            vnic: VnicAbility::default(),
        }
    }
}
