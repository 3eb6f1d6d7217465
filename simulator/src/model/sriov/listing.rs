//! Bridges, SR-IOV ports and virtual NICs in the listing of everything.

use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

impl World {
    /// The network bridges and the SR-IOV adapters of a system.
    pub(in crate::model) fn list_bridges(
        &self,
        system: &ManagedSystem,
        add: &mut impl FnMut(&'static str, String, String),
    ) {
        for bridge in system.bridges.values() {
            let members = self.bridge_members(system.uuid, bridge.uuid);
            let members: Vec<String> = members
                .iter()
                .map(|member| {
                    let trunks: Vec<String> =
                        member.trunks().map(|trunk| trunk.mac_text()).collect();
                    let adapter = member.adapter;
                    format!(
                        "{} of {} on {} primary {} trunks {trunks:?} {:?}",
                        adapter.device,
                        member.vios.partition.name,
                        adapter.backing_device,
                        adapter.primary,
                        adapter.settings
                    )
                })
                .collect();
            add(
                "network bridge",
                format!("{}/{}/{}", system.name, bridge.switch_id, bridge.uuid),
                format!(
                    "vlan {} failover {} load balancing {} control channel {:?} members {members:?}",
                    bridge.vlan, bridge.failover, bridge.load_balancing, bridge.control_channel
                ),
            );
        }
        for adapter in &system.sriov_adapters {
            for port in &adapter.ports {
                add(
                    "SR-IOV port",
                    format!("{}/{}", system.name, port.location),
                    format!(
                        "{:?} {} {} link {} {:?}",
                        adapter.id, adapter.mode, port.kind, port.link, port.settings
                    ),
                );
            }
        }
    }

    /// The logical ports and virtual NICs of a partition.
    pub(in crate::model) fn list_sriov(
        &self,
        partition: &Partition,
        place: &str,
        add: &mut impl FnMut(&'static str, String, String),
    ) {
        for port in partition.logical_ports.values() {
            let detail = format!(
                "port {} of adapter {} {}% to {}% vlan {} promiscuous {} for {:?} device {:?}",
                port.port,
                port.adapter,
                port.capacity,
                port.maximum_capacity,
                port.vlan,
                port.promiscuous,
                port.vnic.map(|name| name.vnic),
                port.device
            );
            let name = format!("{place}/{} {:012X}", port.drc_name(), port.mac);
            add("SR-IOV logical port", name, detail);
        }
        for nic in partition.vnics.values() {
            let detail = format!(
                "slot {} vlan {} allowed {} {} devices {:?}",
                nic.slot, nic.vlan, nic.allowed_vlans, nic.allowed_os_macs, nic.backing
            );
            add("virtual NIC", format!("{place}/{:012X}", nic.mac), detail);
        }
    }
}
