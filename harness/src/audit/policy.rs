//! What is meant to stay after the last server is gone.

use crate::scenario::Disk;

use super::{Item, ItemKind};

/// The rules of a kind of boot disk for what outlives the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Shared storage pool: the image goes with its last clone, so nothing stays.
    Ssp,
    /// Local disk: images stay in the volume group until the image cache is managed.
    Localdisk,
}

impl Policy {
    /// The policy for scenarios with that disk.
    #[must_use]
    pub fn of(disk: Disk) -> Self {
        match disk {
            Disk::Ssp => Self::Ssp,
            Disk::Localdisk => Self::Localdisk,
        }
    }

    /// Why the thing may stay, if it may.
    ///
    /// A media repository is made once per host and kept for the next config drive. So is, on an HMC, the virtual
    /// network of a VLAN, which other partitions may use by then; a NovaLink makes and drops them by itself. A cached image of local disk
    /// is a virtual disk named `i_` and 13 characters of the image's UUID.
    #[must_use]
    pub fn keeps(self, item: &Item) -> Option<&'static str> {
        match (self, item.kind) {
            (_, ItemKind::MediaRepository) => {
                Some("a media repository stays for the next config drive")
            }
            (_, ItemKind::VirtualNetwork) => {
                Some("a virtual network stays for the next server on its VLAN")
            }
            (Self::Localdisk, ItemKind::VirtualDisk) if is_cached_image(&item.name) => {
                Some("local disk keeps images until its image cache is managed")
            }
            _ => None,
        }
    }
}

fn is_cached_image(name: &str) -> bool {
    name.strip_prefix("i_")
        .is_some_and(|rest| (1..=13).contains(&rest.len()))
}
