//! The storage area network behind the Virtual I/O Servers (`docs/protocol/san.md`).
//!
//! Fabrics with zones, storage target ports, volumes and who may see them. A Virtual I/O Server knows nothing of a volume
//! until it discovers it; a client with a virtual Fibre Channel adapter sees it on its own.

mod access;
mod change;
pub mod discovered;
pub mod discovery;
pub mod volume;

use imbl::OrdMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::vios::VirtualIoServer;
use super::world::World;
pub use access::Path;
pub use volume::{Access, Chap, FibreChannelAccess, Hosts, IscsiAccess, Protocol, SanVolume};

/// Everything behind the Fibre Channel and Ethernet ports.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct San {
    /// The Fibre Channel fabrics; a port names its fabric by the place in this list.
    pub fabrics: Vec<Fabric>,
    /// The storage's Fibre Channel ports by world wide port name.
    pub targets: OrdMap<u64, Target>,
    /// The portals of the iSCSI storage, each as `address:port`.
    pub portals: Vec<String>,
    /// The volumes by identifier.
    pub volumes: OrdMap<Uuid, Arc<SanVolume>>,
    /// Which volume shows at a target port under a number.
    #[serde(with = "super::pairs")]
    pub luns: OrdMap<(u64, u32), Uuid>,
    /// The number in the next volume's NAA name.
    pub next_serial: u64,
}

/// A Fibre Channel fabric.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Fabric {
    /// Its name, such as `A`.
    pub name: String,
    /// Whether only zoned ports may talk; otherwise all do.
    pub zoned: bool,
    /// Pairs of initiator and target that may talk.
    pub zones: BTreeSet<(u64, u64)>,
}

/// A port of the storage.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The fabrics that it is on, by their place.
    pub fabrics: BTreeSet<usize>,
    /// Whether volumes that are made later show here.
    pub serves_new: bool,
}

impl San {
    /// The NAA name of the next volume: 32 hexadecimal digits, upper case, of IEEE type 6.
    pub fn next_naa(&mut self) -> String {
        self.next_serial += 1;
        format!("60050768028286180{:015X}", self.next_serial)
    }

    /// The volume with this NAA name.
    #[must_use]
    pub fn by_naa(&self, naa: &str) -> Option<&Arc<SanVolume>> {
        self.volumes
            .values()
            .find(|volume| volume.naa.as_deref() == Some(naa))
    }

    /// The file or image that a virtual disk of this name stands for.
    #[must_use]
    pub fn external(&self, protocol: Protocol, name: &str) -> Option<&Arc<SanVolume>> {
        self.volumes.values().find(|volume| {
            volume.access.protocol() == protocol && volume.access.external_name() == Some(name)
        })
    }

    /// Target ports that volumes made by the administrator show at, with their fabrics.
    pub fn targets_for_new(&self) -> impl Iterator<Item = (u64, &Target)> {
        let serving = self.targets.iter().filter(|(_, target)| target.serves_new);
        serving.map(|(wwpn, target)| (*wwpn, target))
    }
}

impl World {
    /// The fabric that a port is on: a physical one, or a virtual one by the physical port behind it. Names that no port
    /// has (yet) are on none.
    #[must_use]
    pub fn fabric_of(&self, wwpn: u64) -> Option<usize> {
        self.vioses.values().find_map(|vios| fabric_on(vios, wwpn))
    }
}

fn fabric_on(vios: &VirtualIoServer, wwpn: u64) -> Option<usize> {
    let physical = vios.fc_ports().find(|port| port.wwpn == wwpn);
    let port = physical.or_else(|| {
        let mapping = vios.fc_mappings.values().find(|mapping| {
            mapping
                .client
                .is_some_and(|client| client.wwpns.contains(&wwpn))
        })?;
        vios.fc_port(mapping.port.as_deref()?)
    });
    port.map(|port| port.fabric)
}
