//! Collections are switched on and off.

use super::Monitoring;
use crate::clock::Millis;
use crate::model::command::{Outcome, UpdateMonitoring};
use crate::model::names::{EventKind, Flavor};
use crate::model::refusal::Refusal;
use crate::model::resource::Resource;
use crate::model::world::World;

/// How many systems an HMC monitors at once (recorded of an HMC V8R8.6).
pub const LONG_TERM_SYSTEMS: usize = 45;
/// See [`LONG_TERM_SYSTEMS`].
pub const COMPUTE_SYSTEMS: usize = 60;
/// See [`LONG_TERM_SYSTEMS`].
pub const AGGREGATION_SYSTEMS: usize = 40;
/// See [`LONG_TERM_SYSTEMS`].
pub const SHORT_TERM_SYSTEMS: usize = 5;
/// See [`LONG_TERM_SYSTEMS`].
pub const ENERGY_SYSTEMS: usize = 45;

impl World {
    /// POST of a system's preferences, or of several systems' at once.
    pub(in crate::model) fn update_monitoring(
        &mut self,
        now: Millis,
        requests: Vec<UpdateMonitoring>,
    ) -> Result<Outcome, Refusal> {
        let mut last = None;
        for request in requests {
            let system = self.system(request.system)?;
            let resource = Resource::PcmPreference(system.uuid);
            let mut after = system.monitoring;
            switch(&mut after.long_term, request.long_term, now);
            switch(&mut after.short_term, request.short_term, now);
            switch(&mut after.aggregation, request.aggregation, now);
            after.compute_long_term = request.compute_long_term.unwrap_or(after.compute_long_term);
            after.energy = request.energy.unwrap_or(after.energy);
            if after != system.monitoring {
                after.version = self.touch();
                self.edit_system(system.uuid, |system| system.monitoring = after);
                self.check_monitored_systems()?;
                self.announce(now, EventKind::ModifyUri, resource, "Other");
            }
            last = Some(resource);
        }
        last.map(Outcome::Written)
            .ok_or_else(|| Refusal::bad_request("The preferences name no managed system."))
    }

    fn check_monitored_systems(&self) -> Result<(), Refusal> {
        if self.flavor == Flavor::NovaLink {
            return Ok(());
        }
        let count = |on: fn(&Monitoring) -> bool| {
            let systems = self.systems.values();
            systems.filter(|system| on(&system.monitoring)).count()
        };
        for (name, there, most) in [
            (
                "long term monitor",
                count(|on| on.long_term.is_some()),
                LONG_TERM_SYSTEMS,
            ),
            (
                "compute long term monitor",
                count(|on| on.compute_long_term),
                COMPUTE_SYSTEMS,
            ),
            (
                "aggregation",
                count(|on| on.aggregation.is_some()),
                AGGREGATION_SYSTEMS,
            ),
            (
                "short term monitor",
                count(|on| on.short_term.is_some()),
                SHORT_TERM_SYSTEMS,
            ),
            ("energy monitor", count(|on| on.energy), ENERGY_SYSTEMS),
        ] {
            if there > most {
                return Err(Refusal::bad_request(format!(
                    "The {name} can be on for at most {most} managed systems."
                )));
            }
        }
        Ok(())
    }
}

/// Data begins when a collection is switched on.
fn switch(place: &mut Option<Millis>, wish: Option<bool>, now: Millis) {
    match wish {
        Some(true) => *place = place.or(Some(now)),
        Some(false) => *place = None,
        None => {}
    }
}
