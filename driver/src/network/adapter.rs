//! A partition's virtual Ethernet adapters.

use powervm_schema::network::{ClientNetworkAdapter, VirtualNetwork};

use super::mac::Mac;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Switch;
use crate::operations::shared::Turns;
use crate::partition::PartitionUuid;
use crate::rest::{Flavor, Groups, Session};

/// VLAN of the adapters on the management switch.
pub(crate) const MANAGEMENT_VLAN: u16 = 4094;

/// An adapter to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewAdapter<'a> {
    /// The switch that it is plugged into.
    pub(crate) switch: &'a Switch,
    /// Its VLAN.
    pub(crate) vlan: u16,
    /// Its address; none leaves it to the server.
    pub(crate) mac: Option<Mac>,
    /// Its slot; none for one that is free.
    pub(crate) slot: Option<u32>,
}

/// An interface that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Made {
    /// The address that it has.
    pub(crate) mac: Mac,
    /// Its path.
    pub(crate) path: String,
}

/// Makes an adapter of a partition that is off.
///
/// # Errors
/// Those of the request, and an answer without an address.
pub(crate) async fn create(
    session: &Session,
    partition: PartitionUuid,
    new: &NewAdapter<'_>,
) -> Result<Made> {
    let mut adapter = ClientNetworkAdapter::new();
    // NovaLink takes slots from the top, so that those of the storage stay together.
    match (new.slot, session.flavor()) {
        (Some(slot), _) => adapter.set_slot(slot),
        (None, Flavor::NovaLink) => adapter.set_use_next_available_high_slot(true),
        (None, Flavor::Hmc) => adapter.set_use_next_available_slot(true),
    };
    if let Some(mac) = new.mac {
        adapter.set_mac_address(mac.rest());
    }
    adapter
        .set_port_vlan(new.vlan)
        .set_virtual_switch([new.switch.href.as_str()]);
    let path = format!("LogicalPartition/{partition}/ClientNetworkAdapter");
    let entry = session.create(&path, &adapter.0).await?;
    let mac = ClientNetworkAdapter(&entry.content)
        .mac_address()
        .and_then(|mac| mac.parse().ok());
    let mac = mac.or(new.mac).ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            "the server does not tell the address of the adapter that it made",
            "check that the endpoint is the REST API of an HMC or NovaLink",
        )
    })?;
    Ok(Made {
        mac,
        path: format!("{path}/{}", entry.id),
    })
}

/// Sees to it that the VLAN exists as a virtual network of the switch, which an HMC wants before
/// it makes an adapter. NovaLink makes and removes virtual networks by itself.
///
/// # Errors
/// Those of the requests.
pub(crate) async fn ensure_virtual_network(
    session: &Session,
    system: &str,
    switch: &Switch,
    vlan: u16,
    turns: &Turns<String>,
) -> Result<()> {
    if session.flavor() == Flavor::NovaLink {
        return Ok(());
    }
    // One at a time: two deploys on a new VLAN would both find it missing.
    let _turn = turns.take(&format!("{}-{vlan}", switch.name)).await;
    let path = format!("ManagedSystem/{system}/VirtualNetwork");
    if exists(session, &path, switch, vlan).await? {
        return Ok(());
    }
    let mut network = VirtualNetwork::new();
    network
        .set_switch(switch.plain_href())
        .set_name(format!("{}-{vlan}", switch.name))
        .set_vlan(vlan)
        .set_tagged(vlan != 1);
    match session.create(&path, &network.0).await {
        Ok(_) => Ok(()),
        // Another client may have been faster, or the answer was lost.
        Err(error) => {
            if exists(session, &path, switch, vlan).await? {
                Ok(())
            } else {
                Err(error)
            }
        }
    }
}

async fn exists(session: &Session, path: &str, switch: &Switch, vlan: u16) -> Result<bool> {
    let feed = session.get_feed(path, Groups::None).await?;
    Ok(feed.entries.iter().any(|entry| {
        let network = VirtualNetwork(&entry.content);
        let on_switch = match network.switch_id().ok().flatten() {
            Some(id) => Some(id) == switch.id,
            None => network
                .switch()
                .is_some_and(|href| href.split('?').next() == Some(switch.plain_href())),
        };
        on_switch && network.vlan().ok().flatten() == Some(vlan)
    }))
}
