//! What the journal keeps of a deploy, and what its steps tell each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::network::Mac;
use crate::operations::request::SpawnRequest;
use crate::operations::volume::search::Devices;
use crate::storage::flights::Flight;
use crate::storage::image::Image;
use crate::storage::local::Disk;
use crate::storage::media::Repository;
use crate::storage::names;
use crate::storage::ssp::{ImageUnit, Unit};
use crate::volume::Connection;

/// What the journal keeps of the order: the names of all that is made.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) instance: Uuid,
    pub(super) name: String,
    /// None of a server that boots from a volume.
    pub(super) image: Option<ImageNames>,
    /// Without credentials: nothing is logged on to.
    pub(super) volumes: Vec<Connection>,
    /// Whether Virtual I/O Servers are to serve volumes.
    pub(super) finds_volumes: bool,
    /// Whether the server reaches any of its volumes through ports of its own.
    pub(super) has_ports: bool,
    /// Tells our marker of an upload from others'.
    pub(super) tag: u32,
    /// Disks that had the boot disk's name before.
    pub(super) namesakes: BTreeSet<String>,
    /// UUIDs of the Virtual I/O Servers that it works with.
    pub(super) servers: BTreeSet<String>,
    pub(super) config_drive: bool,
    pub(super) power_on: bool,
}

/// Names of an image's disks.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ImageNames {
    pub(super) name: String,
    pub(super) checksum: String,
    pub(super) disk: String,
}

impl ImageNames {
    fn of(image: &Image) -> Self {
        Self {
            name: image.name.clone(),
            checksum: image.short_checksum(),
            disk: names::image_virtual_disk(image.id),
        }
    }
}

impl Asked {
    pub(super) fn of(request: &SpawnRequest, tag: u32, namesakes: BTreeSet<String>) -> Self {
        Self {
            instance: request.instance,
            name: request.name.clone(),
            image: request.image.as_ref().map(ImageNames::of),
            volumes: request.volumes.clone(),
            finds_volumes: false,
            has_ports: false,
            tag,
            namesakes,
            servers: BTreeSet::new(),
            config_drive: request.config_drive.is_some(),
            power_on: request.power_on,
        }
    }
}

/// What the steps tell each other, themselves when they are run again, and the journal.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::operations) struct Found {
    pub(super) partition_made: bool,
    pub(super) partition_id: Option<u32>,
    #[serde(skip)]
    pub(super) macs: Option<(Vec<Mac>, Option<Mac>)>,
    #[serde(skip)]
    pub(super) flight: Option<Boarded>,
    /// We may have begun to upload the image, and not ended.
    pub(super) uploading: bool,
    pub(super) image: Option<UsedImage>,
    #[serde(skip)]
    pub(super) disk: Option<BootDisk>,
    /// Path of the boot disk's logical unit.
    pub(super) unit: Option<String>,
    /// Somebody else has a disk of that name.
    pub(super) disk_is_foreign: bool,
    /// Volumes that the Virtual I/O Servers have found.
    pub(super) devices: Devices,
    pub(super) media: Option<Repository>,
    pub(super) media_uploaded: bool,
}

/// The image of the boot disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct UsedImage {
    pub(super) udid: String,
    /// Uploaded by this driver, for operations that go on at the same time.
    pub(super) is_ours: bool,
}

/// The image, shared with the deploys that need the same.
#[derive(Clone)]
pub(super) enum Boarded {
    Ssp(Arc<Flight<ImageUnit>>),
    Local(Arc<Flight<Disk>>),
}

#[derive(Clone)]
pub(super) enum BootDisk {
    Unit(Unit),
    Disk(Disk),
}
