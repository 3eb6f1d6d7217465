//! The client ends of storage adapters, as their partitions list them.

use std::sync::Arc;
use uuid::Uuid;

use super::{FcMapping, ScsiBus, VirtualIoServer};
use crate::model::partition::Partition;
use crate::model::refusal::Refusal;
use crate::model::world::World;

/// The UUID of a client adapter: made from its partition and slot, which no other adapter of the partition has.
#[must_use]
pub fn client_uuid(partition: Uuid, slot: u16) -> Uuid {
    Uuid::new_v3(
        &partition,
        format!("VirtualStorageClientAdapter/{slot}").as_bytes(),
    )
}

impl World {
    /// The Virtual I/O Servers that may serve a client: those of its system, or all if it is nowhere.
    pub(in crate::model) fn servers_of(
        &self,
        client: Uuid,
    ) -> impl Iterator<Item = &Arc<VirtualIoServer>> {
        let owner = self.owner(client).and_then(|owner| self.partition(owner));
        let system = owner.map(|partition| partition.system);
        let anywhere = system.is_none().then(|| self.vioses.values());
        let own = system.map(|system| self.vioses.of(system));
        own.into_iter()
            .flatten()
            .chain(anywhere.into_iter().flatten())
    }

    /// The Virtual I/O Servers of all systems that this holds for.
    pub(in crate::model) fn servers_where(
        &self,
        holds: impl Fn(&VirtualIoServer) -> bool,
    ) -> Vec<Uuid> {
        let servers = self.vioses.values().filter(|vios| holds(vios));
        servers.map(|vios| vios.partition.uuid).collect()
    }

    /// The virtual SCSI client adapters of a partition by slot, each with the server that it leads to.
    #[must_use]
    pub fn scsi_client_adapters(
        &self,
        partition: Uuid,
    ) -> Vec<(u16, &Arc<VirtualIoServer>, &Arc<ScsiBus>)> {
        let ends = self.servers_of(partition).flat_map(|vios| {
            let own = vios.buses.of(partition);
            own.filter_map(move |bus| Some((bus.client?.slot, vios, bus)))
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by_key(|(slot, ..)| *slot);
        ends
    }

    /// The virtual Fibre Channel client adapters of a partition by slot, each with the server that it leads to.
    #[must_use]
    pub fn fc_client_adapters(
        &self,
        partition: Uuid,
    ) -> Vec<(u16, &Arc<VirtualIoServer>, &Arc<FcMapping>)> {
        let ends = self.servers_of(partition).flat_map(|vios| {
            vios.fc_mappings.values().filter_map(move |mapping| {
                let client = mapping
                    .client
                    .filter(|client| client.partition == partition)?;
                Some((client.slot, vios, mapping))
            })
        });
        let mut ends: Vec<_> = ends.collect();
        ends.sort_by_key(|(slot, ..)| *slot);
        ends
    }

    /// The virtual SCSI client adapter in this slot.
    #[must_use]
    pub fn scsi_client_adapter(
        &self,
        partition: Uuid,
        slot: u16,
    ) -> Option<(&Arc<VirtualIoServer>, &Arc<ScsiBus>)> {
        let found = self.scsi_client_adapters(partition).into_iter();
        found
            .filter(|(own, ..)| *own == slot)
            .map(|(_, vios, bus)| (vios, bus))
            .next()
    }

    /// The virtual Fibre Channel client adapter in this slot.
    #[must_use]
    pub fn fc_client_adapter(
        &self,
        partition: Uuid,
        slot: u16,
    ) -> Option<(&Arc<VirtualIoServer>, &Arc<FcMapping>)> {
        let found = self.fc_client_adapters(partition).into_iter();
        found
            .filter(|(own, ..)| *own == slot)
            .map(|(_, vios, mapping)| (vios, mapping))
            .next()
    }

    /// The partition that a mapping of this server is for, if virtual adapters may come to it now.
    pub(super) fn client_of(
        &self,
        server: &VirtualIoServer,
        client: Uuid,
    ) -> Result<Arc<Partition>, Refusal> {
        let partition = self
            .partitions
            .get(&client)
            .filter(|partition| partition.system == server.partition.system);
        let partition = partition.map(Arc::clone).ok_or_else(|| {
            Refusal::logic(format!(
                "HSCL8012 The client partition {} of the mapping was not found on the managed system.",
                client.to_string().to_uppercase()
            ))
        })?;
        if partition.accepts_adapter_changes() {
            Ok(partition)
        } else {
            Err(self.no_rmc(&partition))
        }
    }
}
