//! What may happen in a room of two systems.

use powervm_simulator::model::names::SystemState;
use proptest::prelude::*;

/// One thing that happens; numbers pick among what is there.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Wait(u64),
    Job {
        partition: u8,
        operation: &'static str,
        elsewhere: bool,
        more: Vec<(&'static str, &'static str)>,
    },
    Cancel(u8),
    Keys {
        system: bool,
        drop: bool,
    },
    State {
        system: bool,
        state: SystemState,
    },
    /// The system is put right, and its servers are switched on.
    Repair {
        system: bool,
    },
    /// The system fails, and the partition is started on the other one.
    Rescue {
        partition: u8,
    },
    Server {
        system: bool,
        number: usize,
        on: bool,
    },
    System {
        system: bool,
        operation: &'static str,
        number: u8,
        status: &'static str,
    },
    Set {
        partition: u8,
        suspend: bool,
        restart: bool,
        fixed: bool,
    },
    Pool {
        system: bool,
        pool: u8,
        maximum: u32,
        reserved: u32,
        name: u8,
    },
    Assign {
        partition: u8,
        pool: u8,
        units: u32,
    },
    Memory {
        system: bool,
        size: u64,
        what: u8,
    },
    Profile {
        partition: u8,
        profile: u8,
        memory: u64,
        what: u8,
    },
    Nic {
        partition: u8,
        port: u16,
    },
    Create {
        system: bool,
        name: u8,
        serial: bool,
    },
    Monitor {
        system: bool,
        on: bool,
    },
}

/// Any of them, the likelier the more it leads to.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let pick = || 0..6_u8;
    let system = any::<bool>;
    let operation = prop_oneof![
        8 => Just("Migrate"),
        1 => Just("MigrateValidate"),
        2 => Just("MigrateAbort"),
        2 => Just("MigrateRecover"),
        4 => Just("RemoteRestart"),
        3 => Just("Suspend"),
        3 => Just("Resume"),
        5 => Just("PowerOn"),
        3 => Just("PowerOff"),
        1 => Just("SaveCurrentConfig"),
        1 => Just("CloneUUID"),
        1 => Just("CloseVterm"),
    ];
    let more = prop::sample::subsequence(
        vec![
            ("Force", "true"),
            ("OVSOverride", "2"),
            ("VLANBridgeOverride", "2"),
            ("DestinationLparID", "9"),
            ("SharedProcPoolID", "1"),
            ("immediate", "true"),
            ("VirtualSCSIMappings", "3/vios2/"),
            ("VirtualFCMappings", "5/vios1/"),
            ("targetLparName", "p1"),
            ("profileName", "saved"),
        ],
        0..3,
    );
    let more =
        prop_oneof![3 => Just(vec![("OVSOverride", "2"), ("VLANBridgeOverride", "2")]), 2 => more];
    let state = prop_oneof![
        6 => Just(SystemState::Operating),
        2 => Just(SystemState::Error),
        1 => Just(SystemState::PowerOff),
    ];
    let of_system = prop_oneof![
        3 => Just("AddVSN"),
        1 => Just("RemoveVSN"),
        2 => Just("TransferVSN"),
        1 => Just("ReleaseController"),
        6 => Just("RequestController"),
    ];
    prop_oneof![
        8 => prop_oneof![Just(0), 100..2_000_u64, 2_000..30_000_u64, Just(120_000)].prop_map(Step::Wait),
        16 => (pick(), operation, prop::bool::weighted(0.9), more)
            .prop_map(|(partition, operation, elsewhere, more)| Step::Job { partition, operation, elsewhere, more }),
        1 => pick().prop_map(Step::Cancel),
        2 => (system(), prop::bool::weighted(0.1)).prop_map(|(system, drop)| Step::Keys { system, drop }),
        2 => (system(), state).prop_map(|(system, state)| Step::State { system, state }),
        3 => system().prop_map(|system| Step::Repair { system }),
        1 => pick().prop_map(|partition| Step::Rescue { partition }),
        3 => (system(), 0..2_usize, prop::bool::weighted(0.85))
            .prop_map(|(system, number, on)| Step::Server { system, number, on }),
        3 => (system(), of_system, 0..4_u8, prop_oneof![4 => Just("norm"), 2 => Just("temp"), 1 => Just("odd")])
            .prop_map(|(system, operation, number, status)| Step::System { system, operation, number, status }),
        2 => (pick(), prop::bool::weighted(0.8), prop::bool::weighted(0.8), prop::bool::weighted(0.05))
            .prop_map(|(partition, suspend, restart, fixed)| Step::Set { partition, suspend, restart, fixed }),
        3 => (system(), 0..3_u8, 0..8_u32, 0..3_u32, 0..4_u8)
            .prop_map(|(system, pool, maximum, reserved, name)| Step::Pool { system, pool, maximum, reserved, name }),
        2 => (pick(), 0..3_u8, 0..200_u32).prop_map(|(partition, pool, units)| Step::Assign { partition, pool, units }),
        2 => (system(), prop_oneof![Just(4096_u64), Just(100), Just(1 << 40)], 0..3_u8)
            .prop_map(|(system, size, what)| Step::Memory { system, size, what }),
        2 => (pick(), 0..3_u8, prop_oneof![Just(1024_u64), Just(1000), Just(4096)], 0..3_u8)
            .prop_map(|(partition, profile, memory, what)| Step::Profile { partition, profile, memory, what }),
        2 => (pick(), 0..4_u16).prop_map(|(partition, port)| Step::Nic { partition, port }),
        2 => (system(), 0..3_u8, any::<bool>()).prop_map(|(system, name, serial)| Step::Create { system, name, serial }),
        1 => (system(), any::<bool>()).prop_map(|(system, on)| Step::Monitor { system, on }),
    ]
}
