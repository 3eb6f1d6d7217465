//! The job that shares an SR-IOV adapter, or gives it back.

use super::Job;
use super::lifecycle::End;
use crate::clock::Millis;
use crate::model::names::SriovMode;
use crate::model::system::ManagedSystem;
use crate::model::world::World;

impl World {
    /// Job `ModifySRIOVAdapterMode` of a managed system: `adapterId` is the index of the adapter's slot, `operation` is
    /// `add` to share it and `remove` to give it back (`docs/protocol/network.md`).
    pub(super) fn modify_sriov_mode(&mut self, now: Millis, job: &Job) -> End {
        let Some(system) = job.target.uuid().and_then(|uuid| self.system(uuid).ok()) else {
            return End::Failed("The managed system was not found.".to_owned());
        };
        let mode = match job.parameter("operation").map(str::trim) {
            Some("add") => SriovMode::Sriov,
            Some("remove") => SriovMode::Dedicated,
            _ => {
                return End::Exception("The parameter operation must be add or remove.".to_owned());
            }
        };
        let name = job.parameter("adapterId").unwrap_or_default().trim();
        let Some(adapter) = adapter(&system, name) else {
            let name: String = name.chars().take(32).collect();
            return End::Failed(format!("There is no SR-IOV adapter with the ID {name:?}."));
        };
        match self.change_sriov_mode(now, system.uuid, adapter, mode) {
            Ok(()) => End::Ok(vec![("result".to_owned(), String::new())]),
            Err(refusal) => End::Failed(refusal.message),
        }
    }
}

/// The slot index in decimal or in the hexadecimal of the command line, or the number of a shared adapter.
fn adapter(system: &ManagedSystem, name: &str) -> Option<u32> {
    let known = |index: u32| {
        let mut adapters = system.sriov_adapters.iter();
        adapters
            .any(|adapter| adapter.drc_index == index)
            .then_some(index)
    };
    let decimal = name.parse::<u32>().ok();
    let hexadecimal = u32::from_str_radix(name, 16).ok();
    let shared = name
        .parse::<u16>()
        .ok()
        .and_then(|id| system.sriov_adapter(id));
    decimal
        .and_then(known)
        .or_else(|| hexadecimal.and_then(known))
        .or_else(|| shared.map(|adapter| adapter.drc_index))
}
