//! What has to be done so that a bridge carries VLANs, or no more than it should.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bridge, Edit, GROUPS, Group, Move, TAGGED, after};
use crate::rest::Flavor;

/// Port VLANs of groups beside the primary one are placeholders; they are taken from the top.
const PLACEHOLDERS: std::ops::RangeInclusive<u16> = 2..=4094;

/// What surrounds a bridge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// All bridges of the system.
    pub(crate) bridges: &'a [Bridge],
    /// VLANs of trunk adapters on the bridge's switch that belong to no shared Ethernet adapter.
    pub(crate) orphans: &'a BTreeSet<u16>,
    /// VLANs that adapters of partitions have on the switch: no placeholders.
    pub(crate) used: &'a BTreeSet<u16>,
    /// Who is told.
    pub(crate) flavor: Flavor,
    /// Whether to fill new groups up to fifteen before sharing one.
    pub(crate) spread: bool,
}

/// Why a bridge cannot carry a VLAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Another bridge of the switch has it as the VLAN of untagged frames, or on its primary trunk adapters.
    PrimaryOfPeer(u16),
    /// Adapters of a bridge agree over it who bridges.
    ControlChannel(u16),
    /// A trunk adapter that belongs to no shared Ethernet adapter has it.
    Orphan(u16),
    /// Every group is full.
    Full(u16),
    /// No number is left for a new group.
    NoPlaceholder,
}

/// Updates of bridges, in order, after which `target` carries these VLANs. None when it does.
///
/// # Errors
/// One of the VLANs cannot be carried.
pub(crate) fn ensure(
    target: &Bridge,
    vlans: &BTreeSet<u16>,
    around: Surroundings<'_>,
) -> Result<Vec<Edit>, Refused> {
    let missing: BTreeSet<u16> = vlans
        .iter()
        .copied()
        .filter(|vlan| !target.carries(*vlan))
        .collect();
    let peers: Vec<&Bridge> = around
        .bridges
        .iter()
        .filter(|bridge| bridge.switch == target.switch && bridge.uuid != target.uuid)
        .collect();
    for vlan in &missing {
        refuse(*vlan, target, &peers, around)?;
    }
    let mut numbers = Numbers::around(target, &peers, vlans, around);
    let mut edits = Vec::new();
    for peer in peers {
        let moves = strip(peer, &missing);
        give_up(
            peer,
            moves,
            &missing,
            &mut numbers,
            around.flavor,
            &mut edits,
        )?;
    }
    let mut last = Vec::new();
    give_up_own(
        target,
        &missing,
        &mut numbers,
        around.flavor,
        &mut edits,
        &mut last,
    )?;
    let done = edits.iter().filter(|edit| edit.bridge == target.uuid);
    let done: Vec<Move> = done
        .flat_map(|edit| edit.moves.clone())
        .chain(last.clone())
        .collect();
    let mut groups = after(
        &target.groups,
        target.port_vlan,
        target.load_balancing,
        &done,
    );
    for vlan in missing {
        let group = place(target, &groups, around.spread, &mut numbers, vlan)?;
        let add = Move::Add { vlan, group };
        groups = after(&groups, target.port_vlan, target.load_balancing, &[add]);
        last.push(add);
    }
    push(&mut edits, target, last);
    Ok(edits)
}

fn refuse(
    vlan: u16,
    target: &Bridge,
    peers: &[&Bridge],
    around: Surroundings<'_>,
) -> Result<(), Refused> {
    let controls = |bridge: &Bridge| bridge.control_channel == Some(vlan);
    if controls(target) || peers.iter().any(|peer| controls(peer)) {
        return Err(Refused::ControlChannel(vlan));
    }
    let is_primary = |peer: &&Bridge| {
        let mut primary = peer
            .groups
            .iter()
            .filter(|group| group.port_vlan == peer.port_vlan);
        peer.port_vlan == vlan || primary.any(|group| group.tagged.contains(&vlan))
    };
    if peers.iter().any(is_primary) {
        return Err(Refused::PrimaryOfPeer(vlan));
    }
    if around.orphans.contains(&vlan) {
        return Err(Refused::Orphan(vlan));
    }
    Ok(())
}

/// What takes these VLANs away from another bridge.
fn strip(peer: &Bridge, missing: &BTreeSet<u16>) -> Vec<Move> {
    let lost = |group: &Group| {
        let group_vlan = group.port_vlan;
        let vlans: Vec<u16> = group.tagged.intersection(missing).copied().collect();
        vlans.into_iter().map(move |vlan| Move::Remove {
            vlan,
            group: group_vlan,
        })
    };
    peer.others().flat_map(lost).collect()
}

/// The peer loses those VLANs, and its placeholders that are among them.
fn give_up(
    peer: &Bridge,
    mut moves: Vec<Move>,
    missing: &BTreeSet<u16>,
    numbers: &mut Numbers,
    flavor: Flavor,
    edits: &mut Vec<Edit>,
) -> Result<(), Refused> {
    let left = after(&peer.groups, peer.port_vlan, peer.load_balancing, &moves);
    let mut first = Vec::new();
    for group in left
        .iter()
        .filter(|group| group.port_vlan != peer.port_vlan)
    {
        if missing.contains(&group.port_vlan) {
            renumber(group, numbers, flavor, &mut first, &mut moves)?;
        }
    }
    push(edits, peer, first);
    push(edits, peer, moves);
    Ok(())
}

/// The bridge's own placeholders that are VLANs now get other numbers.
fn give_up_own(
    target: &Bridge,
    missing: &BTreeSet<u16>,
    numbers: &mut Numbers,
    flavor: Flavor,
    edits: &mut Vec<Edit>,
    last: &mut Vec<Move>,
) -> Result<(), Refused> {
    let mut first = Vec::new();
    for group in target
        .others()
        .filter(|group| missing.contains(&group.port_vlan))
    {
        renumber(group, numbers, flavor, &mut first, last)?;
    }
    push(edits, target, first);
    Ok(())
}

/// A NovaLink changes the number of a trunk adapter in place. An HMC wants the group gone and made anew, in two updates.
fn renumber(
    group: &Group,
    numbers: &mut Numbers,
    flavor: Flavor,
    first: &mut Vec<Move>,
    second: &mut Vec<Move>,
) -> Result<(), Refused> {
    let (from, to) = (group.port_vlan, numbers.take()?);
    if flavor == Flavor::NovaLink {
        second.push(Move::Renumber { from, to });
        return Ok(());
    }
    for vlan in group.tagged.iter().copied() {
        first.push(Move::Remove { vlan, group: from });
        second.push(Move::Add { vlan, group: to });
    }
    Ok(())
}

fn push(edits: &mut Vec<Edit>, bridge: &Bridge, moves: Vec<Move>) {
    if !moves.is_empty() {
        edits.push(Edit {
            bridge: bridge.uuid.clone(),
            moves,
        });
    }
}

/// The group for another VLAN: the least filled one with room, or a new one. The primary group is left alone.
fn place(
    target: &Bridge,
    groups: &[Group],
    spread: bool,
    numbers: &mut Numbers,
    vlan: u16,
) -> Result<u16, Refused> {
    let others = || {
        groups
            .iter()
            .filter(|group| group.port_vlan != target.port_vlan)
    };
    let may_grow = others().count() < GROUPS - 1;
    let roomy = others().filter(|group| group.tagged.len() < TAGGED);
    match roomy.min_by_key(|group| (group.tagged.len(), group.port_vlan)) {
        Some(group) if !(spread && may_grow) || group.tagged.is_empty() => Ok(group.port_vlan),
        _ if may_grow => numbers.take(),
        Some(group) => Ok(group.port_vlan),
        None => Err(Refused::Full(vlan)),
    }
}

/// Numbers that could be placeholders.
struct Numbers(BTreeSet<u16>);

impl Numbers {
    fn around(
        target: &Bridge,
        peers: &[&Bridge],
        wanted: &BTreeSet<u16>,
        around: Surroundings<'_>,
    ) -> Self {
        let mut taken = target.numbers();
        for peer in peers {
            taken.extend(peer.numbers());
        }
        taken.extend(wanted);
        taken.extend(around.orphans);
        taken.extend(around.used);
        Self(
            PLACEHOLDERS
                .filter(|number| !taken.contains(number))
                .collect(),
        )
    }

    fn take(&mut self) -> Result<u16, Refused> {
        self.0.pop_last().ok_or(Refused::NoPlaceholder)
    }
}

/// The VLANs of groups beside the primary one that nobody needs, the first `limit` of them, by the groups that they are in.
pub(crate) fn prune(
    target: &Bridge,
    needed: &BTreeSet<u16>,
    limit: usize,
) -> (BTreeSet<u16>, Option<Edit>) {
    let mut idle: BTreeMap<u16, u16> = BTreeMap::new();
    for group in target.others() {
        let unneeded = group.tagged.difference(needed);
        idle.extend(unneeded.map(|vlan| (*vlan, group.port_vlan)));
    }
    let idle: BTreeMap<u16, u16> = idle.into_iter().take(limit).collect();
    let vlans = idle.keys().copied().collect();
    let moves: Vec<Move> = idle
        .into_iter()
        .map(|(vlan, group)| Move::Remove { vlan, group })
        .collect();
    let mut edits = Vec::new();
    push(&mut edits, target, moves);
    (vlans, edits.pop())
}

#[cfg(test)]
mod tests;
