//! What must hold in every world, whatever clients do.
//!
//! Tests check this after every command, and a server under `--check-invariants` as well.

mod bridges;
mod migrations;
mod partitions;
mod pools;
mod san;
mod servers;
mod shares;

use std::collections::BTreeSet;
use std::fmt;

use super::world::World;

/// A rule that a world breaks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The name of the rule, such as `memory-over-committed`.
    pub rule: &'static str,
    /// Where and how it is broken.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

impl World {
    /// Every rule that this world breaks; none if it is sound.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        let mut found = Found::default();
        partitions::check(self, &mut found);
        servers::check(self, &mut found);
        bridges::check(self, &mut found);
        pools::check(self, &mut found);
        san::check(self, &mut found);
        shares::check(self, &mut found);
        migrations::check(self, &mut found);
        found.require(
            self.partitions.is_in_order()
                && self.vioses.is_in_order()
                && self.vioses.values().all(|vios| vios.buses.is_in_order())
                && self.tiers.values().all(|tier| tier.units.is_in_order()),
            "stale-index",
            || "something is not found by what it has".to_owned(),
        );
        found.require(
            self.files.len() <= super::file::LIMIT,
            "too-many-files",
            || self.files.len().to_string(),
        );
        for job in self.jobs.values() {
            let ended = job.completed.is_some() == job.status.is_final();
            found.require(ended, "job-end-without-status", || {
                format!("job {} is {}", job.id, job.status)
            });
        }
        found.violations
    }
}

/// Collects what is found.
#[derive(Debug, Default)]
struct Found {
    violations: Vec<Violation>,
}

impl Found {
    fn require(&mut self, holds: bool, rule: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(Violation {
                rule,
                detail: detail(),
            });
        }
    }

    /// Requires that no value comes twice.
    fn unique<T: Ord + fmt::Display>(
        &mut self,
        rule: &'static str,
        place: &str,
        values: impl IntoIterator<Item = T>,
    ) {
        let mut seen = BTreeSet::new();
        for value in values {
            if seen.contains(&value) {
                self.violations.push(Violation {
                    rule,
                    detail: format!("{value} in {place}"),
                });
            } else {
                seen.insert(value);
            }
        }
    }
}
