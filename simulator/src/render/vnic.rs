//! `VirtualNICDedicated`, a child of a partition, and the backing devices that a Virtual I/O Server lists. Recording
//! `vnic_feed` (NovaLink) and the cassette `refresher.yml` (HMC).

use super::context::Context;
use super::logical_port::{UNAVAILABLE, mac};
use super::writer::{COD, COR, CUD, CUR, ROO, ROR, UOM, Writer};
use crate::http::group::Group;
use crate::model::Owner;
use crate::model::names::PartitionState;
use crate::model::partition::Partition;
use crate::model::sriov::{BackingStatus, Vnic};
use crate::model::vios::VirtualIoServer;

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, partition: &Partition, vnic: &Vnic) -> String {
    let Some(system) = cx.world.systems.get(&partition.system) else {
        return String::new();
    };
    let location = system.machine.slot_location(partition.id, vnic.slot);
    let mut w = cx.writer(4096);
    w.root(
        "VirtualNICDedicated",
        UOM,
        Some((&vnic.uuid.to_string(), cx.created())),
        |w| {
            w.text("DynamicReconfigurationConnectorName", CUD, &location);
            w.value("LocalPartitionID", CUR, partition.id);
            w.value("VirtualSlotNumber", COD, vnic.slot);
            w.section("Details", CUR.since("V1_3_0"), |w| {
                details(w, cx, partition, vnic)
            });
            w.section("AssociatedBackingDevices", COR.since("V1_3_0"), |w| {
                for status in cx.world.backing_statuses(vnic) {
                    w.wrapper("VirtualNICBackingDeviceChoice", |w| {
                        backing_device(w, cx, None, status)
                    });
                }
            });
        },
    );
    w.finish()
}

fn details(w: &mut Writer, cx: &Context<'_>, partition: &Partition, vnic: &Vnic) {
    let since = "V1_3_0";
    w.value("PortVLANID", CUD.since(since), vnic.vlan);
    w.value("PortVLANIDPriority", CUD.since(since), vnic.vlan_priority);
    w.text("AllowedVLANIDs", CUD.since(since), &vnic.allowed_vlans);
    w.text("MACAddress", COD.since(since), &mac(cx, vnic.mac));
    let running = partition.state == PartitionState::Running;
    if cx.has(Group::Advanced) && running && partition.rmc.is_up() {
        let address = format!("198.51.100.{}", partition.id % 250 + 2);
        super::network_adapter::addresses(w, &address);
    }
    w.text(
        "AllowedOperatingSystemMACAddresses",
        CUD.since(since),
        &vnic.allowed_os_macs,
    );
    if cx.has(Group::Vnic) {
        let place = partition.vnics.keys().position(|uuid| *uuid == vnic.uuid);
        let name = match place {
            Some(place) if running => format!("ent{}", partition.network_adapters.len() + place),
            _ => UNAVAILABLE.to_owned(),
        };
        w.text("OSDeviceName", ROO.since(since).group("VNIC"), &name);
    }
    w.text("DesiredMode", ROO.since(since), "DEDICATED");
    if let Some(capacity) = cx.world.vnic_capacity(vnic) {
        w.value(
            "DesiredCapacityPercentage",
            ROO,
            format_args!("{capacity}%"),
        );
    }
    // Cassette `refresher.yml`; `vnic_feed` is older by a schema.
    w.value(
        "AutoPriorityFailover",
        CUD.since("V1_4_0"),
        vnic.auto_failover,
    );
}

/// `VirtualNICBackingDevices` of a Virtual I/O Server: what it serves, each with the virtual NIC that it is for (cassette
/// `refresher.yml`).
pub(crate) fn write_backing_devices(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    w.section(
        "VirtualNICBackingDevices",
        ROR.since("V1_3_0").group("VNIC"),
        |w| {
            for (client, vnic, device) in cx.world.backing_devices_of(vios.partition.uuid) {
                let statuses = cx.world.backing_statuses(vnic);
                let mine = statuses.into_iter().find(|status| status.device == device);
                let href = cx.owned(
                    Owner::Partition(client.uuid),
                    "VirtualNICDedicated",
                    vnic.uuid,
                );
                if let Some(status) = mine {
                    w.wrapper("VirtualNICBackingDeviceChoice", |w| {
                        backing_device(w, cx, Some(&href), status)
                    });
                }
            }
        },
    );
}

fn backing_device(w: &mut Writer, cx: &Context<'_>, vnic: Option<&str>, status: BackingStatus) {
    let owner = Owner::Vios(status.device.vios);
    let (Some(server), Some(port)) = (
        cx.world.vioses.get(&status.device.vios),
        cx.world.logical_port(owner, status.device.port),
    ) else {
        return;
    };
    let (since, later) = ("V1_3_0", "V1_4_0");
    let percent = |w: &mut Writer, name: &str, facets, share| {
        w.value(name, facets, format_args!("{share}%"));
    };
    w.member("VirtualNICSRIOVBackingDevice", |w| {
        w.text("DeviceType", COR.since(since), "SRIOV");
        w.reference(
            "AssociatedVirtualIOServer",
            COR.since(since),
            &cx.vios(server.partition.system, server.partition.uuid),
        );
        if let Some(vnic) = vnic {
            w.reference("AssociatedVirtualNICDedicated", ROR.since(since), vnic);
        }
        w.value("IsActive", ROR.since(later), status.active);
        w.value("Status", ROR.since(later), status.state);
        // Cassette `refresher.yml`; pypowervm sets it of both products.
        w.value("FailOverPriority", CUD.since(later), status.device.priority);
        w.value("RelatedSRIOVAdapterID", COR.since(since), port.adapter);
        percent(
            w,
            "CurrentCapacityPercentage",
            COD.since(since),
            port.capacity,
        );
        // The recorded HMC, which knows no maximum, shows none in the list of a Virtual I/O Server.
        let maximum = vnic.is_none() || !cx.is_hmc();
        if maximum {
            percent(
                w,
                "MaxCapacityPercentage",
                COD.since(since),
                port.maximum_capacity,
            );
        }
        w.value("RelatedSRIOVPhysicalPortID", COR.since(since), port.port);
        w.reference(
            "RelatedSRIOVLogicalPort",
            ROR.since(since),
            &cx.owned(owner, "SRIOVEthernetLogicalPort", port.uuid),
        );
        percent(
            w,
            "DesiredCapacityPercentage",
            ROR.since(later),
            port.capacity,
        );
        if maximum {
            let share = port.maximum_capacity;
            percent(w, "DesiredMaxCapacityPercentage", ROR.since(later), share);
        }
    });
}
