//! Events: what changed on a server.

use crate::view::{spelled, view};

spelled! {
    /// What happened.
    pub enum EventType {
        InvalidUri = "INVALID_URI",
        /// Forget everything read so far.
        CacheCleared = "CACHE_CLEARED",
        /// Events were lost: read everything again.
        MissingEvents = "MISSING_EVENTS",
        AddUri = "ADD_URI",
        ModifyUri = "MODIFY_URI",
        DeleteUri = "DELETE_URI",
        RebuildComplete = "REBUILD_COMPLETE",
        /// The first of a new listener.
        NewClient = "NEW_CLIENT",
        HiddenUri = "HIDDEN_URI",
        VisibleUri = "VISIBLE_URI",
        /// What a client sent to the others.
        CustomClientEvent = "CUSTOM_CLIENT_EVENT",
    }
}

view! {
    /// One change. Source: the recording `event_feed.txt`.
    pub struct Event = "Event" in Uom {
        "EventType" value(EventType) event_type set_event_type;
        /// Grows; a decimal number of 13 digits.
        "EventID" value(u64) id set_id;
        /// Absolute URI of the object; free in custom events, empty in `NEW_CLIENT`.
        "EventData" text data set_data;
        /// Names of what changed, separated by commas.
        "EventDetail" text detail set_detail;
    }
}
