//! Random commands, sensible and senseless: every invariant holds after each, a refused command changes nothing, the
//! same commands make the same world, and whoever cleans up leaves nothing behind.

mod action;
mod commands;
mod mobility;
mod network;
mod storage_network;

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::{Command, Flavor, Pace, World};
use proptest::prelude::*;
use uuid::Uuid;

use self::action::{Action, action};
use self::commands::{commands, units};
use crate::support::Room;

fn room(flavor: Flavor, pace: Pace) -> Room {
    let mut inventory = Inventory::sized(
        flavor,
        Sizes {
            systems: 1,
            vioses: 2,
            partitions: 1,
        },
    );
    for system in &mut inventory.systems {
        (system.memory_mb, system.processors) = (80 * 1024, 6);
    }
    let mut world: World = inventory.world(flavor, 3, Millis::EPOCH).unwrap();
    world.pace = pace;
    Room {
        world,
        now: Millis::EPOCH,
    }
}

/// Carries one action out; whether it is refused is the model's affair.
fn act(room: &mut Room, action: &Action) {
    for command in commands(room, action) {
        let _ = room.apply(command);
    }
}

/// What a tidy client does at the end: everything off, then everything gone that was not there before.
fn clean_up(room: &mut Room, before: &World) {
    room.wait(1_000_000);
    for uuid in room.vioses() {
        room.submit(JobTarget::VirtualIoServer(uuid), "PowerOn", &[]);
    }
    let added: Vec<Uuid> = room
        .world
        .partitions
        .keys()
        .copied()
        .filter(|uuid| !before.partitions.contains_key(uuid))
        .collect();
    for uuid in &added {
        room.power(*uuid, "PowerOff", &[("immediate", "true")]);
    }
    room.wait(2_000_000);
    for uuid in &added {
        room.power(*uuid, "CloseVterm", &[]);
        room.wait(10_000);
        room.done(crate::support::delete_partition(*uuid));
    }
    loop {
        let in_use = |room: &Room, udid: &str| {
            room.world.tiers[&room.tier()]
                .units
                .values()
                .any(|unit| unit.cloned_from.as_deref() == Some(udid))
        };
        let free: Vec<Uuid> = units(room)
            .into_iter()
            .filter(|(unit, udid)| {
                before.logical_unit(room.tier(), *unit).is_none() && !in_use(room, udid)
            })
            .map(|(unit, _)| unit)
            .filter(|unit| !room.world.logical_unit(room.tier(), *unit).unwrap().in_use)
            .collect();
        if free.is_empty() {
            break;
        }
        for unit in free {
            room.done(Command::DeleteLogicalUnit {
                tier: room.tier(),
                unit,
            });
        }
    }
    room.wait(90_000_000);
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn invariants_hold_after_every_command(
        hmc in any::<bool>(),
        calm in any::<bool>(),
        actions in prop::collection::vec(action(), 1..120),
    ) {
        let flavor = if hmc { Flavor::Hmc } else { Flavor::NovaLink };
        let pace = if calm { Pace::calm() } else { Pace::stormy() };
        let (mut one, mut two) = (room(flavor, pace.clone()), room(flavor, pace));
        for action in &actions {
            act(&mut one, action);
        }
        for action in &actions {
            act(&mut two, action);
        }
        prop_assert!(one.world == two.world, "the same commands made two worlds");
        prop_assert_eq!(one.world.listing(), two.world.listing());
    }

    #[test]
    fn a_tidy_client_leaves_nothing(actions in prop::collection::vec(action(), 1..80)) {
        let mut room = room(Flavor::NovaLink, Pace::typical());
        let before = room.world.clone();
        for action in &actions {
            act(&mut room, action);
        }
        clean_up(&mut room, &before);
        let is_old = |uuid: &Uuid| before.partitions.contains_key(uuid);
        prop_assert!(room.world.partitions.keys().all(is_old));
        prop_assert!(room.world.jobs.is_empty() && room.world.agenda.is_empty());
        for vios in room.world.vioses.values() {
            for client in vios.buses.values().filter_map(|bus| bus.client) {
                prop_assert!(is_old(&client.partition));
            }
        }
    }
}

#[test]
fn random_commands_are_not_all_refused() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut room = room(Flavor::NovaLink, Pace::typical());
    let (mut done, mut refused) = (0, 0);
    let (mut mapped, mut lent, mut found) = (0, 0, 0);
    let (mut nics, mut trunks) = (0, 0);
    for _ in 0..3000 {
        let action = action().new_tree(&mut runner).unwrap().current();
        for command in commands(&mut room, &action) {
            match room.apply(command) {
                Ok(_) => done += 1,
                Err(_) => refused += 1,
            }
        }
        let vioses = || room.world.vioses.values();
        lent = lent.max(vioses().map(|vios| vios.fc_mappings.len()).sum());
        found = found.max(
            vioses()
                .map(|vios| vios.physical_volumes.len())
                .sum::<usize>(),
        );
        let partitions = room.world.partitions.values();
        nics = nics.max(partitions.map(|partition| partition.vnics.len()).sum());
        let shared = vioses().flat_map(|vios| &vios.shared_ethernet);
        trunks = trunks.max(shared.map(|sea| sea.trunks.len()).sum());
        mapped = mapped.max(
            room.world
                .vioses
                .values()
                .flat_map(|vios| vios.devices())
                .count(),
        );
    }
    assert!(
        done > 150
            && refused > 100
            && mapped > 4
            && lent > 1
            && found > 22
            && nics > 1
            && trunks > 4,
        "{done} done, {refused} refused, at most {mapped} mapped, {lent} lent, {found} disks, {nics} NICs, {trunks} trunks"
    );
}
