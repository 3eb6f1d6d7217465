//! The storage: who sees which volume, and how volumes become disks.

use powervm_simulator::model::command::*;
use powervm_simulator::model::san::{Access, Protocol};
use powervm_simulator::model::{Command, Flavor};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use super::support::{Room, hdisk, mapping};

const TARGET: &str = "500507680282861d";

pub(crate) fn volume(number: u128, gigabytes: u64) -> CreateSanVolume {
    CreateSanVolume {
        uuid: Uuid::from_u128(number),
        name: format!("volume-{number}"),
        megabytes: gigabytes * 1024,
        protocol: Protocol::FibreChannel,
        external: None,
        identified: true,
        content: None,
    }
}

/// Makes a volume and maps it to the first Fibre Channel port of each server. Its number at the target.
pub(crate) fn mapped(room: &mut Room, request: CreateSanVolume) -> u32 {
    let uuid = request.uuid;
    room.done(Command::CreateSanVolume(request));
    map(room, uuid);
    lun(room, uuid).unwrap()
}

fn map(room: &mut Room, volume: Uuid) {
    let connector = Connector {
        wwpns: [0, 1]
            .map(|number| room.vios(number).fc_port("fcs0").unwrap().wwpn)
            .into(),
        ..Connector::default()
    };
    room.done(Command::MapSanVolume { volume, connector });
}

fn lun(room: &Room, volume: Uuid) -> Option<u32> {
    match &room.world.san.volumes[&volume].access {
        Access::FibreChannel(access) => access.lun,
        other => panic!("{other:?}"),
    }
}

fn itl(initiator: u64, target: &str, lun: u32) -> String {
    format!(
        "<itl><Iwwpn>{initiator:016x}</Iwwpn><Twwpn>{target}</Twwpn><lua>{lun:x}000000000000</lua></itl>"
    )
}

struct Ask<'a> {
    vendor: &'a str,
    id: &'a str,
    reliable: bool,
}

const PLAIN: Ask<'_> = Ask {
    vendor: "OTHER",
    id: "",
    reliable: false,
};

fn request(ask: &Ask<'_>, itls: &[String]) -> String {
    let id = match ask.id {
        "" => String::new(),
        id => format!("<deviceID>{id}</deviceID>"),
    };
    format!(
        "<XML_LIST><general><cmd_version>3</cmd_version><version>2.0</version></general><reliableITL>{}</reliableITL><deviceList><device><vendor>{}</vendor>{id}<deviceTag>1</deviceTag><itlList><number>{}</number>{}</itlList></device></deviceList></XML_LIST>",
        ask.reliable,
        ask.vendor,
        itls.len(),
        itls.concat()
    )
}

/// Status, name and UDID, as a client reads them.
fn recover(
    room: &mut Room,
    number: usize,
    input: &str,
) -> (String, Option<String>, Option<String>) {
    let results = room.server_job(number, "LUARecovery", &[("inputXML", input)]);
    let output = results
        .get("OutputXML")
        .unwrap_or_else(|| panic!("{results:?}"));
    let text = |name: &str| {
        let start = output.find(&format!("<{name}>"))? + name.len() + 2;
        Some(output[start..].split('<').next().unwrap().to_owned())
    };
    (text("status").unwrap(), text("pvName"), text("udid"))
}

fn discover(room: &mut Room, number: usize, lun: u32) -> (String, Option<String>, Option<String>) {
    let initiator = room.vios(number).fc_port("fcs0").unwrap().wwpn;
    recover(
        room,
        number,
        &request(&PLAIN, &[itl(initiator, TARGET, lun)]),
    )
}

#[test]
fn the_default_storage_has_free_luns_for_everyone() {
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        let mut room = Room::new(flavor);
        let mut names = BTreeMap::new();
        for lun in [1, 17, 32] {
            for number in [0, 1] {
                let disks = room.vios(number).physical_volumes.len();
                let (status, name, udid) = discover(&mut room, number, lun);
                assert_eq!(status, "3");
                assert_eq!(room.vios(number).physical_volumes.len(), disks + 1);
                let disk = room.vios(number).physical_volume(&name.unwrap()).unwrap();
                assert_eq!(Some(&disk.udid), udid.as_ref());
                names.insert((lun, number), udid);
            }
            assert_eq!(
                names[&(lun, 0)],
                names[&(lun, 1)],
                "one volume, one identity"
            );
        }
        assert_eq!(discover(&mut room, 0, 33).0, "6");
        assert_eq!(discover(&mut room, 0, 0).0, "6");
        // The other fabric has the target as well.
        let other = room.vios(0).fc_port("fcs1").unwrap().wwpn;
        let input = request(&PLAIN, &[itl(other, TARGET, 2)]);
        assert_eq!(recover(&mut room, 0, &input).0, "3");
    }
}

#[test]
fn a_volume_is_a_disk_only_after_discovery_and_until_it_is_removed() {
    let mut room = Room::novalink();
    let lun = mapped(&mut room, volume(1, 20));
    let before = room.vios(0).physical_volumes.len();
    let (status, name, udid) = discover(&mut room, 0, lun);
    let name = name.unwrap();
    assert_eq!((status.as_str(), udid.is_some()), ("3", true));
    let disk = Arc::clone(room.vios(0).physical_volume(&name).unwrap());
    assert_eq!(disk.megabytes, 20 * 1024);
    assert_eq!(disk.label.as_deref(), Some("volume-1"));
    assert!(
        disk.location
            .ends_with(&format!("-W{}-L{lun:X}000000000000", TARGET.to_uppercase())),
        "{}",
        disk.location
    );
    // Again is the same disk.
    assert_eq!(
        discover(&mut room, 0, lun).1.as_deref(),
        Some(name.as_str())
    );
    assert_eq!(room.vios(0).physical_volumes.len(), before + 1);
    let client = room.partition_named("one");
    room.map(0, vec![mapping(client, hdisk(&name))]).unwrap();
    assert_eq!(discover(&mut room, 0, lun).0, "1", "in use");
    let failed = room.server_job(0, "RemoveDevice", &[("devName", &name)]);
    assert!(failed["result"].contains("busy"), "{failed:?}");
    let mut posted = room.world.posted_mappings(room.vioses()[0]);
    posted.retain(|mapping| mapping.client != Some(client));
    room.post_mappings(0, posted).unwrap();
    let removed = room.server_job(0, "RemoveDevice", &[("devName", &name)]);
    assert_eq!(removed["status"], "COMPLETED_OK");
    assert!(room.vios(0).physical_volume(&name).is_none());
    // What is still visible is found again.
    assert_eq!(discover(&mut room, 0, lun).0, "3");
}

#[test]
fn masks_and_zones_hide_volumes() {
    let mut room = Room::novalink();
    let uuid = Uuid::from_u128(1);
    room.done(Command::CreateSanVolume(volume(1, 20)));
    assert_eq!(lun(&room, uuid), None);
    let one = room.vios(0).fc_port("fcs0").unwrap().wwpn;
    let connector = Connector {
        wwpns: [one].into(),
        ..Connector::default()
    };
    room.done(Command::MapSanVolume {
        volume: uuid,
        connector: connector.clone(),
    });
    let number = lun(&room, uuid).unwrap();
    assert_eq!(number, 33, "the first one that is free");
    assert_eq!(discover(&mut room, 0, number).0, "3");
    assert_eq!(discover(&mut room, 1, number).0, "6", "masked");
    // Zoned fabrics let through what was zoned only.
    for fabric in &mut Arc::make_mut(&mut room.world.san).fabrics {
        fabric.zoned = true;
    }
    assert_eq!(discover(&mut room, 0, number).0, "6", "not zoned");
    room.done(Command::MapSanVolume {
        volume: uuid,
        connector: connector.clone(),
    });
    assert_eq!(
        lun(&room, uuid),
        Some(number),
        "mapping again changes no number"
    );
    assert_eq!(discover(&mut room, 0, number).0, "3");
    room.done(Command::UnmapSanVolume {
        volume: uuid,
        connector: Some(connector),
    });
    assert_eq!(lun(&room, uuid), None);
    assert_eq!(discover(&mut room, 0, number).0, "6");
}

#[test]
fn every_status_has_its_reason() {
    let mut room = Room::novalink();
    let (port, other) = {
        let vios = room.vios(0);
        (
            vios.fc_port("fcs0").unwrap().wwpn,
            vios.fc_port("fcs1").unwrap().wwpn,
        )
    };
    let lun = mapped(&mut room, volume(1, 20));
    let naa = room.world.san.volumes[&Uuid::from_u128(1)]
        .naa
        .clone()
        .unwrap();
    let good = itl(port, TARGET, lun);
    let masked = itl(other, TARGET, lun);
    let strange = itl(0x1234, TARGET, lun);
    let ask = |vendor, id, reliable| Ask {
        vendor,
        id,
        reliable,
    };
    let status = |room: &mut Room, ask: &Ask<'_>, itls: &[&String]| {
        let itls: Vec<String> = itls.iter().map(|itl| (*itl).clone()).collect();
        recover(room, 0, &request(ask, &itls))
    };
    assert_eq!(status(&mut room, &ask("EMC", "", false), &[&good]).0, "4");
    assert_eq!(
        status(&mut room, &ask("IBM", "6005076800000000", false), &[&good]).0,
        "5"
    );
    assert_eq!(status(&mut room, &PLAIN, &[]).0, "6");
    assert_eq!(status(&mut room, &PLAIN, &[&strange]).0, "6");
    let (code, name, _) = status(&mut room, &PLAIN, &[&good, &masked]);
    assert_eq!(
        (code.as_str(), name.is_some()),
        ("8", true),
        "partly found is found"
    );
    assert_eq!(
        status(&mut room, &ask("IBM", "", true), &[&good, &masked]).0,
        "2"
    );
    assert_eq!(
        status(&mut room, &PLAIN, &[&good, &itl(port, TARGET, 5)]).0,
        "2",
        "two devices"
    );
    let lower = naa.to_lowercase();
    assert_eq!(
        status(&mut room, &ask("IBM", &lower, true), &[&good]).0,
        "3"
    );
    let encoded = base64(&naa);
    assert_eq!(
        status(&mut room, &ask("OTHER", &encoded, false), &[&good]).0,
        "3"
    );
    let nameless = CreateSanVolume {
        identified: false,
        ..volume(2, 1)
    };
    let lun = mapped(&mut room, nameless);
    let (code, name, udid) = discover(&mut room, 0, lun);
    assert_eq!((code.as_str(), name.is_some(), udid), ("7", true, None));
    let again = discover(&mut room, 0, lun);
    assert_eq!((again.0.as_str(), again.1), ("7", name));
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn an_address_that_another_disk_holds_is_cleared_unless_it_is_in_use() {
    let mut room = Room::novalink();
    let number = mapped(&mut room, volume(1, 20));
    let (_, name, _) = discover(&mut room, 0, number);
    let name = name.unwrap();
    let client = room.partition_named("stale");
    room.map(0, vec![mapping(client, hdisk(&name))]).unwrap();
    // The volume goes behind the server's back, and the next one takes its number.
    let first = Uuid::from_u128(1);
    room.done(Command::UnmapSanVolume {
        volume: first,
        connector: None,
    });
    room.done(Command::DeleteSanVolume(first));
    assert_eq!(mapped(&mut room, volume(2, 30)), number);
    let (code, nothing, _) = discover(&mut room, 0, number);
    assert_eq!((code.as_str(), nothing), ("2", None));
    // Once nobody uses it any more it makes way.
    let mut posted = room.world.posted_mappings(room.vioses()[0]);
    posted.retain(|mapping| mapping.client != Some(client));
    room.post_mappings(0, posted).unwrap();
    let (code, found, _) = discover(&mut room, 0, number);
    assert_eq!(code, "3");
    let disk = room.vios(0).physical_volume(&found.unwrap()).unwrap();
    assert_eq!(disk.megabytes, 30 * 1024);
}

#[test]
fn growth_is_seen_after_a_rescan() {
    let mut room = Room::novalink();
    let uuid = Uuid::from_u128(1);
    let number = mapped(&mut room, volume(1, 20));
    let (_, name, udid) = discover(&mut room, 0, number);
    let (name, udid) = (name.unwrap(), udid.unwrap());
    room.done(Command::ExtendSanVolume {
        volume: uuid,
        megabytes: 25 * 1024,
    });
    let size = |room: &Room| room.vios(0).physical_volume(&name).unwrap().megabytes / 1024;
    assert_eq!(size(&room), 20);
    let results = room.server_job(0, "RescanVirtualDisk", &[("VirtualDiskUDID", &udid)]);
    assert_eq!(results["status"], "COMPLETED_OK");
    assert_eq!(size(&room), 25);
    let results = room.server_job(1, "RescanVirtualDisk", &[("VirtualDiskUDID", &udid)]);
    assert_eq!(results["RETURN_CODE"], "-1");
    assert_eq!(results["status"], "COMPLETED_WITH_ERROR");
    room.refused(Command::ExtendSanVolume {
        volume: uuid,
        megabytes: 1024,
    });
}

#[test]
fn an_inventory_tells_the_descriptor() {
    let mut room = Room::novalink();
    let number = mapped(&mut room, volume(1, 20));
    let (_, name, udid) = discover(&mut room, 0, number);
    let naa = room.world.san.volumes[&Uuid::from_u128(1)]
        .naa
        .clone()
        .unwrap();
    let input = format!(
        r#"<uom:VIO xmlns:uom="http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/" version="1.21" xmlns=""><uom:Request action_str="QUERY_INVENTORY"><uom:InventoryRequest inventoryType="base"><uom:VioTypeFilter type="PV"/><uom:VioUdidFilter udid="{}"/></uom:InventoryRequest></uom:Request></uom:VIO>"#,
        udid.unwrap()
    );
    let results = room.server_job(0, "LUARecovery", &[("inputXML", &input)]);
    let output = &results["OutputXML"];
    assert!(output.starts_with(r#"<?xml version="1.0"?>"#), "{output}");
    assert!(
        output.contains(&name.unwrap()) && output.contains(&base64(&naa)),
        "{output}"
    );
    assert!(output.contains(r#"desType="NAA""#), "{output}");
    let unknown = input.replace("udid=\"", "udid=\"x");
    let results = room.server_job(0, "LUARecovery", &[("inputXML", &unknown)]);
    assert_eq!(
        results["OutputXML"],
        r#"<?xml version="1.0"?><VIO><Response/></VIO>"#
    );
}

#[test]
fn discovery_survives_whatever_it_is_asked() {
    let mut room = Room::novalink();
    let many = itl(1, TARGET, 1).repeat(5000);
    for input in [
        "",
        "<",
        "<XML_LIST/>",
        "<Other/>",
        "<VIO/>",
        "<VIO><Request action_str=\"DROP\"/></VIO>",
        "<XML_LIST><deviceList><device><itlList><itl/></itlList></device></deviceList></XML_LIST>",
        "<XML_LIST><deviceList><device><itlList><itl><Iwwpn>x</Iwwpn><Twwpn>y</Twwpn><lua>z</lua></itl></itlList></device></deviceList></XML_LIST>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><XML_LIST>&a;</XML_LIST>",
        &request(&PLAIN, &[many]),
    ] {
        let results = room.server_job(0, "LUARecovery", &[("inputXML", input)]);
        assert_eq!(results["status"], "FAILED_BEFORE_COMPLETION", "{results:?}");
    }
    let empty = "<XML_LIST><deviceList/></XML_LIST>";
    let results = room.server_job(0, "LUARecovery", &[("inputXML", empty)]);
    assert!(
        results["OutputXML"].contains("<deviceList/>"),
        "{results:?}"
    );
    let results = room.server_job(0, "LUARecovery", &[]);
    assert_eq!(results["status"], "FAILED_BEFORE_COMPLETION");
}

#[test]
fn a_storage_that_is_full_takes_no_more_volumes() {
    let mut room = Room::new(Flavor::NovaLink);
    room.done(Command::CreateSanVolume(volume(1, 1)));
    let san = Arc::make_mut(&mut room.world.san);
    let one = Arc::clone(&san.volumes[&Uuid::from_u128(1)]);
    let missing = 65_535 - u128::try_from(san.volumes.len()).unwrap();
    san.volumes
        .extend((0..missing).map(|number| (Uuid::from_u128(1 << 64 | number), Arc::clone(&one))));
    let mut create = |number| {
        let command = Command::CreateSanVolume(volume(number, 1));
        room.world.apply(room.now, command)
    };
    create(2).unwrap();
    let message = create(3).unwrap_err().message;
    assert!(message.contains("maximum of 65536 volumes"), "{message}");
}
