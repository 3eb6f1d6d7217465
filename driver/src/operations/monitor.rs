//! The long term monitor of the host: whether samples are taken, from which meters are made.

use std::sync::Arc;

use powervm_schema::xml::Element;
use serde::{Deserialize, Serialize};

use super::control::Control;
use super::driver::Driver;
use super::operation::{Notes, Operation, Plan};
use crate::error::{Error, ErrorKind, Result};
use crate::saga::{Saga, Step};

const SWITCH: &str = "switch the long term monitor";
/// The preference that is switched.
const ENABLED: &str = "LongTermMonitorEnabled";
/// How often a change is tried that somebody else's change, or a lost answer, came between.
const TRIES: usize = 4;

impl Driver {
    /// Whether long term samples are taken.
    ///
    /// # Errors
    /// Those of the request, and an answer without it.
    pub async fn is_monitored(&self) -> Result<bool> {
        let (preference, _) = self.preference().await?;
        enabled(&preference)
    }

    /// Has long term samples taken, or not; other preferences stay as they are. A console takes them of at most 45
    /// systems. It changes the host for everybody who reads its meters.
    ///
    /// # Errors
    /// Those of the requests.
    pub async fn monitor(&self, on: bool, control: &Control) -> Result<()> {
        let was = self.is_monitored().await?;
        if was == on {
            return Ok(());
        }
        let steps = control.for_steps();
        let monitor = Arc::new(Monitor {
            driver: self.clone(),
            asked: Asked { on },
            notes: Notes::default(),
        });
        self.perform(&monitor, control, &steps).await
    }

    async fn preference(&self) -> Result<(Element, Option<String>)> {
        let (feed, etag) = self
            .session()
            .get_feed_versioned(&self.preferences())
            .await?;
        let entry = feed.entries.into_iter().next().ok_or_else(|| {
            Error::operation(
                ErrorKind::BadAnswer,
                "the server has no monitoring preferences of this system",
                "check the version of the console",
            )
        })?;
        Ok((entry.content, etag))
    }

    fn preferences(&self) -> String {
        format!("pcm/ManagedSystem/{}/preferences", self.shared.system.uuid)
    }

    /// Sees to it that samples are taken, or not. Servers answer with an entry, a feed or nothing at all, so that only
    /// another look tells what has become of a change.
    async fn switch(&self, on: bool) -> Result<()> {
        let mut last = None;
        for _ in 0..TRIES {
            let (mut preference, etag) = self.preference().await?;
            if enabled(&preference)? == on {
                return Ok(());
            }
            if let Some(flag) = preference.child_mut(ENABLED) {
                flag.set_text(if on { "true" } else { "false" });
            }
            let path = self.preferences();
            match self
                .session()
                .post_versioned(&path, &preference, etag.as_deref())
                .await
            {
                Ok(()) => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Conflict | ErrorKind::UnknownOutcome
                    ) =>
                {
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if enabled(&self.preference().await?.0)? == on {
            return Ok(());
        }
        Err(last.unwrap_or_else(|| {
            Error::operation(
                ErrorKind::BadAnswer,
                "the server took the monitoring preferences and has not changed them",
                "see in its own interface why; a console monitors 45 systems at most",
            )
        }))
    }
}

fn enabled(preference: &Element) -> Result<bool> {
    let text = preference
        .child(ENABLED)
        .map(|element| element.text().trim().to_owned());
    text.and_then(|text| text.parse().ok()).ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            "the server does not tell whether it takes long term samples",
            "check the version of the console",
        )
    })
}

/// What is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    on: bool,
}

/// A change of the monitor on its way.
pub(super) struct Monitor {
    driver: Driver,
    asked: Asked,
    notes: Notes<()>,
}

impl Operation for Monitor {
    const KIND: &'static str = "monitor";
    const PLAN: Plan = Plan::Finish;
    type Asked = Asked;
    type Notes = ();

    fn asked(&self) -> &Asked {
        &self.asked
    }

    fn notes(&self) -> &Notes<()> {
        &self.notes
    }

    fn recipe(&self) -> Saga<Self> {
        let step = Step::new(SWITCH, |monitor: Arc<Self>| async move {
            monitor.driver.switch(monitor.asked.on).await
        });
        // It is only done when it was otherwise before.
        let step = step.undo(|monitor: Arc<Self>| async move {
            monitor.driver.switch(!monitor.asked.on).await
        });
        Saga::new("switch the long term monitor").step(step)
    }

    async fn revive(driver: &Driver, asked: Asked, (): (), _: &Control) -> Result<Option<Self>> {
        Ok(Some(Self {
            driver: driver.clone(),
            asked,
            notes: Notes::default(),
        }))
    }
}
