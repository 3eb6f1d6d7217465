//! What happens in the machine room, as it happens: server-sent events, for pages and tools that follow the world.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::operation::Operation;
use super::reply::number;
use super::{Admin, refusal};
use crate::clock::Millis;
use crate::model::events::{Event, EventData};
use crate::render::resource::path;
use crate::simulator::Simulator;

/// The media type of the stream.
const MEDIA_TYPE: &str = "text/event-stream";
/// How many streams there may be at a time.
const MOST_STREAMS: usize = 64;
/// After how long a stream looks again in any case: what is due may have changed without an event.
const LOOK: Duration = Duration::from_secs(1);

/// The streams that are open.
#[derive(Debug, Default)]
pub(super) struct Streams(AtomicUsize);

/// The place of one stream, given back when it ends.
#[derive(Debug)]
struct Place(Arc<Streams>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Place {
    fn take(streams: &Arc<Streams>) -> Option<Self> {
        let more = |open: usize| (open < MOST_STREAMS).then_some(open + 1);
        let taken = streams
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        taken.is_ok().then(|| Self(Arc::clone(streams)))
    }
}

/// Where a stream begins, and where it begins anew after a snapshot was loaded.
#[derive(Serialize, JsonSchema)]
struct Begin {
    /// Rises with every change of the world.
    generation: u64,
    /// The simulated present, in milliseconds since 1970.
    now: u64,
    /// The number of the last change so far.
    last: u64,
}

/// A change of one resource.
#[derive(Serialize, JsonSchema)]
struct Change {
    /// The world's generation when this was told.
    generation: u64,
    /// When it happened, in milliseconds of simulated time since 1970.
    at: u64,
    /// Such as `ADD_URI`.
    kind: &'static str,
    /// Such as `LogicalPartition/<uuid>`; absent if it is about no resource.
    resource: Option<String>,
    /// The properties that changed, separated by commas, or a client's own text.
    detail: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get(
            "/events",
            "What changes, as server-sent events: `begin` with {generation, now, last} first and whenever the past \
             changes, then `change` with {generation, at, kind, resource, detail} for each change of a resource",
            follow,
        )
        .query("after", "begin after the change with this number; with what comes if absent")
        .text(MEDIA_TYPE)
        .refuses(409, "there are 64 streams already"),
    ]
}

/// A reader of the world's events.
struct Follower {
    simulator: Simulator,
    next: u64,
    waiting: VecDeque<sse::Event>,
    _place: Place,
}

async fn follow(State(admin): State<Admin>, request: Request) -> Response {
    let after = match number(&request, "after", u64::MAX) {
        Ok(after) => after,
        Err(refusal) => return *refusal,
    };
    let Some(place) = Place::take(&admin.streams) else {
        let text = format!("there are {MOST_STREAMS} streams already; end one first");
        return refusal(StatusCode::CONFLICT, &text);
    };
    let world = admin.simulator.world();
    let mut follower = Follower {
        next: after.saturating_add(1).min(world.events.next_id()),
        simulator: admin.simulator,
        waiting: VecDeque::new(),
        _place: place,
    };
    follower.begin();
    let changes = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(changes).keep_alive(alive).into_response()
}

impl Follower {
    fn begin(&mut self) {
        let world = self.simulator.world();
        let begin = Begin {
            generation: world.generation,
            now: self.simulator.now().0,
            last: world.events.next_id().saturating_sub(1),
        };
        self.waiting.push_back(told("begin", &begin));
    }

    async fn next(&mut self) -> sse::Event {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return event;
            }
            let simulator = self.simulator.clone();
            let news = simulator.shared().events.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let world = simulator.world();
            let last = world.events.next_id();
            if last < self.next {
                // A snapshot was loaded: what was told has not happened.
                self.next = last;
                self.begin();
                continue;
            }
            let fresh = world.events.events().filter(|event| event.id >= self.next);
            let changes: Vec<_> = fresh.map(|event| change(world.generation, event)).collect();
            self.waiting.extend(changes);
            self.next = last;
            if !self.waiting.is_empty() {
                continue;
            }
            let due = world.next_due();
            let happens = simulator.clock().wait_until(due.unwrap_or(Millis::EPOCH));
            tokio::select! {
                () = happens, if due.is_some() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = news => {}
            }
        }
    }
}

fn change(generation: u64, event: &Event) -> sse::Event {
    let resource = match &event.data {
        EventData::Resource { resource, .. } => Some(path(resource)),
        EventData::None | EventData::Text(_) => None,
    };
    let change = Change {
        generation,
        at: event.at.0,
        kind: event.kind.as_str(),
        resource,
        detail: event.detail.clone(),
    };
    told("change", &change).id(event.id.to_string())
}

fn told(name: &str, data: &impl Serialize) -> sse::Event {
    // Our own structures of numbers and texts are always JSON.
    let data = serde_json::to_string(data).unwrap_or_default();
    sse::Event::default().event(name).data(data)
}
