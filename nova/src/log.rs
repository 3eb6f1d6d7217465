//! What the driver logs, on its way to Python's logging.
//!
//! Python's logging is not called from here: its locks belong to Python's threads, or green threads. Records wait in a
//! queue of limited length until Python fetches them; what does not fit is counted, and the count is told.

use std::collections::VecDeque;
use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::call::Call;
use crate::trouble::Trouble;

/// Records that wait at most.
const MOST: usize = 4096;
/// Characters of a record at most.
const LONGEST: usize = 8192;

/// A record.
#[derive(Debug, Serialize)]
struct Record {
    /// As Python's logging counts: 10 debug, 20 info, 30 warning, 40 error.
    level: u8,
    /// Who says it.
    target: String,
    /// What.
    message: String,
    /// The call that it belongs to.
    call: Option<u64>,
}

#[derive(Debug, Default)]
struct Queue {
    records: VecDeque<Record>,
    lost: u64,
}

/// Where records wait.
#[derive(Debug)]
pub struct Log {
    queue: Mutex<Queue>,
    more: Notify,
    least: AtomicU8,
}

impl Log {
    /// The one of this process. From now on it takes what is logged at this level (as Python counts) and above.
    pub fn listen(least: u8) -> Arc<Self> {
        static LOG: OnceLock<Arc<Log>> = OnceLock::new();
        let log = LOG.get_or_init(|| {
            let log = Arc::new(Self::new());
            let layer = Listener(Arc::clone(&log));
            let subscriber = tracing_subscriber::registry().with(layer);
            // Whoever listens already goes on to do so.
            let _ = tracing::subscriber::set_global_default(subscriber);
            log
        });
        log.least.store(least, Ordering::Relaxed);
        Arc::clone(log)
    }

    fn new() -> Self {
        Self {
            queue: Mutex::default(),
            more: Notify::new(),
            least: AtomicU8::new(20),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, record: Record) {
        let mut queue = self.queue();
        if queue.records.len() < MOST {
            queue.records.push_back(record);
        } else {
            queue.lost += 1;
        }
        drop(queue);
        self.more.notify_one();
    }

    /// All that waits.
    fn take(&self) -> Vec<Record> {
        let mut queue = self.queue();
        let mut records: Vec<Record> = queue.records.drain(..).collect();
        if std::mem::take(&mut queue.lost) > 0 {
            records.push(Record {
                level: 30,
                target: "powervm".to_owned(),
                message: "records of the log were lost: there were too many".to_owned(),
                call: None,
            });
        }
        records
    }

    /// Waits for records and gives all that there are; none once it is cancelled.
    ///
    /// # Errors
    /// As [`Call::start`].
    pub fn records(self: &Arc<Self>, stop: &CancellationToken) -> Result<Call<Value>, Trouble> {
        let log = Arc::clone(self);
        Call::start(stop, |cancel| async move {
            loop {
                let records = log.take();
                if !records.is_empty() || cancel.is_cancelled() {
                    return Ok(json!(records));
                }
                tokio::select! {
                    () = cancel.cancelled() => {}
                    () = log.more.notified() => {}
                }
            }
        })
    }
}

struct Listener(Arc<Log>);

/// The number of a call, kept with its span.
struct Number(u64);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Listener {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        let is_ours = metadata.target().starts_with("powervm");
        is_ours
            && (metadata.is_span()
                || level_of(*metadata.level()) >= self.0.least.load(Ordering::Relaxed))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut found = Words::default();
        attributes.record(&mut found);
        if let (Some(number), Some(span)) = (found.number, context.span(id)) {
            span.extensions_mut().replace(Number(number));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let mut scope = context.event_scope(event).into_iter().flatten();
        let call = scope.find_map(|span| Some(span.extensions().get::<Number>()?.0));
        let mut message = words.message + &words.rest;
        if message.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| message.is_char_boundary(*at));
            message.truncate(end.unwrap_or(0));
            message.push('…');
        }
        self.0.put(Record {
            level: level_of(*event.metadata().level()),
            target: event.metadata().target().replace("::", "."),
            message,
            call,
        });
    }
}

fn level_of(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

/// The words of a record, and the number of a call.
#[derive(Default)]
struct Words {
    message: String,
    rest: String,
    number: Option<u64>,
}

impl Visit for Words {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "number" {
            self.number = Some(value);
        }
        self.record_debug(field, &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a String does not fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.rest, " {}={value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_level_words_and_call() {
        let log = Arc::new(Log::new());
        let subscriber = tracing_subscriber::registry().with(Listener(Arc::clone(&log)));
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::info_span!(target: "powervm_nova", "call", number = 7_u64);
            let _entered = span.enter();
            tracing::info!(target: "powervm_driver::saga", step = "map", "began");
            tracing::debug!(target: "powervm_driver::saga", "too quiet");
            tracing::info!(target: "hyper", "somebody else's");
        });
        let records = log.take();
        let [record] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!((record.level, record.call), (20, Some(7)));
        assert_eq!(record.target, "powervm_driver.saga");
        assert_eq!(record.message, "began step=map");
    }

    #[test]
    fn too_many_records_are_lost_and_told_of() {
        let log = Log::new();
        for _ in 0..=MOST {
            log.put(Record {
                level: 20,
                target: String::new(),
                message: String::new(),
                call: None,
            });
        }
        let records = log.take();
        assert_eq!(records.len(), MOST + 1);
        assert!(records[MOST].message.contains("lost"));
        assert!(log.take().is_empty());
    }
}
