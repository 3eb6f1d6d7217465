//! What a Cinder driver answers to `initialize_connection`: where a host finds a volume.

use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::stored::ConnectionInfo;
use crate::model::World;
use crate::model::command::Connector;
use crate::model::san::{Access, Chap, FibreChannelAccess, IscsiAccess, SanVolume};

/// The most ports of one host.
const PORTS: usize = 1024;

/// A host as Nova describes it to Cinder. Keys that say nothing about storage are ignored.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = true))]
pub(super) struct Host {
    /// Port names of 16 hexadecimal digits, with or without colons.
    #[serde(default)]
    pub(super) wwpns: Vec<String>,
    /// The name of its iSCSI initiator.
    #[serde(default)]
    pub(super) initiator: Option<String>,
    /// Whether it wants all ways to an iSCSI volume.
    #[serde(default)]
    pub(super) multipath: bool,
}

impl Host {
    /// The host as the model knows it.
    ///
    /// # Errors
    /// What is no port name or no initiator name.
    pub(super) fn connector(&self, chap: bool) -> Result<Connector, String> {
        if self.wwpns.len() > PORTS {
            return Err(format!("a connector has at most {PORTS} wwpns"));
        }
        let wwpns = self.wwpns.iter().map(|text| wwpn(text));
        let named = |name: &&String| {
            let good = |c: char| c.is_ascii_alphanumeric() || ".:-".contains(c);
            !name.is_empty() && name.len() <= 223 && name.chars().all(good)
        };
        if self.initiator.as_ref().is_some_and(|name| !named(&name)) {
            return Err("the initiator is no iSCSI name".to_owned());
        }
        Ok(Connector {
            wwpns: wwpns.collect::<Result<_, String>>()?,
            initiator: self.initiator.clone(),
            chap,
        })
    }
}

fn wwpn(text: &str) -> Result<u64, String> {
    let digits = text.replace(':', "");
    let number = u64::from_str_radix(&digits, 16)
        .ok()
        .filter(|_| digits.len() == 16);
    number.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        format!("{shown} is no port name of 16 hexadecimal digits")
    })
}

/// `connection_info` of a volume for a host that it is mapped to.
pub(super) fn info(world: &World, volume: &SanVolume, host: &Host) -> ConnectionInfo {
    let (kind, data) = match &volume.access {
        Access::FibreChannel(access) => {
            ("fibre_channel", fibre_channel(world, volume, access, host))
        }
        Access::Iscsi(access) => ("iscsi", iscsi(world, access, host)),
        Access::File(path) => ("nfs", file(path)),
        Access::Rbd(name) => (
            "rbd",
            json!({ "name": name, "hosts": [], "ports": [], "auth_enabled": true, "auth_username": "cinder" }),
        ),
    };
    let common = json!({
        "volume_id": volume.uuid,
        "access_mode": "rw",
        "encrypted": false,
        "qos_specs": null,
        "discard": false,
    });
    let mut all = Map::new();
    for part in [data, common] {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    ConnectionInfo {
        driver_volume_type: kind,
        serial: volume.uuid,
        data: all,
    }
}

/// Each of the host's ports with the storage's ports on its fabric; a port that is on no fabric yet, such as that of an NPIV
/// client to be, with all of them.
fn fibre_channel(
    world: &World,
    volume: &SanVolume,
    access: &FibreChannelAccess,
    host: &Host,
) -> Value {
    let text = |target: &u64| format!("{target:016x}");
    let mut map = Map::new();
    for name in &host.wwpns {
        let Ok(port) = wwpn(name) else {
            continue;
        };
        let fabric = world.fabric_of(port);
        let reached = access.targets.iter().filter(|target| {
            let on = world.san.targets.get(*target).map(|target| &target.fabrics);
            fabric.is_none_or(|fabric| on.is_some_and(|on| on.contains(&fabric)))
        });
        map.insert(name.clone(), reached.map(text).collect());
    }
    json!({
        "target_discovered": false,
        "target_lun": access.lun,
        "target_wwn": access.targets.iter().map(text).collect::<Vec<_>>(),
        "initiator_target_map": map,
        "pg83NAA": volume.naa,
    })
}

fn iscsi(world: &World, access: &IscsiAccess, host: &Host) -> Value {
    let portals = &world.san.portals;
    let mut data = json!({
        "target_discovered": false,
        "target_iqn": access.iqn,
        "target_portal": portals.first(),
        "target_lun": access.lun,
    });
    let chap = host
        .initiator
        .as_ref()
        .and_then(|name| access.initiators.get(name))
        .and_then(Option::as_ref);
    if let Value::Object(data) = &mut data {
        if host.multipath {
            data.insert(
                "target_iqns".to_owned(),
                portals.iter().map(|_| access.iqn.clone()).collect(),
            );
            data.insert(
                "target_portals".to_owned(),
                portals.iter().cloned().collect(),
            );
            data.insert(
                "target_luns".to_owned(),
                portals.iter().map(|_| access.lun).collect(),
            );
        }
        for (prefix, chap) in chap
            .into_iter()
            .flat_map(|chap| [("auth", chap), ("discovery_auth", chap)])
        {
            credentials(data, prefix, chap);
        }
    }
    data
}

fn credentials(data: &mut Map<String, Value>, prefix: &str, chap: &Chap) {
    let mut say = |what: &str, value: &str| data.insert(format!("{prefix}_{what}"), value.into());
    say("method", "CHAP");
    say("username", &chap.user);
    say("password", chap.password.expose_secret());
}

/// Drivers join export and name, or take the path as a whole.
fn file(path: &str) -> Value {
    let (export, name) = path.rsplit_once('/').unwrap_or(("", path));
    json!({ "export": export, "name": name, "device_path": path, "options": null })
}
