//! Virtual SCSI mappings: what a posted list means.

use powervm_simulator::model::command::*;
use powervm_simulator::model::names::{FileKind, PartitionState};
use powervm_simulator::model::vios::{Backing, ScsiBus};
use powervm_simulator::model::{Command, Facets, Flavor, Resource};
use uuid::Uuid;

use super::support::{Room, disk, hdisk, lu, mapping, medium, vdisk};

fn buses_of(room: &Room, number: usize, client: Uuid) -> Vec<&ScsiBus> {
    let of_client = |bus: &&ScsiBus| bus.client.is_some_and(|end| end.partition == client);
    room.vios(number)
        .buses
        .values()
        .map(|bus| &**bus)
        .filter(of_client)
        .collect()
}

/// A mapping that clones the client's bus with other storage, as clients do to put several disks on one bus.
fn on_bus(room: &Room, number: usize, client: Uuid, storage: StorageName) -> ScsiMapping {
    let bus = buses_of(room, number, client)[0];
    let udid = room.world.server_udid(room.vios(number), bus);
    ScsiMapping {
        server_udid: Some(udid),
        ..mapping(client, storage)
    }
}

#[test]
fn a_new_mapping_gets_everything_filled_in() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let unit = room.unit("boot_one", 10, None);
    let udid = room.unit_udid(unit);
    room.map(
        0,
        vec![mapping(
            client,
            StorageName::LogicalUnit {
                udid: Some(udid),
                name: Some("boot_one".to_owned()),
            },
        )],
    )
    .unwrap();
    let bus = buses_of(&room, 0, client)[0].clone();
    let end = bus.client.unwrap();
    assert_eq!((end.partition_id, end.slot, bus.vhost), (4, 2, 1));
    assert_eq!(bus.adapter_name(), "vhost1");
    assert_eq!(
        room.world.server_udid(room.vios(0), &bus),
        format!("1eU8247.22L.2125D4A-V2-C{}", bus.slot)
    );
    let device = &bus.devices[0];
    assert_eq!(
        (device.lua.as_str(), device.target.as_str()),
        ("0x8100000000000000", "vtscsi1")
    );
    assert!(
        device.target_udid.starts_with("0a")
            && device
                .target_udid
                .ends_with(&format!("U8247.22L.2125D4A-V2-C{}", bus.slot))
    );
    let storage = room.world.storage(room.vios(0), &device.backing).unwrap();
    assert_eq!(storage.name(), "boot_one");
    assert!(room.world.logical_unit(room.tier(), unit).unwrap().in_use);
}

#[test]
fn prefixes_tell_the_kind_of_storage() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    room.update_group(0, "rootvg", |group| {
        group.disks.as_mut().unwrap().push(disk("lv", 1))
    })
    .unwrap();
    room.upload(FileKind::BrokeredMediaIso, "cd.iso", None, 1000)
        .unwrap();
    let storages = [hdisk("hdisk7"), vdisk("lv"), medium("cd.iso")];
    room.map(
        0,
        storages
            .into_iter()
            .map(|storage| mapping(client, storage))
            .collect(),
    )
    .unwrap();
    let buses = buses_of(&room, 0, client);
    let seen: Vec<(&str, &str)> = buses
        .iter()
        .map(|bus| {
            (
                bus.devices[0].target.as_str(),
                bus.devices[0].target_udid.get(..2).unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("vtscsi1", "08"), ("vtscsi2", "09"), ("vtopt0", "19")]
    );
    let slots: Vec<u16> = buses.iter().map(|bus| bus.client.unwrap().slot).collect();
    assert_eq!(slots, [2, 3, 4]);
}

#[test]
fn a_cloned_bus_takes_more_devices() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    let added = on_bus(&room, 0, client, hdisk("hdisk8"));
    room.map(0, vec![added]).unwrap();
    let buses = buses_of(&room, 0, client);
    assert_eq!(buses.len(), 1);
    let luas: Vec<&str> = buses[0]
        .devices
        .iter()
        .map(|device| device.lua.as_str())
        .collect();
    assert_eq!(luas, ["0x8100000000000000", "0x8200000000000000"]);
}

#[test]
fn address_and_name_asked_for_are_kept() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let target = TargetName {
        lua: Some("0x8500000000000000".to_owned()),
        name: Some("mydev".to_owned()),
        udid: None,
    };
    let wish = ScsiMapping {
        target: Some(target),
        client_slot: SlotChoice::Given(33),
        ..mapping(client, hdisk("hdisk7"))
    };
    room.map(0, vec![wish]).unwrap();
    let bus = buses_of(&room, 0, client)[0].clone();
    assert_eq!(bus.client.unwrap().slot, 33);
    assert_eq!(
        (bus.devices[0].lua.as_str(), bus.devices[0].target.as_str()),
        ("0x8500000000000000", "mydev")
    );
    let same_slot = ScsiMapping {
        client_slot: SlotChoice::Given(33),
        ..mapping(client, hdisk("hdisk8"))
    };
    assert!(
        room.map(0, vec![same_slot])
            .unwrap_err()
            .message
            .contains("slot 33")
    );
    let same_name = ScsiMapping {
        target: Some(TargetName {
            name: Some("mydev".to_owned()),
            ..TargetName::default()
        }),
        ..mapping(client, hdisk("hdisk8"))
    };
    assert!(
        room.map(0, vec![same_name])
            .unwrap_err()
            .message
            .contains("mydev")
    );
}

#[test]
fn what_is_not_posted_goes() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let empty = room.world.posted_mappings(room.vioses()[0]);
    let unit = room.unit("lu", 1, None);
    let udid = room.unit_udid(unit);
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    let added = on_bus(&room, 0, client, lu(&udid));
    room.map(0, vec![added]).unwrap();
    let both = room.world.posted_mappings(room.vioses()[0]);
    room.post_mappings(
        0,
        both.iter()
            .filter(|posted| posted.client != Some(client))
            .cloned()
            .chain(both.last().cloned())
            .collect(),
    )
    .unwrap();
    let bus = buses_of(&room, 0, client)[0].clone();
    assert_eq!(bus.devices.len(), 1);
    assert!(matches!(
        bus.devices[0].backing,
        Backing::LogicalUnit { .. }
    ));
    room.post_mappings(0, empty).unwrap();
    assert!(buses_of(&room, 0, client).is_empty());
    assert!(!room.world.logical_unit(room.tier(), unit).unwrap().in_use);
}

#[test]
fn a_mapping_without_storage_is_its_target_or_the_bare_adapter() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    let vios = room.vioses()[0];
    let unchanged = room.world.posted_mappings(vios);
    assert!(
        unchanged
            .iter()
            .all(|posted| posted.storage.is_none() && posted.target.is_some())
    );
    let before = room.world.clone();
    room.post_mappings(0, unchanged.clone()).unwrap();
    assert!(room.world == before, "an unchanged list changed the world");
    let bare: Vec<ScsiMapping> = unchanged
        .into_iter()
        .map(|posted| {
            if posted.client == Some(client) {
                ScsiMapping {
                    target: None,
                    ..posted
                }
            } else {
                posted
            }
        })
        .collect();
    room.post_mappings(0, bare).unwrap();
    let bus = buses_of(&room, 0, client)[0].clone();
    assert!(bus.devices.is_empty());
}

#[test]
fn the_same_disk_may_be_shown_to_two_clients_but_not_twice_to_one() {
    let mut room = Room::novalink();
    let one = room.partition_named("one");
    let two = room.partition_named("two");
    room.map(0, vec![mapping(one, hdisk("hdisk7"))]).unwrap();
    room.map(0, vec![mapping(two, hdisk("hdisk7"))]).unwrap();
    assert!(
        room.map(0, vec![mapping(one, hdisk("hdisk7"))])
            .unwrap_err()
            .message
            .contains("already mapped")
    );
}

#[test]
fn a_writable_medium_is_in_one_drive_only() {
    let mut room = Room::novalink();
    let (one, two) = (room.partition_named("one"), room.partition_named("two"));
    room.upload(FileKind::BrokeredMediaIso, "cd.iso", None, 1000)
        .unwrap();
    room.map(0, vec![mapping(one, medium("cd.iso"))]).unwrap();
    assert!(
        room.map(0, vec![mapping(two, medium("cd.iso"))])
            .unwrap_err()
            .message
            .contains("cd.iso")
    );
}

#[test]
fn storage_that_is_not_there_cannot_be_mapped() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    for storage in [
        hdisk("hdisk99"),
        vdisk("none"),
        medium("none.iso"),
        lu("27ff"),
        hdisk("hdisk0"),
        hdisk("hdisk3"),
    ] {
        let refusal = room
            .map(0, vec![mapping(client, storage.clone())])
            .unwrap_err();
        assert_eq!(refusal.status, 500, "{storage:?}");
        assert!(refusal.message.contains("HSCL2970"));
    }
    room.update_group(1, "datavg", |group| {
        group.disks.as_mut().unwrap().push(disk("other", 1))
    })
    .unwrap();
    assert!(
        room.map(0, vec![mapping(client, vdisk("other"))]).is_err(),
        "a disk of the other server"
    );
}

#[test]
fn clients_must_exist() {
    let mut room = Room::novalink();
    assert!(
        room.map(0, vec![mapping(Uuid::from_u128(9), hdisk("hdisk7"))])
            .unwrap_err()
            .message
            .contains("HSCL8012")
    );
    let nobody = ScsiMapping {
        client: None,
        ..mapping(Uuid::nil(), hdisk("hdisk7"))
    };
    assert!(room.map(0, vec![nobody]).is_err());
    let client = room.partition_named("one");
    let unknown = ScsiMapping {
        server_udid: Some("1eU1-V2-C99".to_owned()),
        ..mapping(client, hdisk("hdisk7"))
    };
    assert!(
        room.map(0, vec![unknown])
            .unwrap_err()
            .message
            .contains("1eU1-V2-C99")
    );
}

#[test]
fn adapters_of_a_running_client_need_rmc() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    room.power(client, "PowerOn", &[]);
    room.wait(10_000);
    assert_eq!(room.partition(client).state, PartitionState::Running);
    assert!(
        room.map(0, vec![mapping(client, hdisk("hdisk7"))])
            .unwrap_err()
            .message
            .contains("HSCL2957")
    );
    let on_same_bus = on_bus(&room, 0, client, hdisk("hdisk7"));
    room.map(0, vec![on_same_bus]).unwrap();
    let without: Vec<ScsiMapping> = room
        .world
        .posted_mappings(room.vioses()[0])
        .into_iter()
        .filter(|posted| posted.client != Some(client))
        .collect();
    assert!(
        room.post_mappings(0, without.clone())
            .unwrap_err()
            .message
            .contains("HSCL2957")
    );
    room.wait(100_000);
    room.post_mappings(0, without).unwrap();
    assert!(buses_of(&room, 0, client).is_empty());
}

#[test]
fn a_server_that_is_down_takes_no_changes() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let cluster = Resource::Cluster(*room.world.clusters.keys().next().unwrap());
    let before = room.world.etag(&cluster, Facets::default());
    let vios = room.vioses()[1];
    room.submit(
        powervm_simulator::model::job::JobTarget::VirtualIoServer(vios),
        "PowerOff",
        &[("immediate", "true")],
    );
    assert_ne!(
        room.world.etag(&cluster, Facets::default()),
        before,
        "a node is down"
    );
    assert_eq!(room.vios(1).partition.state, PartitionState::NotActivated);
    assert!(
        room.map(1, vec![mapping(client, hdisk("hdisk7"))])
            .unwrap_err()
            .message
            .contains("cannot be reached")
    );
    assert!(
        room.update_group(1, "rootvg", |group| group
            .disks
            .as_mut()
            .unwrap()
            .push(disk("x", 1)))
            .is_err()
    );
    let unit = super::support::unit(room.tier(), "still", 1, None);
    room.done(Command::CreateLogicalUnit(unit));
    room.submit(
        powervm_simulator::model::job::JobTarget::VirtualIoServer(vios),
        "PowerOn",
        &[],
    );
    room.wait(1_000);
    room.map(1, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
}

#[test]
fn tags_cover_only_the_groups_asked_for() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let resource = Resource::VirtualIoServer(room.vioses()[0]);
    let mappings = Facets {
        scsi_mappings: true,
        ..Facets::default()
    };
    let storage = Facets {
        storage: true,
        ..Facets::default()
    };
    let tags = |room: &Room| {
        [Facets::default(), mappings, storage]
            .map(|facets| room.world.etag(&resource, facets).unwrap())
    };
    let before = tags(&room);
    let unit = room.unit("lu", 1, None);
    let udid = room.unit_udid(unit);
    assert_eq!(tags(&room), before, "a logical unit is no part of a server");
    room.map(0, vec![mapping(client, lu(&udid))]).unwrap();
    let mapped = tags(&room);
    assert_eq!((mapped[0], mapped[2]), (before[0], before[2]));
    assert_ne!(mapped[1], before[1]);
    room.update_group(0, "datavg", |group| {
        group.disks.as_mut().unwrap().push(disk("lv", 1))
    })
    .unwrap();
    let stored = tags(&room);
    assert_eq!((stored[0], stored[1]), (mapped[0], mapped[1]));
    assert_ne!(stored[2], mapped[2]);
    room.map(0, vec![mapping(client, hdisk("hdisk7"))]).unwrap();
    assert_ne!(
        tags(&room)[2],
        stored[2],
        "the volume is no longer available for usage"
    );
}

#[test]
fn a_medium_can_leave_its_drive_after_the_boot() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    room.upload(FileKind::BrokeredMediaIso, "cfg.iso", None, 1000)
        .unwrap();
    room.map(0, vec![mapping(client, medium("cfg.iso"))])
        .unwrap();
    room.power(
        client,
        "PowerOn",
        &[
            ("remove_optical_name", "cfg.iso"),
            ("remove_optical_time", "30"),
        ],
    );
    room.wait(20_000);
    let loaded = |room: &Room| {
        room.vios(0)
            .devices()
            .any(|(_, device)| device.target.starts_with("vtopt"))
    };
    assert!(loaded(&room));
    room.wait(15_000);
    assert!(!loaded(&room));
    assert!(
        room.vios(0)
            .repository_group()
            .unwrap()
            .repository
            .as_ref()
            .unwrap()
            .media
            .contains_key("cfg.iso")
    );
}
