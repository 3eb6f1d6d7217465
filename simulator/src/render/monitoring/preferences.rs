//! Preferences: of one system (recording `pcm_pref`), and of the console with all of its systems (cassette
//! `refresher.yml`).

use uuid::Uuid;

use super::super::cluster;
use super::super::context::{Context, named};
use super::super::envelope::feed_etag;
use super::super::writer::{Facets, PCM, ROO, ROR, UOD, Writer};
use super::Monitoring;
use super::feed::{self, EntryHead, Head};
use crate::http::target::Service;
use crate::model::World;
use crate::model::etag::etag as tag;
use crate::model::monitoring::preferences::{
    AGGREGATION_SYSTEMS, COMPUTE_SYSTEMS, ENERGY_SYSTEMS, LONG_TERM_SYSTEMS, SHORT_TERM_SYSTEMS,
};
use crate::model::system::ManagedSystem;

const TITLE: &str = "Performance and Capacity Monitoring Preferences";
/// `AggregatedMetricsStorageDuration` in seconds, as recorded.
const STORAGE_DURATION: u32 = 15_552_000;

/// The etag of the preferences of one system, or of all: that of the feed, which clients post back.
pub(crate) fn etag(world: &World, system: Option<Uuid>) -> Option<i32> {
    let of = |system: &ManagedSystem| tag(system.uuid, &[system.monitoring.version]).0;
    match system {
        Some(uuid) => world
            .systems
            .get(&uuid)
            .map(|system| feed_etag([Some(of(system))])),
        None => Some(feed_etag(
            world.systems.values().map(|system| Some(of(system))),
        )),
    }
}

/// The preferences of one system.
pub(super) fn one(cx: &Context<'_>, system: &ManagedSystem) -> Monitoring {
    let mut w = cx.writer(2048);
    w.root(
        "ManagedSystemPcmPreference",
        PCM,
        Some((&system.uuid.to_string(), cx.created())),
        |w| preference(w, cx, system),
    );
    let path = format!("ManagedSystem/{}/preferences", system.uuid);
    Monitoring::Preferences {
        body: document(cx, &system.uuid.to_string(), &path, &w.finish()),
        etag: etag(cx.world, Some(system.uuid)).unwrap_or_default(),
    }
}

/// The preferences of the console.
pub(super) fn all(cx: &Context<'_>) -> Monitoring {
    let mut w = cx.writer(8192);
    w.root("ManagementConsolePcmPreference", PCM, None, |w| {
        for (name, most) in [
            ("MaximumManagedSystemsForLongTermMonitor", LONG_TERM_SYSTEMS),
            ("MaximumManagedSystemsForComputeLTM", COMPUTE_SYSTEMS),
            ("MaximumManagedSystemsForAggregation", AGGREGATION_SYSTEMS),
            (
                "MaximumManagedSystemsForShortTermMonitor",
                SHORT_TERM_SYSTEMS,
            ),
            ("MaximumManagedSystemsForEnergyMonitor", ENERGY_SYSTEMS),
        ] {
            w.value(name, ROR, most);
        }
        w.value("AggregatedMetricsStorageDuration", UOD, STORAGE_DURATION);
        for system in cx.world.systems.values() {
            let id = system.uuid.to_string();
            w.identified_section(
                "ManagedSystemPcmPreference",
                UOD,
                (&id, cx.created()),
                |w| preference(w, cx, system),
            );
        }
    });
    let id = named(cx.world.console.uuid, "pcm/preferences").to_string();
    Monitoring::Preferences {
        body: document(cx, &id, "preferences", &w.finish()),
        etag: etag(cx.world, None).unwrap_or_default(),
    }
}

fn preference(w: &mut Writer, cx: &Context<'_>, system: &ManagedSystem) {
    const COMPUTE: Facets = UOD.since("V1_1_0");
    let on = &system.monitoring;
    w.text("SystemName", ROR, &system.name);
    w.section("MachineTypeModelSerialNumber", ROR, |w| {
        cluster::machine_read_only(w, &system.machine)
    });
    w.value("LongTermMonitorEnabled", UOD, on.long_term.is_some());
    w.value("AggregationEnabled", UOD, on.aggregation.is_some());
    w.value("ShortTermMonitorEnabled", UOD, on.short_term.is_some());
    w.value("ComputeLTMEnabled", COMPUTE, on.compute_long_term);
    if cx.is_hmc() {
        w.value("EnergyMonitorEnabled", UOD, on.energy);
    }
    w.reference("AssociatedManagedSystem", ROO, &cx.system(system.uuid));
}

/// One entry whose content is plain XML, in the feed of the service's own form.
fn document(cx: &Context<'_>, id: &str, path: &str, xml: &str) -> String {
    let href = format!("{}{}", cx.base.href(Service::Pcm, path), cx.groups.query());
    let head = Head {
        id,
        updated: None,
        title: TITLE,
        subtitle: "",
        href: &href,
    };
    let entry_id = named(cx.world.console.uuid, &href).to_string();
    feed::write(&head, |w| {
        let head = EntryHead {
            id: &entry_id,
            updated: cx.now,
            title: TITLE,
            published: cx.now,
        };
        let content = |w: &mut Writer| {
            w.raw(r#"<content type="application/xml">"#);
            w.raw(xml);
            w.raw("</content>");
        };
        feed::entry(w, &head, |_| (), content);
    })
}
