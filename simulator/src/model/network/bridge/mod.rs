//! Network bridges: shared Ethernet adapters of one or two Virtual I/O Servers that carry the same VLANs of a virtual
//! switch (`docs/protocol/network.md`).

mod change;
mod create;
mod member;
mod update;
mod wish;

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::NetworkAdapter;
use crate::model::names::HighAvailability;
use crate::model::vios::VirtualIoServer;
use crate::model::world::World;

/// The most trunk adapters of a shared Ethernet adapter, the primary one included.
pub const TRUNKS: usize = 16;

/// `NetworkBridge`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct NetworkBridge {
    /// Its UUID.
    pub uuid: Uuid,
    /// The UUID of the switch.
    pub switch: Uuid,
    /// The number of the switch, also `UniqueDeviceID`.
    pub switch_id: u16,
    /// `PortVLANID`: that of the primary trunk adapters.
    pub vlan: u16,
    /// `FailoverEnabled`
    pub failover: bool,
    /// `LoadBalancingEnabled`
    pub load_balancing: bool,
    /// `ControlChannelID`: the VLAN over which two shared Ethernet adapters agree on who bridges.
    pub control_channel: Option<u16>,
    /// Changes with what is the bridge's own; adapters and networks have versions themselves.
    pub version: u64,
}

impl NetworkBridge {
    /// `HighAvailabilityMode` of its shared Ethernet adapters.
    #[must_use]
    pub const fn availability(&self) -> HighAvailability {
        match (self.failover, self.load_balancing) {
            (false, false) => HighAvailability::Disabled,
            (true, false) => HighAvailability::Failover,
            (_, true) => HighAvailability::LoadSharing,
        }
    }
}

/// `SharedEthernetAdapter`: bridges the trunk adapters of one Virtual I/O Server to a physical port.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedEthernetAdapter {
    /// The UUID of its bridge.
    pub bridge: Uuid,
    /// `IsPrimary`: of a bridge's two, the one that traffic runs through.
    pub primary: bool,
    /// `DeviceName`, such as `ent6`.
    pub device: String,
    /// `UniqueDeviceID`, prefix `10`.
    pub udid: String,
    /// The device name of the physical port, such as `ent0`.
    pub backing_device: String,
    /// The location code of the physical port.
    pub backing_location: String,
    /// The trunk adapters, the primary one first; they are network adapters of the same Virtual I/O Server.
    pub trunks: Vec<Uuid>,
    /// Its end of the control channel.
    pub control_channel: Option<ControlChannel>,
    /// What clients set and read back.
    pub settings: SharedEthernetSettings,
}

/// A shared Ethernet adapter's end of a control channel.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ControlChannel {
    /// A network adapter of the same Virtual I/O Server, no trunk.
    pub adapter: Uuid,
    /// `ControlChannelInterfaceName`, such as `ent7`.
    pub device: String,
}

/// What clients set on a shared Ethernet adapter and read back.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SharedEthernetSettings {
    /// `JumboFramesEnabled`
    pub jumbo_frames: bool,
    /// `QueueSize`
    pub queue_size: u32,
    /// `ThreadModeEnabled`
    pub thread_mode: bool,
    /// `LargeSend`
    pub large_send: bool,
    /// `QualityOfServiceMode`
    pub quality_of_service: String,
    /// `AddressToPing`
    pub address_to_ping: Option<String>,
}

impl Default for SharedEthernetSettings {
    fn default() -> Self {
        Self {
            jumbo_frames: false,
            queue_size: 8192,
            thread_mode: true,
            large_send: true,
            quality_of_service: "disabled".to_owned(),
            address_to_ping: None,
        }
    }
}

/// A member of a bridge with its Virtual I/O Server.
#[derive(Clone, Copy, Debug)]
pub struct BridgeMember<'w> {
    /// The Virtual I/O Server.
    pub vios: &'w VirtualIoServer,
    /// Its shared Ethernet adapter.
    pub adapter: &'w SharedEthernetAdapter,
}

impl<'w> BridgeMember<'w> {
    /// Its trunk adapters, the primary one first.
    pub fn trunks(self) -> impl Iterator<Item = &'w Arc<NetworkAdapter>> {
        let adapters = &self.vios.partition.network_adapters;
        self.adapter
            .trunks
            .iter()
            .filter_map(move |uuid| adapters.get(uuid))
    }
}

/// `LoadGroup`: the trunk adapters of a bridge that carry the same VLANs, one of each member.
#[derive(Clone, Debug)]
pub struct LoadGroup<'w> {
    /// The trunk adapters, each with its owner.
    pub trunks: Vec<(&'w VirtualIoServer, &'w NetworkAdapter)>,
    /// `PortVLANID`
    pub vlan: u16,
    /// The tagged VLANs.
    pub tagged_vlans: &'w [u16],
}

impl World {
    /// The members of a bridge, the primary one first.
    #[must_use]
    pub fn bridge_members(&self, system: Uuid, bridge: Uuid) -> Vec<BridgeMember<'_>> {
        let mut members: Vec<BridgeMember<'_>> = self
            .vioses_of(system)
            .flat_map(|vios| {
                let own = vios
                    .shared_ethernet
                    .iter()
                    .filter(move |sea| sea.bridge == bridge);
                own.map(move |adapter| BridgeMember { vios, adapter })
            })
            .collect();
        members.sort_by_key(|member| (!member.adapter.primary, member.vios.partition.id));
        members
    }

    /// The load groups of a bridge, the primary one first. They show the trunk adapters and have no life of their own.
    #[must_use]
    pub fn load_groups(&self, system: Uuid, bridge: Uuid) -> Vec<LoadGroup<'_>> {
        let members = self.bridge_members(system, bridge);
        let Some(first) = members.first() else {
            return Vec::new();
        };
        let peers = |vlan: u16| {
            members.iter().flat_map(move |member| {
                let same = member.trunks().filter(move |trunk| trunk.vlan == vlan);
                same.map(|trunk| (member.vios, &**trunk))
            })
        };
        first
            .trunks()
            .map(|trunk| LoadGroup {
                trunks: peers(trunk.vlan).collect(),
                vlan: trunk.vlan,
                tagged_vlans: &trunk.tagged_vlans,
            })
            .collect()
    }

    /// The virtual networks of a load group: those of its tagged VLANs, and in the primary group that of its port VLAN.
    /// The port VLAN of another group is a placeholder and not listed (recording `fake_network_bridge`).
    #[must_use]
    pub fn networks_of_group(
        &self,
        system: Uuid,
        bridge: &NetworkBridge,
        group: &LoadGroup<'_>,
    ) -> Vec<Uuid> {
        let mut vlans: BTreeSet<u16> = group.tagged_vlans.iter().copied().collect();
        if group.vlan == bridge.vlan {
            vlans.insert(group.vlan);
        }
        let networks = self
            .systems
            .get(&system)
            .into_iter()
            .flat_map(|system| system.networks.values());
        let mut found: Vec<(u16, Uuid)> = networks
            .filter(|network| network.switch == bridge.switch && vlans.contains(&network.vlan))
            .map(|network| (network.vlan, network.uuid))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, uuid)| uuid).collect()
    }

    /// The versions of everything that a bridge's document shows.
    pub(in crate::model) fn bridge_versions(
        &self,
        system: Uuid,
        bridge: &NetworkBridge,
    ) -> Vec<u64> {
        let mut versions = vec![bridge.version];
        let members = self.bridge_members(system, bridge.uuid);
        versions.extend(
            members
                .iter()
                .flat_map(|member| member.trunks())
                .map(|trunk| trunk.version),
        );
        let networks = self.systems.get(&system).map(|system| &system.networks);
        for group in self.load_groups(system, bridge.uuid) {
            let shown = self.networks_of_group(system, bridge, &group);
            let shown = shown
                .iter()
                .filter_map(|uuid| networks.and_then(|networks| networks.get(uuid)));
            versions.extend(shown.map(|network| network.version));
        }
        versions
    }

    /// The first free name `entN` of a Virtual I/O Server.
    pub(in crate::model) fn free_ethernet_device(vios: &VirtualIoServer) -> String {
        let used: BTreeSet<&str> = vios.ethernet_devices().collect();
        (0..=u32::MAX)
            .map(|number| format!("ent{number}"))
            .find(|name| !used.contains(name.as_str()))
            .unwrap_or_default()
    }
}

impl VirtualIoServer {
    /// The names of its Ethernet devices.
    pub fn ethernet_devices(&self) -> impl Iterator<Item = &str> {
        let ports = self.free_ports.iter().map(|(device, _)| device.as_str());
        let shared = self.shared_ethernet.iter().flat_map(|sea| {
            let channel = sea.control_channel.iter();
            [sea.device.as_str(), sea.backing_device.as_str()]
                .into_iter()
                .chain(channel.map(|channel| channel.device.as_str()))
        });
        let trunks = self.partition.network_adapters.values();
        let trunks = trunks.filter_map(|adapter| adapter.trunk.as_ref()?.device.as_deref());
        let logical = self.partition.logical_ports.values();
        let logical = logical.filter_map(|port| port.device.as_deref());
        ports.chain(shared).chain(trunks).chain(logical)
    }

    /// The shared Ethernet adapter that a network adapter belongs to, as trunk or control channel.
    #[must_use]
    pub fn bridging(&self, adapter: Uuid) -> Option<&SharedEthernetAdapter> {
        self.shared_ethernet.iter().find(|sea| {
            let channel = sea.control_channel.as_ref();
            sea.trunks.contains(&adapter)
                || channel.is_some_and(|channel| channel.adapter == adapter)
        })
    }
}
