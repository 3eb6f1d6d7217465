//! The storage area network: fabrics, target ports, volumes.

use imbl::OrdMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

use super::InventoryError;
use crate::model::ids::Ids;
use crate::model::san::{Access, Fabric, FibreChannelAccess, Hosts, San, SanVolume, Target};

/// The target port at which the disks of Virtual I/O Servers show that an inventory names (recording
/// `fake_vios_ssp_npiv` has this port).
pub(super) const OWN_TARGET: u64 = 0x5005_0768_0300_104A;

/// What is behind the Fibre Channel and iSCSI ports. Every port of a Virtual I/O Server is plugged into a fabric, `fcs0` into
/// the first, `fcs1` into the second and so on in turn.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SanInventory {
    /// The names of the fabrics.
    pub fabrics: Vec<String>,
    /// Whether ports see each other only if they are zoned; what is made through the admin API is zoned by it.
    pub zoned: bool,
    /// The port names of the storage, 16 hexadecimal digits each; every one is on every fabric.
    pub targets: Vec<String>,
    /// How many volumes show at the first target from the start, numbered from 1, to every initiator; nobody uses them.
    pub free_luns: u32,
    /// The size of each of them in gigabytes.
    pub free_lun_gb: u64,
    /// The portals of the iSCSI storage, each as `address:port`.
    pub iscsi_portals: Vec<String>,
}

impl Default for SanInventory {
    fn default() -> Self {
        Self {
            fabrics: vec!["A".to_owned(), "B".to_owned()],
            zoned: false,
            targets: vec!["500507680282861D".to_owned()],
            free_luns: 32,
            free_lun_gb: 10,
            iscsi_portals: vec!["192.0.2.40:3260".to_owned(), "192.0.2.41:3260".to_owned()],
        }
    }
}

impl SanInventory {
    pub(super) fn build(&self) -> Result<San, InventoryError> {
        let inconsistent = |text: String| InventoryError::Inconsistent(text);
        if self.free_luns > 16_383 {
            return Err(inconsistent(
                "a target shows at most 16383 volumes".to_owned(),
            ));
        }
        let fabrics: Vec<Fabric> = self
            .fabrics
            .iter()
            .map(|name| Fabric {
                name: name.clone(),
                zoned: self.zoned,
                zones: BTreeSet::new(),
            })
            .collect();
        let everywhere: BTreeSet<usize> = (0..fabrics.len()).collect();
        let mut targets = OrdMap::new();
        for text in &self.targets {
            let wwpn = u64::from_str_radix(&text.replace(':', ""), 16).map_err(|_| {
                inconsistent(format!("{text} is no port name of 16 hexadecimal digits"))
            })?;
            let target = Target {
                fabrics: everywhere.clone(),
                serves_new: true,
            };
            if targets.insert(wwpn, target).is_some() {
                return Err(inconsistent(format!(
                    "the target port {text} is listed twice"
                )));
            }
        }
        let first = targets.get_min().map(|(wwpn, _)| *wwpn);
        targets.entry(OWN_TARGET).or_insert(Target {
            fabrics: everywhere,
            serves_new: false,
        });
        let mut san = San {
            fabrics,
            targets,
            portals: self.iscsi_portals.clone(),
            ..San::default()
        };
        if let Some(target) = first {
            for lun in 1..=self.free_luns {
                let naa = san.next_naa();
                let name = format!("free{lun}");
                show(&mut san, &name, naa, self.free_lun_gb, (target, lun));
            }
        }
        Ok(san)
    }
}

/// The volume of this name and its number at the target for disks that an inventory names; made at its first mention.
pub(super) fn volume_of(
    san: &mut San,
    name: &str,
    gb: u64,
    ids: &mut Ids,
) -> (Arc<SanVolume>, u32) {
    let own = |((target, lun), uuid): (&(u64, u32), &Uuid)| {
        (*target == OWN_TARGET).then_some((*lun, *uuid))
    };
    let there = san.luns.iter().filter_map(own);
    let (mut last, mut found) = (0, None);
    for (lun, uuid) in there {
        last = last.max(lun);
        if uuid == uuid_of(name) {
            found = san
                .volumes
                .get(&uuid)
                .map(|volume| (Arc::clone(volume), lun));
        }
    }
    found.unwrap_or_else(|| {
        let naa = format!("60050768{}", ids.hex(24).to_uppercase());
        (show(san, name, naa, gb, (OWN_TARGET, last + 1)), last + 1)
    })
}

fn uuid_of(name: &str) -> Uuid {
    Uuid::new_v3(&Uuid::NAMESPACE_OID, name.as_bytes())
}

fn show(
    san: &mut San,
    name: &str,
    naa: String,
    gb: u64,
    (target, lun): (u64, u32),
) -> Arc<SanVolume> {
    let volume = Arc::new(SanVolume {
        uuid: uuid_of(name),
        name: name.to_owned(),
        megabytes: gb.saturating_mul(1024),
        naa: Some(naa),
        access: Access::FibreChannel(FibreChannelAccess {
            lun: Some(lun),
            targets: BTreeSet::from([target]),
            hosts: Hosts::Everyone,
        }),
        content: None,
    });
    san.luns.insert((target, lun), volume.uuid);
    san.volumes.insert(volume.uuid, Arc::clone(&volume));
    volume
}
