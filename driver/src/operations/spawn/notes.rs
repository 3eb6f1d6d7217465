//! What the journal keeps of a deploy, and what its steps tell each other.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::network::Mac;
use crate::operations::imaged::{DiskNames, DiskNotes, ImageNames};
use crate::operations::request::SpawnRequest;
use crate::operations::volume::search::Devices;
use crate::storage::media::Repository;
use crate::storage::names;
use crate::volume::Connection;

/// What the journal keeps of the order: the names of all that is made.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::operations) struct Asked {
    pub(super) instance: Uuid,
    pub(super) name: String,
    /// None of a server that boots from a volume.
    pub(super) disk: Option<DiskNames>,
    /// Without credentials: nothing is logged on to.
    pub(super) volumes: Vec<Connection>,
    /// Whether Virtual I/O Servers are to serve volumes.
    pub(super) finds_volumes: bool,
    /// Whether the server reaches any of its volumes through ports of its own.
    pub(super) has_ports: bool,
    /// UUIDs of the Virtual I/O Servers that it works with.
    pub(super) servers: BTreeSet<String>,
    /// Whether the network service is waited for.
    #[serde(default)]
    pub(super) waits_for_network: bool,
    pub(super) config_drive: bool,
    pub(super) power_on: bool,
    /// Whether its slots are kept.
    #[serde(default)]
    pub(super) keeps_slots: bool,
    /// Whether it is to run IBM i.
    #[serde(default)]
    pub(super) is_ibmi: bool,
    /// Whether there was no such server before, of which something was kept.
    #[serde(default)]
    pub(super) is_new: bool,
}

impl Asked {
    pub(super) fn of(request: &SpawnRequest, tag: u32, namesakes: BTreeSet<String>) -> Self {
        Self {
            instance: request.instance,
            name: request.name.clone(),
            disk: request.image.as_ref().map(|image| DiskNames {
                unit: names::boot_unit(&request.name),
                disk: names::boot_virtual_disk(&request.name, request.instance),
                image: ImageNames::of(image),
                tag,
                namesakes,
            }),
            volumes: request.volumes.clone(),
            finds_volumes: false,
            has_ports: false,
            servers: BTreeSet::new(),
            waits_for_network: false,
            config_drive: request.config_drive.is_some(),
            power_on: request.power_on,
            keeps_slots: false,
            is_new: true,
            is_ibmi: false,
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
    /// The boot disk.
    pub(super) disk: DiskNotes,
    /// Volumes that the Virtual I/O Servers have found.
    pub(super) devices: Devices,
    pub(super) media: Option<Repository>,
    pub(super) media_uploaded: bool,
}
