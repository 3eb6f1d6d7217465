//! Performance and capacity monitoring: preferences, feeds of samples and the samples themselves
//! (`docs/protocol/monitoring.md`).

mod adapters;
mod feed;
mod operating_systems;
mod preferences;
mod processed;
mod raw;
mod raw_vios;
mod stamp;
mod usage;

use uuid::Uuid;

use super::context::Context;
use crate::clock::Millis;
use crate::http::monitored::Monitored;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::target::UNKNOWN_RESOURCE;
use crate::model::World;
use crate::model::monitoring::Collection;
use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;

pub(crate) use preferences::etag;

/// What a GET of the service is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Monitoring {
    /// A feed of preferences with its etag.
    Preferences {
        /// The XML.
        body: String,
        /// The value of the `ETag` header.
        etag: i32,
    },
    /// A feed of links to samples; its etag is the moment of the newest one in milliseconds.
    Samples {
        /// The XML.
        body: String,
        /// The moment.
        newest: Millis,
    },
    /// A sample, or several; its etag is its name.
    File {
        /// The JSON.
        body: String,
        /// The name.
        name: String,
    },
}

/// How many samples a feed of raw metrics lists if the request does not say.
const RAW_SAMPLES: usize = 20;
/// The most samples that a feed lists, and a file of processed metrics holds.
const MOST_SAMPLES: usize = 240;

/// Answers a GET.
///
/// # Errors
/// 404 for what is not there, 403 where the collection is off.
pub(crate) fn read(
    cx: &Context<'_>,
    monitored: &Monitored,
    query: &Query,
) -> Result<Monitoring, Problem> {
    match monitored {
        Monitored::AllPreferences => Ok(preferences::all(cx)),
        Monitored::Preferences(system) => Ok(preferences::one(cx, system_of(cx.world, *system)?)),
        Monitored::Samples {
            system,
            partition,
            collection,
        } => {
            let system = system_of(cx.world, *system)?;
            let partition = partition
                .map(|uuid| partition_of(cx.world, system, uuid))
                .transpose()?;
            require_on(system, *collection)?;
            let most = query.samples.unwrap_or(match collection {
                Collection::LongTerm | Collection::ShortTerm => RAW_SAMPLES,
                Collection::Processed | Collection::Aggregated => MOST_SAMPLES,
            });
            let span = (query.start, query.end);
            let moments =
                system
                    .monitoring
                    .samples(*collection, cx.now, span, most.min(MOST_SAMPLES));
            Ok(match collection {
                Collection::LongTerm | Collection::ShortTerm => {
                    feed::raw(cx, system, *collection, &moments)
                }
                Collection::Processed | Collection::Aggregated => {
                    feed::processed(cx, system, partition, *collection, &moments)
                }
            })
        }
        Monitored::File {
            system,
            collection,
            name,
        } => file(cx, *system, *collection, name),
    }
}

fn file(
    cx: &Context<'_>,
    system: Option<Uuid>,
    collection: Collection,
    name: &str,
) -> Result<Monitoring, Problem> {
    let unknown = || {
        let name: String = name.chars().take(100).collect();
        Problem::new(
            404,
            UNKNOWN_RESOURCE,
            format!("REST000B There is no file {name}."),
        )
    };
    let body = match collection {
        Collection::LongTerm | Collection::ShortTerm => {
            let system = system_of(cx.world, system.ok_or_else(unknown)?)?;
            require_on(system, collection)?;
            raw::file(cx, system, collection, name)
        }
        Collection::Processed | Collection::Aggregated => processed::file(cx, collection, name),
    };
    Ok(Monitoring::File {
        body: body.ok_or_else(unknown)?,
        name: name.to_owned(),
    })
}

/// Data that is not collected cannot be read.
fn require_on(system: &ManagedSystem, collection: Collection) -> Result<(), Problem> {
    if system.monitoring.since(collection).is_some() {
        return Ok(());
    }
    Err(Problem::new(
        403,
        "The user does not have the role authority to perform the request.",
        format!(
            "Performance data is not collected for managed system {}. Enable it in the preferences.",
            system.name
        ),
    ))
}

fn system_of(world: &World, uuid: Uuid) -> Result<&ManagedSystem, Problem> {
    let found = world.systems.get(&uuid).map(|system| &**system);
    found.ok_or_else(|| missing("ManagedSystem", uuid))
}

fn partition_of<'w>(
    world: &'w World,
    system: &ManagedSystem,
    uuid: Uuid,
) -> Result<&'w Partition, Problem> {
    let found = world.partitions.get(&uuid).map(|partition| &**partition);
    found
        .filter(|partition| partition.system == system.uuid)
        .ok_or_else(|| missing("LogicalPartition", uuid))
}

fn missing(kind: &str, uuid: Uuid) -> Problem {
    Problem::new(
        404,
        UNKNOWN_RESOURCE,
        format!("REST029B {UNKNOWN_RESOURCE} There is no {kind} with the UUID {uuid} here."),
    )
}
