//! Documents of the model: what a GET shows and what a change is answered with.
//!
//! A resource is written straight from the model, one file a resource, in the order and with the annotations of the
//! recordings (`docs/protocol/resources.md`); `envelope` puts it into a feed or an entry. Rendered resources are
//! kept until they change (`cache`), feeds are put together from kept ones.

mod base_partition;
mod cache;
mod client_adapter;
mod cluster;
mod console;
mod context;
mod enterprise_pool;
mod envelope;
mod error;
mod event;
mod fc_mapping;
mod feeds;
mod file;
mod found;
mod fragments;
mod group;
mod io_configuration;
mod job;
mod jobs;
mod logical_port;
mod managed_system;
mod media_repository;
mod memory;
mod memory_pool;
mod monitoring;
mod named;
mod network_adapter;
mod network_bridge;
mod partition;
mod physical_volume;
mod pool;
mod processor_pool;
mod processors;
mod profile;
mod profile_adapters;
mod quick;
mod quick_names;
pub(crate) mod resource;
mod scsi_bus;
mod scsi_mapping;
mod search;
mod serial_number;
mod shared_ethernet;
mod slot_devices;
mod slots;
mod sriov_adapter;
mod storage;
mod switch;
mod system_capabilities;
mod system_io;
mod system_resources;
mod template;
mod text;
mod trunk_adapter;
mod vios;
mod vnic;
mod volume_group;
mod writer;

use std::sync::Arc;

pub use context::{Context, schema_version, upper};
pub use error::ErrorDocument;
pub use monitoring::Monitoring;
pub use resource::path;
pub use text::Text;

use crate::http::kind::Kind;
use crate::http::monitored::Monitored;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::target::{Action, Service, Target, no_such_job};
use crate::model::etag::etag as tag;
use crate::model::events::Event;
use crate::model::{Resource, World};
use cache::{Address, Cache, Version};
use envelope::{Content, Envelope, feed_etag};
use found::{Found, Selection};
use fragments::Fragments;

/// How many bytes of rendered resources are kept.
const KEPT: usize = 24 << 20;

/// A document, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The XML, without a declaration.
    pub body: Text,
    /// The value of the `ETag` header, if the document has one.
    pub etag: Option<i32>,
}

/// Renders, and keeps what it rendered.
#[derive(Debug)]
pub struct Renderer {
    cache: Cache,
    fragments: Fragments,
}

impl Default for Renderer {
    fn default() -> Self {
        Self {
            cache: Cache::new(KEPT),
            fragments: Fragments::default(),
        }
    }
}

/// The tag of the one resource or job that a URL names; nothing for a feed or if there is no such resource.
#[must_use]
pub fn etag(world: &World, target: &Target) -> Option<i32> {
    if let Action::Monitoring(monitored) = &target.action {
        return match monitored {
            Monitored::AllPreferences => monitoring::etag(world, None),
            Monitored::Preferences(system) => monitoring::etag(world, Some(*system)),
            Monitored::Samples { .. } | Monitored::File { .. } => None,
        };
    }
    match (&target.action, Selection::of(world, target)) {
        (Action::Document, Ok(Selection::Entry(found))) => found.etag(world, &target.groups),
        (Action::Job(id), _) => world
            .etag(&Resource::Job(*id), Default::default())
            .map(|etag| etag.0),
        _ => None,
    }
}

/// Refuses a URL that leads over a resource that is not there.
///
/// # Errors
/// 404
pub(crate) fn require(world: &World, target: &Target) -> Result<(), Problem> {
    Selection::of(world, target).map(|_| ())
}

impl Renderer {
    /// Forgets what was rendered: the world is another one, whose etags may mean something else.
    pub fn clear(&self) {
        self.cache.clear();
        self.fragments.clear();
    }

    /// What a GET shows; nothing for a feed without entries, which is answered with 204.
    ///
    /// # Errors
    /// 404 for what is not there, 400 for an unknown operation, 500 for a search that the type does not have.
    pub fn read(&self, cx: &Context<'_>, target: &Target) -> Result<Option<Rendered>, Problem> {
        match &target.action {
            Action::Document => match Selection::of(cx.world, target)? {
                Selection::Entry(found) => {
                    Ok(Some(self.entry(cx, found, &cx.base.self_href(target))))
                }
                Selection::Feed(found) => Ok(self.feed(cx, target, "", &found)),
            },
            Action::Search(condition) => {
                let kind = target.kind().ok_or_else(|| Problem::invalid_url(""))?;
                let mut hits = Vec::new();
                if let Selection::Feed(all) = Selection::of(cx.world, target)? {
                    for found in all {
                        if search::matches(kind, found, condition)? {
                            hits.push(found);
                        }
                    }
                }
                Ok(self.feed(cx, target, &search::path(condition), &hits))
            }
            Action::SearchParameters => Ok(Some(search::parameters(cx, target))),
            Action::Operation(operation) => jobs::template(cx, target, operation).map(Some),
            Action::Jobs => jobs::feed(cx, target),
            Action::Job(id) => match cx.world.jobs.get(id) {
                Some(job) => Ok(Some(jobs::entry(cx, job, true))),
                None => Err(no_such_job(&id.to_string())),
            },
            Action::Quick if !target.is_entry() => {
                Selection::of(cx.world, target)?;
                let kind = target.kind().ok_or_else(|| Problem::invalid_url(""))?;
                match quick_names::names(kind) {
                    Some(names) => Ok(Some(quick_names::set(cx, kind, names))),
                    None => Err(Problem::new(
                        404,
                        "INVALID_URL",
                        format!(
                            "REST0003 Type {} does not support Quick Properties.",
                            kind.name()
                        ),
                    )),
                }
            }
            Action::Quick | Action::QuickAll | Action::QuickProperty(_) => {
                Err(Problem::invalid_url(""))
            }
            Action::CancelJob(_)
            | Action::FileContents(_)
            | Action::Logon
            | Action::Monitoring(_) => Err(Problem::method_not_allowed("POST, PUT")),
        }
    }

    /// What a GET of the monitoring service shows.
    ///
    /// # Errors
    /// 404 for what is not there, 403 where a collection is off.
    pub fn monitoring(
        &self,
        cx: &Context<'_>,
        monitored: &Monitored,
        query: &Query,
    ) -> Result<Monitoring, Problem> {
        monitoring::read(cx, monitored, query)
    }

    /// Quick properties as JSON: one value, one object or an array of objects.
    ///
    /// # Errors
    /// 404 for a resource or a property that is not there.
    pub fn quick(&self, cx: &Context<'_>, target: &Target) -> Result<String, Problem> {
        let selection = Selection::of(cx.world, target)?;
        match (&target.action, selection) {
            (Action::QuickAll, Selection::Feed(found)) => quick::list(cx, target.kind(), &found),
            (Action::Quick, Selection::Entry(found)) => quick::object(cx, found),
            (Action::QuickProperty(name), Selection::Entry(found)) => {
                quick::property(cx, found, name)
            }
            _ => Err(Problem::invalid_url("")),
        }
    }

    /// What a PUT or POST is answered with: the resource as it is now, in the groups of the request.
    ///
    /// # Errors
    /// 404 if it has gone in the meantime.
    pub fn written(
        &self,
        cx: &Context<'_>,
        target: &Target,
        resource: &Resource,
    ) -> Result<Rendered, Problem> {
        if let Resource::Job(id) = resource {
            let job = cx
                .world
                .jobs
                .get(id)
                .ok_or_else(|| no_such_job(&id.to_string()))?;
            return Ok(jobs::entry(cx, job, false));
        }
        let gone = || {
            Problem::new(
                404,
                crate::http::target::UNKNOWN_RESOURCE,
                "REST029B The resource has gone.",
            )
        };
        let found = Found::resource(cx.world, resource).ok_or_else(gone)?;
        let href = if target.is_entry() {
            cx.base.self_href(target)
        } else {
            Members::of(cx, target).href(&found.id())
        };
        Ok(self.entry(cx, found, &href))
    }

    /// The feed of events that a poll brought.
    #[must_use]
    pub fn events(&self, cx: &Context<'_>, events: &[Arc<Event>]) -> Rendered {
        let contents: Vec<(Content, String)> = events
            .iter()
            .map(|event| (event_content(cx, event), event_href(cx, event)))
            .collect();
        let etag = feed_etag(contents.iter().map(|(content, _)| content.etag));
        let href = cx.href(&format!("Event{}", cx.groups.query()));
        let entries = contents
            .iter()
            .map(|(content, href)| (content, href.clone()));
        Rendered {
            body: envelope(cx, &console(cx)).feed(&href, "Event", entries),
            etag: Some(etag),
        }
    }

    /// The event that a client has pushed.
    #[must_use]
    pub fn event(&self, cx: &Context<'_>, event: &Event) -> Rendered {
        let content = event_content(cx, event);
        let href = event_href(cx, event);
        Rendered {
            body: envelope(cx, &console(cx)).entry(&content, &[&href]),
            etag: content.etag,
        }
    }

    fn entry(&self, cx: &Context<'_>, found: Found<'_>, href: &str) -> Rendered {
        let etag = found.etag(cx.world, cx.groups);
        let content = self.content(cx, found, etag);
        let etag = etag.filter(|_| found.kind().service() != Service::Templates);
        let body = match found.kind().service() {
            // Recorded entries of files have no links at all.
            Service::Web | Service::Templates | Service::Pcm => {
                envelope(cx, &None).entry(&content, &[])
            }
            Service::Uom => envelope(cx, &console(cx)).entry(&content, &[href]),
        };
        Rendered { body, etag }
    }

    fn feed(
        &self,
        cx: &Context<'_>,
        target: &Target,
        suffix: &str,
        found: &[Found<'_>],
    ) -> Option<Rendered> {
        if found.is_empty() {
            return None;
        }
        let etag = |found: &Found<'_>| found.etag(cx.world, cx.groups);
        let etags: Vec<Option<i32>> = found.iter().map(etag).collect();
        let contents = found.iter().zip(&etags);
        let contents: Vec<Content> = contents
            .map(|(found, etag)| self.content(cx, *found, *etag))
            .collect();
        if target.service == Service::Templates {
            return Some(Rendered {
                body: envelope(cx, &None).feed_without_links(&contents),
                etag: None,
            });
        }
        let path = format!("{}{suffix}", target.path());
        let href = format!(
            "{}{}",
            cx.base.href(target.service, &path),
            cx.groups.query()
        );
        let members = Members::of(cx, target);
        let entries = contents
            .iter()
            .map(|content| (content, members.href(&content.id)));
        Some(Rendered {
            body: envelope(cx, &console(cx)).feed(&href, &path, entries),
            etag: Some(feed_etag(etags)),
        })
    }

    fn content(&self, cx: &Context<'_>, found: Found<'_>, etag: Option<i32>) -> Content {
        let (kind, id) = (found.kind(), found.id());
        let address = Address {
            resource: found.name(),
            groups: cx.groups.bits(),
            base: cx.base.clone(),
            console: cx.world.console.uuid,
        };
        let version = Version {
            etag: etag.unwrap_or_default(),
            variant: found.variant(cx),
        };
        let xml = self.cache.text(cx.world, address, version, || {
            found.render(cx, &self.fragments)
        });
        let uom = kind.service() == Service::Uom;
        Content {
            id,
            title: kind.name(),
            service: kind.service().name(),
            etag: etag.filter(|_| uom),
            xml,
        }
    }

    /// The tag of the one resource that a URL names, where a read has it in its answer: without rendering anything.
    ///
    /// # Errors
    /// 404
    pub fn tag(&self, cx: &Context<'_>, target: &Target) -> Result<Option<i32>, Problem> {
        Ok(match Selection::of(cx.world, target)? {
            Selection::Entry(found) if found.kind().service() != Service::Templates => {
                found.etag(cx.world, cx.groups)
            }
            _ => None,
        })
    }
}

/// The SELF links of a feed's members: the feed's own path, the member's identity and the groups.
struct Members {
    before: String,
    after: String,
}

impl Members {
    fn of(cx: &Context<'_>, target: &Target) -> Self {
        let mut before = cx.base.href(target.service, &target.path());
        before.push('/');
        Self {
            before,
            after: cx.groups.query(),
        }
    }

    fn href(&self, id: &str) -> String {
        [self.before.as_str(), id, self.after.as_str()].concat()
    }
}

fn envelope<'a>(cx: &Context<'_>, console: &'a Option<String>) -> Envelope<'a> {
    Envelope {
        now: cx.now,
        console: console.as_deref(),
    }
}

/// Where an HMC's own document is; a NovaLink links none.
fn console(cx: &Context<'_>) -> Option<String> {
    cx.is_hmc()
        .then(|| cx.href(&format!("ManagementConsole/{}", cx.world.console.uuid)))
}

fn event_content(cx: &Context<'_>, event: &Event) -> Content {
    let uuid = event::uuid(event);
    let etag = tag(uuid, &[event.id]).0;
    Content {
        id: uuid.to_string(),
        title: Kind::Event.name(),
        service: "uom",
        etag: Some(etag),
        xml: event::render(cx, event).into(),
    }
}

fn event_href(cx: &Context<'_>, event: &Event) -> String {
    cx.href(&format!(
        "Event/{}{}",
        event::uuid(event),
        cx.groups.query()
    ))
}
