//! A posted list of virtual Fibre Channel mappings against those that are there (`docs/protocol/fibre-channel.md`).

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{FcClient, FcMapping, VirtualIoServer};
use crate::clock::Millis;
use crate::model::command::{FcMappingRequest, WwpnChoice};
use crate::model::refusal::Refusal;
use crate::model::resource::Owner;
use crate::model::world::World;

impl World {
    /// A posted mapping is known by its server adapter, else by its client's port names. What is there and not posted goes,
    /// what is posted and not there is made, and one without a port may be given one.
    pub(super) fn replace_fc_mappings(
        &mut self,
        now: Millis,
        vios: Uuid,
        posted: Vec<FcMappingRequest>,
    ) -> Result<(), Refusal> {
        let Some(server) = self.vioses.get(&vios).map(Arc::clone) else {
            return Err(Refusal::not_found("VirtualIOServer", vios));
        };
        let mut kept = BTreeSet::new();
        let (mut new, mut ported) = (Vec::new(), Vec::new());
        for request in posted {
            match self.posted_slot(&server, &request)? {
                Some(slot) => {
                    kept.insert(slot);
                    let present = server
                        .fc_mappings
                        .get(&slot)
                        .and_then(|mapping| mapping.port.as_ref());
                    if request.port.is_some() && request.port.as_ref() != present {
                        ported.push((slot, request.port));
                    }
                }
                None => new.push(request),
            }
        }
        let gone: Vec<Arc<FcMapping>> = server
            .fc_mappings
            .values()
            .filter(|mapping| !kept.contains(&mapping.slot))
            .map(Arc::clone)
            .collect();
        if gone.is_empty() && new.is_empty() && ported.is_empty() {
            return Ok(());
        }
        self.check_vios_is_ready(&server)?;
        let mut clients = BTreeSet::new();
        for mapping in &gone {
            self.check_fc_client_lets_go(mapping)?;
            clients.extend(mapping.client.map(|client| client.partition));
        }
        self.edit_vios(vios, |server, version| {
            for mapping in &gone {
                server.fc_mappings.remove(&mapping.slot);
            }
            server.fc_version = version;
        });
        for (slot, port) in ported {
            self.give_port(vios, slot, port)?;
        }
        for request in new {
            clients.extend(request.client);
            self.add_fc_mapping(vios, &request)?;
        }
        self.settle_fc_mappings(now, vios, &clients);
        Ok(())
    }

    /// The mapping that a posted one means, if it is there.
    fn posted_slot(
        &self,
        server: &VirtualIoServer,
        request: &FcMappingRequest,
    ) -> Result<Option<u16>, Refusal> {
        if let Some(udid) = &request.server_udid {
            let found = server
                .fc_mappings
                .values()
                .find(|mapping| self.fc_server_udid(server, mapping) == *udid);
            return found.map(|mapping| Some(mapping.slot)).ok_or_else(|| {
                Refusal::logic(format!(
                    "There is no virtual Fibre Channel server adapter {udid} on Virtual I/O Server {}.",
                    server.partition.name
                ))
            });
        }
        let WwpnChoice::Given(wwpns) = request.wwpns else {
            return Ok(None);
        };
        let same = |mapping: &&Arc<FcMapping>| {
            mapping.client.is_some_and(|client| {
                wwpns.contains(&client.wwpns[0])
                    && wwpns.contains(&client.wwpns[1])
                    && Some(client.partition) == request.client
            })
        };
        Ok(server
            .fc_mappings
            .values()
            .find(same)
            .map(|mapping| mapping.slot))
    }

    pub(in crate::model) fn add_fc_mapping(
        &mut self,
        vios: Uuid,
        request: &FcMappingRequest,
    ) -> Result<(), Refusal> {
        let server = self
            .vioses
            .get(&vios)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("VirtualIOServer", vios))?;
        let client = request.client.ok_or_else(|| {
            Refusal::logic("A new virtual Fibre Channel mapping must name its client partition in AssociatedLogicalPartition.")
        })?;
        let partition = self.client_of(&server, client)?;
        let wwpns = match request.wwpns {
            WwpnChoice::Given(wwpns) => self.check_wwpns(wwpns)?,
            WwpnChoice::Next => self.next_wwpns(server.partition.system)?,
        };
        let client_slot = self.free_slot(Owner::Partition(client), request.client_slot)?;
        let slot = self.free_slot(Owner::Vios(vios), request.server_slot)?;
        let used: BTreeSet<u32> = server
            .fc_mappings
            .values()
            .map(|mapping| mapping.vfchost)
            .collect();
        let vfchost = (0..)
            .find(|number| !used.contains(number))
            .unwrap_or(u32::MAX);
        let client = FcClient {
            partition: client,
            partition_id: partition.id,
            slot: client_slot,
            wwpns,
        };
        self.edit_vios(vios, |server, version| {
            let mapping = FcMapping {
                slot,
                vfchost,
                client: Some(client),
                awaited: None,
                port: None,
                version,
            };
            server.fc_mappings.insert(slot, Arc::new(mapping));
            server.fc_version = version;
        });
        self.give_port(vios, slot, request.port.clone())
    }

    /// Puts a physical port behind a mapping.
    fn give_port(&mut self, vios: Uuid, slot: u16, port: Option<String>) -> Result<(), Refusal> {
        let (Some(server), Some(name)) = (self.vioses.get(&vios), port) else {
            return Ok(());
        };
        let refuse = |why: String| {
            Err(Refusal::internal(format!(
                "HSCL2970 The IOServer command on {} has failed: {why}",
                server.partition.name
            )))
        };
        let Some(port) = server.fc_port(&name) else {
            return refuse(format!("there is no Fibre Channel port {name}."));
        };
        if port.total == 0 {
            return refuse(format!(
                "the port {name} or its switch does not support NPIV."
            ));
        }
        if server.available_ports(port) == 0 {
            return refuse(format!(
                "the port {name} has no virtual port left of its {}.",
                port.total
            ));
        }
        self.edit_vios(vios, |server, version| {
            if let Some(mapping) = server.fc_mappings.get_mut(&slot).map(Arc::make_mut) {
                mapping.port = Some(name);
                mapping.version = version;
            }
            server.fc_version = version;
        });
        Ok(())
    }

    /// Port names that a client brings along: two different ones that no other adapter has.
    fn check_wwpns(&self, wwpns: [u64; 2]) -> Result<[u64; 2], Refusal> {
        let [first, second] = wwpns;
        if first == second {
            return Err(Refusal::logic(
                "The two WWPNs of a virtual Fibre Channel adapter must differ.",
            ));
        }
        match wwpns.iter().find(|wwpn| self.wwpn_in_use(**wwpn)) {
            Some(taken) => Err(Refusal::logic(format!(
                "The WWPN {taken:016x} is already used by another Fibre Channel adapter."
            ))),
            None => Ok(wwpns),
        }
    }

    /// Removing the adapter pair of an active client needs its operating system.
    fn check_fc_client_lets_go(&self, mapping: &FcMapping) -> Result<(), Refusal> {
        match mapping
            .client
            .and_then(|client| self.partitions.get(&client.partition))
        {
            Some(partition) if !partition.accepts_adapter_changes() => Err(self.no_rmc(partition)),
            _ => Ok(()),
        }
    }

    /// What follows from changed mappings: the clients' adapter lists and events.
    pub(in crate::model) fn settle_fc_mappings(
        &mut self,
        now: Millis,
        vios: Uuid,
        clients: &BTreeSet<Uuid>,
    ) {
        self.announce_partition(now, Owner::Vios(vios), "VirtualFibreChannelMappings");
        for client in clients {
            self.edit_partition(Owner::Partition(*client), |_| {});
            self.announce_partition(now, Owner::Partition(*client), "Other");
        }
    }

    /// Removes every virtual Fibre Channel adapter that is paired with a client.
    pub(in crate::model) fn remove_fc_mappings_of(&mut self, now: Millis, client: Uuid) {
        let of_client =
            |mapping: &FcMapping| mapping.client.is_some_and(|end| end.partition == client);
        let serves = |vios: &VirtualIoServer| vios.fc_mappings.values().any(|own| of_client(own));
        for vios in self.servers_where(serves) {
            self.edit_vios(vios, |server, version| {
                let own = server.fc_mappings.values();
                let own = own.filter(|mapping| of_client(mapping));
                let slots: Vec<u16> = own.map(|mapping| mapping.slot).collect();
                for slot in slots {
                    server.fc_mappings.remove(&slot);
                }
                server.fc_version = version;
            });
            self.settle_fc_mappings(now, vios, &BTreeSet::new());
        }
    }

    /// The virtual Fibre Channel mappings of a Virtual I/O Server as a client would post them back unchanged.
    #[must_use]
    pub fn posted_fc_mappings(&self, vios: Uuid) -> Vec<FcMappingRequest> {
        let Some(server) = self.vioses.get(&vios) else {
            return Vec::new();
        };
        let posted = server.fc_mappings.values().map(|mapping| FcMappingRequest {
            client: mapping.client.map(|client| client.partition),
            server_udid: Some(self.fc_server_udid(server, mapping)),
            port: mapping.port.clone(),
            ..FcMappingRequest::default()
        });
        posted.collect()
    }

    /// `UniqueDeviceID` of a server adapter: `1d` and its location.
    #[must_use]
    pub fn fc_server_udid(&self, vios: &VirtualIoServer, mapping: &FcMapping) -> String {
        let system = self.systems.get(&vios.partition.system);
        let location = system
            .map(|system| {
                system
                    .machine
                    .slot_location(vios.partition.id, mapping.slot)
            })
            .unwrap_or_default();
        format!("1d{location}")
    }
}
