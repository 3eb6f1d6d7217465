//! Uploads.

use powervm_simulator::model::command::{CreateFile, DiskRequest};
use powervm_simulator::model::names::FileKind;
use powervm_simulator::model::storage::Content;
use powervm_simulator::model::units::Gigabytes;
use powervm_simulator::model::{Command, Outcome, Resource};
use uuid::Uuid;

use super::support::{Room, disk};

fn file(room: &Room, name: &str) -> CreateFile {
    CreateFile {
        name: name.to_owned(),
        media_type: None,
        kind: FileKind::BrokeredMediaIso,
        vios: room.vioses()[0],
        device: None,
        expected_bytes: None,
        expected_sha256: None,
    }
}

fn content(bytes: u64) -> Content {
    Content {
        bytes,
        sha256: [0xab; 32],
    }
}

fn create(room: &mut Room, request: CreateFile) -> Uuid {
    match room.done(Command::CreateFile(request)) {
        Outcome::Written(Resource::File(uuid)) => uuid,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_iso_becomes_a_medium_and_stays_when_the_file_goes() {
    let mut room = Room::novalink();
    let request = file(&room, "cfg.iso");
    let uuid = create(&mut room, request);
    assert_eq!(room.world.files[&uuid].content, None);
    room.done(Command::CommitFile {
        file: uuid,
        content: content(5),
    });
    room.done(Command::DeleteFile(uuid));
    assert!(room.world.files.is_empty());
    let repository = room
        .vios(0)
        .repository_group()
        .unwrap()
        .repository
        .clone()
        .unwrap();
    assert_eq!(repository.media["cfg.iso"].content, Some(content(5)));
    let again = file(&room, "cfg.iso");
    assert!(room.refused(Command::CreateFile(again)).contains("already"));
    assert_eq!(
        room.apply(Command::CommitFile {
            file: uuid,
            content: content(5)
        })
        .unwrap_err()
        .status,
        404
    );
    assert_eq!(
        room.apply(Command::DeleteFile(uuid)).unwrap_err().status,
        404
    );
}

#[test]
fn a_second_upload_replaces_the_first() {
    let mut room = Room::novalink();
    let request = file(&room, "cfg.iso");
    let uuid = create(&mut room, request);
    room.done(Command::CommitFile {
        file: uuid,
        content: content(5),
    });
    room.done(Command::CommitFile {
        file: uuid,
        content: content(6),
    });
    let repository = room
        .vios(0)
        .repository_group()
        .unwrap()
        .repository
        .clone()
        .unwrap();
    assert_eq!(repository.media["cfg.iso"].content, Some(content(6)));
}

#[test]
fn size_and_digest_must_be_the_ones_announced() {
    let mut room = Room::novalink();
    let request = CreateFile {
        expected_bytes: Some(7),
        expected_sha256: Some("AB".repeat(32)),
        ..file(&room, "cfg.iso")
    };
    let uuid = create(&mut room, request);
    for wrong in [
        content(8),
        Content {
            bytes: 7,
            sha256: [0; 32],
        },
    ] {
        let refusal = room
            .apply(Command::CommitFile {
                file: uuid,
                content: wrong,
            })
            .unwrap_err();
        assert_eq!(refusal.status, 400);
    }
    room.done(Command::CommitFile {
        file: uuid,
        content: content(7),
    });
    let nonsense = CreateFile {
        expected_sha256: Some("xyz".to_owned()),
        ..file(&room, "other.iso")
    };
    assert_eq!(
        room.apply(Command::CreateFile(nonsense))
            .unwrap_err()
            .status,
        400
    );
}

#[test]
fn a_console_keeps_a_hundred_files() {
    let mut room = Room::novalink();
    for number in 0..100 {
        let request = file(&room, &format!("{number}.iso"));
        create(&mut room, request);
    }
    let request = file(&room, "one_more.iso");
    assert!(
        room.refused(Command::CreateFile(request.clone()))
            .contains("100")
    );
    let first = *room.world.files.keys().next().unwrap();
    room.done(Command::DeleteFile(first));
    create(&mut room, request);
}

#[test]
fn an_image_must_fit_its_disk() {
    let mut room = Room::novalink();
    let request = DiskRequest {
        capacity: Gigabytes::whole(1),
        ..disk("lv", 1)
    };
    room.update_group(0, "datavg", |group| {
        group.disks.as_mut().unwrap().push(request)
    })
    .unwrap();
    let udid = room.vios(0).volume_groups[1]
        .disks
        .values()
        .next()
        .unwrap()
        .udid
        .clone();
    assert!(
        room.upload(
            FileKind::BrokeredDiskImage,
            "image",
            Some(udid.clone()),
            (1 << 30) + 1
        )
        .unwrap_err()
        .message
        .contains("fit")
    );
    room.upload(FileKind::BrokeredDiskImage, "image", Some(udid), 1 << 30)
        .unwrap();
    for device in [None, Some("03none.1".to_owned())] {
        let request = CreateFile {
            kind: FileKind::BrokeredDiskImage,
            device,
            ..file(&room, "image")
        };
        room.refused(Command::CreateFile(request));
    }
}

#[test]
fn a_repository_takes_what_fits() {
    let mut room = Room::novalink();
    assert!(
        room.upload(FileKind::BrokeredMediaIso, "big.iso", None, 41 << 30)
            .unwrap_err()
            .message
            .contains("free")
    );
    for name in ["", "a b", "x/y", &"x".repeat(80), &"x".repeat(38), ".x"] {
        let request = file(&room, name);
        room.refused(Command::CreateFile(request));
    }
    room.update_group(0, "rootvg", |group| group.repositories = Some(Vec::new()))
        .unwrap();
    let request = file(&room, "cfg.iso");
    assert!(
        room.refused(Command::CreateFile(request))
            .contains("no media repository")
    );
    let elsewhere = CreateFile {
        vios: Uuid::nil(),
        ..file(&room, "cfg.iso")
    };
    assert_eq!(
        room.apply(Command::CreateFile(elsewhere))
            .unwrap_err()
            .status,
        404
    );
}
