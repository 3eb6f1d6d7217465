//! Logical units of the shared storage pool.

use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::{FileKind, JobStatus, LogicalUnitKind};
use powervm_simulator::model::units::Gigabytes;
use powervm_simulator::model::{Command, Facets, Resource};
use uuid::Uuid;

use super::support::{Room, lu, mapping, unit};

fn delete(room: &Room, unit: Uuid) -> Command {
    Command::DeleteLogicalUnit {
        tier: room.tier(),
        unit,
    }
}

#[test]
fn udids_are_hexadecimal_and_tell_the_kind() {
    let mut room = Room::novalink();
    let disk = room.unit("disk", 1, None);
    let image = CreateLogicalUnit {
        kind: Some(LogicalUnitKind::Image),
        ..unit(room.tier(), "image", 1, None)
    };
    room.done(Command::CreateLogicalUnit(image));
    let udid = room.unit_udid(disk);
    assert!(
        udid.starts_with("27")
            && udid.len() == 66
            && udid[2..].bytes().all(|byte| byte.is_ascii_hexdigit())
    );
    let tier = &room.world.tiers[&room.tier()];
    assert!(
        tier.units
            .values()
            .any(|unit| unit.name == "image" && unit.udid.starts_with("29"))
    );
    assert!(tier.units.values().all(|unit| unit.thin));
}

#[test]
fn a_clone_is_as_large_as_its_image_and_holds_the_same() {
    let mut room = Room::novalink();
    let image = room.unit("image", 5, None);
    let udid = room.unit_udid(image);
    room.upload(
        FileKind::BrokeredDiskImage,
        "image",
        Some(udid.clone()),
        4_000_000_000,
    )
    .unwrap();
    let free = room
        .world
        .free_in_pool(*room.world.pools.keys().next().unwrap());
    let clone = room.unit("clone", 1, Some(udid.clone()));
    let made = room.world.logical_unit(room.tier(), clone).unwrap();
    assert_eq!(
        (made.capacity, made.cloned_from.as_ref()),
        (Gigabytes::whole(5), Some(&udid))
    );
    assert_eq!(made.content.unwrap().bytes, 4_000_000_000);
    assert_eq!(
        room.world
            .free_in_pool(*room.world.pools.keys().next().unwrap()),
        free,
        "a clone shares its blocks"
    );
    let command = delete(&room, image);
    assert!(room.refused(command).contains("clones"));
    let command = delete(&room, clone);
    room.done(command);
    let command = delete(&room, image);
    room.done(command);
    assert!(
        room.world
            .free_in_pool(*room.world.pools.keys().next().unwrap())
            > free
    );
}

#[test]
fn a_marker_of_a_thousandth_is_welcome() {
    let mut room = Room::novalink();
    let marker = CreateLogicalUnit {
        capacity: Gigabytes::parse("0.001000").unwrap(),
        kind: Some(LogicalUnitKind::Image),
        ..unit(room.tier(), "part1234abcdimage", 1, None)
    };
    room.done(Command::CreateLogicalUnit(marker));
}

#[test]
fn bad_units_are_refused() {
    let mut room = Room::novalink();
    room.unit("there", 1, None);
    let tier = room.tier();
    let whole = room.world.pools.values().next().unwrap().capacity.bytes() >> 30;
    for (request, word) in [
        (unit(tier, "there", 1, None), "exists already"),
        (unit(tier, "none", 0, None), "capacity"),
        (unit(tier, "", 1, None), "79"),
        (unit(tier, &"x".repeat(80), 1, None), "79"),
        (unit(tier, "clone", 1, Some("29ff".to_owned())), "29ff"),
        (unit(tier, "huge", whole, None), "not enough free space"),
        (
            CreateLogicalUnit {
                thin: Some(false),
                ..unit(tier, "thick", whole, None)
            },
            "not enough free space",
        ),
    ] {
        let message = room.refused(Command::CreateLogicalUnit(request));
        assert!(message.contains(word), "{message}");
    }
    assert_eq!(
        room.apply(Command::CreateLogicalUnit(unit(Uuid::nil(), "x", 1, None)))
            .unwrap_err()
            .status,
        404
    );
    room.unit("fills", whole - 1, None);
    assert!(
        room.refused(Command::CreateLogicalUnit(unit(tier, "more", 1, None)))
            .contains("not enough free space")
    );
}

#[test]
fn a_mapped_unit_stays() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let made = room.unit("lu", 1, None);
    let udid = room.unit_udid(made);
    room.map(0, vec![mapping(client, lu(&udid))]).unwrap();
    room.map(1, vec![mapping(client, lu(&udid))]).unwrap();
    let command = delete(&room, made);
    assert!(room.refused(command).contains("mapped"));
    room.done(crate::support::delete_partition(client));
    let command = delete(&room, made);
    room.done(command);
    let command = delete(&room, made);
    assert_eq!(room.apply(command).unwrap_err().status, 404);
}

#[test]
fn a_pool_can_be_renamed_and_its_tag_follows_its_units() {
    let mut room = Room::novalink();
    let pool = *room.world.pools.keys().next().unwrap();
    let tag = |room: &Room| {
        room.world
            .etag(&Resource::SharedStoragePool(pool), Facets::default())
    };
    let tier_tag = room
        .world
        .etag(&Resource::Tier(room.tier()), Facets::default());
    let before = tag(&room);
    room.unit("lu", 1, None);
    assert_ne!(tag(&room), before);
    assert_eq!(
        room.world
            .etag(&Resource::Tier(room.tier()), Facets::default()),
        tier_tag
    );
    room.done(Command::UpdatePool(UpdatePool {
        pool,
        name: Some("renamed".to_owned()),
        alert_threshold: Some(50),
        units: None,
        volumes: None,
    }));
    assert_eq!(room.world.pools[&pool].name, "renamed");
    room.refused(Command::UpdatePool(UpdatePool {
        pool,
        name: None,
        alert_threshold: Some(100),
        units: None,
        volumes: None,
    }));
}

#[test]
fn the_units_of_a_pool_are_replaced_as_a_whole() {
    let mut room = Room::novalink();
    let pool = *room.world.pools.keys().next().unwrap();
    let (image, kept) = (room.unit("image", 1, None), room.unit("kept", 1, None));
    let udids = [room.unit_udid(image), room.unit_udid(kept)];
    room.unit("clone", 2, Some(udids[0].clone()));
    let change = |kept: Vec<String>, new: Vec<CreateLogicalUnit>| {
        Command::UpdatePool(UpdatePool {
            pool,
            name: None,
            alert_threshold: None,
            units: Some(PoolUnits { kept, new }),
            volumes: None,
        })
    };
    let names = |room: &Room| -> Vec<String> {
        let tier = &room.world.tiers[&room.tier()];
        let mut names: Vec<_> = tier.units.values().map(|unit| unit.name.clone()).collect();
        names.sort();
        names
    };
    let new = CreateLogicalUnit {
        tier: Uuid::nil(),
        ..unit(room.tier(), "new", 1, None)
    };
    room.done(change(vec![udids[1].clone()], vec![new]));
    assert_eq!(names(&room), ["kept", "new"]);
    room.done(change(Vec::new(), Vec::new()));
    assert_eq!(names(&room), Vec::<String>::new());
}

#[test]
fn a_unit_becomes_a_linked_clone_by_job() {
    let mut room = Room::novalink();
    let image = room.unit("image", 1, None);
    let other = room.unit("other", 2, None);
    let (source, destination) = (room.unit_udid(image), room.unit_udid(other));
    room.upload(
        FileKind::BrokeredDiskImage,
        "image",
        Some(source.clone()),
        77,
    )
    .unwrap();
    let cluster = *room.world.clusters.keys().next().unwrap();
    let target = JobTarget::Cluster(Some(cluster));
    let job = room.submit(
        target,
        "LULinkedClone",
        &[("SourceUDID", &source), ("DestinationUDID", &destination)],
    );
    room.succeeded(job);
    let made = room.world.logical_unit(room.tier(), other).unwrap();
    assert_eq!(
        (made.cloned_from.as_ref(), made.content.unwrap().bytes),
        (Some(&source), 77)
    );
    let job = room.submit(
        target,
        "LULinkedClone",
        &[("SourceUDID", &destination), ("DestinationUDID", &source)],
    );
    assert!(room.failure(job).contains("destination"));
    let job = room.submit(target, "LULinkedClone", &[]);
    assert_eq!(room.job(job).status, JobStatus::FailedBeforeCompletion);
}
