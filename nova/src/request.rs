//! What Python asks for, as plain data.

mod rebuild;

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use powervm_driver::network::{Attachment, Mac, NetworkInterface, OvsPort, SriovWish};
use powervm_driver::operations::{DiskInfo, Metadata, ServerRef, SpawnRequest, VolumeRequest};
use powervm_driver::partition::Flavor;
use powervm_driver::storage::image::{Feed, Image, ImageSource};
use powervm_driver::storage::media::{ConfigDrive, PreparedFiles};
use powervm_driver::volume::Connection;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

pub use self::rebuild::Rebuild;
use crate::trouble::Trouble;

/// Reads a request.
///
/// # Errors
/// What is missing or of the wrong kind; texts of the request are left out, since some are secret.
pub fn read<T: DeserializeOwned>(request: &Value) -> Result<T, Trouble> {
    T::deserialize(request).map_err(|error| {
        let whole = error.to_string();
        let unquoted: Vec<_> = whole.split('"').step_by(2).collect();
        Trouble::invalid(format!(
            "the request cannot be read: {}",
            unquoted.join("…")
        ))
    })
}

/// An instance, and nothing else.
#[derive(Debug, Deserialize)]
pub struct One {
    /// Its UUID.
    pub instance: Uuid,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Whether to be hard on it.
    #[serde(default)]
    pub hard: bool,
}

/// A flavor.
#[derive(Debug, Clone, Deserialize)]
pub struct Size {
    vcpus: u32,
    memory_mb: u64,
    root_gb: u64,
    #[serde(default)]
    extra_specs: BTreeMap<String, String>,
}

impl From<Size> for Flavor {
    fn from(size: Size) -> Self {
        Self {
            vcpus: size.vcpus,
            memory_mb: size.memory_mb,
            root_gb: size.root_gb,
            extra_specs: size.extra_specs,
        }
    }
}

/// What Glance tells of an image.
#[derive(Debug, Clone, Deserialize)]
pub struct Picture {
    id: Uuid,
    name: String,
    checksum: String,
    size: u64,
}

impl Picture {
    /// The image, its content coming through the feed.
    #[must_use]
    pub fn fed(self, feed: Arc<dyn Feed>) -> Image {
        Image {
            id: self.id,
            name: self.name,
            checksum: self.checksum.to_ascii_lowercase(),
            size: self.size,
            source: ImageSource::Fed(feed),
        }
    }
}

/// A Neutron port, as Nova's network information has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Port {
    /// `pvm_sea`
    Sea {
        /// What all kinds have.
        #[serde(flatten)]
        common: Common,
        /// The VLAN.
        vlan: u16,
    },
    /// `ovs`
    Ovs {
        /// What all kinds have.
        #[serde(flatten)]
        common: Common,
        /// The bridge.
        bridge: String,
        /// `iface-id`.
        interface: String,
        /// Name of the device on the management partition.
        device: Option<String>,
    },
    /// `pvm_sriov`
    Sriov {
        /// What all kinds have.
        #[serde(flatten)]
        common: Common,
        /// The VLAN; none on a flat network.
        vlan: Option<u16>,
        /// The physical network.
        physical_network: String,
        /// How many ports stand behind it.
        redundancy: Option<u8>,
        /// Share of a port, 0 to 1.
        capacity: Option<f64>,
        /// Largest share of a port, 0 to 1.
        max_capacity: Option<f64>,
    },
}

/// What every port has.
#[derive(Debug, Clone, Deserialize)]
pub struct Common {
    mac: String,
    id: String,
    network: Option<String>,
    mtu: Option<u32>,
}

impl TryFrom<Port> for NetworkInterface {
    type Error = Trouble;

    fn try_from(port: Port) -> Result<Self, Trouble> {
        let (common, vlan, attachment) = match port {
            Port::Sea { common, vlan } => (common, vlan, Attachment::SharedEthernet),
            Port::Ovs {
                common,
                bridge,
                interface,
                device,
            } => {
                let port = OvsPort {
                    bridge,
                    interface,
                    device,
                };
                port.check().map_err(Trouble::invalid)?;
                (common, 0, Attachment::Ovs(port))
            }
            Port::Sriov {
                common,
                vlan,
                physical_network,
                redundancy,
                capacity,
                max_capacity,
            } => {
                let wish = SriovWish {
                    redundancy: redundancy.unwrap_or(1),
                    capacity: share(capacity)?,
                    max_capacity: share(max_capacity)?,
                    ..SriovWish::on(physical_network)
                };
                (common, vlan.unwrap_or(0), Attachment::Sriov(wish))
            }
        };
        let mac: Mac = common
            .mac
            .parse()
            .map_err(|error| Trouble::invalid(format!("port {}: {error}", common.id)))?;
        Ok(Self {
            attachment,
            mac: Some(mac),
            id: Some(common.id),
            network: common.network,
            mtu: common.mtu,
            ..Self::on_vlan(vlan)
        })
    }
}

/// Hundredths of a percent.
fn share(share: Option<f64>) -> Result<Option<u32>, Trouble> {
    match share {
        None => Ok(None),
        // In this range nothing is cut off.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(share) if (0.0001..=1.0).contains(&share) => {
            Ok(Some((share * 10_000.0).round() as u32))
        }
        Some(share) => Err(Trouble::invalid(format!(
            "the share of a port is {share}, not 0.0001 to 1"
        ))),
    }
}

/// A server to be made.
#[derive(Debug, Deserialize)]
pub struct Spawn {
    instance: Uuid,
    name: String,
    flavor: Size,
    image: Option<Picture>,
    #[serde(default)]
    volumes: Vec<Value>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    networks: Vec<Port>,
    config_drive: Option<BTreeMap<String, String>>,
    #[serde(default)]
    dated: i64,
    power_on: bool,
    /// Whether its boot disk is there already.
    #[serde(default)]
    pub existing_disk: bool,
    /// Where that disk has to be, if the host that it left said so.
    pub place: Option<DiskInfo>,
}

impl Spawn {
    /// What the driver is asked for.
    ///
    /// # Errors
    /// What of it cannot be.
    pub fn request(self, feed: Option<Arc<dyn Feed>>) -> Result<SpawnRequest, Trouble> {
        let image = fed(self.image, feed)?;
        let networks: Result<_, _> = self.networks.into_iter().map(TryInto::try_into).collect();
        Ok(SpawnRequest {
            instance: self.instance,
            name: self.name,
            flavor: self.flavor.into(),
            image,
            volumes: connections(&self.volumes)?,
            metadata: self.metadata,
            networks: networks?,
            config_drive: self
                .config_drive
                .map(|files| config_drive(files, self.dated))
                .transpose()?,
            power_on: self.power_on,
        })
    }
}

fn config_drive(files: BTreeMap<String, String>, dated: i64) -> Result<ConfigDrive, Trouble> {
    let mut prepared = BTreeMap::new();
    for (path, content) in files {
        let content = STANDARD
            .decode(content)
            .map_err(|_| Trouble::invalid(format!("{path} of the config drive is no base64")))?;
        prepared.insert(path, content);
    }
    Ok(ConfigDrive {
        prepared: Some(PreparedFiles(prepared)),
        dated,
        ..ConfigDrive::default()
    })
}

/// Reads Cinder's `connection_info`s.
///
/// # Errors
/// What is wrong with which of them.
pub fn connections(infos: &[Value]) -> Result<Vec<Connection>, Trouble> {
    let read = infos.iter().map(Connection::parse);
    Ok(read.collect::<Result<_, _>>()?)
}

fn fed(image: Option<Picture>, feed: Option<Arc<dyn Feed>>) -> Result<Option<Image>, Trouble> {
    match (image, feed) {
        (None, _) => Ok(None),
        (Some(picture), Some(feed)) => Ok(Some(picture.fed(feed))),
        (Some(_), None) => Err(Trouble::invalid("there is an image but no download")),
    }
}

/// A server to be removed.
#[derive(Debug, Deserialize)]
pub struct Destroy {
    /// Its UUID.
    pub instance: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// Whether its disks go too.
    pub destroy_disks: bool,
    /// Its volumes.
    #[serde(default)]
    pub volumes: Vec<Value>,
}

/// Volumes of a server.
#[derive(Debug, Deserialize)]
pub struct Volumes {
    instance: Uuid,
    #[serde(default)]
    volumes: Vec<Value>,
    /// What is kept for the instance.
    #[serde(default)]
    pub metadata: Metadata,
}

impl Volumes {
    /// The instance.
    #[must_use]
    pub fn server(&self) -> ServerRef {
        self.instance.into()
    }

    /// What the driver is asked for.
    ///
    /// # Errors
    /// What is wrong with a volume.
    pub fn request(self) -> Result<VolumeRequest, Trouble> {
        Ok(VolumeRequest {
            server: self.instance.into(),
            volumes: connections(&self.volumes)?,
            metadata: self.metadata,
        })
    }
}

/// A server on its way to this host.
#[derive(Debug, Deserialize)]
pub struct Arriving {
    /// The instance.
    pub instance: Uuid,
    /// What is kept for the instance.
    #[serde(default)]
    pub metadata: Metadata,
}

/// An interface to be attached.
#[derive(Debug, Deserialize)]
pub struct Plug {
    /// The instance.
    pub instance: Uuid,
    /// The port.
    pub port: Port,
}

/// An interface to be detached.
#[derive(Debug, Deserialize)]
pub struct Unplug {
    /// The instance.
    pub instance: Uuid,
    /// The port's address.
    pub mac: String,
}

/// A server to be started from another disk.
#[derive(Debug, Deserialize)]
pub struct Rescue {
    /// The instance.
    pub instance: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// What the other disk holds.
    pub image: Picture,
}

/// An image to be kept for the next server that is made of it.
#[derive(Debug, Deserialize)]
pub struct Cache {
    /// The image.
    pub image: Picture,
}

/// Images that are kept to be removed.
#[derive(Debug, Deserialize)]
pub struct Prune {
    /// The images that some server is made of.
    pub keep: Vec<Uuid>,
}

/// A server to be moved or resized.
#[derive(Debug, Deserialize)]
pub struct Move {
    /// The instance.
    pub instance: Uuid,
    /// Its name.
    pub name: String,
    /// The flavor that it is to have, or (for a return) had.
    pub flavor: Size,
    /// Boot disk in GB of the size that it has.
    pub from_gb: Option<u64>,
    /// Whether it goes to another host.
    #[serde(default)]
    pub other_host: bool,
    /// Seconds that the guest may take to shut down.
    pub timeout: Option<u64>,
    /// Volumes that are disconnected, or connected again.
    #[serde(default)]
    pub volumes: Vec<Value>,
    /// What is kept for the instance.
    #[serde(default)]
    pub metadata: Metadata,
    /// Whether to power it on in the end.
    #[serde(default)]
    pub power_on: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn interface(port: Value) -> Result<NetworkInterface, Trouble> {
        read::<Port>(&port)?.try_into()
    }

    #[test]
    fn ports_of_each_kind_are_read() {
        let mac = "fa:16:3e:00:00:01";
        let sea = interface(json!({"kind": "sea", "mac": mac, "id": "p", "vlan": 101})).unwrap();
        assert_eq!(
            (sea.vlan, sea.mac.unwrap().to_string()),
            (101, mac.to_owned())
        );
        let ovs = json!({"kind": "ovs", "mac": mac, "id": "p", "bridge": "br-int", "interface": "p", "mtu": 1450});
        let ovs = interface(ovs).unwrap();
        assert_eq!((ovs.vlan, ovs.mtu), (0, Some(1450)));
        let sriov = json!({"kind": "sriov", "mac": mac, "id": "p", "vlan": null, "physical_network": "prod",
            "capacity": 0.02});
        let Attachment::Sriov(wish) = interface(sriov).unwrap().attachment else {
            panic!("it is on SR-IOV ports");
        };
        assert_eq!((wish.redundancy, wish.capacity), (1, Some(200)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mac = "fa:16:3e:00:00:01";
        for port in [
            json!({"kind": "sea", "mac": "x", "id": "p", "vlan": 101}),
            json!({"kind": "sea", "mac": mac, "id": "p"}),
            json!({"kind": "bridge", "mac": mac, "id": "p"}),
            json!({"kind": "ovs", "mac": mac, "id": "p", "bridge": "br int", "interface": "p"}),
            json!({"kind": "sriov", "mac": mac, "id": "p", "physical_network": "a", "capacity": 2}),
        ] {
            assert!(interface(port.clone()).is_err(), "{port}");
        }
    }

    #[test]
    fn a_refused_request_does_not_tell_its_texts() {
        let trouble = read::<Destroy>(&json!({"instance": Uuid::nil(), "destroy_disks": "abc123"}));
        let message = trouble.unwrap_err().message;
        assert!(
            message.contains("boolean") && !message.contains("abc123"),
            "{message}"
        );
    }

    #[test]
    fn a_config_drive_is_never_printed() {
        let spawn: Spawn = read(&json!({
            "instance": Uuid::nil(), "name": "web", "power_on": true,
            "flavor": {"vcpus": 1, "memory_mb": 1024, "root_gb": 1},
            "config_drive": {"openstack/latest/meta_data.json": STANDARD.encode("{\"admin_pass\": \"abc123\"}")},
        }))
        .unwrap();
        let request = spawn.request(None).unwrap();
        let printed = format!("{:?}", request.config_drive);
        assert!(printed.contains("1 files"), "{printed}");
    }
}
