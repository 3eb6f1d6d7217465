//! What every change of a bridge ends with.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::NetworkBridge;
use crate::clock::Millis;
use crate::model::refusal::Refusal;
use crate::model::resource::Owner;
use crate::model::world::World;

impl World {
    /// Puts the bridge's own part in place, with a new version if it is another than before.
    pub(super) fn store_bridge(&mut self, system: Uuid, bridge: &NetworkBridge) {
        let there = self
            .systems
            .get(&system)
            .and_then(|system| system.bridges.get(&bridge.uuid))
            .map(Arc::clone);
        if there.as_deref() == Some(bridge) {
            return;
        }
        let version = self.touch();
        if let Some(system) = self.systems.get_mut(&system).map(Arc::make_mut) {
            let bridge = NetworkBridge {
                version,
                ..bridge.clone()
            };
            system.bridges.insert(bridge.uuid, Arc::new(bridge));
        }
    }

    /// A new version for a bridge whose members have changed otherwise than in their trunk adapters.
    pub(super) fn touch_bridge(&mut self, system: Uuid, bridge: Uuid) {
        let version = self.touch();
        let system = self.systems.get_mut(&system).map(Arc::make_mut);
        let bridge = system.and_then(|system| system.bridges.get_mut(&bridge));
        if let Some(bridge) = bridge.map(Arc::make_mut) {
            bridge.version = version;
        }
    }

    /// No two trunk adapters of a switch carry the same VLAN with the same priority.
    pub(super) fn check_bridge_trunks(&self, system: Uuid, bridge: Uuid) -> Result<(), Refusal> {
        for member in self.bridge_members(system, bridge) {
            for trunk in member.trunks() {
                self.check_trunk(system, trunk)?;
            }
        }
        Ok(())
    }

    /// Tells of the servers that a change of a bridge has touched, and lets the virtual networks follow.
    pub(super) fn settle_bridge(&mut self, now: Millis, system: Uuid, servers: &BTreeSet<Uuid>) {
        for vios in servers {
            self.announce_partition(now, Owner::Vios(*vios), "Other");
        }
        self.derive_networks(now, system);
    }
}
