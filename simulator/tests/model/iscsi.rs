//! iSCSI: discovery, credentials, several ways, return codes.

use powervm_simulator::model::Command;
use powervm_simulator::model::command::*;
use powervm_simulator::model::names::VolumeState;
use powervm_simulator::model::san::{Access, Chap, Protocol};
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use super::support::{Room, hdisk, mapping};

const PORTAL: &str = "192.0.2.40:3260";
const OTHER: &str = "192.0.2.41:3260";

/// A volume that both servers may use; its target's name.
fn volume(room: &mut Room, number: u128, chap: bool) -> String {
    let uuid = Uuid::from_u128(number);
    room.done(Command::CreateSanVolume(CreateSanVolume {
        uuid,
        name: format!("volume-{number}"),
        megabytes: 10 * 1024,
        protocol: Protocol::Iscsi,
        external: None,
        identified: true,
        content: None,
    }));
    for server in [0, 1] {
        let connector = Connector {
            initiator: room.vios(server).iscsi.initiator.clone(),
            chap,
            ..Connector::default()
        };
        room.done(Command::MapSanVolume {
            volume: uuid,
            connector,
        });
    }
    match &room.world.san.volumes[&uuid].access {
        Access::Iscsi(access) => access.iqn.clone(),
        other => panic!("{other:?}"),
    }
}

fn chap(room: &Room, number: u128) -> Chap {
    let name = room.vios(0).iscsi.initiator.clone().unwrap();
    match &room.world.san.volumes[&Uuid::from_u128(number)].access {
        Access::Iscsi(access) => access.initiators[&name].clone().unwrap(),
        other => panic!("{other:?}"),
    }
}

fn discover(room: &mut Room, parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    room.server_job(0, "ISCSIDiscovery", parameters)
}

fn plain(iqn: &str) -> Vec<(&str, &str)> {
    vec![
        ("ifaceName", "default"),
        ("targetIQN", iqn),
        ("hostIP", PORTAL),
        ("targetLUN", "1"),
        ("multipath", "False"),
    ]
}

#[test]
fn without_parameters_the_initiator_tells_its_name() {
    let mut room = Room::novalink();
    let results = discover(&mut room, &[]);
    assert_eq!(results["RETURN_CODE"], "0");
    assert_eq!(
        Some(&results["InitiatorName"]),
        room.vios(0).iscsi.initiator.as_ref()
    );
    assert!(results["InitiatorName"].starts_with("iqn."));
}

#[test]
fn a_logon_makes_a_disk_and_a_removal_takes_it() {
    let mut room = Room::novalink();
    let iqn = volume(&mut room, 1, false);
    let results = discover(&mut room, &plain(&iqn));
    assert_eq!(
        (results["RETURN_CODE"].as_str(), results["status"].as_str()),
        ("0", "COMPLETED_OK")
    );
    let disk = Arc::clone(room.vios(0).physical_volumes.last().unwrap());
    assert_eq!(
        results["DEV_OUTPUT"],
        format!("[\"{iqn} {} {}\"]", disk.name, disk.udid)
    );
    assert!(!disk.is_fibre_channel() && disk.state == VolumeState::Active);
    let again = discover(&mut room, &plain(&iqn));
    assert_eq!(again["RETURN_CODE"], "15", "the session exists");
    assert_eq!(again["DEV_OUTPUT"], results["DEV_OUTPUT"]);
    let client = room.partition_named("one");
    room.map(0, vec![mapping(client, hdisk(&disk.name))])
        .unwrap();
    let remove = [
        ("targetIQN", iqn.as_str()),
        ("targetPORTAL", PORTAL),
        ("targetLUN", "1"),
    ];
    let busy = room.server_job(0, "ISCSIRemove", &remove);
    assert_eq!(
        (busy["RETURN_CODE"].as_str(), busy["status"].as_str()),
        ("1", "COMPLETED_WITH_ERROR")
    );
    let mut posted = room.world.posted_mappings(room.vioses()[0]);
    posted.retain(|mapping| mapping.client != Some(client));
    room.post_mappings(0, posted).unwrap();
    assert_eq!(
        room.server_job(0, "ISCSIRemove", &remove)["RETURN_CODE"],
        "0"
    );
    assert!(room.vios(0).physical_volume(&disk.name).is_none());
    assert!(room.vios(0).iscsi.sessions.is_empty());
    let nothing = room.server_job(0, "ISCSIRemove", &remove);
    assert_eq!(
        (nothing["RETURN_CODE"].as_str(), nothing["status"].as_str()),
        ("21", "COMPLETED_OK")
    );
}

#[test]
fn credentials_are_checked() {
    let mut room = Room::novalink();
    let iqn = volume(&mut room, 1, true);
    let chap = chap(&room, 1);
    assert!(!format!("{chap:?}").contains(chap.password.expose_secret()));
    let with = |user: &str, password: &str| {
        let mut parameters: Vec<(String, String)> = plain(&iqn)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for (name, value) in [("auth", "CHAP"), ("user", user), ("password", password)] {
            parameters.push((name.to_owned(), value.to_owned()));
        }
        parameters
    };
    let run = |room: &mut Room, parameters: Vec<(String, String)>| {
        let parameters: Vec<(&str, &str)> = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        discover(room, &parameters)["RETURN_CODE"].clone()
    };
    assert_eq!(discover(&mut room, &plain(&iqn))["RETURN_CODE"], "24");
    assert_eq!(run(&mut room, with(&chap.user, "wrong")), "24");
    assert_eq!(
        run(&mut room, with("wrong", chap.password.expose_secret())),
        "24"
    );
    assert_eq!(
        run(&mut room, with(&chap.user, chap.password.expose_secret())),
        "0"
    );
    // A host that the volume is not mapped to is let in by no password.
    let uuid = Uuid::from_u128(1);
    room.done(Command::UnmapSanVolume {
        volume: uuid,
        connector: None,
    });
    assert_eq!(
        run(&mut room, with(&chap.user, chap.password.expose_secret())),
        "24"
    );
}

#[test]
fn several_ways_make_one_disk() {
    let mut room = Room::novalink();
    let iqn = volume(&mut room, 1, false);
    let (names, portals) = (format!("[{iqn},{iqn}]"), format!("[{PORTAL},{OTHER}]"));
    let before = room.vios(0).physical_volumes.len();
    let results = discover(
        &mut room,
        &[
            ("targetIQN", &names),
            ("hostIP", &portals),
            ("targetLUN", "[1,1]"),
            ("multipath", "True"),
        ],
    );
    assert_eq!(results["RETURN_CODE"], "0", "{results:?}");
    assert_eq!(results["DEV_OUTPUT"].matches(&iqn).count(), 2);
    assert_eq!(room.vios(0).physical_volumes.len(), before + 1);
    assert_eq!(room.vios(0).iscsi.sessions.len(), 2);
    // One dead portal is no harm.
    let portals = format!("[198.51.100.9:3260,{OTHER}]");
    let results = discover(
        &mut room,
        &[
            ("targetIQN", &names),
            ("hostIP", &portals),
            ("targetLUN", "[1,1]"),
            ("multipath", "True"),
        ],
    );
    assert_eq!(
        (results["RETURN_CODE"].as_str(), results["status"].as_str()),
        ("15", "COMPLETED_OK")
    );
    let removed = room.server_job(
        0,
        "ISCSIRemove",
        &[("targetIQN", &names), ("multipath", "True")],
    );
    assert_eq!(removed["RETURN_CODE"], "0");
    assert!(room.vios(0).iscsi.sessions.is_empty());
}

#[test]
fn every_failure_has_its_code() {
    let mut room = Room::novalink();
    let iqn = volume(&mut room, 1, false);
    let code = |room: &mut Room, name: &str, portal: &str, lun: &str| {
        discover(
            room,
            &[("targetIQN", name), ("hostIP", portal), ("targetLUN", lun)],
        )["RETURN_CODE"]
            .clone()
    };
    assert_eq!(code(&mut room, &iqn, "198.51.100.9:3260", "1"), "8");
    assert_eq!(code(&mut room, &iqn, "nobody.example.com:3260", "1"), "23");
    assert_eq!(
        code(&mut room, "iqn.2000-01.com.example:x", PORTAL, "1"),
        "21"
    );
    assert_eq!(code(&mut room, &iqn, PORTAL, "x"), "7");
    assert_eq!(code(&mut room, "", PORTAL, "1"), "7");
    assert_eq!(code(&mut room, "[a,b,c]", "[d,e]", "1"), "7");
    let results = discover(
        &mut room,
        &[("targetIQN", &iqn), ("hostIP", PORTAL), ("targetLUN", "9")],
    );
    assert_eq!(
        (
            results["RETURN_CODE"].as_str(),
            results["DEV_OUTPUT"].as_str()
        ),
        ("0", "[]")
    );
    assert_eq!(discover(&mut room, &[("auth", "CHAP")])["RETURN_CODE"], "7");
    assert_eq!(room.server_job(0, "ISCSIRemove", &[])["RETURN_CODE"], "7");
}

#[test]
fn a_disk_of_a_former_volume_is_stale() {
    let mut room = Room::novalink();
    let iqn = volume(&mut room, 1, false);
    discover(&mut room, &plain(&iqn));
    let first = Uuid::from_u128(1);
    room.done(Command::UnmapSanVolume {
        volume: first,
        connector: None,
    });
    room.done(Command::DeleteSanVolume(first));
    let second = CreateSanVolume {
        uuid: Uuid::from_u128(2),
        name: "other".to_owned(),
        megabytes: 1024,
        protocol: Protocol::Iscsi,
        external: Some(iqn.clone()),
        identified: true,
        content: None,
    };
    room.done(Command::CreateSanVolume(second));
    let connector = Connector {
        initiator: room.vios(0).iscsi.initiator.clone(),
        ..Connector::default()
    };
    room.done(Command::MapSanVolume {
        volume: Uuid::from_u128(2),
        connector,
    });
    assert_eq!(discover(&mut room, &plain(&iqn))["RETURN_CODE"], "27");
    room.server_job(0, "ISCSIRemove", &[("targetIQN", &iqn)]);
    assert_eq!(discover(&mut room, &plain(&iqn))["RETURN_CODE"], "0");
}

#[test]
fn a_server_without_an_initiator_says_so() {
    let mut room = Room::novalink();
    let vios = room.vioses()[0];
    room.world.vioses.get_mut(&vios).unwrap().iscsi.initiator = None;
    for operation in ["ISCSIDiscovery", "ISCSIRemove"] {
        let results = room.server_job(0, operation, &[("targetIQN", "x")]);
        assert_eq!(results["RETURN_CODE"], "127", "{operation}");
    }
}
