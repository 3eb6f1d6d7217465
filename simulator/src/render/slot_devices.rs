//! `IORDevices`: what an HMC's hardware discovery found behind a slot. Cassette `refresher.yml`.
//!
//! Each port of an adapter is a PCI function; a disk adapter has a bus with the disks that its Virtual I/O Server has
//! of its own. Numbers that identify a part are worked out of its place, as the model knows none.

use super::context::Context;
use super::writer::{Facets, ROO, Writer};
use crate::model::storage::{PhysicalVolume, Transport};
use crate::model::system::IoSlot;
use crate::model::vios::{FcPort, VirtualIoServer};

const SINCE: Facets = ROO.since("V1_3_0");
/// The PCI class of Fibre Channel adapters.
const FIBRE_CHANNEL: u32 = 3076;
/// The PCI class of Ethernet adapters.
const ETHERNET: u32 = 512;
/// The PCI class of disk adapters.
const DISKS: u32 = 260;
/// IBM as subsystem vendor.
const IBM: u32 = 4116;
/// `NumEnclosureBays` of the disk backplane.
const BAYS: u32 = 7;

/// The part numbers of an adapter: those of the recorded one of its kind.
struct Part {
    subsystem: u32,
    revision: u32,
    interface: u32,
    fru: &'static str,
    part: &'static str,
    ccin: &'static str,
    microcode: &'static str,
}

impl Part {
    const fn of(pci_class: u32) -> Self {
        let [fru, part, ccin, microcode] = match pci_class {
            FIBRE_CHANNEL => ["", "10N9824", "", "37363130"],
            ETHERNET => ["00E2715", "00E2719", "2CC3", ""],
            DISKS => ["00MH962", "00MH963", "57D7", "13511e00"],
            _ => [""; 4],
        };
        let (subsystem, revision, interface) = match pci_class {
            FIBRE_CHANNEL => (906, 3, 0),
            ETHERNET => (1171, 16, 0),
            DISKS => (1023, 2, 0),
            _ => (1202, 2, 30),
        };
        Self {
            subsystem,
            revision,
            interface,
            fru,
            part,
            ccin,
            microcode,
        }
    }
}

/// Writes the devices, if the slot's owner or kind tells of any.
pub(crate) fn write(w: &mut Writer, cx: &Context<'_>, slot: &IoSlot) {
    let vios = slot.owner.and_then(|owner| cx.world.vioses.get(&owner));
    let vios = vios.map(|vios| &**vios);
    w.section("IORDevices", SINCE, |w| match slot.pci_class {
        FIBRE_CHANNEL => {
            let adapters = vios.into_iter().flat_map(|vios| &vios.fc_adapters);
            let own = adapters.filter(|adapter| adapter.id == slot.drc_index);
            for (number, port) in (1..).zip(own.flat_map(|adapter| &adapter.ports)) {
                function(w, slot, number, &port.location, Port::FibreChannel(port));
            }
        }
        ETHERNET => {
            for number in 1..=ports(cx, slot) {
                let location = format!("{}-T{number}", slot.location_code());
                function(w, slot, number, &location, Port::Ethernet);
            }
        }
        DISKS => disks(w, slot, vios),
        _ => function(w, slot, 1, &slot.location_code(), Port::Other),
    });
}

/// How many ports an Ethernet adapter has: four, unless it is one with SR-IOV that says.
fn ports(cx: &Context<'_>, slot: &IoSlot) -> u32 {
    let adapters = cx.world.systems.values().filter(|system| {
        let mut slots = system.io_slots.iter();
        slots.any(|own| std::ptr::eq(own, slot))
    });
    let mut adapters = adapters.flat_map(|system| &system.sriov_adapters);
    let adapter = adapters.find(|adapter| adapter.drc_index == slot.drc_index);
    adapter.map_or(4, |adapter| u32::try_from(adapter.ports.len()).unwrap_or(4))
}

enum Port<'a> {
    FibreChannel(&'a FcPort),
    Ethernet,
    Other,
}

/// A PCI function: one port of the adapter.
fn function(w: &mut Writer, slot: &IoSlot, number: u32, location: &str, port: Port<'_>) {
    let part = Part::of(slot.pci_class);
    w.member("IORDevice", |w| {
        w.value(
            "ParentDynamicReconfigurationConnectorIndex",
            SINCE,
            slot.drc_index,
        );
        w.text("ParentName", SINCE, &slot.location_code());
        w.value("PCIDeviceId", SINCE, slot.pci_device);
        w.value("PCIVendorId", SINCE, slot.pci_vendor);
        w.value("PCISubsystemDeviceId", SINCE, part.subsystem);
        w.value("PCISubsystemVendorId", SINCE, IBM);
        w.value("PCIRevisionId", SINCE, part.revision);
        w.value("ProgrammingInterfaceClass", SINCE, part.interface);
        w.value("PCIClassCode", SINCE, slot.pci_class);
        w.text("DeviceType", SINCE, "PCIFunction");
        w.value("PrimaryDeviceFunction", SINCE, number == 1);
        let serial = format!("YL{:010X}", identity(&slot.location_code()) >> 24);
        w.text("SerialNumber", SINCE, &serial);
        w.optional("FruNumber", SINCE, some(part.fru));
        w.optional("PartNumber", SINCE, some(part.part));
        w.optional("CCIN", SINCE, some(part.ccin));
        w.value("SlotChildId", SINCE, number);
        w.text("LocationCode", SINCE, location);
        if let Port::Ethernet = port {
            let mac = 0x98be_9400_0000 | (identity(location) >> 40);
            w.value("MacAddressValue", SINCE, format_args!("{mac:012x}"));
        }
        w.optional("MicroCodeVersion", SINCE, some(part.microcode));
        if let Port::FibreChannel(port) = port {
            w.value("WWPN", SINCE, format_args!("{:016x}", port.wwpn));
            w.value("WWNN", SINCE, format_args!("{:016x}", port.wwnn));
        }
        w.text("Description", SINCE, &slot.description);
    });
}

/// The adapter itself, its bus, the disks on it and the backplane's controller.
fn disks(w: &mut Writer, slot: &IoSlot, vios: Option<&VirtualIoServer>) {
    let port = format!("{}-T1", slot.location_code());
    function(w, slot, 1, &port, Port::Other);
    w.member("IORDevice", |w| {
        w.text("ParentName", SINCE, &port);
        w.text("DeviceType", SINCE, "SASBusController");
        w.value("SlotChildId", SINCE, 2);
        w.value("ParentSlotChildId", SINCE, 1);
        w.text("LocationCode", SINCE, &port);
        w.text("Description", SINCE, "SAS Bus Controller");
    });
    let volumes = vios.into_iter().flat_map(|vios| &vios.physical_volumes);
    let local = volumes.filter(|volume| volume.transport == Transport::Local);
    let mut child = 3;
    for volume in local {
        disk(w, slot, &port, child, volume);
        child += 1;
    }
    w.member("IORDevice", |w| {
        w.text("ParentName", SINCE, &port);
        w.text("DeviceType", SINCE, "SASDevice");
        let serial = format!("YL{:010X}", identity(&port) >> 24);
        w.text("SerialNumber", SINCE, &serial);
        w.text("FruNumber", SINCE, "00E1945");
        w.text("CCIN", SINCE, "2B09");
        w.value("SlotChildId", SINCE, child);
        w.value("ParentSlotChildId", SINCE, 2);
        w.value("NumEnclosureBays", SINCE, BAYS);
        w.text("LocationCode", SINCE, &format!("{}-P2", slot.unit_location));
        w.text("MicroCodeVersion", SINCE, "03");
        w.text("Description", SINCE, "SES Controller");
    });
}

fn disk(w: &mut Writer, slot: &IoSlot, port: &str, child: u32, volume: &PhysicalVolume) {
    w.member("IORDevice", |w| {
        w.text("ParentName", SINCE, port);
        w.text("DeviceType", SINCE, "SASDevice");
        let serial = format!("{:08X}", identity(&volume.udid) >> 32);
        w.text("SerialNumber", SINCE, &serial);
        w.text("FruNumber", SINCE, "00E9914");
        w.text("PartNumber", SINCE, "00E9911");
        w.text("CCIN", SINCE, "59E4");
        w.value("SlotChildId", SINCE, child);
        w.value("ParentSlotChildId", SINCE, 2);
        w.value("Size", SINCE, volume.megabytes);
        w.text("SizeMetric", SINCE, "MB");
        let bay = format!("{}-P2-D{}", slot.unit_location, child - 2);
        w.text("LocationCode", SINCE, &bay);
        w.text("MicroCodeVersion", SINCE, "20202020");
        w.text("Description", SINCE, "Disk");
    });
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// 64 bits that are the same for the same place and differ for others (FNV-1a).
fn identity(place: &str) -> u64 {
    place.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
