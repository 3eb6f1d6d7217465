//! Volumes on their way to a server: looked for on all Virtual I/O Servers, mapped, and forgotten again
//! if the operation fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::future::join_all;

use super::find::{self, Device};
use super::forget;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::storage::mapping::Wanted;
use crate::volume::{Connection, Transport};

/// Volumes, where they are served already, and where they have been found.
pub(in crate::operations) struct Search {
    driver: Driver,
    control: Control,
    volumes: Vec<Connection>,
    vioses: Vec<Vios>,
    already: Places,
    found: Mutex<Devices>,
    /// Whether the credentials of the volumes are gone: nothing can be logged on to.
    is_revived: bool,
}

/// By Virtual I/O Server, the places of volumes that it served before.
pub(in crate::operations) type Places = BTreeMap<String, BTreeSet<usize>>;

/// By Virtual I/O Server, what it has found, by place.
pub(in crate::operations) type Devices = BTreeMap<String, BTreeMap<usize, Device>>;

impl Search {
    /// A search for volumes that nobody serves to the server yet, but where `already` says so.
    pub(in crate::operations) fn new(
        driver: &Driver,
        control: &Control,
        volumes: &[Connection],
        vioses: &[Vios],
        already: impl Fn(&Vios, &Connection) -> bool,
    ) -> Self {
        let places = |vios: &Vios| {
            let volumes = volumes.iter().enumerate();
            let served = volumes.filter(|(_, volume)| already(vios, volume));
            (vios.uuid.clone(), served.map(|(place, _)| place).collect())
        };
        Self {
            driver: driver.clone(),
            control: control.clone(),
            volumes: volumes.to_vec(),
            vioses: vioses.to_vec(),
            already: vioses.iter().map(places).collect(),
            found: Mutex::default(),
            is_revived: false,
        }
    }

    /// A search that another process began, with what it noted of its findings, to be forgotten.
    pub(in crate::operations) fn revived(
        driver: &Driver,
        control: &Control,
        volumes: &[Connection],
        vioses: &[Vios],
        found: Devices,
    ) -> Self {
        Self {
            found: Mutex::new(found),
            is_revived: true,
            ..Self::new(driver, control, volumes, vioses, |_, _| false)
        }
    }

    /// The same search, for volumes that were served there before.
    pub(in crate::operations) fn besides(self, already: Places) -> Self {
        Self { already, ..self }
    }

    /// Where the volumes were served before.
    pub(in crate::operations) fn already(&self) -> &Places {
        &self.already
    }

    /// All that has been found so far.
    pub(in crate::operations) fn devices(&self) -> Devices {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    /// Whether there is anything to search for.
    pub(in crate::operations) fn is_needed(&self) -> bool {
        self.vioses
            .iter()
            .any(|vios| !self.missing(vios).is_empty())
            || self.check().is_err()
    }

    /// Volumes that this Virtual I/O Server could serve and does not serve yet, by place.
    fn missing(&self, vios: &Vios) -> BTreeMap<usize, &Connection> {
        let all = self.volumes.iter().enumerate();
        all.filter(|(_, volume)| find::is_served(&self.driver, volume))
            .filter(|(place, volume)| {
                find::may_serve(vios, volume) && !self.is_served(vios, *place)
            })
            .collect()
    }

    fn is_served(&self, vios: &Vios, place: usize) -> bool {
        self.already
            .get(&vios.uuid)
            .is_some_and(|places| places.contains(&place))
    }

    fn found(&self, vios: &Vios) -> Option<BTreeMap<usize, Device>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(&vios.uuid).cloned()
    }

    /// The volume of this place as this Virtual I/O Server has been found to have it.
    pub(in crate::operations) fn device(&self, vios: &Vios, place: usize) -> Option<Device> {
        self.found(vios)?.remove(&place)
    }

    /// Every Virtual I/O Server looks for its volumes. One that cannot look does not serve; whether those
    /// that can are enough is decided before anything is mapped.
    ///
    /// # Errors
    /// A volume that too few have found.
    pub(in crate::operations) async fn find(&self) -> Result<()> {
        let looks = self.vioses.iter().map(|vios| async move {
            match find::on_server(&self.driver, vios, &self.missing(vios), &self.control).await {
                Ok(found) => {
                    let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                    all.insert(vios.uuid.clone(), found);
                }
                Err(error) => {
                    let what = format!("{} could not look for the volumes: {error}", vios.name);
                    self.control.warn(what);
                }
            }
        });
        join_all(looks).await;
        self.check()
    }

    fn check(&self) -> Result<()> {
        for (place, volume) in self.volumes.iter().enumerate() {
            if !find::is_served(&self.driver, volume) {
                continue;
            }
            let has_it =
                |vios: &&Vios| self.is_served(vios, place) || self.device(vios, place).is_some();
            let count = self.vioses.iter().filter(has_it).count();
            let needed = find::required(&self.driver, volume);
            if count < needed {
                let what = format!(
                    "the volume {} cannot be attached: {count} Virtual I/O Servers have found it, and {needed} have to",
                    volume.volume
                );
                return Err(Error::operation(
                    ErrorKind::Precondition,
                    what,
                    "check zones and masks of the storage, and that the connection was made for this host's connector",
                ));
            }
        }
        Ok(())
    }

    /// Disks that the search has made on the Virtual I/O Servers go, unless somebody uses them. A server
    /// whose answer never came is asked once more what it has found.
    ///
    /// # Errors
    /// Those of the requests.
    pub(in crate::operations) async fn forget(&self) -> Result<()> {
        let servers = self.vioses.iter().map(|vios| self.forget_on(vios));
        join_all(servers).await.into_iter().collect()
    }

    async fn forget_on(&self, vios: &Vios) -> Result<()> {
        let missing = self.missing(vios);
        if missing.is_empty() {
            return Ok(());
        }
        let found = match self.found(vios) {
            Some(found) => found,
            None => self.look_again(vios, missing).await?,
        };
        for (place, device) in found {
            let Some(volume) = self.volumes.get(place) else {
                continue;
            };
            if let Device::Disk {
                name,
                udid,
                was_in_use: false,
            } = device
            {
                forget::volume_now(&self.driver, vios, volume, &name, udid.as_deref()).await?;
            }
        }
        Ok(())
    }

    /// What a Virtual I/O Server has that never told. Without credentials, it logs off from targets right away.
    async fn look_again(
        &self,
        vios: &Vios,
        mut missing: BTreeMap<usize, &Connection>,
    ) -> Result<BTreeMap<usize, Device>> {
        if self.is_revived {
            for volume in missing.values() {
                forget::target_now(&self.driver, vios, volume).await?;
            }
            missing.retain(|_, volume| !matches!(volume.transport, Transport::Iscsi(_)));
        }
        find::on_server(&self.driver, vios, &missing, &self.control).await
    }

    /// What this Virtual I/O Server is to serve, in the order of the volumes.
    pub(in crate::operations) fn wanted(&self, vios: &Vios) -> Vec<Wanted> {
        let found = self.found(vios).unwrap_or_default();
        let wanted = found.iter().filter_map(|(place, device)| {
            let volume = self.volumes.get(*place)?;
            Some(device.wanted(&self.driver, volume))
        });
        wanted.collect()
    }
}
