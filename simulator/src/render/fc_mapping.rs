//! `VirtualFibreChannelMappings`: one for each virtual Fibre Channel server adapter.
//!
//! Recordings `fake_vios_feed`, `fake_vios_ssp_npiv` and the cassette `refresher.yml`. A mapping lacks the client, the port
//! or both where it has none; the server adapter is always there.

use super::context::Context;
use super::slots::mapped_fc_port;
use super::writer::{COD, CUD, CUR, Facets, ROR, Writer};
use crate::model::partition::Partition;
use crate::model::system::MachineId;
use crate::model::vios::{FcClient, FcMapping, VirtualIoServer};

/// Writes all mappings, in the order of the server's slots.
pub(crate) fn write_all(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer) {
    for mapping in vios.fc_mappings.values() {
        write(w, cx, vios, mapping);
    }
}

fn write(w: &mut Writer, cx: &Context<'_>, vios: &VirtualIoServer, mapping: &FcMapping) {
    let Some(system) = cx.world.systems.get(&vios.partition.system) else {
        return;
    };
    let ends = FcEnds {
        cx,
        machine: &system.machine,
        vios,
        mapping,
    };
    w.member("VirtualFibreChannelMapping", |w| {
        if let Some(client) = &mapping.client {
            let href = cx.partition(system.uuid, client.partition);
            w.reference("AssociatedLogicalPartition", CUR, &href);
            w.section("ClientAdapter", CUR, |w| {
                ends.client_adapter(w, client, |_| ());
                ends.wwpns(w, client);
            });
        }
        let port = mapping.port.as_deref().and_then(|name| vios.fc_port(name));
        if let Some(port) = port.filter(|_| cx.world.tells_devices(vios)) {
            w.section("Port", CUR, |w| mapped_fc_port(w, cx, vios, port));
        }
        w.section("ServerAdapter", CUR, |w| ends.server_adapter(w));
    });
}

/// The two adapters of a mapping.
pub(crate) struct FcEnds<'a> {
    pub(crate) cx: &'a Context<'a>,
    pub(crate) machine: &'a MachineId,
    pub(crate) vios: &'a VirtualIoServer,
    pub(crate) mapping: &'a FcMapping,
}

impl FcEnds<'_> {
    const fn server(&self) -> &Partition {
        &self.vios.partition
    }

    /// Up to the slot of the server adapter; `inserted` stands before the numbers of the other end.
    pub(crate) fn client_adapter(
        &self,
        w: &mut Writer,
        client: &FcClient,
        inserted: impl FnOnce(&mut Writer),
    ) {
        let location = self.machine.slot_location(client.partition_id, client.slot);
        adapter(w, "Client", &location, client.partition_id, client.slot);
        inserted(w);
        w.value("ConnectingPartitionID", CUR, self.server().id);
        w.value("ConnectingVirtualSlotNumber", CUR, self.mapping.slot);
    }

    pub(crate) fn wwpns(&self, w: &mut Writer, client: &FcClient) {
        let [first, second] = client.wwpns;
        w.value("WWPNs", CUR, format_args!("{first:016x} {second:016x}"));
    }

    pub(crate) fn server_adapter(&self, w: &mut Writer) {
        let (server, mapping) = (self.server(), self.mapping);
        let location = self.machine.slot_location(server.id, mapping.slot);
        adapter(w, "Server", &location, server.id, mapping.slot);
        w.text("AdapterName", CUR, &mapping.adapter_name());
        let other = mapping.connecting();
        w.value("ConnectingPartitionID", CUR, other.partition_id);
        w.value("ConnectingVirtualSlotNumber", CUR, other.slot);
        w.text("UniqueDeviceID", CUR, &format!("1d{location}"));
        if let Some(port) = mapping
            .port
            .as_deref()
            .and_then(|name| self.vios.fc_port(name))
        {
            w.text("MapPort", CUR, &port.name);
            w.section("PhysicalPort", CUD, |w| {
                mapped_fc_port(w, self.cx, self.vios, port)
            });
        }
    }
}

const VARIED_ON: Facets = CUD.volatile();

fn adapter(w: &mut Writer, end: &str, location: &str, partition_id: u16, slot: u16) {
    w.text("AdapterType", ROR, end);
    w.text("DynamicReconfigurationConnectorName", CUD, location);
    w.text("LocationCode", ROR, location);
    w.value("LocalPartitionID", CUR, partition_id);
    // Both in the cassette `refresher.yml`, of either end.
    w.flag("RequiredAdapter", CUD, false);
    w.flag("VariedOn", VARIED_ON, true);
    w.value("VirtualSlotNumber", COD, slot);
}
