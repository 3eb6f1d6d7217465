//! URLs of the `pcm` service (`docs/protocol/monitoring.md`).
//!
//! `pcm/preferences`, `pcm/ManagedSystem/<u>/preferences`,
//! `pcm/ManagedSystem/<u>/RawMetrics/{LongTermMonitor|ShortTermMonitor}[/<file>.json]`,
//! `pcm/ManagedSystem/<u>[/LogicalPartition/<u>]/{ProcessedMetrics|AggregatedMetrics}` and
//! `pcm/{ProcessedMetrics|AggregatedMetrics}/<file>.json`.

use uuid::Uuid;

use super::problem::Problem;
use crate::model::monitoring::Collection;

/// What a URL of the `pcm` service names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitored {
    /// The preferences of the console and of every system.
    AllPreferences,
    /// The preferences of one system.
    Preferences(Uuid),
    /// The feed of a collection.
    Samples {
        /// The managed system.
        system: Uuid,
        /// The partition, if only one is asked for.
        partition: Option<Uuid>,
        /// Which collection.
        collection: Collection,
    },
    /// A file that a feed links.
    File {
        /// The managed system, if the path names it.
        system: Option<Uuid>,
        /// Which collection.
        collection: Collection,
        /// The name of the file, with `.json`.
        name: String,
    },
}

impl Monitored {
    /// Reads the segments after the service.
    ///
    /// # Errors
    /// 400 for a path that is none of the service's.
    pub(super) fn parse(segments: &[String]) -> Result<Self, Problem> {
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        let processed = |word: &str| match word {
            "ProcessedMetrics" => Some(Collection::Processed),
            "AggregatedMetrics" => Some(Collection::Aggregated),
            _ => None,
        };
        let raw = |word: &str| match word {
            "LongTermMonitor" => Some(Collection::LongTerm),
            "ShortTermMonitor" => Some(Collection::ShortTerm),
            _ => None,
        };
        let id = |word: &str| super::target::identifier(word);
        let unknown = || Problem::invalid_url("The pcm service has no such resource.");
        match *words.as_slice() {
            ["preferences"] => Ok(Self::AllPreferences),
            ["ManagedSystem", system, "preferences"] => Ok(Self::Preferences(id(system)?)),
            ["ManagedSystem", system, "RawMetrics", kind] => Ok(Self::Samples {
                system: id(system)?,
                partition: None,
                collection: raw(kind).ok_or_else(unknown)?,
            }),
            ["ManagedSystem", system, "RawMetrics", kind, name] => Ok(Self::File {
                system: Some(id(system)?),
                collection: raw(kind).ok_or_else(unknown)?,
                name: name.to_owned(),
            }),
            ["ManagedSystem", system, kind] => Ok(Self::Samples {
                system: id(system)?,
                partition: None,
                collection: processed(kind).ok_or_else(unknown)?,
            }),
            ["ManagedSystem", system, "LogicalPartition", partition, kind] => Ok(Self::Samples {
                system: id(system)?,
                partition: Some(id(partition)?),
                collection: processed(kind).ok_or_else(unknown)?,
            }),
            [kind, name] => Ok(Self::File {
                system: None,
                collection: processed(kind).ok_or_else(unknown)?,
                name: name.to_owned(),
            }),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Result<Monitored, Problem> {
        let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
        Monitored::parse(&segments)
    }

    #[test]
    fn the_service_has_its_own_grammar() {
        let uuid = Uuid::from_u128(7);
        assert_eq!(parse("preferences").unwrap(), Monitored::AllPreferences);
        assert_eq!(
            parse(&format!("ManagedSystem/{uuid}/preferences")).unwrap(),
            Monitored::Preferences(uuid)
        );
        let file = parse(&format!(
            "ManagedSystem/{uuid}/RawMetrics/LongTermMonitor/LTM_x.json"
        ));
        assert!(matches!(
            file.unwrap(),
            Monitored::File {
                collection: Collection::LongTerm,
                system: Some(_),
                ..
            }
        ));
        let feed = parse(&format!(
            "ManagedSystem/{uuid}/LogicalPartition/{uuid}/ProcessedMetrics"
        ));
        assert!(matches!(
            feed.unwrap(),
            Monitored::Samples {
                partition: Some(_),
                ..
            }
        ));
        for path in [
            "",
            "x",
            "ManagedSystem",
            "ManagedSystem/x/preferences",
            "RawMetrics/x",
            "a/b/c/d/e/f",
        ] {
            assert!(parse(path).is_err(), "{path}");
        }
    }
}
