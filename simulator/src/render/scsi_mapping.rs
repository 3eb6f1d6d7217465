//! `VirtualSCSIMappings`: one mapping for each device of each bus, one without storage for an empty bus.
//!
//! Recordings `fake_vios_feed`, `vio_multi_vscsi_mapping` and the cassette `refresher.yml`.

use super::context::Context;
use super::storage;
use super::writer::{COD, CUA, CUD, CUR, Facets, ROR, Writer};
use crate::model::partition::Partition;
use crate::model::system::MachineId;
use crate::model::vios::{Backing, ScsiBus, ScsiClient, ScsiDevice, VirtualIoServer};

/// The partition and slot numbers of a server adapter that any client may use.
const ANY: u16 = u16::MAX;

/// Writes all mappings, in the order of the server's slots.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    for bus in vios.buses.values() {
        if bus.devices.is_empty() {
            mapping(w, cx, vios, bus, None);
        }
        for device in &bus.devices {
            mapping(w, cx, vios, bus, Some(device));
        }
    }
}

fn mapping(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    bus: &ScsiBus,
    device: Option<&ScsiDevice>,
) {
    let Some(system) = cx.world.systems.get(&vios.partition.system) else {
        return;
    };
    let ends = Ends {
        machine: &system.machine,
        server: &vios.partition,
        bus,
    };
    w.member("VirtualSCSIMapping", |w| {
        if let Some(client) = &bus.client {
            w.reference(
                "AssociatedLogicalPartition",
                CUR,
                &client_href(cx, system.uuid, client),
            );
            w.section("ClientAdapter", CUR, |w| ends.client_adapter(w, client));
        }
        let backing = device.and_then(|device| backing_name(cx, vios, &device.backing));
        w.section("ServerAdapter", CUR, |w| {
            ends.server_adapter(w, backing.as_deref())
        });
        if let Some(device) = device {
            w.choice("Storage", CUR, |w| {
                storage_element(w, cx, vios, &device.backing)
            });
            w.choice("TargetDevice", CUR, |w| target_device(w, device));
        }
    });
}

fn client_href(cx: &Context<'_>, system: uuid::Uuid, client: &ScsiClient) -> String {
    if cx.world.vioses.contains_key(&client.partition) {
        cx.vios(system, client.partition)
    } else {
        cx.partition(system, client.partition)
    }
}

/// The two adapters of a bus.
struct Ends<'a> {
    machine: &'a MachineId,
    server: &'a Partition,
    bus: &'a ScsiBus,
}

impl Ends<'_> {
    fn server_location(&self) -> String {
        self.machine.slot_location(self.server.id, self.bus.slot)
    }

    fn client_location(&self, client: &ScsiClient) -> String {
        self.machine.slot_location(client.partition_id, client.slot)
    }

    fn client_adapter(&self, w: &mut Writer, client: &ScsiClient) {
        adapter(
            w,
            "Client",
            &self.client_location(client),
            client.partition_id,
            client.slot,
        );
        w.value("RemoteLogicalPartitionID", CUR, self.server.id);
        w.value("RemoteSlotNumber", CUA, self.bus.slot);
        w.text("ServerLocationCode", CUR, &self.server_location());
    }

    fn server_adapter(&self, w: &mut Writer, backing: Option<&str>) {
        let location = self.server_location();
        adapter(w, "Server", &location, self.server.id, self.bus.slot);
        w.text("AdapterName", CUR, &self.bus.adapter_name());
        w.optional("BackingDeviceName", CUR, backing);
        let (partition, slot) = self
            .bus
            .client
            .map_or((ANY, ANY), |client| (client.partition_id, client.slot));
        w.value("RemoteLogicalPartitionID", CUR, partition);
        w.value("RemoteSlotNumber", CUA, slot);
        if let Some(client) = &self.bus.client {
            w.text("ServerLocationCode", CUR, &self.client_location(client));
        }
        w.text("UniqueDeviceID", ROR, &format!("1e{location}"));
    }
}

const VARIED_ON: Facets = CUD.volatile();

fn adapter(w: &mut Writer, end: &str, location: &str, partition_id: u16, slot: u16) {
    w.text("AdapterType", ROR, end);
    w.text("DynamicReconfigurationConnectorName", CUD, location);
    w.text("LocationCode", ROR, location);
    w.value("LocalPartitionID", CUR, partition_id);
    w.value("RequiredAdapter", CUD, false);
    w.value("VariedOn", VARIED_ON, true);
    w.value("VirtualSlotNumber", COD, slot);
}

/// What a server adapter calls its device. Nothing if the storage is gone, which the model does not let happen.
fn backing_name(cx: &Context<'_>, vios: &VirtualIoServer, backing: &Backing) -> Option<String> {
    match backing {
        Backing::LogicalUnit { tier, unit } => cx
            .world
            .logical_unit(*tier, *unit)
            .map(|unit| unit.name.clone()),
        Backing::PhysicalVolume { name } | Backing::OpticalMedium { name, .. } => {
            Some(name.clone())
        }
        Backing::VirtualDisk { group, udid } => vios
            .volume_group(*group)
            .and_then(|group| group.disk(udid))
            .map(|disk| disk.name.clone()),
    }
}

fn storage_element(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer, backing: &Backing) {
    match backing {
        Backing::LogicalUnit { tier, unit } => {
            if let Some(unit) = cx.world.logical_unit(*tier, *unit) {
                w.member("LogicalUnit", |w| storage::logical_unit_properties(w, unit));
            }
        }
        Backing::PhysicalVolume { name } => {
            if let Some(volume) = vios.physical_volume(name) {
                super::physical_volume::write(w, volume, false);
            }
        }
        Backing::VirtualDisk { group, udid } => {
            if let Some(disk) = vios.volume_group(*group).and_then(|group| group.disk(udid)) {
                storage::virtual_disk(w, disk, None);
            }
        }
        Backing::OpticalMedium { group, name } => {
            let repository = vios
                .volume_group(*group)
                .and_then(|group| group.repository.as_ref());
            if let Some(medium) = repository.and_then(|repository| repository.media.get(name)) {
                storage::optical_medium(w, medium);
            }
        }
    }
}

fn target_device(w: &mut Writer, device: &ScsiDevice) {
    let name = match device.backing {
        Backing::LogicalUnit { .. } => "SharedStoragePoolLogicalUnitVirtualTargetDevice",
        Backing::PhysicalVolume { .. } => "PhysicalVolumeVirtualTargetDevice",
        Backing::VirtualDisk { .. } => "LogicalVolumeVirtualTargetDevice",
        Backing::OpticalMedium { .. } => "VirtualOpticalTargetDevice",
    };
    w.member(name, |w| {
        w.text("LogicalUnitAddress", CUR, &device.lua);
        w.text("TargetName", CUR, &device.target);
        w.text("UniqueDeviceID", ROR, &device.target_udid);
    });
}
