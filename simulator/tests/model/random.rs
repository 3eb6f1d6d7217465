//! Random commands, sensible and senseless: every invariant holds after each, a refused command changes nothing, the
//! same commands make the same world, and whoever cleans up leaves nothing behind.

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::listing::differences;
use powervm_simulator::model::names::*;
use powervm_simulator::model::network::Trunk;
use powervm_simulator::model::storage::Content;
use powervm_simulator::model::units::Gigabytes;
use powervm_simulator::model::{Command, Flavor, Owner, Pace, World};
use proptest::prelude::*;
use uuid::Uuid;

use super::support::{Room, adapter, dedicated, disk, mapping, shared, unit};

/// What to do, with numbers that pick among what there is when it is done.
#[derive(Clone, Debug)]
enum Action {
    Wait(u64),
    Create { name: u8, memory: u64, dedicated: bool, units: u32, slots: Option<u32> },
    Update { pick: u8, memory: u64, name: Option<u8>, slots: Option<u32>, force: bool, settle: bool },
    Delete { pick: u8 },
    Plug { pick: u8, slot: SlotChoice, vlan: u16, tagged: Vec<u16>, trunk: Option<u8>, server: bool },
    Retag { pick: u8, adapter: u8, vlan: u16 },
    Unplug { pick: u8, adapter: u8 },
    Unit { name: u8, gigabytes: u64, clone: Option<u8>, thin: bool },
    DeleteUnit { pick: u8 },
    Disk { server: bool, name: u8, gigabytes: u64, base: Option<u8> },
    DropDisk { server: bool, pick: u8 },
    GrowDisk { server: bool, pick: u8, gigabytes: u64 },
    Media { server: bool, name: u8, size: u64, drop: bool },
    Volumes { server: bool, pick: u8, leave: bool },
    Map { server: bool, client: u8, storage: Stored, bus: bool, slot: SlotChoice },
    Unmap { server: bool, pick: u8 },
    Detach { server: bool, pick: u8 },
    Power { pick: u8, on: bool, parameters: Vec<(&'static str, &'static str)>, server: bool },
    Cancel { pick: u8 },
    DeleteJob { pick: u8 },
    Upload { name: u8, bytes: u64, device: Option<u8>, keep: bool },
    DeleteFile { pick: u8 },
    Switch { name: u8, delete: bool },
    Network { vlan: u16, delete: bool },
    Console { pick: u8, close: bool },
}

#[derive(Clone, Copy, Debug)]
enum Stored {
    Unit(u8),
    Volume(u8),
    Disk(u8),
    Medium(u8),
}

fn action() -> impl Strategy<Value = Action> {
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
    let slots = || proptest::option::of(prop_oneof![Just(1), Just(4), Just(64), Just(200), Just(65_535)]);
    let vlan = || prop_oneof![4 => 1..6_u16, 1 => Just(0_u16), 1 => 4090..4097_u16];
    let memory = || prop_oneof![3 => (1..20_u64).prop_map(|regions| regions * 256), 1 => Just(100_u64), 1 => Just(60_000_u64), 1 => Just(1 << 40)];
    let gigabytes = || prop_oneof![4 => 1..50_u64, 1 => Just(0_u64), 1 => Just(2_000_u64), 1 => Just(u64::MAX)];
    let parameters = prop::sample::subsequence(
        vec![("operation", "shutdown"), ("operation", "osshutdown"), ("immediate", "true"), ("restart", "true"), ("bootmode", "sms"), ("operation", "x")],
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
    ]
}

fn at<T: Clone>(pick: u8, things: impl IntoIterator<Item = T>) -> Option<T> {
    let things: Vec<T> = things.into_iter().collect();
    things.get(usize::from(pick)).cloned()
}

fn nobody() -> Uuid {
    Uuid::from_u128(0xdead)
}

fn room(flavor: Flavor, pace: Pace) -> Room {
    let mut inventory = Inventory::sized(flavor, Sizes { systems: 1, vioses: 2, partitions: 1 });
    for system in &mut inventory.systems {
        (system.memory_mb, system.processors) = (80 * 1024, 6);
    }
    let mut world: World = inventory.world(flavor, 3, Millis::EPOCH).unwrap();
    world.pace = pace;
    Room { world, now: Millis::EPOCH }
}

/// Carries one action out; whether it is refused is the model's affair.
fn act(room: &mut Room, action: &Action) {
    for command in commands(room, action) {
        let _ = room.apply(command);
    }
}

fn commands(room: &mut Room, action: &Action) -> Vec<Command> {
    let partition = |room: &Room, pick: u8| at(pick, room.world.partitions.keys().copied()).unwrap_or_else(nobody);
    let number = |server: bool| usize::from(server);
    match action.clone() {
        Action::Wait(milliseconds) => {
            room.wait(milliseconds);
            Vec::new()
        }
        Action::Create { name, memory, dedicated: whole, units, slots } => {
            let mut create = room.create(&format!("p{name}"));
            create.memory = MemoryRequest { minimum: Some(256), desired: Some(memory), ..MemoryRequest::default() };
            create.processors = Some(if whole { dedicated(u16::try_from(units % 8).unwrap()) } else { shared(units, 2) });
            create.maximum_slots = slots;
            vec![Command::CreatePartition(Box::new(create))]
        }
        Action::Update { pick, memory, name, slots, force, settle } => {
            let mut update = UpdatePartition::of(Owner::Partition(partition(room, pick)));
            update.memory.desired = Some(memory);
            update.memory.maximum = settle.then_some(memory);
            update.memory.minimum = settle.then_some(256);
            update.name = name.map(|name| format!("p{name}"));
            update.maximum_slots = slots;
            update.force = force;
            vec![Command::UpdatePartition(Box::new(update))]
        }
        Action::Delete { pick } => vec![Command::DeletePartition(partition(room, pick))],
        Action::Plug { pick, slot, vlan, tagged, trunk, server } => {
            let owner = if server { Owner::Vios(room.vioses()[1]) } else { Owner::Partition(partition(room, pick)) };
            let trunk = trunk.map(|priority| Trunk { priority, device: None });
            vec![Command::CreateNetworkAdapter(CreateNetworkAdapter { slot, vlan, tagged_vlans: tagged, trunk, ..adapter(owner) })]
        }
        Action::Retag { pick, adapter, vlan } => {
            let uuid = partition(room, pick);
            let adapters = room.world.partitions.get(&uuid).into_iter().flat_map(|partition| partition.network_adapters.keys().copied());
            vec![Command::UpdateNetworkAdapter(UpdateNetworkAdapter {
                owner: Owner::Partition(uuid),
                adapter: at(adapter, adapters).unwrap_or_else(nobody),
                vlan: Some(vlan),
                tagged_vlans: None,
                tagged: None,
                trunk: None,
                mtu: None,
                ovs_bridge: None,
                ovs_external_ids: None,
            })]
        }
        Action::Unplug { pick, adapter } => {
            let uuid = partition(room, pick);
            let adapters = room.world.partitions.get(&uuid).into_iter().flat_map(|partition| partition.network_adapters.keys().copied());
            let adapter = at(adapter, adapters).unwrap_or_else(nobody);
            vec![Command::DeleteNetworkAdapter { owner: Owner::Partition(uuid), adapter }]
        }
        Action::Unit { name, gigabytes, clone, thin } => {
            let cloned_from = clone.map(|pick| at(pick, units(room)).map_or_else(|| "29ff".to_owned(), |unit| unit.1));
            let create = CreateLogicalUnit { thin: Some(thin), ..unit(room.tier(), &format!("u{name}"), gigabytes, cloned_from) };
            vec![Command::CreateLogicalUnit(create)]
        }
        Action::DeleteUnit { pick } => {
            let unit = at(pick, units(room)).map_or_else(nobody, |unit| unit.0);
            vec![Command::DeleteLogicalUnit { tier: room.tier(), unit }]
        }
        Action::Disk { server, name, gigabytes, base } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            let base_image = base.map(|pick| at(pick, disks(room, server)).unwrap_or_default());
            update.disks.as_mut().unwrap().push(DiskRequest { base_image, ..disk(&format!("d{name}"), gigabytes) });
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::DropDisk { server, pick } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            let gone = at(pick, disks(room, server));
            update.disks.as_mut().unwrap().retain(|disk| disk.udid != gone);
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::GrowDisk { server, pick, gigabytes } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            if let Some(disk) = update.disks.as_mut().unwrap().get_mut(usize::from(pick)) {
                disk.capacity = Gigabytes::whole(gigabytes);
            }
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::Media { server, name, size, drop } => {
            let mut update = room.group_as_posted(number(server), "rootvg");
            for repository in update.repositories.as_mut().unwrap() {
                let name = format!("m{name}");
                if drop {
                    repository.media.retain(|medium| medium.name != name);
                } else {
                    repository.media.push(MediumRequest { name, mount: None, size: Some(Gigabytes::whole(size)) });
                }
            }
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::Volumes { server, pick, leave } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            let volumes = update.physical_volumes.as_mut().unwrap();
            if leave {
                volumes.retain(|name| *name != format!("hdisk{pick}"));
            } else {
                volumes.push(format!("hdisk{pick}"));
            }
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::Map { server, client, storage, bus, slot } => {
            let vios = room.vioses()[number(server)];
            let client = partition(room, client);
            let mut posted = room.world.posted_mappings(vios);
            let server_udid = posted.iter().find(|posted| bus && posted.client == Some(client)).and_then(|posted| posted.server_udid.clone());
            posted.push(ScsiMapping { server_udid, client_slot: slot, ..mapping(client, stored(room, server, storage)) });
            vec![post(vios, posted)]
        }
        Action::Unmap { server, pick } => {
            let vios = room.vioses()[number(server)];
            let mut posted = room.world.posted_mappings(vios);
            if usize::from(pick) < posted.len() {
                posted.remove(usize::from(pick));
            }
            vec![post(vios, posted)]
        }
        Action::Detach { server, pick } => {
            let vios = room.vioses()[number(server)];
            let mut posted = room.world.posted_mappings(vios);
            if let Some(mapping) = posted.get_mut(usize::from(pick)) {
                mapping.target = None;
            }
            vec![post(vios, posted)]
        }
        Action::Power { pick, on, parameters, server } => {
            let target = if server {
                JobTarget::VirtualIoServer(room.vioses()[1])
            } else {
                JobTarget::LogicalPartition(partition(room, pick))
            };
            let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let operation = if on { "PowerOn" } else { "PowerOff" }.to_owned();
            vec![Command::SubmitJob(SubmitJob { target, operation, parameters })]
        }
        Action::Cancel { pick } => vec![Command::CancelJob(at(pick, room.world.jobs.keys().copied()).unwrap_or(1))],
        Action::DeleteJob { pick } => vec![Command::DeleteJob(at(pick, room.world.jobs.keys().copied()).unwrap_or(1))],
        Action::Upload { name, bytes, device, keep } => upload(room, name, bytes, device, keep),
        Action::DeleteFile { pick } => vec![Command::DeleteFile(at(pick, room.world.files.keys().copied()).unwrap_or_else(nobody))],
        Action::Switch { name, delete } => {
            let system = room.system();
            let name = format!("switch{name}");
            let there = room.world.systems[&system].switches.values().find(|switch| switch.name == name).map(|switch| switch.uuid);
            vec![if delete {
                Command::DeleteSwitch { system, switch: there.unwrap_or_else(nobody) }
            } else {
                Command::CreateSwitch { system, name, mode: SwitchMode::Vepa }
            }]
        }
        Action::Network { vlan, delete } => {
            let system = room.system();
            let there = &room.world.systems[&system];
            let network = there.networks.values().find(|network| network.vlan == vlan).map_or_else(nobody, |network| network.uuid);
            let switch = there.switch_by_id(0).unwrap().uuid;
            vec![if delete {
                Command::DeleteNetwork { system, network }
            } else {
                Command::CreateNetwork(CreateNetwork { system, switch, name: format!("v{vlan}"), vlan, tagged: true })
            }]
        }
        Action::Console { pick, close: false } => vec![Command::OpenConsole(partition(room, pick))],
        Action::Console { pick, close: true } => vec![Command::SubmitJob(SubmitJob {
            target: JobTarget::LogicalPartition(partition(room, pick)),
            operation: "CloseVterm".to_owned(),
            parameters: Vec::new(),
        })],
    }
}

fn upload(room: &mut Room, name: u8, bytes: u64, device: Option<u8>, keep: bool) -> Vec<Command> {
    let kind = if device.is_some() { FileKind::BrokeredDiskImage } else { FileKind::BrokeredMediaIso };
    let device = device.and_then(|pick| at(pick, units(room).into_iter().map(|unit| unit.1).chain(disks(room, false))));
    let create = CreateFile {
        name: format!("m{name}"),
        media_type: None,
        kind,
        vios: room.vioses()[0],
        device,
        expected_bytes: None,
        expected_sha256: None,
    };
    let before: Vec<Uuid> = room.world.files.keys().copied().collect();
    let _ = room.apply(Command::CreateFile(create));
    let made: Vec<Uuid> = room.world.files.keys().copied().filter(|file| !before.contains(file)).collect();
    let content = Content { bytes, sha256: [name; 32] };
    let commits = made.iter().map(|file| Command::CommitFile { file: *file, content });
    commits.chain(made.iter().filter(|_| !keep).map(|file| Command::DeleteFile(*file))).collect()
}

fn post(vios: Uuid, mappings: Vec<ScsiMapping>) -> Command {
    Command::UpdateVios(Box::new(UpdateVios { vios, base: None, scsi_mappings: Some(mappings) }))
}

fn units(room: &Room) -> Vec<(Uuid, String)> {
    room.world.tiers[&room.tier()].units.values().map(|unit| (unit.uuid, unit.udid.clone())).collect()
}

fn disks(room: &Room, server: bool) -> Vec<String> {
    room.vios(usize::from(server)).volume_groups[1].disks.values().map(|disk| disk.udid.clone()).collect()
}

fn stored(room: &Room, server: bool, storage: Stored) -> StorageName {
    match storage {
        Stored::Unit(pick) => StorageName::LogicalUnit { udid: at(pick, units(room)).map(|unit| unit.1), name: None },
        Stored::Volume(number) => StorageName::PhysicalVolume { udid: None, name: Some(format!("hdisk{number}")) },
        Stored::Disk(pick) => StorageName::VirtualDisk { udid: at(pick, disks(room, server)), name: None },
        Stored::Medium(number) => StorageName::OpticalMedium { name: format!("m{number}") },
    }
}

/// What a tidy client does at the end: everything off, then everything gone that was not there before.
fn clean_up(room: &mut Room, before: &World) {
    room.wait(1_000_000);
    for uuid in room.vioses() {
        room.submit(JobTarget::VirtualIoServer(uuid), "PowerOn", &[]);
    }
    let added: Vec<Uuid> = room.world.partitions.keys().copied().filter(|uuid| !before.partitions.contains_key(uuid)).collect();
    for uuid in &added {
        room.power(*uuid, "PowerOff", &[("immediate", "true")]);
    }
    room.wait(2_000_000);
    for uuid in &added {
        room.power(*uuid, "CloseVterm", &[]);
        room.wait(10_000);
        room.done(Command::DeletePartition(*uuid));
    }
    loop {
        let in_use = |room: &Room, udid: &str| {
            room.world.tiers[&room.tier()].units.values().any(|unit| unit.cloned_from.as_deref() == Some(udid))
        };
        let free: Vec<Uuid> = units(room)
            .into_iter()
            .filter(|(unit, udid)| before.logical_unit(room.tier(), *unit).is_none() && !in_use(room, udid))
            .map(|(unit, _)| unit)
            .filter(|unit| !room.world.logical_unit(room.tier(), *unit).unwrap().in_use)
            .collect();
        if free.is_empty() {
            break;
        }
        for unit in free {
            room.done(Command::DeleteLogicalUnit { tier: room.tier(), unit });
        }
    }
    room.wait(90_000_000);
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() }
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
        let stays = |name: &str| before.partitions.values().any(|partition| name.starts_with(&format!("neo/{}", partition.name)));
        for difference in differences(&before.listing(), &room.world.listing()) {
            if let powervm_simulator::model::listing::Difference::Added(item) = difference {
                let of_others = match item.kind {
                    "partition" | "job" => false,
                    "network adapter" => stays(&item.name) || item.name.starts_with("neo/vios"),
                    _ => true,
                };
                prop_assert!(of_others, "left behind: {} {}", item.kind, item.name);
            }
        }
        for vios in room.world.vioses.values() {
            for client in vios.buses.values().filter_map(|bus| bus.client) {
                prop_assert!(before.partitions.contains_key(&client.partition));
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
    let mut mapped = 0;
    for _ in 0..600 {
        let action = action().new_tree(&mut runner).unwrap().current();
        for command in commands(&mut room, &action) {
            match room.apply(command) {
                Ok(_) => done += 1,
                Err(_) => refused += 1,
            }
        }
        mapped = mapped.max(room.world.vioses.values().flat_map(|vios| vios.devices()).count());
    }
    assert!(done > 150 && refused > 100 && mapped > 4, "{done} done, {refused} refused, {mapped} mapped at most");
}
