//! `SRIOVEthernetLogicalPort`, a child of a partition or a Virtual I/O Server. Recording `sriov_lp_feed` (NovaLink) and
//! the cassette `refresher.yml` (HMC).

use super::context::Context;
use super::writer::{COD, COR, CUD, CUR, ROR, UOM};
use crate::model::Owner;
use crate::model::names::PartitionKind;
use crate::model::partition::Partition;
use crate::model::sriov::LogicalPort;

/// A name that the hypervisor does not know.
pub(crate) const UNAVAILABLE: &str = "unavailable";

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, partition: &Partition, port: &LogicalPort) -> String {
    let mut w = cx.writer(4096);
    w.root(
        "SRIOVEthernetLogicalPort",
        UOM,
        Some((&port.uuid.to_string(), cx.created())),
        |w| {
            w.value("ConfigurationID", COD, port.configuration);
            w.value("LogicalPortID", COD, port.drc_index());
            w.value("AdapterID", COR, port.adapter);
            w.text("DynamicReconfigurationConnectorName", ROR, &port.drc_name());
            w.flag("IsFunctional", ROR, true);
            w.value("IsPromiscous", CUR, port.promiscuous);
            w.value("IsDiagnostic", CUR, port.diagnostic);
            // Cassette `refresher.yml`.
            w.value("IsDebug", CUR, port.debug);
            w.value("IsHugeDMA", CUR, port.huge_dma);
            w.text("DeviceName", ROR, device(cx, partition, port));
            w.value(
                "ConfiguredCapacity",
                CUR,
                format_args!("{}%", port.capacity),
            );
            w.value(
                "ConfiguredMaxCapacity",
                CUR,
                format_args!("{}%", port.maximum_capacity),
            );
            w.value("PhysicalPortID", COR, port.port);
            w.value("PortVLANID", CUR, port.vlan);
            w.text(
                "LocationCode",
                ROR,
                &cx.world.logical_port_location(partition.system, port),
            );
            w.value("TuningBufferID", CUR, 0);
            w.value("VNICPortUsage", ROR.since("V1_3_0"), port.usage());
            if let Some(name) = port.vnic {
                // Cassette `refresher.yml`.
                w.links(
                    "AssociatedLogicalPartitions",
                    ROR.since("V1_3_0"),
                    [cx.partition(partition.system, name.partition)],
                );
            }
            w.text("AllowedMACAddresses", CUD, &port.allowed_macs);
            let mac = mac(cx, port.mac);
            w.text("MACAddress", CUD, &mac);
            w.text("CurrentMACAddress", ROR, &mac);
            w.value("IEEE8021QAllowablePriorities", CUD, 0);
            w.value("IEEE8021QPriority", CUD, port.priority);
            w.value(
                "NumberOfAllowedVLANs",
                CUD,
                number_of_vlans(&port.allowed_vlans),
            );
            w.text("AllowedVLANs", CUD, &port.allowed_vlans);
        },
    );
    w.finish()
}

/// An HMC writes the addresses of logical ports and virtual NICs in lower case.
pub(crate) fn mac(cx: &Context<'_>, mac: u64) -> String {
    if cx.is_hmc() {
        format!("{mac:012x}")
    } else {
        format!("{mac:012X}")
    }
}

/// A NovaLink asks the Virtual I/O Server that uses the port itself; an HMC does not know.
fn device<'a>(cx: &Context<'_>, partition: &Partition, port: &'a LogicalPort) -> &'a str {
    let asked = !cx.is_hmc()
        && partition.kind == PartitionKind::VirtualIoServer
        && partition.rmc.is_up()
        && !port.is_for_vnic();
    port.device
        .as_deref()
        .filter(|_| asked)
        .unwrap_or(UNAVAILABLE)
}

fn number_of_vlans(allowed: &str) -> usize {
    match allowed {
        "ALL" | "NONE" => 0,
        list => list.split(' ').count(),
    }
}

/// Links to the logical ports of a partition; none if it has none.
pub(crate) fn links(cx: &Context<'_>, owner: Owner, partition: &Partition) -> Vec<String> {
    let ports = partition.logical_ports.keys();
    ports
        .map(|port| cx.owned(owner, "SRIOVEthernetLogicalPort", *port))
        .collect()
}
