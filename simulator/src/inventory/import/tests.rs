use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use secrecy::ExposeSecret as _;
use tower::ServiceExt as _;

use super::*;
use crate::Simulator;
use crate::clock::Millis;
use crate::inventory::{EXAMPLE, Sizes};
use crate::model::World;
use crate::recording::{Captured, Exchange};

/// Reads what somebody who wants the host imported would record.
async fn recorded(simulator: &Simulator) -> Recording {
    let world = simulator.world();
    let mut urls: Vec<String> = [
        "ManagementConsole",
        "ManagedSystem",
        "LogicalPartition",
        "Cluster",
        "SharedStoragePool",
        "Tier",
    ]
    .map(|kind| format!("{kind}?group=None"))
    .to_vec();
    urls.push("VirtualIOServer?group=All".to_owned());
    urls.extend(world.systems.keys().flat_map(|system| {
        [
            "VirtualSwitch",
            "SharedProcessorPool",
            "SharedMemoryPool",
            "VirtualSerialNumberInformation",
        ]
        .map(|kind| format!("ManagedSystem/{system}/{kind}"))
    }));
    urls.extend(
        world
            .vioses
            .keys()
            .map(|vios| format!("VirtualIOServer/{vios}/VolumeGroup")),
    );
    urls.extend(
        world
            .partitions
            .keys()
            .map(|partition| format!("LogicalPartition/{partition}/ClientNetworkAdapter")),
    );
    urls.extend(
        world
            .tiers
            .keys()
            .map(|tier| format!("Tier/{tier}/LogicalUnit")),
    );
    let mut exchanges = Vec::new();
    let credentials = simulator.credentials();
    let token = simulator
        .sessions()
        .logon(&credentials.user, &credentials.password, simulator.now())
        .unwrap();
    for url in urls {
        let url = format!("/rest/api/uom/{url}");
        let request = Request::get(&url)
            .header("x-api-session", token.expose_secret())
            .body(Body::empty())
            .unwrap();
        let response = simulator.router().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        assert!(matches!(status, 200 | 204), "{url}: {status}");
        let kind = response
            .headers()
            .get("x-mc-type")
            .map(|kind| kind.to_str().unwrap().to_owned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        exchanges.push(Exchange {
            at_ms: 0,
            took_ms: 0,
            method: "GET".to_owned(),
            url,
            request_headers: Vec::new(),
            request_body: Captured::default(),
            status,
            headers: kind
                .map(|kind| ("x-mc-type".to_owned(), kind))
                .into_iter()
                .collect(),
            body: Captured::kept(String::from_utf8(body.to_vec()).unwrap()),
        });
    }
    Recording {
        upstream: None,
        exchanges,
    }
}

/// What clients would notice: identities, sizes, states, adapters, and who maps what.
fn seen(world: &World) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for system in world.systems.values() {
        seen.push(format!(
            "system {} {} {}",
            system.uuid, system.name, system.machine
        ));
        for switch in system.switches.values() {
            seen.push(format!("switch {} {}", switch.id, switch.name));
        }
        for number in system.serial_numbers.values() {
            seen.push(format!(
                "number {} of {:?}",
                number.number, number.partition
            ));
        }
        if let Some(pool) = &system.memory_pool {
            let disks: Vec<_> = pool.devices.iter().map(|disk| &disk.name).collect();
            seen.push(format!(
                "pool {} {:?} {disks:?}",
                pool.size, pool.paging_servers
            ));
        }
        // Slots that nobody owns may hold what an inventory made of recordings does not name.
        for slot in system.io_slots.iter().filter(|slot| slot.owner.is_some()) {
            seen.push(format!("slot {} {:?}", slot.location, slot.owner));
        }
    }
    for partition in world.partitions.values() {
        seen.push(format!(
            "partition {} {} {} {} {} {:?} {} {:?} {:?}",
            partition.uuid,
            partition.id,
            partition.name,
            partition.kind,
            partition.state,
            partition.memory.desired,
            partition.memory.shared.is_some(),
            partition.serial_number,
            partition.processors.configured
        ));
        // An inventory says nothing of the management partition's adapter; its address is drawn.
        let told = !partition.is_management;
        for adapter in partition.network_adapters.values().filter(|_| told) {
            seen.push(format!(
                "adapter {} {:012X} {} {:?}",
                adapter.slot, adapter.mac, adapter.vlan, adapter.tagged_vlans
            ));
        }
    }
    for vios in world.vioses.values() {
        seen.push(format!(
            "vios {} {} {} {:?}",
            vios.partition.uuid,
            vios.partition.id,
            vios.partition.name,
            vios.partition.processors.configured.desired_units()
        ));
        seen.extend(
            vios.physical_volumes
                .iter()
                .map(|disk| format!("disk {} {} {}", disk.name, disk.udid, disk.megabytes)),
        );
        for group in &vios.volume_groups {
            seen.push(format!(
                "group {} {} of {}",
                group.name,
                group.disks.len(),
                group.capacity
            ));
        }
        for (bus, device) in vios.devices() {
            let storage = world.storage(vios, &device.backing).unwrap();
            let client = bus.client.unwrap();
            seen.push(format!(
                "mapping {} {} {} {}",
                vios.partition.name,
                bus.slot,
                client.slot,
                storage.name()
            ));
        }
        for mapping in vios.fc_mappings.values() {
            seen.push(format!(
                "fc {} {:?} {:?}",
                vios.partition.name, mapping.port, mapping.client
            ));
        }
    }
    for unit in world.tiers.values().flat_map(|tier| tier.units.values()) {
        seen.push(format!(
            "unit {} {} {}",
            unit.name, unit.capacity, unit.kind
        ));
    }
    seen.sort();
    seen
}

async fn comes_back(inventory: Inventory, flavor: Flavor) -> Imported {
    let builder = Simulator::builder()
        .flavor(flavor)
        .inventory(inventory)
        .seed(7);
    let simulator = builder.build().unwrap();
    let imported = import(&recorded(&simulator).await, None).unwrap();
    assert_eq!(imported.flavor, flavor);
    let text = imported.to_toml().unwrap();
    let read = Inventory::from_toml(&text).unwrap();
    assert_eq!(read, imported.inventory);
    let world = read.world(flavor, 99, Millis::EPOCH).unwrap();
    let (one, other) = (seen(&simulator.world()), seen(&world));
    let lost: Vec<_> = one.iter().filter(|line| !other.contains(line)).collect();
    let new: Vec<_> = other.iter().filter(|line| !one.contains(line)).collect();
    assert!(
        lost.is_empty() && new.is_empty(),
        "lost {lost:#?}\nnew {new:#?}\nremarks {:#?}",
        imported.remarks
    );
    imported
}

#[tokio::test]
async fn a_console_with_two_systems_comes_back() {
    let sizes = Sizes {
        systems: 2,
        partitions: 3,
        ..Sizes::default()
    };
    let inventory = Inventory::sized(Flavor::Hmc, sizes);
    assert_eq!(
        comes_back(inventory, Flavor::Hmc).await.remarks,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn a_novalink_comes_back_with_its_own_partition() {
    let mut inventory = Inventory::sized(Flavor::NovaLink, Sizes::default());
    for system in &mut inventory.systems {
        system.management_partition.as_mut().unwrap().disk_gb = 44;
    }
    let imported = comes_back(inventory, Flavor::NovaLink).await;
    assert_eq!(imported.remarks, Vec::<String>::new());
    let management = imported.inventory.systems[0].management_partition.as_ref();
    assert_eq!(management.unwrap().disk_gb, 44);
}

#[tokio::test]
async fn a_novalink_on_a_virtual_io_server_comes_back() {
    let mut inventory = Inventory::sized(Flavor::NovaLink, Sizes::default());
    for system in &mut inventory.systems {
        system.management_partition = None;
        system.vioses[1].is_management = true;
    }
    let imported = comes_back(inventory, Flavor::NovaLink).await;
    let system = &imported.inventory.systems[0];
    let management: Vec<bool> = system
        .vioses
        .iter()
        .map(|vios| vios.is_management)
        .collect();
    assert_eq!(management, [false, true]);
    assert_eq!(system.management_partition, None);
}

#[tokio::test]
async fn the_example_comes_back() {
    let mut example = Inventory::from_toml(EXAMPLE).unwrap();
    // What an import cannot know: SR-IOV, groups and the like.
    example.groups.clear();
    example.enterprise_pools.clear();
    example.templates.clear();
    for system in &mut example.systems {
        system.sriov.clear();
        system.management_partition = None;
        for partition in &mut system.partitions {
            partition.sriov = false;
            partition.shared_memory = partition.name == "web-1-blue";
        }
    }
    comes_back(example, Flavor::Hmc).await;
}

#[tokio::test]
async fn one_system_of_several_is_chosen() {
    let sizes = Sizes {
        systems: 2,
        ..Sizes::default()
    };
    let builder = Simulator::builder()
        .flavor(Flavor::Hmc)
        .inventory(Inventory::sized(Flavor::Hmc, sizes));
    let recording = recorded(&builder.build().unwrap()).await;
    let imported = import(&recording, Some("neo2")).unwrap();
    let names: Vec<_> = imported
        .inventory
        .systems
        .iter()
        .map(|system| system.name.as_str())
        .collect();
    assert_eq!(names, ["neo2"]);
    let error = import(&recording, Some("neo3")).unwrap_err();
    assert!(error.to_string().contains("neo, neo2"), "{error}");
}

#[test]
fn nothing_comes_of_nothing() {
    assert!(matches!(
        import(&Recording::default(), None),
        Err(ImportError::Nothing)
    ));
}

/// The recordings that the tests of the schema read as well; nothing is compared without them.
#[test]
fn real_documents_make_worlds() {
    let Some(folder) = std::env::var_os("POWERVM_RECORDINGS") else {
        eprintln!("POWERVM_RECORDINGS is not set, so no recorded documents were imported");
        return;
    };
    let recording = crate::recording::read_all(&[folder.into()]).unwrap();
    let imported = import(&recording, None).unwrap();
    let world = imported
        .inventory
        .world(imported.flavor, 1, Millis::EPOCH)
        .unwrap();
    assert_eq!(world.violations(), []);
    assert!(world.partitions.len() > 20, "{}", world.partitions.len());
}
