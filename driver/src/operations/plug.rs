//! Plugs a server's interfaces, whatever is between them and their networks, and unplugs them.

use std::collections::BTreeSet;

use powervm_schema::atom::Entry;
use powervm_schema::network::ClientNetworkAdapter;
use powervm_schema::sriov::VirtualNicDedicated;
use uuid::Uuid;

use super::announce::{self, Action};
use super::driver::{Driver, path_of};
use super::plan::PlannedInterface;
use super::server::InterfaceInfo;
use super::trunk::{self, Wanted};
use super::vnic;
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Switch, Switches};
use crate::network::adapter::{self, Made, NewAdapter};
use crate::network::trunk::{Line, Trunk, line_of};
use crate::network::{Attachment, Mac, NetworkInterface, OvsPort};
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// Plugs an interface, tells the network agents, and returns the address that it has.
///
/// # Errors
/// No port for it; those of the requests.
pub(super) async fn plug(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
) -> Result<Mac> {
    let attachment = &planned.interface.attachment;
    let Made { mac, path } = match attachment {
        Attachment::SharedEthernet => plug_adapter(driver, partition, planned).await,
        Attachment::Ovs(port) => plug_pair(driver, partition, planned, port).await,
        Attachment::Sriov(wish) => vnic::plug(driver, partition, planned, wish).await,
    }?;
    let kind = announce::kind_of(attachment);
    announce::tell(driver, Action::Plug, kind, mac, &path).await?;
    Ok(mac)
}

/// The switch that an interface's adapter is plugged into, where there has to be one already.
///
/// # Errors
/// There is none.
pub(super) fn switch_for(
    interface: &NetworkInterface,
    switches: &Switches,
) -> Result<Option<Switch>> {
    match interface.attachment {
        Attachment::SharedEthernet => switches.bridged().cloned().map(Some),
        Attachment::Ovs(_) | Attachment::Sriov(_) => Ok(None),
    }
}

/// What can be known of these interfaces before anything is touched.
///
/// # Errors
/// One of them cannot be.
pub(super) async fn foresee(driver: &Driver, interfaces: &[PlannedInterface]) -> Result<()> {
    for planned in interfaces {
        let Attachment::Ovs(port) = &planned.interface.attachment else {
            continue;
        };
        port.check().map_err(|wrong| {
            Error::invalid(format!("the interface cannot be: {wrong}"), "name it so")
        })?;
        trunk::host(driver).await?;
        planned.pair_address()?;
    }
    vnic::foresee(driver, interfaces).await
}

impl PlannedInterface {
    /// The address that the trunk adapter tells of its partner.
    fn pair_address(&self) -> Result<Mac> {
        self.mac.ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                "the host chooses the addresses of adapters itself, and Open vSwitch is told them beforehand",
                "ask for an interface of another type, or use another host",
            )
        })
    }
}

/// The trunk adapter first: its VLAN is the pair's.
async fn plug_pair(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
    port: &OvsPort,
) -> Result<Made> {
    let mac = planned.pair_address()?;
    let wanted = Wanted {
        port,
        mac,
        instance: planned.instance,
        mtu: planned.interface.mtu,
        arriving: false,
    };
    let reserved = trunk::create(driver, &wanted).await?;
    let new = NewAdapter {
        switch: &reserved.switch,
        vlan: reserved.vlan,
        mac: Some(mac),
        slot: planned.slot,
    };
    adapter::create(driver.session(), partition, &new).await
}

/// Sees to it that an interface that is there is whole: a trunk adapter is written anew, which brings back a device that
/// was lost. Nothing on shared Ethernet adapters and SR-IOV ports.
///
/// # Errors
/// Those of the requests.
pub(super) async fn refresh(
    driver: &Driver,
    instance: Uuid,
    interface: &NetworkInterface,
    plugged: &Plugged,
) -> Result<()> {
    let (Attachment::Ovs(port), Some(mac)) = (&interface.attachment, plugged.info.mac) else {
        return Ok(());
    };
    port.check().map_err(|wrong| {
        Error::invalid(format!("the interface cannot be: {wrong}"), "name it so")
    })?;
    let wanted = Wanted {
        port,
        mac,
        instance,
        mtu: interface.mtu,
        arriving: false,
    };
    match partner(driver, plugged).await? {
        Some(trunk) => {
            trunk::refresh(driver, &trunk, &wanted).await?;
            announce::tell(driver, Action::Plug, plugged.kind(true), mac, &plugged.path).await
        }
        None => Err(Error::operation(
            ErrorKind::Precondition,
            format!("the interface {mac} has no trunk adapter on the management partition"),
            "detach it and attach it again",
        )),
    }
}

/// The trunk adapter of an interface, if it has one.
async fn partner(driver: &Driver, plugged: &Plugged) -> Result<Option<Trunk>> {
    match plugged.line {
        Some(line) => trunk::on_line(driver, line).await,
        None => Ok(None),
    }
}

/// Takes an interface away: the trunk adapter of a pair first, since it is found through its partner.
///
/// # Errors
/// Those of the requests.
pub(super) async fn unplug(driver: &Driver, plugged: &Plugged) -> Result<()> {
    let trunk = partner(driver, plugged).await?;
    if let Some(trunk) = &trunk {
        trunk::remove(driver, &trunk.path).await?;
    }
    trunk::remove(driver, &plugged.path).await?;
    let kind = plugged.kind(trunk.is_some());
    announce::tell_gone(driver, kind, plugged.info.mac, &plugged.path).await;
    Ok(())
}

/// Tells the network agents of all interfaces of a server that has come, as if each had been plugged here: the network
/// service connects its ports only now. That they do not hear of it is no reason to say that it has not come.
pub(super) async fn announce_all(driver: &Driver, partition: PartitionUuid) {
    if !driver.config().announce_interfaces {
        return;
    }
    if let Err(error) = announce_each(driver, partition).await {
        tracing::warn!(%error, %partition, "could not tell the network agents of interfaces that have come");
    }
}

async fn announce_each(driver: &Driver, partition: PartitionUuid) -> Result<()> {
    let trunks = trunk::of_server(driver, partition).await?;
    for plugged in &interfaces(driver, partition).await? {
        let Some(mac) = plugged.info.mac else {
            continue;
        };
        let is_pair = trunks.iter().any(|trunk| Some(trunk.line) == plugged.line);
        let kind = plugged.kind(is_pair);
        announce::tell(driver, Action::Plug, kind, mac, &plugged.path).await?;
    }
    Ok(())
}

/// Takes back what [`plug`] made: what the server did not have `before` and has the address, if we chose one, and the
/// trunk adapter that tells that address, if it is one of a pair.
///
/// # Errors
/// Those of the requests.
pub(super) async fn take_back(
    driver: &Driver,
    partition: PartitionUuid,
    is_pair: bool,
    mac: Option<Mac>,
    before: &BTreeSet<String>,
) -> Result<()> {
    if let (true, Some(mac)) = (is_pair, mac) {
        let mut trunks = trunk::of_server(driver, partition).await?;
        trunks.retain(|trunk| trunk.ids.mac() == Some(mac));
        trunk::delete(driver, &trunks).await?;
    }
    for plugged in interfaces(driver, partition).await? {
        let is_ours = mac.is_none() || plugged.info.mac == mac;
        if is_ours && !before.contains(&plugged.path) {
            driver.session().ensure_deleted(&plugged.path).await?;
            let kind = plugged.kind(is_pair);
            announce::tell_gone(driver, kind, plugged.info.mac, &plugged.path).await;
        }
    }
    Ok(())
}

async fn plug_adapter(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
) -> Result<Made> {
    let switch = planned
        .switch
        .as_ref()
        .ok_or_else(|| Error::internal("an adapter without a switch"))?;
    let new = NewAdapter {
        switch,
        vlan: planned.interface.vlan,
        mac: planned.mac,
        slot: planned.slot,
    };
    plug_into_switch(driver, partition, &new).await
}

/// Makes an adapter on its VLAN, which is made where an HMC has none of it.
///
/// # Errors
/// Those of the requests.
pub(super) async fn plug_into_switch(
    driver: &Driver,
    partition: PartitionUuid,
    new: &NewAdapter<'_>,
) -> Result<Made> {
    let shared = &driver.shared;
    adapter::ensure_virtual_network(
        &shared.session,
        &shared.system.uuid,
        new.switch,
        new.vlan,
        &shared.networks,
    )
    .await?;
    adapter::create(&shared.session, partition, new).await
}

/// An interface that a server has.
#[derive(Debug, Clone)]
pub(super) struct Plugged {
    /// Its path.
    pub(super) path: String,
    /// Where it is, if it is an adapter on a switch.
    pub(super) line: Option<Line>,
    /// What is told of it.
    pub(super) info: InterfaceInfo,
}

impl Plugged {
    /// Its type, as the network service calls it.
    pub(super) fn kind(&self, is_pair: bool) -> &'static str {
        match self.line {
            None => "pvm_sriov",
            Some(_) if is_pair => "ovs",
            Some(_) => "pvm_sea",
        }
    }
}

/// All interfaces of a server.
///
/// # Errors
/// Those of the requests.
pub(super) async fn interfaces(driver: &Driver, partition: PartitionUuid) -> Result<Vec<Plugged>> {
    let nics = format!("{}/VirtualNICDedicated", path_of(partition));
    let (adapters, nics, switches) = futures_util::try_join!(
        driver.adapters(partition),
        nics_at(driver, &nics),
        driver.switches(),
    )?;
    let mut all = Vec::new();
    for entry in &adapters {
        let adapter = ClientNetworkAdapter(&entry.content);
        let switch = adapter
            .virtual_switch_id()
            .ok()
            .flatten()
            .and_then(|id| switches.numbered(id));
        all.push(Plugged {
            path: format!("{}/ClientNetworkAdapter/{}", path_of(partition), entry.id),
            line: line_of(&adapter),
            info: InterfaceInfo {
                mac: adapter.mac_address().and_then(|mac| mac.parse().ok()),
                vlan: adapter.port_vlan().ok().flatten(),
                switch: switch.map(|switch| switch.name.clone()),
                slot: adapter.slot().ok().flatten(),
            },
        });
    }
    for entry in &nics {
        let nic = VirtualNicDedicated(&entry.content);
        let details = nic.details();
        all.push(Plugged {
            path: format!("{}/VirtualNICDedicated/{}", path_of(partition), entry.id),
            line: None,
            info: InterfaceInfo {
                mac: details
                    .as_ref()
                    .and_then(|details| details.mac_address()?.parse().ok()),
                vlan: details
                    .as_ref()
                    .and_then(|details| details.port_vlan().ok().flatten()),
                switch: None,
                slot: nic.slot().ok().flatten(),
            },
        });
    }
    all.sort_by_key(|plugged| plugged.info.slot);
    Ok(all)
}

/// Servers that have no virtual NICs may not know the word.
async fn nics_at(driver: &Driver, path: &str) -> Result<Vec<Entry>> {
    match driver.session().get_feed(path, Groups::None).await {
        Ok(feed) => Ok(feed.entries),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
