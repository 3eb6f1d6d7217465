//! Volume groups, virtual disks, media.

use powervm_simulator::model::command::*;
use powervm_simulator::model::names::FileKind;
use powervm_simulator::model::storage::VolumeGroup;
use powervm_simulator::model::units::Gigabytes;
use powervm_simulator::model::{Command, Facets, Outcome, Resource};

use super::support::{Room, disk, hdisk, mapping, medium, vdisk};

fn group<'a>(room: &'a Room, name: &str) -> &'a VolumeGroup {
    room.vios(0)
        .volume_groups
        .iter()
        .find(|group| group.name == name)
        .unwrap()
}

fn add(
    room: &mut Room,
    request: DiskRequest,
) -> Result<Outcome, powervm_simulator::model::Refusal> {
    room.update_group(0, "datavg", |group| {
        group.disks.as_mut().unwrap().push(request)
    })
}

#[test]
fn a_disk_takes_space_and_gives_it_back() {
    let mut room = Room::novalink();
    let free = group(&room, "datavg").free();
    add(
        &mut room,
        DiskRequest {
            capacity: Gigabytes::parse("20.01").unwrap(),
            ..disk("boot_x", 1)
        },
    )
    .unwrap();
    let made = group(&room, "datavg")
        .disks
        .values()
        .next()
        .unwrap()
        .clone();
    assert_eq!(made.udid, format!("03{}.1", group(&room, "datavg").serial));
    assert_eq!(made.capacity.to_string(), "20.0625");
    assert_eq!(group(&room, "datavg").free(), free.minus(made.capacity));
    room.update_group(0, "datavg", |group| group.disks = Some(Vec::new()))
        .unwrap();
    assert_eq!(group(&room, "datavg").free(), free);
    add(&mut room, disk("again", 1)).unwrap();
    assert!(
        group(&room, "datavg")
            .disks
            .values()
            .next()
            .unwrap()
            .udid
            .ends_with(".2"),
        "numbers do not come again"
    );
}

#[test]
fn bad_disks_are_refused() {
    let mut room = Room::novalink();
    add(&mut room, disk("there", 5)).unwrap();
    for (request, word) in [
        (disk("there", 1), "0516-360"),
        (disk("novalink_boot", 1), "0516-360"),
        (disk("huge", 5000), "0516-404"),
        (disk("nothing", 0), "capacity"),
        (disk("sixteen_long_xxx", 1), "15"),
        (disk("a/b", 1), "15"),
        (
            DiskRequest {
                base_image: Some("03none".to_owned()),
                ..disk("copy", 1)
            },
            "03none",
        ),
        (
            DiskRequest {
                udid: Some("03none.9".to_owned()),
                ..disk("there", 1)
            },
            "03none.9",
        ),
    ] {
        let message = add(&mut room, request).unwrap_err().message;
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn a_mapped_disk_stays() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    add(&mut room, disk("lv", 1)).unwrap();
    room.map(0, vec![mapping(client, vdisk("lv"))]).unwrap();
    let refusal = room
        .update_group(0, "datavg", |group| group.disks = Some(Vec::new()))
        .unwrap_err();
    assert!(refusal.message.contains("mapped"));
}

#[test]
fn disks_grow_but_do_not_shrink() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    add(&mut room, disk("lv", 10)).unwrap();
    room.map(0, vec![mapping(client, vdisk("lv"))]).unwrap();
    let resource = Resource::VirtualIoServer(room.vioses()[0]);
    let mappings = Facets {
        scsi_mappings: true,
        ..Facets::default()
    };
    let before = room.world.etag(&resource, mappings);
    let resize = |room: &mut Room, gigabytes| {
        room.update_group(0, "datavg", |group| {
            group.disks.as_mut().unwrap()[0].capacity = Gigabytes::whole(gigabytes)
        })
    };
    assert!(resize(&mut room, 5).unwrap_err().message.contains("shrink"));
    resize(&mut room, 20).unwrap();
    assert_eq!(
        group(&room, "datavg")
            .disks
            .values()
            .next()
            .unwrap()
            .capacity,
        Gigabytes::whole(20)
    );
    assert_ne!(
        room.world.etag(&resource, mappings),
        before,
        "the mapping shows the capacity"
    );
    assert!(
        resize(&mut room, 9999)
            .unwrap_err()
            .message
            .contains("0516-404")
    );
}

#[test]
fn a_copy_holds_what_its_image_holds() {
    let mut room = Room::novalink();
    add(&mut room, disk("image", 1)).unwrap();
    let udid = group(&room, "datavg")
        .disks
        .values()
        .next()
        .unwrap()
        .udid
        .clone();
    room.upload(
        FileKind::BrokeredDiskImage,
        "image",
        Some(udid.clone()),
        12_345,
    )
    .unwrap();
    add(
        &mut room,
        DiskRequest {
            base_image: Some(udid),
            ..disk("copy", 2)
        },
    )
    .unwrap();
    let contents: Vec<_> = group(&room, "datavg")
        .disks
        .values()
        .map(|disk| disk.content.unwrap())
        .collect();
    assert_eq!(contents[0], contents[1]);
    assert_eq!(contents[0].bytes, 12_345);
}

#[test]
fn groups_take_and_leave_volumes() {
    let mut room = Room::novalink();
    let capacity = group(&room, "datavg").capacity;
    let with = |room: &mut Room, name: &str| {
        room.update_group(0, "datavg", |group| {
            group
                .physical_volumes
                .as_mut()
                .unwrap()
                .push(name.to_owned())
        })
    };
    for busy in ["hdisk0", "hdisk3", "hdisk99"] {
        assert!(with(&mut room, busy).is_err(), "{busy}");
    }
    with(&mut room, "hdisk7").unwrap();
    assert_eq!(
        group(&room, "datavg").capacity,
        capacity.plus(Gigabytes::whole(100))
    );
    let client = room.partition_named("one");
    assert!(room.map(0, vec![mapping(client, hdisk("hdisk7"))]).is_err());
    room.update_group(0, "datavg", |group| {
        group.physical_volumes = Some(vec!["hdisk1".to_owned()])
    })
    .unwrap();
    assert_eq!(group(&room, "datavg").capacity, capacity);
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    assert!(with(&mut room, "hdisk7").is_err(), "it is mapped");
}

#[test]
fn a_new_group_needs_a_name_and_volumes() {
    let mut room = Room::novalink();
    let create = |name: &str, volumes: &[&str], room: &Room| {
        Command::CreateVolumeGroup(CreateVolumeGroup {
            vios: room.vioses()[0],
            name: name.to_owned(),
            physical_volumes: volumes.iter().map(|name| (*name).to_owned()).collect(),
        })
    };
    for (name, volumes) in [
        ("rootvg", &["hdisk7"][..]),
        ("new", &[]),
        ("new", &["hdisk0"]),
        ("new", &["hdisk7", "hdisk7"]),
    ] {
        let command = create(name, volumes, &room);
        room.refused(command);
    }
    let command = create("new", &["hdisk7", "hdisk8"], &room);
    room.done(command);
    assert_eq!(group(&room, "new").free(), Gigabytes::whole(200));
}

#[test]
fn one_repository_on_a_server() {
    let mut room = Room::novalink();
    let request = || RepositoryRequest {
        name: "vopt".to_owned(),
        size: Gigabytes::whole(1),
        media: Vec::new(),
    };
    let refusal = room
        .update_group(0, "datavg", |group| {
            group.repositories = Some(vec![request()])
        })
        .unwrap_err();
    assert!(refusal.message.contains("only one"));
    room.update_group(0, "rootvg", |group| group.repositories = Some(Vec::new()))
        .unwrap();
    room.update_group(0, "datavg", |group| {
        group.repositories = Some(vec![request()])
    })
    .unwrap();
    assert_eq!(room.vios(0).repository_group().unwrap().name, "datavg");
    let large = RepositoryRequest {
        size: Gigabytes::whole(99_999),
        ..request()
    };
    assert!(
        room.update_group(0, "datavg", |group| group.repositories = Some(vec![large]))
            .is_err()
    );
    let small = RepositoryRequest {
        size: Gigabytes::parse("0.5").unwrap(),
        ..request()
    };
    assert!(
        room.update_group(0, "datavg", |group| group.repositories = Some(vec![small]))
            .unwrap_err()
            .message
            .contains("shrink")
    );
}

#[test]
fn media_come_by_upload_or_blank_and_go_when_unloaded() {
    let mut room = Room::novalink();
    room.upload(FileKind::BrokeredMediaIso, "cfg.iso", None, 1 << 20)
        .unwrap();
    let blank = MediumRequest {
        name: "blank".to_owned(),
        mount: None,
        size: Gigabytes::parse("0.5"),
    };
    room.update_group(0, "rootvg", |group| {
        group.repositories.as_mut().unwrap()[0].media.push(blank)
    })
    .unwrap();
    let sizes = |room: &Room| -> Vec<(String, String)> {
        let repository = room
            .vios(0)
            .repository_group()
            .unwrap()
            .repository
            .clone()
            .unwrap();
        repository
            .media
            .values()
            .map(|medium| (medium.udid(), medium.size.to_string()))
            .collect()
    };
    assert_eq!(
        sizes(&room),
        [
            ("0eblank".to_owned(), "0.5".to_owned()),
            ("0ecfg.iso".to_owned(), "0.000977".to_owned())
        ]
    );
    let client = room.partition_named("one");
    room.map(0, vec![mapping(client, medium("cfg.iso"))])
        .unwrap();
    let without = |room: &mut Room| {
        room.update_group(0, "rootvg", |group| {
            group.repositories.as_mut().unwrap()[0].media.clear()
        })
    };
    assert!(without(&mut room).unwrap_err().message.contains("loaded"));
    room.done(crate::support::delete_partition(client));
    without(&mut room).unwrap();
    assert!(sizes(&room).is_empty());
}

#[test]
fn bad_media_are_refused() {
    let mut room = Room::novalink();
    for (name, size) in [
        (".hidden", "1"),
        ("a-b", "1"),
        ("", "1"),
        ("12345678901234567890123456789012345678", "1"),
        ("big", "41"),
    ] {
        let medium = MediumRequest {
            name: name.to_owned(),
            mount: None,
            size: Gigabytes::parse(size),
        };
        let result = room.update_group(0, "rootvg", |group| {
            group.repositories.as_mut().unwrap()[0].media.push(medium)
        });
        assert!(result.is_err(), "{name}");
    }
}

#[test]
fn lists_that_were_not_sent_stay() {
    let mut room = Room::novalink();
    add(&mut room, disk("lv", 1)).unwrap();
    let before = room.world.clone();
    room.update_group(0, "datavg", |group| {
        (group.disks, group.repositories, group.physical_volumes) = (None, None, None)
    })
    .unwrap();
    assert!(room.world == before);
}
