//! Jobs, and what power jobs do to partitions.

use powervm_simulator::model::command::{CreatePartition, SubmitJob};
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::{
    BootMode, JobStatus, PartitionKind, PartitionState, RmcState,
};
use powervm_simulator::model::units::ProcUnits;
use powervm_simulator::model::{Command, Flavor};
use uuid::Uuid;

use super::support::{Room, shared};

const HARD: [(&str, &str); 2] = [("operation", "shutdown"), ("immediate", "true")];

#[test]
fn a_job_lives_through_its_states() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    let job = room.power(client, "PowerOn", &[]);
    assert_eq!(job.to_string().len(), 13);
    assert_eq!(
        (room.job(job).status, room.job(job).started),
        (JobStatus::NotStarted, None)
    );
    room.wait(60);
    assert_eq!(room.job(job).status, JobStatus::Running);
    assert_eq!(room.partition(client).state, PartitionState::Starting);
    let refusal = room.apply(Command::DeleteJob(job)).unwrap_err();
    assert_eq!(refusal.status, 400);
    room.wait(6_000);
    room.succeeded(job);
    assert_eq!(room.partition(client).state, PartitionState::Running);
    let times = room.job(job);
    assert!(times.submitted < times.started.unwrap() && times.started < times.completed);
    room.done(Command::DeleteJob(job));
    let refusal = room.apply(Command::DeleteJob(job)).unwrap_err();
    assert!(refusal.status == 404 && refusal.message.starts_with("REST0005"));
    let next = room.power(client, "CloseVterm", &[]);
    assert_eq!(next, job + 1);
}

#[test]
fn a_partition_boots_and_rmc_follows() {
    let mut room = Room::typical(Flavor::Hmc);
    let client = room.bootable("one");
    let available = (
        room.world.available_memory(room.system()),
        room.world.available_processors(room.system()),
    );
    room.power(client, "PowerOn", &[]);
    room.wait(10_000);
    let partition = room.partition(client);
    assert_eq!(
        (partition.state, partition.rmc),
        (PartitionState::Running, RmcState::Inactive)
    );
    assert!(!partition.accepts_adapter_changes());
    assert_eq!(
        room.world.available_memory(room.system()),
        available.0 - 2048 - 256
    );
    assert_eq!(
        room.world.available_processors(room.system()),
        available.1.minus(ProcUnits::from_hundredths(10))
    );
    room.wait(25_000);
    assert_eq!(room.partition(client).reference_code, "Linux ppc64le");
    assert_eq!(room.partition(client).os_version, "Unknown");
    room.wait(90_000);
    let partition = room.partition(client);
    assert_eq!(partition.rmc, RmcState::Active);
    assert!(partition.capabilities.dynamic_io && partition.os_version.starts_with("Linux/"));
    assert_eq!(partition.current_compatibility.as_str(), "POWER8");
    room.power(client, "PowerOff", &HARD);
    room.wait(5_000);
    let partition = room.partition(client);
    assert_eq!(
        (partition.state, partition.rmc),
        (PartitionState::NotActivated, RmcState::Inactive)
    );
    assert_eq!(
        (partition.reference_code.as_str(), partition.started),
        ("00000000", None)
    );
    assert_eq!(
        (
            room.world.available_memory(room.system()),
            room.world.available_processors(room.system())
        ),
        available
    );
}

#[test]
fn without_a_disk_it_stays_in_open_firmware() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.partition_named("one");
    let job = room.power(client, "PowerOn", &[]);
    room.wait(20_000);
    room.succeeded(job);
    let partition = room.partition(client);
    assert_eq!(
        (partition.state, partition.reference_code.as_str()),
        (PartitionState::OpenFirmware, "AA00E158")
    );
    room.wait(600_000);
    assert_eq!(room.partition(client).rmc, RmcState::Inactive);
    let job = room.power(client, "PowerOff", &HARD);
    room.wait(5_000);
    room.succeeded(job);
}

#[test]
fn a_boot_mode_can_stop_it_in_the_firmware() {
    let mut room = Room::novalink();
    let client = room.bootable("one");
    room.power(
        client,
        "PowerOn",
        &[("bootmode", "sms"), ("keylock", "manual")],
    );
    room.wait(5_000);
    let partition = room.partition(client);
    assert_eq!(partition.state, PartitionState::OpenFirmware);
    assert_eq!(
        partition.settings.boot_mode,
        BootMode::SystemManagementServices
    );
    room.power(client, "PowerOff", &HARD);
    let job = room.power(client, "PowerOn", &[("bootmode", "nonsense")]);
    assert!(room.failure(job).contains("nonsense"));
    room.power(client, "PowerOn", &[]);
    room.wait(5_000);
    assert_eq!(room.partition(client).state, PartitionState::Running);
}

#[test]
fn on_what_is_on_and_off_what_is_off_fails_in_the_words_of_the_product() {
    for (flavor, on, off, os) in [
        (Flavor::Hmc, "HSCL3681", "HSCL1558", "HSCL0DB4"),
        (
            Flavor::NovaLink,
            "PVME01042026",
            "PVME04000005",
            "PVME01050905",
        ),
    ] {
        let mut room = Room::new(flavor);
        let client = room.partition_named("one");
        let job = room.power(client, "PowerOff", &[("operation", "shutdown")]);
        assert!(room.failure(job).starts_with(off), "{}", room.failure(job));
        room.power(client, "PowerOn", &[]);
        let job = room.power(client, "PowerOn", &[]);
        assert!(room.failure(job).starts_with(on), "{}", room.failure(job));
        let job = room.power(client, "PowerOff", &[("operation", "osshutdown")]);
        assert!(room.failure(job).starts_with(os), "{}", room.failure(job));
        let job = room.power(client, "PowerOff", &[("operation", "explode")]);
        assert!(room.failure(job).contains("explode"));
    }
}

#[test]
fn every_way_of_powering_off_ends_off_or_running_again() {
    for operation in ["shutdown", "osshutdown", "dumprestart"] {
        for immediate in [false, true] {
            for restart in [false, true] {
                let mut room = Room::typical(Flavor::Hmc);
                let client = room.bootable("one");
                room.power(client, "PowerOn", &[]);
                room.wait(200_000);
                let mut parameters = vec![("operation", operation)];
                parameters.extend(immediate.then_some(("immediate", "true")));
                parameters.extend(restart.then_some(("restart", "true")));
                let job = room.power(client, "PowerOff", &parameters);
                room.wait(100);
                assert_eq!(room.partition(client).state, PartitionState::ShuttingDown);
                assert_eq!(room.partition(client).rmc, RmcState::Inactive);
                room.wait(32_000);
                room.succeeded(job);
                let again = restart || operation == "dumprestart";
                let expected = if again {
                    PartitionState::Running
                } else {
                    PartitionState::NotActivated
                };
                assert_eq!(room.partition(client).state, expected, "{parameters:?}");
                room.wait(200_000);
                let rmc = if again {
                    RmcState::Active
                } else {
                    RmcState::Inactive
                };
                assert_eq!(room.partition(client).rmc, rmc);
            }
        }
    }
}

#[test]
fn ibmi_shuts_down_without_rmc() {
    let mut room = Room::typical(Flavor::Hmc);
    let client = room.bootable_of("one", PartitionKind::IbmI);
    room.power(client, "PowerOn", &[]);
    room.wait(200_000);
    assert_eq!(room.partition(client).state, PartitionState::Running);
    assert_eq!(room.partition(client).rmc, RmcState::None);
    let job = room.power(client, "PowerOff", &[("operation", "osshutdown")]);
    room.wait(32_000);
    room.succeeded(job);
    assert_eq!(room.partition(client).state, PartitionState::NotActivated);
}

#[test]
fn a_hard_power_off_overtakes_a_soft_one() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    room.power(client, "PowerOn", &[]);
    room.wait(200_000);
    let soft = room.power(client, "PowerOff", &[("operation", "osshutdown")]);
    room.wait(1_000);
    let again = room.power(client, "PowerOff", &[("operation", "shutdown")]);
    room.wait(500);
    assert!(room.failure(again).contains("HSCL05DF"));
    let hard = room.power(client, "PowerOff", &HARD);
    room.wait(4_000);
    room.succeeded(hard);
    assert_eq!(room.partition(client).state, PartitionState::NotActivated);
    room.power(client, "PowerOn", &[]);
    room.wait(60_000);
    room.succeeded(soft);
    assert_eq!(
        room.partition(client).state,
        PartitionState::Running,
        "what was planned before does not strike"
    );
}

#[test]
fn a_start_without_resources_ends_in_error() {
    let mut room = Room::new(Flavor::Hmc);
    let create = CreatePartition {
        memory: powervm_simulator::model::command::MemoryRequest {
            desired: Some(1 << 20),
            ..Default::default()
        },
        ..room.create("glutton")
    };
    room.done(Command::CreatePartition(Box::new(create)));
    let glutton = room
        .world
        .partitions
        .values()
        .find(|partition| partition.name == "glutton")
        .unwrap()
        .uuid;
    let job = room.power(glutton, "PowerOn", &[]);
    assert!(room.failure(job).contains("HSCL03EC"));
    let partition = room.partition(glutton);
    assert_eq!(partition.state, PartitionState::Error);
    assert_eq!(
        partition.reference_code,
        format!("B2001230 LP={:05}", partition.id)
    );
    let job = room.power(glutton, "PowerOn", &[]);
    assert!(room.failure(job).contains("HSCL3681"));
    let job = room.power(
        glutton,
        "PowerOff",
        &[("immediate", "true"), ("restart", "true")],
    );
    assert!(
        room.failure(job).contains("HSCL03EC"),
        "a restart does not find more"
    );
    let job = room.power(glutton, "PowerOff", &HARD);
    room.succeeded(job);
    room.done(crate::support::delete_partition(glutton));

    let create = CreatePartition {
        processors: Some(shared(2_300, 24)),
        ..room.create("busy")
    };
    let first = room.partition_named("first");
    room.power(first, "PowerOn", &[]);
    room.done(Command::CreatePartition(Box::new(create)));
    let busy = room
        .world
        .partitions
        .values()
        .find(|partition| partition.name == "busy")
        .unwrap()
        .uuid;
    let job = room.power(busy, "PowerOn", &[]);
    assert!(room.failure(job).contains("HSCL03F4"));
}

#[test]
fn a_partition_takes_less_than_desired_if_it_may() {
    let mut room = Room::new(Flavor::Hmc);
    let most = room.world.available_memory(room.system());
    let create = CreatePartition {
        memory: powervm_simulator::model::command::MemoryRequest {
            minimum: Some(1024),
            desired: Some(most),
            maximum: Some(most),
            ..Default::default()
        },
        ..room.create("flexible")
    };
    room.done(Command::CreatePartition(Box::new(create)));
    let flexible = room
        .world
        .partitions
        .values()
        .find(|partition| partition.name == "flexible")
        .unwrap()
        .uuid;
    let job = room.power(flexible, "PowerOn", &[]);
    room.succeeded(job);
    let current = room.partition(flexible).memory.current;
    assert!(current < most && current.is_multiple_of(256));
    room.power(flexible, "PowerOff", &HARD);
    assert_eq!(room.partition(flexible).memory.current, most);
}

#[test]
fn a_job_can_be_cancelled() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.bootable("one");
    let job = room.power(client, "PowerOn", &[]);
    room.done(Command::CancelJob(job));
    assert_eq!(room.job(job).status, JobStatus::CanceledBeforeStart);
    room.wait(60_000);
    assert_eq!(room.partition(client).state, PartitionState::NotActivated);
    let job = room.power(client, "PowerOn", &[]);
    room.wait(1_000);
    room.done(Command::CancelJob(job));
    assert_eq!(room.job(job).status, JobStatus::CanceledWhileRunning);
    room.wait(60_000);
    assert_eq!(room.job(job).status, JobStatus::CanceledWhileRunning);
    assert_eq!(
        room.partition(client).state,
        PartitionState::Running,
        "what was begun goes on"
    );
    room.done(Command::CancelJob(job));
    room.done(Command::DeleteJob(job));
    assert_eq!(room.apply(Command::CancelJob(job)).unwrap_err().status, 404);
}

#[test]
fn finished_jobs_are_forgotten_after_a_day() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let job = room.power(client, "CloseVterm", &[]);
    room.wait(23 * 3_600_000);
    assert!(room.world.jobs.contains_key(&job));
    room.wait(2 * 3_600_000);
    assert!(!room.world.jobs.contains_key(&job));
    for _ in 0..4_200 {
        let submit = SubmitJob {
            target: JobTarget::LogicalPartition(client),
            operation: "CloseVterm".to_owned(),
            parameters: Vec::new(),
        };
        room.world
            .apply(room.now, Command::SubmitJob(submit))
            .unwrap();
    }
    assert_eq!(
        room.world.jobs.len(),
        powervm_simulator::model::job::lifecycle::KEPT
    );
}

#[test]
fn unknown_operations_and_targets_are_refused() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let submit = |target, operation: &str| {
        Command::SubmitJob(SubmitJob {
            target,
            operation: operation.to_owned(),
            parameters: Vec::new(),
        })
    };
    let refusal = room
        .apply(submit(JobTarget::LogicalPartition(client), "Explode"))
        .unwrap_err();
    assert!(refusal.status == 400 && refusal.message.contains("REST0006"));
    let refusal = room
        .apply(submit(JobTarget::LogicalPartition(Uuid::nil()), "PowerOn"))
        .unwrap_err();
    assert_eq!(refusal.status, 404);
}

#[test]
fn the_management_partition_stays_up() {
    let mut room = Room::novalink();
    let management = room
        .world
        .partitions
        .values()
        .find(|partition| partition.is_management)
        .unwrap()
        .uuid;
    let job = room.power(management, "PowerOff", &HARD);
    assert!(room.failure(job).contains("management"));
}

#[test]
fn a_partition_that_went_fails_its_job() {
    let mut room = Room::typical(Flavor::NovaLink);
    let client = room.partition_named("one");
    let job = room.power(client, "PowerOn", &[]);
    room.done(crate::support::delete_partition(client));
    room.wait(1_000);
    assert!(room.failure(job).contains("HSCL8012"));
}

#[test]
fn reserved_memory_is_what_an_activation_takes() {
    let mut room = Room::novalink();
    let client = room.partition_named("one");
    let parameters = [
        ("LogicalPartitionEnvironment", "AIX/Linux"),
        ("DesiredMemory", "2048"),
        ("MaximumMemory", "4096"),
    ];
    let job = room.submit(
        JobTarget::ManagedSystem(room.system()),
        "QueryReservedMemoryRequiredForPartition",
        &parameters,
    );
    room.succeeded(job);
    let result = |name: &str| -> u64 {
        room.job(job)
            .results
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.parse().unwrap())
            .unwrap()
    };
    let (required, available) = (
        result("RequiredMemory"),
        result("CurrentAvailableSystemMemory"),
    );
    assert_eq!(required, 2048 + 256);
    room.power(client, "PowerOn", &[]);
    assert_eq!(
        room.world.available_memory(room.system()),
        available - required
    );
}

#[test]
fn disks_can_be_removed_unless_used() {
    let mut room = Room::novalink();
    let vios = room.vioses()[0];
    let target = JobTarget::VirtualIoServer(vios);
    let job = room.submit(target, "RemoveDevice", &[("devName", "hdisk7")]);
    room.succeeded(job);
    assert!(room.vios(0).physical_volume("hdisk7").is_none());
    for (device, word) in [("hdisk0", "busy"), ("hdisk7", "no device")] {
        let job = room.submit(target, "RemoveDevice", &[("devName", device)]);
        assert!(room.failure(job).contains(word));
    }
    let mut room = Room::new(Flavor::Hmc);
    let console = JobTarget::ManagementConsole(None);
    let command = [("cmd", "viosvrcmd -m neo -p vios1 -c \"rmdev -dev hdisk8\"")];
    let job = room.submit(console, "CLIRunner", &command);
    room.succeeded(job);
    assert!(room.vios(0).physical_volume("hdisk8").is_none());
    let job = room.submit(console, "CLIRunner", &[("cmd", "chsyscfg -r sys")]);
    assert_eq!(room.job(job).status, JobStatus::FailedBeforeCompletion);
    assert!(room.job(job).exception.is_some());
    let client = room.partition_named("one");
    room.done(Command::OpenConsole(client));
    room.submit(console, "CLIRunner", &[("cmd", "rmvterm -m neo -p one")]);
    assert!(!room.partition(client).console_open);
}
