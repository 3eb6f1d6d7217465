//! From the feed of long term samples to the two newest of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use powervm_schema::atom::{LinkEntry, LinkFeed};
use serde::de::DeserializeOwned;

use super::raw::{File, Hypervisor, OperatingSystem, Servers, Systems, Vios};
use crate::error::{Error, ErrorKind, Result};
use crate::partition::PartitionUuid;
use crate::rest::Session;

/// The files of one sample: category to address.
type Files = BTreeMap<String, String>;

/// What the feed lists, newest last.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    samples: BTreeMap<Timestamp, Files>,
}

/// One sample.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// When it was taken.
    pub(super) at: Timestamp,
    pub(super) hypervisor: Hypervisor,
    /// What Virtual I/O Servers tell, by their partition's number.
    pub(super) servers: BTreeMap<u64, Vios>,
    /// What operating systems tell; none where nobody asked.
    pub(super) systems: Option<BTreeMap<PartitionUuid, OperatingSystem>>,
}

/// The newest sample, and one before it.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(super) now: Sample,
    pub(super) before: Option<Sample>,
}

impl Listing {
    /// Reads the feed of a system's long term samples.
    ///
    /// # Errors
    /// Those of the request: 403 when nothing is collected.
    pub(crate) async fn read(session: &Session, system: &str) -> Result<Self> {
        let path = format!("pcm/ManagedSystem/{system}/RawMetrics/LongTermMonitor");
        Ok(Self::of(session.get_links(&path).await?))
    }

    fn of(feed: LinkFeed) -> Self {
        let mut samples: BTreeMap<Timestamp, Files> = BTreeMap::new();
        for LinkEntry {
            updated,
            href,
            category,
            ..
        } in feed.entries
        {
            if let Ok(at) = updated.parse()
                && !href.is_empty()
            {
                samples.entry(at).or_default().insert(category, href);
            }
        }
        // A sample is of use when the hypervisor's part is there, which comes first.
        samples.retain(|_, files| files.contains_key("phyp"));
        Self { samples }
    }

    /// When the newest sample was taken.
    pub(crate) fn newest(&self) -> Option<Timestamp> {
        self.samples.keys().next_back().copied()
    }
}

impl History {
    /// Reads the newest sample of a listing, and one before it: `known`, if that is older, or the one next to it.
    ///
    /// # Errors
    /// There is none yet; those of the requests; a file that is none.
    pub(crate) async fn read(
        session: &Session,
        listing: &Listing,
        known: Option<Sample>,
    ) -> Result<Self> {
        let mut newest = listing.samples.iter().rev();
        let Some((at, files)) = newest.next() else {
            return Err(Error::operation(
                ErrorKind::Precondition,
                "there is no long term sample yet",
                "try again within a minute: a sample is taken every 30 s",
            ));
        };
        let known = known.filter(|known| known.at < *at);
        let before = async {
            match (known, newest.next()) {
                (Some(known), _) => Ok(Some(known)),
                (None, Some((at, files))) => {
                    Sample::read(session, *at, files, false).await.map(Some)
                }
                (None, None) => Ok(None),
            }
        };
        let (now, before) =
            futures_util::try_join!(Sample::read(session, *at, files, true), before)?;
        Ok(Self { now, before })
    }

    /// When the newest sample was taken.
    pub(crate) fn at(&self) -> Timestamp {
        self.now.at
    }

    /// The newest sample.
    pub(crate) fn into_newest(self) -> Sample {
        self.now
    }

    /// Seconds between the two.
    pub(super) fn seconds(&self) -> Option<f64> {
        let before = self.before.as_ref()?.at;
        let span = self.now.at.duration_since(before).as_secs_f64();
        (span > 0.0).then_some(span)
    }
}

impl Sample {
    async fn read(
        session: &Session,
        at: Timestamp,
        files: &Files,
        with_systems: bool,
    ) -> Result<Self> {
        let hypervisor = async {
            let href = files.get("phyp").map(String::as_str).unwrap_or_default();
            let file: File<Hypervisor> = read(session, href).await?;
            Ok::<_, Error>(file.system_util.util_sample)
        };
        let servers = async {
            let mut servers = BTreeMap::new();
            for (category, href) in files {
                let Some(id) = category
                    .strip_prefix("vios_")
                    .and_then(|id| id.parse().ok())
                else {
                    continue;
                };
                // One that cannot tell anything takes nothing away from the others.
                match read::<File<Servers>>(session, href).await {
                    Ok(file) => {
                        let first = file.system_util.util_sample.vios_util.into_iter().next();
                        servers.extend(first.map(|vios| (id, vios)));
                    }
                    Err(error) if error.is_not_found() || error.kind() == ErrorKind::BadAnswer => {
                        tracing::warn!(%error, "a Virtual I/O Server's sample cannot be read");
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok::<_, Error>(servers)
        };
        let systems = async {
            let Some(href) = files.get("lpar").filter(|_| with_systems) else {
                return Ok(None);
            };
            let file: Systems = match read(session, href).await {
                Ok(file) => file,
                Err(error) if error.is_not_found() => return Ok(None),
                Err(error) => return Err(error),
            };
            let known =
                |system: OperatingSystem| Some((PartitionUuid::parse(&system.uuid)?, system));
            Ok::<_, Error>(Some(file.lpar_util.into_iter().filter_map(known).collect()))
        };
        let (hypervisor, servers, systems) = futures_util::try_join!(hypervisor, servers, systems)?;
        Ok(Self {
            at,
            hypervisor,
            servers,
            systems,
        })
    }
}

async fn read<T: DeserializeOwned>(session: &Session, href: &str) -> Result<T> {
    let value = session.get_json(href).await?;
    serde_json::from_value(value).map_err(|error| {
        Error::caused(
            ErrorKind::BadAnswer,
            format!(
                "the metrics in {} are of another form",
                crate::error::printable(href)
            ),
            "check the version of the console",
            error,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_told_by_their_moment_and_need_the_hypervisors_part() {
        let entry = |updated: &str, category: &str| LinkEntry {
            updated: updated.to_owned(),
            href: format!("http://h/{category}"),
            category: category.to_owned(),
            ..LinkEntry::default()
        };
        let listing = Listing::of(LinkFeed {
            entries: vec![
                entry("2016-03-28T02:26:30.000-04:00", "phyp"),
                entry("2016-03-28T06:26:00.000Z", "phyp"),
                entry("2016-03-28T06:26:00.000Z", "vios_2"),
                entry("2016-03-28T06:27:00.000Z", "lpar"),
                entry("yesterday", "phyp"),
            ],
            ..LinkFeed::default()
        });
        assert_eq!(listing.samples.len(), 2);
        assert_eq!(
            listing.newest().unwrap().to_string(),
            "2016-03-28T06:26:30Z"
        );
    }
}
