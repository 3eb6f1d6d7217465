//! The config drive: what a guest is told about itself, as OpenStack's metadata format has it.
//!
//! Format: <https://docs.openstack.org/nova/latest/user/metadata.html>. The guest finds it by the
//! volume label `config-2`.

mod prepared;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::iso;
use crate::error::{Error, ErrorKind};
use crate::network::{FixedAddress, Mac, NetworkInterface};
use crate::partition::PartitionUuid;

/// The label by which cloud-init finds a config drive.
pub const LABEL: &str = "config-2";

/// What the user wants the guest to be told, beside its identity and its network.
#[derive(Debug, Clone, Default)]
pub struct ConfigDrive {
    /// Host name; without one, the server's name.
    pub hostname: Option<String>,
    /// SSH public keys by their names.
    pub public_keys: BTreeMap<String, String>,
    /// A script or cloud-config, as the user wrote it.
    pub user_data: Option<Vec<u8>>,
    /// What the cloud's operator adds.
    pub vendor_data: Option<Value>,
    /// Key and value pairs of the user's.
    pub metadata: BTreeMap<String, String>,
    /// Password of the guest's administrator.
    pub admin_password: Option<SecretString>,
    /// Files to appear in the guest, by their absolute paths.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Availability zone.
    pub availability_zone: Option<String>,
    /// Project that the server belongs to.
    pub project: Option<String>,
    /// The files themselves by their paths, as OpenStack has written them. Where they are given, nothing of the above
    /// counts; the partition's UUID and the management interface are written into them.
    pub prepared: Option<PreparedFiles>,
    /// Date of the files, in seconds after the Unix epoch. The same content and date give the same
    /// image, byte for byte.
    pub dated: i64,
}

/// Files of a config drive by their paths. They may hold a password, so none of them is ever printed.
#[derive(Clone, Default)]
pub struct PreparedFiles(pub BTreeMap<String, Vec<u8>>);

impl fmt::Debug for PreparedFiles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} files", self.0.len())
    }
}

/// An interface as it will be, its address known.
#[derive(Debug, Clone)]
pub struct PluggedInterface {
    /// What was asked for.
    pub interface: NetworkInterface,
    /// The address that it has.
    pub mac: Mac,
}

/// Whom a config drive is for.
#[derive(Debug, Clone)]
pub struct Subject<'a> {
    /// The partition, whose UUID the guest is told.
    pub partition: PartitionUuid,
    /// The server's name.
    pub name: &'a str,
    /// Its interfaces in their order.
    pub interfaces: &'a [PluggedInterface],
    /// Address of the management interface, when it has one and the guest is to use its link-local
    /// address.
    pub management: Option<Mac>,
}

impl ConfigDrive {
    /// The ISO image for this subject.
    ///
    /// # Errors
    /// Contents too large for an image.
    pub fn image(&self, subject: &Subject<'_>) -> Result<Vec<u8>, Error> {
        iso::write(LABEL, &self.files_of(subject)?, self.dated)
    }

    fn files_of(&self, subject: &Subject<'_>) -> Result<iso::Files, Error> {
        if let Some(prepared) = &self.prepared {
            return prepared::complete(&prepared.0, subject);
        }
        let mut files = iso::Files::new();
        let mut contents = Vec::new();
        for (number, (path, content)) in self.files.iter().enumerate() {
            let stored = format!("content/{number:04}");
            files.insert(format!("openstack/{stored}"), content.clone());
            contents.push(json!({"path": path, "content_path": format!("/{stored}")}));
        }
        files.insert(
            latest("meta_data.json"),
            text(&self.metadata_of(subject, contents))?,
        );
        files.insert(latest("network_data.json"), text(&network_data(subject))?);
        files.insert(
            latest("vendor_data.json"),
            text(self.vendor_data.as_ref().unwrap_or(&json!({})))?,
        );
        if let Some(user_data) = &self.user_data {
            files.insert(latest("user_data"), user_data.clone());
        }
        Ok(files)
    }

    fn metadata_of(&self, subject: &Subject<'_>, contents: Vec<Value>) -> Value {
        let hostname = self.hostname.as_deref().unwrap_or(subject.name);
        let mut metadata = Map::new();
        let mut put = |key: &str, value: Value| {
            metadata.insert(key.to_owned(), value);
        };
        put("uuid", json!(subject.partition.as_uuid().to_string()));
        put("name", json!(subject.name));
        put("hostname", json!(hostname));
        put("launch_index", json!(0));
        put("availability_zone", json!(self.availability_zone));
        put("project_id", json!(self.project));
        put("devices", json!([]));
        if let Some(password) = &self.admin_password {
            put("admin_pass", json!(password.expose_secret()));
        }
        if !self.public_keys.is_empty() {
            put("public_keys", json!(self.public_keys));
            let keys = self.public_keys.iter();
            put(
                "keys",
                keys.map(|(name, data)| json!({"name": name, "type": "ssh", "data": data}))
                    .collect(),
            );
        }
        if !self.metadata.is_empty() {
            put("meta", json!(self.metadata));
        }
        if !contents.is_empty() {
            put("files", json!(contents));
        }
        Value::Object(metadata)
    }
}

fn latest(file: &str) -> String {
    format!("openstack/latest/{file}")
}

fn text(value: &Value) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| {
        Error::caused(
            ErrorKind::Internal,
            "the metadata could not be written",
            "report it",
            error,
        )
    })
}

/// Links, networks and name servers.
fn network_data(subject: &Subject<'_>) -> Value {
    let (mut links, mut networks, mut services) = (Vec::new(), Vec::new(), Vec::new());
    for (number, plugged) in subject.interfaces.iter().enumerate() {
        let interface = &plugged.interface;
        let link = format!("interface{number}");
        links.push(json!({
            "id": link,
            "vif_id": interface.id.clone().unwrap_or_else(|| link.clone()),
            "type": "vif",
            "mtu": interface.mtu,
            "ethernet_mac_address": plugged.mac.to_string(),
        }));
        let network_id = interface
            .network
            .clone()
            .unwrap_or_else(|| format!("vlan{}", interface.vlan));
        if interface.addresses.is_empty() {
            let id = format!("network{}", networks.len());
            networks.push(
                json!({"id": id, "type": "ipv4_dhcp", "link": link, "network_id": network_id}),
            );
        }
        for address in &interface.addresses {
            networks.push(fixed(networks.len(), &link, &network_id, address));
            for server in &address.name_servers {
                let service = json!({"type": "dns", "address": server});
                if !services.contains(&service) {
                    services.push(service);
                }
            }
        }
    }
    if let Some(mac) = subject.management {
        let (link, network) = management(mac, networks.len());
        links.push(link);
        networks.push(network);
    }
    json!({"links": links, "networks": networks, "services": services})
}

/// Link and network of the management interface, the network having this number.
fn management(mac: Mac, number: usize) -> (Value, Value) {
    let address = FixedAddress {
        address: IpAddr::V6(mac.link_local()),
        prefix: 64,
        gateway: None,
        name_servers: Vec::new(),
    };
    let link = json!({
        "id": "mgmt_vif",
        "vif_id": "mgmt_vif",
        "type": "vif",
        "mtu": null,
        "ethernet_mac_address": mac.to_string(),
    });
    (link, fixed(number, "mgmt_vif", "mgmt", &address))
}

fn fixed(number: usize, link: &str, network_id: &str, fixed: &FixedAddress) -> Value {
    let (kind, any, netmask) = match fixed.address {
        IpAddr::V4(_) => ("ipv4", "0.0.0.0", mask_v4(fixed.prefix)),
        IpAddr::V6(_) => ("ipv6", "::", mask_v6(fixed.prefix)),
    };
    let routes: Vec<Value> = fixed
        .gateway
        .iter()
        .map(|gateway| json!({"network": any, "netmask": any, "gateway": gateway}))
        .collect();
    json!({
        "id": format!("network{number}"),
        "type": kind,
        "link": link,
        "ip_address": fixed.address,
        "netmask": netmask,
        "routes": routes,
        "network_id": network_id,
        "services": fixed.name_servers.iter().map(|server| json!({"type": "dns", "address": server})).collect::<Vec<_>>(),
    })
}

fn mask_v4(prefix: u8) -> String {
    let bits = u32::MAX
        .checked_shl(32 - u32::from(prefix.min(32)))
        .unwrap_or(0);
    std::net::Ipv4Addr::from(bits).to_string()
}

fn mask_v6(prefix: u8) -> String {
    let bits = u128::MAX
        .checked_shl(128 - u32::from(prefix.min(128)))
        .unwrap_or(0);
    std::net::Ipv6Addr::from(bits).to_string()
}
