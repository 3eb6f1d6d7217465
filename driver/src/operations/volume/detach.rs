//! Detaches volumes from a server, which may be running or off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use powervm_schema::atom::Entry;
use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::find;
use super::forget;
use super::report::{AttachedVolume, VolumePath, VolumesReport};
use super::request::{Metadata, VolumeRequest, turns};
use super::scene::Scene;
use super::traces::Traces;
use crate::error::Result;
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::driver::Driver;
use crate::operations::map;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::reach;
use crate::partition::PartitionUuid;
use crate::saga::{Saga, Step};
use crate::storage::mapping::{self, GROUP, Kind, Mapped, Wanted};
use crate::storage::volumes::{self, Served};
use crate::volume::{Connection, Transport};

const LOOK: &str = "look for disks that were left";
const UNMAP: &str = "unmap the volumes";
const FORGET: &str = "remove the disks";

impl Driver {
    /// Detaches volumes from a server. One that is not attached is detached already, and so is one of a
    /// server that does not exist.
    ///
    /// Once the mappings are gone the call goes on to its end, also when it is cancelled: a disk that a
    /// Virtual I/O Server will not let go is warned of, and tried again by a repeated call.
    ///
    /// # Errors
    /// Before anything is changed: a server whose devices cannot be changed now; a Virtual I/O Server that serves it and
    /// is out of reach, which may have the volumes mapped ([`crate::ErrorKind::Precondition`]). Then
    /// [`crate::Error::Saga`] when a Virtual I/O Server could
    /// not be changed, in which case all serve the volumes as before.
    pub async fn detach_volumes(
        &self,
        request: VolumeRequest,
        control: &Control,
    ) -> Result<VolumesReport> {
        let partition = match self.resolve(&request.server).await {
            Err(error) if error.is_not_found() => return Ok(nothing(&request)),
            partition => partition?,
        };
        let turn = self.shared.instances.take(&partition).await;
        let mut held = turns(self, &request.volumes).await;
        held.push(turn);
        let Some(scene) = Scene::find(self, partition).await? else {
            return Ok(nothing(&request));
        };
        let may_have = |vios: &Vios| {
            let volumes = request.volumes.iter();
            let mut served = volumes.filter(|volume| find::is_served(self, volume));
            served.any(|volume| match volume.transport {
                Transport::FibreChannel(_) | Transport::Iscsi(_) => true,
                Transport::File(_) | Transport::Rbd(_) => vios.is_management,
            })
        };
        let so = format!("volumes of {} cannot be detached", scene.target.name);
        reach::refuse_away(self, partition, may_have, &so).await?;
        // Not cancelled half way: what is unmapped is no use to anybody.
        let whole = control.uncancelled();
        let steps = whole.for_steps();
        let detach = Detach::plan(self, &steps, request, scene, held);
        let mut doomed = detach.asked.doomed.values();
        if doomed.any(|served| !served.is_empty()) {
            detach.scene.target.check()?;
        }
        let detach = Arc::new(detach);
        self.perform(&detach, &whole, &steps).await?;
        self.keep_slots_if_possible(partition, control).await;
        Ok(detach.report())
    }
}

/// What is done, and after what.
fn recipe(asked: &Asked) -> Saga<Detach> {
    Saga::new(format!("detach volumes from {}", asked.server))
        .step(Step::new(LOOK, Detach::look))
        .step(
            Step::new(UNMAP, Detach::unmap)
                .after([LOOK])
                .undo(Detach::map_again),
        )
        // It warns instead of failing, so there is nothing to take back.
        .step(Step::new(FORGET, Detach::forget).after([UNMAP]))
}

/// A detachment on its way.
pub(in crate::operations) struct Detach {
    driver: Driver,
    control: Control,
    asked: Asked,
    metadata: Metadata,
    scene: Scene,
    notes: Notes<Progress>,
    unmapped: Mutex<BTreeMap<String, Arc<Entry>>>,
    _turns: Vec<OwnedMutexGuard<()>>,
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    partition: Uuid,
    server: String,
    /// Without credentials: nothing is logged on to.
    volumes: Vec<Connection>,
    /// By Virtual I/O Server and place, what is mapped: once it is not, nothing else tells what it was.
    doomed: BTreeMap<String, BTreeMap<usize, Served>>,
}

/// What its steps found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::operations) struct Progress {
    /// By Virtual I/O Server and place, disks that have no mapping any more.
    left: BTreeMap<String, BTreeMap<usize, Vec<String>>>,
    /// Disks may be gone, so that nothing can be mapped again.
    is_forgetting: bool,
}

impl Operation for Detach {
    const KIND: &'static str = "detach volumes";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = Progress;

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<Progress> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked)
    }

    /// Its steps make sure that something is gone, so they are just run again.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        progress: Progress,
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        let mut held = turns(driver, &asked.volumes).await;
        held.push(turn);
        let scene = Scene::of_interrupted(driver, partition).await?;
        let left = progress.left.values().flat_map(BTreeMap::values);
        let left = left.flatten().map(|name| (name.as_str(), None));
        Traces::of(&asked.volumes, asked.disks().chain(left))
            .see_off(driver, &scene.vioses)
            .await?;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            metadata: Metadata::new(),
            scene,
            notes: Notes::new(Progress {
                is_forgetting: false,
                ..progress
            }),
            unmapped: Mutex::default(),
            _turns: held,
        }))
    }
}

impl Asked {
    /// Names of disks, and their identifiers where they are known.
    fn disks(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let served = self.doomed.values().flat_map(BTreeMap::values);
        served.map(|served| (served.mapped.name.as_str(), served.mapped.udid.as_deref()))
    }
}

impl Detach {
    fn plan(
        driver: &Driver,
        control: &Control,
        request: VolumeRequest,
        scene: Scene,
        turns: Vec<OwnedMutexGuard<()>>,
    ) -> Self {
        let served_by = |vios: &Vios| {
            let volumes = request.volumes.iter().enumerate();
            let served = volumes
                .filter_map(|(place, volume)| Some((place, scene.served(vios, volume)?.clone())));
            (vios.uuid.clone(), served.collect())
        };
        let doomed = scene.vioses.iter().map(served_by).collect();
        Self {
            driver: driver.clone(),
            control: control.clone(),
            asked: Asked {
                partition: scene.target.client.uuid.as_uuid(),
                server: scene.target.name.clone(),
                volumes: request.volumes.clone(),
                doomed,
            },
            metadata: request.metadata.clone(),
            scene,
            notes: Notes::default(),
            unmapped: Mutex::default(),
            _turns: turns,
        }
    }

    /// A Virtual I/O Server that serves the volume to nobody may have its disk all the same, from a
    /// detachment or an attachment that broke off. Without the disk's identifier it has to be found
    /// anew, which is tried only if nobody serves the volume.
    async fn look(self: Arc<Self>) -> Result<()> {
        for (place, volume) in self.asked.volumes.iter().enumerate() {
            if !find::is_served(&self.driver, volume) || !is_disk(volume) {
                continue;
            }
            let served = self
                .asked
                .doomed
                .values()
                .find_map(|served| served.get(&place));
            let udid = volume
                .target_udid
                .clone()
                .or(served.and_then(|served| served.mapped.udid.clone()));
            let is_served = served.is_some();
            // To look for it would be to log on to it.
            let is_iscsi = matches!(volume.transport, Transport::Iscsi(_));
            let (driver, control) = (&self.driver, &self.control);
            let doomed = &self.asked.doomed;
            let candidates = self.scene.vioses.iter().filter(|vios| {
                find::may_serve(vios, volume)
                    && doomed
                        .get(&vios.uuid)
                        .is_none_or(|served| !served.contains_key(&place))
            });
            let looks = candidates.map(|vios| {
                let udid = udid.clone();
                async move {
                    let names = match udid {
                        Some(udid) => find::disks_with(driver, vios, &udid).await?,
                        None if is_served || is_iscsi => Vec::new(),
                        None => {
                            let one = BTreeMap::from([(place, volume)]);
                            let found = find::on_server(driver, vios, &one, control).await?;
                            let names = found.into_values().map(|device| device.name().to_owned());
                            names.collect()
                        }
                    };
                    Ok((vios, names))
                }
            });
            let looks: Vec<Result<(&Vios, Vec<String>)>> = join_all(looks).await;
            for look in looks {
                let (vios, names) = look?;
                if !names.is_empty() {
                    self.notes.with(|progress| {
                        let own = progress.left.entry(vios.uuid.clone()).or_default();
                        own.insert(place, names);
                    });
                }
            }
        }
        Ok(())
    }

    fn doomed(&self, vios: &Vios) -> impl Iterator<Item = &Served> {
        let served = self.asked.doomed.get(&vios.uuid);
        served.into_iter().flat_map(BTreeMap::values)
    }

    /// One change of each Virtual I/O Server for all volumes.
    async fn unmap(self: Arc<Self>) -> Result<()> {
        let edit = |vios: &Vios| {
            let doomed = self.doomed(vios).map(|served| served.mapped.clone());
            // A disk that was found anew may be mapped under that name.
            let left = self.left(vios).into_iter();
            let left = left.map(|(_, name)| named(&name));
            let these: Vec<Mapped> = doomed.chain(left).collect();
            if these.is_empty() {
                return None;
            }
            let client = self.scene.target.client.clone();
            Some(move |document: &mut Element| Ok(volumes::unmap(document, &client, &these)))
        };
        let unmapped = map::each(&self.driver, &self.scene.vioses, GROUP, edit).await?;
        self.unmapped().extend(unmapped);
        Ok(())
    }

    fn unmapped(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.unmapped.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn left(&self, vios: &Vios) -> Vec<(usize, String)> {
        self.notes.with(|progress| {
            let left = progress.left.get(&vios.uuid).into_iter().flatten();
            left.flat_map(|(place, names)| names.iter().map(|name| (*place, name.clone())))
                .collect()
        })
    }

    /// Where a Virtual I/O Server could not be changed, the others serve the volumes again, at the
    /// addresses where the guest knows them.
    async fn map_again(self: Arc<Self>) -> Result<()> {
        if self.notes.with(|progress| progress.is_forgetting) {
            return Ok(());
        }
        let edit = |vios: &Vios| {
            let wanted: Vec<Wanted> = self.doomed(vios).filter_map(Served::again).collect();
            if wanted.is_empty() {
                return None;
            }
            let client = self.scene.target.client.clone();
            Some(move |document: &mut Element| Ok(mapping::map(document, &client, &wanted)))
        };
        map::each(&self.driver, &self.scene.vioses, GROUP, edit)
            .await
            .map(drop)
    }

    async fn forget(self: Arc<Self>) -> Result<()> {
        self.notes.with(|progress| progress.is_forgetting = true);
        let servers = self.scene.vioses.iter().map(|vios| self.forget_on(vios));
        join_all(servers).await;
        Ok(())
    }

    async fn forget_on(&self, vios: &Vios) {
        let entry = self.unmapped().get(&vios.uuid).cloned();
        let Some(entry) = entry else { return };
        let mapped = self.asked.doomed.get(&vios.uuid).into_iter().flatten();
        let disks = mapped
            .filter(|(_, served)| served.mapped.kind == Kind::PhysicalVolume)
            .map(|(place, served)| {
                let Mapped { name, udid, .. } = &served.mapped;
                (*place, name.clone(), udid.as_deref())
            });
        let left = self.left(vios).into_iter();
        let left = left.map(|(place, name)| (place, name, None));
        for (place, name, udid) in disks.chain(left) {
            let Some(volume) = self.asked.volumes.get(place) else {
                continue;
            };
            let udid = udid.or(volume.target_udid.as_deref());
            if let Err(error) =
                forget::volume(&self.driver, vios, &entry.content, volume, &name, udid).await
            {
                let what = format!(
                    "{} still has the disk {name} of the volume {}: {error}",
                    vios.name, volume.volume
                );
                self.control.warn(what);
            }
        }
    }

    fn report(&self) -> VolumesReport {
        let volumes = self
            .asked
            .volumes
            .iter()
            .enumerate()
            .map(|(place, volume)| {
                let mut was = AttachedVolume {
                    volume: volume.volume.clone(),
                    target_udid: volume.target_udid.clone(),
                    paths: Vec::new(),
                };
                for vios in &self.scene.vioses {
                    let served = self
                        .asked
                        .doomed
                        .get(&vios.uuid)
                        .and_then(|served| served.get(&place));
                    let Some(served) = served else { continue };
                    was.target_udid = was.target_udid.or_else(|| served.mapped.udid.clone());
                    was.paths.push(VolumePath {
                        served_by: vios.name.clone(),
                        device: served.mapped.name.clone(),
                        address: served.address.clone(),
                    });
                }
                if was.paths.is_empty() && find::is_served(&self.driver, volume) {
                    self.control.warn(format!(
                        "the volume {} was not attached to {}",
                        volume.volume, self.scene.target.name
                    ));
                }
                was
            });
        VolumesReport {
            server: self.scene.target.name.clone(),
            volumes: volumes.collect(),
            metadata: self.metadata.clone(),
        }
    }
}

/// Whether the volume is a disk of Virtual I/O Servers.
fn is_disk(volume: &Connection) -> bool {
    matches!(
        volume.transport,
        Transport::FibreChannel(_) | Transport::Iscsi(_)
    )
}

/// A disk by name, whatever its identifier.
fn named(disk: &str) -> Mapped {
    Mapped {
        kind: Kind::PhysicalVolume,
        name: disk.to_owned(),
        udid: None,
        is_logical_volume: false,
    }
}

/// What is told of a server that does not exist.
fn nothing(request: &VolumeRequest) -> VolumesReport {
    tracing::warn!(server = %request.server, "there is no such server, so its volumes are detached");
    let volumes = request.volumes.iter().map(|volume| AttachedVolume {
        volume: volume.volume.clone(),
        target_udid: volume.target_udid.clone(),
        paths: Vec::new(),
    });
    VolumesReport {
        server: request.server.to_string(),
        volumes: volumes.collect(),
        metadata: request.metadata.clone(),
    }
}
