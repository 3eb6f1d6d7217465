//! Attaches volumes to a server, which may be running or off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use powervm_schema::atom::Entry;
use tokio::sync::OwnedMutexGuard;

use super::find::{self, Device};
use super::ports::Ports;
use super::report::{AttachedVolume, VolumePath, VolumesReport};
use super::request::{VolumeRequest, refuse_twins, turns};
use super::scene::{Scene, served_now};
use super::search::Search;
use crate::error::{Error, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::saga::{Saga, Step};
use crate::storage::mapping::{self, GROUP, Mapped};
use crate::storage::volumes;
use crate::volume::Connection;

const FIND: &str = "find the volumes";
const MAP: &str = "map the volumes";
const PORTS: &str = "give the server its ports";

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
        let already = |vios: &Vios, volume: &Connection| scene.served(vios, volume).is_some();
        let search = Search::new(self, &control, &request.volumes, &scene.vioses, already);
        let ports = if request
            .volumes
            .iter()
            .all(|volume| find::is_served(self, volume))
        {
            None
        } else {
            let client = &scene.target.client;
            Some(Ports::plan(self, &scene.vioses, client, &request.metadata).await?)
        };
        let attach = Arc::new(Attach {
            driver: self.clone(),
            control,
            request,
            scene,
            search,
            ports,
            mapped: Mutex::default(),
            _turns: held,
        });
        let lacks_ports = attach.ports.as_ref().is_some_and(Ports::is_needed);
        if attach.search.is_needed() || lacks_ports {
            attach.scene.target.check()?;
        }
        let options = outer.saga_options(&attach.control);
        recipe(&attach).run(Arc::clone(&attach), options).await?;
        Ok(attach.report())
    }
}

/// What is done, and after what.
fn recipe(attach: &Attach) -> Saga<Attach> {
    let mut saga = Saga::new(format!("attach volumes to {}", attach.scene.target.name));
    if attach.ports.as_ref().is_some_and(Ports::is_needed) {
        saga = saga.step(Step::new(PORTS, Attach::connect).undo(Attach::disconnect));
    }
    saga.step(Step::new(FIND, Attach::find).undo(Attach::forget))
        .step(
            Step::new(MAP, Attach::map)
                .after([FIND])
                .undo(Attach::unmap),
        )
}

/// An attachment on its way.
struct Attach {
    driver: Driver,
    control: Control,
    request: VolumeRequest,
    scene: Scene,
    search: Search,
    /// The server's ports, if it reaches any of the volumes through them.
    ports: Option<Ports>,
    /// The Virtual I/O Servers after their change.
    mapped: Mutex<BTreeMap<String, Arc<Entry>>>,
    _turns: Vec<OwnedMutexGuard<()>>,
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
        match &self.ports {
            Some(ports) => ports.disconnect(&self.driver).await,
            None => Ok(()),
        }
    }

    async fn find(self: Arc<Self>) -> Result<()> {
        self.search.find().await
    }

    async fn forget(self: Arc<Self>) -> Result<()> {
        self.search.forget().await
    }

    /// One change of each Virtual I/O Server for all volumes.
    async fn map(self: Arc<Self>) -> Result<()> {
        let edits = self.scene.vioses.iter().map(|vios| {
            let wanted = self.search.wanted(vios);
            let attach = &self;
            async move {
                if wanted.is_empty() {
                    return Ok(());
                }
                let client = attach.scene.target.client.clone();
                let edit = move |document: &mut _| Ok(mapping::map(document, &client, &wanted));
                let edited = attach
                    .driver
                    .shared
                    .group
                    .edit(&vios.path(), &[GROUP], edit)
                    .await?;
                attach.mapped().insert(vios.uuid.clone(), edited.entry);
                Ok(())
            }
        });
        join_all(edits).await.into_iter().collect()
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        let edits = self.scene.vioses.iter().map(|vios| {
            let these: Vec<Mapped> = self
                .search
                .wanted(vios)
                .iter()
                .map(|wanted| wanted.mapped().clone())
                .collect();
            let attach = &self;
            async move {
                if these.is_empty() {
                    return Ok(());
                }
                let client = attach.scene.target.client.clone();
                let edit = move |document: &mut _| Ok(volumes::unmap(document, &client, &these));
                attach
                    .driver
                    .shared
                    .group
                    .edit(&vios.path(), &[GROUP], edit)
                    .await
                    .map(drop)
            }
        });
        join_all(edits).await.into_iter().collect()
    }

    fn report(&self) -> VolumesReport {
        let volumes = self.request.volumes.iter().enumerate();
        VolumesReport {
            server: self.scene.target.name.clone(),
            volumes: volumes
                .map(|(place, volume)| self.attached(place, volume))
                .collect(),
            metadata: match &self.ports {
                Some(ports) => ports.metadata.clone(),
                None => self.request.metadata.clone(),
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
