//! Partition mobility between two systems of an HMC.

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::command::*;
use powervm_simulator::model::events::EventData;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::listing::Item;
use powervm_simulator::model::migration::Phase;
use powervm_simulator::model::names::*;
use powervm_simulator::model::partition::{Partition, PartitionSettings};
use powervm_simulator::model::{Command, Flavor, Outcome, Owner, Pace, Resource};
use uuid::Uuid;

use super::support::{Room, hdisk, lu, mapping};

const HARD: [(&str, &str); 2] = [("operation", "shutdown"), ("immediate", "true")];

/// Two systems whose servers see the same storage.
pub(crate) struct Pair {
    pub(crate) room: Room,
    pub(crate) source: Uuid,
    pub(crate) target: Uuid,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let sizes = Sizes {
            systems: 2,
            ..Sizes::default()
        };
        let inventory = Inventory::sized(Flavor::Hmc, sizes).with_shared_storage();
        let mut room = Room::new(Flavor::Hmc);
        room.world = inventory.world(Flavor::Hmc, 7, Millis::EPOCH).unwrap();
        let named = |name: &str| {
            let systems = room.world.systems.values();
            systems
                .into_iter()
                .find(|system| system.name == name)
                .unwrap()
                .uuid
        };
        let (source, target) = (named("neo"), named("neo2"));
        Self {
            room,
            source,
            target,
        }
    }

    pub(crate) fn server(&self, system: Uuid, number: usize) -> Uuid {
        let servers = self.room.world.vioses_of(system);
        let mut servers: Vec<_> = servers
            .map(|vios| (vios.partition.id, vios.partition.uuid))
            .collect();
        servers.sort_unstable();
        servers[number].1
    }

    pub(crate) fn partition(&mut self, name: &str) -> Uuid {
        let mut create = self.room.create(name);
        create.system = self.source;
        match self.room.done(Command::CreatePartition(Box::new(create))) {
            Outcome::Written(Resource::LogicalPartition(uuid)) => uuid,
            other => panic!("{other:?}"),
        }
    }

    /// A partition with a mapped disk with something on it, on both servers, and an interface on VLAN 1.
    pub(crate) fn bootable(&mut self, name: &str) -> Uuid {
        let partition = self.partition(name);
        let unit = self.room.unit(&format!("boot_{name}"), 10, None);
        let udid = self.room.unit_udid(unit);
        self.room
            .upload(
                FileKind::BrokeredDiskImage,
                "image",
                Some(udid.clone()),
                1 << 20,
            )
            .unwrap();
        for number in 0..2 {
            let server = self.server(self.source, number);
            self.map(server, mapping(partition, lu(&udid)));
        }
        self.room
            .plug(Owner::Partition(partition), |create| create.vlan = 1)
            .unwrap();
        partition
    }

    pub(crate) fn running(&mut self, name: &str) -> Uuid {
        let partition = self.bootable(name);
        self.room.power(partition, "PowerOn", &[]);
        self.room.wait(1_000);
        assert!(self.room.partition(partition).rmc.is_up());
        partition
    }

    pub(crate) fn set(&mut self, partition: Uuid, change: impl FnOnce(&mut PartitionSettings)) {
        let mut update = UpdatePartition::of(Owner::Partition(partition));
        let mut settings = self.room.partition(partition).settings.clone();
        change(&mut settings);
        update.settings = Some(settings);
        self.room.update(update).unwrap();
    }

    pub(crate) fn map(&mut self, server: Uuid, added: ScsiMapping) {
        let mut mappings = self.room.world.posted_mappings(server);
        mappings.push(added);
        self.room.done(Command::UpdateVios(Box::new(UpdateVios {
            vios: server,
            base: None,
            scsi_mappings: Some(mappings),
            fc_mappings: None,
        })));
    }

    pub(crate) fn migrate(&mut self, partition: Uuid, parameters: &[(&str, &str)]) -> u64 {
        self.job(partition, "Migrate", parameters)
    }

    pub(crate) fn job(
        &mut self,
        partition: Uuid,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> u64 {
        let target = [("TargetManagedSystemName", "neo2")];
        let all: Vec<_> = target.iter().chain(parameters).copied().collect();
        self.room.power(partition, operation, &all)
    }

    /// Everything but jobs.
    fn things(&self) -> Vec<Item> {
        let mut items = self.room.world.listing();
        items.retain(|item| item.kind != "job");
        items
    }

    /// What `MigrateValidate` says against a migration; a `Migrate` says the same.
    #[track_caller]
    fn refused(&mut self, partition: Uuid, parameters: &[(&str, &str)]) -> String {
        let before = self.things();
        let validated = self.job(partition, "MigrateValidate", parameters);
        let text = self.room.failure(validated).to_owned();
        let migrated = self.migrate(partition, parameters);
        assert_eq!(self.room.failure(migrated), text);
        assert!(
            self.things() == before,
            "a refused migration changed something"
        );
        text
    }
}

fn typical(pair: &mut Pair) {
    pair.room.world.pace = Pace::typical();
}

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
        .apply(super::support::delete_partition(client))
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
fn storage_has_to_be_there_too() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let server = pair.server(pair.source, 0);
    let group = pair.room.world.vioses[&server]
        .volume_groups
        .iter()
        .find(|group| group.name == "datavg")
        .unwrap()
        .uuid;
    pair.room
        .done(Command::UpdateVolumeGroup(UpdateVolumeGroup {
            vios: server,
            group,
            disks: Some(vec![super::support::disk("local", 1)]),
            repositories: None,
            physical_volumes: None,
        }));
    let before = pair.room.world.posted_mappings(server);
    pair.map(server, mapping(client, super::support::vdisk("local")));
    assert!(pair.refused(client, &[]).contains("local"));
    pair.room.done(Command::UpdateVios(Box::new(UpdateVios {
        vios: server,
        base: None,
        scsi_mappings: Some(before),
        fc_mappings: None,
    })));
    // A SAN volume that both systems see, and a mapping that says where.
    pair.map(server, mapping(client, hdisk("hdisk7")));
    let slots: Vec<u16> = pair
        .room
        .world
        .scsi_client_adapters(client)
        .into_iter()
        .map(|(slot, ..)| slot)
        .collect();
    let wrong = format!("{}/nobody/", slots[0]);
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", &wrong)])
            .contains("nobody")
    );
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", "99/vios1/")])
            .contains("slot 99")
    );
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", "x")])
            .contains("cannot be read")
    );
    // One server cannot give the same disk twice to one client.
    let doubled: Vec<String> = slots.iter().map(|slot| format!("{slot}/vios2/")).collect();
    assert!(
        pair.refused(client, &[("VirtualSCSIMappings", &doubled.join(","))])
            .contains("twice")
    );
    let right: Vec<String> = slots
        .iter()
        .skip(1)
        .map(|slot| format!("{slot}/vios2//{}", 20 + slot))
        .collect();
    let job = pair.migrate(client, &[("VirtualSCSIMappings", &right.join(","))]);
    assert_eq!(
        pair.room.job(job).results.len(),
        2,
        "{:?}",
        pair.room.job(job).results
    );
    pair.room.succeeded(job);
    let second = &pair.room.world.vioses[&pair.server(pair.target, 1)];
    assert_eq!(second.buses.len(), slots.len() - 1);
    let mut back = pair
        .room
        .power(client, "Migrate", &[("TargetManagedSystemName", "neo")]);
    pair.room.succeeded(back);
    assert_eq!(pair.room.partition(client).system, pair.source);
    // Its own disk of the source is nobody else's now.
    back = pair.migrate(client, &[]);
    pair.room.succeeded(back);
}

#[test]
fn networks_have_to_be_there_too() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    let switch = match pair.room.done(Command::CreateSwitch {
        system: pair.source,
        name: "PRIVATE".to_owned(),
        mode: SwitchMode::Veb,
    }) {
        Outcome::Written(Resource::VirtualSwitch { switch, .. }) => switch,
        other => panic!("{other:?}"),
    };
    let odd = pair
        .room
        .plug(Owner::Partition(client), |create| {
            create.switch = Some(switch)
        })
        .unwrap();
    assert!(pair.refused(client, &[]).contains("PRIVATE"));
    pair.room.done(Command::DeleteNetworkAdapter {
        owner: Owner::Partition(client),
        adapter: odd,
    });
    let mac = pair
        .room
        .partition(client)
        .network_adapters
        .values()
        .next()
        .unwrap()
        .mac_text();
    // VLAN 777 is bridged nowhere on the target, though that matters only for VLANs that were bridged.
    let mapped = format!("{mac}/777");
    let text = pair.refused(client, &[("VlanMappings", "0123456789AB/5")]);
    assert!(text.contains("0123456789AB"));
    let job = pair.migrate(
        client,
        &[("VlanMappings", &mapped), ("VLANBridgeOverride", "2")],
    );
    pair.room.succeeded(job);
    let moved = pair
        .room
        .partition(client)
        .network_adapters
        .values()
        .next()
        .unwrap();
    assert_eq!((moved.vlan, moved.mac_text()), (777, mac));
    let networks = &pair.room.world.systems[&pair.target].switches;
    assert!(networks.contains_key(&moved.switch));
}

#[test]
fn a_vlan_that_was_bridged_has_to_be_bridged_again() {
    let mut pair = Pair::new();
    let client = pair.running("one");
    for number in 0..2 {
        let server = pair.server(pair.target, number);
        let bridges: Vec<Uuid> = pair.room.world.systems[&pair.target]
            .bridges
            .keys()
            .copied()
            .collect();
        for bridge in bridges {
            let _ = pair.room.apply(Command::DeleteNetworkBridge {
                system: pair.target,
                bridge,
            });
        }
        assert!(pair.room.world.vioses[&server].shared_ethernet.is_empty());
    }
    assert!(pair.refused(client, &[]).contains("is not bridged"));
    let job = pair.migrate(client, &[("VLANBridgeOverride", "2")]);
    pair.room.succeeded(job);
}

#[test]
fn fibre_channel_keeps_its_names_and_its_fabric() {
    let mut pair = Pair::new();
    let client = pair.bootable("one");
    let server = pair.server(pair.source, 0);
    let port = pair.room.world.vioses[&server]
        .fc_ports()
        .next()
        .unwrap()
        .clone();
    let request = FcMappingRequest {
        client: Some(client),
        port: Some(port.name.clone()),
        ..FcMappingRequest::default()
    };
    pair.room.done(Command::UpdateVios(Box::new(UpdateVios {
        vios: server,
        base: None,
        scsi_mappings: None,
        fc_mappings: Some(vec![request]),
    })));
    let names = |pair: &Pair, system: Uuid| {
        let world = &pair.room.world;
        world
            .vioses_of(system)
            .flat_map(|vios| {
                vios.fc_mappings.values().map(|mapping| {
                    let port = mapping.port.as_deref().and_then(|port| vios.fc_port(port));
                    (mapping.client.unwrap().wwpns, port.unwrap().fabric)
                })
            })
            .collect::<Vec<_>>()
    };
    let before = names(&pair, pair.source);
    assert_eq!(before.len(), 1);
    let slot = pair.room.world.fc_client_adapters(client)[0].0;
    let nowhere = format!("{slot}/vios1///nothing");
    let text = pair.refused(
        client,
        &[("VirtualFCMappings", &format!("{slot}/vios1////"))],
    );
    assert!(text.contains("cannot be read"), "{text}");
    let text = pair.refused(
        client,
        &[("VirtualFCMappings", &format!("{slot}/vios1//99/nothing"))],
    );
    assert!(text.starts_with("HSCLA319"), "{nowhere} {text}");
    let job = pair.migrate(client, &[("VirtualFCMappings", &format!("{slot}/vios2/"))]);
    pair.room.succeeded(job);
    assert_eq!(names(&pair, pair.source), []);
    assert_eq!(names(&pair, pair.target), before);
    let second = &pair.room.world.vioses[&pair.server(pair.target, 1)];
    assert_eq!(second.fc_mappings.len(), 1);
}

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
    let validate = [("Operation", "validate"), ("targetManagedSystem", "neo2")];
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
