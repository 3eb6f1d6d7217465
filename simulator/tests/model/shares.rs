//! What partitions share of a system: processor pools, its memory pool, virtual serial numbers.

use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::memory_pool::PagingDevice;
use powervm_simulator::model::names::*;
use powervm_simulator::model::processor_pool::SharedProcessorPool;
use powervm_simulator::model::storage::VolumeUsage;
use powervm_simulator::model::units::ProcUnits;
use powervm_simulator::model::{Command, Flavor, Outcome, Owner, Refusal, Resource};
use uuid::Uuid;

use super::support::{Room, shared};

fn pool(room: &Room, id: u8) -> SharedProcessorPool {
    (*room.world.systems[&room.system()].processor_pools[&id]).clone()
}

fn change(
    room: &mut Room,
    id: u8,
    name: Option<&str>,
    maximum: Option<u32>,
    reserved: Option<u32>,
) -> Result<Outcome, Refusal> {
    let (system, pool) = (room.system(), pool(room, id).uuid);
    room.apply(Command::UpdateProcessorPool(UpdateProcessorPool {
        system,
        pool,
        name: name.map(str::to_owned),
        maximum: maximum.map(ProcUnits::whole),
        reserved: reserved.map(ProcUnits::whole),
    }))
}

fn in_pool(room: &Room, name: &str, pool: u8, units: u32) -> CreatePartition {
    let mut create = room.create(name);
    let mut processors = shared(units, 2);
    processors.pool = Some(pool);
    create.processors = Some(processors);
    create
}

#[test]
fn a_pool_takes_partitions_once_it_has_processors() {
    let mut room = Room::novalink();
    let system = room.system();
    assert_eq!(room.world.systems[&system].processor_pools.len(), 64);
    assert_eq!(pool(&room, 0).name, "DefaultPool");
    assert_eq!(pool(&room, 7).name, "SharedPool07");
    let create = in_pool(&room, "one", 7, 150);
    let text = room.refused(Command::CreatePartition(Box::new(create.clone())));
    assert!(text.contains("HSCL0617"), "{text}");
    change(&mut room, 7, Some("gold"), Some(2), Some(0)).unwrap();
    room.done(Command::CreatePartition(Box::new(create)));
    let left = |room: &Room| {
        room.world
            .available_in_processor_pool(system, &pool(room, 7))
    };
    assert_eq!(left(&room), ProcUnits::from_hundredths(50));
    let second = in_pool(&room, "two", 7, 60);
    assert!(
        room.refused(Command::CreatePartition(Box::new(second)))
            .contains("gold")
    );
    // Less than what is promised, or more than there is, cannot be had.
    assert!(change(&mut room, 7, None, Some(1), None).is_err());
    assert!(change(&mut room, 7, None, Some(100_000), None).is_err());
    assert!(change(&mut room, 7, None, None, Some(1)).is_err());
    change(&mut room, 7, None, Some(3), Some(1)).unwrap();
    assert_eq!(left(&room), ProcUnits::from_hundredths(50));
}

#[test]
fn a_reservation_is_taken_from_the_system() {
    let mut room = Room::novalink();
    let free = room.world.available_processors(room.system());
    change(&mut room, 3, None, Some(4), Some(2)).unwrap();
    let after = room.world.available_processors(room.system());
    assert_eq!(free.minus(after), ProcUnits::whole(2));
    change(&mut room, 3, None, Some(0), Some(0)).unwrap();
    assert_eq!(room.world.available_processors(room.system()), free);
}

#[test]
fn names_of_pools_are_short_and_unique() {
    let mut room = Room::novalink();
    for name in ["", "  ", "fifteen letters", "SharedPool02", "naïve"] {
        assert!(
            change(&mut room, 1, Some(name), None, None).is_err(),
            "{name}"
        );
    }
    assert!(change(&mut room, 0, Some("mine"), None, None).is_err());
    change(
        &mut room,
        1,
        Some("m. l ordinateur").filter(|name| name.len() < 15),
        None,
        None,
    )
    .unwrap();
    change(&mut room, 1, Some("my pool"), None, None).unwrap();
    assert_eq!(pool(&room, 1).name, "my pool");
}

fn memory_pool(room: &Room) -> MemoryPoolRequest {
    MemoryPoolRequest {
        system: room.system(),
        size: Some(4096),
        paging_servers: Some(room.vioses()),
        devices: Some(vec!["hdisk7".to_owned(), "hdisk8".to_owned()]),
        ..MemoryPoolRequest::default()
    }
}

#[test]
fn a_memory_pool_comes_and_goes() {
    let mut room = Room::new(Flavor::Hmc);
    let system = room.system();
    let free = room.world.available_memory(system);
    let create = memory_pool(&room);
    room.done(Command::CreateMemoryPool(create.clone()));
    assert_eq!(free - room.world.available_memory(system), 4096);
    assert!(
        room.refused(Command::CreateMemoryPool(create))
            .contains("already")
    );
    let usage = |room: &Room, name: &str| room.vios(0).physical_volume(name).unwrap().usage;
    assert_eq!(usage(&room, "hdisk7"), VolumeUsage::Paging);
    let update = |size, devices: &[&str]| MemoryPoolRequest {
        system,
        size: Some(size),
        maximum: Some(8192),
        devices: Some(devices.iter().map(|name| (*name).to_owned()).collect()),
        ..MemoryPoolRequest::default()
    };
    let udid = room.vios(0).physical_volume("hdisk7").unwrap().udid.clone();
    room.done(Command::UpdateMemoryPool(update(8192, &[&udid])));
    assert_eq!(usage(&room, "hdisk8"), VolumeUsage::Unused);
    for bad in [
        update(100, &[&udid]),
        update(1 << 30, &[&udid]),
        update(8192, &["nothing"]),
    ] {
        assert!(room.apply(Command::UpdateMemoryPool(bad)).is_err());
    }
    room.done(Command::DeleteMemoryPool(system));
    assert_eq!(room.world.available_memory(system), free);
    assert_eq!(usage(&room, "hdisk7"), VolumeUsage::Unused);
}

#[test]
fn partitions_share_its_memory() {
    let mut room = Room::new(Flavor::Hmc);
    let system = room.system();
    let mut create = room.create("one");
    create.memory.shared = Some(true);
    create.memory.entitled = Some(512);
    assert!(
        room.apply(Command::CreatePartition(Box::new(create.clone())))
            .is_err()
    );
    let request = memory_pool(&room);
    room.done(Command::CreateMemoryPool(request));
    let free = room.world.available_memory(system);
    let Outcome::Written(Resource::LogicalPartition(client)) =
        room.done(Command::CreatePartition(Box::new(create)))
    else {
        panic!()
    };
    let pages =
        |room: &Room, device: &PagingDevice| room.world.paging_partition(system, device).is_some();
    let on = room.power(client, "PowerOn", &[]);
    room.succeeded(on);
    let pool = room.world.systems[&system].memory_pool.clone().unwrap();
    assert_eq!(
        room.world.available_in_memory_pool(system, &pool),
        4096 - 263 - 512
    );
    // Only the page table is taken from the system.
    assert!(free - room.world.available_memory(system) < 2048);
    assert!(pool.devices.iter().any(|device| pages(&room, device)));
    assert!(
        room.refused(Command::DeleteMemoryPool(system))
            .contains("one")
    );
    room.power(client, "PowerOff", &[("immediate", "true")]);
    let pool = room.world.systems[&system].memory_pool.clone().unwrap();
    assert!(!pool.devices.iter().any(|device| pages(&room, device)));
    room.done(crate::support::delete_partition(client));
    room.done(Command::DeleteMemoryPool(system));
}

fn numbers(room: &Room) -> Vec<(String, Option<Uuid>, bool)> {
    room.world.systems[&room.system()]
        .serial_numbers
        .values()
        .map(|number| (number.number.clone(), number.partition, number.auto_assign))
        .collect()
}

#[test]
fn virtual_serial_numbers_are_added_assigned_and_removed() {
    let mut room = Room::novalink();
    let system = JobTarget::ManagedSystem(room.system());
    let job = |room: &mut Room, operation: &str, number: &str| {
        room.submit(system, operation, &[("VirtualSerialNumber", number)])
    };
    for number in ["VSN0001", "VSN0002"] {
        let added = job(&mut room, "AddVSN", number);
        room.succeeded(added);
    }
    for bad in ["VSN0001", "short", "vsn0003", "EIGHT123"] {
        let refused = job(&mut room, "AddVSN", bad);
        room.failure(refused);
    }
    let mut create = room.create("one");
    create.serial_number = Some("auto".to_owned());
    let Outcome::Written(Resource::LogicalPartition(client)) =
        room.done(Command::CreatePartition(Box::new(create)))
    else {
        panic!()
    };
    assert_eq!(
        room.partition(client).serial_number.as_deref(),
        Some("VSN0001")
    );
    assert_eq!(numbers(&room)[0].1, Some(client));
    let refused = job(&mut room, "RemoveVSN", "VSN0001");
    assert!(room.failure(refused).contains("assigned"));
    let mut taken = room.create("two");
    taken.serial_number = Some("VSN0001".to_owned());
    assert!(
        room.apply(Command::CreatePartition(Box::new(taken)))
            .is_err()
    );
    let mut other = UpdatePartition::of(Owner::Partition(client));
    other.serial_number = Some("VSN0002".to_owned());
    room.update(other).unwrap();
    // A number that was given back is not handed out by itself any more.
    assert_eq!(numbers(&room)[0], ("VSN0001".to_owned(), None, false));
    room.done(Command::DeletePartition {
        partition: client,
        reset_serial_number: true,
    });
    assert_eq!(numbers(&room)[1], ("VSN0002".to_owned(), None, true));
    let removed = job(&mut room, "RemoveVSN", "VSN0002");
    room.succeeded(removed);
    assert_eq!(numbers(&room).len(), 1);
}

#[test]
fn profiles_come_go_and_are_activated() {
    let mut room = Room::new(Flavor::Hmc);
    let client = room.bootable("one");
    let owner = Owner::Partition(client);
    assert_eq!(room.partition(client).profiles.len(), 1);
    let request = |name: Option<&str>, memory| ProfileRequest {
        owner,
        name: name.map(str::to_owned),
        memory: MemoryRequest {
            desired: Some(memory),
            maximum: Some(memory),
            ..MemoryRequest::default()
        },
        processors: None,
        maximum_slots: None,
    };
    let Outcome::Written(Resource::LogicalPartitionProfile { profile, .. }) = room.done(
        Command::CreateProfile(Box::new(request(Some("large"), 4096))),
    ) else {
        panic!()
    };
    assert!(
        room.apply(Command::CreateProfile(Box::new(request(
            Some("large"),
            4096
        ))))
        .is_err()
    );
    assert!(
        room.apply(Command::CreateProfile(Box::new(request(None, 4096))))
            .is_err()
    );
    assert!(
        room.apply(Command::CreateProfile(Box::new(request(Some("odd"), 4097))))
            .is_err()
    );
    let default = room.partition(client).profile;
    let deletion = Command::DeleteProfile {
        owner,
        profile: default,
    };
    assert!(room.refused(deletion).contains("default profile"));
    let uuid = profile.to_string();
    let on = room.power(client, "PowerOn", &[("LogicalPartitionProfile", &uuid)]);
    room.succeeded(on);
    assert_eq!(room.partition(client).memory.current, 4096);
    room.done(Command::UpdateProfile {
        profile,
        request: Box::new(request(Some("larger"), 8192)),
    });
    assert_eq!(room.partition(client).memory.current, 4096);
    room.done(Command::DeleteProfile { owner, profile });
    assert_eq!(room.partition(client).profiles.len(), 1);
}

#[test]
fn a_partition_sleeps_and_wakes() {
    let mut room = Room::new(Flavor::Hmc);
    let system = room.system();
    let client = room.bootable("one");
    room.power(client, "PowerOn", &[]);
    room.wait(1_000);
    let refused = room.power(client, "Suspend", &[]);
    assert!(room.failure(refused).contains("not capable"));
    room.power(client, "PowerOff", &[("immediate", "true")]);
    let mut update = UpdatePartition::of(Owner::Partition(client));
    let mut settings = room.partition(client).settings.clone();
    settings.suspend = true;
    update.settings = Some(settings);
    room.update(update).unwrap();
    let free = room.world.available_memory(system);
    room.power(client, "PowerOn", &[]);
    room.wait(1_000);
    room.world.pace.suspend_step = powervm_simulator::model::pace::Span::ms(100, 100);
    let suspend = room.power(client, "Suspend", &[]);
    let shown = |room: &Room| {
        (
            room.partition(client).state,
            room.partition(client).progress,
        )
    };
    assert_eq!(
        shown(&room),
        (
            PartitionState::Suspending,
            Some(ProgressState::HibernateValidating)
        )
    );
    room.wait(250);
    assert_eq!(shown(&room).1, Some(ProgressState::HibernateSavingHmcData));
    room.wait(1_000);
    room.succeeded(suspend);
    assert_eq!(shown(&room), (PartitionState::Suspended, None));
    assert_eq!(room.world.available_memory(system), free);
    let on = room.power(client, "PowerOn", &[]);
    assert_ne!(room.job(on).status, JobStatus::CompletedOk);
    let resume = room.power(client, "Resume", &[]);
    room.wait(2_000);
    room.succeeded(resume);
    assert_eq!(shown(&room), (PartitionState::Running, None));
    assert!(room.partition(client).rmc.is_up());
    // On the way nothing may come between.
    let again = room.power(client, "Suspend", &[]);
    room.wait(150);
    let off = room.power(client, "PowerOff", &[("immediate", "true")]);
    room.wait(2_000);
    room.failure(off);
    room.succeeded(again);
    assert_eq!(shown(&room), (PartitionState::Suspended, None));
}

#[test]
fn only_the_controller_changes_a_system() {
    let mut room = Room::novalink();
    let system = room.system();
    let job = |room: &mut Room, operation: &str, parameters: &[(&str, &str)]| {
        room.submit(JobTarget::ManagedSystem(system), operation, parameters)
    };
    let released = job(&mut room, "ReleaseController", &[]);
    room.succeeded(released);
    let create = room.create("one");
    assert!(
        room.refused(Command::CreatePartition(Box::new(create.clone())))
            .contains("controller")
    );
    let wrong = job(
        &mut room,
        "RequestController",
        &[("coManagementControllerStatus", "odd")],
    );
    room.failure(wrong);
    let temporary = job(
        &mut room,
        "RequestController",
        &[("coManagementControllerStatus", "temp")],
    );
    room.succeeded(temporary);
    assert!(room.world.systems[&system].is_temporary_controller);
    room.done(Command::CreatePartition(Box::new(create)));
}

#[test]
fn a_system_is_switched_off_and_on() {
    let mut room = Room::new(Flavor::Hmc);
    let system = room.system();
    let client = room.partition_named("one");
    let target = JobTarget::ManagedSystem(system);
    let off = room.submit(target, "PowerOff", &[]);
    assert!(room.failure(off).starts_with("HSCL0831"));
    for server in room.vioses() {
        let target = JobTarget::VirtualIoServer(server);
        room.submit(target, "PowerOff", &[("immediate", "true")]);
    }
    let off = room.submit(target, "PowerOff", &[]);
    room.succeeded(off);
    assert_eq!(room.world.systems[&system].state, SystemState::PowerOff);
    assert_eq!(room.partition(client).state, PartitionState::NotAvailable);
    let on = room.submit(target, "PowerOn", &[]);
    room.succeeded(on);
    assert_eq!(room.partition(client).state, PartitionState::NotActivated);
}

#[test]
fn a_partition_takes_the_identity_of_another() {
    let mut room = Room::novalink();
    let (old, new) = (room.partition_named("old"), room.bootable("new"));
    let adapter = room.plug(Owner::Partition(new), |_| {}).unwrap();
    let clone = room.power(old, "CloneUUID", &[("targetLparName", "new")]);
    room.succeeded(clone);
    assert!(!room.world.partitions.contains_key(&new));
    let after = room.partition(old);
    assert_eq!(after.name, "new");
    assert!(after.network_adapters.contains_key(&adapter));
    assert_eq!(room.world.scsi_client_adapters(old).len(), 1);
    let on = room.power(old, "PowerOn", &[]);
    room.succeeded(on);
}
