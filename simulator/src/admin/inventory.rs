//! What is there, in short: for people, for leak audits, and for comparing what lies on disks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::model::World;
use crate::model::storage::Content;
use crate::model::vios::VirtualIoServer;

/// Everything by name and identifier.
#[derive(Serialize, JsonSchema)]
pub(super) struct Listing {
    systems: Vec<Named>,
    virtual_io_servers: Vec<Server>,
    partitions: Vec<Partition>,
    tiers: Vec<Tier>,
    files: Vec<Named>,
    jobs: Vec<Job>,
}

#[derive(Serialize, JsonSchema)]
struct Named {
    #[schemars(with = "String")]
    uuid: Uuid,
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Server {
    uuid: String,
    name: String,
    state: &'static str,
    volume_groups: Vec<Group>,
    scsi_mappings: Vec<Bus>,
}

#[derive(Serialize, JsonSchema)]
struct Group {
    name: String,
    virtual_disks: Vec<Disk>,
    /// The names of the media in its repository.
    media: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Disk {
    udid: String,
    name: String,
}

/// A pair of virtual SCSI adapters with its devices.
#[derive(Serialize, JsonSchema)]
struct Bus {
    /// Such as `vhost0`.
    adapter: String,
    slot: u16,
    /// The client's UUID, if it has one.
    client: Option<String>,
    /// The names of its target devices.
    targets: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Partition {
    uuid: String,
    id: u16,
    name: String,
    state: &'static str,
    rmc: &'static str,
    /// The UUIDs of its network adapters.
    #[schemars(with = "Vec<String>")]
    network_adapters: Vec<Uuid>,
}

#[derive(Serialize, JsonSchema)]
struct Tier {
    #[schemars(with = "String")]
    uuid: Uuid,
    name: String,
    logical_units: Vec<Unit>,
}

#[derive(Serialize, JsonSchema)]
struct Unit {
    #[schemars(with = "String")]
    uuid: Uuid,
    udid: String,
    name: String,
}

#[derive(Serialize, JsonSchema)]
struct Job {
    id: u64,
    operation: String,
}

fn upper(uuid: Uuid) -> String {
    uuid.to_string().to_uppercase()
}

impl Listing {
    pub(super) fn of(world: &World) -> Self {
        let named = |uuid: Uuid, name: &str| Named {
            uuid,
            name: name.to_owned(),
        };
        let partitions = world.partitions.values().map(|partition| Partition {
            uuid: upper(partition.uuid),
            id: partition.id,
            name: partition.name.clone(),
            state: partition.state.as_str(),
            rmc: partition.rmc.as_str(),
            network_adapters: partition.network_adapters.keys().copied().collect(),
        });
        let tiers = world.tiers.values().map(|tier| {
            let units = tier.units.values().map(|unit| Unit {
                uuid: unit.uuid,
                udid: unit.udid.clone(),
                name: unit.name.clone(),
            });
            Tier {
                uuid: tier.uuid,
                name: tier.name.clone(),
                logical_units: units.collect(),
            }
        });
        let jobs = world.jobs.values().map(|job| Job {
            id: job.id,
            operation: job.operation.clone(),
        });
        let systems = world.systems.values();
        let files = world.files.values();
        Self {
            systems: systems
                .map(|system| named(system.uuid, &system.name))
                .collect(),
            virtual_io_servers: world.vioses.values().map(|vios| Server::of(vios)).collect(),
            partitions: partitions.collect(),
            tiers: tiers.collect(),
            files: files.map(|file| named(file.uuid, &file.name)).collect(),
            jobs: jobs.collect(),
        }
    }
}

impl Server {
    fn of(server: &VirtualIoServer) -> Self {
        let groups = server.volume_groups.iter().map(|group| {
            let disks = group.disks.values().map(|disk| Disk {
                udid: disk.udid.clone(),
                name: disk.name.clone(),
            });
            let media = group.repository.iter();
            Group {
                name: group.name.clone(),
                virtual_disks: disks.collect(),
                media: media
                    .flat_map(|repository| repository.media.keys().cloned())
                    .collect(),
            }
        });
        let buses = server.buses.values().map(|bus| Bus {
            adapter: bus.adapter_name(),
            slot: bus.slot,
            client: bus.client.map(|client| upper(client.partition)),
            targets: bus
                .devices
                .iter()
                .map(|device| device.target.clone())
                .collect(),
        });
        Self {
            uuid: upper(server.partition.uuid),
            name: server.partition.name.clone(),
            state: server.partition.state.as_str(),
            volume_groups: groups.collect(),
            scsi_mappings: buses.collect(),
        }
    }
}

/// What lies on one disk.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Lying {
    name: String,
    bytes: u64,
    sha256: String,
}

/// What lies on every disk that something was written to, by UDID (media by `0e` and their name).
pub(super) fn contents(world: &World) -> BTreeMap<String, Lying> {
    let mut found = BTreeMap::new();
    let mut note = |udid: String, name: &str, content: Option<&Content>| {
        if let Some(content) = content {
            found.insert(
                udid,
                Lying {
                    name: name.to_owned(),
                    bytes: content.bytes,
                    sha256: content.sha256_hex(),
                },
            );
        }
    };
    for unit in world.tiers.values().flat_map(|tier| tier.units.values()) {
        note(unit.udid.clone(), &unit.name, unit.content.as_ref());
    }
    for server in world.vioses.values() {
        for volume in &server.physical_volumes {
            note(volume.udid.clone(), &volume.name, volume.content.as_ref());
        }
        for group in &server.volume_groups {
            for disk in group.disks.values() {
                note(disk.udid.clone(), &disk.name, disk.content.as_ref());
            }
            for medium in group
                .repository
                .iter()
                .flat_map(|repository| repository.media.values())
            {
                note(medium.udid(), &medium.name, medium.content.as_ref());
            }
        }
    }
    found
}
