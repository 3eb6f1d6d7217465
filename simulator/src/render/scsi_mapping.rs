//! `VirtualSCSIMappings`: one mapping for each device of each bus, one without storage for an empty bus.
//!
//! Recordings `fake_vios_feed`, `vio_multi_vscsi_mapping` and the cassette `refresher.yml`.

use super::context::Context;
use super::fragments::Written;
use super::storage;
use super::writer::{COD, CUA, CUD, CUR, Facets, ROR, Writer};
use crate::model::partition::Partition;
use crate::model::system::MachineId;
use crate::model::vios::{Backing, ScsiBus, ScsiClient, ScsiDevice, VirtualIoServer};

/// Writes all mappings, in the order of the server's slots.
pub(crate) fn write_all(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    written: &mut Written,
) {
    if !cx.world.tells_devices(vios) {
        for bus in vios.buses.values() {
            mapping(w, cx, vios, bus, None);
        }
        return;
    }
    written.write(w, cx, vios, |w, bus| {
        if bus.devices.is_empty() {
            mapping(w, cx, vios, bus, None);
        }
        for device in &bus.devices {
            mapping(w, cx, vios, bus, Some(device));
        }
    });
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
    let ends = ScsiEnds {
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

pub(crate) fn client_href(cx: &Context<'_>, system: uuid::Uuid, client: &ScsiClient) -> String {
    if cx.world.vioses.contains_key(&client.partition) {
        cx.vios(system, client.partition)
    } else {
        cx.partition(system, client.partition)
    }
}

/// The two adapters of a bus.
pub(crate) struct ScsiEnds<'a> {
    pub(crate) machine: &'a MachineId,
    pub(crate) server: &'a Partition,
    pub(crate) bus: &'a ScsiBus,
}

impl ScsiEnds<'_> {
    fn server_location(&self) -> String {
        self.machine.slot_location(self.server.id, self.bus.slot)
    }

    fn client_location(&self, client: &ScsiClient) -> String {
        self.machine.slot_location(client.partition_id, client.slot)
    }

    pub(crate) fn client_adapter(&self, w: &mut Writer, client: &ScsiClient) {
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

    pub(crate) fn server_adapter(&self, w: &mut Writer, backing: Option<&str>) {
        let location = self.server_location();
        adapter(w, "Server", &location, self.server.id, self.bus.slot);
        w.text("AdapterName", CUR, &self.bus.adapter_name());
        w.optional("BackingDeviceName", CUR, backing);
        let remote = self.bus.remote();
        w.value("RemoteLogicalPartitionID", CUR, remote.partition_id);
        w.value("RemoteSlotNumber", CUA, remote.slot);
        if let Some(client) = &self.bus.client {
            w.text("ServerLocationCode", CUR, &self.client_location(client));
        }
        w.text("UniqueDeviceID", ROR, &format!("1e{location}"));
    }

    /// The client adapter of a `VirtualSCSIBus`, which says less than that of a mapping.
    pub(crate) fn bus_client_adapter(&self, w: &mut Writer, client: &ScsiClient) {
        let location = self.client_location(client);
        bus_adapter(w, "Client", &location, client.partition_id, client.slot);
        w.value("RemoteLogicalPartitionID", CUR, self.server.id);
        w.value("RemoteSlotNumber", CUA, self.bus.slot);
    }

    /// The server adapter of a `VirtualSCSIBus`.
    pub(crate) fn bus_server_adapter(&self, w: &mut Writer, backing: Option<&str>) {
        let location = self.server_location();
        bus_adapter(w, "Server", &location, self.server.id, self.bus.slot);
        w.text("AdapterName", CUR, &self.bus.adapter_name());
        w.optional("BackingDeviceName", CUR, backing);
        let remote = self.bus.remote();
        w.value("RemoteLogicalPartitionID", CUR, remote.partition_id);
        w.value("RemoteSlotNumber", CUA, remote.slot);
        w.text("UniqueDeviceID", ROR, &format!("1e{location}"));
    }

    /// What the server adapter of a bus calls its device: the last one that was mapped.
    pub(crate) fn backing_name(&self, cx: &Context<'_>, vios: &VirtualIoServer) -> Option<String> {
        let device = self.bus.devices.last()?;
        backing_name(cx, vios, &device.backing)
    }
}

fn bus_adapter(w: &mut Writer, end: &str, location: &str, partition_id: u16, slot: u16) {
    w.text("AdapterType", ROR, end);
    w.text("DynamicReconfigurationConnectorName", CUD, location);
    w.text("LocationCode", ROR, location);
    w.value("LocalPartitionID", CUR, partition_id);
    w.value("VirtualSlotNumber", COD, slot);
}

const VARIED_ON: Facets = CUD.volatile();

fn adapter(w: &mut Writer, end: &str, location: &str, partition_id: u16, slot: u16) {
    w.text("AdapterType", ROR, end);
    w.text("DynamicReconfigurationConnectorName", CUD, location);
    w.text("LocationCode", ROR, location);
    w.value("LocalPartitionID", CUR, partition_id);
    w.flag("RequiredAdapter", CUD, false);
    w.flag("VariedOn", VARIED_ON, true);
    w.value("VirtualSlotNumber", COD, slot);
}

/// What a server adapter calls its device. Nothing if the storage is gone, which the model does not let happen.
fn backing_name(cx: &Context<'_>, vios: &VirtualIoServer, backing: &Backing) -> Option<String> {
    match backing {
        Backing::LogicalUnit { tier, unit } => cx
            .world
            .logical_unit(*tier, *unit)
            .map(|unit| unit.name.clone()),
        Backing::PhysicalVolume { name }
        | Backing::OpticalMedium { name, .. }
        | Backing::External { name } => Some(name.clone()),
        Backing::VirtualDisk { group, udid } => vios
            .volume_group(*group)
            .and_then(|group| group.disk(udid))
            .map(|disk| disk.name.clone()),
    }
}

pub(crate) fn storage_element(
    w: &mut Writer,
    cx: &Context<'_>,
    vios: &VirtualIoServer,
    backing: &Backing,
) {
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
        Backing::External { name } => {
            if let Some(disk) = vios.external_disks.get(name) {
                storage::external_disk(w, disk);
            }
        }
    }
}

pub(crate) fn target_device(w: &mut Writer, device: &ScsiDevice) {
    let name = match device.backing {
        Backing::LogicalUnit { .. } => "SharedStoragePoolLogicalUnitVirtualTargetDevice",
        Backing::PhysicalVolume { .. } => "PhysicalVolumeVirtualTargetDevice",
        Backing::VirtualDisk { .. } | Backing::External { .. } => {
            "LogicalVolumeVirtualTargetDevice"
        }
        Backing::OpticalMedium { .. } => "VirtualOpticalTargetDevice",
    };
    w.member(name, |w| {
        w.text("LogicalUnitAddress", CUR, &device.lua);
        w.text("TargetName", CUR, &device.target);
        w.text("UniqueDeviceID", ROR, &device.target_udid);
    });
}
