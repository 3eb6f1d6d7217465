//! The event log of a run, and everything that is made of it.
//!
//! Whoever runs tests appends [`event::Entry`]s to a log with [`log::EventWriter`], a JSON object a line. Everything
//! else is made from such a log, at once or later: [`results::Results`] is what it comes to, and [`table`], [`junit`],
//! [`subunit`], [`html`] and [`tree`] render that. `docs/reports.md` describes the lines for producers in other
//! languages.
//!
//! Nothing here knows of drivers, simulators or clocks: moments are handed in with the events.

pub mod event;
pub mod html;
pub mod junit;
pub mod log;
pub mod moment;
pub mod results;
pub mod scrub;
pub mod stats;
pub mod subunit;
pub mod table;
pub mod tree;
