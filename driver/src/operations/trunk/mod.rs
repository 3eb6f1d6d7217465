//! Pairs of adapters that lead from a server to Open vSwitch: the trunk adapter of the management partition, and the
//! VLAN that it shares with the server's.

mod listing;
mod moves;
mod orphans;

pub use listing::TrunkInfo;
pub use moves::{TrunkVlans, vlan_mappings};

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;
use powervm_schema::network::{ClientNetworkAdapter, SwitchMode, VirtualNetwork, VirtualSwitch};
use powervm_schema::partition::LogicalPartition;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::driver::Driver;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Switch;
use crate::network::trunk::{Line, Trunk, TrunkPort, free_vlan};
use crate::network::{Mac, OvsPort};
use crate::partition::PartitionUuid;
use crate::rest::Groups;
use crate::transaction::{Changed, edit};

/// Turn of whoever looks for a VLAN, or makes the switch.
const VLAN_TURN: &str = "VLANs of trunk adapters";
/// How often a VLAN is looked for when others, in other processes, take it first.
const TRIES: usize = 5;

/// What the process knows of pairs.
#[derive(Default)]
pub(super) struct Pairs {
    /// VLANs that it is about to take, or has taken without having made both adapters.
    taken: Mutex<BTreeSet<u16>>,
    /// Path of the management partition; none where there is none.
    management: OnceCell<Option<String>>,
}

impl Pairs {
    fn taken(&self) -> MutexGuard<'_, BTreeSet<u16>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A VLAN that is this process's until both adapters are made, or neither.
pub(super) struct Reserved {
    driver: Driver,
    /// The VLAN.
    pub(super) vlan: u16,
    /// The switch.
    pub(super) switch: Switch,
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.driver.shared.trunks.taken().remove(&self.vlan);
    }
}

/// A trunk adapter to be made.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// The port of Open vSwitch.
    pub(super) port: &'a OvsPort,
    /// Address of the server's adapter.
    pub(super) mac: Mac,
    /// The server.
    pub(super) instance: Uuid,
    /// MTU of the network.
    pub(super) mtu: Option<u32>,
    /// Whether the server is still on another host.
    pub(super) arriving: bool,
}

impl Wanted<'_> {
    fn port(&self) -> TrunkPort {
        let ids = self.port.external_ids(self.mac, self.instance);
        TrunkPort {
            device: self.port.device_name(),
            bridge: self.port.bridge.clone(),
            ids: if self.arriving { ids.arriving() } else { ids },
            mtu: self.mtu,
        }
    }
}

/// Path of the partition in which Open vSwitch runs.
///
/// # Errors
/// There is none; those of the requests.
pub(super) async fn host(driver: &Driver) -> Result<&str> {
    management(driver).await?.ok_or_else(|| {
        Error::operation(
            ErrorKind::Precondition,
            "the host has no management partition, and Open vSwitch runs in that of NovaLink",
            "ask for an interface of another type, or talk to the host's NovaLink",
        )
    })
}

async fn management(driver: &Driver) -> Result<Option<&str>> {
    let read = async {
        let vioses = driver.vioses().await?;
        if let Some(vios) = vioses.iter().find(|vios| vios.is_management) {
            return Ok::<_, Error>(Some(vios.path()));
        }
        let path = format!(
            "ManagedSystem/{}/LogicalPartition",
            driver.shared.system.uuid
        );
        let feed = driver.session().get_feed(&path, Groups::None).await?;
        let found = feed.entries.iter().find(|entry| {
            let document = LogicalPartition(&entry.content);
            document
                .partition()
                .is_management_partition()
                .ok()
                .flatten()
                == Some(true)
        });
        Ok(found.map(|entry| format!("LogicalPartition/{}", entry.id)))
    };
    let known = driver.shared.trunks.management.get_or_try_init(|| read);
    Ok(known.await?.as_deref())
}

/// Makes a trunk adapter on a VLAN that nobody has. The VLAN stays reserved as long as what is returned lives, which is
/// until the server's adapter is there.
///
/// # Errors
/// No management partition, no free VLAN; those of the requests.
pub(super) async fn create(driver: &Driver, wanted: &Wanted<'_>) -> Result<Reserved> {
    let (session, owner) = (driver.session(), host(driver).await?);
    let port = wanted.port();
    let path = format!("{owner}/ClientNetworkAdapter");
    let mut tries = 1;
    loop {
        let reserved = reserve(driver).await?;
        let document = port.document(&reserved.switch, reserved.vlan);
        let error = match session.create(&path, &document.0).await {
            Ok(_) => return Ok(reserved),
            Err(error) => error,
        };
        let is_ours =
            |trunk: &Trunk| trunk.line.1 == reserved.vlan && trunk.ids.mac() == Some(wanted.mac);
        match error.kind() {
            // The answer was lost; it was made if it is there.
            ErrorKind::UnknownOutcome if all(driver).await?.iter().any(is_ours) => {
                return Ok(reserved);
            }
            // Somebody else, another process, took the VLAN in between; unless it was made although the server says no.
            ErrorKind::Refused
                if tries < TRIES
                    && used(driver, &reserved.switch)
                        .await?
                        .contains(&reserved.vlan)
                    && !all(driver).await?.iter().any(is_ours) =>
            {
                tries += 1;
            }
            _ => return Err(error),
        }
    }
}

/// Takes a VLAN that no network of the switch has and no other operation of this process is about to take.
async fn reserve(driver: &Driver) -> Result<Reserved> {
    let _turn = driver.shared.networks.take(&VLAN_TURN.to_owned()).await;
    let switch = ensure_switch(driver).await?;
    // Noted first: what is given free while the networks are read has its network by then or not.
    let mut taken = driver.shared.trunks.taken().clone();
    taken.extend(used(driver, &switch).await?);
    let vlan = free_vlan(&taken).ok_or_else(|| {
        Error::operation(
            ErrorKind::NoSpace,
            format!("no VLAN of the virtual switch {} is free", switch.name),
            "remove interfaces, or see powervm network trunks for what nobody uses",
        )
    })?;
    driver.shared.trunks.taken().insert(vlan);
    Ok(Reserved {
        driver: driver.clone(),
        vlan,
        switch,
    })
}

/// The VLANs that some adapter has on the switch.
async fn used(driver: &Driver, switch: &Switch) -> Result<BTreeSet<u16>> {
    let path = format!("ManagedSystem/{}/VirtualNetwork", driver.shared.system.uuid);
    let feed = driver.session().get_feed(&path, Groups::None).await?;
    let networks = feed
        .entries
        .iter()
        .map(|entry| VirtualNetwork(&entry.content));
    Ok(networks
        .filter(|network| network.switch_id().ok().flatten() == switch.id)
        .filter_map(|network| network.vlan().ok().flatten())
        .collect())
}

/// The switch of the pairs, if it is there.
async fn switch(driver: &Driver) -> Result<Option<Switch>> {
    let name = &driver.config().pvm_vswitch_for_novalink_io;
    Ok(driver.switches().await?.named(name).cloned())
}

/// The switch of the pairs. It is made for the first of them, and stays for the next.
async fn ensure_switch(driver: &Driver) -> Result<Switch> {
    if let Some(switch) = switch(driver).await? {
        return Ok(switch);
    }
    let name = &driver.config().pvm_vswitch_for_novalink_io;
    tracing::info!(name, "making the virtual switch for Open vSwitch");
    let mut document = VirtualSwitch::new();
    document
        .set_mode(SwitchMode::Veb)
        .set_name(name)
        .set_virtual_networks(std::iter::empty::<&str>());
    let path = format!("ManagedSystem/{}/VirtualSwitch", driver.shared.system.uuid);
    let made = driver.session().create(&path, &document.0).await;
    driver.forget_switches().await;
    match (switch(driver).await?, made) {
        (Some(switch), _) => Ok(switch),
        (None, Err(error)) => Err(error),
        (None, Ok(_)) => Err(Error::operation(
            ErrorKind::BadAnswer,
            format!("the server does not show the virtual switch {name} that it made"),
            "try again, or make the switch yourself",
        )),
    }
}

/// The trunk adapter in this place, if there is one.
///
/// # Errors
/// Those of the requests.
pub(super) async fn on_line(driver: &Driver, line: Line) -> Result<Option<Trunk>> {
    if switch(driver).await?.and_then(|switch| switch.id) != Some(line.0) {
        return Ok(None);
    }
    Ok(all(driver)
        .await?
        .into_iter()
        .find(|trunk| trunk.line == line))
}

/// All trunk adapters of the management partition on the switch of the pairs.
///
/// # Errors
/// Those of the requests.
pub(super) async fn all(driver: &Driver) -> Result<Vec<Trunk>> {
    let Some(switch) = switch(driver).await? else {
        return Ok(Vec::new());
    };
    let Some(owner) = management(driver).await? else {
        return Ok(Vec::new());
    };
    let path = format!("{owner}/ClientNetworkAdapter");
    let feed = driver.session().get_feed(&path, Groups::None).await?;
    let trunks = feed.entries.iter();
    let mut trunks: Vec<Trunk> = trunks
        .filter_map(|entry| Trunk::read(owner, entry))
        .filter(|trunk| Some(trunk.line.0) == switch.id)
        .collect();
    trunks.sort_by_key(|trunk| trunk.line);
    Ok(trunks)
}

/// The trunk adapters of a server: those that name it.
///
/// # Errors
/// Those of the requests.
pub(super) async fn of_server(driver: &Driver, partition: PartitionUuid) -> Result<Vec<Trunk>> {
    let mut trunks = all(driver).await?;
    let is_its = |instance: Uuid| partition.belongs_to(instance);
    trunks.retain(|trunk| trunk.ids.instance().is_some_and(is_its));
    Ok(trunks)
}

/// Sees to it that these are gone.
///
/// # Errors
/// Those of the requests; all were tried.
pub(super) async fn delete(driver: &Driver, trunks: &[Trunk]) -> Result<()> {
    let gone = trunks.iter().map(|trunk| remove(driver, &trunk.path));
    try_join_all(gone).await.map(drop)
}

/// Removes an adapter. A lost answer is no matter: what is to be gone is looked for again.
pub(super) async fn remove(driver: &Driver, path: &str) -> Result<()> {
    match driver.session().ensure_deleted(path).await {
        Err(error) if error.kind() == ErrorKind::UnknownOutcome => {
            driver.session().ensure_deleted(path).await
        }
        result => result,
    }
}

/// Writes the port, the bridge and the MTU onto the trunk adapter anew, even where nothing differs: NovaLink then makes
/// a device again that a restart of the management partition lost.
///
/// # Errors
/// Those of the requests.
pub(super) async fn refresh(driver: &Driver, trunk: &Trunk, wanted: &Wanted<'_>) -> Result<()> {
    let port = wanted.port();
    edit(driver.session(), &trunk.path, Groups::None, |document| {
        let mut adapter = ClientNetworkAdapter(document);
        adapter.set_device_name(&port.device);
        port.write(&mut adapter);
        Ok(Changed::Yes)
    })
    .await
    .map(drop)
}
