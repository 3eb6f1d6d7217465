//! What failed, picked out of the output of `cargo test`.
//!
//! Among thousands of lines nobody finds it, and a log that was cut short has lost it.

/// Lines kept of each test program; the first failure is mostly the one that explains.
const LINES_EACH: usize = 40;

/// Picks the part between `failures:` and `test result: FAILED` out of the output of each test program.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    kept: Vec<String>,
    within: Option<usize>,
}

impl Failures {
    /// Looks at the next line.
    pub(crate) fn line(&mut self, line: &str) {
        let starts = line.trim_end() == "failures:";
        if line.starts_with("test result: ") {
            if self.within.take().is_some() {
                self.kept.push(line.to_owned());
            }
        } else if let Some(count) = &mut self.within {
            *count += 1;
            // The list of names, which libtest gives last, is kept whatever came before it.
            if starts {
                *count = 0;
            }
            if *count <= LINES_EACH && !line.trim().is_empty() {
                self.kept.push(line.to_owned());
            }
        } else if starts {
            self.within = Some(0);
        }
    }

    /// The picked lines, each after a line break; nothing if nothing failed.
    pub(crate) fn told(&self) -> String {
        let lines = self.kept.iter().map(|line| format!("\n      {line}"));
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(output: &str) -> Vec<String> {
        let mut failures = Failures::default();
        output.lines().for_each(|line| failures.line(line));
        failures.kept
    }

    #[test]
    fn what_failed_is_picked_with_what_it_said() {
        let output = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\n\
                      thread 'b' panicked at b.rs:1:1:\nboom\n\n\nfailures:\n    b\n\n\
                      test result: FAILED. 1 passed; 1 failed; 0 ignored\n\n\
                      running 1 test\ntest c ... ok\n\ntest result: ok. 1 passed\n";
        assert_eq!(
            picked(output),
            [
                "---- b stdout ----",
                "thread 'b' panicked at b.rs:1:1:",
                "boom",
                "failures:",
                "    b",
                "test result: FAILED. 1 passed; 1 failed; 0 ignored",
            ]
        );
    }

    #[test]
    fn a_talkative_failure_does_not_hide_the_names() {
        let said = "said\n".repeat(1000);
        let output = format!("failures:\n{said}failures:\n    b\ntest result: FAILED.\n");
        let picked = picked(&output);
        assert_eq!(picked.len(), LINES_EACH + 3);
        assert_eq!(picked[LINES_EACH + 1], "    b");
    }

    #[test]
    fn nothing_is_told_where_nothing_failed() {
        assert_eq!(
            picked("running 1 test\ntest a ... ok\ntest result: ok.\n").len(),
            0
        );
        assert_eq!(Failures::default().told(), "");
    }
}
