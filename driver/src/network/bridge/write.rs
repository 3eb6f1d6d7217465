//! Writes the groups of a bridge into its document: an HMC follows the load groups, a NovaLink the trunk adapters.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::network::{LoadGroup, TrunkAdapter};
use powervm_schema::xml::Element;

use super::{Group, Move, last};

/// Makes the trunk adapters of every shared Ethernet adapter those of the groups.
pub(crate) fn write(document: &mut Element, groups: &[Group], moves: &[Move]) {
    let Some(adapters) = document.child_mut("SharedEthernetAdapters") else {
        return;
    };
    for adapter in adapters.children_mut() {
        if let Some(trunks) = adapter.child_mut("TrunkAdapters") {
            write_trunks(trunks, groups, moves);
        }
    }
}

fn write_trunks(trunks: &mut Element, groups: &[Group], moves: &[Move]) {
    // The same adapter with another number: no other VLAN of it is cut off meanwhile.
    for one in moves {
        let Move::Renumber { from, to } = *one else {
            continue;
        };
        let with = |number| move |trunk: &&mut Element| port_vlan(trunk) == Some(number);
        let is_done = trunks.children().any(|trunk| port_vlan(trunk) == Some(to));
        if let Some(trunk) = trunks.children_mut().find(with(from)).filter(|_| !is_done) {
            TrunkAdapter(trunk).set_port_vlan(to);
        }
    }
    let wanted: BTreeMap<u16, &Group> = groups
        .iter()
        .map(|group| (group.port_vlan, group))
        .collect();
    trunks.retain_children(|trunk| port_vlan(trunk).is_none_or(|vlan| wanted.contains_key(&vlan)));
    let mut there = BTreeSet::new();
    for trunk in trunks.children_mut() {
        let Some(group) = port_vlan(trunk).and_then(|vlan| wanted.get(&vlan)) else {
            continue;
        };
        there.insert(group.port_vlan);
        let mut trunk = TrunkAdapter(trunk);
        let now: BTreeSet<u16> = trunk
            .tagged_vlan_ids()
            .unwrap_or_default()
            .into_iter()
            .collect();
        if now != group.tagged {
            trunk
                .set_tagged_vlans(text(&group.tagged))
                .set_tagged_vlan_supported(!group.tagged.is_empty());
        }
    }
    let first = trunks.children().next().cloned();
    for group in groups
        .iter()
        .filter(|group| !there.contains(&group.port_vlan))
    {
        trunks.push(new_trunk(group, first.as_ref()));
    }
}

/// A new trunk adapter on the switch and with the priority of the first.
fn new_trunk(group: &Group, first: Option<&Element>) -> Element {
    let mut trunk = TrunkAdapter::new();
    trunk
        .set_required(true)
        .set_use_next_available_high_slot(true)
        .set_port_vlan(group.port_vlan)
        .set_tagged_vlans(text(&group.tagged))
        .set_tagged_vlan_supported(true);
    if let Some(first) = first.map(TrunkAdapter) {
        let switch: Vec<&str> = first.virtual_switch().collect();
        if !switch.is_empty() {
            trunk.set_virtual_switch(switch);
        }
        if let Some(id) = first.virtual_switch_id().ok().flatten() {
            trunk.set_virtual_switch_id(id);
        }
        if let Some(priority) = first.trunk_priority().ok().flatten() {
            trunk.set_trunk_priority(priority);
        }
    }
    trunk.0
}

/// Makes the load groups those of the groups, with the virtual networks of their VLANs, by VLAN in `networks`.
pub(crate) fn write_groups(
    document: &mut Element,
    groups: &[Group],
    before: &[Group],
    networks: &BTreeMap<u16, String>,
) {
    let wanted: BTreeMap<u16, &Group> = groups
        .iter()
        .map(|group| (group.port_vlan, group))
        .collect();
    let before: BTreeMap<u16, &Group> = before
        .iter()
        .map(|group| (group.port_vlan, group))
        .collect();
    let Some(list) = document.child_mut("LoadGroups") else {
        return;
    };
    list.retain_children(|group| port_vlan(group).is_none_or(|vlan| wanted.contains_key(&vlan)));
    let mut there = BTreeSet::new();
    for element in list.children_mut() {
        let Some(group) = port_vlan(element).and_then(|vlan| wanted.get(&vlan)) else {
            continue;
        };
        there.insert(group.port_vlan);
        let was = before.get(&group.port_vlan).map(|group| &group.tagged);
        if was == Some(&group.tagged) {
            continue;
        }
        let gone: BTreeSet<&str> = was
            .into_iter()
            .flat_map(|was| was.difference(&group.tagged))
            .filter_map(|vlan| networks.get(vlan).map(|href| last(href)))
            .collect();
        let mut load_group = LoadGroup(element);
        let mut links: Vec<String> = load_group
            .virtual_networks()
            .filter(|href| !gone.contains(last(href)))
            .map(str::to_owned)
            .collect();
        let known: BTreeSet<String> = links.iter().map(|href| last(href).to_owned()).collect();
        let new = group.tagged.iter().filter_map(|vlan| networks.get(vlan));
        links.extend(new.filter(|href| !known.contains(last(href))).cloned());
        load_group.set_virtual_networks(links.iter().map(String::as_str));
    }
    for group in groups
        .iter()
        .filter(|group| !there.contains(&group.port_vlan))
    {
        let links = group.tagged.iter().filter_map(|vlan| networks.get(vlan));
        let mut load_group = LoadGroup::new();
        load_group
            .set_port_vlan(group.port_vlan)
            .set_virtual_networks(links.map(String::as_str));
        list.push(load_group.0);
    }
}

fn port_vlan(element: &Element) -> Option<u16> {
    element.child_value("PortVLANID")?.trim().parse().ok()
}

fn text(vlans: &BTreeSet<u16>) -> String {
    let numbers: Vec<String> = vlans.iter().map(ToString::to_string).collect();
    numbers.join(" ")
}
