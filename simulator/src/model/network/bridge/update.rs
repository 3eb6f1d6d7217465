//! A bridge changes: VLANs come and go, members too.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::create::{MEMBERS, check_control_channel};
use super::wish::{self, Wanted};
use super::{BridgeMember, NetworkBridge};
use crate::clock::Millis;
use crate::model::command::{
    Outcome, SharedEthernetRequest, SharedEthernetSettingsRequest, UpdateNetworkBridge,
};
use crate::model::names::{EventKind, Flavor};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

impl World {
    /// An HMC follows the load groups of the body, a NovaLink the trunk adapters of its shared Ethernet adapters; what
    /// the other part of the body says is the echo of a read (`docs/protocol/network.md`).
    pub(in crate::model) fn update_bridge(
        &mut self,
        now: Millis,
        request: UpdateNetworkBridge,
    ) -> Result<Outcome, Refusal> {
        let system = request.system;
        let there = self.system(system)?;
        let before = there
            .bridges
            .get(&request.bridge)
            .ok_or_else(|| Refusal::not_found("NetworkBridge", request.bridge))?;
        let resource = Resource::NetworkBridge {
            system,
            bridge: request.bridge,
        };
        let mut bridge = (**before).clone();
        bridge.failover = request.failover.unwrap_or(bridge.failover);
        bridge.load_balancing = request.load_balancing.unwrap_or(bridge.load_balancing);
        bridge.control_channel = request.control_channel.or(bridge.control_channel);
        let versions = self.bridge_versions(system, before);
        let generation = self.generation;
        let removed = self.change_members(system, &bridge, &request)?;
        let members = self.bridge_members(system, bridge.uuid);
        if members.len() < MEMBERS && (bridge.failover || bridge.load_balancing) {
            return Err(Refusal::logic(
                "A network bridge needs two shared Ethernet adapters to fail over or to share its load.",
            ));
        }
        check_control_channel(&bridge)?;
        let mut wanted = self.wanted(&bridge, &members, &request)?;
        wish::check(&bridge, &wanted)?;
        let servers: Vec<Uuid> = members
            .iter()
            .map(|member| member.vios.partition.uuid)
            .collect();
        let priorities: Vec<u8> = members.iter().map(|member| priority(*member)).collect();
        for ((vios, wanted), priority) in servers.iter().zip(&mut wanted).zip(priorities) {
            wish::primary_first(&bridge, wanted);
            if !self.is_as_wanted(*vios, bridge.uuid, wanted) {
                self.bridging_server(system, *vios)?;
                self.set_trunks(*vios, &bridge, wanted, priority)?;
            }
            self.set_control_channel(*vios, &bridge)?;
        }
        for (place, vios) in servers.iter().enumerate() {
            let posted = request.adapters.as_deref();
            if let Some(posted) = posted.and_then(|posted| wish::posted_for(posted, *vios, place)) {
                self.set_member(*vios, bridge.uuid, posted);
            }
        }
        self.check_bridge_trunks(system, bridge.uuid)?;
        self.store_bridge(system, &bridge);
        if self.generation == generation {
            return Ok(Outcome::Written(resource));
        }
        let after = self
            .system(system)?
            .bridges
            .get(&bridge.uuid)
            .map(Arc::clone);
        if after.is_some_and(|after| self.bridge_versions(system, &after) == versions) {
            self.touch_bridge(system, bridge.uuid);
        }
        self.announce(now, EventKind::ModifyUri, resource, "Other");
        let servers: BTreeSet<Uuid> = servers.into_iter().chain(removed).collect();
        self.settle_bridge(now, system, &servers);
        Ok(Outcome::Written(resource))
    }

    /// Adds the members that the body has and the bridge has not, and takes those away that the body leaves out.
    fn change_members(
        &mut self,
        system: Uuid,
        bridge: &NetworkBridge,
        request: &UpdateNetworkBridge,
    ) -> Result<Vec<Uuid>, Refusal> {
        let Some(posted) = request.adapters.as_deref() else {
            return Ok(Vec::new());
        };
        let present: Vec<Uuid> = self
            .bridge_members(system, bridge.uuid)
            .iter()
            .map(|member| member.vios.partition.uuid)
            .collect();
        let named: Vec<Uuid> = posted.iter().filter_map(|adapter| adapter.vios).collect();
        if named.len() != posted.len() {
            // Without its server an adapter can only be the one in its place.
            if posted.len() != present.len() {
                return Err(Refusal::bad_request(
                    "A SharedEthernetAdapter that is new needs an AssignedVirtualIOServer.",
                ));
            }
            return Ok(Vec::new());
        }
        if named.is_empty() || named.len() > MEMBERS {
            return Err(Refusal::logic(
                "A network bridge has one shared Ethernet adapter, or two on different Virtual I/O Servers.",
            ));
        }
        let mut gone = Vec::new();
        for vios in present.iter().filter(|vios| !named.contains(vios)) {
            self.bridging_server(system, *vios)?;
            self.remove_member(*vios, bridge.uuid);
            gone.push(*vios);
        }
        for adapter in posted {
            if let Some(vios) = adapter.vios.filter(|vios| !present.contains(vios)) {
                let like = self
                    .bridge_members(system, bridge.uuid)
                    .first()
                    .copied()
                    .map(wish::like);
                self.add_member(system, bridge, adapter, like.is_none())?;
                let taken = self
                    .bridge_members(system, bridge.uuid)
                    .first()
                    .copied()
                    .map(priority);
                let trunks = like.unwrap_or_else(|| wish::primary_only(bridge.vlan));
                let other = if taken == Some(1) { 2 } else { 1 };
                self.set_trunks(vios, bridge, &trunks, other)?;
            }
        }
        self.keep_one_primary(system, bridge.uuid);
        Ok(gone)
    }

    /// If the primary member went, the other one takes over.
    fn keep_one_primary(&mut self, system: Uuid, bridge: Uuid) {
        let members = self.bridge_members(system, bridge);
        let heir = match members.first() {
            Some(first) if !first.adapter.primary => Some(first.vios.partition.uuid),
            _ => None,
        };
        if let Some(vios) = heir {
            self.edit_member(vios, bridge, |server, place| {
                if let Some(sea) = server.shared_ethernet.get_mut(place) {
                    sea.primary = true;
                }
            });
        }
    }

    /// The trunk adapters that each member is to have.
    fn wanted(
        &self,
        bridge: &NetworkBridge,
        members: &[BridgeMember<'_>],
        request: &UpdateNetworkBridge,
    ) -> Result<Vec<Vec<Wanted>>, Refusal> {
        let system = self.system(request.system)?;
        let (hmc, groups) = (self.flavor == Flavor::Hmc, request.load_groups.as_deref());
        let posted = request.adapters.as_deref().unwrap_or_default();
        members
            .iter()
            .enumerate()
            .map(|(place, member)| {
                let vios = member.vios.partition.uuid;
                let trunks = wish::posted_for(posted, vios, place)
                    .and_then(|adapter| adapter.trunks.as_deref())
                    .filter(|_| !hmc);
                match (trunks, groups.filter(|_| hmc)) {
                    (Some(trunks), _) => Ok(wish::from_trunks(Some(*member), trunks)),
                    (None, Some(groups)) => wish::from_groups(&system, bridge, *member, groups),
                    (None, None) => Ok(wish::as_it_is(*member)),
                }
            })
            .collect()
    }

    fn is_as_wanted(&self, vios: Uuid, bridge: Uuid, wanted: &[Wanted]) -> bool {
        let Some(server) = self.vioses.get(&vios) else {
            return true;
        };
        let sea = server
            .shared_ethernet
            .iter()
            .find(|sea| sea.bridge == bridge);
        let there: Vec<_> = sea
            .into_iter()
            .flat_map(|adapter| {
                BridgeMember {
                    vios: server,
                    adapter,
                }
                .trunks()
            })
            .collect();
        there.len() == wanted.len()
            && there
                .iter()
                .zip(wanted)
                .all(|(there, wanted)| wanted.is(there))
    }

    /// What clients set on a shared Ethernet adapter; what the body leaves out stays.
    pub(super) fn set_member(&mut self, vios: Uuid, bridge: Uuid, posted: &SharedEthernetRequest) {
        let there = self.vioses.get(&vios).and_then(|server| {
            server
                .shared_ethernet
                .iter()
                .find(|sea| sea.bridge == bridge)
        });
        let Some(there) = there.map(|sea| &sea.settings) else {
            return;
        };
        let given: &SharedEthernetSettingsRequest = &posted.settings;
        let mut after = there.clone();
        after.jumbo_frames = given.jumbo_frames.unwrap_or(after.jumbo_frames);
        after.queue_size = given.queue_size.unwrap_or(after.queue_size);
        after.thread_mode = given.thread_mode.unwrap_or(after.thread_mode);
        after.large_send = given.large_send.unwrap_or(after.large_send);
        if let Some(mode) = &given.quality_of_service {
            after.quality_of_service.clone_from(mode);
        }
        if given.address_to_ping.is_some() {
            after.address_to_ping.clone_from(&given.address_to_ping);
        }
        if after != *there {
            self.edit_member(vios, bridge, |server, place| {
                if let Some(sea) = server.shared_ethernet.get_mut(place) {
                    sea.settings = after;
                }
            });
        }
    }
}

/// The priority of a member's trunk adapters: that of its primary one.
fn priority(member: BridgeMember<'_>) -> u8 {
    let first = member.trunks().next();
    let first = first.and_then(|trunk| trunk.trunk.as_ref());
    first.map_or(1, |trunk| trunk.priority)
}
