//! `SRIOVAdapter` inside `AssociatedSystemIOConfiguration`. Recording `sys_with_sriov` (NovaLink) and the cassette
//! `refresher.yml` (HMC).
//!
//! Both flavours write what either recording has. `MinimumEthernetCapacityGranularity` is written as NovaLink does, in
//! percent: the recorded HMC wrote hundredths of a percent, with which pypowervm finds no port with room.

use super::context::Context;
use super::writer::{COD, CUD, CUR, ROR, UOD, Writer};
use crate::model::names::{SriovMode, SriovPortKind, SriovSpeed};
use crate::model::sriov::{self, LOGICAL_PORTS, Percent, SriovAdapter, SriovPort};
use crate::model::system::ManagedSystem;

/// Writes `SRIOVAdapters`.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    w.section("SRIOVAdapters", CUD, |w| {
        for adapter in &system.sriov_adapters {
            w.wrapper("IOAdapterChoice", |w| {
                w.member("SRIOVAdapter", |w| write(w, cx, system, adapter))
            });
        }
    });
}

fn write(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem, adapter: &SriovAdapter) {
    w.value("AdapterID", ROR, adapter.drc_index);
    w.text("Description", CUD, &adapter.description);
    w.text("PhysicalLocation", ROR, &adapter.location);
    if let Some(id) = adapter.id {
        w.value("SRIOVAdapterID", COD, id);
    }
    w.value("AdapterState", ROR, adapter.state);
    w.value("AdapterMode", CUD, adapter.mode);
    let (Some(id), SriovMode::Sriov) = (adapter.id, adapter.mode) else {
        return;
    };
    w.value("Personality", COD, adapter.personality);
    let of = |kind: SriovPortKind| adapter.ports.iter().filter(move |port| port.kind == kind);
    w.section("ConvergedEthernetPhysicalPorts", ROR, |w| {
        for port in of(SriovPortKind::Converged) {
            w.member("SRIOVConvergedNetworkAdapterPhysicalPort", |w| {
                physical_port(w, cx, system, id, port);
                fibre_channel(w);
            });
        }
    });
    let logical = cx.world.logical_ports_of(system.uuid);
    let mut logical: Vec<_> = logical.filter(|(_, port)| port.adapter == id).collect();
    logical.sort_by_key(|(_, port)| port.number);
    let links = logical.into_iter().map(|(partition, port)| {
        let owner = super::base_partition::owner(partition);
        cx.owned(owner, "SRIOVEthernetLogicalPort", port.uuid)
    });
    let links: Vec<String> = links.collect();
    // Cassette `refresher.yml`.
    w.links("EthernetLogicalPorts", ROR, links);
    w.section("EthernetPhysicalPorts", ROR, |w| {
        for port in of(SriovPortKind::Ethernet) {
            w.member("SRIOVEthernetPhysicalPort", |w| {
                physical_port(w, cx, system, id, port)
            });
        }
    });
    if of(SriovPortKind::Roce).next().is_some() {
        // Named by pypowervm's wrapper of an adapter only; no recorded system has such an adapter.
        w.section("SRIOVRoCEPhysicalPorts", ROR, |w| {
            for port in of(SriovPortKind::Roce) {
                w.member("SRIOVRoCEPhysicalPort", |w| {
                    physical_port(w, cx, system, id, port)
                });
            }
        });
    }
    // Cassette `refresher.yml`.
    w.flag("IsFunctional", ROR, true);
    w.value("MaximumHugeDMALogicalPorts", ROR, 0);
    w.value("MaximumLogicalPortsSupported", ROR, LOGICAL_PORTS);
    w.section("UnconfiguredLogicalPorts", ROR, |w| {
        let first = adapter
            .ports
            .first()
            .map_or("", |port| port.location.as_str());
        for number in cx.world.unconfigured_ports(system.uuid, id) {
            unconfigured(w, id, number, first);
        }
    });
}

/// A logical port that nobody has is shown on the first physical port.
fn unconfigured(w: &mut Writer, adapter: u16, number: u16, first: &str) {
    w.member("SRIOVUnconfiguredLogicalPort", |w| {
        w.value(
            "DynamicReconfigurationConnectorIndex",
            ROR,
            sriov::drc_index(adapter, number),
        );
        w.text(
            "DynamicReconfigurationConnectorName",
            ROR,
            &sriov::drc_name(adapter, number),
        );
        w.text("LocationCode", ROR, &format!("{first}-S{number}"));
    });
}

fn physical_port(
    w: &mut Writer,
    cx: &Context<'_>,
    system: &ManagedSystem,
    adapter: u16,
    port: &SriovPort,
) {
    let settings = &port.settings;
    let switch_mode = settings.switch_mode.as_str();
    w.value("ConfiguredConnectionSpeed", CUR, SriovSpeed::Auto);
    w.value("ConfiguredFlowControl", CUD, settings.flow_control);
    w.text(
        "ConfiguredMTU",
        CUR,
        if settings.jumbo_frames {
            "E_9000"
        } else {
            "E_1500"
        },
    );
    w.text("ConfiguredOptions", CUR, "autoDuplex");
    w.text("ConfiguredOptions", CUR, switch_mode);
    w.text("ConfiguredPortSwitchMode", CUD, switch_mode);
    let speed = if port.link {
        port.speed
    } else {
        SriovSpeed::Unknown
    };
    w.value("CurrentConnectionSpeed", ROR, speed);
    if port.link {
        w.text("CurrentOptions", ROR, "fullDuplex");
        w.text("CurrentOptions", ROR, "linkUp");
    }
    w.text("CurrentOptions", ROR, switch_mode);
    w.text("Label", CUR, &settings.label);
    w.text("LocationCode", ROR, &port.location);
    w.value("MaximumDiagnosticsLogicalPorts", ROR, 1);
    w.value("MaximumPromiscuousLogicalPorts", ROR, 1);
    w.value("PhysicalPortID", ROR, port.id);
    for capability in [
        "Clear Logical Port Stat",
        "Clear Physical Port Stat",
        "IEEE8021Q_Priority",
        "Mac Vlan ACL Restriction",
        "Pvid",
    ] {
        w.text("PortCapabilities", ROR, capability);
    }
    w.value("PortType", ROR, port.kind);
    w.value("PortLogicalPortLimit", ROR, port.limit);
    w.text("SubLabel", CUR, &settings.sublabel);
    w.value("SupportedConnectionSpeeds", ROR, SriovSpeed::Auto);
    w.value("SupportedConnectionSpeeds", ROR, port.speed);
    w.text("SupportedMTUs", ROR, "E_1500");
    w.text("SupportedMTUs", ROR, "E_9000");
    for option in [
        "autoDuplex",
        "fullDuplex",
        "promiscousMode",
        "receiveFlowControl",
        "transmitFlowControl",
        "Veb",
        "Vepa",
    ] {
        w.text("SupportedOptions", ROR, option);
    }
    w.value("SupportedPriorityAccessControlList", ROR, 0);
    w.value("LinkStatus", ROR, port.link);
    let allocated = cx.world.allocated_capacity(system.uuid, adapter, port.id);
    let configured = cx.world.logical_ports_on(system.uuid, adapter, port.id);
    percent(w, "AllocatedCapacity", allocated);
    w.value(
        "ConfiguredMaxEthernetLogicalPorts",
        UOD,
        settings.maximum_ports,
    );
    w.value("ConfiguredEthernetLogicalPorts", ROR, configured.count());
    w.value("MaximumPortVLANID", ROR, 4094);
    w.value("MaximumVLANID", ROR, 4094);
    percent(w, "MinimumEthernetCapacityGranularity", port.granularity);
    w.value("MinimumPortVLANID", ROR, 2);
    w.value("MinimumVLANID", ROR, 2);
    w.value("MaxSupportedEthernetLogicalPorts", ROR, port.limit);
}

/// What a converged port has for Fibre Channel over Ethernet, which nobody here uses.
fn fibre_channel(w: &mut Writer) {
    w.value("ConfiguredMaxFiberChannelOverEthernetLogicalPorts", UOD, 0);
    w.value("DefaultFiberChannelTargetsForBackingDevice", ROR, 256);
    w.value("DefaultFiberChannelTargetsForNonBackingDevice", ROR, 128);
    w.value("ConfiguredFiberChannelOverEthernetLogicalPorts", UOD, 0);
    percent(
        w,
        "MinimumFCoECapacityGranularity",
        Percent::from_hundredths(1000),
    );
    w.value("FiberChannelTargetsRoundingValue", ROR, 64);
    w.value("MaxSupportedFiberChannelOverEthernetLogicalPorts", ROR, 0);
    w.value("MaximumFiberChannelTargets", ROR, 0);
}

fn percent(w: &mut Writer, name: &str, share: Percent) {
    w.value(name, ROR, format_args!("{share}%"));
}
