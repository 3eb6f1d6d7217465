//! One command, one transaction: it happens wholly or not at all.

use std::sync::Arc;
use uuid::Uuid;

use super::command::{Command, Outcome};
use super::events::EventData;
use super::names::EventKind;
use super::partition::Partition;
use super::refusal::Refusal;
use super::resource::{Owner, Resource};
use super::vios::VirtualIoServer;
use super::world::World;
use crate::clock::Millis;

impl World {
    /// Lets what is due by `now` happen, then carries the command out.
    ///
    /// # Errors
    /// A [`Refusal`]; the world is then as [`World::advance`] left it.
    pub fn apply(&mut self, now: Millis, command: Command) -> Result<Outcome, Refusal> {
        self.advance(now);
        let before = self.clone();
        self.check_control(&command)?;
        match self.carry_out(now, command) {
            Ok(outcome) => {
                self.advance(now);
                Ok(outcome)
            }
            Err(refusal) => {
                *self = before;
                Err(refusal)
            }
        }
    }

    fn carry_out(&mut self, now: Millis, command: Command) -> Result<Outcome, Refusal> {
        match command {
            Command::CreatePartition(request) => self.create_partition(now, *request),
            Command::UpdatePartition(request) => self.update_partition(now, *request),
            Command::DeletePartition {
                partition,
                reset_serial_number,
            } => self.delete_partition(now, partition, reset_serial_number),
            Command::CreateVios(request) => self.create_vios(now, *request),
            Command::DeleteVios(vios) => self.delete_vios(now, vios),
            Command::UpdateVios(request) => self.update_vios(now, *request),
            Command::CreateScsiBus(request) => self.create_scsi_bus(now, request),
            Command::UpdateScsiBus(request) => self.update_scsi_bus(now, request),
            Command::DeleteScsiBus { vios, bus } => self.delete_scsi_bus(now, vios, bus),
            Command::CreateSanVolume(request) => self.create_san_volume(request),
            Command::MapSanVolume { volume, connector } => self.map_san_volume(volume, &connector),
            Command::UnmapSanVolume { volume, connector } => {
                self.unmap_san_volume(volume, connector.as_ref())
            }
            Command::ExtendSanVolume { volume, megabytes } => {
                self.extend_san_volume(volume, megabytes)
            }
            Command::DeleteSanVolume(volume) => self.delete_san_volume(volume),
            Command::StrandAdapter { vios, slot, any } => self.strand_adapter(now, vios, slot, any),
            Command::CreateProfile(request) => self.create_profile(now, *request),
            Command::UpdateProfile { profile, request } => {
                self.update_profile(now, profile, *request)
            }
            Command::DeleteProfile { owner, profile } => self.delete_profile(now, owner, profile),
            Command::UpdateProcessorPool(request) => self.update_processor_pool(now, request),
            Command::CreateMemoryPool(request) => self.create_memory_pool(now, request),
            Command::UpdateMemoryPool(request) => self.update_memory_pool(now, request),
            Command::DeleteMemoryPool(system) => self.delete_memory_pool(now, system),
            Command::UpdateMonitoring(requests) => self.update_monitoring(now, requests),
            Command::SetSystemState { system, state } => self.set_system_state(now, system, state),
            Command::CreateVolumeGroup(request) => self.create_volume_group(now, request),
            Command::UpdateVolumeGroup(request) => self.update_volume_group(now, request),
            Command::UpdateCluster(request) => self.update_cluster(now, request),
            Command::UpdatePool(request) => self.update_pool(now, request),
            Command::CreateLogicalUnit(request) => self.create_logical_unit(now, request),
            Command::UpdateLogicalUnit(request) => self.update_logical_unit(now, request),
            Command::DeleteLogicalUnit { tier, unit } => self.delete_logical_unit(now, tier, unit),
            Command::CreateNetworkAdapter(request) => self.create_network_adapter(now, request),
            Command::UpdateNetworkAdapter(request) => self.update_network_adapter(now, request),
            Command::DeleteNetworkAdapter { owner, adapter } => {
                self.delete_network_adapter(now, owner, adapter)
            }
            Command::CreateSwitch { system, name, mode } => {
                self.create_switch(now, system, name, mode)
            }
            Command::UpdateSwitch {
                system,
                switch,
                name,
                mode,
            } => self.update_switch(now, system, switch, name, mode),
            Command::DeleteSwitch { system, switch } => self.delete_switch(now, system, switch),
            Command::CreateNetwork(request) => self.create_network(now, request),
            Command::UpdateNetwork {
                system,
                network,
                name,
            } => self.update_network(now, system, network, name),
            Command::DeleteNetwork { system, network } => self.delete_network(now, system, network),
            Command::CreateNetworkBridge(request) => self.create_bridge(now, request),
            Command::UpdateNetworkBridge(request) => self.update_bridge(now, request),
            Command::DeleteNetworkBridge { system, bridge } => {
                self.delete_bridge(now, system, bridge)
            }
            Command::UpdateSystem(request) => self.update_system(now, request),
            Command::CreateLogicalPort(request) => self.create_logical_port(now, request),
            Command::UpdateLogicalPort(request) => self.update_logical_port(now, request),
            Command::DeleteLogicalPort { owner, port } => {
                self.delete_logical_port(now, owner, port)
            }
            Command::CreateVnic(request) => self.create_vnic(now, request),
            Command::UpdateVnic(request) => self.update_vnic(now, request),
            Command::DeleteVnic { partition, vnic } => self.delete_vnic(now, partition, vnic),
            Command::UpdateConsole {
                console,
                authorized_keys,
            } => self.authorize_keys(now, console, authorized_keys),
            Command::SubmitJob(request) => self.submit_job(now, request),
            Command::CancelJob(job) => self.cancel_job(now, job),
            Command::DeleteJob(job) => self.delete_job(job),
            Command::CreateFile(request) => self.create_file(now, request),
            Command::CommitFile { file, content } => self.commit_file(now, file, content),
            Command::DeleteFile(file) => self.delete_file(file),
            Command::TakeEvents { application } => {
                Ok(Outcome::Events(self.events.take(now, &application)))
            }
            Command::ForgetEvents { application } => {
                self.events.forget(&application);
                Ok(Outcome::Done)
            }
            Command::PushEvent { data, detail } => Ok(Outcome::Event(self.events.push(
                now,
                EventKind::CustomClientEvent,
                EventData::Text(data),
                detail,
            ))),
            Command::OpenConsole(partition) => self.open_console(partition),
        }
    }

    /// A fresh version number.
    pub(super) const fn touch(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// Changes a partition of either kind, with a new version.
    pub(crate) fn edit_partition(&mut self, owner: Owner, change: impl FnOnce(&mut Partition)) {
        let version = self.touch();
        let now = self.now;
        let edit = |partition: &mut Partition| {
            change(partition);
            partition.version = version;
            partition.note_load(now);
        };
        match owner {
            Owner::Partition(uuid) => {
                if let Some(mut partition) = self.partitions.get_mut(&uuid) {
                    edit(&mut partition);
                }
            }
            Owner::Vios(uuid) => {
                let Some(mut vios) = self.vioses.get_mut(&uuid) else {
                    return;
                };
                let partition = &mut vios.partition;
                let (state, name) = (partition.state, partition.name.clone());
                edit(partition);
                let shown = partition.state != state || partition.name != name;
                drop(vios);
                if shown {
                    self.touch_cluster_of(uuid, version);
                }
            }
        }
    }

    /// A cluster's document names its nodes and tells whether they are up.
    fn touch_cluster_of(&mut self, vios: Uuid, version: u64) {
        let cluster = self.cluster_of(vios).map(|cluster| cluster.uuid);
        if let Some(cluster) = cluster.and_then(|uuid| self.clusters.get_mut(&uuid)) {
            Arc::make_mut(cluster).version = version;
        }
    }

    /// Changes a Virtual I/O Server; `change` sets the versions that it concerns to the number it gets.
    pub(super) fn edit_vios(&mut self, vios: Uuid, change: impl FnOnce(&mut VirtualIoServer, u64)) {
        let version = self.touch();
        if let Some(mut vios) = self.vioses.get_mut(&vios) {
            change(&mut vios, version);
        }
    }

    /// Gives a system's document a new version, and tells of it.
    pub(super) fn touch_system(&mut self, now: Millis, system: Uuid) {
        let version = self.touch();
        if let Some(system) = self.systems.get_mut(&system).map(Arc::make_mut) {
            system.version = version;
        }
        self.announce(
            now,
            EventKind::ModifyUri,
            Resource::ManagedSystem(system),
            "Other",
        );
    }

    /// Logs an event about a resource. One that is about to go must still be there.
    pub(super) fn announce(
        &mut self,
        now: Millis,
        kind: EventKind,
        resource: Resource,
        detail: &str,
    ) {
        let system = match resource {
            Resource::LogicalPartition(uuid) => {
                self.partitions.get(&uuid).map(|partition| partition.system)
            }
            Resource::VirtualIoServer(uuid) => {
                self.vioses.get(&uuid).map(|vios| vios.partition.system)
            }
            _ => None,
        };
        self.events
            .push(now, kind, EventData::Resource { resource, system }, detail);
    }

    /// Logs a change of a partition of either kind.
    pub(super) fn announce_partition(&mut self, now: Millis, owner: Owner, detail: &str) {
        self.announce(now, EventKind::ModifyUri, owner.into(), detail);
    }

    fn open_console(&mut self, partition: Uuid) -> Result<Outcome, Refusal> {
        if !self.partitions.contains_key(&partition) {
            return Err(Refusal::not_found("LogicalPartition", partition));
        }
        self.edit_partition(Owner::Partition(partition), |partition| {
            partition.console_open = true
        });
        Ok(Outcome::Done)
    }
}

impl From<Owner> for Resource {
    fn from(owner: Owner) -> Self {
        match owner {
            Owner::Partition(uuid) => Self::LogicalPartition(uuid),
            Owner::Vios(uuid) => Self::VirtualIoServer(uuid),
        }
    }
}
