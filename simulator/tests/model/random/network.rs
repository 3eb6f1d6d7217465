//! Random steps about network bridges, SR-IOV and virtual NICs.

use powervm_simulator::model::command::*;
use powervm_simulator::model::names::SriovMode;
use powervm_simulator::model::sriov::Percent;
use powervm_simulator::model::{Command, Owner};
use proptest::prelude::*;
use uuid::Uuid;

use super::commands::{at, nobody};
use crate::bridging::{posted, update};
use crate::support::Room;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Retag {
        bridge: u8,
        trunk: u8,
        vlan: u16,
        both: bool,
    },
    Trunk {
        bridge: u8,
        vlan: u16,
        tagged: u16,
        gone: bool,
    },
    Groups {
        bridge: u8,
        networks: Vec<u8>,
        gone: bool,
    },
    Mode {
        bridge: u8,
        failover: Option<bool>,
        balance: Option<bool>,
        channel: Option<u16>,
    },
    Members {
        bridge: u8,
        keep: u8,
        server: bool,
        device: u8,
    },
    Bridge {
        vlan: u16,
        servers: u8,
        device: u8,
        channel: Option<u16>,
    },
    DropBridge {
        bridge: u8,
    },
    Port {
        client: u8,
        server: Option<bool>,
        port: u16,
        capacity: Option<u32>,
        promiscuous: bool,
    },
    ChangePort {
        client: u8,
        server: Option<bool>,
        pick: u8,
        capacity: Option<u32>,
        vlan: u16,
    },
    DropPort {
        client: u8,
        server: Option<bool>,
        pick: u8,
    },
    Nic {
        client: u8,
        devices: Vec<(bool, u16, u8)>,
        slot: SlotChoice,
    },
    ChangeNic {
        client: u8,
        pick: u8,
        vlan: Option<u16>,
        keep: u8,
        devices: Vec<(bool, u16, u8)>,
    },
    DropNic {
        client: u8,
        pick: u8,
    },
    Label {
        port: u16,
        label: u8,
        maximum: Option<u16>,
        mode: Option<bool>,
    },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let pick = || 0..4_u8;
    let vlan = || prop_oneof![4 => 1..6_u16, 4 => 100..112_u16, 4 => 200..400_u16, 1 => Just(0_u16), 2 => 4080..4097_u16];
    let server = || proptest::option::of(any::<bool>());
    let device = || {
        (
            any::<bool>(),
            prop_oneof![8 => 0..4_u16, 1 => Just(4_u16)],
            prop_oneof![8 => 1..101_u8, 1 => Just(0_u8)],
        )
    };
    let devices = move || prop::collection::vec(device(), 1..4);
    let capacity = || {
        proptest::option::of(
            prop_oneof![4 => (1..51_u32).prop_map(|two| two * 200), 1 => 0..12_000_u32],
        )
    };
    let slot = prop_oneof![
        4 => Just(SlotChoice::Next),
        1 => Just(SlotChoice::NextHigh),
        1 => (0..70_u16).prop_map(SlotChoice::Given),
    ];
    prop_oneof![
        3 => (pick(), pick(), vlan(), prop::bool::weighted(0.9))
            .prop_map(|(bridge, trunk, vlan, both)| Step::Retag { bridge, trunk, vlan, both }),
        5 => (pick(), vlan(), vlan(), prop::bool::weighted(0.2))
            .prop_map(|(bridge, vlan, tagged, gone)| Step::Trunk { bridge, vlan, tagged, gone }),
        3 => (pick(), prop::collection::vec(0..20_u8, 0..6), any::<bool>())
            .prop_map(|(bridge, networks, gone)| Step::Groups { bridge, networks, gone }),
        1 => (pick(), server(), server(), proptest::option::of(vlan()))
            .prop_map(|(bridge, failover, balance, channel)| Step::Mode { bridge, failover, balance, channel }),
        2 => (pick(), 0..3_u8, any::<bool>(), 0..12_u8)
            .prop_map(|(bridge, keep, server, device)| Step::Members { bridge, keep, server, device }),
        2 => (vlan(), 0..4_u8, 0..12_u8, proptest::option::weighted(0.2, vlan()))
            .prop_map(|(vlan, servers, device, channel)| Step::Bridge { vlan, servers, device, channel }),
        1 => pick().prop_map(|bridge| Step::DropBridge { bridge }),
        3 => (pick(), server(), 0..5_u16, capacity(), any::<bool>())
            .prop_map(|(client, server, port, capacity, promiscuous)| Step::Port { client, server, port, capacity, promiscuous }),
        1 => (pick(), server(), pick(), capacity(), vlan())
            .prop_map(|(client, server, pick, capacity, vlan)| Step::ChangePort { client, server, pick, capacity, vlan }),
        1 => (pick(), server(), pick()).prop_map(|(client, server, pick)| Step::DropPort { client, server, pick }),
        8 => (pick(), devices(), slot).prop_map(|(client, devices, slot)| Step::Nic { client, devices, slot }),
        2 => (pick(), pick(), proptest::option::of(vlan()), 0..3_u8, devices())
            .prop_map(|(client, pick, vlan, keep, devices)| Step::ChangeNic { client, pick, vlan, keep, devices }),
        1 => (pick(), pick()).prop_map(|(client, pick)| Step::DropNic { client, pick }),
        1 => (0..5_u16, any::<u8>(), proptest::option::of(0..24_u16), proptest::option::weighted(0.3, prop::bool::weighted(0.8)))
            .prop_map(|(port, label, maximum, mode)| Step::Label { port, label, maximum, mode }),
    ]
}

impl Step {
    pub(crate) fn command(&self, room: &Room) -> Command {
        let system = room.system();
        match self.clone() {
            Self::Retag {
                bridge,
                trunk,
                vlan,
                both,
            } => change(room, bridge, |member, trunks| {
                if let Some(trunk) = trunks
                    .get_mut(usize::from(trunk))
                    .filter(|_| both || member == 0)
                {
                    toggle(trunk.tagged_vlans.get_or_insert_default(), vlan);
                }
            }),
            Self::Trunk {
                bridge,
                vlan,
                tagged,
                gone,
            } => change(room, bridge, |_, trunks| {
                if gone {
                    trunks.pop();
                } else {
                    trunks.push(TrunkRequest {
                        slot: SlotChoice::NextHigh,
                        mac: None,
                        vlan,
                        tagged_vlans: Some(vec![tagged]),
                        tagged: None,
                        required: None,
                        priority: None,
                        switch: None,
                        switch_id: None,
                    });
                }
            }),
            Self::Groups {
                bridge,
                networks,
                gone,
            } => groups(room, bridge, &networks, gone),
            Self::Mode {
                bridge,
                failover,
                balance,
                channel,
            } => Command::UpdateNetworkBridge(UpdateNetworkBridge {
                failover,
                load_balancing: balance,
                control_channel: channel,
                ..update(room, picked(room, bridge))
            }),
            Self::Members {
                bridge,
                keep,
                server,
                device,
            } => {
                let bridge = picked(room, bridge);
                let mut adapters = posted(room, bridge);
                adapters.truncate(usize::from(keep));
                let vios = room.vioses()[usize::from(server)];
                if adapters.iter().all(|adapter| adapter.vios != Some(vios)) {
                    adapters.push(member(vios, device));
                }
                Command::UpdateNetworkBridge(UpdateNetworkBridge {
                    failover: (keep == 1).then_some(adapters.len() > 1),
                    adapters: Some(adapters),
                    ..update(room, bridge)
                })
            }
            Self::Bridge {
                vlan,
                servers,
                device,
                channel,
            } => {
                let all = room.vioses();
                let chosen: &[Uuid] = match servers {
                    0 => &all[..1],
                    1 => &all[1..2],
                    2 => &all[..2],
                    _ => &[],
                };
                Command::CreateNetworkBridge(CreateNetworkBridge {
                    system,
                    vlan,
                    failover: None,
                    load_balancing: false,
                    control_channel: channel,
                    adapters: chosen.iter().map(|vios| member(*vios, device)).collect(),
                })
            }
            Self::DropBridge { bridge } => Command::DeleteNetworkBridge {
                system,
                bridge: picked(room, bridge),
            },
            Self::Port {
                client,
                server,
                port,
                capacity,
                promiscuous,
            } => Command::CreateLogicalPort(CreateLogicalPort {
                capacity: capacity.map(Percent::from_hundredths),
                promiscuous,
                ..CreateLogicalPort::on(owner(room, client, server), 1, port)
            }),
            Self::ChangePort {
                client,
                server,
                pick,
                capacity,
                vlan,
            } => {
                let owner = owner(room, client, server);
                Command::UpdateLogicalPort(UpdateLogicalPort {
                    owner,
                    port: logical_port(room, owner, pick),
                    capacity: capacity.map(Percent::from_hundredths),
                    maximum_capacity: None,
                    vlan: Some(vlan),
                    priority: None,
                    promiscuous: Some(vlan % 2 == 0),
                    diagnostic: None,
                    debug: None,
                    allowed_macs: None,
                    allowed_vlans: None,
                })
            }
            Self::DropPort {
                client,
                server,
                pick,
            } => {
                let owner = owner(room, client, server);
                Command::DeleteLogicalPort {
                    owner,
                    port: logical_port(room, owner, pick),
                }
            }
            Self::Nic {
                client,
                devices,
                slot,
            } => Command::CreateVnic(CreateVnic {
                partition: partition(room, client),
                slot,
                mac: None,
                vlan: 0,
                vlan_priority: 0,
                allowed_vlans: None,
                allowed_os_macs: None,
                auto_failover: None,
                backing: backing(room, &devices),
            }),
            Self::ChangeNic {
                client,
                pick,
                vlan,
                keep,
                devices,
            } => {
                let partition = partition(room, client);
                let vnic = nic(room, partition, pick);
                let there = room.world.vnic(partition, vnic);
                let kept = there.into_iter().flat_map(|nic| &nic.backing);
                let kept = kept
                    .take(usize::from(keep))
                    .map(|device| BackingDeviceRequest {
                        vios: device.vios,
                        adapter: 1,
                        port: 0,
                        capacity: None,
                        maximum_capacity: None,
                        priority: Some(device.priority),
                        logical_port: Some(device.port),
                    });
                let mut list: Vec<BackingDeviceRequest> = kept.collect();
                list.extend(backing(room, &devices));
                Command::UpdateVnic(UpdateVnic {
                    partition,
                    vnic,
                    vlan,
                    vlan_priority: None,
                    allowed_vlans: None,
                    allowed_os_macs: None,
                    auto_failover: None,
                    backing: Some(list),
                })
            }
            Self::DropNic { client, pick } => {
                let partition = partition(room, client);
                Command::DeleteVnic {
                    partition,
                    vnic: nic(room, partition, pick),
                }
            }
            Self::Label {
                port,
                label,
                maximum,
                mode,
            } => {
                let adapters = &room.world.systems[&system].sriov_adapters;
                Command::UpdateSystem(UpdateSystem {
                    name: None,
                    system,
                    adapters: vec![SriovAdapterChange {
                        drc_index: adapters[0].drc_index,
                        mode: mode.map(|shared| {
                            if shared {
                                SriovMode::Sriov
                            } else {
                                SriovMode::Dedicated
                            }
                        }),
                        ports: vec![SriovPortChange {
                            id: port,
                            label: Some("x".repeat(usize::from(label % 20))),
                            maximum_ports: maximum,
                            ..SriovPortChange::default()
                        }],
                    }],
                })
            }
        }
    }
}

fn toggle(vlans: &mut Vec<u16>, vlan: u16) {
    match vlans.iter().position(|there| *there == vlan) {
        Some(place) => {
            vlans.remove(place);
        }
        None => vlans.push(vlan),
    }
}

fn picked(room: &Room, bridge: u8) -> Uuid {
    let bridges = &room.world.systems[&room.system()].bridges;
    // Now and then one that is not there.
    let place = usize::from(bridge) % (bridges.len() + 1).max(3);
    bridges
        .keys()
        .copied()
        .nth(place % (bridges.len() + 1))
        .unwrap_or_else(nobody)
}

fn partition(room: &Room, pick: u8) -> Uuid {
    at(pick, room.world.partitions.keys().copied()).unwrap_or_else(nobody)
}

fn owner(room: &Room, client: u8, server: Option<bool>) -> Owner {
    match server {
        Some(server) => Owner::Vios(room.vioses()[usize::from(server)]),
        None => Owner::Partition(partition(room, client)),
    }
}

fn logical_port(room: &Room, owner: Owner, pick: u8) -> Uuid {
    let there = room.world.partition(owner);
    let ports = there
        .into_iter()
        .flat_map(|partition| partition.logical_ports.keys().copied());
    at(pick, ports).unwrap_or_else(nobody)
}

fn nic(room: &Room, partition: Uuid, pick: u8) -> Uuid {
    let there = room.world.partitions.get(&partition);
    let nics = there
        .into_iter()
        .flat_map(|partition| partition.vnics.keys().copied());
    at(pick, nics).unwrap_or_else(nobody)
}

fn backing(room: &Room, devices: &[(bool, u16, u8)]) -> Vec<BackingDeviceRequest> {
    let servers = room.vioses();
    let devices = devices.iter();
    devices
        .map(|(server, port, priority)| BackingDeviceRequest {
            vios: servers[usize::from(*server)],
            adapter: 1,
            port: *port,
            capacity: None,
            maximum_capacity: None,
            priority: Some(*priority),
            logical_port: None,
        })
        .collect()
}

fn member(vios: Uuid, device: u8) -> SharedEthernetRequest {
    SharedEthernetRequest {
        vios: Some(vios),
        backing_device: Some(format!("ent{device}")),
        ..SharedEthernetRequest::default()
    }
}

fn change(room: &Room, bridge: u8, edit: impl Fn(usize, &mut Vec<TrunkRequest>)) -> Command {
    let bridge = picked(room, bridge);
    let mut adapters = posted(room, bridge);
    for (place, adapter) in adapters.iter_mut().enumerate() {
        edit(place, adapter.trunks.get_or_insert_default());
    }
    Command::UpdateNetworkBridge(UpdateNetworkBridge {
        adapters: Some(adapters),
        ..update(room, bridge)
    })
}

/// The load groups with some networks more in the last one, or without the last one.
fn groups(room: &Room, bridge: u8, picks: &[u8], gone: bool) -> Command {
    let uuid = picked(room, bridge);
    let system = &room.world.systems[&room.system()];
    let networks: Vec<Uuid> = system.networks.keys().copied().collect();
    let mut list: Vec<LoadGroupRequest> = Vec::new();
    if let Some(bridge) = system.bridges.get(&uuid) {
        for group in room.world.load_groups(room.system(), uuid) {
            let networks = room.world.networks_of_group(room.system(), bridge, &group);
            list.push(LoadGroupRequest {
                vlan: group.vlan,
                networks: Some(networks),
            });
        }
    }
    if gone {
        list.pop();
    }
    if let Some(last) = list.last_mut() {
        let more = picks
            .iter()
            .filter_map(|pick| at(*pick, networks.iter().copied()));
        last.networks.get_or_insert_default().extend(more);
    }
    Command::UpdateNetworkBridge(UpdateNetworkBridge {
        load_groups: Some(list),
        ..update(room, uuid)
    })
}
