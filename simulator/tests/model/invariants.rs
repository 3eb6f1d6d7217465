//! A world that someone has tampered with is found out, rule by rule.

use powervm_simulator::model::World;
use powervm_simulator::model::names::{MountType, PartitionState};
use powervm_simulator::model::partition::Partition;
use powervm_simulator::model::register::Editing;
use powervm_simulator::model::storage::VolumeGroup;
use powervm_simulator::model::units::{Gigabytes, ProcUnits};
use powervm_simulator::model::vios::{Backing, VirtualIoServer};
use std::sync::Arc;
use uuid::Uuid;

use super::support::{Room, disk, lu, mapping, medium};
use powervm_simulator::model::names::FileKind;
use powervm_simulator::model::{Flavor, Owner};

/// Two partitions with an adapter, a mapped unit and a medium each.
fn furnished() -> (World, [Uuid; 2], Uuid) {
    let mut room = Room::new(Flavor::NovaLink);
    let clients = ["one", "two"].map(|name| {
        let client = room.partition_named(name);
        room.plug(Owner::Partition(client), |_| {}).unwrap();
        let unit = room.unit(&format!("lu_{name}"), 1, None);
        let udid = room.unit_udid(unit);
        room.upload(
            FileKind::BrokeredMediaIso,
            &format!("{name}.iso"),
            None,
            1000,
        )
        .unwrap();
        room.map(
            0,
            vec![
                mapping(client, lu(&udid)),
                mapping(client, medium(&format!("{name}.iso"))),
            ],
        )
        .unwrap();
        client
    });
    room.update_group(0, "datavg", |group| {
        group.disks.as_mut().unwrap().push(disk("lv", 1))
    })
    .unwrap();
    let vios = room.vioses()[0];
    (room.world, clients, vios)
}

#[track_caller]
fn found(tamper: impl FnOnce(&mut World, [Uuid; 2], Uuid), rule: &str) {
    let (mut world, clients, vios) = furnished();
    assert_eq!(world.violations(), []);
    tamper(&mut world, clients, vios);
    let violations = world.violations();
    assert!(
        violations.iter().any(|violation| violation.rule == rule),
        "{rule} not in {violations:?}"
    );
}

fn server(world: &mut World, vios: Uuid) -> Editing<'_, VirtualIoServer> {
    world.vioses.get_mut(&vios).unwrap()
}

fn partition(world: &mut World, uuid: Uuid) -> Editing<'_, Partition> {
    world.partitions.get_mut(&uuid).unwrap()
}

#[test]
fn partitions() {
    found(
        |world, [one, _], _| partition(world, one).memory.active = true,
        "resources-while-off",
    );
    found(
        |world, [one, _], _| {
            let mut partition = partition(world, one);
            partition.state = PartitionState::Running;
            (partition.memory.active, partition.processors.active) = (true, true);
            (
                partition.memory.maximum,
                partition.memory.desired,
                partition.memory.current,
            ) = (1 << 30, 1 << 30, 1 << 30);
        },
        "memory-over-committed",
    );
    found(
        |world, _, _| {
            let system = *world.systems.keys().next().unwrap();
            Arc::make_mut(world.systems.get_mut(&system).unwrap())
                .processors
                .configurable = ProcUnits::from_hundredths(10);
        },
        "processors-over-committed",
    );
    found(
        |world, [one, _], _| partition(world, one).memory.current = 2049,
        "memory-not-whole-regions",
    );
    found(
        |world, [one, _], _| partition(world, one).memory.current = 64,
        "memory-out-of-bounds",
    );
    found(
        |world, [one, _], _| partition(world, one).id = 1,
        "partition-id-twice",
    );
    found(
        |world, [one, _], _| partition(world, one).name = "two".to_owned(),
        "partition-name-twice",
    );
    found(
        |world, [one, _], _| partition(world, one).uuid = Uuid::nil(),
        "partition-under-wrong-uuid",
    );
    found(
        |world, [one, _], _| {
            partition(world, one).rmc = powervm_simulator::model::names::RmcState::Active
        },
        "rmc-while-not-running",
    );
}

#[test]
fn adapters() {
    fn change(
        world: &mut World,
        uuid: Uuid,
        change: impl FnOnce(&mut powervm_simulator::model::network::NetworkAdapter),
    ) {
        let mut partition = partition(world, uuid);
        let adapters = &mut partition.network_adapters;
        let key = *adapters.keys().next().unwrap();
        change(Arc::make_mut(adapters.get_mut(&key).unwrap()));
    }
    found(
        |world, [one, two], _| {
            let mac = world.partitions[&two]
                .network_adapters
                .values()
                .next()
                .unwrap()
                .mac;
            change(world, one, |adapter| adapter.mac = mac);
        },
        "mac-address-twice",
    );
    found(
        |world, [one, _], _| change(world, one, |adapter| adapter.slot = 3),
        "slot-used-twice",
    );
    found(
        |world, [one, _], _| change(world, one, |adapter| adapter.slot = 64),
        "slot-out-of-range",
    );
    found(
        |world, [one, _], _| change(world, one, |adapter| adapter.switch = Uuid::nil()),
        "adapter-on-no-switch",
    );
    found(
        |world, [one, _], _| change(world, one, |adapter| adapter.vlan = 77),
        "virtual-networks-are-not-the-vlans-in-use",
    );
}

#[test]
fn mappings() {
    fn change(
        world: &mut World,
        vios: Uuid,
        client: Uuid,
        change: impl FnOnce(&mut powervm_simulator::model::vios::ScsiBus),
    ) {
        let mut server = server(world, vios);
        let buses = &mut server.buses;
        let slot = buses
            .values()
            .find(|bus| bus.client.unwrap().partition == client)
            .unwrap()
            .slot;
        change(&mut buses.get_mut(&slot).unwrap());
    }
    found(
        |world, [one, _], _| {
            world.partitions.remove(&one);
        },
        "orphan-adapter",
    );
    found(
        |world, [one, _], vios| change(world, vios, one, |bus| bus.client = None),
        "adapter-without-partner",
    );
    found(
        |world, [one, _], vios| change(world, vios, one, |bus| bus.vhost = 0),
        "vhost-twice",
    );
    found(
        |world, [one, _], vios| change(world, vios, one, |bus| bus.slot = 99),
        "adapter-in-wrong-slot",
    );
    found(
        |world, [one, _], vios| {
            change(world, vios, one, |bus| {
                bus.client.as_mut().unwrap().partition_id = 77
            })
        },
        "adapter-with-wrong-partner",
    );
    found(
        |world, [one, _], vios| change(world, vios, one, |bus| bus.devices.clear()),
        "in-use-is-not-mapped",
    );
    found(
        |world, [one, _], vios| {
            change(world, vios, one, |bus| {
                Arc::make_mut(&mut bus.devices[0]).target = "vtscsi0".to_owned()
            })
        },
        "target-name-twice",
    );
    found(
        |world, [one, _], vios| {
            change(world, vios, one, |bus| {
                let mut copy = (*bus.devices[0]).clone();
                (copy.target, copy.target_udid) = ("other".to_owned(), "0aother".to_owned());
                bus.devices.push(Arc::new(copy));
            });
        },
        "address-twice",
    );
    found(
        |world, [one, _], vios| {
            change(world, vios, one, |bus| {
                Arc::make_mut(&mut bus.devices[0]).backing = Backing::PhysicalVolume {
                    name: "hdisk99".to_owned(),
                };
            });
        },
        "mapping-of-nothing",
    );
    found(
        |world, [one, _], vios| {
            change(world, vios, one, |bus| {
                Arc::make_mut(&mut bus.devices[0]).backing = Backing::PhysicalVolume {
                    name: "hdisk0".to_owned(),
                };
            });
        },
        "mapped-volume-in-use",
    );
    found(
        |world, [one, _], vios| {
            let group = server(world, vios).repository_group().unwrap().uuid;
            change(world, vios, one, |bus| {
                Arc::make_mut(&mut bus.devices[0]).backing = Backing::OpticalMedium {
                    group,
                    name: "two.iso".to_owned(),
                };
            });
        },
        "writable-medium-in-several-drives",
    );
}

#[test]
fn storage() {
    fn group(world: &mut World, vios: Uuid, index: usize, change: impl FnOnce(&mut VolumeGroup)) {
        change(Arc::make_mut(&mut server(world, vios).volume_groups[index]));
    }
    found(
        |world, _, vios| group(world, vios, 1, |group| group.capacity = Gigabytes::whole(1)),
        "group-capacity-is-not-its-volumes",
    );
    found(
        |world, _, vios| {
            group(world, vios, 1, |group| {
                group.reserved = Gigabytes::whole(9999)
            })
        },
        "group-over-full",
    );
    found(
        |world, _, vios| group(world, vios, 1, |group| group.next_disk = 1),
        "disk-number-would-come-again",
    );
    found(
        |world, _, vios| group(world, vios, 1, |group| group.physical_volumes.clear()),
        "volume-of-no-group",
    );
    found(
        |world, _, vios| {
            group(world, vios, 1, |group| {
                group.physical_volumes.push("hdisk0".to_owned());
            })
        },
        "group-of-foreign-volumes",
    );
    found(
        |world, _, vios| {
            group(world, vios, 0, |group| {
                group.repository.as_mut().unwrap().size = Gigabytes::ZERO;
            })
        },
        "repository-over-full",
    );
    found(
        |world, _, vios| {
            let repository = world.vioses[&vios].volume_groups[0].repository.clone();
            group(world, vios, 1, |group| group.repository = repository);
        },
        "several-media-repositories",
    );
    found(
        |world, _, vios| {
            group(world, vios, 1, |group| {
                let mut copy = (**group.disks.values().next().unwrap()).clone();
                copy.udid = "03x.0".to_owned();
                group.disks.insert(0, Arc::new(copy));
            });
        },
        "virtual-disk-name-twice",
    );
    let (world, ..) = furnished();
    assert!(
        world
            .vioses
            .values()
            .any(|vios| vios.volume_groups.iter().any(|group| {
                group.repository.as_ref().is_some_and(|repository| {
                    repository
                        .media
                        .values()
                        .all(|medium| medium.mount == MountType::ReadWrite)
                })
            }))
    );
}

#[test]
fn pools() {
    fn change(
        world: &mut World,
        change: impl FnOnce(&mut powervm_simulator::model::pool::LogicalUnit),
    ) {
        let tier = *world.tiers.keys().next().unwrap();
        let units = &mut Arc::make_mut(world.tiers.get_mut(&tier).unwrap()).units;
        let key = *units.keys().next().unwrap();
        change(&mut units.get_mut(&key).unwrap());
    }
    found(
        |world, _, _| change(world, |unit| unit.in_use = false),
        "in-use-is-not-mapped",
    );
    found(
        |world, _, _| change(world, |unit| unit.cloned_from = Some("29".to_owned())),
        "clone-without-image",
    );
    found(
        |world, _, _| change(world, |unit| unit.udid = "27xyz".to_owned()),
        "unit-udid-not-hexadecimal",
    );
    found(
        |world, _, _| change(world, |unit| unit.capacity = Gigabytes::whole(1 << 40)),
        "pool-over-promised",
    );
    found(
        |world, _, _| {
            change(world, |unit| {
                (unit.thin, unit.capacity) = (false, Gigabytes::whole(1 << 40))
            })
        },
        "pool-over-full",
    );
}
