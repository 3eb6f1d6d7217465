//! The event log, and a reading position for each application (`docs/protocol/events.md`).

use imbl::OrdMap;
use std::sync::Arc;
use uuid::Uuid;

use super::names::EventKind;
use super::resource::Resource;
use crate::clock::Millis;

/// How many events are kept for readers that lag behind.
pub const RETAINED: usize = 4096;
/// How many applications may have a reading position at once; the longest idle one is dropped for a new one.
pub const APPLICATIONS: usize = 256;
/// How long an application may stay away before its position is dropped, in milliseconds.
pub const IDLE: u64 = 3_600_000;

/// `Event`
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `EventID`: 13 decimal digits, rising by one.
    pub id: u64,
    /// When it happened.
    pub at: Millis,
    /// `EventType`
    pub kind: EventKind,
    /// `EventData`
    pub data: EventData,
    /// `EventDetail`: property names separated by commas, or a client's own text.
    pub detail: String,
}

/// What an event is about.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub enum EventData {
    /// Nothing, as with `NEW_CLIENT`.
    None,
    /// A resource; partitions stand under their system's URI.
    Resource {
        /// The resource.
        resource: Resource,
        /// The managed system whose URI comes first, for partitions and Virtual I/O Servers.
        system: Option<Uuid>,
    },
    /// A client's own text.
    Text(String),
}

/// Events and readers.
#[derive(serde::Serialize, serde::Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct EventLog {
    events: OrdMap<u64, Arc<Event>>,
    next: u64,
    readers: OrdMap<String, Reader>,
}

#[derive(serde::Serialize, serde::Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
struct Reader {
    next: u64,
    polled: Millis,
    /// Whether events before `next` were lost that it has not seen.
    #[serde(default)]
    missed: bool,
}

impl EventLog {
    /// An empty log whose ids count up from `first`.
    #[must_use]
    pub fn new(first: u64) -> Self {
        Self {
            events: OrdMap::new(),
            next: first,
            readers: OrdMap::new(),
        }
    }

    /// Appends an event; the oldest one goes if there are too many.
    pub fn push(
        &mut self,
        at: Millis,
        kind: EventKind,
        data: EventData,
        detail: impl Into<String>,
    ) -> Arc<Event> {
        let event = Arc::new(self.make(at, kind, data, detail.into()));
        self.events.insert(event.id, Arc::clone(&event));
        while self.events.len() > RETAINED {
            let oldest = self.events.get_min().map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.events.remove(&oldest);
            }
        }
        event
    }

    /// The events that `application` has not seen; seeing them is acknowledging them.
    ///
    /// A new application gets exactly one `NEW_CLIENT`, one that lagged too far behind `MISSING_EVENTS` and what is
    /// left. An empty answer means: wait.
    pub fn take(&mut self, now: Millis, application: &str) -> Vec<Arc<Event>> {
        let Some(reader) = self.readers.get(application).copied() else {
            self.admit(now);
            let event = self.make(now, EventKind::NewClient, EventData::None, String::new());
            self.readers.insert(
                application.to_owned(),
                Reader {
                    next: self.next,
                    polled: now,
                    missed: false,
                },
            );
            return vec![Arc::new(event)];
        };
        let mut taken: Vec<Arc<Event>> = self
            .events
            .range(reader.next..)
            .map(|(_, event)| Arc::clone(event))
            .collect();
        if reader.missed || self.lost(reader.next) {
            let missing = self.make(
                now,
                EventKind::MissingEvents,
                EventData::None,
                String::new(),
            );
            taken.insert(0, Arc::new(missing));
        }
        self.readers.insert(
            application.to_owned(),
            Reader {
                next: self.next,
                polled: now,
                missed: false,
            },
        );
        taken
    }

    /// Whether [`EventLog::take`] would yield anything for this application.
    #[must_use]
    pub fn has_news(&self, application: &str) -> bool {
        self.readers
            .get(application)
            .is_none_or(|reader| reader.missed || self.events.range(reader.next..).next().is_some())
    }

    /// Drops all events, as a server does that runs out of room for them: each application's next poll says
    /// `MISSING_EVENTS`.
    pub fn lose(&mut self) {
        // One that nobody ever sees: this, too, is news for who waits.
        self.next += 1;
        self.events.clear();
        let next = self.next;
        self.readers = self
            .readers
            .iter()
            .map(|(name, reader)| {
                let reader = Reader {
                    next,
                    missed: true,
                    ..*reader
                };
                (name.clone(), reader)
            })
            .collect();
    }

    /// Drops the reading position of an application, as at the end of its session.
    pub fn forget(&mut self, application: &str) {
        self.readers.remove(application);
    }

    /// The events that are kept, oldest first.
    pub fn events(&self) -> impl Iterator<Item = &Arc<Event>> {
        self.events.values()
    }

    /// The id that the next event will have.
    #[must_use]
    pub const fn next_id(&self) -> u64 {
        self.next
    }

    /// Ids below the oldest kept event are gaps only if the log has been full: markers take ids as well.
    fn lost(&self, next: u64) -> bool {
        self.events.len() >= RETAINED
            && self
                .events
                .get_min()
                .is_some_and(|(oldest, _)| next < *oldest)
    }

    fn make(&mut self, at: Millis, kind: EventKind, data: EventData, detail: String) -> Event {
        let id = self.next;
        self.next += 1;
        Event {
            id,
            at,
            kind,
            data,
            detail,
        }
    }

    fn admit(&mut self, now: Millis) {
        let stays = |reader: &Reader| now.0.saturating_sub(reader.polled.0) <= IDLE;
        self.readers = self
            .readers
            .iter()
            .filter(|(_, reader)| stays(reader))
            .map(|(name, reader)| (name.clone(), *reader))
            .collect();
        while self.readers.len() >= APPLICATIONS {
            let idle = self
                .readers
                .iter()
                .min_by_key(|(_, reader)| reader.polled)
                .map(|(name, _)| name.clone());
            if let Some(idle) = idle {
                self.readers.remove(&idle);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(log: &mut EventLog, at: u64) -> u64 {
        log.push(Millis(at), EventKind::ModifyUri, EventData::None, "Other")
            .id
    }

    fn kinds(events: &[Arc<Event>]) -> Vec<EventKind> {
        events.iter().map(|event| event.kind).collect()
    }

    #[test]
    fn a_new_application_is_greeted_once() {
        let mut log = EventLog::new(1000);
        push(&mut log, 1);
        assert!(log.has_news("a"));
        assert_eq!(kinds(&log.take(Millis(1), "a")), [EventKind::NewClient]);
        assert!(!log.has_news("a"));
        assert!(log.take(Millis(2), "a").is_empty());
        let id = push(&mut log, 3);
        let events = log.take(Millis(3), "a");
        assert_eq!(
            events.iter().map(|event| event.id).collect::<Vec<_>>(),
            [id]
        );
        assert!(log.take(Millis(4), "a").is_empty());
    }

    #[test]
    fn each_application_reads_for_itself() {
        let mut log = EventLog::new(1000);
        log.take(Millis(1), "a");
        push(&mut log, 2);
        log.take(Millis(3), "b");
        assert_eq!(log.take(Millis(4), "a").len(), 1);
        assert!(log.take(Millis(4), "b").is_empty());
    }

    #[test]
    fn whoever_lags_behind_is_told() {
        let mut log = EventLog::new(1000);
        log.take(Millis(1), "slow");
        log.take(Millis(1), "fast");
        push(&mut log, 2);
        log.take(Millis(2), "fast");
        for at in 0..RETAINED as u64 {
            push(&mut log, at);
        }
        assert_eq!(log.events().count(), RETAINED);
        let events = log.take(Millis(9), "slow");
        assert_eq!(events[0].kind, EventKind::MissingEvents);
        assert_eq!(events.len(), RETAINED + 1);
        assert_eq!(log.take(Millis(9), "fast").len(), RETAINED);
        assert!(log.take(Millis(10), "slow").is_empty());
    }

    #[test]
    fn what_is_lost_is_told_once_to_each() {
        let mut log = EventLog::new(1000);
        log.take(Millis(1), "a");
        log.take(Millis(1), "b");
        push(&mut log, 2);
        log.take(Millis(2), "b");
        let before = log.next_id();
        log.lose();
        assert!(log.has_news("a") && log.next_id() > before);
        assert_eq!(kinds(&log.take(Millis(3), "a")), [EventKind::MissingEvents]);
        assert!(!log.has_news("a") && log.take(Millis(4), "a").is_empty());
        push(&mut log, 5);
        assert_eq!(
            kinds(&log.take(Millis(5), "b")),
            [EventKind::MissingEvents, EventKind::ModifyUri]
        );
        assert_eq!(kinds(&log.take(Millis(5), "c")), [EventKind::NewClient]);
    }

    #[test]
    fn the_longest_idle_application_makes_room() {
        let mut log = EventLog::new(1);
        for reader in 0..APPLICATIONS as u64 {
            log.take(Millis(reader), &format!("reader {reader}"));
        }
        log.take(Millis(1_000), "one more");
        assert_eq!(
            kinds(&log.take(Millis(1_001), "reader 0")),
            [EventKind::NewClient]
        );
        assert!(log.take(Millis(1_001), "reader 200").is_empty());
    }

    #[test]
    fn ids_rise_by_one() {
        let mut log = EventLog::new(1_767_225_600_000);
        let first = push(&mut log, 1);
        assert_eq!(push(&mut log, 1), first + 1);
        assert_eq!(first.to_string().len(), 13);
    }
}
