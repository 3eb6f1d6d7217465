//! Whether a server could leave its host, and what the destination has to know of it.

use std::collections::BTreeMap;

use powervm_schema::atom::Entry;
use powervm_schema::network::ClientNetworkAdapter;
use powervm_schema::partition::{
    LogicalPartition, MigrationState, PartitionState, PartitionType, RmcState,
};
use powervm_schema::vios::VirtualIoServer;
use powervm_schema::xml::Element;

use super::console::Console;
use super::data::{MigrationData, SourceBus, SourceDisk, SourceHost, SourceInterface, SourcePort};
use super::destination::Mobility;
use super::{networks, refused};
use crate::error::Result;
use crate::host::{Switches, Vios};
use crate::network::trunk::{Line, line_of};
use crate::operations::driver::{Disks, Driver, path_of};
use crate::partition::PartitionUuid;
use crate::rest::Groups;
use crate::storage::mapping::{self, Client, Kind, client_of, mapped};
use crate::storage::{fabric, volumes};

impl Driver {
    /// Whether an instance of this host could go to a destination that has been checked. Changes nothing: what
    /// has to be taken out of the server for the migration is taken out by the migration.
    ///
    /// # Errors
    /// Why it could not; those of the requests.
    pub async fn check_migration_source(&self, data: MigrationData) -> Result<MigrationData> {
        self.check_source(data, false).await
    }

    /// As [`Self::check_migration_source`]; `is_cold` of a server that is off, or is shut down before it goes.
    pub(super) async fn check_source(
        &self,
        mut data: MigrationData,
        is_cold: bool,
    ) -> Result<MigrationData> {
        let uuid = data.partition();
        let entry = self
            .session()
            .get_entry(&path_of(uuid), Groups::None)
            .await?;
        self.refuse_others(&entry.content)?;
        let document = LogicalPartition(&entry.content);
        let name = document.partition().name().unwrap_or_default().to_owned();
        let refuse = |why: String| refused(&name, why, "mend that, and try again");
        if data.destination.system_uuid == self.shared.system.uuid {
            let (what, remedy) = ("the destination is where it is", "name another system");
            return Err(refused(&name, what, remedy));
        }
        let mobility = Mobility::of(self).await?;
        if let Some(why) = mobility.obstacle(&self.shared.system.name) {
            return Err(refused(
                &name,
                why,
                "wait, or stop the server and move it then",
            ));
        }
        if mobility.memory_region_mb != data.destination.memory_region_mb {
            return Err(refuse(format!(
                "memory blocks of {} have {} MB, those of {} have {} MB",
                self.shared.system.name,
                mobility.memory_region_mb,
                data.destination.system,
                data.destination.memory_region_mb
            )));
        }
        if let Some(why) = obstacle(&document, &mobility, &data, is_cold) {
            return Err(refuse(why));
        }
        let (console, vioses, served, adapters, switches) = futures_util::try_join!(
            Console::of(self),
            self.vioses(),
            self.served(),
            self.adapters(uuid),
            self.switches(),
        )?;
        if console.uuid != data.destination.console && data.destination.access.address.is_none() {
            return Err(refuse(format!(
                "{} has another console, and nobody says how that is reached",
                data.destination.system
            )));
        }
        let client = Client {
            uuid,
            id: document.partition().id().ok().flatten(),
            href: self.partition_href(uuid),
        };
        let buses = buses(&served, uuid);
        self.check_disks(&served, &buses, &data, &name)?;
        let mut interfaces = interfaces(&adapters, &switches);
        networks::look_for_trunks(self, &name, &mut interfaces).await?;
        data.source = Some(SourceHost {
            system: self.shared.system.name.clone(),
            console: console.uuid,
            public_key: console.public_key,
            buses,
            ports: self.ports_of(&served, &vioses, &client),
            interfaces: interfaces
                .into_iter()
                .map(|(interface, _)| interface)
                .collect(),
            partition: name,
        });
        Ok(data)
    }

    /// What is on one Virtual I/O Server alone cannot move, but for media, which are taken out.
    fn check_disks(
        &self,
        served: &[Entry],
        buses: &[SourceBus],
        data: &MigrationData,
        name: &str,
    ) -> Result<()> {
        for vios in served {
            for found in mapping::mapped_to(&vios.content, data.partition()) {
                if found.kind == Kind::VirtualDisk && found.is_logical_volume {
                    let server = VirtualIoServer(&vios.content);
                    let server = server.partition().name().unwrap_or_default().to_owned();
                    return Err(refused(
                        name,
                        format!("its disk {} is a logical volume of {server}", found.name),
                        "only volumes and disks in a shared storage pool can move while the server runs",
                    ));
                }
            }
        }
        let has_unit = buses
            .iter()
            .any(|bus| bus.disks.contains(&SourceDisk::Unit));
        match (&data.destination.pool, &self.shared.disks) {
            (Some(there), Disks::Ssp { pool, .. }) if has_unit && *there != pool.uuid => {
                Err(refused(
                    name,
                    format!(
                        "{} is not in the cluster {} whose shared storage pool has its disk",
                        data.destination.system, pool.cluster
                    ),
                    "choose a host of the same cluster",
                ))
            }
            _ => Ok(()),
        }
    }

    /// All Virtual I/O Servers with everything that they serve.
    async fn served(&self) -> Result<Vec<Entry>> {
        let path = format!("ManagedSystem/{}/VirtualIOServer", self.shared.system.uuid);
        let groups = Groups::Named(&[mapping::GROUP, fabric::GROUP]);
        Ok(self.session().get_feed(&path, groups).await?.entries)
    }

    fn ports_of(&self, served: &[Entry], vioses: &[Vios], client: &Client) -> Vec<SourcePort> {
        let mut ports = Vec::new();
        for entry in served {
            let vios = vioses.iter().find(|vios| vios.uuid == entry.id);
            for lent in fabric::lent_to(&entry.content, client) {
                let behind = vios.and_then(|vios| {
                    vios.ports
                        .iter()
                        .find(|port| Some(&port.name) == lent.port.as_ref())
                });
                let fabric = behind.and_then(|behind| {
                    let mut fabrics = self.config().volumes.npiv_fabrics();
                    let (name, _) = fabrics.find(|(_, ports)| ports.contains(&behind.wwpn))?;
                    Some(name.to_owned())
                });
                if let Some(slot) = lent.slot {
                    ports.push(SourcePort {
                        slot,
                        vios: entry.id.clone(),
                        fabric,
                        names: lent.names,
                    });
                }
            }
        }
        ports.sort_by_key(|port| port.slot);
        ports
    }
}

/// Why the partition cannot move now.
fn obstacle(
    document: &LogicalPartition<&Element>,
    system: &Mobility,
    data: &MigrationData,
    is_cold: bool,
) -> Option<String> {
    let partition = document.partition();
    let (there, state) = (&data.destination, partition.state().ok().flatten());
    if partition.is_management_partition().ok().flatten() == Some(true) {
        return Some("it is the management partition".to_owned());
    }
    let migration = document.migration_state().ok().flatten();
    if let Some(migration) = migration.filter(|state| *state != MigrationState::NotMigrating) {
        return Some(format!("its migration state is {migration}"));
    }
    if !is_cold && state != Some(PartitionState::Running) {
        let state = state.map_or_else(|| "unknown".to_owned(), |state| state.to_string());
        return Some(format!("it does not run, but is {state}"));
    }
    if document.migration_disable().ok().flatten() == Some(true) {
        return Some("its migration is disabled".to_owned());
    }
    // What is off starts there in a mode that the host has, and nobody in it has to be told.
    if is_cold {
        let is_ibmi = partition.partition_type().ok().flatten() == Some(PartitionType::Os400);
        return is_ibmi
            .then(|| ibmi_obstacle(document, system, data))
            .flatten();
    }
    let mode = partition.current_processor_compatibility_mode();
    if let Some(mode) = mode.filter(|mode| !knows(&there.compatibility_modes, mode)) {
        return Some(format!(
            "it runs in the processor compatibility mode {mode}, and {} has only: {}",
            there.system,
            there.compatibility_modes.join(", ")
        ));
    }
    if partition.partition_type().ok().flatten() == Some(PartitionType::Os400) {
        return ibmi_obstacle(document, system, data);
    }
    if partition.rmc_state().ok().flatten() != Some(RmcState::Active) {
        return Some("its RMC connection is not active".to_owned());
    }
    let can = partition.capabilities();
    let memory = can
        .as_ref()
        .and_then(|can| can.dynamic_memory().ok().flatten());
    let processors = can.and_then(|can| can.dynamic_processor().ok().flatten());
    if memory != Some(true) || processors != Some(true) {
        return Some(
            "its operating system cannot change memory and processors while it runs".to_owned(),
        );
    }
    None
}

fn ibmi_obstacle(
    document: &LogicalPartition<&Element>,
    system: &Mobility,
    data: &MigrationData,
) -> Option<String> {
    let is_restricted = document.is_restricted_io_partition().ok().flatten() == Some(true);
    if !data.destination.takes_ibmi {
        Some(format!(
            "{} takes no IBM i partitions",
            data.destination.system
        ))
    } else if !system.takes_ibmi || !system.restricts_ibmi {
        Some("its system lets no IBM i partitions go".to_owned())
    } else if !is_restricted {
        Some("IBM i partitions move only with restricted I/O".to_owned())
    } else {
        None
    }
}

/// A system that lists no modes does not say.
fn knows(modes: &[String], mode: &str) -> bool {
    let plain = |mode: &str| mode.to_ascii_lowercase().replace('_', "");
    modes.is_empty()
        || plain(mode) == "default"
        || modes.iter().any(|known| plain(known) == plain(mode))
}

/// The partition's virtual SCSI adapters, by slot.
fn buses(served: &[Entry], uuid: PartitionUuid) -> Vec<SourceBus> {
    let mut buses: BTreeMap<u32, SourceBus> = BTreeMap::new();
    for entry in served {
        for found in VirtualIoServer(&entry.content).scsi_mappings() {
            if client_of(found.as_view()) != Some(uuid) {
                continue;
            }
            let slot = found
                .client_adapter()
                .and_then(|client| client.adapter().slot().ok().flatten());
            let Some(slot) = slot else { continue };
            let bus = buses.entry(slot).or_insert_with(|| SourceBus {
                slot,
                vios: entry.id.clone(),
                disks: Vec::new(),
            });
            let Some(mapped) = mapped(found.as_view()) else {
                continue;
            };
            match mapped.kind {
                Kind::OpticalMedia => {}
                Kind::LogicalUnit => bus.disks.push(SourceDisk::Unit),
                Kind::PhysicalVolume => bus.disks.push(SourceDisk::Volume {
                    volume: volumes::tag_of(&found),
                    udid: mapped.udid,
                }),
                Kind::VirtualDisk => bus.disks.push(SourceDisk::Other),
            }
        }
    }
    buses.into_values().collect()
}

/// The interfaces on virtual switches, each with its place.
fn interfaces(adapters: &[Entry], switches: &Switches) -> Vec<(SourceInterface, Option<Line>)> {
    let read = |entry: &Entry| {
        let adapter = ClientNetworkAdapter(&entry.content);
        let switch = switches.numbered(adapter.virtual_switch_id().ok().flatten()?)?;
        let interface = SourceInterface {
            mac: adapter.mac_address()?.parse().ok()?,
            switch: switch.name.clone(),
            vlan: adapter.port_vlan().ok().flatten()?,
            trunk: None,
        };
        Some((interface, line_of(&adapter)))
    };
    let mut interfaces: Vec<_> = adapters.iter().filter_map(read).collect();
    interfaces.sort_by_key(|(interface, _)| interface.mac);
    interfaces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_known_however_they_are_spelled() {
        let modes = ["POWER8".to_owned(), "POWER9_Base".to_owned()];
        assert!(knows(&modes, "power8") && knows(&modes, "POWER9Base") && knows(&modes, "default"));
        assert!(!knows(&modes, "POWER10") && knows(&[], "POWER10"));
    }
}
