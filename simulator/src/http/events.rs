//! The event queue: a long poll, and clients' own events (`docs/protocol/events.md`).

use std::sync::Arc;
use std::time::Duration;

use super::exchange::Exchange;
use super::problem::Problem;
use super::target::Target;
use crate::model::events::Event;
use crate::model::{Command, Outcome};

/// How long a poll waits for an event before it answers that there is none (seen of HMCs: about ten seconds).
const PATIENCE: Duration = Duration::from_secs(10);

/// The events that the application of a request has not seen, as soon as there are any; none after [`PATIENCE`].
pub(crate) async fn poll(exchange: &Exchange, target: &Target) -> Result<Vec<Arc<Event>>, Problem> {
    let simulator = &exchange.simulator;
    let application = target.query.application.clone().unwrap_or_else(|| {
        simulator
            .sessions()
            .fingerprint(exchange.token().unwrap_or_default())
    });
    let application = simulator.queue(application);
    let deadline = simulator.now().after(PATIENCE);
    let mut first = true;
    loop {
        let news = simulator.shared().events.notified();
        tokio::pin!(news);
        news.as_mut().enable();
        let world = simulator.world();
        // The first look always takes: it tells the model that this application is alive.
        if first || world.events.has_news(&application) {
            first = false;
            let taken = simulator.apply(Command::TakeEvents {
                application: application.clone(),
            })?;
            if let Outcome::Events(mut events) = taken {
                events.retain(|event| simulator.tells(event));
                if !events.is_empty() {
                    return Ok(events);
                }
            }
        }
        if simulator.now() >= deadline {
            return Ok(Vec::new());
        }
        let due = simulator
            .world()
            .next_due()
            .map_or(deadline, |due| due.min(deadline));
        tokio::select! {
            () = simulator.clock().wait_until(due) => {}
            () = news => {}
        }
    }
}
