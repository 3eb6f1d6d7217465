//! The course of a migration: how it begins, goes on, ends, is stopped and is recovered.

use super::*;

#[test]
fn a_running_partition_moves_with_all_it_has() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let before = pair.room.partition(client).clone();
    let memory = |pair: &Pair| {
        [pair.source, pair.target].map(|system| pair.room.world.available_memory(system))
    };
    let at_first = memory(&pair);
    let validated = pair.job(client, "MigrateValidate", &[]);
    pair.room.succeeded(validated);
    assert_eq!(pair.room.partition(client), &before);
    let job = pair.migrate(client, &[("DestinationLparID", "42")]);
    pair.room.succeeded(job);
    let after = pair.room.partition(client);
    assert_eq!((after.system, after.id), (pair.target, 42));
    assert_eq!(
        (after.state, after.rmc),
        (PartitionState::Running, RmcState::Active)
    );
    assert_eq!(after.migration, MigrationState::NotMigrating);
    assert_eq!(after.started, before.started);
    let macs = |partition: &Partition| {
        partition
            .network_adapters
            .values()
            .map(|adapter| adapter.mac)
            .collect::<Vec<_>>()
    };
    assert_eq!(macs(after), macs(&before));
    for number in 0..2 {
        let clients = |system| {
            let server = &pair.room.world.vioses[&pair.server(system, number)];
            server
                .buses
                .values()
                .filter(|bus| bus.client.is_some())
                .count()
        };
        assert_eq!((clients(pair.source), clients(pair.target)), (0, 1));
    }
    assert!(pair.room.world.migrations.is_empty());
    let at_last = memory(&pair);
    assert_eq!(
        at_last,
        [at_first[0] + 2048 + 256, at_first[1] - 2048 - 256]
    );
}

#[test]
fn it_takes_its_time_and_keeps_its_place() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    typical(&mut pair);
    let free = pair.room.world.available_memory(pair.target);
    let job = pair.migrate(client, &[]);
    pair.room.wait(100);
    let shown = |pair: &Pair| {
        let partition = pair.room.partition(client);
        (partition.state, partition.migration)
    };
    assert_eq!(
        shown(&pair),
        (PartitionState::MigratingRunning, MigrationState::Starting)
    );
    assert_eq!(
        pair.room.world.available_memory(pair.target),
        free - 2048 - 256
    );
    assert_eq!(pair.room.world.migrations_in_progress(pair.target), (1, 0));
    pair.room.wait(12_000);
    assert_eq!(
        shown(&pair),
        (PartitionState::MigratingRunning, MigrationState::InProgress)
    );
    assert_eq!(pair.room.job(job).status, JobStatus::Running);
    // Neither may it be changed, nor may another take its place.
    let refusal = pair
        .room
        .apply(support::delete_partition(client))
        .unwrap_err();
    assert!(refusal.status >= 400);
    assert!(pair.room.plug(Owner::Partition(client), |_| ()).is_err());
    let power = pair.room.power(client, "PowerOff", &HARD);
    pair.room.wait(1_000);
    pair.room.failure(power);
    let mut create = pair.room.create("one");
    create.system = pair.target;
    assert!(
        pair.room
            .apply(Command::CreatePartition(Box::new(create)))
            .is_err()
    );
    let second = pair.migrate(client, &[]);
    pair.room.wait(1_000);
    pair.room.failure(second);
    pair.room.wait(60_000);
    pair.room.succeeded(job);
    assert_eq!(pair.room.partition(client).system, pair.target);
    // Two gigabytes take twice as long to copy as one.
    let took = pair.room.job(job).completed.unwrap().0 - pair.room.job(job).started.unwrap().0;
    assert!((50_000..70_000).contains(&took), "{took}");
}

#[test]
fn events_tell_that_it_went_and_came() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let log = |pair: &Pair| {
        pair.room
            .world
            .events
            .events()
            .filter(|event| {
                matches!(&event.data, EventData::Resource { resource, .. }
                    if *resource == Resource::LogicalPartition(client))
            })
            .map(|event| event.kind)
            .filter(|kind| *kind != EventKind::ModifyUri)
            .collect::<Vec<_>>()
    };
    let seen = log(&pair).len();
    pair.migrate(client, &[]);
    let kinds = log(&pair).split_off(seen);
    assert_eq!(kinds, [EventKind::DeleteUri, EventKind::AddUri]);
}

#[test]
fn it_can_be_stopped_midway() {
    for (operation, cancel) in [
        ("MigrateAbort", false),
        ("MigrateRecover", false),
        ("", true),
    ] {
        let mut pair = Pair::new();
        let client = pair.running("one");
        let before = pair.things();
        typical(&mut pair);
        let job = pair.migrate(client, &[]);
        pair.room.wait(20_000);
        assert!(pair.room.partition(client).state.is_migrating());
        if cancel {
            pair.room.done(Command::CancelJob(job));
        } else {
            let force: &[(&str, &str)] = if operation == "MigrateRecover" {
                let without = pair.room.power(client, operation, &[]);
                pair.room.wait(1_000);
                assert!(pair.room.failure(without).contains("in progress"));
                &[("Force", "true")]
            } else {
                &[]
            };
            let stop = pair.room.power(client, operation, force);
            pair.room.wait(1_000);
            pair.room.succeeded(stop);
        }
        pair.room.wait(1_000);
        assert!(pair.room.job(job).status.is_final());
        assert_ne!(pair.room.job(job).status, JobStatus::CompletedOk);
        assert!(pair.things() == before);
        pair.room.wait(120_000);
        assert_eq!(pair.room.partition(client).system, pair.source);
        let none = pair.room.power(client, "MigrateAbort", &[]);
        pair.room.wait(1_000);
        pair.room.failure(none);
    }
}

#[test]
fn what_is_off_moves_without_memory() {
    let mut pair = Pair::new();
    let client = pair.bootable("one");
    typical(&mut pair);
    let free = pair.room.world.available_memory(pair.target);
    let job = pair.migrate(client, &[]);
    pair.room.wait(1_000);
    assert_eq!(
        pair.room.partition(client).state,
        PartitionState::MigratingNotActive
    );
    assert_eq!(pair.room.world.available_memory(pair.target), free);
    assert_eq!(pair.room.world.migrations_in_progress(pair.source), (0, 1));
    pair.room.wait(60_000);
    pair.room.succeeded(job);
    let after = pair.room.partition(client);
    assert_eq!(
        (after.system, after.state),
        (pair.target, PartitionState::NotActivated)
    );
    pair.room.world.pace = Pace::calm();
    let on = pair.room.power(client, "PowerOn", &[]);
    pair.room.wait(1_000);
    pair.room.succeeded(on);
}

#[test]
fn what_has_become_impossible_undoes_it() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    typical(&mut pair);
    let job = pair.migrate(client, &[]);
    pair.room.wait(20_000);
    let (first, second) = (pair.server(pair.target, 0), pair.server(pair.target, 1));
    for server in [first, second] {
        let target = JobTarget::VirtualIoServer(server);
        pair.room.submit(target, "PowerOff", &HARD);
    }
    pair.room.wait(60_000);
    pair.room.failure(job);
    let there = pair.room.partition(client);
    assert_eq!(
        (there.system, there.state),
        (pair.source, PartitionState::Running)
    );
    assert_eq!(there.migration, MigrationState::NotMigrating);
}

#[test]
fn without_a_mover_it_fails_until_it_is_recovered() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    typical(&mut pair);
    let job = pair.migrate(client, &[]);
    pair.room.wait(20_000);
    let servers = [pair.server(pair.source, 0), pair.server(pair.source, 1)];
    for server in servers {
        pair.room
            .submit(JobTarget::VirtualIoServer(server), "PowerOff", &HARD);
    }
    pair.room.wait(60_000);
    assert!(pair.room.failure(job).contains("mover service partition"));
    assert_eq!(pair.room.world.migrations[&client].phase, Phase::Failed);
    assert_eq!(
        pair.room.partition(client).migration,
        MigrationState::Failed
    );
    for server in servers {
        pair.room
            .submit(JobTarget::VirtualIoServer(server), "PowerOn", &[]);
    }
    pair.room.wait(200_000);
    let abort = pair.room.power(client, "MigrateAbort", &[]);
    pair.room.wait(1_000);
    pair.room.failure(abort);
    let recover = pair.room.power(client, "MigrateRecover", &[]);
    pair.room.wait(1_000);
    pair.room.succeeded(recover);
    assert_eq!(pair.room.partition(client).state, PartitionState::Running);
    assert!(pair.room.world.migrations.is_empty());
}

#[test]
fn a_failed_system_gives_its_partitions_up() {
    let mut pair = Pair::new();
    let client = pair.bootable("one");
    pair.set(client, |settings| settings.simplified_remote_restart = true);
    pair.room.power(client, "PowerOn", &[]);
    pair.room.wait(1_000);
    let restart = [("Operation", "restart"), ("targetManagedSystem", "neo2")];
    let early = pair.room.power(client, "RemoteRestart", &restart);
    assert!(pair.room.failure(early).contains("is operating"));
    pair.room.done(Command::SetSystemState {
        system: pair.source,
        state: SystemState::Error,
    });
    assert_eq!(
        pair.room.partition(client).state,
        PartitionState::NotAvailable
    );
    let unknown = [
        ("Operation", "validate"),
        ("targetManagedSystem", "neo2"),
        ("sharedProcessorPoolName", "nowhere"),
    ];
    let unknown = pair.room.power(client, "RemoteRestart", &unknown);
    assert!(pair.room.failure(unknown).contains("nowhere"));
    let validate = [
        ("Operation", "validate"),
        ("targetManagedSystem", "neo2"),
        ("sharedProcessorPoolName", "DefaultPool"),
    ];
    let validated = pair.room.power(client, "RemoteRestart", &validate);
    pair.room.succeeded(validated);
    let job = pair.room.power(client, "RemoteRestart", &restart);
    pair.room.wait(1_000);
    pair.room.succeeded(job);
    let after = pair.room.partition(client);
    assert_eq!(
        (after.system, after.state),
        (pair.target, PartitionState::Running)
    );
}

#[test]
fn a_failing_system_breaks_migrations_off() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    typical(&mut pair);
    let job = pair.migrate(client, &[]);
    pair.room.wait(20_000);
    pair.room.done(Command::SetSystemState {
        system: pair.target,
        state: SystemState::PowerOff,
    });
    pair.room.failure(job);
    let there = pair.room.partition(client);
    assert_eq!(
        (there.system, there.state),
        (pair.source, PartitionState::Running)
    );
}

#[test]
fn a_job_tells_how_far_it_has_come() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    typical(&mut pair);
    let job = pair.migrate(client, &[]);
    let mut told = Vec::new();
    while !pair.room.job(job).status.is_final() {
        pair.room.wait(1_000);
        told.push(pair.room.job(job).progress);
        assert!(told.len() < 200);
    }
    told.dedup();
    assert_eq!(told, [None, Some(10), Some(30), Some(50), Some(70)]);
    pair.room.succeeded(job);
}
