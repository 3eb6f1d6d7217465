//! What a bridge is to become: the trunk adapters of each member, whichever way a client says it.

use std::collections::BTreeSet;
use uuid::Uuid;

use super::{BridgeMember, NetworkBridge, TRUNKS};
use crate::model::command::{LoadGroupRequest, SharedEthernetRequest, SlotChoice, TrunkRequest};
use crate::model::network::NetworkAdapter;
use crate::model::network::adapter::{check_vlans, sorted};
use crate::model::refusal::Refusal;
use crate::model::system::ManagedSystem;

/// One trunk adapter of a member as it is to be.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The adapter that becomes it; none for a new one.
    pub(super) adapter: Option<Uuid>,
    pub(super) slot: SlotChoice,
    pub(super) mac: Option<String>,
    pub(super) vlan: u16,
    pub(super) tagged_vlans: Vec<u16>,
    pub(super) tagged: Option<bool>,
    pub(super) required: Option<bool>,
    pub(super) priority: Option<u8>,
}

impl Wanted {
    fn new(vlan: u16, tagged_vlans: Vec<u16>) -> Self {
        Self {
            adapter: None,
            slot: SlotChoice::Next,
            mac: None,
            vlan,
            tagged_vlans,
            tagged: None,
            required: Some(true),
            priority: None,
        }
    }

    fn carries(&self) -> (u16, &[u16]) {
        (self.vlan, &self.tagged_vlans)
    }

    /// Whether a trunk adapter is so already.
    pub(super) fn is(&self, there: &NetworkAdapter) -> bool {
        let tagged = !self.tagged_vlans.is_empty() || self.tagged.unwrap_or(there.tagged);
        let priority = there.trunk.as_ref().map(|trunk| trunk.priority);
        self.adapter == Some(there.uuid)
            && self.carries() == (there.vlan, &there.tagged_vlans)
            && tagged == there.tagged
            && self.priority.is_none_or(|wish| Some(wish) == priority)
    }
}

/// The trunk adapters that a NovaLink's client lists in a shared Ethernet adapter. One that is there already is known
/// by its slot, or by its address.
pub(super) fn from_trunks(
    member: Option<BridgeMember<'_>>,
    posted: &[TrunkRequest],
) -> Vec<Wanted> {
    let mut left: Vec<_> = member.into_iter().flat_map(BridgeMember::trunks).collect();
    let mut wanted = Vec::new();
    for request in posted {
        let by_slot = |slot: u16| left.iter().position(|trunk| trunk.slot == slot);
        let by_mac = |mac: &str| left.iter().position(|trunk| trunk.mac_text() == mac);
        let place = match request.slot {
            SlotChoice::Given(slot) => by_slot(slot),
            SlotChoice::Next | SlotChoice::NextHigh => request.mac.as_deref().and_then(by_mac),
        };
        let there = place.map(|place| left.remove(place));
        let tagged_vlans = match (&request.tagged_vlans, there) {
            (Some(vlans), _) => sorted(vlans.clone()),
            (None, Some(there)) => there.tagged_vlans.clone(),
            (None, None) => Vec::new(),
        };
        wanted.push(Wanted {
            adapter: there.map(|trunk| trunk.uuid),
            slot: request.slot,
            mac: request.mac.clone().filter(|_| there.is_none()),
            vlan: request.vlan,
            tagged_vlans,
            tagged: request.tagged,
            required: request.required,
            priority: request.priority,
        });
    }
    wanted
}

/// The trunk adapters that an HMC makes of load groups: one for each group, with the VLANs of the group's virtual
/// networks.
pub(super) fn from_groups(
    system: &ManagedSystem,
    bridge: &NetworkBridge,
    member: BridgeMember<'_>,
    posted: &[LoadGroupRequest],
) -> Result<Vec<Wanted>, Refusal> {
    posted
        .iter()
        .map(|group| {
            let there = member.trunks().find(|trunk| trunk.vlan == group.vlan);
            let tagged_vlans = match (&group.networks, there) {
                (Some(networks), _) => vlans_of(system, bridge, group.vlan, networks)?,
                (None, Some(there)) => there.tagged_vlans.clone(),
                (None, None) => Vec::new(),
            };
            Ok(Wanted {
                adapter: there.map(|trunk| trunk.uuid),
                required: there.map_or(Some(true), |trunk| Some(trunk.required)),
                ..Wanted::new(group.vlan, tagged_vlans)
            })
        })
        .collect()
}

/// The trunk adapters that a new member of a bridge needs beside the primary one: those of the member that is there.
pub(super) fn like(member: BridgeMember<'_>) -> Vec<Wanted> {
    member
        .trunks()
        .map(|trunk| Wanted::new(trunk.vlan, trunk.tagged_vlans.clone()))
        .collect()
}

/// The trunk adapters of a member of which the body says nothing.
pub(super) fn as_it_is(member: BridgeMember<'_>) -> Vec<Wanted> {
    let there = member.trunks().zip(like(member));
    there
        .map(|(trunk, wanted)| Wanted {
            adapter: Some(trunk.uuid),
            ..wanted
        })
        .collect()
}

/// The one trunk adapter of a shared Ethernet adapter that was asked for without any.
pub(super) fn primary_only(vlan: u16) -> Vec<Wanted> {
    vec![Wanted {
        slot: SlotChoice::NextHigh,
        ..Wanted::new(vlan, Vec::new())
    }]
}

fn vlans_of(
    system: &ManagedSystem,
    bridge: &NetworkBridge,
    port_vlan: u16,
    networks: &[Uuid],
) -> Result<Vec<u16>, Refusal> {
    let mut vlans = BTreeSet::new();
    for uuid in networks {
        let network = system
            .networks
            .get(uuid)
            .ok_or_else(|| Refusal::not_found("VirtualNetwork", uuid))?;
        if network.switch != bridge.switch {
            return Err(Refusal::logic(format!(
                "Virtual network {} is not on the virtual switch of the network bridge.",
                network.name
            )));
        }
        if network.vlan == port_vlan {
            continue;
        }
        if !network.tagged {
            return Err(Refusal::logic(format!(
                "Virtual network {} is untagged and can only be the port VLAN of a load group.",
                network.name
            )));
        }
        vlans.insert(network.vlan);
    }
    Ok(vlans.into_iter().collect())
}

/// The rules for all members together (`docs/protocol/network.md`).
pub(super) fn check(bridge: &NetworkBridge, members: &[Vec<Wanted>]) -> Result<(), Refusal> {
    for wanted in members {
        check_member(bridge, wanted)?;
    }
    let carries = |wanted: &[Wanted]| -> BTreeSet<(u16, Vec<u16>)> {
        let trunks = wanted.iter().map(Wanted::carries);
        trunks
            .map(|(vlan, tagged)| (vlan, tagged.to_vec()))
            .collect()
    };
    let mut all = members.iter().map(|wanted| carries(wanted));
    let first = all.next();
    if all.any(|other| Some(&other) != first.as_ref()) {
        return Err(Refusal::logic(
            "The shared Ethernet adapters of a network bridge must have trunk adapters with the same VLANs.",
        ));
    }
    Ok(())
}

fn check_member(bridge: &NetworkBridge, wanted: &[Wanted]) -> Result<(), Refusal> {
    let primary = wanted.iter().filter(|trunk| trunk.vlan == bridge.vlan);
    if primary.count() != 1 {
        return Err(Refusal::logic(format!(
            "A shared Ethernet adapter needs exactly one trunk adapter with the port VLAN {} of its network bridge.",
            bridge.vlan
        )));
    }
    if wanted.len() > TRUNKS {
        return Err(Refusal::logic(format!(
            "A shared Ethernet adapter takes at most {TRUNKS} trunk adapters."
        )));
    }
    let mut seen = BTreeSet::new();
    for trunk in wanted {
        check_vlans(trunk.vlan, &trunk.tagged_vlans)?;
        for vlan in std::iter::once(&trunk.vlan).chain(&trunk.tagged_vlans) {
            if !seen.insert(*vlan) {
                return Err(Refusal::logic(format!(
                    "VLAN {vlan} is on more than one trunk adapter of the shared Ethernet adapter."
                )));
            }
        }
    }
    if bridge.load_balancing && wanted.len() < 2 {
        return Err(Refusal::logic(
            "A network bridge that shares its load needs a trunk adapter besides the primary one.",
        ));
    }
    Ok(())
}

/// The primary one first, as lists of trunk adapters have it.
pub(super) fn primary_first(bridge: &NetworkBridge, wanted: &mut [Wanted]) {
    wanted.sort_by_key(|trunk| trunk.vlan != bridge.vlan);
}

/// Which of the posted shared Ethernet adapters is meant for a member: that of the same server, and where the body
/// names none the one in the same place.
pub(super) fn posted_for(
    posted: &[SharedEthernetRequest],
    vios: Uuid,
    place: usize,
) -> Option<&SharedEthernetRequest> {
    posted
        .iter()
        .find(|request| request.vios == Some(vios))
        .or_else(|| posted.get(place).filter(|request| request.vios.is_none()))
}
