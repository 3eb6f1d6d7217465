//! Lets the Virtual I/O Servers see how large a volume is now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::OwnedMutexGuard;
use uuid::Uuid;

use super::find;
use super::report::{AttachedVolume, VolumePath, VolumesReport};
use super::request::{VolumeRequest, turns};
use super::scene::Scene;
use super::traces::Traces;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::operations::operation::{Notes, Operation, Plan};
use crate::operations::power::without_saga;
use crate::partition::PartitionUuid;
use crate::rest::{Flavor, Job};
use crate::saga::{Saga, Step};
use crate::volume::{Connection, Transport};

const LOOK: &str = "look at the volumes again";
/// The job that looks at a disk again.
pub(super) const RESCAN: &str = "RescanVirtualDisk";
/// What a server says of a disk that it does not have.
const UNKNOWN_DISK: &str = "-1";

impl Driver {
    /// Lets a server see the new size of volumes that have grown. Each Virtual I/O Server that serves them
    /// looks again; a server with ports of its own sees it by itself.
    ///
    /// # Errors
    /// No such server, a volume that is not attached, a Ceph image (which cannot be looked at again),
    /// those of the jobs.
    pub async fn extend_volumes(
        &self,
        request: VolumeRequest,
        control: &Control,
    ) -> Result<VolumesReport> {
        let partition = self.resolve(&request.server).await?;
        let turn = self.shared.instances.take(&partition).await;
        let mut held = turns(self, &request.volumes).await;
        held.push(turn);
        let scene = Scene::look(self, partition).await?;
        for volume in &request.volumes {
            refuse_image(&scene, volume)?;
        }
        let steps = control.for_steps();
        let extend = Arc::new(Extend {
            driver: self.clone(),
            control: steps.clone(),
            asked: Asked {
                partition: partition.as_uuid(),
                server: scene.target.name.clone(),
                volumes: request.volumes,
            },
            scene,
            notes: Notes::default(),
            grown: Mutex::default(),
            is_revived: false,
            _turns: held,
        });
        self.perform(&extend, control, &steps)
            .await
            .map_err(without_saga)?;
        let volumes = std::mem::take(&mut *extend.grown());
        Ok(VolumesReport {
            server: extend.asked.server.clone(),
            volumes,
            metadata: request.metadata,
        })
    }
}

/// A look at grown volumes on its way: one step, which may be run again.
pub(in crate::operations) struct Extend {
    driver: Driver,
    control: Control,
    asked: Asked,
    scene: Scene,
    notes: Notes<()>,
    grown: Mutex<Vec<AttachedVolume>>,
    is_revived: bool,
    _turns: Vec<OwnedMutexGuard<()>>,
}

/// What the journal keeps of the order.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    partition: Uuid,
    server: String,
    /// Without credentials: nothing is logged on to.
    volumes: Vec<Connection>,
}

impl Operation for Extend {
    const KIND: &'static str = "extend volumes";
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
        Saga::new(format!("let {} see larger volumes", self.asked.server))
            .step(Step::new(LOOK, Self::look))
    }

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
        let scene = match Scene::look(driver, partition).await {
            Err(error) if error.is_not_found() => return Ok(None),
            scene => scene?,
        };
        let served = asked.volumes.iter().flat_map(|volume| {
            let served = scene
                .vioses
                .iter()
                .filter_map(|vios| scene.served(vios, volume));
            served.map(|served| (served.mapped.name.as_str(), served.mapped.udid.as_deref()))
        });
        Traces::of(&asked.volumes, served)
            .see_off(driver, &scene.vioses)
            .await?;
        Ok(Some(Self {
            driver: driver.clone(),
            control: control.clone(),
            asked,
            scene,
            notes: Notes::default(),
            grown: Mutex::default(),
            is_revived: true,
            _turns: held,
        }))
    }
}

fn refuse_image(scene: &Scene, volume: &Connection) -> Result<()> {
    match volume.transport {
        Transport::Rbd(_) => Err(refused(
            scene,
            volume,
            "a Ceph image cannot be looked at again",
            "detach it and attach it again",
        )),
        _ => Ok(()),
    }
}

fn refused(scene: &Scene, volume: &Connection, why: &str, remedy: &str) -> Error {
    let what = format!(
        "{} cannot see the new size of the volume {}: {why}",
        scene.target.name, volume.volume
    );
    Error::operation(ErrorKind::Precondition, what, remedy)
}

impl Extend {
    fn grown(&self) -> MutexGuard<'_, Vec<AttachedVolume>> {
        self.grown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(self: Arc<Self>) -> Result<()> {
        let mut grown = Vec::new();
        for volume in &self.asked.volumes {
            grown.push(self.extend(volume).await?);
        }
        *self.grown() = grown;
        Ok(())
    }

    async fn extend(&self, volume: &Connection) -> Result<AttachedVolume> {
        let scene = &self.scene;
        let mut grown = AttachedVolume {
            volume: volume.volume.clone(),
            target_udid: volume.target_udid.clone(),
            paths: Vec::new(),
        };
        if !find::is_served(&self.driver, volume) {
            return Ok(grown);
        }
        for vios in &scene.vioses {
            let Some(served) = scene.served(vios, volume) else {
                continue;
            };
            let udid = served.mapped.udid.as_deref();
            if !self.rescan(vios, volume, udid).await? {
                self.control.warn(format!(
                    "{} does not know the disk of the volume {}",
                    vios.name, volume.volume
                ));
                continue;
            }
            grown.target_udid = grown.target_udid.or_else(|| served.mapped.udid.clone());
            grown.paths.push(VolumePath {
                served_by: vios.name.clone(),
                device: served.mapped.name.clone(),
                address: served.address.clone(),
            });
        }
        // Taken up again, it may have been detached since.
        if grown.paths.is_empty() && !self.is_revived {
            let why = "no Virtual I/O Server serves it";
            return Err(refused(scene, volume, why, "attach it first"));
        }
        Ok(grown)
    }

    /// Whether the Virtual I/O Server has the disk, and has looked at it again. Behind a console there is
    /// no job for that; there a new search does it.
    async fn rescan(&self, vios: &Vios, volume: &Connection, udid: Option<&str>) -> Result<bool> {
        let session = self.driver.session();
        if let (Some(udid), Flavor::NovaLink) = (udid, session.flavor()) {
            let job = Job::new(vios.path(), RESCAN).parameter("VirtualDiskUDID", udid);
            return match device_jobs::run(session, &vios.path(), &job).await {
                Ok(_) => Ok(true),
                Err(Error::Job(failure))
                    if failure.results.get("RETURN_CODE").map(|code| code.trim())
                        == Some(UNKNOWN_DISK) =>
                {
                    Ok(false)
                }
                Err(error) => Err(error),
            };
        }
        let one = BTreeMap::from([(0, volume)]);
        let found = find::on_server(&self.driver, vios, &one, &self.control).await?;
        Ok(!found.is_empty())
    }
}
