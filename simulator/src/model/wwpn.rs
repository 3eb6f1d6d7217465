//! World wide port names for virtual Fibre Channel adapters: a pool of 65,536 a system, handed out in pairs
//! (`docs/protocol/fibre-channel.md`).

use std::sync::Arc;
use uuid::Uuid;

use super::names::Flavor;
use super::refusal::Refusal;
use super::world::World;

/// How many names a system has at first: `AvailableWWPNs` counts down from it.
pub const POOL: u32 = 65_536;

impl World {
    /// Takes the next pair that no adapter has. The names are consecutive; the even one comes first behind an HMC, the odd
    /// one on a NovaLink (recordings `fake_vios_feed` and `vfc_client_adapter_feed`).
    pub(super) fn next_wwpns(&mut self, system: Uuid) -> Result<[u64; 2], Refusal> {
        let found = self
            .systems
            .get(&system)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::not_found("ManagedSystem", system))?;
        let mut left = found.available_wwpns;
        let pair = loop {
            if left < 2 {
                return Err(Refusal::logic(
                    "No world wide port names are available on the managed system for another virtual Fibre Channel adapter.",
                ));
            }
            let even = found.wwpn_prefix | u64::from(POOL.saturating_sub(left));
            left -= 2;
            if !self.wwpn_in_use(even) && !self.wwpn_in_use(even | 1) {
                break [even, even | 1];
            }
        };
        let version = self.touch();
        if let Some(system) = self.systems.get_mut(&system).map(Arc::make_mut) {
            system.available_wwpns = left;
            system.version = version;
        }
        let [even, odd] = pair;
        Ok(match self.flavor {
            Flavor::Hmc => [even, odd],
            Flavor::NovaLink => [odd, even],
        })
    }

    /// Whether a physical port or a virtual adapter has this name.
    pub(super) fn wwpn_in_use(&self, wwpn: u64) -> bool {
        self.vioses.values().any(|vios| {
            vios.fc_ports().any(|port| port.wwpn == wwpn)
                || vios
                    .fc_mappings
                    .values()
                    .filter_map(|mapping| mapping.client)
                    .any(|client| client.wwpns.contains(&wwpn))
        })
    }
}
