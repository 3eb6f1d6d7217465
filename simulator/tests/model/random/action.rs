//! Random things to do.

use powervm_simulator::model::command::SlotChoice;
use proptest::prelude::*;

use super::network;
use super::storage_network::{Step, step};

/// What to do, with numbers that pick among what there is when it is done.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Wait(u64),
    Create {
        name: u8,
        memory: u64,
        dedicated: bool,
        units: u32,
        slots: Option<u32>,
    },
    Update {
        pick: u8,
        memory: u64,
        name: Option<u8>,
        slots: Option<u32>,
        force: bool,
        settle: bool,
    },
    Delete {
        pick: u8,
    },
    Plug {
        pick: u8,
        slot: SlotChoice,
        vlan: u16,
        tagged: Vec<u16>,
        trunk: Option<u8>,
        server: bool,
    },
    Retag {
        pick: u8,
        adapter: u8,
        vlan: u16,
    },
    Unplug {
        pick: u8,
        adapter: u8,
    },
    Unit {
        name: u8,
        gigabytes: u64,
        clone: Option<u8>,
        thin: bool,
    },
    DeleteUnit {
        pick: u8,
    },
    Disk {
        server: bool,
        name: u8,
        gigabytes: u64,
        base: Option<u8>,
    },
    DropDisk {
        server: bool,
        pick: u8,
    },
    GrowDisk {
        server: bool,
        pick: u8,
        gigabytes: u64,
    },
    Media {
        server: bool,
        name: u8,
        size: u64,
        drop: bool,
    },
    Volumes {
        server: bool,
        pick: u8,
        leave: bool,
    },
    Map {
        server: bool,
        client: u8,
        storage: Stored,
        bus: bool,
        slot: SlotChoice,
    },
    Unmap {
        server: bool,
        pick: u8,
    },
    Detach {
        server: bool,
        pick: u8,
    },
    Power {
        pick: u8,
        on: bool,
        parameters: Vec<(&'static str, &'static str)>,
        server: bool,
    },
    Cancel {
        pick: u8,
    },
    DeleteJob {
        pick: u8,
    },
    Upload {
        name: u8,
        bytes: u64,
        device: Option<u8>,
        keep: bool,
    },
    DeleteFile {
        pick: u8,
    },
    Switch {
        name: u8,
        delete: bool,
    },
    Network {
        vlan: u16,
        delete: bool,
    },
    Console {
        pick: u8,
        close: bool,
    },
    StorageNetwork(Step),
    Bridging(network::Step),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stored {
    Unit(u8),
    Volume(u8),
    Disk(u8),
    Medium(u8),
}

pub(crate) fn action() -> impl Strategy<Value = Action> {
    let pick = || 0..8_u8;
    let name = || 0..5_u8;
    let server = any::<bool>;
    let slot = || {
        prop_oneof![
            4 => Just(SlotChoice::Next),
            1 => Just(SlotChoice::NextHigh),
            1 => (0..70_u16).prop_map(SlotChoice::Given),
        ]
    };
    let stored = prop_oneof![
        4 => pick().prop_map(Stored::Unit),
        2 => (0..12_u8).prop_map(Stored::Volume),
        2 => pick().prop_map(Stored::Disk),
        2 => pick().prop_map(Stored::Medium),
    ];
    let slots = || {
        proptest::option::of(prop_oneof![
            Just(1),
            Just(4),
            Just(64),
            Just(200),
            Just(65_535)
        ])
    };
    let vlan = || prop_oneof![4 => 1..6_u16, 1 => Just(0_u16), 1 => 4090..4097_u16];
    let memory = || prop_oneof![3 => (1..20_u64).prop_map(|regions| regions * 256), 1 => Just(100_u64), 1 => Just(60_000_u64), 1 => Just(1 << 40)];
    let gigabytes =
        || prop_oneof![4 => 1..50_u64, 1 => Just(0_u64), 1 => Just(2_000_u64), 1 => Just(u64::MAX)];
    let parameters = prop::sample::subsequence(
        vec![
            ("operation", "shutdown"),
            ("operation", "osshutdown"),
            ("immediate", "true"),
            ("restart", "true"),
            ("bootmode", "sms"),
            ("operation", "x"),
        ],
        0..4,
    );
    prop_oneof![
        6 => prop_oneof![Just(0), Just(100), 1_000..20_000_u64, Just(120_000), Just(90_000_000)].prop_map(Action::Wait),
        4 => (name(), memory(), any::<bool>(), 0..300_u32, slots())
            .prop_map(|(name, memory, dedicated, units, slots)| Action::Create { name, memory, dedicated, units, slots }),
        2 => (pick(), memory(), proptest::option::of(name()), slots(), any::<bool>(), any::<bool>())
            .prop_map(|(pick, memory, name, slots, force, settle)| Action::Update { pick, memory, name, slots, force, settle }),
        3 => pick().prop_map(|pick| Action::Delete { pick }),
        3 => (pick(), slot(), vlan(), prop::collection::vec(vlan(), 0..3), proptest::option::of(0..3_u8), prop::bool::weighted(0.2))
            .prop_map(|(pick, slot, vlan, tagged, trunk, server)| Action::Plug { pick, slot, vlan, tagged, trunk, server }),
        1 => (pick(), pick(), vlan()).prop_map(|(pick, adapter, vlan)| Action::Retag { pick, adapter, vlan }),
        2 => (pick(), pick()).prop_map(|(pick, adapter)| Action::Unplug { pick, adapter }),
        3 => (name(), gigabytes(), proptest::option::of(pick()), any::<bool>())
            .prop_map(|(name, gigabytes, clone, thin)| Action::Unit { name, gigabytes, clone, thin }),
        2 => pick().prop_map(|pick| Action::DeleteUnit { pick }),
        2 => (server(), name(), gigabytes(), proptest::option::of(pick()))
            .prop_map(|(server, name, gigabytes, base)| Action::Disk { server, name, gigabytes, base }),
        1 => (server(), pick()).prop_map(|(server, pick)| Action::DropDisk { server, pick }),
        1 => (server(), pick(), gigabytes()).prop_map(|(server, pick, gigabytes)| Action::GrowDisk { server, pick, gigabytes }),
        1 => (server(), name(), 0..50_u64, any::<bool>()).prop_map(|(server, name, size, drop)| Action::Media { server, name, size, drop }),
        1 => (server(), 0..12_u8, any::<bool>()).prop_map(|(server, pick, leave)| Action::Volumes { server, pick, leave }),
        8 => (server(), pick(), stored, any::<bool>(), slot())
            .prop_map(|(server, client, storage, bus, slot)| Action::Map { server, client, storage, bus, slot }),
        3 => (server(), pick()).prop_map(|(server, pick)| Action::Unmap { server, pick }),
        1 => (server(), pick()).prop_map(|(server, pick)| Action::Detach { server, pick }),
        8 => (pick(), any::<bool>(), parameters, prop::bool::weighted(0.1))
            .prop_map(|(pick, on, parameters, server)| Action::Power { pick, on, parameters, server }),
        1 => pick().prop_map(|pick| Action::Cancel { pick }),
        1 => pick().prop_map(|pick| Action::DeleteJob { pick }),
        3 => (name(), prop_oneof![Just(0), Just(1 << 20), Just(1 << 34), Just(u64::MAX)], proptest::option::of(pick()), any::<bool>())
            .prop_map(|(name, bytes, device, keep)| Action::Upload { name, bytes, device, keep }),
        1 => pick().prop_map(|pick| Action::DeleteFile { pick }),
        1 => (name(), any::<bool>()).prop_map(|(name, delete)| Action::Switch { name, delete }),
        1 => (vlan(), any::<bool>()).prop_map(|(vlan, delete)| Action::Network { vlan, delete }),
        1 => (pick(), any::<bool>()).prop_map(|(pick, close)| Action::Console { pick, close }),
        8 => step().prop_map(Action::StorageNetwork),
        8 => network::step().prop_map(Action::Bridging),
    ]
}
