//! Options of volumes: `fc_attach_strategy`, the fabrics, iSCSI and Ceph.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

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

impl<'de> Deserialize<'de> for FcStrategy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// The options of the `[powervm]` group that concern volumes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    #[serde(deserialize_with = "names")]
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

/// Keys of [`VolumeOptions`] in the `[powervm]` group.
const KEYS: [&str; 8] = [
    "host",
    "fc_attach_strategy",
    "vscsi_vios_connections_required",
    "volume_use_multipath",
    "iscsi_iface",
    "rbd_user",
    "ports_per_fabric",
    "fabrics",
];

impl VolumeOptions {
    /// Takes the options out of the group, so that the rest can be read by itself.
    pub(super) fn take_from(group: &mut toml::Table) -> Result<Self, String> {
        let mut own = toml::Table::new();
        let mut ports = BTreeMap::new();
        for (key, value) in std::mem::take(group) {
            let fabric = key
                .strip_prefix("fabric_")
                .and_then(|rest| rest.strip_suffix("_port_wwpns"));
            if let Some(fabric) = fabric {
                let wrong = |why: String| format!("{key}: {why}");
                let list =
                    split(&value).ok_or_else(|| wrong("it is no text of port names".to_owned()))?;
                let names = list.iter().map(|name| name.parse::<Wwpn>());
                let names = names.collect::<Result<Vec<_>, _>>();
                ports.insert(
                    fabric.to_owned(),
                    names.map_err(|error| wrong(error.to_string()))?,
                );
            } else if KEYS.contains(&key.as_str()) {
                own.insert(key, value);
            } else {
                group.insert(key, value);
            }
        }
        let options: Self = own
            .try_into()
            .map_err(|error: toml::de::Error| error.to_string())?;
        Ok(Self {
            fabric_ports: ports,
            ..options
        })
    }

    /// The first option that is out of its range.
    pub(super) fn wrong(&self) -> Option<String> {
        if self.vscsi_vios_connections_required == 0 {
            return Some("vscsi_vios_connections_required has to be 1 or more".to_owned());
        }
        if !(1..=8).contains(&self.ports_per_fabric) {
            return Some("ports_per_fabric has to be 1 to 8".to_owned());
        }
        let known = |name: &String| self.fabrics.contains(name);
        if let Some(name) = self.fabric_ports.keys().find(|name| !known(name)) {
            return Some(format!(
                "fabric_{name}_port_wwpns names a fabric that is not among fabrics"
            ));
        }
        let has_ports = |name: &&String| {
            self.fabric_ports
                .get(*name)
                .is_some_and(|ports| !ports.is_empty())
        };
        if self.fc_attach_strategy == FcStrategy::Npiv
            && let Some(name) = self.fabrics.iter().find(|name| !has_ports(name))
        {
            return Some(format!(
                "fc_attach_strategy npiv needs fabric_{name}_port_wwpns"
            ));
        }
        None
    }

    /// The fabrics with the ports on them; none unless servers have ports of their own.
    pub fn npiv_fabrics(&self) -> impl Iterator<Item = (&str, &[Wwpn])> {
        let is_npiv = self.fc_attach_strategy == FcStrategy::Npiv;
        let fabrics = self.fabrics.iter().filter(move |_| is_npiv);
        fabrics.filter_map(|name| Some((name.as_str(), self.fabric_ports.get(name)?.as_slice())))
    }
}

/// Texts separated by commas, or a list of them.
fn split(value: &toml::Value) -> Option<Vec<String>> {
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

fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let value = toml::Value::deserialize(deserializer)?;
    let names = split(&value).ok_or_else(|| de::Error::custom("fabrics is a text of names"))?;
    let is_name = |name: &String| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    if names.is_empty() || !names.iter().all(is_name) {
        return Err(de::Error::custom(
            "fabrics has names of letters, digits, '-' and '_'",
        ));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(VolumeOptions, toml::Table), String> {
        let mut group: toml::Table = text.parse().unwrap();
        let options = VolumeOptions::take_from(&mut group)?;
        match options.wrong() {
            Some(wrong) => Err(wrong),
            None => Ok((options, group)),
        }
    }

    #[test]
    fn fabrics_have_their_ports_with_and_without_colons() {
        let (options, rest) = read(
            "fc_attach_strategy = \"NPIV\"\nfabrics = \"A, B\"\nother = 1\n\
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
        assert_eq!(rest.keys().collect::<Vec<_>>(), ["other"]);
    }

    #[test]
    fn without_npiv_there_are_no_fabrics() {
        let (options, _) = read("").unwrap();
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
