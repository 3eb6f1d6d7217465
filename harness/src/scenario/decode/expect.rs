//! What has to come out of a step.

use toml::Spanned;

use super::super::raw::{RawExpect, RawRefusal};
use super::super::{Expect, Makespan, Refusal, RefusalKind, ScenarioError, Step, Used, Work};
use super::StepReader;

/// The states that a partition can be expected in, as the REST API spells them.
const STATES: [&str; 4] = ["running", "not activated", "open firmware", "error"];

impl StepReader<'_> {
    /// Reads the expectations of `step`, whose work is known by now.
    pub(super) fn expect(&self, step: &Step, raw: &RawExpect) -> Result<Expect, ScenarioError> {
        let mut known = self.known_servers();
        known.extend(step.work.iter().flat_map(Work::servers));

        let refused = raw
            .refused
            .as_ref()
            .map(|refusal| self.refusal(step, refusal))
            .transpose()?;
        let state = match &raw.state {
            None => None,
            Some(state) if STATES.contains(&state.get_ref().as_str()) => {
                Some(state.get_ref().clone())
            }
            Some(state) => {
                let message = format!(
                    "unknown state {:?}; known are {}",
                    state.get_ref(),
                    STATES.join(", ")
                );
                return Err(self.error(&state.span(), "expect.state", message));
            }
        };
        for (key, names) in [
            ("expect.listed", &raw.listed),
            ("expect.absent", &raw.absent),
        ] {
            if let Some(name) = names.iter().find(|name| !known.contains(name.get_ref())) {
                let message = format!("no step up to here creates {:?}", name.get_ref());
                return Err(self.error(&name.span(), key, message));
            }
        }
        let makespan = match &raw.makespan {
            None => None,
            Some(makespan) => {
                if !self
                    .earlier
                    .iter()
                    .any(|earlier| earlier.name == *makespan.of.get_ref())
                {
                    let message = format!("there is no earlier step {:?}", makespan.of.get_ref());
                    return Err(self.error(&makespan.of.span(), "expect.makespan.of", message));
                }
                let times = self.positive("expect.makespan.times", &makespan.times)?;
                Some(Makespan {
                    times,
                    of: makespan.of.get_ref().clone(),
                    weather: makespan.weather.clone(),
                })
            }
        };
        Ok(Expect {
            refused,
            state,
            listed: raw
                .listed
                .iter()
                .map(|name| name.get_ref().clone())
                .collect(),
            absent: raw
                .absent
                .iter()
                .map(|name| name.get_ref().clone())
                .collect(),
            untouched: raw.untouched,
            within_s: self.bound("expect.within_s", &raw.within_s)?,
            makespan,
            image_uploads: match &raw.image_uploads {
                None => None,
                Some(count) => Some(u64::try_from(*count.get_ref()).map_err(|_| {
                    self.error(
                        &count.span(),
                        "expect.image_uploads",
                        "has to be a number from 0",
                    )
                })?),
            },
            mapping_writes: self.bound("expect.mapping_writes", &raw.mapping_writes)?,
            requests: self.bound("expect.requests", &raw.requests)?,
            host: self.host("expect.host", &raw.host)?,
            used: raw.used.as_ref().map(|used| {
                let number = |key: &Option<Spanned<i64>>| key.as_ref().map(|key| *key.get_ref());
                Used {
                    proc_units: used.proc_units.as_ref().map(|units| *units.get_ref()),
                    memory_mb: number(&used.memory_mb),
                    disk_gb: number(&used.disk_gb),
                }
            }),
        })
    }

    fn refusal(&self, step: &Step, raw: &RawRefusal) -> Result<Refusal, ScenarioError> {
        let kind = RefusalKind::from_name(raw.kind.get_ref()).ok_or_else(|| {
            let known = RefusalKind::ALL.map(RefusalKind::name).join(", ");
            let message = format!("unknown kind {:?}; known are {known}", raw.kind.get_ref());
            self.error(&raw.kind.span(), "expect.refused.kind", message)
        })?;
        let operations = step.operations();
        if operations == 0 {
            return Err(self.error(
                &self.span,
                "expect.refused",
                "\"list\" begins nothing that could be refused",
            ));
        }
        let count = match &raw.count {
            None => None,
            Some(count) => Some(
                usize::try_from(*count.get_ref())
                    .ok()
                    .filter(|count| (1..=operations).contains(count))
                    .ok_or_else(|| {
                        let message = format!("has to be 1 to {operations}, the step's operations");
                        self.error(&count.span(), "expect.refused.count", message)
                    })?,
            ),
        };
        Ok(Refusal {
            kind,
            message: raw.message.clone(),
            count,
        })
    }

    fn bound(&self, key: &str, raw: &Option<Spanned<f64>>) -> Result<Option<f64>, ScenarioError> {
        raw.as_ref()
            .map(|bound| self.positive(key, bound))
            .transpose()
    }

    pub(super) fn positive(&self, key: &str, raw: &Spanned<f64>) -> Result<f64, ScenarioError> {
        let value = *raw.get_ref();
        if value.is_finite() && value >= 0.0 {
            return Ok(value);
        }
        Err(self.error(&raw.span(), key, "has to be a number from 0"))
    }
}
