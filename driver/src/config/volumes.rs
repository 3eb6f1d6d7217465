//! Options of volumes: `fc_attach_strategy`, the fabrics, iSCSI and Ceph.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Problem;
use crate::volume::Wwpn;

/// How servers reach Fibre Channel volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FcStrategy {
    /// Virtual I/O Servers serve them as disks.
    #[default]
    Vscsi,
    /// The servers have ports of their own.
    Npiv,
}

impl FromStr for FcStrategy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "vscsi" => Ok(Self::Vscsi),
            "npiv" => Ok(Self::Npiv),
            _ => Err(format!("fc_attach_strategy is vscsi or npiv, not '{text}'")),
        }
    }
}

impl fmt::Display for FcStrategy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Vscsi => "vscsi",
            Self::Npiv => "npiv",
        })
    }
}

impl Serialize for FcStrategy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FcStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The options of the `[powervm]` group that concern volumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VolumeOptions {
    /// The name under which storage keeps this host's ports; empty is the system's name.
    pub host: String,
    /// How servers reach Fibre Channel volumes.
    pub fc_attach_strategy: FcStrategy,
    /// How many Virtual I/O Servers have to see a Fibre Channel volume at least, 1 and more.
    pub vscsi_vios_connections_required: u32,
    /// Whether all ways to a volume are wanted.
    pub volume_use_multipath: bool,
    /// The interface that iSCSI discovery goes through.
    pub iscsi_iface: String,
    /// The user that Ceph images are opened as; empty is the server's own choice.
    pub rbd_user: String,
    /// Virtual ports that a server has on each fabric, 1 to 8.
    pub ports_per_fabric: u32,
    /// Names of the fabrics, separated by commas.
    #[serde(serialize_with = "joined", deserialize_with = "names")]
    pub fabrics: Vec<String>,
    /// The Virtual I/O Servers' ports on each fabric: `fabric_<name>_port_wwpns`.
    #[serde(skip)]
    pub fabric_ports: BTreeMap<String, Vec<Wwpn>>,
}

impl Default for VolumeOptions {
    fn default() -> Self {
        Self {
            host: String::new(),
            fc_attach_strategy: FcStrategy::Vscsi,
            vscsi_vios_connections_required: 1,
            volume_use_multipath: false,
            iscsi_iface: "default".to_owned(),
            rbd_user: String::new(),
            ports_per_fabric: 1,
            fabrics: vec!["A".to_owned()],
            fabric_ports: BTreeMap::new(),
        }
    }
}

/// The fabric whose ports a key names: `A` for `fabric_A_port_wwpns`.
pub(super) fn fabric_of(key: &str) -> Option<&str> {
    key.strip_prefix("fabric_")?.strip_suffix("_port_wwpns")
}

/// The key that names the ports of a fabric.
pub(super) fn key_of(fabric: &str) -> String {
    format!("fabric_{fabric}_port_wwpns")
}

impl VolumeOptions {
    /// What contradicts what.
    pub(super) fn contradictions(&self) -> Vec<Problem> {
        let strays = self
            .fabric_ports
            .keys()
            .filter(|name| !self.fabrics.contains(name));
        let mut problems: Vec<Problem> = strays
            .map(|name| Problem::of(key_of(name), "names a fabric that is not among fabrics"))
            .collect();
        let is_empty = |name: &&String| self.fabric_ports.get(*name).is_none_or(Vec::is_empty);
        if self.fc_attach_strategy == FcStrategy::Npiv {
            let empty = self.fabrics.iter().filter(is_empty);
            problems.extend(empty.map(|name| {
                let key = key_of(name);
                let what = format!("npiv needs the ports of fabric {name}: {key}");
                Problem::of("fc_attach_strategy", what)
            }));
        }
        problems
    }

    /// The fabrics with the ports on them; none unless servers have ports of their own.
    pub fn npiv_fabrics(&self) -> impl Iterator<Item = (&str, &[Wwpn])> {
        let is_npiv = self.fc_attach_strategy == FcStrategy::Npiv;
        let fabrics = self.fabrics.iter().filter(move |_| is_npiv);
        fabrics.filter_map(|name| Some((name.as_str(), self.fabric_ports.get(name)?.as_slice())))
    }
}

/// Texts separated by commas, or a list of them.
pub(super) fn split(value: &toml::Value) -> Option<Vec<String>> {
    let texts = match value {
        toml::Value::String(text) => text.split(',').map(str::to_owned).collect(),
        toml::Value::Array(list) => list
            .iter()
            .map(|text| text.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()?,
        _ => return None,
    };
    let texts = texts.iter().map(|text| text.trim().to_owned());
    Some(texts.filter(|text| !text.is_empty()).collect())
}

/// The names of ports that a key has; `None` where one of them is none.
pub(super) fn ports(value: &toml::Value) -> Option<Vec<Wwpn>> {
    split(value)?.iter().map(|name| name.parse().ok()).collect()
}

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    split(&value).ok_or_else(|| de::Error::custom("fabrics is a text of names"))
}

fn joined<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(text: &str) -> Result<VolumeOptions, String> {
        let text = format!("[powervm]\nvolume_group_name = \"data\"\n{text}");
        let config = Config::parse(&text).map_err(|error| error.to_string())?;
        Ok(config.volumes)
    }

    #[test]
    fn fabrics_have_their_ports_with_and_without_colons() {
        let options = read(
            "fc_attach_strategy = \"NPIV\"\nfabrics = \"A, B\"\n\
             fabric_A_port_wwpns = \"10:00:00:90:FA:1B:6A:3C,10000090fa1b6a3d\"\n\
             fabric_B_port_wwpns = [\"10000090fa1b6a3e\"]\n",
        )
        .unwrap();
        let fabrics: Vec<_> = options
            .npiv_fabrics()
            .map(|(name, ports)| (name, ports.len()))
            .collect();
        assert_eq!(fabrics, [("A", 2), ("B", 1)]);
        assert_eq!(options.fabric_ports["A"][0].to_string(), "10000090fa1b6a3c");
    }

    #[test]
    fn without_npiv_there_are_no_fabrics() {
        let options = read("").unwrap();
        assert_eq!(options, VolumeOptions::default());
        assert_eq!(options.npiv_fabrics().count(), 0);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        for (text, part) in [
            ("fc_attach_strategy = \"fcoe\"", "fcoe"),
            ("fc_attach_strategy = \"npiv\"", "fabric_A_port_wwpns"),
            ("fabric_A_port_wwpns = \"12\"", "fabric_A_port_wwpns"),
            ("fabric_A_port_wwpns = 12", "fabric_A_port_wwpns"),
            (
                "fabric_Z_port_wwpns = \"10000090fa1b6a3d\"",
                "fabric_Z_port_wwpns",
            ),
            (
                "vscsi_vios_connections_required = 0",
                "vscsi_vios_connections_required",
            ),
            ("ports_per_fabric = 9", "ports_per_fabric"),
            ("fabrics = \"A B\"", "fabrics"),
        ] {
            let wrong = read(text).unwrap_err();
            assert!(wrong.contains(part), "{text}: {wrong}");
        }
    }
}
