//! From a random action to the commands that it means in the world as it is.

use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::names::*;
use powervm_simulator::model::network::Trunk;
use powervm_simulator::model::storage::Content;
use powervm_simulator::model::units::Gigabytes;
use powervm_simulator::model::{Command, Owner};
use uuid::Uuid;

use super::action::{Action, Stored};
use crate::support::{Room, adapter, dedicated, disk, mapping, shared, unit};

pub(crate) fn at<T: Clone>(pick: u8, things: impl IntoIterator<Item = T>) -> Option<T> {
    let things: Vec<T> = things.into_iter().collect();
    things.get(usize::from(pick)).cloned()
}

pub(crate) fn nobody() -> Uuid {
    Uuid::from_u128(0xdead)
}

pub(crate) fn commands(room: &mut Room, action: &Action) -> Vec<Command> {
    let partition = |room: &Room, pick: u8| {
        at(pick, room.world.partitions.keys().copied()).unwrap_or_else(nobody)
    };
    let number = |server: bool| usize::from(server);
    match action.clone() {
        Action::Wait(milliseconds) => {
            room.wait(milliseconds);
            Vec::new()
        }
        Action::Create {
            name,
            memory,
            dedicated: whole,
            units,
            slots,
        } => {
            let mut create = room.create(&format!("p{name}"));
            create.memory = MemoryRequest {
                minimum: Some(256),
                desired: Some(memory),
                ..MemoryRequest::default()
            };
            create.processors = Some(if whole {
                dedicated(u16::try_from(units % 8).unwrap())
            } else {
                shared(units, 2)
            });
            create.maximum_slots = slots;
            vec![Command::CreatePartition(Box::new(create))]
        }
        Action::Update {
            pick,
            memory,
            name,
            slots,
            force,
            settle,
        } => {
            let mut update = UpdatePartition::of(Owner::Partition(partition(room, pick)));
            update.memory.desired = Some(memory);
            update.memory.maximum = settle.then_some(memory);
            update.memory.minimum = settle.then_some(256);
            update.name = name.map(|name| format!("p{name}"));
            update.maximum_slots = slots;
            update.force = force;
            vec![Command::UpdatePartition(Box::new(update))]
        }
        Action::Delete { pick } => vec![crate::support::delete_partition(partition(room, pick))],
        Action::Plug {
            pick,
            slot,
            vlan,
            tagged,
            trunk,
            server,
        } => {
            let owner = if server {
                Owner::Vios(room.vioses()[1])
            } else {
                Owner::Partition(partition(room, pick))
            };
            let trunk = trunk.map(|priority| Trunk {
                priority,
                device: None,
            });
            vec![Command::CreateNetworkAdapter(CreateNetworkAdapter {
                slot,
                vlan,
                tagged_vlans: tagged,
                trunk,
                ..adapter(owner)
            })]
        }
        Action::Retag {
            pick,
            adapter,
            vlan,
        } => {
            let uuid = partition(room, pick);
            let adapters = room
                .world
                .partitions
                .get(&uuid)
                .into_iter()
                .flat_map(|partition| partition.network_adapters.keys().copied());
            vec![Command::UpdateNetworkAdapter(UpdateNetworkAdapter {
                owner: Owner::Partition(uuid),
                adapter: at(adapter, adapters).unwrap_or_else(nobody),
                vlan: Some(vlan),
                tagged_vlans: None,
                tagged: None,
                allowed_os_macs: None,
                quality_of_service: None,
                enabled: None,
                required: None,
                trunk: None,
                mtu: None,
                ovs_bridge: None,
                ovs_external_ids: None,
            })]
        }
        Action::Unplug { pick, adapter } => {
            let uuid = partition(room, pick);
            let adapters = room
                .world
                .partitions
                .get(&uuid)
                .into_iter()
                .flat_map(|partition| partition.network_adapters.keys().copied());
            let adapter = at(adapter, adapters).unwrap_or_else(nobody);
            vec![Command::DeleteNetworkAdapter {
                owner: Owner::Partition(uuid),
                adapter,
            }]
        }
        Action::Unit {
            name,
            gigabytes,
            clone,
            thin,
        } => {
            let cloned_from = clone
                .map(|pick| at(pick, units(room)).map_or_else(|| "29ff".to_owned(), |unit| unit.1));
            let create = CreateLogicalUnit {
                thin: Some(thin),
                ..unit(room.tier(), &format!("u{name}"), gigabytes, cloned_from)
            };
            vec![Command::CreateLogicalUnit(create)]
        }
        Action::DeleteUnit { pick } => {
            let unit = at(pick, units(room)).map_or_else(nobody, |unit| unit.0);
            vec![Command::DeleteLogicalUnit {
                tier: room.tier(),
                unit,
            }]
        }
        Action::Disk {
            server,
            name,
            gigabytes,
            base,
        } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            let base_image = base.map(|pick| at(pick, disks(room, server)).unwrap_or_default());
            update.disks.as_mut().unwrap().push(DiskRequest {
                base_image,
                ..disk(&format!("d{name}"), gigabytes)
            });
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::DropDisk { server, pick } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            let gone = at(pick, disks(room, server));
            update
                .disks
                .as_mut()
                .unwrap()
                .retain(|disk| disk.udid != gone);
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::GrowDisk {
            server,
            pick,
            gigabytes,
        } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            if let Some(disk) = update.disks.as_mut().unwrap().get_mut(usize::from(pick)) {
                disk.capacity = Gigabytes::whole(gigabytes);
            }
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::Media {
            server,
            name,
            size,
            drop,
        } => {
            let mut update = room.group_as_posted(number(server), "rootvg");
            for repository in update.repositories.as_mut().unwrap() {
                let name = format!("m{name}");
                if drop {
                    repository.media.retain(|medium| medium.name != name);
                } else {
                    repository.media.push(MediumRequest {
                        name,
                        mount: None,
                        size: Some(Gigabytes::whole(size)),
                    });
                }
            }
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::Volumes {
            server,
            pick,
            leave,
        } => {
            let mut update = room.group_as_posted(number(server), "datavg");
            let volumes = update.physical_volumes.as_mut().unwrap();
            if leave {
                volumes.retain(|name| *name != format!("hdisk{pick}"));
            } else {
                volumes.push(format!("hdisk{pick}"));
            }
            vec![Command::UpdateVolumeGroup(update)]
        }
        Action::Map {
            server,
            client,
            storage,
            bus,
            slot,
        } => {
            let vios = room.vioses()[number(server)];
            let client = partition(room, client);
            let mut posted = room.world.posted_mappings(vios);
            let server_udid = posted
                .iter()
                .find(|posted| bus && posted.client == Some(client))
                .and_then(|posted| posted.server_udid.clone());
            posted.push(ScsiMapping {
                server_udid,
                client_slot: slot,
                ..mapping(client, stored(room, server, storage))
            });
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
        Action::Power {
            pick,
            on,
            parameters,
            server,
        } => {
            let target = if server {
                JobTarget::VirtualIoServer(room.vioses()[1])
            } else {
                JobTarget::LogicalPartition(partition(room, pick))
            };
            let parameters = parameters
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let operation = if on { "PowerOn" } else { "PowerOff" }.to_owned();
            vec![Command::SubmitJob(SubmitJob {
                target,
                operation,
                parameters,
            })]
        }
        Action::Cancel { pick } => vec![Command::CancelJob(
            at(pick, room.world.jobs.keys().copied()).unwrap_or(1),
        )],
        Action::DeleteJob { pick } => vec![Command::DeleteJob(
            at(pick, room.world.jobs.keys().copied()).unwrap_or(1),
        )],
        Action::Upload {
            name,
            bytes,
            device,
            keep,
        } => upload(room, name, bytes, device, keep),
        Action::DeleteFile { pick } => vec![Command::DeleteFile(
            at(pick, room.world.files.keys().copied()).unwrap_or_else(nobody),
        )],
        Action::Switch { name, delete } => {
            let system = room.system();
            let name = format!("switch{name}");
            let there = room.world.systems[&system]
                .switches
                .values()
                .find(|switch| switch.name == name)
                .map(|switch| switch.uuid);
            vec![if delete {
                Command::DeleteSwitch {
                    system,
                    switch: there.unwrap_or_else(nobody),
                }
            } else {
                Command::CreateSwitch {
                    system,
                    name,
                    mode: SwitchMode::Vepa,
                }
            }]
        }
        Action::Network { vlan, delete } => {
            let system = room.system();
            let there = &room.world.systems[&system];
            let network = there
                .networks
                .values()
                .find(|network| network.vlan == vlan)
                .map_or_else(nobody, |network| network.uuid);
            let switch = there.switch_by_id(0).unwrap().uuid;
            vec![if delete {
                Command::DeleteNetwork { system, network }
            } else {
                Command::CreateNetwork(CreateNetwork {
                    system,
                    switch,
                    name: format!("v{vlan}"),
                    vlan,
                    tagged: true,
                })
            }]
        }
        Action::StorageNetwork(step) => vec![step.command(room)],
        Action::Bridging(step) => vec![step.command(room)],
        Action::Console { pick, close: false } => vec![Command::OpenConsole(partition(room, pick))],
        Action::Console { pick, close: true } => vec![Command::SubmitJob(SubmitJob {
            target: JobTarget::LogicalPartition(partition(room, pick)),
            operation: "CloseVterm".to_owned(),
            parameters: Vec::new(),
        })],
    }
}

fn upload(room: &mut Room, name: u8, bytes: u64, device: Option<u8>, keep: bool) -> Vec<Command> {
    let kind = if device.is_some() {
        FileKind::BrokeredDiskImage
    } else {
        FileKind::BrokeredMediaIso
    };
    let device = device.and_then(|pick| {
        at(
            pick,
            units(room)
                .into_iter()
                .map(|unit| unit.1)
                .chain(disks(room, false)),
        )
    });
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
    let made: Vec<Uuid> = room
        .world
        .files
        .keys()
        .copied()
        .filter(|file| !before.contains(file))
        .collect();
    let content = Content {
        bytes,
        sha256: [name; 32],
    };
    let commits = made.iter().map(|file| Command::CommitFile {
        file: *file,
        content,
    });
    commits
        .chain(
            made.iter()
                .filter(|_| !keep)
                .map(|file| Command::DeleteFile(*file)),
        )
        .collect()
}

fn post(vios: Uuid, mappings: Vec<ScsiMapping>) -> Command {
    Command::UpdateVios(Box::new(UpdateVios {
        vios,
        base: None,
        scsi_mappings: Some(mappings),
        fc_mappings: None,
    }))
}

pub(crate) fn units(room: &Room) -> Vec<(Uuid, String)> {
    room.world.tiers[&room.tier()]
        .units
        .values()
        .map(|unit| (unit.uuid, unit.udid.clone()))
        .collect()
}

fn disks(room: &Room, server: bool) -> Vec<String> {
    room.vios(usize::from(server)).volume_groups[1]
        .disks
        .values()
        .map(|disk| disk.udid.clone())
        .collect()
}

fn stored(room: &Room, server: bool, storage: Stored) -> StorageName {
    match storage {
        Stored::Unit(pick) => StorageName::LogicalUnit {
            udid: at(pick, units(room)).map(|unit| unit.1),
            name: None,
        },
        Stored::Volume(number) => StorageName::PhysicalVolume {
            udid: None,
            name: Some(format!("hdisk{number}")),
        },
        Stored::Disk(pick) => StorageName::VirtualDisk {
            udid: at(pick, disks(room, server)),
            name: None,
        },
        Stored::Medium(number) => StorageName::OpticalMedium {
            name: format!("m{number}"),
        },
    }
}
