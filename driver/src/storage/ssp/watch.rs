//! Patience with others' uploads.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::operations::{Control, Progress};

/// How to deal with others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Longest wait for somebody else's upload.
    pub(crate) wait: Duration,
    /// After how long without any change a marker counts as left behind.
    pub(crate) stale_after: Duration,
    /// Whether to remove such a marker and go on.
    pub(crate) takeover: bool,
}

/// Watches others' markers.
pub(super) struct Watch {
    patience: Patience,
    since: Instant,
    markers: BTreeSet<String>,
    unchanged_since: Instant,
    reported: bool,
}

impl Watch {
    pub(super) fn new(patience: Patience) -> Self {
        let now = Instant::now();
        Self {
            patience,
            since: now,
            markers: BTreeSet::new(),
            unchanged_since: now,
            reported: false,
        }
    }

    /// Whether these markers may be removed. Says to the watcher for what it waits, once, and of
    /// markers that were left behind.
    pub(super) fn is_stale(
        &mut self,
        markers: &BTreeSet<String>,
        control: &Control,
    ) -> Result<bool> {
        let names = markers
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        if self.markers != *markers {
            self.markers = markers.clone();
            self.unchanged_since = Instant::now();
            control.note(&Progress::Waiting {
                what: format!("another upload of the image (marker {names})"),
            });
        }
        let unchanged = self.unchanged_since.elapsed();
        if unchanged >= self.patience.stale_after {
            if self.patience.takeover {
                return Ok(true);
            }
            if !self.reported {
                self.reported = true;
                control.warn(format!(
                    "the marker {names} has not changed for {} s; whoever put it up may be gone",
                    unchanged.as_secs()
                ));
            }
        }
        if self.since.elapsed() >= self.patience.wait {
            return Err(Error::operation(
                ErrorKind::TimedOut,
                format!(
                    "another host has been uploading the image for {} s (marker {names})",
                    unchanged.as_secs()
                ),
                "if no host does, remove this logical unit, or set image_marker_takeover; else raise image_wait_timeout",
            ));
        }
        Ok(false)
    }
}
