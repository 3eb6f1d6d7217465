//! Makes a server.
//!
//! The recipe stands in [`recipe`]: what is made, after what, and how each step is taken back. Steps
//! that do not wait for each other run side by side: the partition's UUID is ours to choose, so its
//! disk and its config drive are made while the partition is.

mod evacuate;
mod network;
mod notes;
mod report;
mod slots;
mod storage;
mod volumes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use notes::{Asked, Found};
use slots::Making;
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::control::Control;
use super::driver::{Disks, Driver};
use super::ibmi;
use super::imaged::{self, Boarded, DiskNotes};
use super::kept::Kept;
use super::operation::{Notes, Operation, Plan as Recovery};
use super::plan::Plan;
use super::plug_events::{Expected, PLUGGED};
use super::request::SpawnRequest;
use super::resize::DiskInfo;
use super::server::Server;
use super::volume::find;
use super::volume::request::turns;
use super::volume::search::Search;
use super::volume::traces::Traces;
use super::{jobs, map, partition, power, unfinished};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::partition::power::{POWER_OFF as POWER_OFF_JOB, POWER_ON as POWER_ON_JOB, RemoveMedia};
use crate::partition::{PartitionUuid, document};
use crate::saga::{Saga, Step};
use crate::storage::mapping::Client;
use crate::storage::{for_want_of_space, names};

const PARTITION: &str = "create the partition";
pub(super) const NETWORK: &str = "plug the interfaces";
const IMAGE: &str = "provide the image";
const DISK: &str = "create the boot disk";
const CONFIG_DRIVE: &str = "upload the config drive";
pub(super) const VOLUMES: &str = "find the volumes";
pub(super) const PORTS: &str = "give the server its ports";
const MAP: &str = "map disks and config drive";
const TAG: &str = "name the load source";
const KEEP: &str = "keep the slots";
const POWER_ON: &str = "power on";

impl Driver {
    /// Makes a server as asked for, and powers it on if asked to.
    ///
    /// A failed or cancelled call leaves the host as it was, but for a media repository or, with the
    /// disk driver `localdisk`, a cached image that others may use. If the returned future is
    /// dropped, the same happens in the background; if the process is killed, on its next start.
    ///
    /// # Errors
    /// [`Error::Saga`] with the step that failed and what could not be undone; before anything is
    /// changed, whatever makes the request impossible.
    pub async fn spawn(&self, request: SpawnRequest, control: &Control) -> Result<Server> {
        self.spawn_with(request, None, Making::New, control).await
    }

    /// As [`Driver::spawn`], for a server whose boot disk is there already: one that has left another host of the pool
    /// ([`Driver::migrate_disk_and_power_off`]), or that was removed without its disks. The request has no image. The
    /// disk is found by the server's name; a failed call leaves it as it was. Where slots and NVRAM are kept, the server
    /// gets those that it had.
    ///
    /// # Errors
    /// As [`Driver::spawn`]; no such disk, one of another partition, or one in another pool than `place` says.
    pub async fn spawn_from_disk(
        &self,
        request: SpawnRequest,
        place: Option<DiskInfo>,
        control: &Control,
    ) -> Result<Server> {
        if request.image.is_some() {
            return Err(Error::invalid(
                "a server whose disk is there already needs no image",
                "leave the image out",
            ));
        }
        if let Some(place) = place {
            self.check_place(&place)?;
        }
        let disk = imaged::existing(self, &request.name, request.instance).await?;
        self.spawn_again(request, Some(disk), control).await
    }

    /// Whether this host reaches a server's boot disk that another host of its pool made (`instance_on_disk`). A server
    /// that boots from a volume has it wherever the volume is.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn instance_on_disk(&self, instance: Uuid, name: &str) -> Result<bool> {
        if !matches!(self.shared.disks, Disks::Ssp { .. }) {
            return Ok(false);
        }
        match imaged::existing(self, name, instance).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Precondition) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// That the disk of a server that comes from another host is in this host's pool.
    fn check_place(&self, place: &DiskInfo) -> Result<()> {
        let is_here = match &self.shared.disks {
            Disks::Ssp { pool, .. } => pool.uuid.eq_ignore_ascii_case(&place.ssp_uuid),
            Disks::Local(_) => false,
        };
        match is_here {
            true => Ok(()),
            false => Err(Error::operation(
                ErrorKind::Precondition,
                format!(
                    "this host is no member of the cluster {}, whose pool {} has the server's disk",
                    place.cluster_name, place.ssp_name
                ),
                "choose a host of that cluster",
            )),
        }
    }

    async fn spawn_with(
        &self,
        request: SpawnRequest,
        disk: Option<DiskNotes>,
        making: Making,
        control: &Control,
    ) -> Result<Server> {
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
        unfinished::refuse(self, PartitionUuid::of_instance(request.instance)).await?;
        let mut plan = Plan::make(self, &request, disk.is_some()).await?;
        if let Making::Again(Kept {
            slots: Some(slots), ..
        }) = &making
        {
            plan.take_slots(slots);
        }
        let turns = turns(self, &request.volumes).await;
        let image = request.image.as_ref();
        let flight = image.map(|image| Boarded::of(self, image));
        let steps = control.for_steps();
        let volumes = Search::new(self, &steps, &request.volumes, &plan.vioses, |_, _| false);
        let asked = Asked {
            finds_volumes: volumes.is_needed(),
            waits_for_network: Expected::is_wanted(self, control, &plan.interfaces),
            has_ports: !request
                .volumes
                .iter()
                .all(|volume| find::is_served(self, volume)),
            servers: plan.vioses.iter().map(|vios| vios.uuid.clone()).collect(),
            keeps_slots: self.keeps(),
            is_ibmi: plan.restricted_io.is_some(),
            is_new: making.is_new(),
            ..Asked::of(&request, self.tag(), plan.namesakes.clone())
        };
        let spawn = Arc::new(Spawn {
            driver: self.clone(),
            control: steps.clone(),
            partition: plan.partition,
            vioses: plan.vioses.clone(),
            volumes,
            asked,
            order: Some(Order {
                plan,
                request,
                kept: making.kept(),
            }),
            expected: Mutex::default(),
            notes: Notes::new(Found {
                disk: disk.unwrap_or_else(|| DiskNotes::boarded(flight)),
                ..Found::default()
            }),
            _turn: turn,
            _turns: turns,
        });
        self.perform(&spawn, control, &steps).await?;
        spawn.report().await
    }
}

/// What is made, and after what.
fn recipe(spawn: &Spawn) -> Saga<Spawn> {
    let asked = &spawn.asked;
    let mut saga = Saga::new(format!("create {}", asked.name))
        .step(Step::new(PARTITION, Spawn::create_partition).undo(Spawn::delete_partition))
        // Adapters go with their partition, so there is nothing to take back.
        .step(Step::new(NETWORK, Spawn::plug_interfaces).after([PARTITION]));
    let mut mapped = vec![PARTITION];
    if asked.disk.is_some() {
        saga = saga
            .step(Step::new(IMAGE, Spawn::provide_image).undo(Spawn::release_image))
            .step(
                Step::new(DISK, Spawn::create_disk)
                    .after([IMAGE])
                    .undo(Spawn::delete_disk),
            );
        mapped.push(DISK);
    }
    if asked.finds_volumes {
        saga = saga.step(Step::new(VOLUMES, Spawn::find_volumes).undo(Spawn::forget_volumes));
        mapped.push(VOLUMES);
    }
    if asked.config_drive {
        let step =
            Step::new(CONFIG_DRIVE, Spawn::upload_config_drive).undo(Spawn::delete_config_drive);
        // The config drive names the interfaces' addresses; where the server chooses them, it waits.
        saga = saga.step(if spawn.knows_addresses() {
            step
        } else {
            step.after([NETWORK])
        });
        mapped.push(CONFIG_DRIVE);
    }
    let mut before_power = vec![MAP, NETWORK];
    if asked.waits_for_network {
        saga = saga.step(Step::new(PLUGGED, Spawn::wait_for_network).after([NETWORK]));
        before_power.push(PLUGGED);
    }
    if asked.has_ports {
        saga = saga.step(
            Step::new(PORTS, Spawn::connect_ports)
                .after([PARTITION])
                .undo(Spawn::take_ports),
        );
        before_power.push(PORTS);
    }
    if spawn.has_slots() {
        // So that no free slot is taken that another adapter is to have.
        mapped.extend(before_power.iter().filter(|step| **step != MAP));
    }
    saga = saga.step(Step::new(MAP, Spawn::map).after(mapped).undo(Spawn::unmap));
    if asked.is_ibmi {
        saga = saga.step(Step::new(TAG, Spawn::tag_load_source).after(before_power.clone()));
        before_power.push(TAG);
    }
    if asked.keeps_slots {
        let keep = Step::new(KEEP, Spawn::keep_slots).undo(Spawn::forget_slots);
        saga = saga.step(keep.after(before_power));
        before_power = vec![KEEP];
    }
    if asked.power_on {
        saga = saga.step(
            Step::new(POWER_ON, Spawn::power_on)
                .after(before_power)
                .undo(Spawn::power_off),
        );
    }
    saga
}

/// A deploy on its way, or on its way back.
pub(super) struct Spawn {
    driver: Driver,
    control: Control,
    partition: PartitionUuid,
    vioses: Vec<Vios>,
    volumes: Search,
    asked: Asked,
    /// What cannot be in a journal and is not needed on the way back.
    order: Option<Order>,
    /// Ports that the network service is listened to for.
    expected: Mutex<Option<Arc<Expected>>>,
    notes: Notes<Found>,
    _turn: OwnedMutexGuard<()>,
    _turns: Vec<OwnedMutexGuard<()>>,
}

/// What is to be made: with the image's source and the config drive's content.
struct Order {
    plan: Plan,
    request: SpawnRequest,
    kept: Kept,
}

impl Operation for Spawn {
    const KIND: &'static str = "spawn";
    const PLAN: Recovery = Recovery::Undo;
    type Asked = Asked;
    type Notes = Found;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Found> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(self)
    }

    /// Whoever asked for the server was never told of it, and its image and config drive are not in the journal.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        mut found: Found,
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.instance);
        let turn = driver.shared.instances.take(&partition).await;
        // The number that the partition has now: if it is gone, another one may have that number.
        found.partition_id = partition::number(driver, partition).await?;
        // Those that it worked with, whether they can be reached now or not.
        let mut vioses = driver.vioses_now().await?.as_ref().clone();
        vioses.retain(|vios| asked.servers.contains(&vios.uuid));
        let turns = turns(driver, &asked.volumes).await;
        let devices = found.devices.clone();
        let disks = devices.values().flat_map(BTreeMap::values);
        Traces::of(&asked.volumes, disks.map(|disk| (disk.name(), disk.udid())))
            .see_off(driver, &vioses)
            .await?;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            partition,
            volumes: Search::revived(driver, control, &asked.volumes, &vioses, devices),
            vioses,
            asked,
            order: None,
            expected: Mutex::default(),
            notes: Notes::new(found),
            _turn: turn,
            _turns: turns,
        }))
    }
}

impl Spawn {
    fn note<T>(&self, change: impl FnOnce(&mut Found) -> T) -> T {
        self.notes.with(change)
    }

    fn order(&self) -> Result<&Order> {
        self.order
            .as_ref()
            .ok_or_else(|| Error::internal("a deploy that is taken back cannot go on"))
    }

    fn knows_addresses(&self) -> bool {
        self.order
            .as_ref()
            .is_none_or(|order| order.plan.knows_addresses())
    }

    fn client(&self) -> Client {
        let uuid = self.partition;
        let id = self.note(|found| found.partition_id);
        Client {
            uuid,
            id,
            href: self.driver.partition_href(uuid),
        }
    }

    fn media_name(&self) -> String {
        names::config_drive(self.asked.instance)
    }

    async fn create_partition(self: Arc<Self>) -> Result<()> {
        if self.note(|found| found.partition_made) {
            return Ok(());
        }
        let Plan {
            partition,
            name,
            sizing,
            pool,
            ..
        } = &self.order()?.plan;
        let mut document = document::create(*partition, name, sizing, *pool);
        if let Some(restricted_io) = self.order()?.plan.restricted_io {
            ibmi::describe(&mut document, restricted_io);
        }
        if let Some(nvram) = &self.order()?.kept.nvram {
            document.partition_mut().set_nvram(nvram.as_str());
        }
        let id = partition::create(&self.driver, *partition, name, &document).await?;
        self.note(|found| (found.partition_id, found.partition_made) = (id, true));
        Ok(())
    }

    async fn delete_partition(self: Arc<Self>) -> Result<()> {
        partition::delete(&self.driver, self.partition).await
    }

    /// One change of each Virtual I/O Server: boot disk, volumes, config drive, and whatever a partition that
    /// had this number before has left there.
    async fn map(self: Arc<Self>) -> Result<()> {
        let places = self.places()?;
        if places.is_some() {
            // A bus is shared by what is mapped once it is there.
            map::everywhere(&self.driver, &self.vioses, &self.client(), |vios| {
                slots::one_a_bus(self.wanted_of(vios, places.as_ref()))
            })
            .await?;
        }
        map::everywhere(&self.driver, &self.vioses, &self.client(), |vios| {
            self.wanted_of(vios, places.as_ref())
        })
        .await
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        map::nowhere(&self.driver, &self.vioses, &self.client())
            .await
            .map(drop)
    }

    async fn power_on(self: Arc<Self>) -> Result<()> {
        let config = self.driver.config();
        let media =
            (config.remove_vopt_media_on_boot && self.asked.config_drive).then(|| RemoveMedia {
                name: self.media_name(),
                after: Duration::from_secs(60 * u64::from(config.remove_vopt_media_time)),
            });
        let on = power::on(&self.driver, self.partition, media.as_ref()).await;
        on.map_err(|error| {
            for_want_of_space(error, &format!("the partition of {}", self.asked.name))
        })
    }

    async fn power_off(self: Arc<Self>) -> Result<()> {
        // A job whose answer was lost must not strike afterwards.
        jobs::see_off(self.driver.session(), self.partition, POWER_ON_JOB).await?;
        power::off_hard(&self.driver, self.partition).await?;
        jobs::see_off(self.driver.session(), self.partition, POWER_OFF_JOB).await
    }
}
