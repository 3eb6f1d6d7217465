//! The step of a removal that takes volumes' disks off the Virtual I/O Servers.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Destroy;
use crate::error::Result;
use crate::host::Vios;
use crate::operations::volume::{find, forget};

impl Destroy {
    /// A disk that a Virtual I/O Server will not let go is warned of: it keeps nobody from anything but
    /// the next volume at its address.
    pub(super) async fn forget_volumes(self: Arc<Self>) -> Result<()> {
        let removed = self.removed();
        let vioses = self.vioses();
        let servers = vioses.iter().map(|vios| {
            let known = removed.get(&vios.uuid).map(|removed| &removed.volumes);
            self.forget_volumes_on(vios, known)
        });
        join_all(servers).await;
        Ok(())
    }

    async fn forget_volumes_on(
        &self,
        vios: &Vios,
        known: Option<&BTreeSet<(String, Option<String>, String)>>,
    ) {
        let mut disks = known.cloned().unwrap_or_default();
        for volume in &self.asked.volumes {
            let Some(udid) = volume.target_udid.as_deref() else {
                continue;
            };
            let is_known = disks
                .iter()
                .any(|(_, known, _)| known.as_deref() == Some(udid));
            if is_known || !find::may_serve(vios, volume) {
                continue;
            }
            match find::disks_with(&self.driver, vios, udid).await {
                Ok(names) => {
                    let left = names
                        .into_iter()
                        .map(|name| (name, Some(udid.to_owned()), volume.volume.clone()));
                    disks.extend(left);
                }
                Err(error) => self.control.warn(format!(
                    "{} could not be asked for the disk of the volume {}: {error}",
                    vios.name, volume.volume
                )),
            }
        }
        for (name, udid, volume) in disks {
            // Somebody else may be about to map it.
            let _turn = self.driver.shared.volumes.take(&volume).await;
            let connection = self
                .asked
                .volumes
                .iter()
                .find(|known| known.volume == volume);
            let gone = match connection {
                Some(connection) => {
                    forget::volume_now(&self.driver, vios, connection, &name, udid.as_deref()).await
                }
                None => forget::disk_now(&self.driver, vios, &name, udid.as_deref()).await,
            };
            if let Err(error) = gone {
                self.control.warn(format!(
                    "{} still has the disk {name} of the volume {volume}: {error}",
                    vios.name
                ));
            }
        }
    }
}
