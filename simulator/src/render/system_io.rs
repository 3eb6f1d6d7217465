//! `AssociatedSystemIOConfiguration`: slots, adapters, world wide port names and the virtual network.

use super::context::Context;
use super::writer::{CUD, ROR, Writer};
use super::{slots, sriov_adapter};
use crate::http::group::Group;
use crate::model::system::{IoSlot, ManagedSystem};

/// The first bus of a system.
const FIRST_BUS: u32 = 16;
/// What the index of a bus adds to its number.
const BUS_INDEX: u32 = 0x2000_0000;

/// Writes the section. An HMC lists adapters and buses beside the slots.
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    w.section("AssociatedSystemIOConfiguration", CUD, |w| {
        w.value("AvailableWWPNs", CUD, system.available_wwpns);
        w.section("HostChannelAdapters", CUD, |_| ());
        w.section("IOAdapters", CUD, |w| {
            if cx.is_hmc() {
                for slot in &system.io_slots {
                    w.wrapper("IOAdapterChoice", |w| slots::system_adapter(w, slot));
                }
            }
        });
        w.section("IOBuses", CUD, |w| {
            if cx.is_hmc() {
                for (number, slot) in (FIRST_BUS..).zip(&system.io_slots) {
                    bus(w, cx, number, slot);
                }
            }
        });
        w.section("IOSlots", CUD, |w| {
            for slot in &system.io_slots {
                slots::system_slot(w, cx, slot);
            }
        });
        if cx.is_hmc() {
            w.value("MaximumIOPools", CUD, 1024);
        }
        sriov_adapter::write_all(w, cx, system);
        if cx.has(Group::SystemNetwork) {
            virtual_network(w, cx, system);
        }
        w.value("WWPNPrefix", CUD, system.wwpn_prefix);
    });
}

/// One bus a slot, as on POWER8.
fn bus(w: &mut Writer, cx: &Context<'_>, number: u32, slot: &IoSlot) {
    w.member("IOBus", |w| {
        w.text(
            "BackplanePhysicalLocation",
            ROR,
            &format!("{}-P1", slot.unit_location),
        );
        w.value(
            "BusDynamicReconfigurationConnectorIndex",
            ROR,
            BUS_INDEX + number,
        );
        w.value(
            "BusDynamicReconfigurationConnectorName",
            ROR,
            format_args!("PHB {number}"),
        );
        w.value("IOBusID", ROR, number);
        w.section("IOSlots", ROR, |w| slots::system_slot(w, cx, slot));
    });
}

/// Only with the group `SystemNetwork`.
fn virtual_network(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    w.section(
        "AssociatedSystemVirtualNetwork",
        CUD.group("SystemNetwork"),
        |w| {
            let bridges = system
                .bridges
                .keys()
                .map(|bridge| cx.system_child(system.uuid, "NetworkBridge", *bridge));
            w.links("NetworkBridges", CUD, bridges);
            let prefix = cx
                .world
                .all_partitions_of(system.uuid)
                .map(|partition| partition.mac_prefix)
                .next()
                .unwrap_or_default();
            w.value(
                "VirtualEthernetAdapterMACAddressPrefix",
                CUD,
                format_args!("{:06X}", prefix >> 24),
            );
            let networks = system
                .networks
                .keys()
                .map(|network| cx.system_child(system.uuid, "VirtualNetwork", *network));
            w.links("VirtualNetworks", CUD, networks);
            let switches = system
                .switches
                .keys()
                .map(|switch| cx.system_child(system.uuid, "VirtualSwitch", *switch));
            w.links("VirtualSwitches", CUD, switches);
        },
    );
}
