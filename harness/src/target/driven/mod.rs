//! Hosts through the driver: the same code for the embedded simulator and for any endpoint.

mod deploy;
mod devices;
mod images;
mod moves;
mod refusal;
mod request;
mod size;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use powervm_driver::config::{Config, DiskDriver, StoreKind};
use powervm_driver::devices::Devices;
use powervm_driver::journal::JournalFile;
use powervm_driver::network::NetworkInterface;
use powervm_driver::operations::{Control, Driver, Reboot, Stop, StorageKind};
use powervm_driver::rest::{Flavor, Session};
use powervm_driver::store::MemoryStore;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::audit::Inventory;
use crate::image::Image;
use crate::scenario::{Deed, Disk, RebootKind, RefusalKind};
use crate::survey::Survey;

use super::look::Look;
use super::volumes::Volumes;
use super::{
    Capacity, Content, Failure, Host, Instance, Meter, Order, PhaseWatch, ServerView, Task,
    Traffic, Usage, VolumeSource,
};
use request::control;

/// How long somebody waits for a server's operating system before its devices are changed or it moves.
const BOOT: Duration = Duration::from_secs(15 * 60);
/// How often it is looked at meanwhile.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl From<Disk> for DiskDriver {
    fn from(disk: Disk) -> Self {
        match disk {
            Disk::Ssp => Self::Ssp,
            Disk::Localdisk => Self::LocalDisk,
        }
    }
}

/// What it takes to drive one host, or two that share their storage.
pub struct Setup {
    /// Where boot disks go.
    pub disk: Disk,
    /// The driver's configuration.
    pub config: Config,
    /// A session for each host; two systems of one console have the same.
    pub sessions: Vec<Session>,
    /// The name of each host's system; empty where the console has but one.
    pub systems: Vec<String>,
    /// How the first host's console reaches each host's.
    pub addresses: Vec<String>,
    /// Counts what goes over the wire.
    pub meter: Arc<Meter>,
    /// Sees what the REST API does not show.
    pub look: Box<dyn Look>,
    /// Where volumes come from.
    pub volumes: VolumeSource,
}

/// One host and who drives it.
struct Home {
    driver: Driver,
    session: Session,
    address: String,
}

/// What is known of a server beside what its host tells.
#[derive(Debug, Clone, Default)]
struct Known {
    /// Where it is among the hosts.
    place: usize,
    /// Where it was before a move that can be taken back.
    came_from: Option<usize>,
    /// Whether it ran before it was changed.
    was_on: bool,
    /// Whether a new size is to be confirmed or taken back.
    is_resized: bool,
    /// GB of the boot disk that its size names; its disk is larger once a larger size was taken back.
    root_gb: u64,
    /// The same of the size before, until the new one is confirmed.
    root_gb_before: u64,
    /// Whether it is away for a while.
    is_shelved: bool,
    /// Its interfaces, to be made again.
    networks: Vec<NetworkInterface>,
    /// Its volumes, by the scenario's words.
    volumes: Vec<String>,
}

/// Hosts that drivers drive.
pub struct Driven {
    disk: Disk,
    homes: Vec<Home>,
    meter: Arc<Meter>,
    look: Box<dyn Look>,
    volumes: Volumes,
    known: Mutex<BTreeMap<Uuid, Known>>,
    /// Where images that are made of servers are kept.
    folder: TempDir,
}

impl Driven {
    /// Connects a driver to each host. What drivers write down is in memory, and goes with the host.
    ///
    /// # Errors
    /// When a host cannot be driven with this configuration.
    pub async fn connect(setup: Setup) -> powervm_driver::Result<Self> {
        Self::connect_reading(
            setup,
            None::<fn(usize) -> crate::target::embedded::SimulatedDevices>,
        )
        .await
    }

    /// As [`Self::connect`], with disks of servers read there and not on this machine.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_reading<D: Devices + 'static>(
        setup: Setup,
        devices: Option<impl Fn(usize) -> D>,
    ) -> powervm_driver::Result<Self> {
        let store = MemoryStore::default();
        let two = setup.sessions.len() > 1;
        let mut homes = Vec::new();
        for (place, session) in setup.sessions.into_iter().enumerate() {
            let mut config = Config {
                disk_driver: setup.disk.into(),
                ..setup.config.clone()
            };
            if let Some(system) = setup.systems.get(place).filter(|name| !name.is_empty()) {
                config.managed_system.clone_from(system);
            }
            let keeps = two && config.store.kind == StoreKind::None;
            let journal = Arc::new(JournalFile::in_memory()?);
            let mut driver = Driver::connect_with(session.clone(), config, journal).await?;
            if keeps {
                driver = driver.keeping_in(store.clone());
            }
            if let Some(devices) = &devices {
                driver = driver.reading_disks_of(devices(place));
            }
            homes.push(Home {
                driver,
                session,
                address: setup.addresses.get(place).cloned().unwrap_or_default(),
            });
        }
        let folder = tempfile::tempdir().map_err(|error| {
            powervm_driver::Error::caused(
                powervm_driver::ErrorKind::Local,
                "no folder for images",
                "free some room",
                error,
            )
        })?;
        Ok(Self {
            disk: setup.disk,
            homes,
            meter: setup.meter,
            look: setup.look,
            volumes: Volumes::from(setup.volumes),
            known: Mutex::default(),
            folder,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a server.
    fn known(&self, instance: Uuid) -> Known {
        self.lock().get(&instance).cloned().unwrap_or_default()
    }

    fn note(&self, instance: Uuid, change: impl FnOnce(&mut Known)) {
        change(self.lock().entry(instance).or_default());
    }

    fn home(&self, place: usize) -> Result<&Home, Failure> {
        self.homes.get(place).ok_or_else(|| Failure {
            kind: RefusalKind::Other,
            message: format!("there is no host {}", place + 1),
        })
    }

    /// The host that a server is on.
    fn home_of(&self, instance: Uuid) -> Result<&Home, Failure> {
        self.home(self.known(instance).place)
    }

    fn driver_of(&self, instance: Uuid) -> Result<&Driver, Failure> {
        Ok(&self.home_of(instance)?.driver)
    }

    /// Waits for a server's operating system, if it runs. What needs it says so when it has not come.
    async fn until_booted(&self, driver: &Driver, instance: Uuid) {
        let booted = async {
            loop {
                match driver.show(instance).await {
                    Ok(server)
                        if server.summary.state == "running" && server.summary.rmc != "active" =>
                    {
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                    _ => return,
                }
            }
        };
        let _ = tokio::time::timeout(BOOT, booted).await;
    }

    async fn act(&self, task: &Task, control: &Control) -> Result<Option<Image>, Failure> {
        let instance = task.order.instance.uuid;
        match &task.deed {
            Deed::Snapshot(word) => return self.snapshot(task, word, control).await.map(Some),
            Deed::Shelve(word) => return self.shelve(task, word, control).await,
            Deed::Stop => {
                let driver = self.driver_of(instance)?;
                driver.stop(instance, Stop::Graceful, control).await?;
            }
            Deed::Start => {
                self.driver_of(instance)?.start(instance, control).await?;
            }
            Deed::Reboot(kind) => {
                let kind = match kind {
                    RebootKind::Soft => Reboot::Soft,
                    RebootKind::Hard => Reboot::Hard,
                };
                let driver = self.driver_of(instance)?;
                driver.reboot(instance, kind, control).await?;
            }
            Deed::Resize(_) => self.resize(task, control).await?,
            Deed::Confirm => self.confirm(task, control).await?,
            Deed::Revert => self.revert(task, control).await?,
            Deed::Rebuild(_) => self.rebuild(task, control).await?,
            Deed::Rescue(_) => self.rescue(task, control).await?,
            Deed::Unrescue => self.unrescue(task, control).await?,
            Deed::Unshelve(_) => self.unshelve(task, control).await?,
            Deed::AttachVolume(word) => self.attach_volume(task, word, control).await?,
            Deed::DetachVolume(word) => self.detach_volume(task, word, control).await?,
            Deed::AttachInterface(vlan) => self.attach_interface(task, *vlan, control).await?,
            Deed::DetachInterface(vlan) => self.detach_interface(task, *vlan, control).await?,
            Deed::Console => self.console(task).await?,
            Deed::Migrate => self.migrate(task, control).await?,
            Deed::LiveMigrate => self.live_migrate(task, control).await?,
            Deed::Evacuate => self.evacuate(task, control).await?,
        }
        Ok(None)
    }

    async fn surveys(&self) -> Result<Vec<Survey>, Failure> {
        let mut surveys = Vec::new();
        let mut seen = BTreeSet::new();
        for home in &self.homes {
            // Two systems of one console are in one survey.
            let mut console = home.session.endpoint().origin();
            if home.session.flavor() == Flavor::NovaLink {
                console += &home.address;
            }
            if seen.insert(console) {
                surveys.push(Survey::read(&home.session).await?);
            }
        }
        Ok(surveys)
    }
}

impl Host for Driven {
    fn create<'a>(
        &'a self,
        order: &'a Order,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<ServerView, Failure>> {
        Box::pin(async move { self.deploy(order, &control(watch, cancel)).await })
    }

    fn show<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<ServerView, Failure>> {
        Box::pin(async move {
            let place = self.known(instance.uuid).place;
            let server = self.home(place)?.driver.show(instance.uuid).await?;
            Ok(request::view(&server, place))
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, Failure>> {
        Box::pin(async move {
            let mut names = Vec::new();
            for home in &self.homes {
                let servers = home.driver.list().await?;
                names.extend(servers.into_iter().map(|server| server.name));
            }
            Ok(names)
        })
    }

    fn perform<'a>(
        &'a self,
        task: &'a Task,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Option<Image>, Failure>> {
        Box::pin(async move { self.act(task, &control(watch, cancel)).await })
    }

    fn delete<'a>(
        &'a self,
        instance: &'a Instance,
        watch: PhaseWatch,
        cancel: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { self.remove(instance, &control(watch, cancel)).await })
    }

    fn put_away(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(self.volumes.put_away())
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage, Failure>> {
        Box::pin(async move {
            let mut usage = Usage::default();
            for (place, home) in self.homes.iter().enumerate() {
                let found = home.driver.capacity().await?;
                let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                usage.proc_units += found.proc_units_used;
                usage.memory_mb += number(found.memory_mb_used);
                // Two hosts have one pool.
                if place == 0 || self.disk == Disk::Localdisk {
                    usage.disk_gb += found.disk.used_gb.round() as i64;
                }
            }
            Ok(usage)
        })
    }

    fn capacity(&self) -> BoxFuture<'_, Result<Capacity, Failure>> {
        Box::pin(async move {
            let home = self.home(0)?;
            let survey = Survey::read(&home.session).await?;
            Ok(survey.capacity(self.disk, &home.driver.config().volume_group_name))
        })
    }

    fn inventory(&self) -> BoxFuture<'_, Result<Vec<Inventory>, Failure>> {
        Box::pin(async move {
            let mut views = Vec::new();
            for (number, survey) in (1..).zip(self.surveys().await?) {
                let mut view = survey.inventory();
                if number > 1 {
                    view.view = format!("{} of host {number}", view.view);
                }
                views.push(view);
            }
            views.extend(self.look.inventories().await?);
            Ok(views)
        })
    }

    fn content<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Content> {
        Box::pin(async move {
            let shown = match self.driver_of(instance.uuid) {
                Ok(driver) => driver.show(instance.uuid).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            let server = match shown {
                Ok(server) => server,
                Err(failure) => return Content::Missing(failure.message),
            };
            let disks: BTreeSet<String> = server
                .storage
                .into_iter()
                .filter(|storage| {
                    matches!(
                        storage.kind,
                        StorageKind::LogicalUnit | StorageKind::VirtualDisk
                    )
                })
                .map(|storage| storage.name)
                .collect();
            let disks: Vec<String> = disks.into_iter().collect();
            self.look.content(instance, &disks).await
        })
    }

    fn traffic(&self) -> Traffic {
        self.meter.read()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            for home in &self.homes {
                if let Err(error) = home.session.logoff().await {
                    tracing::info!(%error, "the logoff was not heard; the session will expire");
                }
            }
        })
    }
}
