//! What a logical port may have of its physical port. The codes are those of an HMC's command line, which puts
//! `HSCL127D` before the reason (`docs/protocol/network.md`).

use uuid::Uuid;

use super::{Percent, SriovPort};
use crate::model::names::{SriovMode, SriovState};
use crate::model::refusal::Refusal;
use crate::model::world::World;

/// What is asked of a physical port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) adapter: u16,
    pub(super) port: u16,
    pub(super) configuration: u16,
    /// The least share; none for the least that there is.
    pub(super) capacity: Option<Percent>,
    pub(super) maximum: Option<Percent>,
    pub(super) promiscuous: bool,
}

fn refused(reason: &str) -> Refusal {
    Refusal::logic(format!(
        "HSCL127D The SR-IOV logical port operation failed. {reason}"
    ))
}

impl World {
    /// The share that a new logical port gets, or a present one (`except`) after a change: its least and its greatest
    /// capacity.
    pub(super) fn check_share(
        &self,
        system: Uuid,
        share: Share,
        except: Option<Uuid>,
    ) -> Result<(Percent, Percent), Refusal> {
        let port = self.running_port(system, share)?;
        let capacity = share.capacity.unwrap_or(port.granularity);
        let maximum = share.maximum.unwrap_or(Percent::WHOLE);
        let (adapter, configuration) = (share.adapter, share.configuration);
        if capacity < Percent::ONE || capacity > Percent::WHOLE {
            return Err(refused(&format!(
                "HSCL1295 The capacity specified for the logical port with configuration ID {configuration} is {capacity}. It must be between 1.0 and 100.0."
            )));
        }
        if !capacity.is_multiple_of(port.granularity) {
            return Err(refused(&format!(
                "HSCL1294 The capacity specified for the logical port with configuration ID {configuration} is {capacity}. This is not a multiple of the capacity granularity of the physical port, which is {}.",
                port.granularity
            )));
        }
        if maximum > Percent::WHOLE || maximum < capacity {
            return Err(refused(&format!(
                "HSCL1295 The maximum capacity specified for the logical port with configuration ID {configuration} is {maximum}. It must be between its capacity {capacity} and 100.0."
            )));
        }
        let others = || {
            let on = self.logical_ports_on(system, adapter, share.port);
            on.filter(|(_, logical)| Some(logical.uuid) != except)
        };
        let allocated: Percent = others().map(|(_, logical)| logical.capacity).sum();
        if allocated.plus(capacity) > Percent::WHOLE {
            return Err(refused(&format!(
                "HSCL1293 The total capacity of the logical ports of physical port {} of adapter {adapter} would exceed 100.0: {allocated} is in use and {capacity} was specified.",
                share.port
            )));
        }
        let promiscuous = others().filter(|(_, logical)| logical.promiscuous).count();
        if share.promiscuous && promiscuous > 0 {
            return Err(refused(&format!(
                "HSCL1257 The physical port {} of adapter {adapter} has its maximum of 1 promiscuous logical ports.",
                share.port
            )));
        }
        if except.is_none() && others().count() >= usize::from(port.settings.maximum_ports) {
            return Err(refused(&format!(
                "The physical port {} of adapter {adapter} has its maximum of {} logical ports.",
                share.port, port.settings.maximum_ports
            )));
        }
        Ok((capacity, maximum))
    }

    /// The physical port, if its adapter is shared and runs.
    fn running_port(&self, system: Uuid, share: Share) -> Result<&SriovPort, Refusal> {
        let there = self
            .systems
            .get(&system)
            .ok_or_else(|| Refusal::not_found("ManagedSystem", system))?;
        let adapter = there.sriov_adapter(share.adapter).ok_or_else(|| {
            refused(&format!(
                "There is no SR-IOV adapter with the ID {} in shared mode.",
                share.adapter
            ))
        })?;
        if adapter.mode != SriovMode::Sriov || adapter.state != SriovState::Running {
            return Err(refused(&format!(
                "SR-IOV adapter {} is {}.",
                share.adapter, adapter.state
            )));
        }
        there.sriov_port(share.adapter, share.port).ok_or_else(|| {
            refused(&format!(
                "SR-IOV adapter {} has no physical port {}.",
                share.adapter, share.port
            ))
        })
    }

    /// The first of an adapter's logical ports that nobody has.
    pub(super) fn free_logical_port(&self, system: Uuid, adapter: u16) -> Result<u16, Refusal> {
        let free = self.unconfigured_ports(system, adapter);
        free.first().copied().ok_or_else(|| {
            refused(&format!(
                "SR-IOV adapter {adapter} has no logical port left."
            ))
        })
    }
}

/// A VLAN, or 0 for none.
pub(super) fn check_vlan(vlan: u16) -> Result<(), Refusal> {
    if vlan == 0 || (2..=4094).contains(&vlan) {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "The port VLAN ID {vlan} is not valid: it is 0, or 2 to 4094."
    )))
}

/// A priority of IEEE 802.1Q.
pub(super) fn check_priority(priority: u8) -> Result<(), Refusal> {
    if priority <= 7 {
        return Ok(());
    }
    Err(Refusal::logic(format!(
        "The priority {priority} is not valid: priorities run from 0 to 7."
    )))
}

/// `ALL`, `NONE` or VLANs between blanks or commas; at most 20.
pub(super) fn allowed_vlans(text: Option<&str>) -> Result<String, Refusal> {
    allowed(text, "VLAN IDs", 20, |part| {
        part.parse::<u16>()
            .ok()
            .filter(|vlan| (1..=4094).contains(vlan))
            .map(|vlan| vlan.to_string())
    })
}

/// `ALL`, `NONE` or addresses between blanks or commas; at most 4.
pub(super) fn allowed_macs(text: Option<&str>) -> Result<String, Refusal> {
    allowed(text, "MAC addresses", 4, |part| {
        let digits: String = part.chars().filter(|c| *c != ':').collect();
        let valid = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| digits.to_uppercase())
    })
}

fn allowed(
    text: Option<&str>,
    what: &str,
    most: usize,
    read: impl Fn(&str) -> Option<String>,
) -> Result<String, Refusal> {
    let text = text
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .unwrap_or("ALL");
    for word in ["ALL", "NONE"] {
        if text.eq_ignore_ascii_case(word) {
            return Ok(word.to_owned());
        }
    }
    let parts: Vec<&str> = text
        .split([' ', ',', '\n', '\t'])
        .filter(|part| !part.is_empty())
        .take(most + 1)
        .collect();
    if parts.len() > most {
        return Err(Refusal::logic(format!(
            "A list of allowed {what} takes at most {most}."
        )));
    }
    let read: Option<Vec<String>> = parts.iter().map(|part| read(part)).collect();
    read.map(|list| list.join(" "))
        .ok_or_else(|| Refusal::logic(format!("Allowed {what} are ALL, NONE or a list of them.")))
}
