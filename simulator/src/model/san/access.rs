//! Who sees what: fabrics, zones and masks together.

use std::sync::Arc;

use super::{Access, Protocol, San, SanVolume};
use crate::model::vios::VirtualIoServer;

/// One way from an initiator to a volume.
#[derive(
    serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord,
)]
pub struct Path {
    /// The initiator's port.
    pub initiator: u64,
    /// The storage's port.
    pub target: u64,
    /// The number of the logical unit there.
    pub lun: u32,
}

impl San {
    /// What an initiator on this fabric finds at a target under a number: nothing unless both are on the fabric, zoned,
    /// and the volume is unmasked for the initiator.
    #[must_use]
    pub fn at(&self, path: Path, fabric: usize) -> Option<&Arc<SanVolume>> {
        let target = self.targets.get(&path.target)?;
        let zoning = self.fabrics.get(fabric)?;
        let reachable = target.fabrics.contains(&fabric)
            && (!zoning.zoned || zoning.zones.contains(&(path.initiator, path.target)));
        if !reachable {
            return None;
        }
        let volume = self.luns.get(&(path.target, path.lun))?;
        let volume = self.volumes.get(volume)?;
        match &volume.access {
            Access::FibreChannel(access) if access.hosts.include(path.initiator) => Some(volume),
            _ => None,
        }
    }

    /// Every volume that an initiator on this fabric finds, at the first target that shows it.
    pub fn visible(
        &self,
        initiator: u64,
        fabric: usize,
    ) -> impl Iterator<Item = (Path, &Arc<SanVolume>)> {
        self.volumes.values().filter_map(move |volume| {
            let Access::FibreChannel(access) = &volume.access else {
                return None;
            };
            let lun = access.lun?;
            let paths = access.targets.iter().map(|target| Path {
                initiator,
                target: *target,
                lun,
            });
            let path = paths
                .into_iter()
                .find(|path| self.at(*path, fabric).is_some())?;
            Some((path, volume))
        })
    }

    /// The iSCSI volumes behind a target name that this initiator may use.
    pub fn iscsi_volumes<'s>(
        &'s self,
        iqn: &'s str,
    ) -> impl Iterator<Item = &'s Arc<SanVolume>> + 's {
        self.volumes
            .values()
            .filter(move |volume| match &volume.access {
                Access::Iscsi(access) => access.iqn == iqn,
                _ => false,
            })
    }

    /// Whether this Virtual I/O Server could find the volume now.
    #[must_use]
    pub fn is_visible_on(&self, vios: &VirtualIoServer, volume: &SanVolume) -> bool {
        match volume.access.protocol() {
            Protocol::FibreChannel => vios.fc_ports().any(|port| {
                self.visible(port.wwpn, port.fabric)
                    .any(|(_, other)| other.uuid == volume.uuid)
            }),
            Protocol::Iscsi => match (&volume.access, &vios.iscsi.initiator) {
                (Access::Iscsi(access), Some(name)) => access.initiators.contains_key(name),
                _ => false,
            },
            Protocol::File | Protocol::Rbd => true,
        }
    }
}
