//! Network bridges: which VLANs a shared Ethernet adapter, or two that stand in for each other, carry.
//!
//! `docs/protocol/network.md` tells what a bridge is made of and who has to be told what.

mod moves;
mod plan;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::atom::Entry;
use powervm_schema::network::NetworkBridge;
use powervm_schema::xml::Element;

pub(crate) use moves::{Edit, Move, after};
pub(crate) use plan::{Refused, Surroundings, ensure, prune};
pub(crate) use write::{write, write_groups};

/// The most tagged VLANs of a group.
pub(crate) const TAGGED: usize = 20;
/// The most groups: the primary one and fifteen others.
pub(crate) const GROUPS: usize = 16;

/// A bridge as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bridge {
    /// Its UUID.
    pub(crate) uuid: String,
    /// Number of its switch.
    pub(crate) switch: Option<u32>,
    /// The VLAN of untagged frames.
    pub(crate) port_vlan: u16,
    /// The VLAN over which its adapters agree who bridges.
    pub(crate) control_channel: Option<u16>,
    /// Whether both of its adapters carry traffic at the same time.
    pub(crate) load_balancing: bool,
    /// Whether one adapter stands in for the other.
    pub(crate) failover: bool,
    /// Its VLANs.
    pub(crate) groups: Vec<Group>,
    /// Its shared Ethernet adapters.
    pub(crate) members: Vec<Member>,
}

/// Trunk adapters that carry the same VLANs, one of each member: a load group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Of the primary group the bridge's, else a placeholder.
    pub(crate) port_vlan: u16,
    /// The VLANs.
    pub(crate) tagged: BTreeSet<u16>,
}

/// A shared Ethernet adapter of a bridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// UUID of its Virtual I/O Server.
    pub(crate) vios: String,
    /// `ent5` …
    pub(crate) device: String,
    /// Whether traffic runs through it while both are well.
    pub(crate) is_primary: bool,
}

impl Bridge {
    /// Reads a bridge; none without a port VLAN.
    pub(crate) fn read(entry: &Entry) -> Option<Self> {
        let bridge = NetworkBridge(&entry.content);
        let port_vlan = bridge.port_vlan().ok().flatten()?;
        let trunks = bridge
            .shared_ethernet_adapters()
            .flat_map(|adapter| adapter.trunk_adapters().collect::<Vec<_>>());
        let switch = trunks
            .filter_map(|trunk| trunk.virtual_switch_id().ok().flatten())
            .next();
        let by_udid = || bridge.udid().and_then(|udid| udid.trim().parse().ok());
        let members = bridge.shared_ethernet_adapters().map(|adapter| Member {
            vios: last(adapter.virtual_io_server().unwrap_or_default()).to_owned(),
            device: adapter.device_name().unwrap_or_default().to_owned(),
            is_primary: adapter.is_primary().ok().flatten().unwrap_or(false),
        });
        Some(Self {
            uuid: entry.id.clone(),
            switch: switch.or_else(by_udid),
            port_vlan,
            control_channel: bridge.control_channel_id().ok().flatten(),
            load_balancing: bridge.load_balancing().ok().flatten().unwrap_or(false),
            failover: bridge.failover().ok().flatten().unwrap_or(false),
            groups: groups(&entry.content, port_vlan),
            members: members.collect(),
        })
    }

    /// Whether frames of the VLAN get through.
    pub(crate) fn carries(&self, vlan: u16) -> bool {
        vlan == self.port_vlan || self.groups.iter().any(|group| group.tagged.contains(&vlan))
    }

    /// The tagged VLANs.
    pub(crate) fn tagged(&self) -> BTreeSet<u16> {
        let groups = self.groups.iter();
        groups
            .flat_map(|group| group.tagged.iter().copied())
            .collect()
    }

    /// Every VLAN number that means something on it, placeholders included.
    fn numbers(&self) -> BTreeSet<u16> {
        let mut all = self.tagged();
        all.extend(self.groups.iter().map(|group| group.port_vlan));
        all.insert(self.port_vlan);
        all.extend(self.control_channel);
        all
    }

    /// The groups beside the primary one.
    fn others(&self) -> impl Iterator<Item = &Group> {
        self.groups
            .iter()
            .filter(|group| group.port_vlan != self.port_vlan)
    }
}

/// The groups of a bridge, the primary one first; trunk adapters of either member count.
pub(crate) fn groups(document: &Element, port_vlan: u16) -> Vec<Group> {
    let mut groups: BTreeMap<u16, BTreeSet<u16>> = BTreeMap::new();
    for adapter in NetworkBridge(document).shared_ethernet_adapters() {
        for trunk in adapter.trunk_adapters() {
            if let Some(vlan) = trunk.port_vlan().ok().flatten() {
                let tagged = trunk.tagged_vlan_ids().unwrap_or_default();
                groups.entry(vlan).or_default().extend(tagged);
            }
        }
    }
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|(port_vlan, tagged)| Group { port_vlan, tagged })
        .collect();
    groups.sort_by_key(|group| group.port_vlan != port_vlan);
    groups
}

/// The UUID that an href ends with.
pub(crate) fn last(href: &str) -> &str {
    let path = href.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}
