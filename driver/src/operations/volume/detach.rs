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
use crate::partition::PartitionUuid;
use crate::saga::{Saga, Step};
use crate::storage::mapping::{self, GROUP, Kind, Mapped, Wanted};
use crate::storage::volumes::{self, Served};
use crate::volume::{Connection, Transport};

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
    /// A server whose devices cannot be changed now; [`crate::Error::Saga`] when a Virtual I/O Server could
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
        let scene = match Scene::look(self, partition).await {
            Err(error) if error.is_not_found() => return Ok(nothing(&request)),
            scene => scene?,
        };
        // Not cancelled half way: what is unmapped is no use to anybody.
        let whole = control.uncancelled();
        let steps = whole.for_steps();
        let detach = Detach::plan(self, &steps, request, scene, held).await?;
        let doomed = &detach.asked.doomed;
        if doomed.values().any(|doomed| !doomed.served.is_empty()) {
            detach.scene.target.check()?;
        }
        let detach = Arc::new(detach);
        self.perform(&detach, &whole, &steps).await?;
        Ok(detach.report())
    }
}

/// What is done, and after what.
fn recipe(asked: &Asked) -> Saga<Detach> {
    Saga::new(format!("detach volumes from {}", asked.server))
        .step(Step::new(UNMAP, Detach::unmap).undo(Detach::map_again))
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
    notes: Notes<()>,
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
    /// Once it is unmapped, nothing else tells what it was.
    doomed: BTreeMap<String, Doomed>,
}

/// What goes from one Virtual I/O Server, by place in the request.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Doomed {
    /// What is mapped.
    served: BTreeMap<usize, Served>,
    /// Disks that lost their mapping and not their place in the list.
    left: BTreeMap<usize, Vec<String>>,
}

impl Operation for Detach {
    const KIND: &'static str = "detach volumes";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        recipe(&self.asked)
    }

    /// Both steps make sure that something is gone, so they are just run again.
    async fn revive(
        driver: &Driver,
        asked: Asked,
        (): (),
        control: &Control,
    ) -> Result<Option<Self>> {
        let partition = PartitionUuid::of_instance(asked.partition);
        let turn = driver.shared.instances.take(&partition).await;
        let mut held = turns(driver, &asked.volumes).await;
        held.push(turn);
        let scene = Scene::of_interrupted(driver, partition).await?;
        Traces::of(&asked.volumes, asked.disks())
            .see_off(driver, &scene.vioses)
            .await?;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            metadata: Metadata::new(),
            scene,
            notes: Notes::default(),
            unmapped: Mutex::default(),
            _turns: held,
        }))
    }
}

impl Asked {
    /// Names of disks, and their identifiers where they are known.
    fn disks(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.doomed.values().flat_map(|doomed| {
            let served = doomed
                .served
                .values()
                .map(|served| (served.mapped.name.as_str(), served.mapped.udid.as_deref()));
            let left = doomed.left.values().flatten();
            served.chain(left.map(|name| (name.as_str(), None)))
        })
    }
}

impl Detach {
    async fn plan(
        driver: &Driver,
        control: &Control,
        request: VolumeRequest,
        scene: Scene,
        turns: Vec<OwnedMutexGuard<()>>,
    ) -> Result<Self> {
        let mut doomed: BTreeMap<String, Doomed> = BTreeMap::new();
        for vios in &scene.vioses {
            let own = doomed.entry(vios.uuid.clone()).or_default();
            for (place, volume) in request.volumes.iter().enumerate() {
                if let Some(served) = scene.served(vios, volume) {
                    own.served.insert(place, served.clone());
                }
            }
        }
        let mut detach = Self {
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
        };
        detach.look_for_leftovers(&request.volumes).await?;
        Ok(detach)
    }

    /// A Virtual I/O Server that serves the volume to nobody may have its disk all the same, from a
    /// detachment or an attachment that broke off. Without the disk's identifier it has to be found
    /// anew, which is tried only if nobody serves the volume.
    async fn look_for_leftovers(&mut self, volumes: &[Connection]) -> Result<()> {
        for (place, volume) in volumes.iter().enumerate() {
            if !find::is_served(&self.driver, volume) || !is_disk(volume) {
                continue;
            }
            let served = self
                .asked
                .doomed
                .values()
                .find_map(|doomed| doomed.served.get(&place));
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
                        .is_none_or(|doomed| !doomed.served.contains_key(&place))
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
                let own = self.asked.doomed.entry(vios.uuid.clone()).or_default();
                if !names.is_empty() {
                    own.left.insert(place, names);
                }
            }
        }
        Ok(())
    }

    fn doomed(&self, vios: &Vios) -> impl Iterator<Item = &Served> {
        self.asked
            .doomed
            .get(&vios.uuid)
            .into_iter()
            .flat_map(|doomed| doomed.served.values())
    }

    /// One change of each Virtual I/O Server for all volumes.
    async fn unmap(self: Arc<Self>) -> Result<()> {
        let edit = |vios: &Vios| {
            let doomed = self.doomed(vios).map(|served| served.mapped.clone());
            // A disk that was found anew may be mapped under that name.
            let left = self.left(vios).map(|(_, name)| named(name));
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

    fn left(&self, vios: &Vios) -> impl Iterator<Item = (usize, &str)> {
        let left = self
            .asked
            .doomed
            .get(&vios.uuid)
            .into_iter()
            .flat_map(|doomed| &doomed.left);
        left.flat_map(|(place, names)| names.iter().map(move |name| (*place, name.as_str())))
    }

    /// Where a Virtual I/O Server could not be changed, the others serve the volumes again, at the
    /// addresses where the guest knows them.
    async fn map_again(self: Arc<Self>) -> Result<()> {
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
        let servers = self.scene.vioses.iter().map(|vios| self.forget_on(vios));
        join_all(servers).await;
        Ok(())
    }

    async fn forget_on(&self, vios: &Vios) {
        let entry = self.unmapped().get(&vios.uuid).cloned();
        let Some(entry) = entry else { return };
        let mapped = self
            .asked
            .doomed
            .get(&vios.uuid)
            .into_iter()
            .flat_map(|doomed| &doomed.served);
        let disks = mapped
            .filter(|(_, served)| served.mapped.kind == Kind::PhysicalVolume)
            .map(|(place, served)| {
                (
                    *place,
                    served.mapped.name.as_str(),
                    served.mapped.udid.as_deref(),
                )
            });
        let left = self.left(vios).map(|(place, name)| (place, name, None));
        for (place, name, udid) in disks.chain(left) {
            let Some(volume) = self.asked.volumes.get(place) else {
                continue;
            };
            let udid = udid.or(volume.target_udid.as_deref());
            if let Err(error) =
                forget::volume(&self.driver, vios, &entry.content, volume, name, udid).await
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
                        .and_then(|doomed| doomed.served.get(&place));
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
