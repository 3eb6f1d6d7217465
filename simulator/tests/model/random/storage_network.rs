//! Random steps about Fibre Channel, iSCSI and the storage behind them.

use powervm_simulator::model::Command;
use powervm_simulator::model::command::*;
use powervm_simulator::model::job::JobTarget;
use powervm_simulator::model::san::Protocol;
use powervm_simulator::model::vios::bus_uuid;
use proptest::prelude::*;
use uuid::Uuid;

use super::commands::{at, nobody};
use crate::support::{Room, hdisk};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    MapFc {
        server: bool,
        client: u8,
        port: Option<u8>,
        wwpns: Option<(u8, u8)>,
        slot: SlotChoice,
    },
    UnmapFc {
        server: bool,
        pick: u8,
    },
    Strand {
        server: bool,
        slot: u16,
        any: bool,
    },
    Create {
        volume: u8,
        protocol: u8,
        gigabytes: u64,
    },
    Map {
        volume: u8,
        server: bool,
    },
    Unmap {
        volume: u8,
        server: Option<bool>,
    },
    Extend {
        volume: u8,
        gigabytes: u64,
    },
    Delete {
        volume: u8,
    },
    Discover {
        server: bool,
        lun: u32,
    },
    Device {
        server: bool,
        operation: &'static str,
        pick: u8,
    },
    External {
        server: bool,
        client: u8,
        volume: u8,
    },
    Bus {
        server: bool,
        pick: u8,
        client: Option<u8>,
        disk: Option<u8>,
    },
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let pick = || 0..8_u8;
    let volume = || 0..6_u8;
    let server = any::<bool>;
    let slot = prop_oneof![
        4 => Just(SlotChoice::Next),
        1 => (0..70_u16).prop_map(SlotChoice::Given),
    ];
    let operation = prop::sample::select(vec![
        "RemoveDevice",
        "RescanVirtualDisk",
        "ISCSIDiscovery",
        "ISCSIRemove",
        "GetNextWWPNs",
    ]);
    let wwpns = proptest::option::of((0..4_u8, 0..4_u8));
    prop_oneof![
        4 => (server(), pick(), proptest::option::of(0..3_u8), wwpns, slot)
            .prop_map(|(server, client, port, wwpns, slot)| Step::MapFc { server, client, port, wwpns, slot }),
        2 => (server(), pick()).prop_map(|(server, pick)| Step::UnmapFc { server, pick }),
        1 => (server(), 0..12_u16, any::<bool>()).prop_map(|(server, slot, any)| Step::Strand { server, slot, any }),
        3 => (volume(), 0..4_u8, 0..20_u64)
            .prop_map(|(volume, protocol, gigabytes)| Step::Create { volume, protocol, gigabytes }),
        3 => (volume(), server()).prop_map(|(volume, server)| Step::Map { volume, server }),
        1 => (volume(), proptest::option::of(server())).prop_map(|(volume, server)| Step::Unmap { volume, server }),
        1 => (volume(), 0..40_u64).prop_map(|(volume, gigabytes)| Step::Extend { volume, gigabytes }),
        1 => volume().prop_map(|volume| Step::Delete { volume }),
        3 => (server(), 30..40_u32).prop_map(|(server, lun)| Step::Discover { server, lun }),
        3 => (server(), operation, 0..20_u8).prop_map(|(server, operation, pick)| Step::Device { server, operation, pick }),
        2 => (server(), pick(), volume()).prop_map(|(server, client, volume)| Step::External { server, client, volume }),
        2 => (server(), pick(), proptest::option::of(pick()), proptest::option::of(0..20_u8))
            .prop_map(|(server, pick, client, disk)| Step::Bus { server, pick, client, disk }),
    ]
}

fn of(volume: u8) -> Uuid {
    Uuid::from_u128(u128::from(volume))
}

impl Step {
    /// What the step means in the world as it is.
    pub(crate) fn command(&self, room: &Room) -> Command {
        let number = |server: bool| usize::from(server);
        let uuid = |server: bool| room.vioses()[number(server)];
        let partition =
            |pick: u8| at(pick, room.world.partitions.keys().copied()).unwrap_or_else(nobody);
        match *self {
            Self::MapFc {
                server,
                client,
                port,
                wwpns,
                slot,
            } => {
                let mut posted = room.world.posted_fc_mappings(uuid(server));
                posted.push(FcMappingRequest {
                    client: Some(partition(client)),
                    client_slot: slot,
                    wwpns: match wwpns {
                        Some((one, two)) => WwpnChoice::Given([u64::from(one), u64::from(two)]),
                        None => WwpnChoice::Next,
                    },
                    port: port.map(|port| format!("fcs{port}")),
                    ..FcMappingRequest::default()
                });
                post(uuid(server), None, Some(posted))
            }
            Self::UnmapFc { server, pick } => {
                let mut posted = room.world.posted_fc_mappings(uuid(server));
                if usize::from(pick) < posted.len() {
                    posted.remove(usize::from(pick));
                }
                post(uuid(server), None, Some(posted))
            }
            Self::Strand { server, slot, any } => Command::StrandAdapter {
                vios: uuid(server),
                slot,
                any,
            },
            Self::Create {
                volume,
                protocol,
                gigabytes,
            } => create(volume, protocol, gigabytes),
            Self::Map { volume, server } => Command::MapSanVolume {
                volume: of(volume),
                connector: host(room, server),
            },
            Self::Unmap { volume, server } => Command::UnmapSanVolume {
                volume: of(volume),
                connector: server.map(|server| host(room, server)),
            },
            Self::Extend { volume, gigabytes } => Command::ExtendSanVolume {
                volume: of(volume),
                megabytes: gigabytes * 1024,
            },
            Self::Delete { volume } => Command::DeleteSanVolume(of(volume)),
            Self::Discover { server, lun } => {
                let wwpn = room.vios(number(server)).fc_ports().next().unwrap().wwpn;
                let input = format!(
                    "<XML_LIST><deviceList><device><vendor>OTHER</vendor><itlList><itl><Iwwpn>{wwpn:x}</Iwwpn><Twwpn>500507680282861d</Twwpn><lua>{lun:x}000000000000</lua></itl></itlList></device></deviceList></XML_LIST>"
                );
                let target = JobTarget::VirtualIoServer(uuid(server));
                job(target, "LUARecovery", vec![("inputXML", input)])
            }
            Self::Device {
                server,
                operation,
                pick,
            } => device(room, server, operation, pick),
            Self::External {
                server,
                client,
                volume,
            } => {
                let mut posted = room.world.posted_mappings(uuid(server));
                posted.push(ScsiMapping {
                    client: Some(partition(client)),
                    storage: Some(StorageName::External(ExternalName {
                        name: format!("/v{volume}"),
                        kind: powervm_simulator::model::names::VirtualDiskKind::File,
                        back_store: None,
                        rbd_user: None,
                        tag: None,
                    })),
                    ..ScsiMapping::default()
                });
                post(uuid(server), Some(posted), None)
            }
            Self::Bus {
                server,
                pick,
                client,
                disk,
            } => {
                let vios = uuid(server);
                let devices = disk.map(|disk| ScsiMapping {
                    storage: Some(hdisk(&format!("hdisk{disk}"))),
                    ..ScsiMapping::default()
                });
                let devices: Vec<ScsiMapping> = devices.into_iter().collect();
                let slots = room.vios(number(server)).buses.keys().copied();
                let bus = at(pick, slots).map_or_else(nobody, |slot| bus_uuid(vios, slot));
                match (client, disk) {
                    (Some(client), _) => Command::CreateScsiBus(CreateScsiBus {
                        vios,
                        client: partition(client),
                        client_slot: SlotChoice::Next,
                        server_slot: SlotChoice::Next,
                        devices,
                    }),
                    (None, Some(_)) => Command::UpdateScsiBus(UpdateScsiBus { vios, bus, devices }),
                    (None, None) => Command::DeleteScsiBus { vios, bus },
                }
            }
        }
    }
}

fn post(vios: Uuid, scsi: Option<Vec<ScsiMapping>>, fc: Option<Vec<FcMappingRequest>>) -> Command {
    Command::UpdateVios(Box::new(UpdateVios {
        vios,
        base: None,
        scsi_mappings: scsi,
        fc_mappings: fc,
    }))
}

fn host(room: &Room, server: bool) -> Connector {
    let vios = room.vios(usize::from(server));
    Connector {
        wwpns: vios.fc_ports().map(|port| port.wwpn).collect(),
        initiator: vios.iscsi.initiator.clone(),
        chap: false,
    }
}

fn create(volume: u8, protocol: u8, gigabytes: u64) -> Command {
    Command::CreateSanVolume(CreateSanVolume {
        uuid: of(volume),
        name: format!("volume{volume}"),
        megabytes: gigabytes * 1024,
        protocol: match protocol {
            0 => Protocol::Iscsi,
            1 => Protocol::File,
            _ => Protocol::FibreChannel,
        },
        external: (protocol == 1).then(|| format!("/v{volume}")),
        identified: !gigabytes.is_multiple_of(5),
        content: None,
    })
}

fn job(target: JobTarget, operation: &str, parameters: Vec<(&str, String)>) -> Command {
    let parameters = parameters.into_iter();
    Command::SubmitJob(SubmitJob {
        target,
        operation: operation.to_owned(),
        parameters: parameters
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    })
}

fn device(room: &Room, server: bool, operation: &str, pick: u8) -> Command {
    let disks = &room.vios(usize::from(server)).physical_volumes;
    let udid = disks
        .get(usize::from(pick))
        .map(|disk| disk.udid.clone())
        .unwrap_or_default();
    let iqn = format!("iqn.2010-10.org.openstack:volume-{}", of(pick % 6));
    let portal = "192.0.2.40:3260".to_owned();
    let target = JobTarget::VirtualIoServer(room.vioses()[usize::from(server)]);
    match operation {
        "RemoveDevice" => job(target, operation, vec![("devName", format!("hdisk{pick}"))]),
        "RescanVirtualDisk" => job(target, operation, vec![("VirtualDiskUDID", udid)]),
        "ISCSIDiscovery" => job(
            target,
            operation,
            vec![("targetIQN", iqn), ("hostIP", portal)],
        ),
        "ISCSIRemove" => job(target, operation, vec![("targetIQN", iqn)]),
        _ => job(
            JobTarget::ManagedSystem(room.system()),
            operation,
            vec![("numberPairsRequested", pick.to_string())],
        ),
    }
}
