//! Cinder's `connection_info`: where a host finds a volume.
//!
//! It is written by a storage driver, so it is read as something that may be wrong in any way: every
//! field has a type and a limit, and what is neither needed nor understood is left alone.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fields::{Fields, refused};
use super::wwpn::Wwpn;
use crate::error::Result;

/// The longest identifier of a volume.
const LONGEST_ID: usize = 255;

/// A volume, and how to reach it. Serialised, it has no credentials.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Connection {
    /// The volume's identifier: `serial`, and where that is missing `data.volume_id`.
    pub volume: String,
    /// Unique device identifier that the volume had when it was attached (`data.target_UDID`).
    pub target_udid: Option<String>,
    /// How it is reached.
    pub transport: Transport,
}

/// How a volume is reached: `driver_volume_type` and `data`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// `fibre_channel`
    FibreChannel(FibreChannel),
    /// `iscsi` and `iser`
    Iscsi(Iscsi),
    /// `nfs`, `gpfs` and `local`
    File(FileVolume),
    /// `rbd`
    Rbd(RbdVolume),
}

/// A volume behind Fibre Channel ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FibreChannel {
    /// The storage's ports that each port of the host reaches.
    pub targets: BTreeMap<Wwpn, BTreeSet<Wwpn>>,
    /// The volume's number there.
    pub lun: u64,
    /// Its NAA name, where the storage tells it.
    pub naa: Option<String>,
}

/// A volume behind iSCSI portals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Iscsi {
    /// The ways to it, one at least.
    pub ways: Vec<IscsiWay>,
    /// Credentials of the target.
    #[serde(skip)]
    pub chap: Option<Chap>,
    /// Credentials of the discovery.
    #[serde(skip)]
    pub discovery_chap: Option<Chap>,
    /// Whether it is iSER.
    pub is_iser: bool,
}

/// One way to an iSCSI volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IscsiWay {
    /// `address:port`
    pub portal: String,
    /// The target's name.
    pub iqn: String,
    /// The volume's number at the target.
    pub lun: u64,
}

/// Credentials.
#[derive(Debug, Clone)]
pub struct Chap {
    /// `CHAP`
    pub method: String,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: SecretString,
}

/// A file that serves as a volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVolume {
    /// Its path on the management partition.
    pub path: String,
}

/// A Ceph image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RbdVolume {
    /// `pool/image`
    pub name: String,
}

impl Connection {
    /// Reads `connection_info`; also the object that holds it as its only member.
    ///
    /// # Errors
    /// What is missing or wrong, by its name and never by its value.
    pub fn parse(info: &Value) -> Result<Self> {
        let info = info.get("connection_info").unwrap_or(info);
        let info = Fields::of("connection_info", info)?;
        let kind = info.required_text("driver_volume_type")?;
        let data = info.child("data")?;
        let volume = match info.text("serial")? {
            Some(serial) => serial,
            None => data.required_text("volume_id")?,
        };
        let is_identifier = (1..=LONGEST_ID).contains(&volume.len())
            && volume
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if !is_identifier {
            return Err(info.wrong("serial", "is no identifier of a volume"));
        }
        let transport = match kind {
            "fibre_channel" => Transport::FibreChannel(FibreChannel::read(&data)?),
            "iscsi" | "iser" => Transport::Iscsi(Iscsi::read(&data, kind == "iser")?),
            "local" | "gpfs" => {
                Transport::File(FileVolume::at(&data, data.required_text("device_path")?)?)
            }
            "nfs" => {
                let (export, name) = (data.required_text("export")?, data.required_text("name")?);
                Transport::File(FileVolume::at(&data, &format!("{export}/{name}"))?)
            }
            "rbd" => Transport::Rbd(RbdVolume::read(&data)?),
            _ => {
                let kind: String = kind.chars().take(40).collect();
                return Err(refused(format!(
                    "volumes of the type {kind} are not known; fibre_channel, iscsi, iser, nfs, gpfs, local and rbd are"
                )));
            }
        };
        Ok(Self {
            volume: volume.to_owned(),
            target_udid: data
                .text("target_UDID")?
                .filter(|udid| !udid.is_empty())
                .map(str::to_owned),
            transport,
        })
    }

    /// Reads the text of a file with `connection_info`, or a list of them.
    ///
    /// # Errors
    /// Text that is no JSON, and those of [`Self::parse`].
    pub fn parse_text(text: &str) -> Result<Vec<Self>> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            refused(format!(
                "it is no JSON (line {}, column {})",
                error.line(),
                error.column()
            ))
        })?;
        match value.as_array() {
            Some(list) => list.iter().map(Self::parse).collect(),
            None => Ok(vec![Self::parse(&value)?]),
        }
    }
}

impl FibreChannel {
    fn read(data: &Fields<'_>) -> Result<Self> {
        let lun = match data.number("target_lun")? {
            Some(lun) => lun,
            None => data
                .numbers("target_luns")?
                .first()
                .copied()
                .ok_or_else(|| data.wrong("target_lun", "is missing"))?,
        };
        let mut targets = BTreeMap::new();
        for (initiator, reached) in data.child("initiator_target_map")?.lists()? {
            let reached = reached.into_iter().map(|name| name_of(data, name));
            targets
                .entry(name_of(data, initiator)?)
                .or_insert_with(BTreeSet::new)
                .extend(reached.collect::<Result<Vec<_>>>()?);
        }
        let naa = data.text("pg83NAA")?.filter(|naa| !naa.is_empty());
        Ok(Self {
            targets,
            lun,
            naa: naa.map(str::to_owned),
        })
    }
}

fn name_of(data: &Fields<'_>, text: &str) -> Result<Wwpn> {
    text.parse().map_err(|_| {
        data.wrong(
            "initiator_target_map",
            "has names that are not of 16 hexadecimal digits",
        )
    })
}

impl Iscsi {
    /// The lists of all ways, which Cinder sends to hosts that want them, or the one way.
    fn read(data: &Fields<'_>, is_iser: bool) -> Result<Self> {
        let mut iqns = data.texts("target_iqns")?;
        let mut portals = data.texts("target_portals")?;
        let mut luns = data.numbers("target_luns")?;
        if iqns.is_empty() || portals.is_empty() {
            iqns = vec![data.required_text("target_iqn")?];
            portals = vec![data.required_text("target_portal")?];
            luns.clear();
        }
        if luns.is_empty() {
            let lun = data.number("target_lun")?;
            luns = vec![lun.ok_or_else(|| data.wrong("target_lun", "is missing"))?];
        }
        let count = iqns.len().max(portals.len());
        let fits = |length: usize| length == 1 || length == count;
        if !(fits(iqns.len()) && fits(portals.len()) && fits(luns.len())) {
            return Err(data.wrong(
                "target_portals",
                "does not go with target_iqns and target_luns",
            ));
        }
        let mut ways = Vec::new();
        for number in 0..count {
            let (Some(iqn), Some(portal), Some(lun)) = (
                nth(&iqns, number),
                nth(&portals, number),
                nth(&luns, number),
            ) else {
                continue;
            };
            // Both go into lists with brackets and commas.
            let plain = |text: &str| {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_graphic() && !b",\"'<>".contains(&byte))
            };
            if !plain(iqn) || iqn.contains(['[', ']']) || !plain(portal) {
                return Err(data.wrong(
                    "target_iqn",
                    "or its portal has characters that no target has",
                ));
            }
            ways.push(IscsiWay {
                portal: (*portal).to_owned(),
                iqn: (*iqn).to_owned(),
                lun: *lun,
            });
        }
        Ok(Self {
            ways,
            chap: Chap::read(data, "auth")?,
            discovery_chap: Chap::read(data, "discovery_auth")?,
            is_iser,
        })
    }
}

/// The value of this number; a single one stands for all.
fn nth<T>(values: &[T], number: usize) -> Option<&T> {
    values.get(number).or(values.first())
}

impl Chap {
    fn read(data: &Fields<'_>, prefix: &str) -> Result<Option<Self>> {
        let field = |what: &str| data.text(&format!("{prefix}_{what}"));
        let (method, user, password) = (field("method")?, field("username")?, field("password")?);
        match (user, password) {
            (Some(user), Some(password)) => Ok(Some(Self {
                method: method.unwrap_or("CHAP").to_owned(),
                user: user.to_owned(),
                password: SecretString::from(password),
            })),
            (None, None) => Ok(None),
            _ => Err(data.wrong(
                &format!("{prefix}_username"),
                "and its password go together",
            )),
        }
    }
}

impl FileVolume {
    fn at(data: &Fields<'_>, path: &str) -> Result<Self> {
        let is_straight = path.starts_with('/') && !path.split('/').any(|part| part == "..");
        if !is_straight {
            return Err(data.wrong("device_path", "is no absolute path without '..'"));
        }
        Ok(Self {
            path: path.to_owned(),
        })
    }
}

impl RbdVolume {
    fn read(data: &Fields<'_>) -> Result<Self> {
        let name = data.required_text("name")?;
        let parts: Vec<&str> = name.split('/').collect();
        if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
            return Err(data.wrong("name", "is not of the form pool/image"));
        }
        Ok(Self {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
