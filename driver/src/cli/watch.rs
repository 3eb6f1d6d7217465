//! `powervm server watch`

use super::output::Output;
use crate::error::Result;
use crate::operations::{Control, Driver, LifecycleEvent};

/// Prints a line for each thing that a server does by itself, until it is interrupted.
pub(super) async fn run(driver: &Driver, output: &Output, control: &Control) -> Result<()> {
    let mut events = driver.lifecycle();
    loop {
        let event = tokio::select! {
            () = control.token().cancelled() => return Ok(()),
            event = events.next() => event,
        };
        match event {
            Some(event) => output.line(&event, in_words)?,
            None => return Ok(()),
        }
    }
}

fn in_words(event: &LifecycleEvent) -> String {
    let id = event.id.as_uuid();
    let transition = format!("{:?}", event.transition).to_lowercase();
    match event.state.as_str() {
        "" => format!("{id} {transition}"),
        state => format!("{id} {transition} ({state})"),
    }
}
