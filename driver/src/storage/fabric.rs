//! Virtual Fibre Channel mappings: ports of a server's own, lent by physical ports of a Virtual I/O
//! Server (`docs/protocol/fibre-channel.md`).

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::vios::{AdapterType, VirtualFibreChannelMapping, VirtualIoServer};
use powervm_schema::xml::Element;

use super::mapping::Client;
use crate::partition::PartitionUuid;
use crate::transaction::Changed;
use crate::volume::Wwpn;

/// The group that a Virtual I/O Server has to be read with.
pub(crate) const GROUP: &str = "ViosFCMapping";

/// A port of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lent {
    /// Its names; the first logs in.
    pub(crate) names: Vec<Wwpn>,
    /// Name of the physical port behind it, if there is one.
    pub(crate) port: Option<String>,
    /// Its slot in the server.
    pub(crate) slot: Option<u32>,
}

/// The ports of a server that a Virtual I/O Server serves.
pub(crate) fn lent_to(vios: &Element, client: &Client) -> Vec<Lent> {
    VirtualIoServer(vios)
        .fibre_channel_mappings()
        .filter(|mapping| client_of(mapping) == Some(client.uuid))
        .map(|mapping| Lent {
            names: names_in_order(&mapping),
            port: mapping
                .port()
                .and_then(|port| port.port_name())
                .map(str::to_owned),
            slot: mapping
                .client_adapter()
                .and_then(|client| client.adapter().slot().ok().flatten()),
        })
        .collect()
}

fn client_of(mapping: &VirtualFibreChannelMapping<&Element>) -> Option<PartitionUuid> {
    let href = mapping.partition_href()?;
    let path = href.split('?').next().unwrap_or_default();
    PartitionUuid::parse(path.trim_end_matches('/').rsplit('/').next()?)
}

/// Servers differ in the order in which they repeat what they were sent, so names are compared as sets.
fn names_of(mapping: &VirtualFibreChannelMapping<&Element>) -> BTreeSet<Wwpn> {
    names_in_order(mapping).into_iter().collect()
}

fn names_in_order(mapping: &VirtualFibreChannelMapping<&Element>) -> Vec<Wwpn> {
    let client = mapping.client_adapter();
    let names = client.and_then(|client| client.wwpns()).unwrap_or_default();
    names
        .split_whitespace()
        .filter_map(|name| name.parse().ok())
        .collect()
}

/// Sees to it that the server has ports of these names behind these physical ports. Names that it has
/// already stay where they are; others get the slot that is given for them, or a free one.
pub(crate) fn lend(
    vios: &mut Element,
    client: &Client,
    wanted: &[(String, [Wwpn; 2])],
    slots: &BTreeMap<[Wwpn; 2], u32>,
) -> Changed {
    let mut vios = VirtualIoServer(vios);
    let mut changed = false;
    for (port, names) in wanted {
        let slot = slots.get(names).copied();
        let set = BTreeSet::from(*names);
        let is_there = vios
            .fibre_channel_mappings()
            .any(|mapping| client_of(&mapping) == Some(client.uuid) && names_of(&mapping) == set);
        if !is_there {
            vios.push_fibre_channel_mapping(new_mapping(client, port, *names, slot));
            changed = true;
        }
    }
    changed.into()
}

fn new_mapping(
    client: &Client,
    port: &str,
    names: [Wwpn; 2],
    slot: Option<u32>,
) -> VirtualFibreChannelMapping {
    let mut mapping = VirtualFibreChannelMapping::new();
    mapping.set_partition_href(&client.href);
    let mut adapter = mapping.client_adapter_mut();
    let mut own = adapter.adapter_mut();
    own.set_adapter_type(AdapterType::Client);
    match slot {
        Some(slot) => own.set_slot(slot),
        None => own.set_use_next_available_slot(true),
    };
    adapter.set_wwpns(names.map(Wwpn::rest).join(" "));
    mapping.port_mut().set_port_name(port);
    let mut adapter = mapping.server_adapter_mut();
    adapter
        .adapter_mut()
        .set_adapter_type(AdapterType::Server)
        .set_use_next_available_slot(true);
    mapping
}

/// Takes the server's ports with these names away; without names all of them.
pub(crate) fn take_back(
    vios: &mut Element,
    client: &Client,
    these: Option<&[[Wwpn; 2]]>,
) -> Changed {
    let mut changed = false;
    VirtualIoServer(vios).retain_fibre_channel_mappings(|mapping| {
        let names = names_of(&mapping);
        let is_meant =
            these.is_none_or(|these| these.iter().any(|these| names == BTreeSet::from(*these)));
        let goes = client_of(&mapping) == Some(client.uuid) && is_meant;
        changed |= goes;
        !goes
    });
    changed.into()
}
