//! Attaches volumes to a server, which may be running or off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::join_all;
use powervm_schema::atom::Entry;
use tokio::sync::OwnedMutexGuard;

use super::find::{self, Device};
use super::forget;
use super::report::{AttachedVolume, VolumePath, VolumesReport};
use super::request::{VolumeRequest, turns};
use super::scene::{Scene, served_now};
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::saga::{Saga, Step};
use crate::storage::mapping::{self, GROUP, Mapped, Wanted};
use crate::storage::volumes;
use crate::volume::Connection;

const FIND: &str = "find the volumes";
const MAP: &str = "map the volumes";

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
        control: &Control,
    ) -> Result<VolumesReport> {
        refuse_twins(&request.volumes)?;
        let partition = self.resolve(&request.server).await?;
        let turn = self.shared.instances.take(&partition).await;
        let mut held = turns(self, &request.volumes).await;
        held.push(turn);
        if control.token().is_cancelled() {
            return Err(Error::Cancelled {
                what: "attaching volumes".to_owned(),
            });
        }
        let scene = Scene::look(self, partition).await?;
        let attach = Arc::new(Attach {
            driver: self.clone(),
            control: control.for_steps(),
            request,
            scene,
            state: Mutex::default(),
            _turns: held,
        });
        if !attach.is_done() {
            attach.scene.target.check()?;
        }
        let options = control.saga_options(&attach.control);
        recipe(&attach).run(Arc::clone(&attach), options).await?;
        Ok(attach.report())
    }
}

/// What is done, and after what.
fn recipe(attach: &Attach) -> Saga<Attach> {
    Saga::new(format!("attach volumes to {}", attach.scene.target.name))
        .step(Step::new(FIND, Attach::find).undo(Attach::forget))
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
    state: Mutex<State>,
    _turns: Vec<OwnedMutexGuard<()>>,
}

/// What the steps tell each other: devices by Virtual I/O Server and place in the request, and the
/// servers after their change.
#[derive(Default)]
struct State {
    found: BTreeMap<String, BTreeMap<usize, Device>>,
    mapped: BTreeMap<String, Arc<Entry>>,
}

impl Attach {
    fn note<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Volumes that this Virtual I/O Server could serve and does not serve yet, by place.
    fn missing(&self, vios: &Vios) -> BTreeMap<usize, &Connection> {
        let all = self.request.volumes.iter().enumerate();
        all.filter(|(_, volume)| find::is_served(&self.driver, volume))
            .filter(|(_, volume)| {
                find::may_serve(vios, volume) && self.scene.served(vios, volume).is_none()
            })
            .collect()
    }

    fn is_done(&self) -> bool {
        self.scene
            .vioses
            .iter()
            .all(|vios| self.missing(vios).is_empty())
    }

    /// Every Virtual I/O Server looks for its volumes. One that cannot look does not serve; whether those
    /// that can are enough is decided before anything is mapped.
    async fn find(self: Arc<Self>) -> Result<()> {
        let looks = self.scene.vioses.iter().map(|vios| {
            let missing = self.missing(vios);
            let attach = &self;
            async move {
                match find::on_server(&attach.driver, vios, &missing, &attach.control).await {
                    Ok(found) => {
                        attach.note(|state| state.found.insert(vios.uuid.clone(), found));
                    }
                    Err(error) => {
                        let what = format!("{} could not look for the volumes: {error}", vios.name);
                        attach.control.warn(what);
                    }
                }
            }
        });
        join_all(looks).await;
        self.check()
    }

    fn check(&self) -> Result<()> {
        for (place, volume) in self.request.volumes.iter().enumerate() {
            if !find::is_served(&self.driver, volume) {
                continue;
            }
            let has_it = |vios: &&Vios| {
                self.scene.served(vios, volume).is_some() || self.device(vios, place).is_some()
            };
            let (count, needed) = (
                self.scene.vioses.iter().filter(has_it).count(),
                find::required(&self.driver, volume),
            );
            if count < needed {
                let (id, server) = (&volume.volume, &self.scene.target.name);
                return Err(Error::operation(
                    ErrorKind::Precondition,
                    format!(
                        "the volume {id} cannot be attached to {server}: {count} Virtual I/O Servers have found it, and {needed} have to"
                    ),
                    "check zones and masks of the storage, and that the connection was made for this host's connector",
                ));
            }
        }
        Ok(())
    }

    fn device(&self, vios: &Vios, place: usize) -> Option<Device> {
        self.note(|state| state.found.get(&vios.uuid)?.get(&place).cloned())
    }

    /// Disks that this attachment has made on the Virtual I/O Servers go, unless somebody uses them. A
    /// server whose answer never came is asked once more what it has found.
    async fn forget(self: Arc<Self>) -> Result<()> {
        let servers = self.scene.vioses.iter().map(|vios| self.forget_on(vios));
        join_all(servers).await.into_iter().collect()
    }

    async fn forget_on(&self, vios: &Vios) -> Result<()> {
        let missing = self.missing(vios);
        if missing.is_empty() {
            return Ok(());
        }
        let found = match self.note(|state| state.found.get(&vios.uuid).cloned()) {
            Some(found) => found,
            None => find::on_server(&self.driver, vios, &missing, &self.control).await?,
        };
        for device in found.into_values() {
            if let Device::Disk {
                name,
                udid,
                was_in_use: false,
            } = device
            {
                forget::disk_now(&self.driver, vios, &name, udid.as_deref()).await?;
            }
        }
        Ok(())
    }

    /// One change of each Virtual I/O Server for all volumes.
    async fn map(self: Arc<Self>) -> Result<()> {
        let edits = self.scene.vioses.iter().map(|vios| {
            let wanted = self.wanted(vios);
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
                attach.note(|state| state.mapped.insert(vios.uuid.clone(), edited.entry));
                Ok(())
            }
        });
        join_all(edits).await.into_iter().collect()
    }

    fn wanted(&self, vios: &Vios) -> Vec<Wanted> {
        let found = self
            .note(|state| state.found.get(&vios.uuid).cloned())
            .unwrap_or_default();
        let wanted = found.iter().filter_map(|(place, device)| {
            let volume = self.request.volumes.get(*place)?;
            Some(device.wanted(&self.driver, volume))
        });
        wanted.collect()
    }

    async fn unmap(self: Arc<Self>) -> Result<()> {
        let edits = self.scene.vioses.iter().map(|vios| {
            let these: Vec<Mapped> = self
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
            metadata: self.request.metadata.clone(),
        }
    }

    fn attached(&self, place: usize, volume: &Connection) -> AttachedVolume {
        let mut attached = AttachedVolume {
            volume: volume.volume.clone(),
            target_udid: volume.target_udid.clone(),
            paths: Vec::new(),
        };
        for vios in &self.scene.vioses {
            let device = self.device(vios, place);
            // What the discovery did not tell, the mapping may.
            let entry = self.note(|state| state.mapped.get(&vios.uuid).cloned());
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

fn refuse_twins(volumes: &[Connection]) -> Result<()> {
    let mut names: Vec<&String> = volumes.iter().map(|volume| &volume.volume).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    if names.len() == count {
        return Ok(());
    }
    Err(Error::invalid(
        "a volume is named twice",
        "name each volume once",
    ))
}
