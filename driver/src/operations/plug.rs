//! Plugs a server's interfaces, whatever is between them and their networks, and unplugs them.

use powervm_schema::atom::Entry;
use powervm_schema::network::ClientNetworkAdapter;
use powervm_schema::sriov::VirtualNicDedicated;
use powervm_schema::system::ManagedSystem;

use super::driver::{Driver, path_of};
use super::plan::PlannedInterface;
use super::server::InterfaceInfo;
use crate::error::{Error, ErrorKind, Result};
use crate::network::adapter::{self, NewAdapter};
use crate::network::sriov::{self, Server};
use crate::network::{Attachment, Mac, SriovWish};
use crate::partition::PartitionUuid;
use crate::rest::Groups;

/// Ports are chosen and taken one interface at a time, so that two do not count on the same room.
const SRIOV_TURN: &str = "SR-IOV ports";

/// Plugs an interface and returns the address that it has.
///
/// # Errors
/// No port for it; those of the requests.
pub(super) async fn plug(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
) -> Result<Mac> {
    match &planned.interface.attachment {
        Attachment::SharedEthernet => plug_adapter(driver, partition, planned).await,
        Attachment::Sriov(wish) => plug_nic(driver, partition, planned, wish).await,
    }
}

async fn plug_adapter(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
) -> Result<Mac> {
    let shared = &driver.shared;
    let (switch, vlan) = (&planned.switch, planned.interface.vlan);
    adapter::ensure_virtual_network(
        &shared.session,
        &shared.system.uuid,
        switch,
        vlan,
        &shared.networks,
    )
    .await?;
    let new = NewAdapter {
        switch,
        vlan,
        mac: planned.mac,
    };
    adapter::create(&shared.session, partition, &new).await
}

async fn plug_nic(
    driver: &Driver,
    partition: PartitionUuid,
    planned: &PlannedInterface,
    wish: &SriovWish,
) -> Result<Mac> {
    let session = driver.session();
    let _turn = driver.shared.networks.take(&SRIOV_TURN.to_owned()).await;
    let backing = sriov::choose(wish, &ports(driver).await?, &servers(driver, wish).await?)?;
    let nic = sriov::document(
        session.flavor(),
        planned.interface.vlan,
        planned.mac,
        wish,
        &backing,
    );
    let path = format!("{}/VirtualNICDedicated", path_of(partition));
    let entry = session.create(&path, &nic.0).await?;
    let nic = VirtualNicDedicated(&entry.content);
    let mac = nic
        .details()
        .and_then(|details| details.mac_address()?.parse().ok());
    mac.or(planned.mac).ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            "the server does not tell the address of the virtual NIC that it made",
            "check that the endpoint is the REST API of an HMC or NovaLink",
        )
    })
}

/// The SR-IOV ports of the host, as they are now.
async fn ports(driver: &Driver) -> Result<Vec<sriov::Port>> {
    let path = format!("ManagedSystem/{}", driver.shared.system.uuid);
    let entry = driver.session().get_entry(&path, Groups::None).await?;
    let io = ManagedSystem(&entry.content).io();
    let adapters = io.iter().flat_map(|io| io.sriov_adapters());
    let adapters = adapters.filter_map(|choice| choice.sriov().map(|adapter| adapter.0.clone()));
    Ok(sriov::ports_of(adapters.collect::<Vec<_>>().into_iter()))
}

/// Virtual I/O Servers that can serve the NIC, in an order of chance. With several ports behind it, those
/// that cannot stand in for another are left out.
async fn servers(driver: &Driver, wish: &SriovWish) -> Result<Vec<Server>> {
    let mut vioses = driver.active_vioses().await?;
    vioses.retain(|vios| vios.vnic.serves && (wish.redundancy == 1 || vios.vnic.fails_over));
    let count = u32::try_from(vioses.len()).unwrap_or(1).max(1);
    let first = usize::try_from(driver.tag() % count).unwrap_or(0);
    let first = first.min(vioses.len());
    vioses.rotate_left(first);
    let origin = driver.session().endpoint().origin();
    let server = |vios: crate::host::Vios| Server {
        href: format!("{origin}/rest/api/uom/{}", vios.path()),
        uuid: vios.uuid,
    };
    Ok(vioses.into_iter().map(server).collect())
}

/// An interface that a server has.
#[derive(Debug, Clone)]
pub(super) struct Plugged {
    /// Its path.
    pub(super) path: String,
    /// What is told of it.
    pub(super) info: InterfaceInfo,
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
