//! Between HTTP and the documents: what a read shows, what a body asks for, what a change is answered with.
//!
//! The one place that calls the render and accept modules.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::header::IF_NONE_MATCH;
use http::{Method, Response};

use super::conditional;
use super::exchange::Exchange;
use super::problem::Problem;
use super::respond;
use super::target::{Action, Target};
use crate::accept;
use crate::clock::Millis;
use crate::model::events::Event;
use crate::model::{Command, Outcome, Resource, World};
use crate::render::{Context, Monitoring, Rendered};

/// Answers a GET of anything that is a document or JSON.
pub(crate) fn read(exchange: &Exchange, target: &Target) -> Result<Response<Body>, Problem> {
    let now = exchange.simulator.now();
    let world = exchange.simulator.world_at(now);
    let cx = context(exchange, target, &world, now);
    let renderer = &exchange.simulator.shared().renderer;
    if target.action == Action::Document && exchange.headers.contains_key(IF_NONE_MATCH) {
        // Who has it already gets no document, so none is made.
        let unchanged = |etag: &i32| conditional::is_unchanged(&exchange.headers, *etag);
        if let Some(etag) = renderer.tag(&cx, target)?.filter(unchanged) {
            return Ok(respond::not_modified(etag));
        }
    }
    match &target.action {
        Action::QuickAll | Action::QuickProperty(_) => {
            Ok(respond::json(renderer.quick(&cx, target)?))
        }
        Action::Monitoring(monitored) => {
            Ok(match renderer.monitoring(&cx, monitored, &target.query)? {
                Monitoring::Preferences { body, etag } => document(
                    exchange,
                    Rendered {
                        body: body.into(),
                        etag: Some(etag),
                    },
                ),
                Monitoring::Samples { body, newest } => respond::samples(body, newest),
                Monitoring::File { body, name } => respond::measurements(body, &name),
            })
        }
        Action::Quick if target.is_entry() => Ok(respond::json(renderer.quick(&cx, target)?)),
        _ => match renderer.read(&cx, target)? {
            None => Ok(respond::no_content()),
            Some(rendered) => Ok(document(exchange, rendered)),
        },
    }
}

/// The feed of events that a poll brought; 204 if none.
pub(crate) fn events(
    exchange: &Exchange,
    target: &Target,
    events: &[Arc<Event>],
) -> Response<Body> {
    if events.is_empty() {
        return respond::no_content();
    }
    let now = exchange.simulator.now();
    let world = exchange.simulator.world_at(now);
    let cx = context(exchange, target, &world, now);
    document(
        exchange,
        exchange.simulator.shared().renderer.events(&cx, events),
    )
}

/// A change that a request asks for, as far as its body tells without the world.
pub(crate) struct Change {
    request: accept::Request,
}

/// Reads the body of a change.
pub(crate) fn change(exchange: &Exchange, target: &Target, body: Bytes) -> Result<Change, Problem> {
    Ok(Change {
        request: accept::request(&exchange.method, target, &body)?,
    })
}

impl Change {
    /// 412 if the change was made from another state than the present one.
    pub(crate) fn require_match(
        &self,
        exchange: &Exchange,
        target: &Target,
        world: &World,
    ) -> Result<(), Problem> {
        conditional::require_match(&exchange.headers, crate::render::etag(world, target))
    }

    /// What the change means in this world.
    pub(crate) fn command(&self, target: &Target, world: &World) -> Result<Command, Problem> {
        self.request.command(target, world)
    }
}

/// Answers a change with what it made.
pub(crate) fn written(
    exchange: &Exchange,
    target: &Target,
    outcome: &Outcome,
) -> Result<Response<Body>, Problem> {
    let now = exchange.simulator.now();
    let world = exchange.simulator.world_at(now);
    let cx = context(exchange, target, &world, now);
    let renderer = &exchange.simulator.shared().renderer;
    match outcome {
        Outcome::Written(Resource::PcmPreference(_)) => read(exchange, target),
        Outcome::Written(resource) => {
            Ok(document(exchange, renderer.written(&cx, target, resource)?))
        }
        Outcome::Event(event) => Ok(document(exchange, renderer.event(&cx, event))),
        Outcome::Deleted(_) | Outcome::Done | Outcome::Events(_) => Ok(respond::no_content()),
    }
}

fn document(exchange: &Exchange, rendered: Rendered) -> Response<Body> {
    let is_read = exchange.method == Method::GET;
    match rendered.etag {
        Some(etag) if is_read && conditional::is_unchanged(&exchange.headers, etag) => {
            respond::not_modified(etag)
        }
        etag => respond::document(rendered.body, respond::negotiated(&exchange.headers), etag),
    }
}

fn context<'a>(
    exchange: &'a Exchange,
    target: &'a Target,
    world: &'a World,
    now: Millis,
) -> Context<'a> {
    Context {
        world,
        base: &exchange.base,
        groups: &target.groups,
        detail: target.wants_detail(),
        now,
    }
}
