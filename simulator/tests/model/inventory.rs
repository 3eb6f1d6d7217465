//! Inventories: defaults, sizes, files, seeds.

use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, InventoryError, Sizes};
use powervm_simulator::model::names::{PartitionState, RmcState};
use powervm_simulator::model::{Flavor, World};

use super::support::Room;

fn world(inventory: &Inventory, flavor: Flavor, seed: u64) -> World {
    let world = inventory.world(flavor, seed, Millis::EPOCH).unwrap();
    assert_eq!(world.violations(), []);
    world
}

#[test]
fn a_deploy_works_on_the_default_at_once() {
    let room = Room::novalink();
    let world = &room.world;
    assert_eq!(
        (
            world.systems.len(),
            world.vioses.len(),
            world.partitions.len()
        ),
        (1, 2, 1)
    );
    assert_eq!(room.vios(0).partition.id, 2);
    assert_eq!(room.vios(1).partition.id, 3);
    let management = world.partitions.values().next().unwrap();
    assert!(management.is_management && management.id == 1 && management.rmc == RmcState::Active);
    for vios in world.vioses.values() {
        assert_eq!(
            (vios.partition.state, vios.partition.rmc),
            (PartitionState::Running, RmcState::Active)
        );
        assert!(vios.repository_group().is_some());
        assert_eq!(vios.volume_groups.len(), 2);
        assert_eq!(vios.fc_adapters[0].ports.len(), 2);
        let bus = vios.buses.values().next().unwrap();
        assert_eq!(
            (bus.client.unwrap().partition, bus.devices.len()),
            (management.uuid, 1)
        );
        assert!(world.cluster_of(vios.partition.uuid).is_some());
    }
    let switches: Vec<(u16, &str)> = world
        .systems
        .values()
        .flat_map(|system| system.switches.values())
        .map(|switch| (switch.id, switch.name.as_str()))
        .collect();
    assert!(switches.contains(&(0, "ETHERNET0")) && switches.contains(&(1, "MGMTSWITCH")));
    assert_eq!(
        world.tiers.values().filter(|tier| tier.is_default).count(),
        1
    );
    assert!(world.agenda.is_empty() && world.jobs.is_empty());
    assert_eq!(world.events.events().count(), 0);
    assert!(
        world
            .free_in_pool(*world.pools.keys().next().unwrap())
            .millionths()
            > 0
    );
}

#[test]
fn an_hmc_has_no_management_partition_and_as_many_systems_as_asked() {
    let inventory = Inventory::sized(
        Flavor::Hmc,
        Sizes {
            systems: 3,
            vioses: 1,
            partitions: 4,
        },
    );
    let world = world(&inventory, Flavor::Hmc, 1);
    assert_eq!(
        (
            world.systems.len(),
            world.vioses.len(),
            world.partitions.len(),
            world.clusters.len()
        ),
        (3, 3, 12, 3)
    );
    assert!(
        world
            .partitions
            .values()
            .all(|partition| !partition.is_management)
    );
    let running: Vec<_> = world
        .partitions
        .values()
        .filter(|partition| partition.state == PartitionState::Running)
        .collect();
    assert!(
        running
            .iter()
            .all(|partition| partition.rmc == RmcState::Active
                && partition.reference_code == "Linux ppc64le")
    );
    assert_eq!(running.len(), 6);
}

#[test]
fn many_partitions_still_fit() {
    let world = world(
        &Inventory::sized(
            Flavor::NovaLink,
            Sizes {
                systems: 9,
                vioses: 2,
                partitions: 300,
            },
        ),
        Flavor::NovaLink,
        1,
    );
    assert_eq!((world.systems.len(), world.partitions.len()), (9, 2709));
    for system in world.systems.keys() {
        assert_eq!(world.partitions_of(*system).count(), 301);
        assert!(world.available_memory(*system) > 512 * 1024);
    }
}

#[test]
fn one_seed_makes_one_world() {
    let inventory = Inventory::sized(
        Flavor::NovaLink,
        Sizes {
            systems: 1,
            vioses: 2,
            partitions: 3,
        },
    );
    assert!(world(&inventory, Flavor::NovaLink, 5) == world(&inventory, Flavor::NovaLink, 5));
    assert!(
        world(&inventory, Flavor::NovaLink, 5).listing()
            != world(&inventory, Flavor::NovaLink, 6).listing()
    );
}

const SMALL: &str = r#"
[[systems]]
name = "small"
serial = "1234567"
memory_mb = 65536
processors = 4

[[systems.vioses]]
name = "only"
disks = [
    { name = "hdisk0", gb = 100 },
    { name = "hdisk1", gb = 10, san = "repository" },
    { name = "hdisk2", gb = 200, san = "pool" },
]
volume_groups = [{ name = "rootvg", disks = ["hdisk0"], reserved_gb = 20, repository_gb = 10 }]
network = { priority = 1, tagged_vlans = [10, 20] }

[[systems.partitions]]
name = "there"
disk_gb = 20
running = true

[[clusters]]
name = "c"
pool = "p"
nodes = ["small/only"]
repository = "repository"
volumes = ["pool"]
"#;

#[test]
fn a_file_says_what_there_is() {
    let inventory = Inventory::from_toml(SMALL).unwrap();
    let world = world(&inventory, Flavor::Hmc, 1);
    assert_eq!(
        world.systems.values().next().unwrap().machine.to_string(),
        "8247-22L*1234567"
    );
    assert_eq!(
        world.pools.values().next().unwrap().capacity.to_string(),
        "200"
    );
    assert_eq!(
        world.vioses.values().next().unwrap().volume_groups[0]
            .free()
            .to_string(),
        "70"
    );
    assert_eq!(
        world.partitions.values().next().unwrap().state,
        PartitionState::Running
    );
}

#[test]
fn unknown_keys_are_named() {
    let text = SMALL.replace("memory_mb", "memori_mb");
    let error = Inventory::from_toml(&text).unwrap_err();
    assert!(
        matches!(&error, InventoryError::Syntax(text) if text.contains("memori_mb")),
        "{error}"
    );
    assert!(Inventory::from_toml("[[[").is_err());
}

#[test]
fn contradictions_are_named() {
    for (wrong, right, name) in [
        ("disks = [\"hdisk9\"]", "disks = [\"hdisk0\"]", "hdisk9"),
        ("small/other", "small/only", "small/other"),
        (
            "volumes = [\"elsewhere\"]",
            "volumes = [\"pool\"]",
            "elsewhere",
        ),
        (
            "volumes = [\"repository\"]",
            "volumes = [\"pool\"]",
            "repository",
        ),
        ("repository_gb = 100", "repository_gb = 10", "rootvg"),
        ("memory_mb = 16384", "memory_mb = 65536", "there"),
        (
            "name = \"only\"\nid = 1001",
            "name = \"only\"",
            "between 1 and 1000",
        ),
        (
            "name = \"only\"\nfc_ports = 65",
            "name = \"only\"",
            "65 Fibre Channel ports",
        ),
    ] {
        let inventory = Inventory::from_toml(&SMALL.replace(right, wrong)).unwrap();
        let error = inventory.world(Flavor::Hmc, 1, Millis::EPOCH).unwrap_err();
        assert!(error.to_string().contains(name), "{wrong}: {error}");
    }
    let nothing = Inventory {
        systems: Vec::new(),
        clusters: Vec::new(),
        ..Inventory::sized(Flavor::NovaLink, Sizes::default())
    };
    assert!(nothing.world(Flavor::NovaLink, 1, Millis::EPOCH).is_err());
    assert!(nothing.world(Flavor::Hmc, 1, Millis::EPOCH).is_ok());
}

#[test]
fn a_management_partition_has_an_identity_of_its_own() {
    for (management, server, why) in [
        ("id = 2", "", "partition number 2: only has it"),
        ("", "id = 1", "partition number 1: only has it"),
        ("id = 0", "", "between 1 and 1000"),
        ("name = \"only\"", "", "the name: only has it"),
        (
            "uuid = \"11111111-1111-4111-8111-111111111111\"",
            "uuid = \"11111111-1111-4111-8111-111111111111\"",
            "the UUID 11111111-1111-4111-8111-111111111111: only has it",
        ),
    ] {
        let server = format!("name = \"only\"\n{server}");
        let text = SMALL.replace("name = \"only\"", &server).replace(
            "[[systems.partitions]]",
            &format!("[systems.management_partition]\n{management}\n[[systems.partitions]]"),
        );
        let inventory = Inventory::from_toml(&text).unwrap();
        let error = inventory
            .world(Flavor::NovaLink, 1, Millis::EPOCH)
            .unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}

#[test]
fn each_adapter_sits_in_a_slot_of_its_own_however_many_there_are() {
    let mut inventory = Inventory::sized(Flavor::Hmc, Sizes::default());
    for vios in &mut inventory.systems[0].vioses {
        vios.fc_ports = 64;
    }
    let world = world(&inventory, Flavor::Hmc, 1);
    let system = world.systems.values().next().unwrap();
    let places: std::collections::BTreeSet<_> =
        system.io_slots.iter().map(|slot| slot.drc_index).collect();
    assert_eq!(places.len(), system.io_slots.len());
    let ports: std::collections::BTreeSet<_> = world
        .vioses
        .values()
        .flat_map(|vios| vios.fc_ports())
        .map(|port| port.location.as_str())
        .collect();
    assert_eq!(ports.len(), 128);
}

#[test]
fn partitions_of_systems_with_one_storage_have_names_of_their_own() {
    let sizes = Sizes {
        systems: 2,
        partitions: 2,
        ..Sizes::default()
    };
    let inventory = Inventory::sized(Flavor::Hmc, sizes).with_shared_storage();
    let world = world(&inventory, Flavor::Hmc, 1);
    let mut names: Vec<&str> = world
        .partitions
        .values()
        .map(|partition| partition.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "existing-0001",
            "existing-0002",
            "neo2-existing-0001",
            "neo2-existing-0002"
        ]
    );
    let disks = world.tiers.values().flat_map(|tier| tier.units.values());
    let disks = disks.filter(|unit| unit.name.starts_with("boot_"));
    assert_eq!(disks.count(), 4);
}

#[test]
fn a_slot_holds_one_adapter() {
    for (slot, other) in [
        (12, "4-port Ethernet"),
        (8, "SR-IOV"),
        (19, "Fibre Channel"),
    ] {
        let mut inventory = Inventory::sized(Flavor::NovaLink, Sizes::default());
        let mut adapter = inventory.systems[0].sriov[0].clone();
        adapter.slot = slot;
        inventory.systems[0].sriov.push(adapter);
        let refused = inventory.world(Flavor::NovaLink, 7, Millis::EPOCH);
        let Err(InventoryError::Inconsistent(why)) = refused else {
            panic!("slot {slot} holds {other} as well: {refused:?}");
        };
        assert!(
            why.contains(&format!("slot C{slot} of system neo")),
            "{why}"
        );
        assert!(why.contains("another slot"), "{why}");
    }
}

#[test]
fn each_product_has_a_name_of_its_own() {
    for (flavor, name) in [(Flavor::Hmc, "hmc"), (Flavor::NovaLink, "novalink")] {
        let mut inventory = Inventory::sized(flavor, Sizes::default());
        assert_eq!(world(&inventory, flavor, 7).console.name, name);
        inventory.console = Some("lab".to_owned());
        assert_eq!(world(&inventory, flavor, 7).console.name, "lab");
    }
}
