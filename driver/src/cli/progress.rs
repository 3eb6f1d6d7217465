//! Bars and spinners while an operation runs, on a terminal only.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::operations::{Progress, Watcher};
use crate::saga::Phase;

/// Shows each running step as a spinner and each upload as a bar.
pub(super) struct Bars {
    all: MultiProgress,
    steps: Mutex<BTreeMap<String, ProgressBar>>,
    uploads: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Bars {
    /// Bars, if somebody sees them.
    pub(super) fn on_terminal(json: bool) -> Option<Self> {
        let seen = !json && std::io::stderr().is_terminal();
        seen.then(|| Self {
            all: MultiProgress::new(),
            steps: Mutex::default(),
            uploads: Mutex::default(),
        })
    }

    fn say(&self, line: &str) {
        let _ = self.all.println(line);
    }

    fn step(&self, saga: &str, step: &str, phase: &Phase) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{saga}: {step}");
        match phase {
            Phase::Begin | Phase::UndoBegin => {
                let bar = self.all.add(ProgressBar::new_spinner());
                let undoing = if matches!(phase, Phase::Begin) {
                    ""
                } else {
                    " (undoing)"
                };
                bar.set_message(format!("{key}{undoing}"));
                bar.enable_steady_tick(Duration::from_millis(100));
                if let Some(old) = steps.insert(key, bar) {
                    old.finish_and_clear();
                }
            }
            Phase::Noted => {}
            Phase::End { took } | Phase::UndoEnd { took } => {
                if let Some(bar) = steps.remove(&key) {
                    bar.finish_and_clear();
                }
                let what = if matches!(phase, Phase::End { .. }) {
                    "done"
                } else {
                    "undone"
                };
                self.say(&format!("{key}: {what} ({:.1} s)", took.as_secs_f64()));
            }
            Phase::Failed { error } | Phase::UndoFailed { error } => {
                if let Some(bar) = steps.remove(&key) {
                    bar.finish_and_clear();
                }
                self.say(&format!("{key}: {error}"));
            }
        }
    }

    fn upload(&self, what: &str, sent: u64, total: u64) {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = uploads.entry(what.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template(
                "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            );
            let bar = self.all.add(ProgressBar::new(total));
            bar.set_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            );
            bar.set_message(what.to_owned());
            bar
        });
        bar.set_position(sent);
        if sent >= total {
            bar.finish_and_clear();
            uploads.remove(what);
        }
    }
}

impl Watcher for Bars {
    fn note(&self, progress: &Progress) {
        match progress {
            Progress::Step(event) => self.step(&event.saga, &event.step, &event.phase),
            Progress::Transfer { what, sent, total } => self.upload(what, *sent, *total),
            Progress::Waiting { what } => self.say(&format!("waiting for {what}")),
            Progress::Warning { what } => self.say(&format!("warning: {what}")),
        }
    }
}
