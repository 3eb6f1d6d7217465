//! Feeds of the service: their links are `self` in lower case, their titles typed, and their entries link files.
//! Recordings `pcm_pref`, `ltm_feed`, `stm_feed`, and the cassette `metrics_capture_lpar.yml`.

use super::super::context::{Context, named, upper};
use super::super::writer::{ATOM, Writer};
use super::Monitoring;
use super::stamp;
use crate::clock::Millis;
use crate::http::target::Service;
use crate::model::monitoring::Collection;
use crate::model::partition::Partition;
use crate::model::system::ManagedSystem;

const AUTHOR: &str = "IBM Power Systems Management Console";

/// What a feed begins with.
pub(super) struct Head<'a> {
    pub(super) id: &'a str,
    pub(super) updated: Option<Millis>,
    pub(super) title: &'a str,
    pub(super) subtitle: &'a str,
    pub(super) href: &'a str,
}

/// A whole feed; `entries` writes what is in it.
pub(super) fn write(head: &Head<'_>, entries: impl FnOnce(&mut Writer)) -> String {
    let mut w = Writer::new("", 4096);
    w.raw(r#"<feed xmlns=""#);
    w.raw(ATOM);
    w.raw(r#"" xmlns:ns2="http://a9.com/-/spec/opensearch/1.1/" xmlns:ns3="http://www.w3.org/1999/xhtml"><id>"#);
    w.escaped(head.id);
    w.raw("</id>");
    if let Some(updated) = head.updated {
        w.plain("updated", &stamp::precise(updated));
    }
    typed(&mut w, "title", head.title);
    typed(&mut w, "subtitle", head.subtitle);
    w.raw(r#"<link rel="self" href=""#);
    w.escaped(head.href);
    w.raw(r#""/><generator uri="IBM Power Systems Management Console" version="1"/>"#);
    entries(&mut w);
    w.raw("</feed>");
    w.finish()
}

/// What an entry begins with.
pub(super) struct EntryHead<'a> {
    pub(super) id: &'a str,
    pub(super) updated: Millis,
    pub(super) title: &'a str,
    pub(super) published: Millis,
}

/// One entry. The link of a sample stands before the author and its category after it, content after it as well.
pub(super) fn entry(
    w: &mut Writer,
    head: &EntryHead<'_>,
    before: impl FnOnce(&mut Writer),
    after: impl FnOnce(&mut Writer),
) {
    w.raw("<entry>");
    w.plain("id", head.id);
    w.plain("updated", &stamp::precise(head.updated));
    typed(w, "title", head.title);
    w.plain("published", &stamp::precise(head.published));
    before(w);
    w.raw("<author><name>");
    w.raw(AUTHOR);
    w.raw("</name></author>");
    after(w);
    w.raw("</entry>");
}

/// The feed of a raw collection.
pub(super) fn raw(
    cx: &Context<'_>,
    system: &ManagedSystem,
    collection: Collection,
    moments: &[Millis],
) -> Monitoring {
    let (kind, prefix, title) = match collection {
        Collection::ShortTerm => ("ShortTermMonitor", "STM", "ShortTermMetrics"),
        _ => ("LongTermMonitor", "LTM", "LongTermMetrics"),
    };
    let path = format!("ManagedSystem/{}/RawMetrics/{kind}", system.uuid);
    let base = cx.base.href(Service::Pcm, &path);
    let newest = moments.last().copied().unwrap_or(cx.now);
    let id = system.uuid.to_string();
    let head = Head {
        id: &id,
        updated: Some(newest),
        title,
        subtitle: &format!("ManagedSystem {id}"),
        href: &base,
    };
    let body = write(&head, |w| {
        for at in moments {
            for category in categories(cx, system, collection) {
                let name = format!(
                    "{prefix}_{}_{category}_{}.json",
                    system.machine,
                    stamp::compact(*at)
                );
                let href = format!("{base}/{name}");
                let id = named(system.uuid, &name).to_string();
                let head = EntryHead {
                    id: &id,
                    updated: *at,
                    title: &name,
                    published: *at,
                };
                entry(
                    w,
                    &head,
                    |w| link(w, "application/vnd.ibm.powervm.pcm.json", &href),
                    |w| w.raw(&format!(r#"<category term="{category}"/>"#)),
                );
            }
        }
    });
    Monitoring::Samples { body, newest }
}

/// What each sample is made of: the hypervisor's part, one of each Virtual I/O Server that answers, and with long term
/// samples what the operating systems tell.
pub(super) fn categories(
    cx: &Context<'_>,
    system: &ManagedSystem,
    collection: Collection,
) -> Vec<String> {
    let mut servers: Vec<u16> = cx
        .world
        .vioses_of(system.uuid)
        .filter(|vios| vios.partition.rmc.is_up())
        .map(|vios| vios.partition.id)
        .collect();
    servers.sort_unstable();
    let mut categories: Vec<String> = servers.into_iter().map(|id| format!("vios_{id}")).collect();
    categories.push("phyp".to_owned());
    if collection == Collection::LongTerm {
        categories.push("lpar".to_owned());
    }
    categories
}

/// The feed of processed or aggregated metrics: one file of all samples asked for, and of a system also where to find
/// those of its partitions.
pub(super) fn processed(
    cx: &Context<'_>,
    system: &ManagedSystem,
    partition: Option<&Partition>,
    collection: Collection,
    moments: &[Millis],
) -> Monitoring {
    let service = match collection {
        Collection::Aggregated => "AggregatedMetrics",
        _ => "ProcessedMetrics",
    };
    let frequency = collection.period() / 1000;
    let (kind, id, path) = match partition {
        Some(partition) => {
            let id = upper(partition.uuid);
            let path = format!(
                "ManagedSystem/{}/LogicalPartition/{id}/{service}",
                system.uuid
            );
            ("LogicalPartition", id, path)
        }
        None => {
            let id = system.uuid.to_string();
            let path = format!("ManagedSystem/{id}/{service}");
            ("ManagedSystem", id, path)
        }
    };
    let newest = moments.last().copied().unwrap_or(cx.now);
    let href = cx.base.href(Service::Pcm, &path);
    let head = Head {
        id: &id,
        updated: Some(newest),
        title: service,
        subtitle: &format!("{kind} {id}"),
        href: &href,
    };
    let body = write(&head, |w| {
        let (Some(first), Some(last)) = (moments.first(), moments.last()) else {
            return;
        };
        let name = format!(
            "{kind}_{id}_{}_{}_{frequency}.json",
            stamp::compact(*first),
            stamp::compact(*last)
        );
        let file = cx.base.href(Service::Pcm, &format!("{service}/{name}"));
        let category = |kind: &str| format!(r#"<category term="{kind}" frequency="{frequency}"/>"#);
        let own_id = named(system.uuid, &name).to_string();
        let head = EntryHead {
            id: &own_id,
            updated: *last,
            title: &name,
            published: *first,
        };
        entry(
            w,
            &head,
            |w| link(w, "application/json", &file),
            |w| w.raw(&category(kind)),
        );
        if partition.is_some() {
            return;
        }
        for own in cx.world.partitions_of(system.uuid) {
            let uuid = upper(own.uuid);
            let path = format!(
                "ManagedSystem/{}/LogicalPartition/{uuid}/{service}",
                system.uuid
            );
            let href = cx.base.href(Service::Pcm, &path);
            let own_id = named(own.uuid, service).to_string();
            let head = EntryHead {
                id: &own_id,
                updated: *last,
                title: &format!("LogicalPartition_{uuid}"),
                published: *first,
            };
            entry(
                w,
                &head,
                |w| link(w, "application/atom+xml", &href),
                |w| w.raw(&category("LogicalPartition")),
            );
        }
    });
    Monitoring::Samples { body, newest }
}

fn link(w: &mut Writer, media_type: &str, href: &str) {
    w.raw(r#"<link type=""#);
    w.raw(media_type);
    w.raw(r#"" href=""#);
    w.escaped(href);
    w.raw(r#""/>"#);
}

fn typed(w: &mut Writer, name: &str, text: &str) {
    w.raw(&format!(r#"<{name} type="text""#));
    if text.is_empty() {
        w.raw("/>");
        return;
    }
    w.raw(">");
    w.escaped(text);
    w.raw(&format!("</{name}>"));
}
