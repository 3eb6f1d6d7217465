//! Counts the checks of a program.

use std::fmt;

/// How many checks ended which way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u32,
    pub(super) failed: u32,
    pub(super) skipped: u32,
}

impl Tally {
    /// Reads `N passed, N failed[, N skipped]`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let mut tally = Self::default();
        let mut parts = line.trim().split(", ");
        tally.passed = parts.next()?.strip_suffix(" passed")?.parse().ok()?;
        tally.failed = parts.next()?.strip_suffix(" failed")?.parse().ok()?;
        if let Some(part) = parts.next() {
            tally.skipped = part.strip_suffix(" skipped")?.parse().ok()?;
        }
        parts.next().is_none().then_some(tally)
    }

    /// Counts a line that tells of a check.
    pub(super) fn count(&mut self, line: &str) {
        let counted = [
            ("ok - ", &mut self.passed),
            ("not ok - ", &mut self.failed),
            ("skipped - ", &mut self.skipped),
        ];
        for (word, count) in counted {
            *count += u32::from(line.starts_with(word));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_program_is_read() {
        let expected = Tally {
            passed: 12,
            failed: 1,
            skipped: 3,
        };
        assert_eq!(
            Tally::parse("12 passed, 1 failed, 3 skipped\n"),
            Some(expected)
        );
        assert!(Tally::parse("12 passed, 1 failed").is_some());
        assert_eq!(Tally::parse("ok - logs on"), None);
        assert_eq!(Tally::parse("12 passed"), None);
        assert_eq!(Tally::parse("many passed, 1 failed"), None);
        assert_eq!(Tally::parse("1 passed, 1 failed, 1 skipped, 1 lost"), None);
    }
}
