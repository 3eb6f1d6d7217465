//! What looks left behind without knowing what was there before.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{MappingFacts, Survey, basename};

/// Something on a host that no deploy in good order leaves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Suspicion {
    /// The thing.
    pub what: String,
    /// Why it is suspicious, and what to do.
    pub why: &'static str,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// Length of the name of a marker before the name of its image: `part` and 8 hexadecimal digits.
const MARKER: usize = 12;

impl Survey {
    /// Everything that looks left behind. It may be somebody's work in progress: look before deleting.
    #[must_use]
    pub fn suspicions(&self) -> Vec<Suspicion> {
        let mut found = Vec::new();
        let mapped: BTreeSet<&str> = self
            .mappings
            .iter()
            .filter_map(|mapping| mapping.storage_udid.as_deref())
            .collect();
        self.mappings(&mut found);
        self.units(&mapped, &mut found);
        self.disks(&mapped, &mut found);
        for file in &self.files {
            found.push(Suspicion {
                what: format!("file {file}"),
                why: "the record of an upload is deleted when the upload ends; a server holds only 100",
            });
        }
        found.sort();
        found
    }

    fn mappings(&self, found: &mut Vec<Suspicion>) {
        let partitions: BTreeSet<u32> = self
            .partitions
            .iter()
            .filter_map(|partition| partition.id)
            .collect();
        for mapping in &self.mappings {
            if mapping.for_anybody {
                continue;
            }
            let what = |mapping: &MappingFacts| {
                let storage = mapping.storage.as_deref().unwrap_or("no storage");
                format!(
                    "mapping {} of {} to {}: {storage}",
                    mapping.adapter,
                    mapping.vios,
                    self.client_of(mapping)
                )
            };
            if mapping
                .client_id
                .is_some_and(|id| !partitions.contains(&id))
            {
                let why = "its partition is gone; the next partition with that number would see the storage";
                found.push(Suspicion {
                    what: what(mapping),
                    why,
                });
            } else if !mapping.has_client {
                found.push(Suspicion {
                    what: what(mapping),
                    why: "its partition has no adapter for it",
                });
            } else if mapping.storage.is_none() {
                found.push(Suspicion {
                    what: what(mapping),
                    why: "there is nothing behind it",
                });
            }
        }
    }

    fn units(&self, mapped: &BTreeSet<&str>, found: &mut Vec<Suspicion>) {
        for unit in self.pools.iter().flat_map(|pool| &pool.units) {
            let what = format!("logical unit {} in tier {}", unit.name, unit.tier);
            // A clone names its image by the UDID without its two leading characters of kind.
            let number = unit.udid.get(2..).unwrap_or_default();
            let clones = self.pools.iter().flat_map(|pool| &pool.units).any(|other| {
                other
                    .cloned_from
                    .as_deref()
                    .and_then(|udid| udid.get(2..))
                    .is_some_and(|udid| udid == number)
            });
            let why = if is_marker(&unit.name) {
                "it marks an upload; when no host is uploading this image, it keeps every other from doing so"
            } else if unit.is_image && !clones {
                "it is an image without a clone; images go with their last one"
            } else if !unit.is_image && !unit.in_use && !mapped.contains(unit.udid.as_str()) {
                "no Virtual I/O Server has it mapped"
            } else {
                continue;
            };
            found.push(Suspicion { what, why });
        }
    }

    fn disks(&self, mapped: &BTreeSet<&str>, found: &mut Vec<Suspicion>) {
        for group in &self.volume_groups {
            let place = group.place();
            for (name, udid) in &group.disks {
                let name = basename(name);
                if (name.starts_with("b_") || name.starts_with("r_"))
                    && !mapped.contains(udid.as_str())
                {
                    let what = format!("virtual disk {name} in {place}");
                    found.push(Suspicion {
                        what,
                        why: "it is a boot or rescue disk that no partition has",
                    });
                }
            }
            let media = group.repository.iter().flat_map(|(_, media)| media);
            for (name, udid) in media {
                if name.starts_with("cfg_") && !mapped.contains(udid.as_str()) {
                    let what = format!("medium {name} in {place}");
                    found.push(Suspicion {
                        what,
                        why: "it is a config drive that no partition has",
                    });
                }
            }
        }
    }
}

fn is_marker(name: &str) -> bool {
    name.strip_prefix("part").is_some_and(|rest| {
        name.len() > MARKER
            && rest
                .bytes()
                .take(MARKER - 4)
                .all(|byte| byte.is_ascii_hexdigit())
    })
}
