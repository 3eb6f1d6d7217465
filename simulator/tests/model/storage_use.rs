//! Volumes in use: files, images, NPIV clients, commands of the console.

use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::{EncryptionState, VirtualDiskKind};
use powervm_simulator::model::san::Protocol;
use powervm_simulator::model::storage::{Content, LuksEncryptor, StorageOptions};
use powervm_simulator::model::{Command, Flavor};
use uuid::Uuid;

use super::san::{mapped, volume};
use super::support::{Room, disk, mapping, vdisk};

#[test]
fn files_and_images_are_served_as_disks() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let make = |number, protocol, path: &str| CreateSanVolume {
        protocol,
        external: Some(path.to_owned()),
        ..volume(number, 35)
    };
    room.done(Command::CreateSanVolume(make(
        1,
        Protocol::File,
        "/mnt/share/volume-1",
    )));
    room.done(Command::CreateSanVolume(make(
        2,
        Protocol::Rbd,
        "pool/image",
    )));
    let external = |name: &str, kind| {
        StorageName::External(ExternalName {
            name: name.to_owned(),
            kind,
            back_store: None,
            rbd_user: None,
            tag: Some("tag".to_owned()),
        })
    };
    let file = external("/mnt/share/volume-1", VirtualDiskKind::File);
    let image = external("pool/image", VirtualDiskKind::Rbd);
    let of_client = |storage: &StorageName| mapping(client, storage.clone());
    room.map(0, vec![of_client(&file), of_client(&image)])
        .unwrap();
    let disks = &room.vios(0).external_disks;
    assert_eq!(disks.len(), 2);
    let udid = disks["pool/image"].udid.clone();
    assert!(Uuid::try_parse(&udid).is_ok());
    room.refused(Command::DeleteSanVolume(Uuid::from_u128(2)));
    room.done(Command::ExtendSanVolume {
        volume: Uuid::from_u128(2),
        megabytes: 40 * 1024,
    });
    room.server_job(0, "RescanVirtualDisk", &[("VirtualDiskUDID", &udid)]);
    assert_eq!(
        room.vios(0).external_disks["pool/image"]
            .capacity
            .to_string(),
        "40"
    );
    let missing = external("pool/other", VirtualDiskKind::Rbd);
    room.map(0, vec![of_client(&missing)]).unwrap_err();
    // An RBD image is no file.
    let wrong = external("pool/image2", VirtualDiskKind::File);
    room.map(0, vec![of_client(&wrong)]).unwrap_err();
    for (name, exists) in [("pool/image", "true"), ("pool/other", "false")] {
        let results = room.server_job(0, "RBDExists", &[("name", name)]);
        assert_eq!(results["exists"], exists);
    }
    // What nobody maps any more is no disk any more.
    let mut posted = room.world.posted_mappings(room.vioses()[0]);
    posted.retain(|mapping| mapping.client != Some(client));
    room.post_mappings(0, posted).unwrap();
    assert!(room.vios(0).external_disks.is_empty());
    room.done(Command::DeleteSanVolume(Uuid::from_u128(2)));
}

#[test]
fn an_hmc_serves_no_files() {
    let mut room = Room::new(Flavor::Hmc);
    let client = room.partition_named("one");
    room.done(Command::CreateSanVolume(CreateSanVolume {
        protocol: Protocol::File,
        external: Some("/x".to_owned()),
        ..volume(1, 1)
    }));
    let file = StorageName::External(ExternalName {
        name: "/x".to_owned(),
        kind: VirtualDiskKind::File,
        back_store: None,
        rbd_user: None,
        tag: None,
    });
    let message = room
        .map(0, vec![mapping(client, file)])
        .unwrap_err()
        .message;
    assert!(message.contains("not supported"), "{message}");
}

#[test]
fn commands_of_the_console_do_what_clients_need() {
    let mut room = Room::new(Flavor::Hmc);
    let machine = room.world.systems[&room.system()].machine.to_string();
    let target = JobTarget::ManagementConsole(None);
    let run = |room: &mut Room, command: &str| {
        let job = room.submit(
            target,
            "CLIRunner",
            &[
                ("cmd", command),
                ("acknowledgeThisAPIMayGoAwayInTheFuture", "true"),
            ],
        );
        let job = room.job(job);
        let text = job
            .results
            .iter()
            .find(|(name, _)| name == "result")
            .map(|(_, text)| text.clone());
        (
            job.status.to_string(),
            text.or_else(|| job.exception.clone()).unwrap_or_default(),
        )
    };
    let (status, text) = run(
        &mut room,
        "viosvrcmd -m host -p vios1 -c \"rmdev -dev hdisk8\"",
    );
    assert_eq!(
        (status.as_str(), text.as_str()),
        ("COMPLETED_OK", "hdisk8 deleted\n")
    );
    assert!(room.vios(0).physical_volume("hdisk8").is_none());
    let frequency =
        format!("viosvrcmd -m \"{machine}\" --id 1 -c \"lsdev -dev proc0 -attr frequency\"");
    assert_eq!(run(&mut room, &frequency).1, "value\n\n3425000000\n");
    assert!(run(&mut room, "viosvrcmd -m neo -p vios1 -c \"cfgdev\"").0 == "COMPLETED_OK");
    assert!(
        run(&mut room, "viosvrcmd -m neo -p vios1 -c lspv")
            .1
            .contains("rootvg")
    );
    assert_eq!(
        run(&mut room, "lssyscfg -r sys -F name,type_model,serial_num")
            .1
            .lines()
            .count(),
        1
    );
    assert!(
        run(
            &mut room,
            &format!("lssyscfg -r lpar -m {machine} -F name,state")
        )
        .1
        .contains("vios1,Running")
    );
    for (command, status, words) in [
        (
            "viosvrcmd -m neo -p vios1 -c \"rmdev -dev hdisk0\"",
            "COMPLETED_WITH_ERROR",
            "busy",
        ),
        (
            "viosvrcmd -m neo -p vios1 -c \"rmdev -dev hdisk99\"",
            "COMPLETED_WITH_ERROR",
            "HSCL2970",
        ),
        (
            "viosvrcmd -m neo -p vios1 -c \"rm -rf /\"",
            "COMPLETED_WITH_ERROR",
            "command not found",
        ),
        (
            "viosvrcmd -m neo -p nobody -c lspv",
            "COMPLETED_WITH_ERROR",
            "HSCL8012",
        ),
        (
            "viosvrcmd -m neo -p vios1",
            "COMPLETED_WITH_ERROR",
            "HSCL8001",
        ),
        (
            "lssyscfg -r lpar -m nothing",
            "COMPLETED_WITH_ERROR",
            "HSCL8018",
        ),
        (
            "lssyscfg -r sys -F secret",
            "COMPLETED_WITH_ERROR",
            "HSCL8006",
        ),
        (
            "chsyscfg -r lpar",
            "FAILED_BEFORE_COMPLETION",
            "not supported",
        ),
        ("", "FAILED_BEFORE_COMPLETION", "not supported"),
    ] {
        let (got, text) = run(&mut room, command);
        assert!(
            got == status && text.contains(words),
            "{command}: {got} {text}"
        );
    }
}

#[test]
fn free_disks_are_listed_and_all_can_be_configured() {
    let mut room = Room::new(Flavor::Hmc);
    let results = room.server_job(0, "GetFreePhysicalVolumes", &[]);
    let list = &results["result"];
    assert!(
        list.contains("PhysicalVolume_Collection") && list.contains("hdisk7"),
        "{list}"
    );
    assert!(!list.contains("hdisk0<"), "{list}");
    let before = room.vios(0).physical_volumes.len();
    room.server_job(0, "ConfigDevice", &[]);
    assert_eq!(room.vios(0).physical_volumes.len(), before + 32);
    assert_eq!(room.vios(1).physical_volumes.len(), before);
}

#[test]
fn npiv_clients_see_their_volumes_themselves() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let request = FcMappingRequest {
        client: Some(client),
        port: Some("fcs1".to_owned()),
        ..FcMappingRequest::default()
    };
    room.map_fc(0, vec![request]).unwrap();
    let wwpn = room
        .vios(0)
        .fc_mappings
        .values()
        .next()
        .unwrap()
        .client
        .unwrap()
        .wwpns[0];
    assert_eq!(room.world.fabric_of(wwpn), Some(1));
    let content = Content {
        bytes: 1 << 20,
        sha256: [7; 32],
    };
    room.done(Command::CreateSanVolume(CreateSanVolume {
        content: Some(content),
        ..volume(1, 20)
    }));
    let boots = |room: &mut Room| {
        room.power(client, "PowerOn", &[]);
        room.wait(10_000);
        let state = room.partition(client).state.to_string();
        room.power(client, "PowerOff", &[("immediate", "true")]);
        room.wait(10_000);
        state
    };
    assert_eq!(boots(&mut room), "open firmware");
    let connector = Connector {
        wwpns: [wwpn].into(),
        ..Connector::default()
    };
    room.done(Command::MapSanVolume {
        volume: Uuid::from_u128(1),
        connector,
    });
    assert_eq!(boots(&mut room), "running");
}

#[test]
fn the_storage_refuses_what_makes_no_sense() {
    let mut room = Room::novalink();
    let uuid = Uuid::from_u128(1);
    mapped(&mut room, volume(1, 20));
    for request in [
        volume(1, 20),
        volume(2, 0),
        volume(3, 1 << 40),
        CreateSanVolume {
            name: String::new(),
            ..volume(4, 1)
        },
        CreateSanVolume {
            name: "a b".to_owned(),
            ..volume(5, 1)
        },
        CreateSanVolume {
            protocol: Protocol::Iscsi,
            external: Some("iqn \"x\"".to_owned()),
            ..volume(6, 1)
        },
    ] {
        room.refused(Command::CreateSanVolume(request));
    }
    room.refused(Command::DeleteSanVolume(uuid));
    room.refused(Command::DeleteSanVolume(Uuid::from_u128(77)));
    room.refused(Command::MapSanVolume {
        volume: uuid,
        connector: Connector::default(),
    });
}

#[test]
fn a_disk_has_limits_and_is_encrypted_as_it_was_told() {
    let mut room = Room::novalink();
    let luks = LuksEncryptor {
        cipher: Some("aes-xts-plain64".to_owned()),
        key_size: Some(256),
        hash: Some("sha1".to_owned()),
    };
    let options = StorageOptions {
        read_iops: Some(44),
        encryption_state: Some(EncryptionState::Unlocked),
        encryption: Some(luks.clone()),
        ..StorageOptions::default()
    };
    room.update_group(0, "datavg", |group| {
        let request = DiskRequest {
            options: options.clone(),
            ..disk("lv", 1)
        };
        group.disks.as_mut().unwrap().push(request);
    })
    .unwrap();
    let of = |room: &Room| {
        let disks = &room.vios(0).volume_groups[1].disks;
        disks.values().next().unwrap().options.clone()
    };
    assert_eq!(of(&room), options);
    // Posted back without them they stay; a new limit is taken over, and the mapping's bus shows it.
    let client = room.partition_named("one");
    room.map(0, vec![mapping(client, vdisk("lv"))]).unwrap();
    let version = |room: &Room| room.vios(0).buses.values().map(|bus| bus.version).max();
    let before = version(&room);
    room.update_group(0, "datavg", |_| ()).unwrap();
    assert_eq!((of(&room), version(&room)), (options, before));
    room.update_group(0, "datavg", |group| {
        group.disks.as_mut().unwrap()[0].options.write_iops = Some(9);
    })
    .unwrap();
    let now = of(&room);
    assert_eq!((now.read_iops, now.write_iops), (Some(44), Some(9)));
    assert_eq!(now.encryption, Some(luks));
    assert!(version(&room) > before);
}
