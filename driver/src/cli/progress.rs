//! Bars and spinners while an operation runs, on a terminal only.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

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
        seen.then(|| Self::on(ProgressDrawTarget::stderr()))
    }

    fn on(target: ProgressDrawTarget) -> Self {
        Self {
            all: MultiProgress::with_draw_target(target),
            steps: Mutex::default(),
            uploads: Mutex::default(),
        }
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::TermLike;

    use super::*;
    use crate::saga::Event;

    /// A terminal of 120 columns that keeps all that was ever written to it.
    #[derive(Debug, Clone, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        fn text(&self) -> String {
            self.0.lock().unwrap().clone()
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(line)?;
            self.write_str("\n")
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn bars() -> (Bars, Screen) {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        (Bars::on(target), screen)
    }

    fn step(phase: Phase) -> Progress {
        Progress::Step(Event {
            saga: "deploy web".to_owned(),
            step: "partition".to_owned(),
            index: 0,
            steps: 1,
            phase,
            context: None,
        })
    }

    #[test]
    fn a_step_spins_and_leaves_a_line_that_says_how_it_ended() {
        let took = Duration::from_millis(1500);
        for (begin, end, spins, left) in [
            (
                Phase::Begin,
                Phase::End { took },
                "deploy web: partition",
                "deploy web: partition: done (1.5 s)",
            ),
            (
                Phase::UndoBegin,
                Phase::UndoEnd { took },
                "deploy web: partition (undoing)",
                "deploy web: partition: undone (1.5 s)",
            ),
        ] {
            let (bars, screen) = bars();
            bars.note(&step(begin));
            bars.steps
                .lock()
                .unwrap()
                .values()
                .for_each(ProgressBar::tick);
            assert!(screen.text().contains(spins), "{}", screen.text());
            assert!(!screen.text().contains(left));
            bars.note(&step(end));
            assert!(screen.text().contains(left), "{}", screen.text());
            assert!(bars.steps.lock().unwrap().is_empty());
        }
    }

    #[test]
    fn an_upload_is_a_bar_until_all_is_sent() {
        let (bars, screen) = bars();
        let what: Arc<str> = "image".into();
        let sent = |sent| Progress::Transfer {
            what: Arc::clone(&what),
            sent,
            total: 4 << 20,
        };
        bars.note(&sent(1 << 20));
        bars.uploads
            .lock()
            .unwrap()
            .values()
            .for_each(ProgressBar::tick);
        assert!(
            screen.text().contains("image [") && screen.text().contains("1.00 MiB/4.00 MiB"),
            "{}",
            screen.text()
        );
        bars.note(&sent(4 << 20));
        assert!(bars.uploads.lock().unwrap().is_empty());
    }

    #[test]
    fn what_is_waited_for_and_what_is_odd_is_said() {
        let (bars, screen) = bars();
        bars.note(&Progress::Waiting {
            what: "the image of another".into(),
        });
        bars.note(&Progress::Warning {
            what: "a server is away".into(),
        });
        assert!(screen.text().contains("waiting for the image of another"));
        assert!(screen.text().contains("warning: a server is away"));
    }
}
