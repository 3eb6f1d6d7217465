//! Network bridges, SR-IOV adapters and what partitions have of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use super::{InventoryError, SystemInventory, ViosInventory};
use crate::clock::Millis;
use crate::model::command::{
    BackingDeviceRequest, Command, CreateLogicalPort, CreateNetworkBridge, CreateVnic,
    SharedEthernetRequest, SlotChoice, TrunkRequest,
};
use crate::model::names::{
    SriovMode, SriovPersonality, SriovPortKind, SriovSpeed, SriovState, SwitchMode,
};
use crate::model::sriov::{Percent, SriovAdapter, SriovPort, SriovPortSettings};
use crate::model::{Owner, World};

/// The port that the shared Ethernet adapter of a Virtual I/O Server sits on.
const BRIDGED: &str = "ent0";
/// The placeholder VLAN of the trunk adapter that carries tagged VLANs.
const PLACEHOLDER: u16 = 4094;
/// What the slots of a system are numbered from.
pub(super) const FIRST_SLOT: u32 = 553_713_664;
/// The recorded adapter.
pub(super) const ADAPTER: &str = "PCIe2 4-port (10Gb FCoE & 1GbE) SR&RJ45 Adapter";

/// A shared Ethernet adapter on the default switch. Those of one system with the same port VLAN make one bridge.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkInventory {
    /// The VLAN of untagged frames.
    #[serde(default = "super::defaults::vlan")]
    pub vlan: u16,
    /// VLANs that it bridges tagged, at most 20.
    #[serde(default)]
    pub tagged_vlans: Vec<u16>,
    /// The priority of its trunk adapters; the lowest number bridges.
    pub priority: u8,
    /// The VLAN over which two shared Ethernet adapters of a bridge agree on who bridges; none without.
    #[serde(default)]
    pub control_channel: Option<u16>,
}

/// An SR-IOV adapter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SriovInventory {
    /// The number of its slot, 8 for `C8`.
    pub slot: u16,
    /// Whether it is shared (`Sriov`), or could be (`Dedicated`).
    #[serde(default = "shared")]
    pub shared: bool,
    /// Its ports in their order.
    pub ports: Vec<SriovPortInventory>,
}

/// A physical port of an SR-IOV adapter.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SriovPortInventory {
    /// Its kind.
    #[serde(default)]
    pub kind: SriovPortType,
    /// Whether it has a link.
    #[serde(default = "shared")]
    pub link: bool,
    /// Its label: the name of the physical network.
    #[serde(default)]
    pub label: String,
    /// The most logical ports on it; 20 on a converged port and 4 on another if nothing is said.
    #[serde(default)]
    pub logical_ports: Option<u16>,
}

/// What kind a physical port of an SR-IOV adapter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SriovPortType {
    /// 10 Gb/s Ethernet and Fibre Channel.
    #[default]
    Converged,
    /// 1 Gb/s Ethernet.
    Ethernet,
    /// 100 Gb/s Ethernet with remote direct memory access.
    Roce,
}

const fn shared() -> bool {
    true
}

impl SriovInventory {
    /// An adapter as recorded: two converged ports and two of Ethernet, one of these without a link.
    #[must_use]
    pub fn recorded(slot: u16) -> Self {
        let port = |kind, link| SriovPortInventory {
            kind,
            link,
            label: String::new(),
            logical_ports: None,
        };
        Self {
            slot,
            shared: true,
            ports: vec![
                port(SriovPortType::Converged, true),
                port(SriovPortType::Converged, true),
                port(SriovPortType::Ethernet, true),
                port(SriovPortType::Ethernet, false),
            ],
        }
    }
}

/// The SR-IOV adapters of a system; shared ones are numbered from 1.
pub(super) fn sriov_adapters(system: &SystemInventory) -> Vec<SriovAdapter> {
    let mut ids = 1..;
    let adapters = system.sriov.iter();
    adapters
        .map(|adapter| {
            let location = format!("U78CB.001.{}-P1-C{}", system.serial, adapter.slot);
            let ports = adapter.ports.iter().zip(0..);
            SriovAdapter {
                id: if adapter.shared { ids.next() } else { None },
                drc_index: FIRST_SLOT + u32::from(adapter.slot),
                description: ADAPTER.to_owned(),
                mode: if adapter.shared {
                    SriovMode::Sriov
                } else {
                    SriovMode::Dedicated
                },
                state: if adapter.shared {
                    SriovState::Running
                } else {
                    SriovState::NotConfigured
                },
                personality: SriovPersonality::MinCapacity,
                ports: ports
                    .map(|(port, id)| physical_port(port, id, &location))
                    .collect(),
                location,
            }
        })
        .collect()
}

fn physical_port(port: &SriovPortInventory, id: u16, adapter: &str) -> SriovPort {
    let (kind, speed, usual) = match port.kind {
        SriovPortType::Converged => (SriovPortKind::Converged, SriovSpeed::E10Gbps, 20),
        SriovPortType::Ethernet => (SriovPortKind::Ethernet, SriovSpeed::E1Gbps, 4),
        SriovPortType::Roce => (SriovPortKind::Roce, SriovSpeed::E100Gbps, 60),
    };
    let limit = port.logical_ports.unwrap_or(usual);
    SriovPort {
        id,
        kind,
        location: format!("{adapter}-T{}", id + 1),
        link: port.link,
        speed,
        limit,
        granularity: Percent::from_hundredths(200),
        settings: SriovPortSettings {
            label: port.label.clone(),
            sublabel: String::new(),
            jumbo_frames: false,
            flow_control: false,
            switch_mode: SwitchMode::Veb,
            maximum_ports: limit,
        },
    }
}

/// Makes the bridges of a system.
pub(super) fn bridge(
    world: &mut World,
    system: Uuid,
    inventory: &SystemInventory,
    then: Millis,
) -> Result<(), InventoryError> {
    let mut bridges: BTreeMap<u16, Vec<(&ViosInventory, &NetworkInventory)>> = BTreeMap::new();
    for vios in &inventory.vioses {
        if let Some(network) = &vios.network {
            bridges
                .entry(network.vlan)
                .or_default()
                .push((vios, network));
        }
    }
    for (vlan, mut members) in bridges {
        members.sort_by_key(|(_, network)| network.priority);
        let servers: Vec<(String, Uuid)> = world
            .vioses_of(system)
            .map(|vios| (vios.partition.name.clone(), vios.partition.uuid))
            .collect();
        let adapters = members.iter().enumerate().map(|(place, (vios, network))| {
            let server = servers.iter().find(|(name, _)| *name == vios.name);
            SharedEthernetRequest {
                vios: server.map(|(_, uuid)| *uuid),
                backing_device: Some(BRIDGED.to_owned()),
                primary: Some(place == 0),
                trunks: Some(trunks(network)),
                ..SharedEthernetRequest::default()
            }
        });
        let request = CreateNetworkBridge {
            system,
            vlan,
            failover: None,
            load_balancing: false,
            control_channel: members
                .first()
                .and_then(|(_, network)| network.control_channel),
            adapters: adapters.collect(),
        };
        world.apply(then, Command::CreateNetworkBridge(request))?;
    }
    Ok(())
}

fn trunks(network: &NetworkInventory) -> Vec<TrunkRequest> {
    let trunk = |vlan: u16, tagged: &[u16]| TrunkRequest {
        slot: SlotChoice::Next,
        mac: None,
        vlan,
        tagged_vlans: Some(tagged.to_vec()),
        tagged: None,
        required: Some(true),
        priority: Some(network.priority),
        switch: None,
        switch_id: None,
    };
    let mut trunks = vec![trunk(network.vlan, &[])];
    if !network.tagged_vlans.is_empty() {
        trunks.push(trunk(PLACEHOLDER, &network.tagged_vlans));
    }
    trunks
}

/// A virtual NIC with a backing device on each of up to two Virtual I/O Servers, and a logical port, on the first ports
/// that have a link.
pub(super) fn add_sriov(
    world: &mut World,
    system: Uuid,
    partition: Uuid,
    then: Millis,
) -> Result<(), InventoryError> {
    let Some(there) = world.systems.get(&system).map(Arc::clone) else {
        return Ok(());
    };
    let ports: Vec<(u16, u16)> = there
        .sriov_adapters
        .iter()
        .filter_map(|adapter| Some((adapter.id?, &adapter.ports)))
        .flat_map(|(adapter, ports)| {
            let linked = ports.iter().filter(|port| port.link);
            linked.map(move |port| (adapter, port.id))
        })
        .collect();
    let servers: Vec<Uuid> = world
        .vioses_of(system)
        .map(|vios| vios.partition.uuid)
        .collect();
    let Some((adapter, port)) = ports.first().copied() else {
        return Err(InventoryError::Inconsistent(format!(
            "system {} has no SR-IOV port with a link for its partitions",
            there.name
        )));
    };
    let backing = servers.iter().take(2).zip(ports.iter().cycle());
    let request = CreateVnic {
        partition,
        slot: SlotChoice::Next,
        mac: None,
        vlan: 0,
        vlan_priority: 0,
        allowed_vlans: None,
        allowed_os_macs: None,
        auto_failover: None,
        backing: backing
            .map(|(vios, (adapter, port))| BackingDeviceRequest {
                vios: *vios,
                adapter: *adapter,
                port: *port,
                capacity: None,
                maximum_capacity: None,
                priority: None,
                logical_port: None,
            })
            .collect(),
    };
    world.apply(then, Command::CreateVnic(request))?;
    let port = CreateLogicalPort::on(Owner::Partition(partition), adapter, port);
    world.apply(then, Command::CreateLogicalPort(port))?;
    Ok(())
}
