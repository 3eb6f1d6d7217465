//! Makes a server.
//!
//! The recipe stands in [`recipe`]: what is made, after what, and how each step is taken back. Steps
//! that do not wait for each other run side by side: the partition's UUID is ours to choose, so its
//! disk and its config drive are made while the partition is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::control::Control;
use super::driver::{Disks, Driver, path_of};
use super::plan::Plan;
use super::request::SpawnRequest;
use super::server::{InterfaceInfo, Server, ServerSummary, StorageInfo};
use super::{list, map, partition, power};
use crate::error::{Error, ErrorKind, Result};
use crate::host::{Switch, Vios};
use crate::network::Mac;
use crate::network::adapter::{self, MANAGEMENT_VLAN, NewAdapter};
use crate::partition::sizing::Processors;
use crate::partition::{PartitionUuid, PowerState, document};
use crate::partition::power::RemoveMedia;
use crate::rest::Groups;
use crate::saga::{Saga, Step};
use crate::storage::flights::Flight;
use crate::storage::local::Disk;
use crate::storage::mapping::{Client, Wanted};
use crate::storage::media::Repository;
use crate::storage::media::config_drive::{PluggedInterface, Subject};
use crate::storage::ssp::{ImageJob, ImageUnit, Unit};
use crate::storage::{for_want_of_space, names, upload};

const PARTITION: &str = "create the partition";
const NETWORK: &str = "plug the interfaces";
const IMAGE: &str = "provide the image";
const DISK: &str = "create the boot disk";
const CONFIG_DRIVE: &str = "upload the config drive";
const MAP: &str = "map disk and config drive";
const POWER_ON: &str = "power on";

impl Driver {
    /// Makes a server as asked for, and powers it on if asked to.
    ///
    /// A failed or cancelled call leaves the host as it was, but for a media repository or, with the
    /// disk driver `localdisk`, a cached image that others may use. If the returned future is
    /// dropped, the same happens in the background.
    ///
    /// # Errors
    /// [`Error::Saga`] with the step that failed and what could not be undone; before anything is
    /// changed, whatever makes the request impossible.
    pub async fn spawn(&self, request: SpawnRequest, control: &Control) -> Result<Server> {
        let turn = self.shared.instances.take(&PartitionUuid::of_instance(request.instance)).await;
        if control.token().is_cancelled() {
            return Err(Error::Cancelled { what: format!("the creation of {}", request.name) });
        }
        let plan = Plan::make(self, &request).await?;
        let flight = match &self.shared.disks {
            Disks::Ssp { images, .. } => Boarded::Ssp(images.board(&request.image)),
            Disks::Local(disks) => Boarded::Local(disks.board(&request.image)),
        };
        let spawn = Arc::new(Spawn {
            driver: self.clone(),
            control: control.clone(),
            plan,
            request,
            state: Mutex::new(State { flight: Some(flight), ..State::default() }),
            disk_may_exist: AtomicBool::new(false),
            _turn: turn,
        });
        recipe(&spawn).run(Arc::clone(&spawn), control.saga_options()).await?;
        Ok(spawn.report().await)
    }
}

/// What is made, and after what.
fn recipe(spawn: &Spawn) -> Saga<Spawn> {
    let mut saga = Saga::new(format!("create {}", spawn.request.name))
        .step(Step::new(PARTITION, Spawn::create_partition).undo(Spawn::delete_partition))
        // Adapters go with their partition, so there is nothing to take back.
        .step(Step::new(NETWORK, Spawn::plug_interfaces).after([PARTITION]))
        .step(Step::new(IMAGE, Spawn::provide_image).undo(Spawn::release_image))
        .step(Step::new(DISK, Spawn::create_disk).after([IMAGE]).undo(Spawn::delete_disk));
    let mut mapped = vec![PARTITION, DISK];
    if spawn.request.config_drive.is_some() {
        let step = Step::new(CONFIG_DRIVE, Spawn::upload_config_drive).undo(Spawn::delete_config_drive);
        // The config drive names the interfaces' addresses; where the server chooses them, it waits.
        saga = saga.step(if spawn.plan.knows_addresses() { step } else { step.after([NETWORK]) });
        mapped.push(CONFIG_DRIVE);
    }
    saga = saga.step(Step::new(MAP, Spawn::map).after(mapped).undo(Spawn::unmap));
    if spawn.request.power_on {
        saga = saga.step(Step::new(POWER_ON, Spawn::power_on).after([MAP, NETWORK]).undo(Spawn::power_off));
    }
    saga
}

/// A deploy on its way.
pub(super) struct Spawn {
    driver: Driver,
    control: Control,
    plan: Plan,
    request: SpawnRequest,
    state: Mutex<State>,
    disk_may_exist: AtomicBool,
    _turn: OwnedMutexGuard<()>,
}

/// What the steps tell each other.
#[derive(Default)]
struct State {
    partition_id: Option<u32>,
    macs: Option<(Vec<Mac>, Option<Mac>)>,
    flight: Option<Boarded>,
    image_udid: Option<String>,
    disk: Option<BootDisk>,
    media: Option<Repository>,
}

/// The image, shared with the deploys that need the same.
#[derive(Clone)]
enum Boarded {
    Ssp(Arc<Flight<ImageUnit>>),
    Local(Arc<Flight<Disk>>),
}

#[derive(Clone)]
enum BootDisk {
    Unit(Unit),
    Disk(Disk),
}

impl Spawn {
    fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn flight(&self) -> Result<Boarded> {
        self.note(|state| state.flight.clone()).ok_or_else(|| Error::internal("the image was released too early"))
    }

    fn client(&self) -> Client {
        let uuid = self.plan.partition;
        let id = self.note(|state| state.partition_id);
        Client { uuid, id, href: self.driver.partition_href(uuid) }
    }

    fn media_name(&self) -> String {
        names::config_drive(self.request.instance)
    }

    async fn create_partition(self: Arc<Self>) -> Result<()> {
        let Plan { partition, name, sizing, pool, .. } = &self.plan;
        let id = partition::create(&self.driver, *partition, name, &document::create(*partition, name, sizing, *pool)).await?;
        self.note(|state| state.partition_id = id);
        Ok(())
    }

    async fn delete_partition(self: Arc<Self>) -> Result<()> {
        partition::delete(&self.driver, self.plan.partition).await
    }

    /// One adapter after the other: the guest finds them in the order of their slots.
    async fn plug_interfaces(self: Arc<Self>) -> Result<()> {
        let shared = &self.driver.shared;
        let (session, partition) = (&shared.session, self.plan.partition);
        let mut macs = Vec::new();
        for planned in &self.plan.interfaces {
            let (switch, vlan) = (&planned.switch, planned.interface.vlan);
            adapter::ensure_virtual_network(session, &shared.system.uuid, switch, vlan, &shared.networks).await?;
            macs.push(adapter::create(session, partition, &NewAdapter { switch, vlan, mac: planned.mac }).await?);
        }
        let mut management = None;
        if let Some(planned) = &self.plan.management {
            let (switch, vlan) = (&planned.switch, MANAGEMENT_VLAN);
            adapter::ensure_virtual_network(session, &shared.system.uuid, switch, vlan, &shared.networks).await?;
            let new = NewAdapter { switch, vlan, mac: planned.mac };
            management = Some(adapter::create(session, partition, &new).await?);
        }
        self.note(|state| state.macs = Some((macs, management)));
        Ok(())
    }

    async fn provide_image(self: Arc<Self>) -> Result<()> {
        let udid = match (&self.driver.shared.disks, self.flight()?) {
            (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
                let carrier = self.carrier()?;
                images.ensure(&flight, &self.image_job(&carrier)).await?.udid
            }
            (Disks::Local(disks), Boarded::Local(flight)) => {
                disks.ensure_image(&flight, &self.request.image, &self.control).await?.udid
            }
            _ => return Err(Error::internal("the image belongs to another disk driver")),
        };
        self.note(|state| state.image_udid = Some(udid));
        Ok(())
    }

    /// In a pool, an image goes with its last clone. A volume group keeps it.
    async fn release_image(self: Arc<Self>) -> Result<()> {
        let udid = self.note(|state| {
            state.flight = None;
            state.image_udid.clone()
        });
        if let (Disks::Ssp { images, .. }, Some(udid)) = (&self.driver.shared.disks, udid) {
            images.remove_if_unused(&udid).await;
        }
        Ok(())
    }

    async fn create_disk(self: Arc<Self>) -> Result<()> {
        let (request, disks) = (&self.request, &self.driver.shared.disks);
        let disk = match (disks, self.flight()?) {
            (Disks::Ssp { images, .. }, Boarded::Ssp(flight)) => {
                self.disk_may_exist.store(true, Ordering::SeqCst);
                let (name, carrier) = (names::boot_unit(&request.name), self.carrier()?);
                let job = self.image_job(&carrier);
                BootDisk::Unit(images.clone_image(&flight, &job, &name, request.flavor.root_gb).await?)
            }
            (Disks::Local(disks), Boarded::Local(flight)) => {
                let image = disks.ensure_image(&flight, &request.image, &self.control).await?;
                let name = names::boot_virtual_disk(&request.name, request.instance);
                let (root_gb, exists) = (request.flavor.root_gb, &self.disk_may_exist);
                BootDisk::Disk(disks.copy_image(&image, &name, root_gb, exists).await?)
            }
            _ => return Err(Error::internal("the image belongs to another disk driver")),
        };
        self.note(|state| state.disk = Some(disk));
        Ok(())
    }

    async fn delete_disk(self: Arc<Self>) -> Result<()> {
        if !self.disk_may_exist.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (disk, image) = self.note(|state| (state.disk.clone(), state.image_udid.clone()));
        match (&self.driver.shared.disks, disk) {
            (Disks::Ssp { images, .. }, Some(BootDisk::Unit(unit))) => images.units().delete(&unit).await,
            (Disks::Ssp { images, .. }, _) => {
                let Some(image) = image else { return Ok(()) };
                for unit in images.clones_of(&image, &names::boot_unit(&self.request.name)).await? {
                    images.units().delete(&unit).await?;
                }
                Ok(())
            }
            (Disks::Local(disks), _) => {
                disks.remove(&[names::boot_virtual_disk(&self.request.name, self.request.instance)]).await
            }
        }
    }

    async fn upload_config_drive(self: Arc<Self>) -> Result<()> {
        let Some(drive) = &self.request.config_drive else { return Ok(()) };
        let (interfaces, management) = self.addresses()?;
        let tells_management = self.driver.config().use_rmc_ipv6_scheme;
        let subject = Subject {
            partition: self.plan.partition,
            name: &self.request.name,
            interfaces: &interfaces,
            management: management.filter(|_| tells_management),
        };
        let image = drive.image(&subject)?;
        let repository = self.driver.repository_for_upload(&self.plan.vioses).await?;
        self.note(|state| state.media = Some(repository.clone()));
        upload::media(self.driver.session(), &self.control, &self.media_name(), &repository.vios, image).await
    }

    async fn delete_config_drive(self: Arc<Self>) -> Result<()> {
        match self.note(|state| state.media.clone()) {
            Some(repository) => repository.remove_media(&self.driver.shared.group, &[self.media_name()]).await,
            None => Ok(()),
        }
    }

    /// One change of each Virtual I/O Server: boot disk, config drive, and whatever a partition that
    /// had this number before has left there.
    async fn map(self: Arc<Self>) -> Result<()> {
        map::everywhere(&self.driver, &self.plan.vioses, &self.client(), |vios| self.wanted_of(vios)).await
    }

    fn wanted_of(&self, vios: &Vios) -> Vec<Wanted> {
        let (disk, media) = self.note(|state| (state.disk.clone(), state.media.clone()));
        let mut wanted = Vec::new();
        match (&self.driver.shared.disks, &disk) {
            (Disks::Ssp { pool, .. }, Some(BootDisk::Unit(unit))) if pool.is_served_by(&vios.uuid) => {
                wanted.push(Wanted::logical_unit(&unit.name, &unit.udid));
            }
            (Disks::Local(disks), Some(BootDisk::Disk(disk))) if disks.vios == vios.uuid => {
                wanted.push(disk.wanted());
            }
            _ => {}
        }
        if media.is_some_and(|place| place.vios == vios.uuid) {
            wanted.push(Wanted::optical_media(&self.media_name()));
        }
        wanted
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        map::nowhere(&self.driver, &self.plan.vioses, &self.client()).await.map(drop)
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        let config = self.driver.config();
        let media = (config.remove_vopt_media_on_boot && self.request.config_drive.is_some()).then(|| RemoveMedia {
            name: self.media_name(),
            after: Duration::from_secs(60 * u64::from(config.remove_vopt_media_time)),
        });
        let on = power::on(&self.driver, self.plan.partition, media.as_ref()).await;
        on.map_err(|error| for_want_of_space(error, &format!("the partition {}", self.plan.name)))
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        power::off_hard(&self.driver, self.plan.partition).await
    }

    /// A Virtual I/O Server to upload an image through; they take turns.
    fn carrier(&self) -> Result<String> {
        let Disks::Ssp { pool, .. } = &self.driver.shared.disks else {
            return Err(Error::internal("only a pool is reached through several servers"));
        };
        let serving: Vec<&Vios> = self.plan.vioses.iter().filter(|vios| pool.is_served_by(&vios.uuid)).collect();
        let index = self.driver.next_upload() % serving.len().max(1);
        serving.get(index).map(|vios| vios.uuid.clone()).ok_or_else(|| {
            Error::operation(
                ErrorKind::Precondition,
                format!("no active Virtual I/O Server of this host serves the pool of the cluster {}", pool.cluster),
                "start one of the cluster's Virtual I/O Servers",
            )
        })
    }

    fn image_job<'a>(&'a self, carrier: &'a str) -> ImageJob<'a> {
        ImageJob { image: &self.request.image, control: &self.control, vios: carrier, tag: self.driver.tag() }
    }

    /// Addresses as chosen, or as the server gave them.
    fn addresses(&self) -> Result<(Vec<PluggedInterface>, Option<Mac>)> {
        let given = self.note(|state| state.macs.clone());
        let given_mac = |index: usize| given.as_ref().and_then(|(macs, _)| macs.get(index).copied());
        let mut plugged = Vec::new();
        for (index, planned) in self.plan.interfaces.iter().enumerate() {
            let mac = given_mac(index).or(planned.mac);
            let mac = mac.ok_or_else(|| Error::internal("an interface has no address yet"))?;
            plugged.push(PluggedInterface { interface: planned.interface.clone(), mac });
        }
        let management = given
            .as_ref()
            .and_then(|(_, management)| *management)
            .or_else(|| self.plan.management.as_ref().and_then(|planned| planned.mac));
        Ok((plugged, management))
    }

    /// The server as it is in the end. It is there even if it cannot be read now.
    async fn report(&self) -> Server {
        let path = path_of(self.plan.partition);
        let read = self.driver.session().get_entry(&path, Groups::None).await.and_then(|entry| list::sized(&entry));
        let mut server = read.unwrap_or_else(|error| {
            self.control.warn(format!("the new server could not be read: {error}"));
            self.planned()
        });
        if let Ok((interfaces, management)) = self.addresses() {
            let info = |mac, vlan, switch: &Switch| InterfaceInfo {
                mac: Some(mac),
                vlan: Some(vlan),
                switch: Some(switch.name.clone()),
                slot: None,
            };
            let planned = self.plan.interfaces.iter().zip(&interfaces);
            server.interfaces =
                planned.map(|(planned, is)| info(is.mac, is.interface.vlan, &planned.switch)).collect();
            if let (Some(mac), Some(planned)) = (management, &self.plan.management) {
                server.interfaces.push(info(mac, MANAGEMENT_VLAN, &planned.switch));
            }
        }
        server.storage = self.served();
        server
    }

    fn planned(&self) -> Server {
        let Plan { partition, name, sizing, .. } = &self.plan;
        let (vcpus, units) = match &sizing.processors {
            Processors::Shared { vcpus, units, .. } => (vcpus.desired, Some(units.desired.as_f64())),
            Processors::Dedicated { processors, .. } => (processors.desired, None),
        };
        Server {
            summary: ServerSummary {
                id: *partition,
                name: name.clone(),
                status: PowerState::Unknown,
                state: "Unknown".to_owned(),
                partition_id: self.note(|state| state.partition_id),
                rmc: "unknown".to_owned(),
            },
            memory_mb: sizing.memory.desired,
            vcpus,
            proc_units: units,
            reference_code: None,
            interfaces: Vec::new(),
            storage: Vec::new(),
        }
    }

    /// What was mapped, by the Virtual I/O Servers that serve it.
    fn served(&self) -> Vec<StorageInfo> {
        let mut served = Vec::new();
        for vios in &self.plan.vioses {
            for wanted in self.wanted_of(vios) {
                served.push(list::storage_of(Some(wanted.mapped().clone()), &vios.name));
            }
        }
        served.sort();
        served
    }
}
