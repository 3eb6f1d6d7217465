//! `Event`. Recording `event_feed`.

use uuid::Uuid;

use super::context::{Context, upper};
use super::resource::path;
use super::writer::{ROR, UOM};
use crate::http::target::Service;
use crate::model::Resource;
use crate::model::events::{Event, EventData};

/// The identity of an event's entry, made from its number.
pub(crate) fn uuid(event: &Event) -> Uuid {
    Uuid::new_v3(&Uuid::NAMESPACE_OID, &event.id.to_be_bytes())
}

/// The resource's own element.
pub(crate) fn render(cx: &Context<'_>, event: &Event) -> String {
    let mut w = cx.writer(1024);
    w.root(
        "Event",
        UOM,
        Some((&uuid(event).to_string(), cx.created())),
        |w| {
            w.value("EventType", ROR, event.kind);
            w.value("EventID", ROR, event.id);
            w.text("EventData", ROR, &data(cx, &event.data));
            w.text("EventDetail", ROR, &event.detail);
        },
    );
    w.finish()
}

/// A resource's URI; partitions and Virtual I/O Servers under their system.
fn data(cx: &Context<'_>, data: &EventData) -> String {
    match data {
        EventData::None => String::new(),
        EventData::Text(text) => text.clone(),
        EventData::Resource {
            resource: Resource::LogicalPartition(uuid),
            system: Some(system),
        } => cx.href(&format!(
            "ManagedSystem/{system}/LogicalPartition/{}",
            upper(*uuid)
        )),
        EventData::Resource {
            resource: Resource::VirtualIoServer(uuid),
            system: Some(system),
        } => cx.href(&format!(
            "ManagedSystem/{system}/VirtualIOServer/{}",
            upper(*uuid)
        )),
        EventData::Resource {
            resource: resource @ Resource::PcmPreference(_),
            ..
        } => cx.base.href(Service::Pcm, &path(resource)),
        EventData::Resource { resource, .. } => cx.href(&path(resource)),
    }
}
