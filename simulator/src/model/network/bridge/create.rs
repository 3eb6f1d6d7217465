//! Bridges come and go.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{NetworkBridge, wish};
use crate::clock::Millis;
use crate::model::command::{CreateNetworkBridge, Outcome, SharedEthernetRequest, TrunkRequest};
use crate::model::names::EventKind;
use crate::model::network::VirtualSwitch;
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

/// The most shared Ethernet adapters of a bridge.
pub(super) const MEMBERS: usize = 2;

impl World {
    pub(in crate::model) fn create_bridge(
        &mut self,
        now: Millis,
        request: CreateNetworkBridge,
    ) -> Result<Outcome, Refusal> {
        let there = self.system(request.system)?;
        let members = &request.adapters;
        if members.is_empty() || members.len() > MEMBERS {
            return Err(Refusal::logic(
                "A network bridge has one shared Ethernet adapter, or two on different Virtual I/O Servers.",
            ));
        }
        let failover = request.failover.unwrap_or(members.len() > 1);
        if (failover || request.load_balancing) && members.len() < MEMBERS {
            return Err(Refusal::logic(
                "A network bridge needs two shared Ethernet adapters to fail over or to share its load.",
            ));
        }
        let switch = switch_of(&there, members)?;
        let bridge = NetworkBridge {
            uuid: self.ids.named_uuid(),
            switch: switch.uuid,
            switch_id: switch.id,
            vlan: request.vlan,
            failover,
            load_balancing: request.load_balancing,
            control_channel: request.control_channel,
            version: 0,
        };
        check_control_channel(&bridge)?;
        let mut wanted: Vec<_> = members
            .iter()
            .map(|member| match member.trunks.as_deref() {
                Some(posted) if !posted.is_empty() => wish::from_trunks(None, posted),
                _ => wish::primary_only(bridge.vlan),
            })
            .collect();
        wish::check(&bridge, &wanted)?;
        self.store_bridge(request.system, &bridge);
        let mut servers = BTreeSet::new();
        let primary = members
            .iter()
            .position(|member| member.primary == Some(true))
            .unwrap_or(0);
        for (place, (member, wanted)) in members.iter().zip(&mut wanted).enumerate() {
            wish::primary_first(&bridge, wanted);
            let vios = self.add_member(request.system, &bridge, member, place == primary)?;
            if !servers.insert(vios) {
                return Err(Refusal::logic(
                    "The shared Ethernet adapters of a network bridge must be on different Virtual I/O Servers.",
                ));
            }
            let priority = if place == primary { 1 } else { 2 };
            self.set_trunks(vios, &bridge, wanted, priority)?;
            self.set_control_channel(vios, &bridge)?;
            self.set_member(vios, bridge.uuid, member);
        }
        self.check_bridge_trunks(request.system, bridge.uuid)?;
        let resource = Resource::NetworkBridge {
            system: request.system,
            bridge: bridge.uuid,
        };
        self.announce(now, EventKind::AddUri, resource, "");
        self.keep_bridged_networks(now, request.system, bridge.uuid);
        self.touch_system(now, request.system);
        self.settle_bridge(now, request.system, &servers);
        Ok(Outcome::Written(resource))
    }

    pub(in crate::model) fn delete_bridge(
        &mut self,
        now: Millis,
        system: Uuid,
        bridge: Uuid,
    ) -> Result<Outcome, Refusal> {
        if !self.system(system)?.bridges.contains_key(&bridge) {
            return Err(Refusal::not_found("NetworkBridge", bridge));
        }
        let members = self.bridge_members(system, bridge);
        let servers: BTreeSet<Uuid> = members
            .iter()
            .map(|member| member.vios.partition.uuid)
            .collect();
        for vios in &servers {
            self.bridging_server(system, *vios)?;
        }
        let resource = Resource::NetworkBridge { system, bridge };
        self.announce(now, EventKind::DeleteUri, resource, "");
        for vios in &servers {
            self.remove_member(*vios, bridge);
        }
        if let Some(system) = self.systems.get_mut(&system).map(Arc::make_mut) {
            system.bridges.remove(&bridge);
        }
        self.touch_system(now, system);
        self.settle_bridge(now, system, &servers);
        Ok(Outcome::Deleted(resource))
    }
}

/// The control channel is a VLAN of its own.
pub(super) fn check_control_channel(bridge: &NetworkBridge) -> Result<(), Refusal> {
    let Some(vlan) = bridge.control_channel else {
        return Ok(());
    };
    if !(1..=4094).contains(&vlan) || vlan == bridge.vlan {
        return Err(Refusal::logic(format!(
            "The control channel cannot have the VLAN {vlan}: it needs one of its own from 1 to 4094."
        )));
    }
    if !bridge.failover && !bridge.load_balancing {
        return Err(Refusal::logic(
            "Only a network bridge with two shared Ethernet adapters has a control channel.",
        ));
    }
    Ok(())
}

/// The one switch that the trunk adapters name; the default one if they name none.
fn switch_of(
    system: &ManagedSystem,
    members: &[SharedEthernetRequest],
) -> Result<Arc<VirtualSwitch>, Refusal> {
    let trunks = || {
        members
            .iter()
            .flat_map(|member| member.trunks.iter().flatten())
    };
    let find = |trunk: &TrunkRequest| match (trunk.switch, trunk.switch_id) {
        (Some(uuid), _) => system.switches.get(&uuid),
        (None, Some(id)) => system.switch_by_id(id),
        (None, None) => system.switch_by_id(0),
    };
    let missing = || {
        Refusal::logic(
            "The virtual switch of a trunk adapter does not exist on the managed system.",
        )
    };
    let first = match trunks().next() {
        Some(trunk) => find(trunk),
        None => system.switch_by_id(0),
    };
    let first = first.ok_or_else(missing)?;
    for trunk in trunks() {
        if find(trunk).ok_or_else(missing)?.uuid != first.uuid {
            return Err(Refusal::logic(
                "The trunk adapters of a network bridge must be on one virtual switch.",
            ));
        }
    }
    Ok(Arc::clone(first))
}
