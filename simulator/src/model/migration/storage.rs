//! Which Virtual I/O Server of the target serves which disks.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::bundle::{BundledBus, BundledStorage};
use super::options::AdapterMapping;
use super::{Bundle, Options};
use crate::model::command::SlotChoice;
use crate::model::names::ReservePolicy;
use crate::model::storage::VolumeUsage;
use crate::model::system::ManagedSystem;
use crate::model::vios::{Backing, VirtualIoServer};
use crate::model::world::World;

/// A server adapter to be, with what goes behind it.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ArrivingBus {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// The slot of the server adapter.
    pub server_slot: SlotChoice,
    /// The slot of the client adapter, as on the source.
    pub client_slot: u16,
    /// Address and storage of each device.
    pub devices: Vec<(String, Backing)>,
}

impl World {
    /// Finds a server for each adapter: the one that the request names, or one that sees all its disks. Two servers
    /// of the source become two of the target where it has them.
    ///
    /// # Errors
    /// An adapter that no server of the target can take, and why the first one cannot.
    pub(super) fn plan_storage(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        options: &Options,
    ) -> Result<Vec<ArrivingBus>, String> {
        for mapping in &options.scsi {
            if bundle
                .buses
                .iter()
                .all(|bus| bus.client_slot != mapping.client_slot)
            {
                return Err(format!(
                    "Partition {} has no virtual SCSI adapter in slot {}.",
                    bundle.partition.name, mapping.client_slot
                ));
            }
        }
        let mut planned: Vec<ArrivingBus> = Vec::new();
        let mut served: Vec<(String, Uuid)> = Vec::new();
        for bus in &bundle.buses {
            let wish = options
                .scsi
                .iter()
                .find(|mapping| mapping.client_slot == bus.client_slot);
            let arriving = match wish {
                Some(wish) => self.named_server(target, bundle, bus, wish, &planned)?,
                None => self.any_server(target, bundle, bus, &served, &planned)?,
            };
            served.push((bus.vios.clone(), arriving.vios));
            planned.push(arriving);
        }
        Ok(planned)
    }

    fn named_server(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        bus: &BundledBus,
        wish: &AdapterMapping,
        planned: &[ArrivingBus],
    ) -> Result<ArrivingBus, String> {
        let vios = self
            .vioses_of(target.uuid)
            .find(|vios| wish.names(vios))
            .ok_or_else(|| {
                format!(
                    "System {} has no Virtual I/O Server {} for the virtual SCSI adapter in slot {}.",
                    target.name,
                    wish.vios_name.clone().unwrap_or_else(|| wish.vios_id.unwrap_or(0).to_string()),
                    bus.client_slot
                )
            })?;
        let mut arriving = self.serve(vios, bundle, bus, planned)?;
        if let Some(slot) = wish.server_slot {
            arriving.server_slot = SlotChoice::Given(slot);
            self.free_slot(
                crate::model::Owner::Vios(vios.partition.uuid),
                arriving.server_slot,
            )
            .map_err(|refusal| refusal.message)?;
        }
        Ok(arriving)
    }

    fn any_server(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        bus: &BundledBus,
        served: &[(String, Uuid)],
        planned: &[ArrivingBus],
    ) -> Result<ArrivingBus, String> {
        let mut servers: Vec<&Arc<VirtualIoServer>> = self.vioses_of(target.uuid).collect();
        let same: BTreeSet<Uuid> = counterpart(served, |name| name == bus.vios);
        let others: BTreeSet<Uuid> = counterpart(served, |name| name != bus.vios);
        servers.sort_by_key(|vios| {
            let uuid = vios.partition.uuid;
            (
                !same.contains(&uuid),
                others.contains(&uuid),
                vios.partition.id,
            )
        });
        let mut why = None;
        for vios in servers {
            match self.serve(vios, bundle, bus, planned) {
                Ok(arriving) => return Ok(arriving),
                Err(reason) => why = why.or(Some(reason)),
            }
        }
        Err(why.unwrap_or_else(|| format!("System {} has no Virtual I/O Server.", target.name)))
    }

    fn serve(
        &self,
        vios: &VirtualIoServer,
        bundle: &Bundle,
        bus: &BundledBus,
        planned: &[ArrivingBus],
    ) -> Result<ArrivingBus, String> {
        let refuse = |why: String| {
            format!(
                "The virtual SCSI adapter in slot {} of partition {} cannot be hosted by Virtual I/O Server {}: {why}",
                bus.client_slot, bundle.partition.name, vios.partition.name
            )
        };
        self.check_vios_is_ready(vios)
            .map_err(|refusal| refuse(refusal.message))?;
        let found = bus.devices.iter().map(|(lua, storage)| {
            let backing = self.counterpart_of(vios, bundle.partition.uuid, storage);
            Ok((lua.clone(), backing.map_err(refuse)?))
        });
        let devices = found.collect::<Result<Vec<_>, String>>()?;
        let uuid = vios.partition.uuid;
        let mut others = planned
            .iter()
            .filter(|other| other.vios == uuid)
            .flat_map(|other| &other.devices);
        if others.any(|(_, backing)| devices.iter().any(|(_, own)| own == backing)) {
            return Err(refuse("it would serve the same disk twice.".to_owned()));
        }
        Ok(ArrivingBus {
            vios: uuid,
            server_slot: SlotChoice::Next,
            client_slot: bus.client_slot,
            devices,
        })
    }

    /// The same storage as another server sees it.
    fn counterpart_of(
        &self,
        vios: &VirtualIoServer,
        partition: Uuid,
        storage: &BundledStorage,
    ) -> Result<Backing, String> {
        match storage {
            BundledStorage::Local { name } => Err(format!(
                "{name} exists on one Virtual I/O Server alone. Remove it from the partition before migrating."
            )),
            BundledStorage::LogicalUnit { tier, unit, .. } => {
                let cluster = self.cluster_of(vios.partition.uuid);
                let mut tiers = cluster
                    .into_iter()
                    .flat_map(|cluster| self.tiers_of(cluster.pool));
                let found = tiers.find(|own| own.udid == *tier);
                let holder = found.ok_or_else(|| {
                    format!(
                        "it is not in the cluster whose shared storage pool has the logical unit {}.",
                        unit.name
                    )
                })?;
                Ok(Backing::LogicalUnit {
                    tier: holder.uuid,
                    unit: holder
                        .unit(&unit.udid)
                        .map_or(unit.uuid, |there| there.uuid),
                })
            }
            BundledStorage::PhysicalVolume { udid, name } => {
                let volume = vios
                    .physical_volumes
                    .iter()
                    .find(|volume| volume.udid == *udid)
                    .ok_or_else(|| format!("it does not see the physical volume {name}."))?;
                if volume.reserve_policy != ReservePolicy::NoReserve {
                    return Err(format!(
                        "the reserve policy of {} is {}, not {}.",
                        volume.name,
                        volume.reserve_policy,
                        ReservePolicy::NoReserve
                    ));
                }
                let backing = Backing::PhysicalVolume {
                    name: volume.name.clone(),
                };
                let taken = vios.devices().any(|(bus, device)| {
                    device.backing == backing
                        && bus
                            .client
                            .is_none_or(|client| client.partition != partition)
                });
                if volume.usage != VolumeUsage::Unused || taken {
                    return Err(format!("the physical volume {} is in use.", volume.name));
                }
                Ok(backing)
            }
        }
    }
}

impl AdapterMapping {
    /// Whether the mapping names this server.
    pub(super) fn names(&self, vios: &VirtualIoServer) -> bool {
        self.vios_name
            .as_ref()
            .is_none_or(|name| *name == vios.partition.name)
            && self.vios_id.is_none_or(|id| id == vios.partition.id)
    }
}

/// The servers of the target that stand in for some servers of the source.
fn counterpart(served: &[(String, Uuid)], which: impl Fn(&str) -> bool) -> BTreeSet<Uuid> {
    served
        .iter()
        .filter(|(name, _)| which(name))
        .map(|(_, uuid)| *uuid)
        .collect()
}
