//! A posted list of virtual SCSI mappings against those that are there (`docs/protocol/mappings.md`).

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::plan::{Place, leftovers};
use super::{Backing, VirtualIoServer};
use crate::clock::Millis;
use crate::model::command::{Outcome, ScsiMapping, UpdatePartition, UpdateVios};
use crate::model::names::{Flavor, PartitionState};
use crate::model::refusal::Refusal;
use crate::model::resource::{Owner, Resource};
use crate::model::world::World;

impl World {
    pub(in crate::model) fn update_vios(
        &mut self,
        now: Millis,
        request: UpdateVios,
    ) -> Result<Outcome, Refusal> {
        let resource = Resource::VirtualIoServer(request.vios);
        if !self.vioses.contains_key(&request.vios) {
            return Err(Refusal::not_found("VirtualIOServer", request.vios));
        }
        if let Some(base) = request.base {
            self.update_partition(
                now,
                UpdatePartition {
                    owner: Owner::Vios(request.vios),
                    ..base
                },
            )?;
        }
        if let Some(posted) = request.scsi_mappings {
            self.replace_mappings(now, request.vios, posted)?;
        }
        if let Some(posted) = request.fc_mappings {
            self.replace_fc_mappings(now, request.vios, posted)?;
        }
        Ok(Outcome::Written(resource))
    }

    pub(super) fn replace_mappings(
        &mut self,
        now: Millis,
        vios: Uuid,
        posted: Vec<ScsiMapping>,
    ) -> Result<(), Refusal> {
        let plan = self.plan_mappings(vios, posted)?;
        let Some(server) = self.vioses.get(&vios).map(Arc::clone) else {
            return Ok(());
        };
        let (gone_buses, gone_devices) = leftovers(&server, &plan);
        if gone_buses.is_empty() && gone_devices.is_empty() && plan.new.is_empty() {
            return Ok(());
        }
        self.check_vios_is_ready(&server)?;
        for slot in &gone_buses {
            self.check_client_lets_go(&server, *slot)?;
        }
        let mut touched: BTreeSet<Backing> = BTreeSet::new();
        let mut clients: BTreeSet<Uuid> = BTreeSet::new();
        self.edit_vios(vios, |server, version| {
            for (slot, targets) in &gone_devices {
                let Some(mut bus) = server.buses.get_mut(slot) else {
                    continue;
                };
                touched.extend(
                    bus.devices
                        .iter()
                        .filter(|device| targets.contains(&device.target))
                        .map(|device| device.backing.clone()),
                );
                bus.devices
                    .retain(|device| !targets.contains(&device.target));
                bus.version = version;
            }
            for slot in &gone_buses {
                if let Some(bus) = server.buses.remove(slot) {
                    touched.extend(bus.devices.iter().map(|device| device.backing.clone()));
                    clients.extend(bus.client.map(|client| client.partition));
                }
            }
            server.mappings_version = version;
        });
        for (place, backing, mapping) in plan.new {
            let slot = match place {
                Place::Bus(slot) => slot,
                Place::NewBus(client) => {
                    clients.insert(client);
                    self.add_bus(vios, client, &mapping)?
                }
            };
            if let Some(backing) = backing {
                touched.insert(backing.clone());
                self.add_device(vios, slot, backing, &mapping)?;
            }
        }
        self.settle_mappings(now, vios, &touched, &clients);
        Ok(())
    }

    /// Removing the adapter pair of an active client needs its operating system.
    fn check_client_lets_go(&self, server: &VirtualIoServer, slot: u16) -> Result<(), Refusal> {
        let client = server.buses.get(&slot).and_then(|bus| bus.client);
        match client.and_then(|client| self.partitions.get(&client.partition)) {
            Some(partition) if !partition.accepts_adapter_changes() => Err(self.no_rmc(partition)),
            _ => Ok(()),
        }
    }

    /// What follows from changed mappings: units in use, available volumes, the clients' adapter lists, events.
    pub(in crate::model) fn settle_mappings(
        &mut self,
        now: Millis,
        vios: Uuid,
        touched: &BTreeSet<Backing>,
        clients: &BTreeSet<Uuid>,
    ) {
        let mapped: BTreeSet<Backing> = self
            .vioses
            .get(&vios)
            .into_iter()
            .flat_map(|server| server.devices())
            .filter_map(|(_, device)| touched.get(&device.backing).cloned())
            .collect();
        for backing in touched {
            match backing {
                Backing::LogicalUnit { tier, unit } => {
                    // Only what this server does not map needs a look at all the others.
                    let in_use = mapped.contains(backing)
                        || self.vioses.values().any(|vios| vios.maps(backing));
                    self.settle_unit_use(now, *tier, *unit, in_use);
                }
                Backing::PhysicalVolume { .. } => {
                    self.edit_vios(vios, |server, version| server.storage_version = version)
                }
                Backing::External { name } => self.close_external(vios, name),
                Backing::VirtualDisk { .. } | Backing::OpticalMedium { .. } => {}
            }
        }
        self.announce_partition(now, Owner::Vios(vios), "VirtualSCSIMappings");
        for client in clients {
            self.edit_partition(Owner::Partition(*client), |_| {});
            self.announce_partition(now, Owner::Partition(*client), "Other");
        }
    }

    /// Whether the console knows what is behind the adapters of a Virtual I/O Server. An HMC asks the server, which cannot
    /// answer while it is off; a NovaLink told all of one (recording `fake_vios_hosting_vios_feed`).
    #[must_use]
    pub fn tells_devices(&self, server: &VirtualIoServer) -> bool {
        self.flavor != Flavor::Hmc || server.partition.state != PartitionState::NotActivated
    }

    /// Storage and mappings of a Virtual I/O Server can be had only while it runs with a live RMC connection.
    pub(in crate::model) fn check_vios_is_ready(
        &self,
        server: &VirtualIoServer,
    ) -> Result<(), Refusal> {
        let partition = &server.partition;
        if partition.state == PartitionState::Running && partition.rmc.is_up() {
            return Ok(());
        }
        let machine = self
            .systems
            .get(&partition.system)
            .map(|system| system.machine.to_string())
            .unwrap_or_default();
        Err(Refusal::internal(format!(
            "Virtual I/O Server {} with ID {} in System {machine} cannot be reached: it is {}, its RMC state is {}.",
            partition.name, partition.id, partition.state, partition.rmc
        )))
    }
}
