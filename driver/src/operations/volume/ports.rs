//! Ports of a server's own: names for them, and their physical ports.

use std::collections::{BTreeMap, BTreeSet};

use powervm_schema::xml::Element;

use super::report::VolumePath;
use super::request::Metadata;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::operations::map;
use crate::partition::SlotMap;
use crate::partition::slots::RebuildError;
use crate::rest::{Groups, Job};
use crate::storage::fabric::{self, GROUP};
use crate::storage::mapping::Client;
use crate::volume::Wwpn;
use crate::volume::npiv::{self, PortPair};

/// Names are handed out one operation at a time: a lost answer is looked for among the jobs.
const TURN: &str = "port names";

/// By Virtual I/O Server, names of a server's ports.
pub(in crate::operations) type Lent = BTreeMap<String, Vec<[Wwpn; 2]>>;

/// A server's ports, and where they are to be.
pub(in crate::operations) struct Ports {
    /// By Virtual I/O Server, name of the physical port and the server's names.
    wanted: BTreeMap<String, Vec<(String, [Wwpn; 2])>>,
    /// Names that it had before.
    before: BTreeSet<[Wwpn; 2]>,
    /// Slots that they had on another host, and are to have again.
    slots: BTreeMap<[Wwpn; 2], u32>,
    vioses: Vec<Vios>,
    client: Client,
    /// What is to be kept for the instance from now on.
    pub(in crate::operations) metadata: Metadata,
}

impl Ports {
    /// Where the ports that are kept for the server have to be.
    ///
    /// A physical port that is not there any more is replaced: the names stay, since zones were made
    /// for them.
    ///
    /// # Errors
    /// No ports are kept, a fabric has no physical port left; those of the requests.
    pub(in crate::operations) async fn plan(
        driver: &Driver,
        vioses: &[Vios],
        client: &Client,
        metadata: &Metadata,
    ) -> Result<Self> {
        let mut ports = Self {
            wanted: BTreeMap::new(),
            before: BTreeSet::new(),
            slots: BTreeMap::new(),
            vioses: vioses.to_vec(),
            client: client.clone(),
            metadata: metadata.clone(),
        };
        let lent = lent(driver, client).await?;
        let set = |names: &[Wwpn]| names.iter().copied().collect::<BTreeSet<Wwpn>>();
        let has = |names: &[Wwpn; 2]| lent.iter().any(|(.., lent)| set(lent) == set(names));
        for (number, (name, physical)) in driver.config().volumes.npiv_fabrics().enumerate() {
            let mut pairs = npiv::kept(metadata, name);
            if pairs.is_empty() {
                pairs = on_fabric(vioses, &lent, physical);
            }
            if pairs.is_empty() {
                return Err(Error::operation(
                    ErrorKind::Precondition,
                    format!("no ports on the fabric {name} are kept for the server"),
                    "ask for its connector first, show the volume to those ports, and hand in what was to be kept",
                ));
            }
            let is_gone =
                |pair: &PortPair| !has(&pair.names) && npiv::owner_of(vioses, pair.port).is_none();
            if pairs.iter().any(is_gone) {
                tracing::warn!(
                    fabric = name,
                    "a physical port behind the server's has gone, taking others"
                );
                let chosen = physical_ports(vioses, name, number, physical, pairs.len())?;
                for (pair, port) in pairs.iter_mut().zip(chosen) {
                    pair.port = port;
                }
            }
            for pair in &pairs {
                if has(&pair.names) {
                    ports.before.insert(pair.names);
                }
                if let Some((vios, port)) = npiv::owner_of(vioses, pair.port) {
                    let wanted = ports.wanted.entry(vios.uuid.clone()).or_default();
                    wanted.push((port.to_owned(), pair.names));
                }
            }
            npiv::keep(&mut ports.metadata, name, &pairs, true);
        }
        Ok(ports)
    }

    /// Gives each port the slot that it had on another host.
    ///
    /// # Errors
    /// The server had other ports there.
    pub(in crate::operations) fn take_slots(
        &mut self,
        slots: &SlotMap,
    ) -> Result<(), RebuildError> {
        let names: Vec<[Wwpn; 2]> = self
            .wanted
            .values()
            .flatten()
            .map(|(_, names)| *names)
            .collect();
        let own = names
            .iter()
            .filter_map(|names| Some((*names, slots.port(*names)?)));
        self.slots = own.collect();
        let (before, now) = (slots.ports(), names.len());
        match before == 0 || (before == now && self.slots.len() == now) {
            true => Ok(()),
            false => Err(RebuildError::OtherPorts { before, now }),
        }
    }

    /// Names of the ports that the server lacks, by Virtual I/O Server.
    pub(in crate::operations) fn lacking(&self) -> Lent {
        let names = |(vios, ports): (String, Vec<(String, [Wwpn; 2])>)| {
            (vios, ports.into_iter().map(|(_, names)| names).collect())
        };
        self.fresh().into_iter().map(names).collect()
    }

    /// Ports that the server did not have before, by Virtual I/O Server.
    fn fresh(&self) -> BTreeMap<String, Vec<(String, [Wwpn; 2])>> {
        let of_one = |vios: &Vios| {
            let wanted = self.wanted.get(&vios.uuid)?.iter();
            let fresh: Vec<_> = wanted
                .filter(|(_, names)| !self.before.contains(names))
                .cloned()
                .collect();
            (!fresh.is_empty()).then(|| (vios.uuid.clone(), fresh))
        };
        self.vioses.iter().filter_map(of_one).collect()
    }

    /// Gives the server its ports, by one change of each Virtual I/O Server.
    ///
    /// # Errors
    /// The first server that refused.
    pub(in crate::operations) async fn connect(&self, driver: &Driver) -> Result<()> {
        let fresh = self.fresh();
        let edit = |vios: &Vios| {
            let (client, wanted) = (self.client.clone(), fresh.get(&vios.uuid)?.clone());
            let slots = self.slots.clone();
            Some(move |document: &mut Element| Ok(fabric::lend(document, &client, &wanted, &slots)))
        };
        map::each(driver, &self.vioses, GROUP, edit).await.map(drop)
    }

    /// The ways that these ports are.
    pub(in crate::operations) fn paths(&self) -> Vec<VolumePath> {
        let mut paths = Vec::new();
        for vios in &self.vioses {
            for (port, [first, _]) in self.wanted.get(&vios.uuid).into_iter().flatten() {
                paths.push(VolumePath {
                    served_by: vios.name.clone(),
                    device: port.clone(),
                    address: Some(first.to_string()),
                });
            }
        }
        paths
    }
}

/// A server's port: UUID of the Virtual I/O Server, physical port, names.
pub(in crate::operations) type Behind = (String, Option<String>, Vec<Wwpn>);

/// Takes all ports of a server away.
///
/// # Errors
/// The first Virtual I/O Server that refused.
pub(in crate::operations) async fn take_all(
    driver: &Driver,
    vioses: &[Vios],
    client: &Client,
) -> Result<()> {
    let edit = |_: &Vios| {
        let client = client.clone();
        Some(move |document: &mut Element| Ok(fabric::take_back(document, &client, None)))
    };
    map::each(driver, vioses, GROUP, edit).await.map(drop)
}

/// Takes these ports of a server away, and no others.
///
/// # Errors
/// The first Virtual I/O Server that refused.
pub(in crate::operations) async fn take(
    driver: &Driver,
    vioses: &[Vios],
    client: &Client,
    these: &Lent,
) -> Result<()> {
    let edit = |vios: &Vios| {
        let (client, names) = (client.clone(), these.get(&vios.uuid)?.clone());
        let edit =
            move |document: &mut Element| Ok(fabric::take_back(document, &client, Some(&names)));
        Some(edit)
    };
    map::each(driver, vioses, GROUP, edit).await.map(drop)
}

/// What Cinder is to let in: the names that log in, of all fabrics; and what is to be kept.
///
/// # Errors
/// A fabric without enough physical ports; those of the requests.
pub(super) async fn names(
    driver: &Driver,
    client: &Client,
    metadata: &Metadata,
) -> Result<(Vec<Wwpn>, Metadata)> {
    let _turn = driver.shared.networks.take(&TURN.to_owned()).await;
    let vioses = driver.active_vioses().await?;
    let mut metadata = metadata.clone();
    let (mut names, mut lent_now) = (Vec::new(), None);
    for (number, (fabric, physical)) in driver.config().volumes.npiv_fabrics().enumerate() {
        let mut pairs = npiv::kept(&metadata, fabric);
        if pairs.is_empty() {
            if lent_now.is_none() {
                lent_now = Some(lent(driver, client).await?);
            }
            pairs = on_fabric(&vioses, lent_now.as_deref().unwrap_or_default(), physical);
            let is_mapped = !pairs.is_empty();
            if pairs.is_empty() {
                let count = usize::try_from(driver.config().volumes.ports_per_fabric).unwrap_or(1);
                let chosen = physical_ports(&vioses, fabric, number, physical, count)?;
                let new = next_names(driver, count).await?;
                pairs = chosen
                    .into_iter()
                    .zip(new)
                    .map(|(port, names)| PortPair { port, names })
                    .collect();
            }
            npiv::keep(&mut metadata, fabric, &pairs, is_mapped);
        }
        names.extend(pairs.iter().map(|pair| pair.names[0]));
    }
    Ok((names, metadata))
}

/// Every other fabric begins with the last Virtual I/O Server, so that one port on each of two fabrics
/// comes from two servers.
fn physical_ports(
    vioses: &[Vios],
    fabric: &str,
    number: usize,
    physical: &[Wwpn],
    count: usize,
) -> Result<Vec<Wwpn>> {
    let mut order: Vec<&Vios> = vioses.iter().collect();
    if number % 2 == 1 {
        order.reverse();
    }
    npiv::choose(&order, physical, count).ok_or_else(|| {
        Error::operation(
            ErrorKind::Precondition,
            format!(
                "no Virtual I/O Server has a port on the fabric {fabric} that can lend {count} more"
            ),
            format!("check fabric_{fabric}_port_wwpns, and that those ports can be virtualised"),
        )
    })
}

/// New names from the system. Those of a job whose answer was lost are nobody's.
async fn next_names(driver: &Driver, count: usize) -> Result<Vec<[Wwpn; 2]>> {
    let system = format!("ManagedSystem/{}", driver.shared.system.uuid);
    let job = Job::new(system.clone(), "GetNextWWPNs")
        .parameter("numberPairsRequested", count.to_string());
    let outcome = device_jobs::run(driver.session(), &system, &job).await?;
    let list = outcome
        .results
        .get("wwpnList")
        .map(String::as_str)
        .unwrap_or_default();
    let names: Vec<Wwpn> = list
        .split(',')
        .filter_map(|name| name.parse().ok())
        .collect();
    let pairs: Vec<[Wwpn; 2]> = names
        .chunks_exact(2)
        .filter_map(|pair| <[Wwpn; 2]>::try_from(pair).ok())
        .collect();
    if pairs.len() < count {
        return Err(Error::operation(
            ErrorKind::BadAnswer,
            format!(
                "the system was asked for {count} pairs of port names and gave {}",
                pairs.len()
            ),
            "see how many port names it has left",
        ));
    }
    Ok(pairs)
}

/// The server's ports, each with its Virtual I/O Server and physical port.
pub(in crate::operations) async fn lent(driver: &Driver, client: &Client) -> Result<Vec<Behind>> {
    let path = format!(
        "ManagedSystem/{}/VirtualIOServer",
        driver.shared.system.uuid
    );
    let feed = driver
        .session()
        .get_feed(&path, Groups::Named(&[GROUP]))
        .await?;
    let of_one = |entry: &powervm_schema::atom::Entry| {
        let lent = fabric::lent_to(&entry.content, client).into_iter();
        lent.map(|lent| (entry.id.clone(), lent.port, lent.names))
            .collect::<Vec<_>>()
    };
    Ok(feed.entries.iter().flat_map(of_one).collect())
}

/// Those of the server's ports that are on a fabric.
fn on_fabric(vioses: &[Vios], lent: &[Behind], physical: &[Wwpn]) -> Vec<PortPair> {
    let pair = |(vios, port, names): &Behind| {
        let vios = vioses.iter().find(|own| own.uuid == *vios)?;
        let port = vios
            .ports
            .iter()
            .find(|own| Some(&own.name) == port.as_ref())?;
        let mut names = names.iter().copied();
        let names = [names.next()?, names.next()?];
        physical.contains(&port.wwpn).then_some(PortPair {
            port: port.wwpn,
            names,
        })
    };
    lent.iter().filter_map(pair).collect()
}
