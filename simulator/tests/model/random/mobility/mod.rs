//! Random steps in a room of two systems with one storage: partitions move, sleep and start elsewhere, systems fail,
//! pools, profiles and serial numbers change. Every invariant holds after each, and the same steps make the same world.

mod steps;

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::SystemState;
use powervm_simulator::model::partition::PartitionSettings;
use powervm_simulator::model::units::ProcUnits;
use powervm_simulator::model::{Command, Flavor, Owner, Pace};
use proptest::prelude::*;
use uuid::Uuid;

use super::commands::{at, nobody};
use crate::support::{Room, shared};
use steps::{Step, step};

fn room(flavor: Flavor, pace: Pace) -> Room {
    let sizes = Sizes {
        systems: 2,
        vioses: 2,
        partitions: 2,
    };
    let inventory = Inventory::sized(flavor, sizes).with_shared_storage();
    let mut world = inventory.world(flavor, 3, Millis::EPOCH).unwrap();
    world.pace = pace;
    for uuid in world.partitions.keys().copied().collect::<Vec<_>>() {
        let mut partition = world.partitions.get_mut(&uuid).unwrap();
        partition.settings.suspend = !partition.is_management;
        partition.settings.simplified_remote_restart = !partition.is_management;
    }
    Room {
        world,
        now: Millis::EPOCH,
    }
}

fn system(room: &Room, second: bool) -> Uuid {
    room.world.systems_in_order()[usize::from(second)].uuid
}

fn servers(room: &Room, system: Uuid) -> Vec<Uuid> {
    let servers = room.world.vioses_of(system);
    servers.map(|vios| vios.partition.uuid).collect()
}

fn partition(room: &Room, pick: u8) -> Uuid {
    // By name, so that a pick means the same partition wherever it has gone.
    let mut all: Vec<_> = room.world.partitions.values().collect();
    all.retain(|partition| !partition.is_management);
    all.sort_by_key(|partition| partition.name.clone());
    at(pick, all).map_or_else(nobody, |partition| partition.uuid)
}

fn job(target: JobTarget, operation: &str, parameters: &[(&str, &str)]) -> Command {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Command::SubmitJob(SubmitJob {
        target,
        operation: operation.to_owned(),
        parameters: parameters.iter().map(owned).collect(),
    })
}

fn command(room: &mut Room, step: &Step) -> Option<Command> {
    Some(match step.clone() {
        Step::Wait(milliseconds) => {
            room.wait(milliseconds);
            return None;
        }
        Step::Job {
            partition: pick,
            operation,
            elsewhere,
            more,
        } => {
            let uuid = partition(room, pick);
            let known = room.world.partitions.get(&uuid);
            let first = known.is_some_and(|own| own.system == system(room, false));
            let name = ["neo", "neo2"][usize::from(first == elsewhere)];
            let mut parameters = vec![
                ("TargetManagedSystemName", name),
                ("targetManagedSystem", name),
                ("Operation", "restart"),
            ];
            parameters.extend(more);
            job(JobTarget::LogicalPartition(uuid), operation, &parameters)
        }
        Step::Cancel(pick) => {
            Command::CancelJob(at(pick, room.world.jobs.keys().copied()).unwrap_or(0))
        }
        Step::Keys { system: of, drop } => {
            let (own, other) = (system(room, of), system(room, !of));
            let key = room.world.console_of(other).public_ssh_key.clone();
            Command::UpdateConsole {
                console: room.world.console_of(own).uuid,
                authorized_keys: key.filter(|_| !drop).into_iter().collect(),
            }
        }
        Step::State { system: of, state } => Command::SetSystemState {
            system: system(room, of),
            state,
        },
        Step::Repair { system: of } => {
            let system = system(room, of);
            let _ = room.apply(Command::SetSystemState {
                system,
                state: SystemState::Operating,
            });
            for server in servers(room, system) {
                let _ = room.apply(job(JobTarget::VirtualIoServer(server), "PowerOn", &[]));
            }
            return None;
        }
        Step::Rescue { partition: pick } => {
            let uuid = partition(room, pick);
            let own = room.world.partitions.get(&uuid)?.system;
            let _ = room.apply(Command::SetSystemState {
                system: own,
                state: SystemState::Error,
            });
            let first = own == system(room, false);
            let parameters = [
                ("Operation", "restart"),
                ("targetManagedSystem", ["neo", "neo2"][usize::from(first)]),
            ];
            job(
                JobTarget::LogicalPartition(uuid),
                "RemoteRestart",
                &parameters,
            )
        }
        Step::Server {
            system: of,
            number,
            on,
        } => {
            let server = servers(room, system(room, of))[number];
            let operation = if on { "PowerOn" } else { "PowerOff" };
            let target = JobTarget::VirtualIoServer(server);
            job(target, operation, &[("immediate", "true")])
        }
        Step::System {
            system: of,
            operation,
            number,
            status,
        } => {
            let number = format!("VSN000{number}");
            let parameters = [
                ("VirtualSerialNumber", number.as_str()),
                ("TargetManagedSystem", ["neo", "neo2"][usize::from(!of)]),
                ("coManagementControllerStatus", status),
            ];
            let target = JobTarget::ManagedSystem(system(room, of));
            job(target, operation, &parameters)
        }
        Step::Set {
            partition: pick,
            suspend,
            restart,
            fixed,
        } => {
            let uuid = partition(room, pick);
            let known = room.world.partitions.get(&uuid);
            let settings =
                known.map_or_else(PartitionSettings::default, |own| own.settings.clone());
            let mut update = UpdatePartition::of(Owner::Partition(uuid));
            update.settings = Some(PartitionSettings {
                suspend,
                simplified_remote_restart: restart,
                migration_disabled: fixed,
                ..settings
            });
            Command::UpdatePartition(Box::new(update))
        }
        Step::Pool {
            system: of,
            pool,
            maximum,
            reserved,
            name,
        } => {
            let system = system(room, of);
            let there = &room.world.systems[&system].processor_pools;
            Command::UpdateProcessorPool(UpdateProcessorPool {
                system,
                pool: there[&pool].uuid,
                name: (name > 0).then(|| format!("pool{name}")),
                maximum: Some(ProcUnits::whole(maximum)),
                reserved: Some(ProcUnits::whole(reserved)),
            })
        }
        Step::Assign {
            partition: pick,
            pool,
            units,
        } => {
            let mut processors = shared(units, 2);
            processors.pool = Some(pool);
            let mut update = UpdatePartition::of(Owner::Partition(partition(room, pick)));
            update.processors = Some(processors);
            Command::UpdatePartition(Box::new(update))
        }
        Step::Memory {
            system: of,
            size,
            what,
        } => {
            let system = system(room, of);
            let request = MemoryPoolRequest {
                system,
                size: Some(size),
                paging_servers: Some(servers(room, system)),
                devices: Some(vec!["hdisk7".to_owned(), "hdisk8".to_owned()]),
                ..MemoryPoolRequest::default()
            };
            match what {
                0 => Command::CreateMemoryPool(request),
                1 => Command::UpdateMemoryPool(request),
                _ => Command::DeleteMemoryPool(system),
            }
        }
        Step::Profile {
            partition: pick,
            profile,
            memory,
            what,
        } => {
            let uuid = partition(room, pick);
            let owner = Owner::Partition(uuid);
            let known = room.world.partitions.get(&uuid).into_iter();
            let mut profiles = known.flat_map(|own| own.profiles.iter().map(|known| known.uuid));
            let there = profiles.nth(usize::from(profile)).unwrap_or_else(nobody);
            let request = Box::new(ProfileRequest {
                owner,
                name: Some(format!("profile{profile}")),
                memory: MemoryRequest {
                    desired: Some(memory),
                    maximum: Some(memory),
                    ..MemoryRequest::default()
                },
                processors: None,
                maximum_slots: None,
            });
            match what {
                0 => Command::CreateProfile(request),
                1 => Command::UpdateProfile {
                    profile: there,
                    request,
                },
                _ => Command::DeleteProfile {
                    owner,
                    profile: there,
                },
            }
        }
        Step::Nic {
            partition: pick,
            port,
        } => {
            let partition = partition(room, pick);
            let known = room.world.partitions.get(&partition);
            let system = known.map_or_else(nobody, |own| own.system);
            let device = |vios: &Uuid| BackingDeviceRequest {
                vios: *vios,
                adapter: 1,
                port,
                capacity: None,
                maximum_capacity: None,
                priority: None,
                logical_port: None,
            };
            Command::CreateVnic(CreateVnic {
                partition,
                slot: SlotChoice::Next,
                mac: None,
                vlan: 0,
                vlan_priority: 0,
                allowed_vlans: None,
                allowed_os_macs: None,
                auto_failover: None,
                backing: servers(room, system).iter().map(device).collect(),
            })
        }
        Step::Create {
            system: of,
            name,
            serial,
        } => {
            let mut create = room.create(&format!("p{name}"));
            create.system = system(room, of);
            create.serial_number = serial.then(|| "auto".to_owned());
            Command::CreatePartition(Box::new(create))
        }
        Step::Monitor { system: of, on } => Command::UpdateMonitoring(vec![UpdateMonitoring {
            system: system(room, of),
            long_term: Some(on),
            aggregation: Some(!on),
            ..UpdateMonitoring::default()
        }]),
    })
}

/// Carries a step out; whether it is refused is the model's affair.
fn act(room: &mut Room, step: &Step) {
    if let Some(command) = command(room, step) {
        let _ = room.apply(command);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn invariants_hold_while_partitions_move(
        hmc in any::<bool>(),
        calm in any::<bool>(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let flavor = if hmc { Flavor::Hmc } else { Flavor::NovaLink };
        let pace = if calm { Pace::calm() } else { Pace::stormy() };
        let (mut one, mut two) = (room(flavor, pace.clone()), room(flavor, pace));
        for step in &steps {
            act(&mut one, step);
        }
        for step in &steps {
            act(&mut two, step);
        }
        prop_assert!(one.world == two.world, "the same steps made two worlds");
        // Whatever was on its way arrives or comes back.
        let failed = |room: &Room| {
            let phases = room.world.migrations.values().map(|migration| migration.phase);
            phases.filter(|phase| *phase == powervm_simulator::model::migration::Phase::Failed).count()
        };
        one.wait(10_000_000);
        prop_assert_eq!(one.world.migrations.len(), failed(&one));
        prop_assert!(one.world.jobs.values().all(|job| job.status.is_final()));
    }
}

#[test]
fn random_migrations_are_not_all_refused() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut moved, mut slept, mut restarted) = (0, 0, 0);
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        for pace in [Pace::calm(), Pace::typical()] {
            let mut room = room(flavor, pace);
            let mut seen = std::collections::BTreeMap::new();
            for _ in 0..600 {
                let step = step().new_tree(&mut runner).unwrap().current();
                act(&mut room, &step);
                for job in room.world.jobs.values() {
                    let ok = job.status == powervm_simulator::model::names::JobStatus::CompletedOk;
                    seen.insert(job.id, (job.operation.clone(), ok));
                }
            }
            let count = |name: &str| {
                let all = seen.values();
                all.filter(|(operation, ok)| *ok && operation == name)
                    .count()
            };
            moved += count("Migrate");
            slept += count("Suspend");
            restarted += count("RemoteRestart");
        }
    }
    assert!(
        moved > 8 && slept > 0 && restarted > 0,
        "{moved} moved, {slept} slept, {restarted} restarted"
    );
}
