//! `SharedEthernetAdapter`s of a Virtual I/O Server and the Ethernet ports that are left for others.
//!
//! Recordings `fake_vios_feed` and the cassette `refresher.yml`. The element names are the product's own spelling.

use super::context::Context;
use super::trunk_adapter;
use super::writer::{CUD, ROO, ROR, UOD, Writer};
use crate::model::network::SharedEthernetAdapter;
use crate::model::vios::VirtualIoServer;

/// What kind of device a port is, in the product's spelling.
const PORT: &str = "physicalEthernetAdpter";
/// What every port is described as.
const DESCRIPTION: &str = "PCIe2 4-Port Adapter (1GbE RJ45) (e4148a1614109404)";

/// Writes every shared Ethernet adapter.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    for adapter in &vios.shared_ethernet {
        w.member("SharedEthernetAdapter", |w| shared(w, cx, vios, adapter));
    }
}

fn shared(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    adapter: &SharedEthernetAdapter,
) {
    w.choice("BackingDeviceChoice", CUD, |w| {
        w.member("EthernetBackingDevice", |w| {
            port(w, &adapter.backing_device, &adapter.backing_location);
            interface(w, &adapter.backing_device, "Inactive", None);
        });
    });
    w.text("HighAvailabilityMode", CUD, &adapter.availability_mode);
    w.text("DeviceName", CUD, &adapter.device);
    w.value("JumboFramesEnabled", UOD, false);
    w.value("PortVLANID", ROR, adapter.vlan);
    w.text("QualityOfServiceMode", CUD, "disabled");
    w.value("QueueSize", UOD, 8192);
    w.value("ThreadModeEnabled", CUD, true);
    w.section("TrunkAdapters", CUD, |w| {
        for trunk in adapter
            .trunks
            .iter()
            .filter_map(|uuid| vios.partition.network_adapters.get(uuid))
        {
            trunk_adapter::write(w, cx, &vios.partition, trunk, false);
        }
    });
    interface(
        w,
        &adapter.device,
        "Active",
        vios.partition.rmc_address.as_deref(),
    );
    w.text("UniqueDeviceID", ROR, &adapter.udid);
    w.value("LargeSend", CUD, true);
    if cx.is_hmc() {
        w.text("ConfigurationState", ROO.since("V1_3_0"), "Configured");
    }
}

/// `FreeIOAdaptersForLinkAggregation` and `FreeEthenetBackingDevicesForSEA`: the unused ports, once in each form.
pub(crate) fn write_free_ports(w: &mut Writer, vios: &VirtualIoServer) {
    w.section(
        "FreeIOAdaptersForLinkAggregation",
        ROR.group("ViosNetwork"),
        |w| {
            for (device, location) in &vios.free_ports {
                w.wrapper("IOAdapterChoice", |w| {
                    w.member("IOAdapter", |w| port(w, device, location))
                });
            }
        },
    );
    w.section(
        "FreeEthenetBackingDevicesForSEA",
        ROR.group("ViosNetwork"),
        |w| {
            for (device, location) in &vios.free_ports {
                w.wrapper("IOAdapterChoice", |w| {
                    w.member("EthernetBackingDevice", |w| {
                        w.value("AdapterID", ROR, 1);
                        w.text("Description", CUD, DESCRIPTION);
                        w.text("DeviceName", ROR, device);
                        w.text("PhysicalLocation", ROR, location);
                        interface(w, device, "Inactive", None);
                    });
                });
            }
        },
    );
}

fn port(w: &mut Writer, device: &str, location: &str) {
    w.value("AdapterID", ROR, 1);
    w.text("Description", CUD, DESCRIPTION);
    w.text("DeviceName", ROR, device);
    w.text("DeviceType", ROR, PORT);
    w.text("DynamicReconfigurationConnectorName", CUD, location);
    w.text("PhysicalLocation", ROR, location);
    w.text("UniqueDeviceID", ROR, &format!("13{location}"));
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
