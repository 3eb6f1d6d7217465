//! How the admin API shows the storage: volumes with who uses them, and the network before them.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::model::World;
use crate::model::san::discovery::is_disk_of;
use crate::model::san::{Access, Fabric, Hosts, SanVolume};
use crate::model::vios::VirtualIoServer;

/// All volumes.
#[derive(Serialize, JsonSchema)]
pub(super) struct Volumes {
    pub(super) volumes: Vec<Volume>,
}

/// A volume of the storage.
#[derive(Serialize, JsonSchema)]
pub(super) struct Volume {
    #[schemars(with = "String")]
    id: Uuid,
    name: String,
    gigabytes: u64,
    /// `fibre_channel`, `iscsi`, `nfs` or `rbd`.
    protocol: &'static str,
    /// The file's path or `pool/image`; none of a volume that is reached by its number.
    path: Option<String>,
    /// Its worldwide name, 32 hexadecimal digits, if it tells one.
    naa: Option<String>,
    /// Whether some host may use it.
    mapped: bool,
    /// Its number behind its targets, once it has one.
    lun: Option<u32>,
    /// Port names of the storage, or its IQN.
    targets: Vec<String>,
    /// Who may use it: port names or initiators, or `everyone`.
    hosts: Who,
    /// The disks of it that Virtual I/O Servers have.
    disks: Vec<Disk>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum Who {
    Everyone(&'static str),
    These(Vec<String>),
}

#[derive(Serialize, JsonSchema)]
struct Disk {
    /// The server's name.
    vios: String,
    /// Such as `hdisk7`.
    name: String,
    udid: String,
}

/// What a Cinder driver answers to `initialize_connection`.
#[derive(Serialize, JsonSchema)]
pub(super) struct Mapped {
    pub(super) connection_info: ConnectionInfo,
}

/// Where a host finds a volume, in Cinder's words.
#[derive(Serialize, JsonSchema)]
pub(super) struct ConnectionInfo {
    /// `fibre_channel`, `iscsi`, `nfs` or `rbd`.
    pub(super) driver_volume_type: &'static str,
    /// The volume's identifier.
    #[schemars(with = "String")]
    pub(super) serial: Uuid,
    /// For `fibre_channel`: `target_wwn`, `target_lun`, `initiator_target_map` and so on; for `iscsi`: `target_portal`,
    /// `target_iqn`, `target_lun`, with CHAP `auth_method`, `auth_username`, `auth_password`.
    #[schemars(with = "std::collections::BTreeMap<String, Value>")]
    pub(super) data: Map<String, Value>,
}

/// The storage area network.
#[derive(Serialize, JsonSchema)]
pub(super) struct Network {
    fabrics: Vec<FabricShown>,
    targets: Vec<Target>,
    /// Address and port of each iSCSI portal.
    portals: Vec<String>,
    virtual_io_servers: Vec<Server>,
}

#[derive(Serialize, JsonSchema)]
struct FabricShown {
    name: String,
    /// Whether ports see each other only if a zone has both.
    zoned: bool,
    /// Port names of an initiator and a target.
    zones: Vec<[String; 2]>,
}

#[derive(Serialize, JsonSchema)]
struct Target {
    /// A port name of the storage, 16 hexadecimal digits.
    wwpn: String,
    /// The names of its fabrics.
    fabrics: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Server {
    uuid: String,
    name: String,
    ports: Vec<Port>,
    /// The name of its iSCSI initiator.
    initiator: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Port {
    /// Such as `fcs0`.
    name: String,
    wwpn: String,
    /// The name of its fabric.
    fabric: Option<String>,
}

fn hex(wwpn: u64) -> String {
    format!("{wwpn:016x}")
}

impl Volume {
    pub(super) fn of(world: &World, volume: &SanVolume) -> Self {
        let disks = world.vioses.values().flat_map(|vios| {
            let own = vios.physical_volumes.iter();
            own.filter(|disk| is_disk_of(disk, volume))
                .map(|disk| Disk {
                    vios: vios.partition.name.clone(),
                    name: disk.name.clone(),
                    udid: disk.udid.clone(),
                })
        });
        let everyone = Who::Everyone("everyone");
        let (lun, targets, hosts) = match &volume.access {
            Access::FibreChannel(access) => {
                let hosts = match &access.hosts {
                    Hosts::Everyone => everyone,
                    Hosts::Ports(ports) => Who::These(ports.iter().copied().map(hex).collect()),
                };
                let targets = access.targets.iter().copied().map(hex).collect();
                (access.lun, targets, hosts)
            }
            Access::Iscsi(access) => {
                let hosts = access.initiators.keys().cloned().collect();
                (
                    Some(access.lun),
                    vec![access.iqn.clone()],
                    Who::These(hosts),
                )
            }
            Access::File(_) | Access::Rbd(_) => (None, Vec::new(), everyone),
        };
        Self {
            id: volume.uuid,
            name: volume.name.clone(),
            gigabytes: volume.megabytes / 1024,
            protocol: volume.access.protocol().as_str(),
            path: volume.access.external_name().map(str::to_owned),
            naa: volume.naa.clone(),
            mapped: volume.is_mapped(),
            lun,
            targets,
            hosts,
            disks: disks.collect(),
        }
    }
}

impl Network {
    pub(super) fn of(world: &World) -> Self {
        let name = |number: usize| {
            let fabric: Option<&Fabric> = world.san.fabrics.get(number);
            fabric.map(|fabric| fabric.name.clone())
        };
        let zone = |(initiator, target): &(u64, u64)| [hex(*initiator), hex(*target)];
        let fabrics = world.san.fabrics.iter().map(|fabric| FabricShown {
            name: fabric.name.clone(),
            zoned: fabric.zoned,
            zones: fabric.zones.iter().map(zone).collect(),
        });
        let targets = world.san.targets.iter().map(|(wwpn, target)| Target {
            wwpn: hex(*wwpn),
            fabrics: target.fabrics.iter().copied().filter_map(name).collect(),
        });
        let server = |vios: &VirtualIoServer| Server {
            uuid: vios.partition.uuid.to_string().to_uppercase(),
            name: vios.partition.name.clone(),
            ports: vios
                .fc_ports()
                .map(|port| Port {
                    name: port.name.clone(),
                    wwpn: hex(port.wwpn),
                    fabric: name(port.fabric),
                })
                .collect(),
            initiator: vios.iscsi.initiator.clone(),
        };
        Self {
            fabrics: fabrics.collect(),
            targets: targets.collect(),
            portals: world.san.portals.to_vec(),
            virtual_io_servers: world.vioses.values().map(|vios| server(vios)).collect(),
        }
    }
}
