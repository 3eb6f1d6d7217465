//! Partitions: creation, change, deletion.

use powervm_simulator::model::command::*;
use powervm_simulator::model::names::*;
use powervm_simulator::model::partition::ProcessorSetting;
use powervm_simulator::model::storage::Content;
use powervm_simulator::model::units::ProcUnits;
use powervm_simulator::model::{Command, Facets, Flavor, Outcome, Owner, Resource};
use uuid::Uuid;

use super::support::{Room, dedicated, hdisk, mapping, shared};

fn create_refused(change: impl FnOnce(&mut CreatePartition)) -> String {
    let mut room = Room::new(Flavor::Hmc);
    room.partition_named("taken");
    let mut create = room.create("new");
    change(&mut create);
    room.refused(Command::CreatePartition(Box::new(create)))
}

#[test]
fn a_new_partition_is_off_and_has_the_lowest_free_id() {
    let mut room = Room::novalink();
    let uuid = room.partition_named("one");
    let partition = room.partition(uuid);
    assert_eq!(
        (partition.state, partition.rmc, partition.id),
        (PartitionState::NotActivated, RmcState::Inactive, 4)
    );
    assert_eq!(
        (partition.reference_code.as_str(), partition.maximum_slots),
        ("00000000", 64)
    );
    assert_eq!(partition.os_version, "Unknown");
    let two = room.partition_named("two");
    assert_eq!(room.partition(two).id, 5);
    room.done(crate::support::delete_partition(uuid));
    let three = room.partition_named("three");
    assert_eq!(room.partition(three).id, 4);
}

#[test]
fn the_uuid_asked_for_is_kept() {
    let mut room = Room::novalink();
    let uuid = Uuid::from_u128(0x0D7D_0001);
    let create = CreatePartition {
        uuid: Some(uuid),
        ..room.create("one")
    };
    assert_eq!(
        room.done(Command::CreatePartition(Box::new(create))),
        Outcome::Written(Resource::LogicalPartition(uuid))
    );
    let again = CreatePartition {
        uuid: Some(uuid),
        ..room.create("two")
    };
    assert!(
        room.refused(Command::CreatePartition(Box::new(again)))
            .contains("UUID")
    );
}

#[test]
fn what_no_server_would_create_is_refused() {
    assert!(create_refused(|create| create.name = "taken".to_owned()).contains("HSCL05DE"));
    assert!(create_refused(|create| create.name = "vios1".to_owned()).contains("HSCL05DE"));
    for name in [
        "",
        " ",
        "12345678901234567890123456789012",
        "a(b",
        "a*b",
        "a\"b",
        "ä",
        "a\nb",
    ] {
        assert!(
            create_refused(|create| create.name = name.to_owned()).contains("HSCL0617"),
            "{name:?}"
        );
    }
    assert!(
        create_refused(|create| create.description = Some("ä".to_owned())).contains("HSCLC63B")
    );
    assert!(
        create_refused(|create| create.kind = PartitionKind::VirtualIoServer)
            .starts_with(" REST0140")
    );
    assert!(create_refused(|create| create.memory.desired = Some(8192)).contains("REST0264"));
    assert!(create_refused(|create| create.memory.desired = Some(512)).contains("minimum memory"));
    assert!(create_refused(|create| create.memory.desired = Some(2000)).contains("multiple"));
    assert!(create_refused(|create| create.memory.maximum = Some(1 << 40)).contains("more than"));
    assert!(create_refused(|create| create.memory.desired = None).contains("desired_mem"));
    for slots in [0, 1, 65_535] {
        assert!(create_refused(|create| create.maximum_slots = Some(slots)).contains("65534"));
    }
    assert!(
        create_refused(|create| create.settings.compatibility = CompatibilityMode::Power10)
            .contains("POWER10")
    );
    assert!(create_refused(|create| create.settings.secure_boot = 10).contains("secure boot"));
    assert!(create_refused(|create| create.id = Some(1)).contains("HSCL0617"));
    assert!(create_refused(|create| create.id = Some(0)).contains("HSCL0617"));
    assert!(create_refused(|create| create.nvram = Some("A".repeat(100_000))).contains("NVRAM"));
}

#[test]
fn processors_must_suit() {
    let with = |change: fn(&mut ProcessorRequest)| {
        create_refused(|create| {
            let mut processors = shared(50, 1);
            change(&mut processors);
            create.processors = Some(processors);
        })
    };
    assert!(with(|processors| processors.dedicated = None).contains("proc_mode"));
    assert!(with(|processors| processors.desired_virtual = Some(0)).contains("HSCL0617"));
    assert!(with(|processors| processors.maximum_virtual = Some(257)).contains("HSCL0617"));
    assert!(
        with(|processors| processors.desired_units = Some(ProcUnits::from_hundredths(60)))
            .contains("HSCL0617")
    );
    assert!(
        with(|processors| processors.maximum_units = Some(ProcUnits::from_hundredths(110)))
            .contains("HSCL0622")
    );
    assert!(
        with(|processors| processors.minimum_units = Some(ProcUnits::from_hundredths(4)))
            .contains("HSCL0622")
    );
    assert!(with(|processors| processors.pool = Some(3)).contains("SharedPool03"));
    let missing =
        with(|processors| (processors.minimum_virtual, processors.minimum_units) = (None, None));
    assert!(
        missing.contains("min_procs") && missing.contains("min_proc_units"),
        "{missing}"
    );
    let several = with(|processors| {
        (
            processors.desired_virtual,
            processors.maximum_virtual,
            processors.desired_units,
        ) = (Some(2), Some(2), None);
    });
    assert!(several.contains("HSCL0622"));
    let without_mode = create_refused(|create| {
        create.processors = Some(ProcessorRequest {
            sharing: None,
            ..dedicated(2)
        })
    });
    assert!(without_mode.contains("sharing_mode"), "{without_mode}");
    assert!(
        create_refused(|create| create.processors = Some(dedicated(1000))).contains("HSCL0617")
    );
}

#[test]
fn whoever_asks_for_no_processors_gets_one() {
    let mut room = Room::novalink();
    let create = CreatePartition {
        processors: None,
        ..room.create("one")
    };
    room.done(Command::CreatePartition(Box::new(create)));
    let partition = room
        .world
        .partitions
        .values()
        .find(|partition| partition.name == "one")
        .unwrap();
    let expected = ProcessorSetting::Dedicated {
        minimum: 1,
        desired: 1,
        maximum: 1,
        sharing: SharingMode::SharedIdle,
    };
    assert_eq!(partition.processors.configured, expected);
}

#[test]
fn a_partition_that_is_off_can_be_changed() {
    let mut room = Room::novalink();
    let uuid = room.partition_named("one");
    let owner = Owner::Partition(uuid);
    let mut update = UpdatePartition::of(owner);
    update.name = Some("renamed".to_owned());
    update.memory = MemoryRequest {
        minimum: Some(512),
        desired: Some(8192),
        maximum: Some(8192),
        ..MemoryRequest::default()
    };
    update.processors = Some(dedicated(2));
    update.maximum_slots = Some(200);
    room.update(update).unwrap();
    let partition = room.partition(uuid);
    assert_eq!(
        (
            partition.name.as_str(),
            partition.memory.current,
            partition.maximum_slots
        ),
        ("renamed", 8192, 200)
    );
    assert_eq!(
        partition.processors.current,
        partition.processors.configured
    );
    let taken = UpdatePartition {
        name: Some("vios1".to_owned()),
        ..UpdatePartition::of(owner)
    };
    assert!(room.update(taken).unwrap_err().message.contains("HSCL05DE"));
}

#[test]
fn nothing_changed_changes_no_tag() {
    let mut room = Room::novalink();
    let uuid = room.partition_named("one");
    let resource = Resource::LogicalPartition(uuid);
    let before = room.world.etag(&resource, Facets::default()).unwrap();
    room.update(UpdatePartition {
        name: Some("one".to_owned()),
        ..UpdatePartition::of(Owner::Partition(uuid))
    })
    .unwrap();
    assert_eq!(room.world.etag(&resource, Facets::default()), Some(before));
    room.update(UpdatePartition {
        nvram: Some("AAAA".to_owned()),
        ..UpdatePartition::of(Owner::Partition(uuid))
    })
    .unwrap();
    assert_ne!(
        room.world.etag(
            &resource,
            Facets {
                nvram: true,
                ..Facets::default()
            }
        ),
        Some(before)
    );
    assert_eq!(
        room.world
            .etag(&Resource::LogicalPartition(Uuid::nil()), Facets::default()),
        None
    );
}

#[test]
fn a_running_partition_changes_within_its_bounds_with_rmc() {
    let mut room = Room::typical(Flavor::Hmc);
    let uuid = room.bootable("one");
    let owner = Owner::Partition(uuid);
    room.power(uuid, "PowerOn", &[]);
    room.wait(10_000);
    let memory = |desired| UpdatePartition {
        memory: MemoryRequest {
            desired: Some(desired),
            ..MemoryRequest::default()
        },
        ..UpdatePartition::of(owner)
    };
    assert!(
        room.update(memory(3072))
            .unwrap_err()
            .message
            .contains("HSCL2957")
    );
    room.wait(100_000);
    let available = room.world.available_memory(room.system());
    room.update(memory(3072)).unwrap();
    assert_eq!(room.partition(uuid).memory.current, 3072);
    assert_eq!(room.world.available_memory(room.system()), available - 1024);
    let maximum = UpdatePartition {
        memory: MemoryRequest {
            maximum: Some(8192),
            ..MemoryRequest::default()
        },
        ..UpdatePartition::of(owner)
    };
    assert!(
        room.update(maximum)
            .unwrap_err()
            .message
            .contains("REST012A")
    );
    assert!(
        room.update(UpdatePartition {
            maximum_slots: Some(128),
            ..UpdatePartition::of(owner)
        })
        .is_err()
    );
    assert!(
        room.update(UpdatePartition {
            processors: Some(dedicated(1)),
            ..UpdatePartition::of(owner)
        })
        .is_err()
    );
}

#[test]
fn a_forced_change_does_without_rmc() {
    let mut room = Room::typical(Flavor::NovaLink);
    let uuid = room.partition_named("one");
    room.power(uuid, "PowerOn", &[]);
    room.wait(30_000);
    assert_eq!(room.partition(uuid).state, PartitionState::OpenFirmware);
    let mut update = UpdatePartition::of(Owner::Partition(uuid));
    update.memory.desired = Some(4096);
    assert!(room.update(update.clone()).is_err());
    update.force = true;
    room.update(update).unwrap();
    assert_eq!(room.partition(uuid).memory.current, 4096);
}

#[test]
fn only_a_partition_that_is_off_and_closed_can_be_deleted() {
    let mut room = Room::novalink();
    let uuid = room.partition_named("one");
    room.power(uuid, "PowerOn", &[]);
    assert!(
        room.refused(crate::support::delete_partition(uuid))
            .contains("HSCL05DF")
    );
    room.power(
        uuid,
        "PowerOff",
        &[("operation", "shutdown"), ("immediate", "true")],
    );
    room.done(Command::OpenConsole(uuid));
    assert!(
        room.refused(crate::support::delete_partition(uuid))
            .contains("HSCL151B")
    );
    room.power(uuid, "CloseVterm", &[]);
    room.done(crate::support::delete_partition(uuid));
    assert_eq!(
        room.apply(crate::support::delete_partition(uuid))
            .unwrap_err()
            .status,
        404
    );
    let management = room
        .world
        .partitions
        .values()
        .find(|partition| partition.is_management)
        .unwrap()
        .uuid;
    assert!(
        room.refused(crate::support::delete_partition(management))
            .contains("management")
    );
}

#[test]
fn deletion_leaves_nothing_but_the_storage() {
    let mut room = Room::novalink();
    let before = room.world.listing();
    let uuid = room.partition_named("one");
    room.plug(Owner::Partition(uuid), |adapter| adapter.vlan = 77)
        .unwrap();
    room.map(0, vec![mapping(uuid, hdisk("hdisk7"))]).unwrap();
    room.map(1, vec![mapping(uuid, hdisk("hdisk7"))]).unwrap();
    assert!(
        room.world
            .systems
            .values()
            .any(|system| system.networks.values().any(|network| network.vlan == 77))
    );
    room.done(crate::support::delete_partition(uuid));
    let left = powervm_simulator::model::listing::differences(&before, &room.world.listing());
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn differences_name_what_came_went_and_changed() {
    let mut room = Room::novalink();
    let stays = room.partition_named("stays");
    let goes = room.partition_named("goes");
    let before = room.world.listing();
    room.done(crate::support::delete_partition(goes));
    room.partition_named("comes");
    room.update(UpdatePartition {
        nvram: Some("AAAA".to_owned()),
        ..UpdatePartition::of(Owner::Partition(stays))
    })
    .unwrap();
    let found = powervm_simulator::model::listing::differences(&before, &room.world.listing());
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("+ partition neo/comes"));
    assert!(lines[1].starts_with("- partition neo/goes"));
    assert!(lines[2].starts_with("~ partition neo/stays"));
}

#[test]
fn a_change_of_the_content_shows_in_the_listing() {
    let mut room = Room::novalink();
    let unit = room.unit("lu", 1, None);
    let before = room.world.listing();
    let udid = room.unit_udid(unit);
    room.upload(FileKind::BrokeredDiskImage, "image", Some(udid), 9)
        .unwrap();
    let written = room.world.logical_unit(room.tier(), unit).unwrap().content;
    assert_eq!(
        written,
        Some(Content {
            bytes: 9,
            sha256: [9; 32]
        })
    );
    assert_ne!(before, room.world.listing());
}
