//! Makes a server.
//!
//! The recipe stands in [`recipe`]: what is made, after what, and how each step is taken back. Steps
//! that do not wait for each other run side by side: the partition's UUID is ours to choose, so its
//! disk and its config drive are made while the partition is.

mod report;
mod storage;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::control::Control;
use super::driver::{Disks, Driver};
use super::plan::Plan;
use super::request::SpawnRequest;
use super::server::Server;
use super::volume::find;
use super::volume::ports::{self, Ports};
use super::volume::request::turns;
use super::volume::search::Search;
use super::{map, partition, plug, power};
use crate::error::{Error, Result};
use crate::host::{Switch, Vios};
use crate::network::Mac;
use crate::network::adapter::{self, MANAGEMENT_VLAN, NewAdapter};
use crate::partition::power::RemoveMedia;
use crate::partition::{PartitionUuid, document};
use crate::saga::{Saga, Step};
use crate::storage::flights::Flight;
use crate::storage::local::Disk;
use crate::storage::mapping::{Client, Wanted};
use crate::storage::media::Repository;
use crate::storage::media::config_drive::PluggedInterface;
use crate::storage::ssp::{ImageUnit, Unit};
use crate::storage::{for_want_of_space, names};

const PARTITION: &str = "create the partition";
const NETWORK: &str = "plug the interfaces";
const IMAGE: &str = "provide the image";
const DISK: &str = "create the boot disk";
const CONFIG_DRIVE: &str = "upload the config drive";
const VOLUMES: &str = "find the volumes";
const PORTS: &str = "give the server its ports";
const MAP: &str = "map disks and config drive";
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
        let turn = self
            .shared
            .instances
            .take(&PartitionUuid::of_instance(request.instance))
            .await;
        if control.token().is_cancelled() {
            return Err(Error::Cancelled {
                what: format!("the creation of {}", request.name),
            });
        }
        let plan = Plan::make(self, &request).await?;
        let turns = turns(self, &request.volumes).await;
        let flight = request
            .image
            .as_ref()
            .map(|image| match &self.shared.disks {
                Disks::Ssp { images, .. } => Boarded::Ssp(images.board(image)),
                Disks::Local(disks) => Boarded::Local(disks.board(image)),
            });
        let steps = control.for_steps();
        let volumes = Search::new(self, &steps, &request.volumes, &plan.vioses, |_, _| false);
        let spawn = Arc::new(Spawn {
            driver: self.clone(),
            control: steps,
            volumes,
            plan,
            request,
            state: Mutex::new(State {
                flight,
                ..State::default()
            }),
            disk_may_exist: AtomicBool::new(false),
            _turn: turn,
            _turns: turns,
        });
        let options = control.saga_options(&spawn.control);
        recipe(&spawn).run(Arc::clone(&spawn), options).await?;
        Ok(spawn.report().await)
    }
}

/// What is made, and after what.
fn recipe(spawn: &Spawn) -> Saga<Spawn> {
    let mut saga = Saga::new(format!("create {}", spawn.request.name))
        .step(Step::new(PARTITION, Spawn::create_partition).undo(Spawn::delete_partition))
        // Adapters go with their partition, so there is nothing to take back.
        .step(Step::new(NETWORK, Spawn::plug_interfaces).after([PARTITION]));
    let mut mapped = vec![PARTITION];
    if spawn.request.image.is_some() {
        saga = saga
            .step(Step::new(IMAGE, Spawn::provide_image).undo(Spawn::release_image))
            .step(
                Step::new(DISK, Spawn::create_disk)
                    .after([IMAGE])
                    .undo(Spawn::delete_disk),
            );
        mapped.push(DISK);
    }
    if spawn.volumes.is_needed() {
        saga = saga.step(Step::new(VOLUMES, Spawn::find_volumes).undo(Spawn::forget_volumes));
        mapped.push(VOLUMES);
    }
    if spawn.request.config_drive.is_some() {
        let step =
            Step::new(CONFIG_DRIVE, Spawn::upload_config_drive).undo(Spawn::delete_config_drive);
        // The config drive names the interfaces' addresses; where the server chooses them, it waits.
        saga = saga.step(if spawn.plan.knows_addresses() {
            step
        } else {
            step.after([NETWORK])
        });
        mapped.push(CONFIG_DRIVE);
    }
    let mut before_power = vec![MAP, NETWORK];
    if spawn.has_ports() {
        saga = saga.step(
            Step::new(PORTS, Spawn::connect_ports)
                .after([PARTITION])
                .undo(Spawn::take_ports),
        );
        before_power.push(PORTS);
    }
    saga = saga.step(Step::new(MAP, Spawn::map).after(mapped).undo(Spawn::unmap));
    if spawn.request.power_on {
        saga = saga.step(
            Step::new(POWER_ON, Spawn::power_on)
                .after(before_power)
                .undo(Spawn::power_off),
        );
    }
    saga
}

/// A deploy on its way.
pub(super) struct Spawn {
    driver: Driver,
    control: Control,
    plan: Plan,
    volumes: Search,
    request: SpawnRequest,
    state: Mutex<State>,
    disk_may_exist: AtomicBool,
    _turn: OwnedMutexGuard<()>,
    _turns: Vec<OwnedMutexGuard<()>>,
}

/// What the steps tell each other, and themselves when they are run again.
#[derive(Default)]
struct State {
    partition_made: bool,
    partition_id: Option<u32>,
    macs: Option<(Vec<Mac>, Option<Mac>)>,
    flight: Option<Boarded>,
    image_udid: Option<String>,
    disk: Option<BootDisk>,
    media: Option<Repository>,
    media_uploaded: bool,
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
        self.note(|state| state.flight.clone())
            .ok_or_else(|| Error::internal("the image was released too early"))
    }

    fn client(&self) -> Client {
        let uuid = self.plan.partition;
        let id = self.note(|state| state.partition_id);
        Client {
            uuid,
            id,
            href: self.driver.partition_href(uuid),
        }
    }

    fn media_name(&self) -> String {
        names::config_drive(self.request.instance)
    }

    async fn create_partition(self: Arc<Self>) -> Result<()> {
        if self.note(|state| state.partition_made) {
            return Ok(());
        }
        let Plan {
            partition,
            name,
            sizing,
            pool,
            ..
        } = &self.plan;
        let id = partition::create(
            &self.driver,
            *partition,
            name,
            &document::create(*partition, name, sizing, *pool),
        )
        .await?;
        self.note(|state| (state.partition_id, state.partition_made) = (id, true));
        Ok(())
    }

    async fn delete_partition(self: Arc<Self>) -> Result<()> {
        partition::delete(&self.driver, self.plan.partition).await
    }

    /// One adapter after the other: the guest finds them in the order of their slots.
    async fn plug_interfaces(self: Arc<Self>) -> Result<()> {
        if self.note(|state| state.macs.is_some()) {
            return Ok(());
        }
        let shared = &self.driver.shared;
        let (session, partition) = (&shared.session, self.plan.partition);
        let mut macs = Vec::new();
        for planned in &self.plan.interfaces {
            macs.push(plug::plug(&self.driver, partition, planned).await?);
        }
        let mut management = None;
        if let Some(planned) = &self.plan.management {
            let (switch, vlan) = (&planned.switch, MANAGEMENT_VLAN);
            adapter::ensure_virtual_network(
                session,
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
            management = Some(adapter::create(session, partition, &new).await?);
        }
        self.note(|state| state.macs = Some((macs, management)));
        Ok(())
    }

    /// One change of each Virtual I/O Server: boot disk, volumes, config drive, and whatever a partition that
    /// had this number before has left there.
    async fn map(self: Arc<Self>) -> Result<()> {
        map::everywhere(&self.driver, &self.plan.vioses, &self.client(), |vios| {
            self.wanted_of(vios)
        })
        .await
    }

    fn wanted_of(&self, vios: &Vios) -> Vec<Wanted> {
        let (disk, media) = self.note(|state| (state.disk.clone(), state.media.clone()));
        let mut wanted = Vec::new();
        match (&self.driver.shared.disks, &disk) {
            (Disks::Ssp { pool, .. }, Some(BootDisk::Unit(unit)))
                if pool.is_served_by(&vios.uuid) =>
            {
                wanted.push(Wanted::logical_unit(&unit.name, &unit.udid));
            }
            (Disks::Local(disks), Some(BootDisk::Disk(disk))) if disks.vios == vios.uuid => {
                wanted.push(disk.wanted());
            }
            _ => {}
        }
        wanted.extend(self.volumes.wanted(vios));
        if media.is_some_and(|place| place.vios == vios.uuid) {
            wanted.push(Wanted::optical_media(&self.media_name()));
        }
        wanted
    }

    /// Whether the server reaches any of its volumes through ports of its own.
    fn has_ports(&self) -> bool {
        let mut volumes = self.request.volumes.iter();
        !volumes.all(|volume| find::is_served(&self.driver, volume))
    }

    async fn connect_ports(self: Arc<Self>) -> Result<()> {
        let (vioses, metadata) = (&self.plan.vioses, &self.request.metadata);
        let ports = Ports::plan(&self.driver, vioses, &self.client(), metadata).await?;
        ports.connect(&self.driver).await
    }

    async fn take_ports(self: Arc<Self>) -> Result<()> {
        ports::take_all(&self.driver, &self.plan.vioses, &self.client()).await
    }

    async fn find_volumes(self: Arc<Self>) -> Result<()> {
        self.volumes.find().await
    }

    async fn forget_volumes(self: Arc<Self>) -> Result<()> {
        self.volumes.forget().await
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        map::nowhere(&self.driver, &self.plan.vioses, &self.client())
            .await
            .map(drop)
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        let config = self.driver.config();
        let media =
            (config.remove_vopt_media_on_boot && self.request.config_drive.is_some()).then(|| {
                RemoveMedia {
                    name: self.media_name(),
                    after: Duration::from_secs(60 * u64::from(config.remove_vopt_media_time)),
                }
            });
        let on = power::on(&self.driver, self.plan.partition, media.as_ref()).await;
        on.map_err(|error| for_want_of_space(error, &format!("the partition {}", self.plan.name)))
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        power::off_hard(&self.driver, self.plan.partition).await
    }

    /// Addresses as chosen, or as the server gave them.
    fn addresses(&self) -> Result<(Vec<PluggedInterface>, Option<Mac>)> {
        let given = self.note(|state| state.macs.clone());
        let given_mac = |index: usize| {
            given
                .as_ref()
                .and_then(|(macs, _)| macs.get(index).copied())
        };
        let mut plugged = Vec::new();
        for (index, planned) in self.plan.interfaces.iter().enumerate() {
            let mac = given_mac(index).or(planned.mac);
            let mac = mac.ok_or_else(|| Error::internal("an interface has no address yet"))?;
            plugged.push(PluggedInterface {
                interface: planned.interface.clone(),
                mac,
            });
        }
        let management = given
            .as_ref()
            .and_then(|(_, management)| *management)
            .or_else(|| {
                self.plan
                    .management
                    .as_ref()
                    .and_then(|planned| planned.mac)
            });
        Ok((plugged, management))
    }
}
