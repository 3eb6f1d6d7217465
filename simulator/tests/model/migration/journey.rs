//! Migrations between two worlds that tell each other nothing but questions and answers.

use powervm_simulator::model::World;
use powervm_simulator::model::migration::Manner;
use powervm_simulator::model::migration::journey::{Answer, Errand, Question, Trouble};

use super::*;

const BOTH: [Flavor; 2] = [Flavor::Hmc, Flavor::NovaLink];
const THERE: [(&str, &str); 2] = [
    ("TargetRemoteHMCIPAddress", "there"),
    ("TargetRemoteHMCUserID", "wlp"),
];

/// What happens to a question on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// It is asked and answered.
    Good,
    /// Nobody hears it.
    Deaf,
    /// It is heard, and the answer lost.
    Mute,
    /// It is heard, and the answer is about something else.
    Garbled,
}

/// The two halves of a machine room, each a world of its own.
struct Halves {
    here: Pair,
    there: Room,
    asked: usize,
}

impl Halves {
    fn of(flavor: Flavor) -> Self {
        let mut here = Pair::of(flavor);
        let whole = here.room.world.clone();
        let mut there = Room::new(flavor);
        there.world = whole.part(here.target, 7);
        here.room.world = whole.part(here.source, 7);
        here.room.world.peers = std::sync::Arc::new(["there".to_owned()].into());
        assert_eq!(there.world.violations(), []);
        assert_eq!(here.room.world.violations(), []);
        Self {
            here,
            there,
            asked: 0,
        }
    }

    fn trusting(flavor: Flavor) -> Self {
        let mut halves = Self::of(flavor);
        let key = halves.here.room.world.console.public_ssh_key.clone();
        halves.there.done(Command::UpdateConsole {
            console: halves.there.world.console.uuid,
            authorized_keys: key.into_iter().collect(),
        });
        halves
    }

    /// Asks what is to be asked until nothing is.
    fn carry(&mut self, line: impl Fn(usize) -> Line) {
        let ready = |world: &World| -> Option<(u64, Errand)> {
            let first = world.errands_ready().next();
            first.map(|(id, errand)| (id, errand.clone()))
        };
        while let Some((id, errand)) = ready(&self.here.room.world) {
            self.asked += 1;
            let way = line(self.asked);
            let lost = || Err(Trouble::Silence("connection refused".to_owned()));
            let heard = match way {
                Line::Deaf => lost(),
                Line::Good => self.ask(&errand),
                Line::Mute => {
                    let _ = self.ask(&errand);
                    lost()
                }
                Line::Garbled => match self.ask(&errand) {
                    Ok(Answer::Welcome(_)) => Ok(Answer::Arrived),
                    _ => Err(Trouble::Silence("its answer cannot be read".to_owned())),
                },
            };
            let now = self.here.room.now;
            self.here.room.world.hear(now, id, heard);
            assert_eq!(self.here.room.world.violations(), [], "after {errand:?}");
        }
    }

    /// As another process would be asked: everything goes through JSON.
    fn ask(&mut self, errand: &Errand) -> Result<Answer, Trouble> {
        let text = serde_json::to_string(errand).unwrap();
        let errand: Errand = serde_json::from_str(&text).unwrap();
        let now = self.there.now;
        let answer = self
            .there
            .world
            .answer(now, errand.journey, &errand.question());
        assert_eq!(self.there.world.violations(), [], "{answer:?}");
        let text = serde_json::to_string(&answer.clone().ok()).unwrap();
        assert_eq!(
            serde_json::from_str::<Option<Answer>>(&text).unwrap(),
            answer.clone().ok()
        );
        answer
    }

    /// Time passes on both sides in sixty steps, the line as it is now.
    fn wait(&mut self, milliseconds: u64, line: impl Fn(usize) -> Line) {
        for _ in 0..60 {
            self.here.room.wait(milliseconds / 60);
            self.there.wait(milliseconds / 60);
            self.carry(&line);
        }
    }

    fn migrate(&mut self, partition: Uuid, line: impl Fn(usize) -> Line) -> u64 {
        let job = self.here.migrate(partition, &THERE);
        self.carry(line);
        job
    }

    /// A partition that may be restarted remotely, on a system that has failed.
    fn stranded(&mut self) -> Uuid {
        let client = self.here.bootable("one");
        self.here
            .set(client, |settings| settings.simplified_remote_restart = true);
        self.here.room.power(client, "PowerOn", &[]);
        self.here.room.wait(1_000);
        self.system_becomes(SystemState::Error);
        client
    }

    fn system_becomes(&mut self, state: SystemState) {
        let system = self.here.source;
        self.here
            .room
            .done(Command::SetSystemState { system, state });
    }

    fn restart(&mut self, partition: Uuid, operation: &str, line: impl Fn(usize) -> Line) -> u64 {
        let parameters = [
            ("Operation", operation),
            ("targetManagedSystem", "neo2"),
            ("targetRemoteHMCIPAddress", "there"),
        ];
        let job = self
            .here
            .room
            .power(partition, "RemoteRestart", &parameters);
        self.carry(line);
        job
    }

    /// Sends it on its way, as it goes.
    fn send(&mut self, partition: Uuid, manner: Manner, line: impl Fn(usize) -> Line) -> u64 {
        match manner {
            Manner::Restart => self.restart(partition, "restart", line),
            Manner::Active | Manner::Inactive => self.migrate(partition, line),
        }
    }

    fn places(&self, partition: Uuid) -> (bool, bool) {
        let has = |world: &World| world.partitions.contains_key(&partition);
        (has(&self.here.room.world), has(&self.there.world))
    }

    fn is_quiet(&self) -> bool {
        let quiet = |world: &World| world.migrations.is_empty() && world.errands.is_empty();
        quiet(&self.here.room.world) && quiet(&self.there.world)
    }

    fn unit_names(world: &World) -> Vec<String> {
        let tiers = world.tiers.values();
        tiers
            .flat_map(|tier| tier.units.values())
            .map(|unit| unit.name.clone())
            .collect()
    }
}

fn good(_: usize) -> Line {
    Line::Good
}

#[test]
fn a_partition_moves_with_all_it_has() {
    for flavor in BOTH {
        let mut halves = Halves::trusting(flavor);
        let client = halves.here.running("one");
        let server = halves.here.server(halves.here.source, 0);
        let mut mappings = halves.here.room.world.posted_fc_mappings(server);
        mappings.push(FcMappingRequest {
            client: Some(client),
            port: Some("fcs0".to_owned()),
            ..FcMappingRequest::default()
        });
        halves
            .here
            .room
            .done(Command::UpdateVios(Box::new(UpdateVios {
                vios: server,
                base: None,
                scsi_mappings: None,
                fc_mappings: Some(mappings),
            })));
        let before = halves.here.room.partition(client).clone();
        let wwpns = |world: &World| -> Vec<[u64; 2]> {
            let servers = world.vioses.values();
            let mappings = servers.flat_map(|vios| vios.fc_mappings.values());
            mappings
                .filter_map(|mapping| mapping.client)
                .map(|client| client.wwpns)
                .collect()
        };
        let names = wwpns(&halves.here.room.world);
        let free = halves.there.world.available_memory(halves.here.target);
        // The clocks of two processes show different times.
        halves.there.wait(5_000_000);

        let job = halves.here.job(client, "MigrateValidate", &THERE);
        halves.carry(good);
        halves.here.room.succeeded(job);
        assert_eq!(halves.here.room.partition(client), &before);
        assert_eq!(halves.places(client), (true, false));

        let job = halves.migrate(client, good);
        halves.here.room.succeeded(job);
        assert_eq!(halves.places(client), (false, true));
        let after = halves.there.partition(client).clone();
        assert_eq!(
            (&after.name, after.state),
            (&before.name, PartitionState::Running)
        );
        assert_eq!(after.rmc, RmcState::Active);
        assert_eq!(after.system, halves.here.target);
        let uptime = halves.there.now.0 - after.started.unwrap().0;
        assert_eq!(uptime, halves.here.room.now.0 - before.started.unwrap().0);
        assert_eq!(
            after.network_adapters.keys().collect::<Vec<_>>(),
            before.network_adapters.keys().collect::<Vec<_>>()
        );
        assert_eq!(wwpns(&halves.there.world), names);
        assert_eq!(wwpns(&halves.here.room.world), [] as [[u64; 2]; 0]);
        assert!(halves.there.world.available_memory(halves.here.target) < free);
        let boot = "boot_one".to_owned();
        assert!(Halves::unit_names(&halves.there.world).contains(&boot));
        assert!(!Halves::unit_names(&halves.here.room.world).contains(&boot));
        assert!(halves.is_quiet());

        // What came along is whole: it can be switched off, started and removed.
        let off = halves.there.power(client, "PowerOff", &HARD);
        halves.there.succeeded(off);
        let on = halves.there.power(client, "PowerOn", &[]);
        halves.there.succeeded(on);
        assert_eq!(
            halves.there.partition(client).state,
            PartitionState::Running
        );
    }
}

#[test]
fn what_is_off_moves_as_well_and_goes_back() {
    let mut halves = Halves::trusting(Flavor::Hmc);
    let client = halves.here.bootable("one");
    let job = halves.migrate(client, good);
    halves.here.room.succeeded(job);
    assert_eq!(
        halves.there.partition(client).state,
        PartitionState::NotActivated
    );
    // The other way round.
    let here = halves.here.target;
    let mut back = Halves {
        here: Pair {
            room: halves.there,
            source: here,
            target: halves.here.source,
        },
        there: halves.here.room,
        asked: 0,
    };
    back.here.room.world.peers = std::sync::Arc::new(["there".to_owned()].into());
    let mut parameters = THERE.to_vec();
    parameters.push(("TargetManagedSystemName", "neo"));
    let names: Vec<_> = parameters.iter().rev().copied().collect();
    let job = back.here.room.power(client, "Migrate", &names);
    back.carry(good);
    back.here.room.succeeded(job);
    assert_eq!(back.places(client), (false, true));
    assert_eq!(back.there.partition(client).system, back.here.target);
}

#[test]
fn the_target_checks_what_a_target_in_the_same_process_checks() {
    // No key of the source is known there.
    let mut halves = Halves::of(Flavor::NovaLink);
    let client = halves.here.running("one");
    let job = halves.migrate(client, good);
    assert!(halves.here.room.failure(job).starts_with("HSCL3653"));

    let mut halves = Halves::trusting(Flavor::NovaLink);
    let client = halves.here.running("one");
    let refused = |halves: &mut Halves, parameters: &[(&str, &str)]| {
        let all: Vec<_> = THERE.iter().chain(parameters).copied().collect();
        let before = halves.here.things();
        let validated = halves.here.job(client, "MigrateValidate", &all);
        halves.carry(good);
        let text = halves.here.room.failure(validated).to_owned();
        let migrated = halves.here.migrate(client, &all);
        halves.carry(good);
        assert_eq!(halves.here.room.failure(migrated), text);
        assert!(halves.here.things() == before);
        assert_eq!(halves.places(client), (true, false));
        assert!(halves.is_quiet());
        text
    };
    let text = refused(&mut halves, &[("DestinationLparID", "1")]);
    assert!(text.starts_with("HSCL0617"), "{text}");
    let text = refused(&mut halves, &[("VirtualSCSIMappings", "77/vios1/")]);
    assert!(text.contains("no virtual SCSI adapter"), "{text}");
    let text = refused(&mut halves, &[("SharedProcPoolID", "9")]);
    assert!(text.contains("pool"), "{text}");
    halves.there.partition_named("one");
    let text = refused(&mut halves, &[]);
    assert!(text.starts_with("HSCL05DE"), "{text}");

    // A console that is nobody's.
    let stranger = [("TargetRemoteHMCIPAddress", "elsewhere")];
    let job = halves.here.job(client, "MigrateValidate", &stranger);
    let text = halves.here.room.failure(job).to_owned();
    assert!(text.starts_with("HSCL"), "{text}");
}

#[test]
fn the_peer_keeps_the_place_meanwhile() {
    let mut halves = Halves::trusting(Flavor::NovaLink);
    let client = halves.here.running("one");
    typical(&mut halves.here);
    let target = halves.here.target;
    let free = halves.there.world.available_memory(target);
    let job = halves.here.migrate(client, &THERE);
    halves.wait(20_000, good);
    assert_eq!(halves.here.room.job(job).status, JobStatus::Running);
    assert_eq!(
        halves.here.room.partition(client).migration,
        MigrationState::InProgress
    );
    assert_eq!(halves.there.world.migrations_in_progress(target), (1, 0));
    assert_eq!(
        halves.there.world.available_memory(target),
        free - 2048 - 256
    );
    let mut taken = halves.there.create("one");
    taken.system = target;
    let refusal = halves
        .there
        .apply(Command::CreatePartition(Box::new(taken)))
        .unwrap_err();
    assert!(refusal.message.contains("HSCL05DE"), "{}", refusal.message);

    // Stopped, it is where it was, and the place is free.
    let abort = halves.here.room.power(client, "MigrateAbort", &[]);
    halves.wait(2_000, good);
    halves.here.room.succeeded(abort);
    halves.here.room.failure(job);
    assert_eq!(halves.places(client), (true, false));
    assert_eq!(halves.there.world.available_memory(target), free);
    assert!(halves.is_quiet());

    // A place that nobody asks for any more lapses.
    halves.here.migrate(client, &THERE);
    halves.wait(3_000, good);
    assert_eq!(halves.there.world.migrations_in_progress(target), (1, 0));
    halves.there.wait(24 * 3_600_000);
    assert_eq!(halves.there.world.migrations_in_progress(target), (0, 0));
}

#[test]
fn a_target_that_has_become_impossible_undoes_it() {
    let mut halves = Halves::trusting(Flavor::Hmc);
    let client = halves.here.running("one");
    typical(&mut halves.here);
    let job = halves.here.migrate(client, &THERE);
    halves.wait(20_000, good);
    for number in 0..2 {
        let vios = halves.there.vioses()[number];
        let mut update = UpdatePartition::of(Owner::Vios(vios));
        update.name = Some(format!("renamed{number}"));
        let _ = halves.there.update(update);
    }
    halves.there.done(Command::SetSystemState {
        system: halves.here.target,
        state: SystemState::PowerOff,
    });
    halves.wait(60_000, good);
    assert!(!halves.here.room.failure(job).is_empty());
    assert_eq!(halves.places(client), (true, false));
    assert_eq!(
        halves.here.room.partition(client).state,
        PartitionState::Running
    );
    assert!(halves.is_quiet());
}

/// Each exchange of a migration is disturbed in each way, once or from then on, and in the end, with the line good again,
/// the partition is in one place and nothing is left of the journey.
#[test]
fn wherever_the_line_breaks_the_partition_is_in_one_place() {
    let mut ends = std::collections::BTreeMap::new();
    for flavor in BOTH {
        for manner in [Manner::Active, Manner::Inactive, Manner::Restart] {
            if manner == Manner::Restart && flavor == Flavor::NovaLink {
                continue;
            }
            for way in [Line::Deaf, Line::Mute, Line::Garbled] {
                for lasting in [false, true] {
                    for exchange in 1..=4 {
                        let end = broken(flavor, manner, way, lasting, exchange);
                        *ends.entry(end).or_insert(0) += 1;
                    }
                }
            }
        }
    }
    // All that can become of it is among what was seen: it stayed, it arrived, it was recovered either way.
    assert_eq!(ends.len(), 4, "{ends:?}");
}

/// Whether it arrived, and whether it had to be recovered.
fn broken(
    flavor: Flavor,
    manner: Manner,
    way: Line,
    lasting: bool,
    exchange: usize,
) -> (bool, bool) {
    let case = format!("{flavor:?} {manner:?} {way:?} lasting {lasting} at {exchange}");
    let mut halves = Halves::trusting(flavor);
    let client = match manner {
        Manner::Active => halves.here.running("one"),
        Manner::Inactive => halves.here.bootable("one"),
        Manner::Restart => halves.stranded(),
    };
    let disturbed = |asked: usize| {
        if asked == exchange || (lasting && asked > exchange) {
            way
        } else {
            Line::Good
        }
    };
    let job = halves.send(client, manner, disturbed);
    halves.wait(60_000, disturbed);
    assert!(halves.here.room.job(job).status.is_final(), "{case}");
    let mut recovered = false;
    if let Some(left) = halves.here.room.world.partitions.get(&client)
        && left.migration != MigrationState::NotMigrating
    {
        assert_eq!(left.migration, MigrationState::Failed, "{case}");
        assert!(halves.here.room.failure(job).contains("recover"), "{case}");
        // Nobody may stop it or decide without the peer where it is, not even by force.
        let abort = halves.here.room.power(client, "MigrateAbort", &[]);
        halves.here.room.failure(abort);
        let force: (&str, &[(&str, &str)]) = match manner {
            Manner::Restart => ("RemoteRestart", &[("Operation", "cancel")]),
            _ => ("MigrateRecover", &[("Force", "true")]),
        };
        let forced = halves.here.room.power(client, force.0, force.1);
        if lasting {
            halves.carry(disturbed);
            if !halves.here.room.job(forced).status.is_final() {
                panic!("{case}: the recovery hangs");
            }
        }
        halves.carry(good);
        // What the forced one did not bring to an end, another one does.
        halves.here.room.power(client, "MigrateRecover", &[]);
        halves.carry(good);
        recovered = true;
    }
    // What is asked later is asked until it is answered.
    halves.wait(40 * 60_000, good);
    assert!(
        halves.is_quiet(),
        "{case}: {:?}",
        halves.here.room.world.errands
    );
    let places = halves.places(client);
    assert!(places.0 != places.1, "{case}: {places:?}");
    let partition = if places.0 {
        halves.here.room.partition(client)
    } else {
        halves.there.partition(client)
    };
    assert_eq!(partition.migration, MigrationState::NotMigrating, "{case}");
    let state = match (manner, places.1) {
        (Manner::Active, _) | (Manner::Restart, true) => PartitionState::Running,
        (Manner::Inactive, _) => PartitionState::NotActivated,
        (Manner::Restart, false) => PartitionState::NotAvailable,
    };
    assert_eq!(partition.state, state, "{case}");
    // A second attempt does not meet leftovers of the first one.
    if places.0 {
        let again = halves.send(client, manner, good);
        halves.here.room.succeeded(again);
        assert_eq!(halves.places(client), (false, true), "{case}");
    }
    (places.1, recovered)
}

#[test]
fn questions_may_be_asked_twice_and_late() {
    let mut halves = Halves::trusting(Flavor::Hmc);
    let client = halves.here.running("one");
    typical(&mut halves.here);
    halves.here.migrate(client, &THERE);
    halves.here.room.wait(1_000);
    let errand = halves
        .here
        .room
        .world
        .errands_ready()
        .next()
        .unwrap()
        .1
        .clone();
    let first = halves.ask(&errand).unwrap();
    assert_eq!(halves.ask(&errand).unwrap(), first);
    // Given up, what comes late is refused, and nothing stays.
    let now = halves.there.now;
    let give_up = |halves: &mut Halves| {
        let world = &mut halves.there.world;
        world.answer(now, errand.journey, &Question::GiveUp)
    };
    assert_eq!(give_up(&mut halves), Ok(Answer::GivenUp));
    assert_eq!(give_up(&mut halves), Ok(Answer::GivenUp));
    let told = errand.told.clone().unwrap();
    for question in [Question::Reserve(told.clone()), Question::TakeIn(told)] {
        let late = halves.there.world.answer(now, errand.journey, &question);
        assert!(matches!(late, Err(Trouble::Refused(_))), "{late:?}");
    }
    assert!(halves.there.world.migrations.is_empty());
    assert!(!halves.there.world.partitions.contains_key(&client));
}

#[test]
fn a_partition_of_a_failed_system_starts_at_a_peer() {
    let mut halves = Halves::of(Flavor::Hmc);
    let client = halves.stranded();
    let before = halves.here.room.partition(client).clone();
    assert_eq!(before.remote_restart_state(), "Remote_Restartable");
    let validated = halves.restart(client, "validate", good);
    halves.here.room.succeeded(validated);
    assert_eq!(halves.here.room.partition(client), &before);
    assert_eq!(halves.places(client), (true, false));

    let job = halves.restart(client, "restart", good);
    halves.here.room.succeeded(job);
    let results = &halves.here.room.job(job).results;
    assert!(results.iter().any(|(name, _)| name == "detailedStatus"));
    assert_eq!(halves.places(client), (false, true));
    halves.there.wait(600_000);
    let after = halves.there.partition(client);
    assert_eq!(
        (&after.name, after.system, after.state, after.rmc),
        (
            &before.name,
            halves.here.target,
            PartitionState::Running,
            RmcState::Active
        )
    );
    let boot = "boot_one".to_owned();
    assert!(Halves::unit_names(&halves.there.world).contains(&boot));
    assert!(!Halves::unit_names(&halves.here.room.world).contains(&boot));
    assert!(halves.is_quiet());
    // The source comes back, and has nothing of it.
    halves.system_becomes(SystemState::Operating);
    assert_eq!(halves.places(client), (false, true));
}

#[test]
fn a_peer_takes_no_partition_that_it_has_no_room_for() {
    let mut halves = Halves::of(Flavor::Hmc);
    let client = halves.stranded();
    let refused = |halves: &mut Halves| {
        let validated = halves.restart(client, "validate", good);
        let text = halves.here.room.failure(validated).to_owned();
        let job = halves.restart(client, "restart", good);
        assert_eq!(halves.here.room.failure(job), text);
        assert_eq!(halves.places(client), (true, false));
        assert!(halves.is_quiet());
        text
    };
    halves.system_becomes(SystemState::Operating);
    assert!(refused(&mut halves).contains("is operating"));
    halves.system_becomes(SystemState::Error);
    for (name, value, why) in [
        (
            "sharedProcessorPoolName",
            "nowhere",
            "no shared processor pool nowhere",
        ),
        ("targetManagedSystem", "nowhere", "nowhere was not found"),
        ("virtualFCMappings", "4", "cannot be read"),
    ] {
        let parameters = [
            (name, value),
            ("Operation", "restart"),
            ("targetManagedSystem", "neo2"),
            ("targetRemoteHMCIPAddress", "there"),
        ];
        let job = halves.here.room.power(client, "RemoteRestart", &parameters);
        halves.carry(good);
        let text = halves.here.room.failure(job);
        assert!(text.contains(why), "{text}");
    }
    halves.there.partition_named("one");
    assert!(refused(&mut halves).starts_with("HSCL05DE"));
    let nothing = halves.restart(client, "recover", good);
    assert!(
        halves
            .here
            .room
            .failure(nothing)
            .contains("nothing to recover")
    );
}

/// The source comes back while nobody knows whether the peer has started the partition: it may not run twice.
#[test]
fn what_a_peer_may_have_started_is_not_started_at_home() {
    for (way, arrives) in [(Line::Deaf, false), (Line::Mute, true)] {
        let mut halves = Halves::of(Flavor::Hmc);
        let client = halves.stranded();
        let disturbed = |asked: usize| if asked == 1 { Line::Good } else { way };
        let job = halves.restart(client, "restart", disturbed);
        let early = halves.restart(client, "recover", disturbed);
        assert!(halves.here.room.failure(early).contains("wait until"));
        assert_eq!(
            halves.here.room.partition(client).remote_restart_state(),
            "Source_Remote_Restarting"
        );
        halves.wait(60_000, disturbed);
        assert!(halves.here.room.failure(job).contains("recover"));
        let again = halves.restart(client, "restart", disturbed);
        assert!(halves.here.room.failure(again).contains("on its way"));
        halves.system_becomes(SystemState::Operating);
        let on = halves.here.room.power(client, "PowerOn", &[]);
        halves.here.room.failure(on);
        let gone = halves.here.room.apply(Command::DeletePartition {
            partition: client,
            reset_serial_number: false,
        });
        gone.unwrap_err();

        let recovered = halves.restart(client, "recover", good);
        halves.here.room.succeeded(recovered);
        assert_eq!(halves.places(client), (!arrives, arrives));
        if !arrives {
            let on = halves.here.room.power(client, "PowerOn", &[]);
            halves.here.room.succeeded(on);
        }
        halves.wait(60_000, good);
        assert!(halves.is_quiet());
    }
}

/// The same of a migration whose source fails in the moment of the change over, and comes back.
#[test]
fn what_a_peer_may_have_taken_in_is_not_started_at_home() {
    let mut halves = Halves::trusting(Flavor::Hmc);
    let client = halves.here.running("one");
    let deaf_from_two = |asked: usize| if asked == 1 { Line::Good } else { Line::Deaf };
    halves.migrate(client, deaf_from_two);
    halves.wait(60_000, deaf_from_two);
    halves.system_becomes(SystemState::Error);
    halves.system_becomes(SystemState::Operating);
    let on = halves.here.room.power(client, "PowerOn", &[]);
    halves.here.room.failure(on);
    let forced = [("Force", "true")];
    let recovered = halves.here.room.power(client, "MigrateRecover", &forced);
    halves.carry(good);
    halves.here.room.succeeded(recovered);
    let left = halves.here.room.partition(client);
    assert_eq!(left.state, PartitionState::NotActivated);
}
