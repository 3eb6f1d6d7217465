//! Physical slots and the adapters in them: `IOSlot` of a system, `AssociatedIOSlot` of a partition's profile.
//!
//! Recordings `fake_vios_feed`, `sys_with_sriov` and the cassette `refresher.yml`. What the model does not know of a
//! slot is what the recordings show of a slot without peculiarities.

use super::context::{Context, upper};
use super::slot_devices;
use super::writer::{CUD, CUR, ROO, ROR, Writer};
use crate::http::group::Group;
use crate::model::system::IoSlot;
use crate::model::vios::{FcAdapter, FcPort, VirtualIoServer};

/// IBM as subsystem vendor.
const IBM: u32 = 4116;
/// What an identifier says where there is no pool.
const NO_POOL: u32 = 65535;

/// The place of a slot: `U78CB.001.WZS007Y-P1-C7`, its unit and the last part of its location.
struct Place<'a> {
    unit: &'a str,
    short: &'a str,
    full: String,
}

impl<'a> Place<'a> {
    fn of(slot: &'a IoSlot) -> Self {
        let full = slot.location_code();
        Self {
            unit: &slot.unit_location,
            short: &slot.location,
            full,
        }
    }
}

/// A slot inside `IOSlots` of a system.
pub(crate) fn system_slot(w: &mut Writer, cx: &Context<'_>, slot: &IoSlot) {
    w.member("IOSlot", |w| {
        slot_elements(w, cx, slot, true, |w| io_adapter(w, slot, &Place::of(slot)));
        if cx.is_hmc() {
            slot_devices::write(w, cx, slot);
        } else {
            w.text("VitalProductDataModel", ROO, "001");
            w.text("VitalProductDataSerialNumber", ROO, "");
            w.text("VitalProductDataType", ROO, "");
        }
    });
}

/// The slots that a partition owns, each as `ProfileIOSlot`. A Fibre Channel adapter of a Virtual I/O Server shows
/// its ports instead of the plain adapter.
pub(crate) fn profile_slots(
    w: &mut Writer,
    cx: &Context<'_>,
    slots: &[&IoSlot],
    vios: Option<&VirtualIoServer>,
) {
    for slot in slots {
        let fibre_channel = vios.and_then(|vios| {
            Some((
                vios,
                vios.fc_adapters.iter().find(|fc| fc.id == slot.drc_index)?,
            ))
        });
        // Recorded of Virtual I/O Servers (`fake_vios_feed`) and, of a partition, in the cassette `refresher.yml`.
        w.member("ProfileIOSlot", |w| {
            w.section("AssociatedIOSlot", CUD, |w| {
                slot_elements(w, cx, slot, false, |w| match fibre_channel {
                    Some((vios, adapter)) => fc_adapter(w, cx, vios, adapter),
                    None => io_adapter(w, slot, &Place::of(slot)),
                });
            });
            if vios.is_some() {
                w.flag("IsRequired", CUD, false);
            }
        });
    }
}

/// `IOAdapter`, as inside `IOAdapters` of a system.
pub(crate) fn system_adapter(w: &mut Writer, slot: &IoSlot) {
    io_adapter(w, slot, &Place::of(slot));
}

fn slot_elements(
    w: &mut Writer,
    cx: &Context<'_>,
    slot: &IoSlot,
    of_system: bool,
    adapter: impl FnOnce(&mut Writer),
) {
    let place = Place::of(slot);
    w.flag("BusGroupingRequired", CUD, false);
    w.text("Description", CUD, &slot.description);
    w.value("FeatureCodes", ROO, 0);
    w.text("IOUnitPhysicalLocation", ROR, place.unit);
    // A NovaLink names the owner only in the list of the system, one element later (recording `managedsystem`).
    if cx.is_hmc() {
        owner(w, cx, slot);
    }
    w.value("PCAdapterID", ROO, slot.pci_device);
    if of_system && !cx.is_hmc() {
        owner(w, cx, slot);
    }
    w.value("PCIClass", ROO, slot.pci_class);
    w.value("PCIDeviceID", ROO, slot.pci_device);
    w.value("PCISubsystemDeviceID", ROO, slot.pci_device);
    w.value("PCIManufacturerID", ROO, slot.pci_vendor);
    w.value("PCIRevisionID", ROO, 2);
    w.value("PCIVendorID", ROO, slot.pci_vendor);
    w.value("PCISubsystemVendorID", ROO, IBM);
    w.section("RelatedIBMiIOSlot", CUD, |w| {
        for capability in [
            "AlternateLoadSourceAttached",
            "ConsoleCapable",
            "DirectOperationsConsoleCapable",
            "IOP",
            "IOPInfoStale",
        ] {
            w.value(capability, ROR, false);
        }
        if cx.is_hmc() {
            w.value("IOPoolID", ROR, NO_POOL);
        }
        for capability in [
            "LANConsoleCapable",
            "LoadSourceAttached",
            "LoadSourceCapable",
            "OperationsConsoleAttached",
            "OperationsConsoleCapable",
        ] {
            w.value(capability, ROR, false);
        }
    });
    // An `IOAdapter` is recorded behind slots of servers (`fake_vios_feed`) and, in the cassette `refresher.yml`, of systems.
    w.choice("RelatedIOAdapter", CUD, adapter);
    w.value(
        "SlotDynamicReconfigurationConnectorIndex",
        ROR,
        slot.drc_index,
    );
    w.text("SlotDynamicReconfigurationConnectorName", CUD, &place.full);
    w.text("SlotPhysicalLocationCode", ROR, place.short);
    if cx.is_hmc() {
        w.flag("SRIOVCapableDevice", ROO.since("V1_3_0"), false);
        w.flag("SRIOVCapableSlot", ROO.since("V1_3_0"), false);
        w.value("SRIOVLogicalPortsLimit", ROO.since("V1_3_0"), 0);
    }
}

fn owner(w: &mut Writer, cx: &Context<'_>, slot: &IoSlot) {
    let Some(partition) = slot
        .owner
        .and_then(|uuid| cx.world.partition(cx.world.owner(uuid)?))
    else {
        return;
    };
    w.value("PartitionID", ROO.since("V1_3_0"), partition.id);
    if !cx.is_hmc() {
        w.value("PartitionUUID", ROO.since("V1_6_0"), upper(partition.uuid));
    }
    w.text("PartitionName", ROO.since("V1_3_0"), &partition.name);
    w.value("PartitionType", ROO.since("V1_3_0"), partition.kind);
}

fn io_adapter(w: &mut Writer, slot: &IoSlot, place: &Place<'_>) {
    w.member("IOAdapter", |w| {
        adapter_elements(
            w,
            slot.drc_index,
            &slot.description,
            &place.full,
            place.short,
        );
        w.value("UniqueDeviceID", ROR, slot.pci_device);
        w.flag(
            "LogicalPartitionAssignmentCapable",
            ROO.since("V1_2_0"),
            true,
        );
        // Cassette `refresher.yml`, of slots of systems and of partitions.
        w.flag(
            "DynamicPartitionAssignmentCapable",
            ROR.since("V1_3_0"),
            true,
        );
    });
}

fn adapter_elements(w: &mut Writer, id: u32, description: &str, full: &str, short: &str) {
    w.value("AdapterID", ROR, id);
    w.text("Description", CUD, description);
    w.text("DeviceName", ROR, full);
    w.text("DynamicReconfigurationConnectorName", CUD, full);
    w.text("PhysicalLocation", ROR, short);
}

fn fc_adapter(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer, adapter: &FcAdapter) {
    let short = adapter.location.rsplit('-').next().unwrap_or_default();
    w.member("PhysicalFibreChannelAdapter", |w| {
        adapter_elements(
            w,
            adapter.id,
            &adapter.description,
            &adapter.location,
            short,
        );
        w.section("PhysicalFibreChannelPorts", CUD, |w| {
            for port in &adapter.ports {
                w.member("PhysicalFibreChannelPort", |w| fc_port(w, cx, vios, port));
            }
        });
    });
}

fn fc_port(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer, port: &FcPort) {
    w.text("LocationCode", ROR, &port.location);
    if cx.has(Group::ViosStorage) && cx.world.tells_devices(vios) {
        let behind = format!("{}-", port.location);
        w.section(
            "PhysicalVolumes",
            CUD.volatile().group("ViosStorage"),
            |w| {
                for volume in vios
                    .physical_volumes
                    .iter()
                    .filter(|volume| volume.location.starts_with(&behind))
                {
                    super::physical_volume::write(
                        w,
                        volume,
                        super::physical_volume::is_available(vios, volume),
                    );
                }
            },
        );
    }
    fc_port_identity(w, cx, port);
    fc_port_use(w, vios, port);
}

/// A Fibre Channel port as a mapping repeats it: without the disks behind it.
pub(crate) fn mapped_fc_port(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    port: &FcPort,
) {
    w.text("LocationCode", ROR, &port.location);
    fc_port_identity(w, cx, port);
    fc_port_use(w, vios, port);
}

fn fc_port_identity(w: &mut Writer, cx: &Context<'_>, port: &FcPort) {
    w.text("PortName", CUR, &port.name);
    w.text("UniqueDeviceID", ROR, &format!("1a{}", port.location));
    w.value("WWPN", CUR, format_args!("{:016X}", port.wwpn));
    if cx.is_hmc() {
        w.value(
            "WWNN",
            ROO.since("V1_3_0"),
            format_args!("{:016x}", port.wwnn),
        );
    }
}

/// Ports that cannot be virtualised say nothing of virtual ports (recording `fake_vios`).
fn fc_port_use(w: &mut Writer, vios: &VirtualIoServer, port: &FcPort) {
    if port.total > 0 {
        w.value("AvailablePorts", ROR.volatile(), vios.available_ports(port));
        w.value("TotalPorts", ROR.volatile(), port.total);
    }
}
