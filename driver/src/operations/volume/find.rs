//! Looks for volumes on Virtual I/O Servers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{iscsi, stale};
use crate::config::FcStrategy;
use crate::error::Result;
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::rest::Job;
use crate::storage::mapping::Wanted;
use crate::storage::volumes;
use crate::volume::discovery::{self, Found, Sought};
use crate::volume::{Connection, Transport};

/// The job that looks for Fibre Channel disks.
pub(super) const RECOVERY: &str = "LUARecovery";

/// A volume as a Virtual I/O Server has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::operations) enum Device {
    /// A disk.
    Disk {
        /// `hdisk7` …
        name: String,
        /// Its unique device identifier, where the server knows it.
        udid: Option<String>,
        /// Whether something used it when it was found.
        was_in_use: bool,
    },
    /// A file.
    File(String),
    /// A Ceph image.
    Image(String),
}

impl Device {
    /// The device as a mapping asks for it.
    pub(in crate::operations) fn wanted(&self, driver: &Driver, volume: &Connection) -> Wanted {
        let tag = &volume.volume;
        match self {
            Self::Disk { name, udid, .. } => volumes::disk(name, udid.as_deref(), tag),
            Self::File(path) => volumes::file(path, tag),
            Self::Image(name) => {
                let user = &driver.config().volumes.rbd_user;
                let user = Some(user.as_str()).filter(|user| !user.is_empty());
                volumes::image(name, user, tag)
            }
        }
    }

    /// Its name.
    pub(in crate::operations) fn name(&self) -> &str {
        match self {
            Self::Disk { name, .. } | Self::File(name) | Self::Image(name) => name,
        }
    }

    /// The identifier of its disk.
    pub(in crate::operations) fn udid(&self) -> Option<&str> {
        match self {
            Self::Disk { udid, .. } => udid.as_deref(),
            Self::File(_) | Self::Image(_) => None,
        }
    }
}

impl Found {
    fn disk(&self) -> Option<Device> {
        Some(Device::Disk {
            name: self.name.clone()?,
            udid: self.udid.clone(),
            was_in_use: self.is_in_use(),
        })
    }
}

/// Whether Virtual I/O Servers serve this volume as a disk; otherwise the server has ports of its own.
pub(in crate::operations) fn is_served(driver: &Driver, volume: &Connection) -> bool {
    let has_ports = driver.config().volumes.fc_attach_strategy == FcStrategy::Npiv;
    !(has_ports && matches!(volume.transport, Transport::FibreChannel(_)))
}

/// How many Virtual I/O Servers have to have the volume.
pub(in crate::operations) fn required(driver: &Driver, volume: &Connection) -> usize {
    match volume.transport {
        Transport::FibreChannel(_) => {
            usize::try_from(driver.config().volumes.vscsi_vios_connections_required).unwrap_or(1)
        }
        _ => 1,
    }
}

/// Whether this Virtual I/O Server might have the volume at all.
pub(in crate::operations) fn may_serve(vios: &Vios, volume: &Connection) -> bool {
    match &volume.transport {
        Transport::FibreChannel(_) => sought(vios, volume).is_some(),
        Transport::Iscsi(_) => true,
        Transport::File(_) | Transport::Rbd(_) => vios.is_management,
    }
}

/// Looks for these volumes on a Virtual I/O Server, by their places in the request. What it does not
/// find is missing.
///
/// # Errors
/// Those of the requests, after several tries.
pub(in crate::operations) async fn on_server(
    driver: &Driver,
    vios: &Vios,
    wanted: &BTreeMap<usize, &Connection>,
    control: &Control,
) -> Result<BTreeMap<usize, Device>> {
    let mut found = BTreeMap::new();
    let mut recovered = BTreeMap::new();
    for (place, volume) in wanted {
        match &volume.transport {
            Transport::FibreChannel(_) => {
                if let Some(sought) = sought(vios, volume) {
                    recovered.insert(*place, sought);
                }
            }
            Transport::Iscsi(target) => {
                if let Some(disk) = iscsi::find(driver, vios, target, control).await? {
                    found.insert(*place, disk);
                }
            }
            Transport::File(file) if vios.is_management => {
                found.insert(*place, Device::File(file.path.clone()));
            }
            Transport::Rbd(image) if vios.is_management => {
                found.insert(*place, Device::Image(image.name.clone()));
            }
            Transport::File(_) | Transport::Rbd(_) => {}
        }
    }
    if !recovered.is_empty() {
        found.extend(recover(driver, vios, recovered, control).await?);
    }
    Ok(found)
}

fn sought(vios: &Vios, volume: &Connection) -> Option<Sought> {
    let Transport::FibreChannel(volume) = &volume.transport else {
        return None;
    };
    let ports = vios.ports.iter().filter(|port| port.total > 0);
    Sought::through(ports.map(|port| port.wwpn), volume)
}

/// One job for all Fibre Channel volumes. What it does not find is looked for once more after what is
/// left of partitions that are gone has been cleared away: a disk that nobody has any more may hold
/// the address.
async fn recover(
    driver: &Driver,
    vios: &Vios,
    sought: BTreeMap<usize, Sought>,
    control: &Control,
) -> Result<BTreeMap<usize, Device>> {
    let mut good = BTreeMap::new();
    let mut left = ask(driver, vios, sought, &mut good).await?;
    if !left.is_empty() && stale::clear(driver, vios).await? {
        let again = left.into_iter().map(|(place, (sought, _))| (place, sought));
        left = ask(driver, vios, again.collect(), &mut good).await?;
    }
    for (_, found) in left.into_values() {
        let why = match found {
            Some(found) => format!("status {} ({})", found.status, found.message),
            None => "nothing was said of it".to_owned(),
        };
        control.warn(format!("{} does not have a volume: {why}", vios.name));
    }
    Ok(good)
}

/// Asks once, and for what the answer does not speak of one by one. Returns what is not good.
async fn ask(
    driver: &Driver,
    vios: &Vios,
    sought: BTreeMap<usize, Sought>,
    good: &mut BTreeMap<usize, Device>,
) -> Result<BTreeMap<usize, (Sought, Option<Found>)>> {
    let documents: Vec<&Sought> = sought.values().collect();
    let mut answer = run(driver, vios, &documents).await?;
    let mut left = BTreeMap::new();
    let count = sought.len();
    for (number, (place, sought)) in sought.into_iter().enumerate() {
        let mut found = answer.remove(&number);
        if found.is_none() && count > 1 {
            found = run(driver, vios, &[&sought]).await?.remove(&0);
        }
        let disk = found
            .as_ref()
            .filter(|found| found.is_good())
            .and_then(Found::disk);
        match disk {
            Some(disk) => {
                good.insert(place, disk);
            }
            None => {
                left.insert(place, (sought, found));
            }
        }
    }
    Ok(left)
}

async fn run(driver: &Driver, vios: &Vios, sought: &[&Sought]) -> Result<BTreeMap<usize, Found>> {
    let job =
        Job::new(vios.path(), RECOVERY).parameter(discovery::INPUT, discovery::request(sought));
    let outcome = device_jobs::run(driver.session(), &vios.path(), &job).await?;
    Ok(discovery::answer(&outcome.results))
}

/// The disk with this identifier that a Virtual I/O Server has, mapped or not.
///
/// # Errors
/// Those of the requests, after several tries.
pub(in crate::operations) async fn disks_with(
    driver: &Driver,
    vios: &Vios,
    udid: &str,
) -> Result<Vec<String>> {
    let job = Job::new(vios.path(), RECOVERY)
        .parameter(discovery::INPUT, discovery::inventory_request(udid));
    let outcome = device_jobs::run(driver.session(), &vios.path(), &job).await?;
    Ok(discovery::inventory_answer(&outcome.results, udid))
}
