//! `SharedEthernetAdapter`, alike in a network bridge and in the list of its Virtual I/O Server, and the Ethernet ports
//! that nothing uses. Recordings `fake_vios_feed`, `fake_network_bridge` and the cassette `refresher.yml`.

use super::context::Context;
use super::trunk_adapter;
use super::writer::{CUD, ROO, ROR, UOD, Writer};
use crate::model::network::{BridgeMember, SharedEthernetAdapter};
use crate::model::sriov::LogicalPort;
use crate::model::vios::VirtualIoServer;

/// What kind of device a port is, in the product's spelling.
const PORT: &str = "physicalEthernetAdpter";
/// What every port is described as.
const DESCRIPTION: &str = "PCIe2 4-Port Adapter (1GbE RJ45) (e4148a1614109404)";
/// What every logical port is described as.
const LOGICAL: &str =
    "PCIe2 100/1000 Base-TX 4-port Converged Network Adapter VF (df1028e214103c04)";

/// An Ethernet device that a Virtual I/O Server sees.
struct Port<'a> {
    device: &'a str,
    location: String,
    description: &'static str,
    /// What its unique id begins with: `31` for a logical port behind a virtual NIC, otherwise `13`.
    prefix: &'static str,
}

impl<'a> Port<'a> {
    fn physical(device: &'a str, location: &str) -> Self {
        Self {
            device,
            location: location.to_owned(),
            description: DESCRIPTION,
            prefix: "13",
        }
    }

    fn logical(cx: &Context<'_>, vios: &VirtualIoServer, port: &'a LogicalPort) -> Option<Self> {
        Some(Self {
            device: port.device.as_deref()?,
            location: cx.world.logical_port_location(vios.partition.system, port),
            description: LOGICAL,
            prefix: if port.is_for_vnic() { "31" } else { "13" },
        })
    }
}

/// Writes every shared Ethernet adapter of a Virtual I/O Server.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    for adapter in &vios.shared_ethernet {
        write(w, cx, vios, adapter);
    }
}

/// Writes one.
pub(crate) fn write(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    adapter: &SharedEthernetAdapter,
) {
    w.member("SharedEthernetAdapter", |w| shared(w, cx, vios, adapter));
}

fn shared(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    adapter: &SharedEthernetAdapter,
) {
    let partition = &vios.partition;
    let bridge = cx
        .world
        .systems
        .get(&partition.system)
        .and_then(|system| system.bridges.get(&adapter.bridge));
    w.reference(
        "AssignedVirtualIOServer",
        CUD,
        &cx.vios(partition.system, partition.uuid),
    );
    let address = partition.rmc_address.as_deref();
    let channel = adapter.control_channel.as_ref();
    let channel = channel.map(|channel| channel.device.as_str());
    // Recorded in the list of a Virtual I/O Server (`fake_vios_feed`); its bridge holds the same element.
    w.optional("ControlChannelInterfaceName", CUD, channel);
    w.choice("BackingDeviceChoice", CUD, |w| {
        w.member("EthernetBackingDevice", |w| {
            port(w, &behind(cx, vios, adapter));
            // The address of the shared Ethernet adapter (cassette `refresher.yml`).
            let state = if address.is_some() {
                "Disconnected"
            } else {
                "Inactive"
            };
            interface(w, &adapter.backing_device, state, address);
        });
    });
    if let Some(bridge) = bridge {
        w.value("HighAvailabilityMode", CUD, bridge.availability());
    }
    w.text("DeviceName", CUD, &adapter.device);
    let settings = &adapter.settings;
    w.value("JumboFramesEnabled", UOD, settings.jumbo_frames);
    if let Some(bridge) = bridge {
        w.value("PortVLANID", ROR, bridge.vlan);
    }
    w.text("QualityOfServiceMode", CUD, &settings.quality_of_service);
    w.value("QueueSize", UOD, settings.queue_size);
    w.value("ThreadModeEnabled", CUD, settings.thread_mode);
    w.section("TrunkAdapters", CUD, |w| {
        for trunk in (BridgeMember { vios, adapter }).trunks() {
            trunk_adapter::write(w, cx, partition, trunk, false);
        }
    });
    w.value("IsPrimary", CUD, adapter.primary);
    interface(w, &adapter.device, "Active", address);
    w.text("UniqueDeviceID", ROR, &adapter.udid);
    w.value("LargeSend", CUD, settings.large_send);
    // Named by pypowervm's order of elements only; no recording has one.
    w.optional("AddressToPing", CUD, settings.address_to_ping.as_deref());
    // Cassette `refresher.yml`.
    w.text("ConfigurationState", ROO.since("V1_3_0"), "Configured");
}

/// The device behind a shared Ethernet adapter.
fn behind<'a>(
    cx: &Context<'_>,
    vios: &'a VirtualIoServer,
    adapter: &'a SharedEthernetAdapter,
) -> Port<'a> {
    let mut logical = vios.partition.logical_ports.values();
    logical
        .find(|port| port.device.as_deref() == Some(adapter.backing_device.as_str()))
        .and_then(|port| Port::logical(cx, vios, port))
        .unwrap_or_else(|| Port::physical(&adapter.backing_device, &adapter.backing_location))
}

/// The devices that no shared Ethernet adapter sits on, logical ports included (cassette `refresher.yml`).
fn free<'a>(cx: &Context<'_>, vios: &'a VirtualIoServer) -> Vec<Port<'a>> {
    let physical = vios
        .free_ports
        .iter()
        .map(|(device, location)| Port::physical(device, location));
    let logical = vios.partition.logical_ports.values();
    let logical = logical.filter_map(|port| Port::logical(cx, vios, port));
    let bridged = |port: &Port<'_>| {
        let mut shared = vios.shared_ethernet.iter();
        shared.any(|sea| sea.backing_device == port.device)
    };
    physical
        .chain(logical.filter(|port| !bridged(port)))
        .collect()
}

/// `FreeIOAdaptersForLinkAggregation` and `FreeEthenetBackingDevicesForSEA`: the unused devices, once in each form.
pub(crate) fn write_free_ports(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    let free = free(cx, vios);
    w.section(
        "FreeIOAdaptersForLinkAggregation",
        ROR.group("ViosNetwork"),
        |w| {
            for device in &free {
                w.wrapper("IOAdapterChoice", |w| {
                    w.member("IOAdapter", |w| port(w, device))
                });
            }
        },
    );
    w.section(
        "FreeEthenetBackingDevicesForSEA",
        ROR.group("ViosNetwork"),
        |w| {
            for port in &free {
                w.wrapper("IOAdapterChoice", |w| {
                    w.member("EthernetBackingDevice", |w| {
                        w.value("AdapterID", ROR, 1);
                        w.text("Description", CUD, port.description);
                        w.text("DeviceName", ROR, port.device);
                        w.text("PhysicalLocation", ROR, &port.location);
                        interface(w, port.device, "Inactive", None);
                    });
                });
            }
        },
    );
}

fn port(w: &mut Writer, port: &Port<'_>) {
    let location = port.location.as_str();
    w.value("AdapterID", ROR, 1);
    w.text("Description", CUD, port.description);
    w.text("DeviceName", ROR, port.device);
    w.text("DeviceType", ROR, PORT);
    w.text("DynamicReconfigurationConnectorName", CUD, location);
    w.text("PhysicalLocation", ROR, location);
    w.text("UniqueDeviceID", ROR, &format!("{}{location}", port.prefix));
}

/// The IP interface of `entN` is `enN`.
fn interface(w: &mut Writer, device: &str, state: &str, address: Option<&str>) {
    w.section("IPInterface", CUD, |w| {
        w.text("InterfaceName", CUD, &device.replacen("ent", "en", 1));
        if let Some(address) = address {
            w.text("IPAddress", CUD, address);
            w.text("SubnetMask", CUD, "255.255.255.0");
        }
        w.text("State", CUD, state);
    });
}
