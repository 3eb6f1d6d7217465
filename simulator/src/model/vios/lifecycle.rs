//! A Virtual I/O Server comes into being, and goes (`docs/protocol/partitions.md`).

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::{Buses, IscsiInitiator, VirtualIoServer};
use crate::clock::Millis;
use crate::model::command::{CreatePartition, Outcome};
use crate::model::names::{EventKind, PartitionKind, PartitionState};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

/// `OperatingSystemVersion` of a server on which nothing is installed (cassette `refresher.yml`).
const NO_SOFTWARE: &str = "VIOS ";

impl VirtualIoServer {
    /// Whether there is software on it that boots; a server that was made over REST has none.
    pub(in crate::model) fn is_installed(&self) -> bool {
        !self.level.is_empty() || !self.volume_groups.is_empty()
    }
}

impl World {
    /// A server without disks and software, by the rules of partitions.
    pub(in crate::model) fn create_vios(
        &mut self,
        now: Millis,
        request: CreatePartition,
    ) -> Result<Outcome, Refusal> {
        let request = CreatePartition {
            kind: PartitionKind::VirtualIoServer,
            ..request
        };
        let system = request.system;
        let wishes = request.io_slots.clone();
        let (mut partition, _) = self.new_partition(now, request)?;
        NO_SOFTWARE.clone_into(&mut partition.os_version);
        let uuid = partition.uuid;
        let version = partition.version;
        let server = VirtualIoServer {
            partition,
            level: String::new(),
            mover: true,
            physical_volumes: Vec::new(),
            volume_groups: Vec::new(),
            buses: Buses::default(),
            fc_adapters: Vec::new(),
            fc_mappings: OrdMap::new(),
            external_disks: OrdMap::new(),
            iscsi: IscsiInitiator::default(),
            shared_ethernet: Vec::new(),
            free_ports: Vec::new(),
            mappings_version: version,
            fc_version: version,
            storage_version: version,
            network_version: version,
        };
        self.vioses.insert(uuid, Arc::new(server));
        self.claim_io_slots(uuid, wishes)?;
        let resource = Resource::VirtualIoServer(uuid);
        self.announce(now, EventKind::AddUri, resource, "");
        self.touch_system(now, system);
        Ok(Outcome::Written(resource))
    }

    /// Only one that is off, and on which nobody depends: no client, no cluster, no bridge, no virtual NIC.
    pub(in crate::model) fn delete_vios(
        &mut self,
        now: Millis,
        uuid: Uuid,
    ) -> Result<Outcome, Refusal> {
        let server = self.vioses.get(&uuid).map(Arc::clone);
        let server = server.ok_or_else(|| Refusal::not_found("VirtualIOServer", uuid))?;
        let partition = &server.partition;
        if partition.is_management {
            return Err(Refusal::logic(
                "The management partition cannot be deleted.",
            ));
        }
        if partition.state != PartitionState::NotActivated {
            return Err(Refusal::logic(format!(
                "HSCL05DF Partition {} is {}. It must be not activated to be deleted.",
                partition.name, partition.state
            )));
        }
        let mut buses = server.buses.values();
        let mut channels = server.fc_mappings.values();
        let needed_by = if let Some(cluster) = self.cluster_of(uuid) {
            Some(format!("cluster {}", cluster.name))
        } else if buses.any(|bus| bus.client.is_some())
            || channels.any(|mapping| mapping.client.is_some())
        {
            Some("the adapters of its client partitions".to_owned())
        } else if !server.shared_ethernet.is_empty() {
            Some("a network bridge".to_owned())
        } else if partition
            .logical_ports
            .values()
            .any(|port| port.vnic.is_some())
        {
            Some("virtual NICs".to_owned())
        } else if self.migrates_at(partition.system) {
            Some("a migration".to_owned())
        } else if self.pages_for_memory_pool(uuid) {
            Some("the shared memory pool".to_owned())
        } else {
            None
        };
        if let Some(needed_by) = needed_by {
            return Err(Refusal::logic(format!(
                "Virtual I/O Server {} cannot be deleted: it serves {needed_by}.",
                partition.name
            )));
        }
        let resource = Resource::VirtualIoServer(uuid);
        self.announce(now, EventKind::DeleteUri, resource, "");
        self.release_io_slots(partition.system, uuid);
        self.vioses.remove(&uuid);
        self.derive_networks(now, partition.system);
        self.touch_system(now, partition.system);
        Ok(Outcome::Deleted(resource))
    }

    fn migrates_at(&self, system: Uuid) -> bool {
        let mut migrations = self.migrations.values();
        migrations.any(|migration| migration.source == system || migration.target == system)
    }

    fn pages_for_memory_pool(&self, vios: Uuid) -> bool {
        self.systems.values().any(|system| {
            let pool = system.memory_pool.as_ref();
            pool.is_some_and(|pool| pool.paging_servers.contains(&vios))
        })
    }
}
