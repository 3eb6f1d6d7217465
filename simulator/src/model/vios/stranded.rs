//! Server adapters whose client has gone.

use std::sync::Arc;
use uuid::Uuid;

use super::VirtualIoServer;
use crate::clock::Millis;
use crate::model::command::Outcome;
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

/// The client that a server adapter without one names, by numbers.
#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// `RemoteLogicalPartitionID` or `ConnectingPartitionID`.
    pub partition_id: u16,
    /// `RemoteSlotNumber` or `ConnectingVirtualSlotNumber`.
    pub slot: u16,
}

impl Awaited {
    /// Any client on any slot: 65535 both (`docs/protocol/mappings.md`).
    pub const ANY: Self = Self {
        partition_id: u16::MAX,
        slot: u16::MAX,
    };
}

impl World {
    /// Takes the client end off a server adapter of either kind, as it happens on real servers when a client is removed or
    /// migrates while its Virtual I/O Server cannot be reached. The server end goes on to name the client, or any client.
    pub(in crate::model) fn strand_adapter(
        &mut self,
        now: Millis,
        vios: Uuid,
        slot: u16,
        any: bool,
    ) -> Result<Outcome, Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let named = named_by(server, slot).ok_or_else(|| {
            Refusal::new(
                404,
                "Not Found",
                format!(
                    "Virtual I/O Server {} has no adapter with a client in slot {slot}.",
                    server.partition.name
                ),
            )
        })?;
        let (client, awaited, detail) = named;
        let awaited = if any { Awaited::ANY } else { awaited };
        self.edit_vios(vios, |server, version| {
            if let Some(mut bus) = server.buses.get_mut(&slot) {
                (bus.client, bus.awaited, bus.version) = (None, Some(awaited), version);
                server.mappings_version = version;
            }
            if let Some(mapping) = server.fc_mappings.get_mut(&slot).map(Arc::make_mut) {
                (mapping.client, mapping.awaited, mapping.version) = (None, Some(awaited), version);
                server.fc_version = version;
            }
        });
        self.edit_partition(Owner::Partition(client), |_| {});
        self.announce_partition(now, Owner::Vios(vios), detail);
        self.announce_partition(now, Owner::Partition(client), "Other");
        Ok(Outcome::Written(Resource::VirtualIoServer(vios)))
    }
}

fn named_by(server: &VirtualIoServer, slot: u16) -> Option<(Uuid, Awaited, &'static str)> {
    let bus = server
        .buses
        .get(&slot)
        .and_then(|bus| bus.client)
        .map(|client| {
            let awaited = Awaited {
                partition_id: client.partition_id,
                slot: client.slot,
            };
            (client.partition, awaited, "VirtualSCSIMappings")
        });
    bus.or_else(|| {
        let mapping = server.fc_mappings.get(&slot)?;
        Some((
            mapping.client?.partition,
            mapping.connecting(),
            "VirtualFibreChannelMappings",
        ))
    })
}
