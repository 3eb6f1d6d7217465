//! What has to hold before a partition may move.

use super::*;

#[test]
fn every_condition_is_checked() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let unknown = pair
        .room
        .power(client, "Migrate", &[("TargetManagedSystemName", "nowhere")]);
    assert!(pair.room.failure(unknown).contains("nowhere"));
    let missing = pair.room.power(client, "Migrate", &[]);
    assert!(
        pair.room
            .failure(missing)
            .contains("TargetManagedSystemName")
    );
    let itself = pair
        .room
        .power(client, "Migrate", &[("TargetManagedSystemName", "neo")]);
    assert!(pair.room.failure(itself).contains("already"));
    let other = [
        ("TargetManagedSystemName", "nowhere"),
        ("TargetRemoteHMCIPAddress", "192.0.2.77"),
        ("TargetRemoteHMCUserID", "hscroot"),
    ];
    let console = pair.room.power(client, "Migrate", &other);
    assert!(pair.room.failure(console).starts_with("HSCL3653"));
    assert!(
        pair.refused(client, &[("DestinationLparID", "1")])
            .starts_with("HSCL0617")
    );
    assert!(
        pair.refused(client, &[("SharedProcPoolID", "5")])
            .contains("SharedPool05")
    );
    let mut create = pair.room.create("one");
    create.system = pair.target;
    pair.room.done(Command::CreatePartition(Box::new(create)));
    assert!(pair.refused(client, &[]).contains("HSCL05DE"));
    let mut rename = UpdatePartition::of(Owner::Partition(client));
    rename.name = Some("other".to_owned());
    pair.room.update(rename).unwrap();
    pair.set(client, |settings| settings.migration_disabled = true);
    assert!(pair.refused(client, &[]).contains("disabled"));
    pair.set(client, |settings| settings.migration_disabled = false);
    let job = pair.migrate(client, &[]);
    pair.room.succeeded(job);
}

#[test]
fn the_target_needs_room_and_the_right_processors() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let big = pair.room.world.available_memory(pair.target);
    let mut glutton = pair.room.create("glutton");
    glutton.system = pair.target;
    glutton.memory = MemoryRequest {
        minimum: Some(256),
        desired: Some(big / 2),
        maximum: Some(big / 2),
        ..MemoryRequest::default()
    };
    let Outcome::Written(Resource::LogicalPartition(glutton)) =
        pair.room.done(Command::CreatePartition(Box::new(glutton)))
    else {
        panic!()
    };
    let on = pair.room.power(glutton, "PowerOn", &[]);
    pair.room.succeeded(on);
    let left = pair.room.world.available_memory(pair.target);
    let mut grow = pair.room.create("filler");
    grow.system = pair.target;
    grow.memory = MemoryRequest {
        minimum: Some(256),
        desired: Some((left * 9 / 10) / 256 * 256),
        maximum: Some((left * 9 / 10) / 256 * 256),
        ..MemoryRequest::default()
    };
    let Outcome::Written(Resource::LogicalPartition(filler)) =
        pair.room.done(Command::CreatePartition(Box::new(grow)))
    else {
        panic!()
    };
    pair.room.power(filler, "PowerOn", &[]);
    let left = pair.room.world.available_memory(pair.target);
    if left < 2048 + 256 {
        assert!(pair.refused(client, &[]).starts_with("HSCL03EC"));
    }
    pair.room.power(filler, "PowerOff", &HARD);
    pair.room.power(glutton, "PowerOff", &HARD);
    // POWER8 is what it runs in; a system without that mode cannot go on with it.
    let target = pair.target;
    let system = std::sync::Arc::make_mut(pair.room.world.systems.get_mut(&target).unwrap());
    let modes = std::mem::take(&mut system.processors.compatibility_modes);
    system.processors.compatibility_modes = vec![CompatibilityMode::Default];
    assert!(pair.refused(client, &[]).contains("compatibility mode"));
    let system = std::sync::Arc::make_mut(pair.room.world.systems.get_mut(&target).unwrap());
    system.processors.compatibility_modes = modes;
    let job = pair.migrate(client, &[]);
    pair.room.succeeded(job);
}

#[test]
fn two_novalinks_need_keys() {
    let mut pair = Pair::novalinks();
    let client = pair.running("one");
    let world = &pair.room.world;
    let (here, there) = (world.console_of(pair.source), world.console_of(pair.target));
    assert_ne!(here.uuid, there.uuid);
    assert_ne!(here.public_ssh_key, there.public_ssh_key);
    let (key, there) = (here.public_ssh_key.clone().unwrap(), there.uuid);
    let remote = [
        ("TargetRemoteHMCIPAddress", "192.0.2.11"),
        ("TargetRemoteHMCUserID", "wlp"),
    ];
    let text = pair.refused(client, &remote);
    assert!(
        text.starts_with("HSCL3653") && text.contains("wlp on 192.0.2.11"),
        "{text}"
    );
    // The target's own key helps nobody, the source's does, whatever its comment says.
    let own = pair
        .room
        .world
        .console_of(pair.target)
        .public_ssh_key
        .clone();
    pair.room.done(Command::UpdateConsole {
        console: there,
        authorized_keys: vec![own.unwrap()],
    });
    pair.refused(client, &remote);
    let key = key.replace("wlp@", "somebody@");
    pair.room.done(Command::UpdateConsole {
        console: there,
        authorized_keys: vec!["ssh-rsa AAAAother x".to_owned(), key],
    });
    let job = pair.migrate(client, &remote);
    pair.room.succeeded(job);
    assert_eq!(pair.room.partition(client).system, pair.target);
    // The way back needs the other key.
    let back = [("TargetManagedSystemName", "neo")];
    let job = pair.room.power(client, "Migrate", &back);
    assert!(pair.room.failure(job).starts_with("HSCL3653"));
    let unknown = pair.room.refused(Command::UpdateConsole {
        console: Uuid::nil(),
        authorized_keys: Vec::new(),
    });
    assert!(unknown.contains("ManagementConsole"));
}

#[test]
fn the_management_partition_stays() {
    let mut pair = Pair::novalinks();
    pair.trust();
    let management = pair
        .room
        .world
        .partitions_of(pair.source)
        .find(|partition| partition.is_management)
        .unwrap()
        .uuid;
    assert!(
        pair.refused(management, &[])
            .contains("management partition")
    );
}

#[test]
fn movers_are_named_by_addresses() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let text = pair.refused(client, &[("DestMSPIPaddr", "nowhere")]);
    assert!(text.contains("DestMSPIPaddr"), "{text}");
    let movers = [
        ("DestMSPIPaddr", "192.0.2.3"),
        ("SourceMSPIPaddr", "2001:db8::2,192.0.2.2"),
    ];
    let job = pair.migrate(client, &movers);
    pair.room.succeeded(job);
}
