//! Attaches volumes to a server, which may be running or off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::find::{self, Device};
use super::ports::{self, Lent, Ports};
use super::report::{AttachedVolume, VolumePath, VolumesReport};
use super::request::{Metadata, VolumeRequest, refuse_twins, turns};
use super::scene::{Scene, served_now};
use super::search::{Devices, Places, Search};
use super::traces::Traces;
use crate::error::{Error, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::map;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::partition::PartitionUuid;
use crate::saga::{Saga, Step};
use crate::storage::mapping::{self, GROUP, Mapped};
use crate::storage::volumes;
use crate::volume::Connection;

const FIND: &str = "find the volumes";
const MAP: &str = "map the volumes";
const PORTS: &str = "give the server its ports";
const KEEP: &str = "keep the slots";

impl Driver {
    /// Attaches volumes to a server. What is attached already stays as it is; a volume that a Virtual I/O
    /// Server does not serve yet is served by it as well.
    ///
    /// A failed or cancelled call leaves the server and the Virtual I/O Servers as they were: volumes
    /// that were attached before stay attached, disks that nobody uses are forgotten.
    ///
    /// # Errors
    /// No such server, or one whose devices cannot be changed now; a volume that too few Virtual I/O
    /// Servers find; [`Error::Saga`] with the step that failed.
    pub async fn attach_volumes(
        &self,
        request: VolumeRequest,
        outer: &Control,
    ) -> Result<VolumesReport> {
        refuse_twins(&request.volumes)?;
        let partition = self.resolve(&request.server).await?;
        let turn = self.shared.instances.take(&partition).await;
        let mut held = turns(self, &request.volumes).await;
        held.push(turn);
        if outer.token().is_cancelled() {
            return Err(Error::Cancelled {
                what: "attaching volumes".to_owned(),
            });
        }
        let scene = Scene::look(self, partition).await?;
        let control = outer.for_steps();
        // One whose devices cannot be changed now keeps the ways that it has to a volume.
        let may_change = scene.target.check().is_ok();
        let already = |vios: &Vios, volume: &Connection| match may_change {
            true => scene.served(vios, volume).is_some(),
            false => scene
                .vioses
                .iter()
                .any(|vios| scene.served(vios, volume).is_some()),
        };
        let search = Search::new(self, &control, &request.volumes, &scene.vioses, already);
        let is_served = |volume: &Connection| find::is_served(self, volume);
        let ports = if request.volumes.iter().all(is_served) {
            None
        } else {
            let client = &scene.target.client;
            Some(Ports::plan(self, &scene.vioses, client, &request.metadata).await?)
        };
        let asked = Asked {
            partition: partition.as_uuid(),
            server: scene.target.name.clone(),
            volumes: request.volumes.clone(),
            already: search.already().clone(),
            ports: ports.as_ref().map(Ports::lacking).unwrap_or_default(),
            keeps_slots: self.keeps(),
        };
        if search.is_needed() || !asked.ports.is_empty() {
            scene.target.check()?;
        }
        let attach = Arc::new(Attach {
            driver: self.clone(),
            asked,
            metadata: request.metadata,
            scene,
            search,
            ports,
            notes: Notes::default(),
            mapped: Mutex::default(),
            _turns: held,
        });
        self.perform(&attach, outer, &control).await?;
        Ok(attach.report())
    }
}

/// What is done, and after what.
fn recipe(asked: &Asked) -> Saga<Attach> {
    let mut saga = Saga::new(format!("attach volumes to {}", asked.server));
    if !asked.ports.is_empty() {
        saga = saga.step(Step::new(PORTS, Attach::connect).undo(Attach::disconnect));
    }
    saga = saga
        .step(Step::new(FIND, Attach::find).undo(Attach::forget))
        .step(
            Step::new(MAP, Attach::map)
                .after([FIND])
                .undo(Attach::unmap),
        );
    if asked.keeps_slots {
        let ports = (!asked.ports.is_empty()).then_some(PORTS);
        let changed = [MAP].into_iter().chain(ports);
        // A slot that is kept and not in use harms nobody, so there is nothing to take back.
        saga = saga.step(Step::new(KEEP, Attach::keep_slots).after(changed));
    }
    saga
}

/// An attachment on its way, or on its way back.
pub(in crate::operations) struct Attach {
    driver: Driver,
    asked: Asked,
    metadata: Metadata,
    scene: Scene,
    search: Search,
    /// The server's ports, if it reaches any of the volumes through them.
    ports: Option<Ports>,
    notes: Notes<Devices>,
    /// The Virtual I/O Servers after their change.
    mapped: Mutex<BTreeMap<String, Arc<Entry>>>,
    _turns: Vec<OwnedMutexGuard<()>>,
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    partition: Uuid,
    server: String,
    /// Without credentials: nothing is logged on to.
    volumes: Vec<Connection>,
    /// Where they were attached before, and stay.
    already: Places,
    /// Ports that the server did not have before.
    ports: Lent,
    /// Whether the server's slots are kept.
    #[serde(default)]
    keeps_slots: bool,
}

impl Operation for Attach {
    const KIND: &'static str = "attach volumes";
    const PLAN: Plan = Plan::Undo;
    type Asked = Asked;
    type Notes = Devices;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Devices> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked)
    }

    /// Whoever asked was never told of the disks, and the credentials of targets are not in the journal.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        found: Devices,
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        let mut held = turns(driver, &asked.volumes).await;
        held.push(turn);
        let scene = Scene::of_interrupted(driver, partition).await?;
        let disks = found.values().flat_map(BTreeMap::values);
        Traces::of(&asked.volumes, disks.map(|disk| (disk.name(), disk.udid())))
            .see_off(driver, &scene.vioses)
            .await?;
        let (volumes, found_then) = (&asked.volumes, found.clone());
        let search = Search::revived(driver, control, volumes, &scene.vioses, found_then);
        let search = search.besides(asked.already.clone());
        Ok(Some(Self {
            driver: driver.clone(),
            search,
            asked,
            metadata: Metadata::new(),
            scene,
            ports: None,
            notes: Notes::new(found),
            mapped: Mutex::default(),
            _turns: held,
        }))
    }
}

impl Attach {
    fn mapped(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.mapped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(self: Arc<Self>) -> Result<()> {
        match &self.ports {
            Some(ports) => ports.connect(&self.driver).await,
            None => Ok(()),
        }
    }

    async fn disconnect(self: Arc<Self>) -> Result<()> {
        let client = &self.scene.target.client;
        ports::take(&self.driver, &self.scene.vioses, client, &self.asked.ports).await
    }

    async fn find(self: Arc<Self>) -> Result<()> {
        let outcome = self.search.find().await;
        self.notes.with(|notes| *notes = self.search.devices());
        outcome
    }

    async fn forget(self: Arc<Self>) -> Result<()> {
        self.search.forget().await
    }

    /// One change of each Virtual I/O Server for all volumes.
    async fn map(self: Arc<Self>) -> Result<()> {
        let edit = |vios: &Vios| {
            let wanted = self.search.wanted(vios);
            if wanted.is_empty() {
                return None;
            }
            let client = self.scene.target.client.clone();
            Some(move |document: &mut Element| Ok(mapping::map(document, &client, &wanted)))
        };
        let mapped = map::each(&self.driver, &self.scene.vioses, GROUP, edit).await?;
        self.mapped().extend(mapped);
        Ok(())
    }

    async fn keep_slots(self: Arc<Self>) -> Result<()> {
        let partition = self.scene.target.client.uuid;
        self.driver.keep_slots(partition).await.map(drop)
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        let edit = |vios: &Vios| {
            let wanted = self.search.wanted(vios);
            let these: Vec<Mapped> = wanted
                .iter()
                .map(|wanted| wanted.mapped().clone())
                .collect();
            let client = self.scene.target.client.clone();
            let edit = move |document: &mut Element| Ok(volumes::unmap(document, &client, &these));
            (!wanted.is_empty()).then_some(edit)
        };
        map::each(&self.driver, &self.scene.vioses, GROUP, edit)
            .await
            .map(drop)
    }

    fn report(&self) -> VolumesReport {
        let volumes = self.asked.volumes.iter().enumerate();
        VolumesReport {
            server: self.scene.target.name.clone(),
            volumes: volumes
                .map(|(place, volume)| self.attached(place, volume))
                .collect(),
            metadata: match &self.ports {
                Some(ports) => ports.metadata.clone(),
                None => self.metadata.clone(),
            },
        }
    }

    fn attached(&self, place: usize, volume: &Connection) -> AttachedVolume {
        let mut attached = AttachedVolume {
            volume: volume.volume.clone(),
            target_udid: volume.target_udid.clone(),
            paths: Vec::new(),
        };
        if !find::is_served(&self.driver, volume) {
            attached.paths = self.ports.as_ref().map(Ports::paths).unwrap_or_default();
            return attached;
        }
        for vios in &self.scene.vioses {
            let device = self.search.device(vios, place);
            // What the discovery did not tell, the mapping may.
            let entry = self.mapped().get(&vios.uuid).cloned();
            let known = Connection {
                target_udid: device
                    .as_ref()
                    .and_then(Device::udid)
                    .map(str::to_owned)
                    .or(volume.target_udid.clone()),
                ..volume.clone()
            };
            let served = match &entry {
                Some(entry) => served_now(&entry.content, &self.scene.target, &known),
                None => self.scene.served(vios, volume).cloned(),
            };
            let Some(served) = served else { continue };
            if attached.target_udid.is_none() {
                attached.target_udid = served.mapped.udid.clone().or(known.target_udid);
            }
            attached.paths.push(VolumePath {
                served_by: vios.name.clone(),
                device: device.map_or(served.mapped.name, |device| device.name().to_owned()),
                address: served.address,
            });
        }
        attached
    }
}
