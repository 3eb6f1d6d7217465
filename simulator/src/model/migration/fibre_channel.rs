//! Which Virtual I/O Server and port of the target serves which virtual Fibre Channel adapter.
//!
//! Both port names of an adapter go along: the second one is there for the journey. The port on the target has to be
//! plugged into the same fabric, or the partition would not find its disks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

use super::options::AdapterMapping;
use super::{Bundle, Options};
use crate::model::command::{FcMappingRequest, SlotChoice, WwpnChoice};
use crate::model::resource::Owner;
use crate::model::system::ManagedSystem;
use crate::model::vios::{FcPort, VirtualIoServer};
use crate::model::world::World;

/// A virtual Fibre Channel adapter, named so that another system can find its own counterpart.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct BundledFc {
    /// The slot of the client adapter.
    pub client_slot: u16,
    /// The Virtual I/O Server of the source, so that two paths stay on two servers.
    pub vios: String,
    /// The name of the fabric of its port; none while nothing backs it.
    pub fabric: Option<String>,
    /// Its port names.
    pub wwpns: [u64; 2],
}

/// A virtual Fibre Channel adapter as it will be.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct ArrivingFc {
    /// The Virtual I/O Server.
    pub vios: Uuid,
    /// Its port.
    pub port: Option<String>,
    /// The slot of the server adapter.
    pub server_slot: SlotChoice,
    /// The slot of the client adapter, as on the source.
    pub client_slot: u16,
    /// Its port names.
    pub wwpns: [u64; 2],
}

impl ArrivingFc {
    /// The mapping that its server is asked for.
    pub(super) fn request(&self, partition: Uuid) -> FcMappingRequest {
        FcMappingRequest {
            client: Some(partition),
            wwpns: WwpnChoice::Given(self.wwpns),
            client_slot: SlotChoice::Given(self.client_slot),
            server_slot: self.server_slot,
            port: self.port.clone(),
            ..FcMappingRequest::default()
        }
    }
}

/// What the adapters planned so far take, and where.
#[derive(Default)]
struct Taken {
    /// Virtual ports by server and port.
    ports: BTreeMap<(Uuid, String), u16>,
    /// Servers of the source and those of the target that stand in for them.
    servers: Vec<(String, Uuid)>,
}

impl World {
    /// The virtual Fibre Channel adapters of a partition, by slot.
    pub(super) fn bundled_fc(&self, system: Uuid, partition: Uuid) -> Vec<BundledFc> {
        let servers = self.vioses_of(system);
        let mut adapters: Vec<BundledFc> = servers
            .flat_map(|vios| {
                vios.fc_mappings.values().filter_map(move |mapping| {
                    let client = mapping
                        .client
                        .filter(|client| client.partition == partition)?;
                    let port = mapping.port.as_deref().and_then(|port| vios.fc_port(port));
                    Some(BundledFc {
                        client_slot: client.slot,
                        vios: vios.partition.name.clone(),
                        fabric: port
                            .and_then(|port| self.san.fabrics.get(port.fabric))
                            .map(|fabric| fabric.name.clone()),
                        wwpns: client.wwpns,
                    })
                })
            })
            .collect();
        adapters.sort_by_key(|adapter| adapter.client_slot);
        adapters
    }

    /// Finds a server and a port for each adapter: what the request names, or a port on the same fabric.
    ///
    /// # Errors
    /// An adapter that no server of the target can take.
    pub(super) fn plan_fc(
        &self,
        target: &ManagedSystem,
        bundle: &Bundle,
        options: &Options,
    ) -> Result<Vec<ArrivingFc>, String> {
        let unknown = |mapping: &&AdapterMapping| {
            bundle
                .fc
                .iter()
                .all(|adapter| adapter.client_slot != mapping.client_slot)
        };
        if let Some(mapping) = options.fibre_channel.iter().find(unknown) {
            return Err(format!(
                "Partition {} has no virtual Fibre Channel adapter in slot {}.",
                bundle.partition.name, mapping.client_slot
            ));
        }
        let mut taken = Taken::default();
        let mut planned = Vec::new();
        for adapter in &bundle.fc {
            let wish = options
                .fibre_channel
                .iter()
                .find(|mapping| mapping.client_slot == adapter.client_slot);
            let arriving = self
                .place_fc(target, adapter, wish, &taken)
                .ok_or_else(|| cannot_be_hosted(target, bundle, adapter))?;
            taken.servers.push((adapter.vios.clone(), arriving.vios));
            if let Some(port) = &arriving.port {
                *taken
                    .ports
                    .entry((arriving.vios, port.clone()))
                    .or_default() += 1;
            }
            planned.push(arriving);
        }
        Ok(planned)
    }

    fn place_fc(
        &self,
        target: &ManagedSystem,
        adapter: &BundledFc,
        wish: Option<&AdapterMapping>,
        taken: &Taken,
    ) -> Option<ArrivingFc> {
        let mut servers: Vec<&Arc<VirtualIoServer>> = self
            .vioses_of(target.uuid)
            .filter(|vios| wish.is_none_or(|wish| wish.names(vios)))
            .filter(|vios| self.check_vios_is_ready(vios).is_ok())
            .collect();
        let stands_in = |same: bool| -> BTreeSet<Uuid> {
            let servers = taken.servers.iter();
            servers
                .filter(|(name, _)| (*name == adapter.vios) == same)
                .map(|(_, uuid)| *uuid)
                .collect()
        };
        let (same, others) = (stands_in(true), stands_in(false));
        servers.sort_by_key(|vios| {
            let uuid = vios.partition.uuid;
            (
                !same.contains(&uuid),
                others.contains(&uuid),
                vios.partition.id,
            )
        });
        let named = wish.and_then(|wish| wish.port.as_deref());
        let slot = wish.and_then(|wish| wish.server_slot);
        let named_so = |name: &String| {
            let mut fabrics = self.san.fabrics.iter();
            fabrics.position(|fabric| fabric.name == *name)
        };
        let fabric = match &adapter.fabric {
            None => None,
            Some(name) => Some(named_so(name)?),
        };
        servers.into_iter().find_map(|vios| {
            let server_slot = slot.map_or(SlotChoice::Next, SlotChoice::Given);
            self.free_slot(Owner::Vios(vios.partition.uuid), server_slot)
                .ok()?;
            let port = match fabric {
                None => None,
                Some(fabric) => Some(free_port(vios, fabric, named, taken)?.name.clone()),
            };
            Some(ArrivingFc {
                vios: vios.partition.uuid,
                port,
                server_slot,
                client_slot: adapter.client_slot,
                wwpns: adapter.wwpns,
            })
        })
    }
}

/// The port with the most virtual ports left among those on a fabric.
fn free_port<'a>(
    vios: &'a VirtualIoServer,
    fabric: usize,
    named: Option<&str>,
    taken: &Taken,
) -> Option<&'a FcPort> {
    let left = |port: &FcPort| {
        let key = (vios.partition.uuid, port.name.clone());
        vios.available_ports(port)
            .saturating_sub(taken.ports.get(&key).copied().unwrap_or(0))
    };
    let mut best: Option<&FcPort> = None;
    for port in vios.fc_ports() {
        let fits =
            port.fabric == fabric && named.is_none_or(|name| name == port.name) && left(port) > 0;
        if fits && best.is_none_or(|best| left(port) > left(best)) {
            best = Some(port);
        }
    }
    best
}

fn cannot_be_hosted(target: &ManagedSystem, bundle: &Bundle, adapter: &BundledFc) -> String {
    let [first, second] = adapter.wwpns;
    format!(
        "HSCLA319 The migrating partition's virtual fibre channel client adapter {} cannot be hosted by the existing Virtual I/O Server (VIOS) partitions on the destination managed system. To host the migrating virtual adapter on the destination, the VIOS partition must have sufficient resources, including fibre channel ports, to create the adapter. Partition {}, WWPNs {first:016x} {second:016x}, managed system {}.",
        adapter.client_slot, bundle.partition.name, target.name
    )
}
