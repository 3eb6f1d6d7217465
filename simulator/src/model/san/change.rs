//! What the storage's administrator does: volumes made, mapped to hosts, unmapped, grown and deleted, as Cinder does it.

use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::{Access, Chap, Hosts, Protocol, SanVolume};
use crate::model::command::{Connector, CreateSanVolume, Outcome};
use crate::model::refusal::Refusal;
use crate::model::san::{FibreChannelAccess, IscsiAccess};
use crate::model::world::World;

/// The most volumes of a storage.
const VOLUMES: usize = 65_536;
/// The highest number of a logical unit that hosts address without further ado.
const HIGHEST_LUN: u32 = 0x3fff;
/// Numbers below are left to boot disks of the servers themselves.
const FIRST_LUN: u32 = 1;
/// The number of the one logical unit of an iSCSI target.
const ISCSI_LUN: u32 = 1;
/// The longest name of a volume, file or image.
const NAME_LENGTH: usize = 255;
/// The largest volume: 16 TB, in megabytes.
const LARGEST: u64 = 16 << 20;

impl World {
    pub(in crate::model) fn create_san_volume(
        &mut self,
        request: CreateSanVolume,
    ) -> Result<Outcome, Refusal> {
        let printable = |text: &str| {
            !text.is_empty()
                && text.len() <= NAME_LENGTH
                && text.chars().all(|c| !c.is_control())
                && !text.contains(' ')
        };
        if !printable(&request.name)
            || request
                .external
                .as_deref()
                .is_some_and(|name| !printable(name))
        {
            return Err(Refusal::bad_request(format!(
                "A volume has a name of 1 to {NAME_LENGTH} printable characters without blanks."
            )));
        }
        check_size(request.megabytes)?;
        if self.san.volumes.contains_key(&request.uuid) {
            return Err(conflict(format!(
                "there is a volume {} already",
                request.uuid
            )));
        }
        if self.san.volumes.len() >= VOLUMES {
            return Err(conflict(format!(
                "the storage has its maximum of {VOLUMES} volumes"
            )));
        }
        let external = || {
            request
                .external
                .clone()
                .unwrap_or_else(|| request.name.clone())
        };
        let access = match request.protocol {
            Protocol::FibreChannel => Access::FibreChannel(FibreChannelAccess::default()),
            Protocol::Iscsi => Access::Iscsi(IscsiAccess {
                iqn: request.external.clone().unwrap_or_else(|| {
                    format!("iqn.2010-10.org.openstack:volume-{}", request.uuid)
                }),
                lun: ISCSI_LUN,
                initiators: imbl::OrdMap::new(),
            }),
            Protocol::File => Access::File(external()),
            Protocol::Rbd => Access::Rbd(external()),
        };
        if let Access::Iscsi(own) = &access
            && !own
                .iqn
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".:-".contains(c))
        {
            return Err(Refusal::bad_request(
                "The name of an iSCSI target has letters, digits, dots, colons and hyphens.",
            ));
        }
        let taken = match (&access, access.external_name()) {
            (_, Some(name)) => self.san.external(request.protocol, name).is_some(),
            (Access::Iscsi(own), _) => self.san.iscsi_volumes(&own.iqn).next().is_some(),
            _ => false,
        };
        if taken {
            return Err(conflict(
                "there is a volume of that path or target name already",
            ));
        }
        let san = Arc::make_mut(&mut self.san);
        let naa = request.identified.then(|| san.next_naa());
        let volume = SanVolume {
            uuid: request.uuid,
            name: request.name,
            megabytes: request.megabytes,
            naa,
            access,
            content: request.content,
        };
        san.volumes.insert(volume.uuid, Arc::new(volume));
        Ok(Outcome::Done)
    }

    /// Unmasks a volume for a host and zones the host's ports with the storage's. Doing it again changes nothing.
    pub(in crate::model) fn map_san_volume(
        &mut self,
        volume: Uuid,
        connector: &Connector,
    ) -> Result<Outcome, Refusal> {
        let found = self.san_volume(volume)?;
        match &found.access {
            Access::FibreChannel(access) => self.unmask(&found, access.clone(), connector),
            Access::Iscsi(access) => self.admit(&found, access.clone(), connector),
            Access::File(_) | Access::Rbd(_) => Ok(Outcome::Done),
        }
    }

    fn unmask(
        &mut self,
        volume: &SanVolume,
        mut access: FibreChannelAccess,
        connector: &Connector,
    ) -> Result<Outcome, Refusal> {
        if connector.wwpns.is_empty() {
            return Err(Refusal::bad_request(
                "The connector has no wwpns: this host has no Fibre Channel ports.",
            ));
        }
        let fabrics: Vec<(u64, Option<usize>)> = connector
            .wwpns
            .iter()
            .map(|wwpn| (*wwpn, self.fabric_of(*wwpn)))
            .collect();
        let lun = match access.lun {
            Some(lun) => lun,
            None => {
                access.targets = self.san.targets_for_new().map(|(wwpn, _)| wwpn).collect();
                self.free_lun(&access.targets)?
            }
        };
        access.lun = Some(lun);
        if let Hosts::Ports(ports) = &mut access.hosts {
            ports.extend(&connector.wwpns);
        }
        let san = Arc::make_mut(&mut self.san);
        for target in &access.targets {
            san.luns.insert((*target, lun), volume.uuid);
        }
        for (number, fabric) in san
            .fabrics
            .iter_mut()
            .enumerate()
            .filter(|(_, fabric)| fabric.zoned)
        {
            for (initiator, _) in fabrics
                .iter()
                .filter(|(_, on)| on.is_none_or(|on| on == number))
            {
                let pairs = access.targets.iter().map(|target| (*initiator, *target));
                fabric.zones.extend(pairs);
            }
        }
        self.keep_volume(SanVolume {
            access: Access::FibreChannel(access),
            ..volume.clone()
        });
        Ok(Outcome::Done)
    }

    fn free_lun(&self, targets: &BTreeSet<u64>) -> Result<u32, Refusal> {
        if targets.is_empty() {
            return Err(conflict(
                "the storage has no Fibre Channel target port for new volumes",
            ));
        }
        (FIRST_LUN..=HIGHEST_LUN)
            .find(|lun| {
                targets
                    .iter()
                    .all(|target| !self.san.luns.contains_key(&(*target, *lun)))
            })
            .ok_or_else(|| conflict("every logical unit number of the storage's ports is taken"))
    }

    fn admit(
        &mut self,
        volume: &SanVolume,
        mut access: IscsiAccess,
        connector: &Connector,
    ) -> Result<Outcome, Refusal> {
        let name = connector.initiator.clone().ok_or_else(|| {
            Refusal::bad_request("The connector has no initiator: this host does not speak iSCSI.")
        })?;
        if !access.initiators.contains_key(&name) {
            let chap = connector.chap.then(|| Chap {
                user: self.ids.hex(20),
                password: self.ids.hex(16).into(),
            });
            access.initiators.insert(name, chap);
            self.keep_volume(SanVolume {
                access: Access::Iscsi(access),
                ..volume.clone()
            });
        }
        Ok(Outcome::Done)
    }

    /// Masks a volume from a host again, or from all without a connector. Disks that Virtual I/O Servers made of it stay in
    /// their lists until someone removes them.
    pub(in crate::model) fn unmap_san_volume(
        &mut self,
        volume: Uuid,
        connector: Option<&Connector>,
    ) -> Result<Outcome, Refusal> {
        let found = self.san_volume(volume)?;
        let access = match found.access.clone() {
            Access::FibreChannel(mut access) => {
                match (&mut access.hosts, connector) {
                    (Hosts::Ports(ports), Some(connector)) => {
                        ports.retain(|port| !connector.wwpns.contains(port));
                    }
                    (hosts, _) => *hosts = Hosts::default(),
                }
                if access.hosts == Hosts::default() {
                    let san = Arc::make_mut(&mut self.san);
                    for target in std::mem::take(&mut access.targets) {
                        san.luns.remove(&(target, access.lun.unwrap_or_default()));
                    }
                    access.lun = None;
                }
                Access::FibreChannel(access)
            }
            Access::Iscsi(mut access) => {
                let gone = connector.and_then(|connector| connector.initiator.as_ref());
                match (gone, connector) {
                    (Some(name), _) => {
                        access.initiators.remove(name);
                    }
                    (None, None) => access.initiators = imbl::OrdMap::new(),
                    (None, Some(_)) => {}
                }
                Access::Iscsi(access)
            }
            other => other,
        };
        self.keep_volume(SanVolume {
            access,
            ..(*found).clone()
        });
        Ok(Outcome::Done)
    }

    pub(in crate::model) fn extend_san_volume(
        &mut self,
        volume: Uuid,
        megabytes: u64,
    ) -> Result<Outcome, Refusal> {
        let found = self.san_volume(volume)?;
        check_size(megabytes)?;
        if megabytes < found.megabytes {
            return Err(conflict(format!(
                "the volume has {} MB, and a volume cannot shrink",
                found.megabytes
            )));
        }
        self.keep_volume(SanVolume {
            megabytes,
            ..(*found).clone()
        });
        Ok(Outcome::Done)
    }

    pub(in crate::model) fn delete_san_volume(&mut self, volume: Uuid) -> Result<Outcome, Refusal> {
        let found = self.san_volume(volume)?;
        if found.is_mapped() {
            return Err(conflict("the volume is mapped to a host; unmap it first"));
        }
        let served = found.access.external_name().is_some_and(|name| {
            self.vioses
                .values()
                .any(|vios| vios.external_disks.contains_key(name))
        });
        if served {
            return Err(conflict("a Virtual I/O Server serves the volume as a disk"));
        }
        Arc::make_mut(&mut self.san).volumes.remove(&volume);
        Ok(Outcome::Done)
    }

    fn san_volume(&self, volume: Uuid) -> Result<Arc<SanVolume>, Refusal> {
        self.san
            .volumes
            .get(&volume)
            .map(Arc::clone)
            .ok_or_else(|| Refusal::new(404, "Not Found", format!("there is no volume {volume}")))
    }

    fn keep_volume(&mut self, volume: SanVolume) {
        Arc::make_mut(&mut self.san)
            .volumes
            .insert(volume.uuid, Arc::new(volume));
    }
}

fn check_size(megabytes: u64) -> Result<(), Refusal> {
    if megabytes == 0 || megabytes > LARGEST {
        return Err(Refusal::bad_request(format!(
            "A volume has 1 to {LARGEST} MB."
        )));
    }
    Ok(())
}

fn conflict(text: impl Into<String>) -> Refusal {
    Refusal::new(409, "Conflict", text)
}
