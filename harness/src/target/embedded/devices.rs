//! The simulator's disks, for a driver that reads them: a machine that the management partition would be.
//!
//! The simulator keeps what was written to a disk as its length and its digest. What was written is known to whoever
//! wrote it, and told here.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use powervm_driver::devices::{Devices, Disk, Opened};
use powervm_driver::{Error, ErrorKind, Result};
use powervm_simulator::Simulator;
use powervm_simulator::model::storage::Content;
use powervm_simulator::model::vios::Backing;
use sha2::{Digest as _, Sha256};

/// Reads the disks that are mapped to the management partition of a simulator, or that it serves itself.
#[derive(Clone)]
pub struct SimulatedDevices {
    simulator: Simulator,
    written: BTreeMap<[u8; 32], Bytes>,
}

impl SimulatedDevices {
    /// Of this simulator, on whose disks one of these images was written.
    pub fn of(simulator: &Simulator, images: impl IntoIterator<Item = Bytes>) -> Self {
        let digested = |image: Bytes| (Sha256::digest(&image).into(), image);
        Self {
            simulator: simulator.clone(),
            written: images.into_iter().map(digested).collect(),
        }
    }

    /// What was written to the disk of this identifier, if it is mapped to the management partition behind that slot.
    fn content(&self, udid: &str, slot: Option<u32>) -> Option<Content> {
        let world = self.simulator.world();
        let management = |uuid| {
            world
                .partitions
                .get(&uuid)
                .is_some_and(|found| found.is_management)
        };
        for vios in world.vioses.values() {
            for (bus, device) in vios.devices() {
                let Some(client) = &bus.client else { continue };
                if !management(client.partition)
                    || slot.is_some_and(|slot| slot != u32::from(client.slot))
                {
                    continue;
                }
                if let Backing::LogicalUnit { tier, unit } = &device.backing
                    && let Some(unit) = world.logical_unit(*tier, *unit)
                    && unit.udid == udid
                {
                    return unit.content;
                }
            }
        }
        None
    }

    /// What was written to the virtual disk of this name that the management partition serves.
    fn own(&self, name: &str) -> Option<Content> {
        let world = self.simulator.world();
        let mut servers = world.vioses.values();
        let management = servers.find(|vios| vios.partition.is_management)?;
        let mut disks = management
            .volume_groups
            .iter()
            .flat_map(|group| group.disks.values());
        disks.find(|disk| disk.name == name)?.content
    }

    fn read(&self, disk: &Disk) -> Result<Opened> {
        let missing = || {
            Error::operation(
                ErrorKind::Local,
                format!("the disk {disk:?} is not mapped to the management partition"),
                "map it",
            )
        };
        let (device, content) = match disk {
            Disk::Served { slot, udid } => (udid.clone(), self.content(udid, *slot)),
            Disk::Own(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                (path.display().to_string(), self.own(&name))
            }
        };
        let content = content.ok_or_else(missing)?;
        let bytes = self.written.get(&content.sha256).cloned().ok_or_else(|| {
            Error::operation(
                ErrorKind::Local,
                "nobody knows what was written to the disk",
                "tell it",
            )
        })?;
        Ok(Opened {
            device,
            size: bytes.len() as u64,
            content: Box::pin(std::io::Cursor::new(bytes)),
        })
    }
}

impl Devices for SimulatedDevices {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn open<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<Opened>> {
        Box::pin(async { self.read(disk) })
    }

    /// A disk that is still mapped would come back.
    fn forget<'a>(&'a self, disk: &'a Disk) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            match disk {
                Disk::Served { slot, udid } if self.content(udid, *slot).is_some() => {
                    Err(Error::operation(
                        ErrorKind::Local,
                        format!("the disk {udid} is let go of and still mapped"),
                        "unmap it first",
                    ))
                }
                _ => Ok(()),
            }
        })
    }
}
