//! Lets the Virtual I/O Servers see how large a volume is now.

use super::find;
use super::report::{AttachedVolume, VolumePath, VolumesReport};
use super::request::{VolumeRequest, turns};
use super::scene::Scene;
use crate::error::{Error, ErrorKind, Result};
use crate::host::Vios;
use crate::operations::control::Control;
use crate::operations::device_jobs;
use crate::operations::driver::Driver;
use crate::rest::{Flavor, Job};
use crate::volume::{Connection, Transport};

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
        let _turn = self.shared.instances.take(&partition).await;
        let _turns = turns(self, &request.volumes).await;
        let scene = Scene::look(self, partition).await?;
        let mut volumes = Vec::new();
        for volume in &request.volumes {
            volumes.push(self.extend(&scene, volume, control).await?);
        }
        Ok(VolumesReport {
            server: scene.target.name,
            volumes,
            metadata: request.metadata,
        })
    }

    async fn extend(
        &self,
        scene: &Scene,
        volume: &Connection,
        control: &Control,
    ) -> Result<AttachedVolume> {
        let mut grown = AttachedVolume {
            volume: volume.volume.clone(),
            target_udid: volume.target_udid.clone(),
            paths: Vec::new(),
        };
        if !find::is_served(self, volume) {
            return Ok(grown);
        }
        let refused = |why: &str, remedy: &str| {
            let what = format!(
                "{} cannot see the new size of the volume {}: {why}",
                scene.target.name, volume.volume
            );
            Err(Error::operation(ErrorKind::Precondition, what, remedy))
        };
        if matches!(volume.transport, Transport::Rbd(_)) {
            return refused(
                "a Ceph image cannot be looked at again",
                "detach it and attach it again",
            );
        }
        for vios in &scene.vioses {
            let Some(served) = scene.served(vios, volume) else {
                continue;
            };
            let udid = served.mapped.udid.as_deref();
            if !self.rescan(vios, volume, udid, control).await? {
                control.warn(format!(
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
        if grown.paths.is_empty() {
            return refused("no Virtual I/O Server serves it", "attach it first");
        }
        Ok(grown)
    }

    /// Whether the Virtual I/O Server has the disk, and has looked at it again. Behind a console there is
    /// no job for that; there a new search does it.
    async fn rescan(
        &self,
        vios: &Vios,
        volume: &Connection,
        udid: Option<&str>,
        control: &Control,
    ) -> Result<bool> {
        if let (Some(udid), Flavor::NovaLink) = (udid, self.session().flavor()) {
            let job = Job::new(vios.path(), "RescanVirtualDisk").parameter("VirtualDiskUDID", udid);
            return match device_jobs::run(self.session(), &vios.path(), &job).await {
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
        let one = std::collections::BTreeMap::from([(0, volume)]);
        Ok(!find::on_server(self, vios, &one, control).await?.is_empty())
    }
}
