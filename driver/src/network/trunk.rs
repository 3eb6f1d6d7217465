//! Trunk adapters of the management partition, each the partner of one server's adapter on Open vSwitch.

use std::collections::BTreeSet;

use powervm_schema::atom::Entry;
use powervm_schema::network::ClientNetworkAdapter;
use powervm_schema::xml::Element;

use super::ovs::{ExternalIds, OvsPort};
use crate::host::Switch;

/// VLANs from which pairs of adapters get their own.
const VLANS: std::ops::RangeInclusive<u16> = 1..=4093;
/// One trunk adapter to a VLAN: it is the first.
const PRIORITY: u32 = 1;

/// A VLAN of a switch, by the switch's number.
pub(crate) type Line = (u32, u16);

/// A trunk adapter that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trunk {
    /// Its path.
    pub(crate) path: String,
    /// Where it is.
    pub(crate) line: Line,
    /// Its device.
    pub(crate) device: String,
    /// The bridge that it is a port of.
    pub(crate) bridge: String,
    /// What Open vSwitch is told of it.
    pub(crate) ids: ExternalIds,
    /// The MTU that it was given.
    pub(crate) mtu: Option<u32>,
}

impl Trunk {
    /// The trunk adapter that an adapter of this owner is; none if it is not one.
    pub(crate) fn read(owner: &str, entry: &Entry) -> Option<Self> {
        let adapter = ClientNetworkAdapter(&entry.content);
        adapter.trunk_priority().ok().flatten()?;
        Some(Self {
            path: format!("{owner}/ClientNetworkAdapter/{}", entry.id),
            line: line_of(&adapter)?,
            device: adapter.device_name().unwrap_or_default().to_owned(),
            bridge: adapter.ovs_bridge().unwrap_or_default().to_owned(),
            ids: ExternalIds::read(adapter.ovs_port_external_ids().unwrap_or_default()),
            mtu: adapter.configured_mtu().and_then(|mtu| mtu.parse().ok()),
        })
    }

    /// The port of Open vSwitch that it is.
    pub(crate) fn port(&self) -> Option<OvsPort> {
        Some(OvsPort {
            bridge: self.bridge.clone(),
            interface: self.ids.get("iface-id")?.to_owned(),
            device: (!self.device.is_empty()).then(|| self.device.clone()),
        })
    }
}

/// Where an adapter is.
pub(crate) fn line_of(adapter: &ClientNetworkAdapter<&Element>) -> Option<Line> {
    Some((
        adapter.virtual_switch_id().ok().flatten()?,
        adapter.port_vlan().ok().flatten()?,
    ))
}

/// The first VLAN that neither a network of the switch has nor somebody is about to take.
pub(crate) fn free_vlan(used: &BTreeSet<u16>) -> Option<u16> {
    VLANS.into_iter().find(|vlan| !used.contains(vlan))
}

/// What a trunk adapter is told beside its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrunkPort {
    pub(crate) device: String,
    pub(crate) bridge: String,
    pub(crate) ids: ExternalIds,
    pub(crate) mtu: Option<u32>,
}

impl TrunkPort {
    /// The document of a new trunk adapter. The management partition takes the lowest free slot.
    pub(crate) fn document(&self, switch: &Switch, vlan: u16) -> ClientNetworkAdapter {
        let mut adapter = ClientNetworkAdapter::new();
        adapter
            .set_use_next_available_slot(true)
            .set_port_vlan(vlan)
            .set_virtual_switch([switch.href.as_str()])
            .set_device_name(&self.device)
            .set_trunk_priority(PRIORITY);
        self.write(&mut adapter);
        adapter
    }

    /// Writes what may change into an adapter.
    pub(crate) fn write<E: std::borrow::BorrowMut<Element>>(
        &self,
        adapter: &mut ClientNetworkAdapter<E>,
    ) {
        adapter
            .set_ovs_bridge(&self.bridge)
            .set_ovs_port_external_ids(self.ids.text());
        if let Some(mtu) = self.mtu {
            adapter.set_configured_mtu(mtu.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_vlan_is_taken_and_4094_never() {
        assert_eq!(free_vlan(&BTreeSet::new()), Some(1));
        assert_eq!(free_vlan(&[1, 2, 4].into()), Some(3));
        assert_eq!(free_vlan(&(1..=4093).collect()), None);
    }

    #[test]
    fn only_an_adapter_with_a_trunk_priority_is_a_trunk() {
        let switch = Switch {
            name: "x".to_owned(),
            id: Some(2),
            href: "https://h/rest/api/uom/ManagedSystem/m/VirtualSwitch/v".to_owned(),
        };
        let port = TrunkPort {
            device: "nic1".to_owned(),
            bridge: "br-int".to_owned(),
            ids: ExternalIds::read("attached-mac=fa:16:3e:00:00:01"),
            mtu: Some(1450),
        };
        let mut document = port.document(&switch, 7);
        document.set_virtual_switch_id(2u32);
        assert_eq!(document.configured_mtu(), Some("1450"));
        let entry = |content| Entry {
            id: "a".to_owned(),
            title: String::new(),
            published: String::new(),
            links: Vec::new(),
            etag: None,
            content,
        };
        let read = Trunk::read("LogicalPartition/p", &entry(document.0)).unwrap();
        assert_eq!(read.path, "LogicalPartition/p/ClientNetworkAdapter/a");
        assert_eq!((read.line, read.device.as_str()), ((2, 7), "nic1"));
        assert!(Trunk::read("x", &entry(ClientNetworkAdapter::new().0)).is_none());
    }
}
