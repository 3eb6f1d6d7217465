//! The VLANs of network bridges: shown, seen to, and pruned.

mod change;
mod mapping;
mod provision;
mod prune;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::OwnedMutexGuard;

pub(super) use change::BridgeChange;
pub use mapping::{BridgeMap, BridgeRef};
pub(super) use prune::ClientAdapter;
pub use prune::{Prune, Pruned};

use super::driver::Driver;
use crate::error::Result;
use crate::host::{Switches, Vios};
use crate::network::bridge::Bridge;
use crate::rest::Groups;

/// Bridges of a switch take VLANs from each other, so they change one at a time.
const TURN: &str = "network bridges";

/// VLANs that operations of this process wait to have bridged, by bridge: whoever is next sees to all of them.
#[derive(Default)]
pub(super) struct Orders(Mutex<BTreeMap<String, BTreeSet<u16>>>);

impl Orders {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<u16>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A network bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BridgeInfo {
    /// Its UUID.
    pub id: String,
    /// Name of its virtual switch.
    pub switch: Option<String>,
    /// The VLAN of untagged frames.
    pub port_vlan: u16,
    /// All VLANs that it carries.
    pub vlans: BTreeSet<u16>,
    /// The VLAN over which its adapters agree who bridges; no network can have it.
    pub control_channel: Option<u16>,
    /// Whether both adapters carry traffic at the same time.
    pub load_balancing: bool,
    /// Whether one adapter stands in for the other.
    pub failover: bool,
    /// Its load groups, the primary one first.
    pub groups: Vec<GroupInfo>,
    /// Its shared Ethernet adapters.
    pub adapters: Vec<MemberInfo>,
}

/// A load group: trunk adapters with the same VLANs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupInfo {
    /// Of the primary group the bridge's; else a placeholder, which no network can have.
    pub port_vlan: u16,
    /// Its tagged VLANs, at most 20.
    pub vlans: BTreeSet<u16>,
}

/// A shared Ethernet adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberInfo {
    /// Name of its Virtual I/O Server.
    pub virtual_io_server: String,
    /// `ent5` …
    pub device: String,
    /// Whether traffic runs through it while both are well.
    pub primary: bool,
}

impl Driver {
    /// The network bridges of the host.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn bridges(&self) -> Result<Vec<BridgeInfo>> {
        let (bridges, names) = futures_util::try_join!(self.read_bridges(), self.names())?;
        Ok(bridges.iter().map(|bridge| names.told(bridge)).collect())
    }

    async fn names(&self) -> Result<Names> {
        let (switches, vioses) = futures_util::try_join!(self.switches(), self.vioses())?;
        Ok(Names { switches, vioses })
    }

    pub(in crate::operations) async fn read_bridges(&self) -> Result<Vec<Bridge>> {
        let path = format!("ManagedSystem/{}/NetworkBridge", self.shared.system.uuid);
        let feed = self.session().get_feed(&path, Groups::None).await?;
        Ok(feed.entries.iter().filter_map(Bridge::read).collect())
    }

    async fn bridge_turn(&self) -> OwnedMutexGuard<()> {
        self.shared.networks.take(&TURN.to_owned()).await
    }

    fn bridge_path(&self, uuid: &str) -> String {
        format!(
            "ManagedSystem/{}/NetworkBridge/{uuid}",
            self.shared.system.uuid
        )
    }
}

/// What people call switches and servers; read before anything changes.
struct Names {
    switches: Arc<Switches>,
    vioses: Arc<Vec<Vios>>,
}

impl Names {
    fn switch_of(&self, bridge: &Bridge) -> Option<String> {
        let switch = self.switches.numbered(bridge.switch?)?;
        Some(switch.name.clone())
    }

    fn told(&self, bridge: &Bridge) -> BridgeInfo {
        let server = |uuid: &str| {
            let found = self
                .vioses
                .iter()
                .find(|vios| vios.uuid.eq_ignore_ascii_case(uuid));
            found.map_or_else(|| uuid.to_owned(), |vios| vios.name.clone())
        };
        let mut vlans = bridge.tagged();
        vlans.insert(bridge.port_vlan);
        BridgeInfo {
            id: bridge.uuid.clone(),
            switch: self.switch_of(bridge),
            port_vlan: bridge.port_vlan,
            vlans,
            control_channel: bridge.control_channel,
            load_balancing: bridge.load_balancing,
            failover: bridge.failover,
            groups: bridge
                .groups
                .iter()
                .map(|group| GroupInfo {
                    port_vlan: group.port_vlan,
                    vlans: group.tagged.clone(),
                })
                .collect(),
            adapters: bridge
                .members
                .iter()
                .map(|member| MemberInfo {
                    virtual_io_server: server(&member.vios),
                    device: member.device.clone(),
                    primary: member.is_primary,
                })
                .collect(),
        }
    }
}
