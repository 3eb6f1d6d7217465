//! What is there, in short: for people, for leak audits, and for comparing what lies on disks.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::World;
use crate::model::storage::Content;
use crate::model::vios::VirtualIoServer;

/// Everything by name and identifier.
pub(super) fn listing(world: &World) -> Value {
    let systems: Vec<Value> = world
        .systems
        .values()
        .map(|system| json!({ "uuid": system.uuid, "name": system.name }))
        .collect();
    let partitions: Vec<Value> = world
        .partitions
        .values()
        .map(|partition| {
            json!({
                "uuid": partition.uuid.to_string().to_uppercase(),
                "id": partition.id,
                "name": partition.name,
                "state": partition.state.as_str(),
                "rmc": partition.rmc.as_str(),
                "network_adapters": partition.network_adapters.keys().collect::<Vec<_>>(),
            })
        })
        .collect();
    let tiers: Vec<Value> = world
        .tiers
        .values()
        .map(|tier| {
            let units: Vec<Value> = tier
                .units
                .values()
                .map(|unit| json!({ "uuid": unit.uuid, "udid": unit.udid, "name": unit.name }))
                .collect();
            json!({ "uuid": tier.uuid, "name": tier.name, "logical_units": units })
        })
        .collect();
    json!({
        "systems": systems,
        "virtual_io_servers": world.vioses.values().map(|server| server_listing(server)).collect::<Vec<_>>(),
        "partitions": partitions,
        "tiers": tiers,
        "files": world.files.values().map(|file| json!({ "uuid": file.uuid, "name": file.name })).collect::<Vec<_>>(),
        "jobs": world.jobs.values().map(|job| json!({ "id": job.id, "operation": job.operation })).collect::<Vec<_>>(),
    })
}

fn server_listing(server: &VirtualIoServer) -> Value {
    let groups: Vec<Value> = server
        .volume_groups
        .iter()
        .map(|group| {
            let media: Vec<&String> = group.repository.iter().flat_map(|repository| repository.media.keys()).collect();
            json!({
                "name": group.name,
                "virtual_disks": group.disks.values().map(|disk| json!({ "udid": disk.udid, "name": disk.name })).collect::<Vec<_>>(),
                "media": media,
            })
        })
        .collect();
    let mappings: Vec<Value> = server
        .buses
        .values()
        .map(|bus| {
            json!({
                "adapter": bus.adapter_name(),
                "slot": bus.slot,
                "client": bus.client.map(|client| client.partition.to_string().to_uppercase()),
                "targets": bus.devices.iter().map(|device| device.target.clone()).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "uuid": server.partition.uuid.to_string().to_uppercase(),
        "name": server.partition.name,
        "state": server.partition.state.as_str(),
        "volume_groups": groups,
        "scsi_mappings": mappings,
    })
}

/// What lies on one disk.
#[derive(Debug, PartialEq, Eq, Serialize)]
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
