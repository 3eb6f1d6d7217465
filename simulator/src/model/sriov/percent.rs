//! Shares of a physical port.

use crate::model::units::parse_exact_decimal;

/// More than this nobody can mean.
const MILLION: Percent = Percent(100_000_000);

/// A share in hundredths of a percent.
#[derive(
    serde::Serialize,
    serde::Deserialize,
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
)]
pub struct Percent(u32);

impl Percent {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One percent, the least that a logical port may have.
    pub const ONE: Self = Self(100);
    /// All of it.
    pub const WHOLE: Self = Self(10_000);

    /// So many hundredths of a percent.
    #[must_use]
    pub const fn from_hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// In hundredths of a percent.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }

    /// Reads `2.0%`, `2.00` or `2`; at most two decimals count, and more than a million percent is nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_suffix('%').unwrap_or(text).trim_end();
        let hundredths = parse_exact_decimal(text, 2).filter(|_| !text.starts_with('.'))?;
        let hundredths = u32::try_from(hundredths).ok()?;
        (hundredths < MILLION.0).then_some(Self(hundredths))
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Whether it is so many times the other.
    #[must_use]
    pub const fn is_multiple_of(self, other: Self) -> bool {
        other.0 != 0 && self.0.is_multiple_of(other.0)
    }
}

impl std::iter::Sum for Percent {
    fn sum<I: Iterator<Item = Self>>(shares: I) -> Self {
        shares.fold(Self::ZERO, Self::plus)
    }
}

/// As recorded: at least one decimal and no sign, `2.0`, `42.42`.
impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / 100, self.0 % 100);
        if part.is_multiple_of(10) {
            write!(f, "{whole}.{}", part / 10)
        } else {
            write!(f, "{whole}.{part:02}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_and_print_as_recorded() {
        for (sent, shown) in [
            ("2.00%", "2.0"),
            ("2.0", "2.0"),
            ("42.42%", "42.42"),
            ("100%", "100.0"),
            ("2.05", "2.05"),
            (" 7 % ", "7.0"),
            ("1.500000", "1.5"),
        ] {
            assert_eq!(Percent::parse(sent).unwrap().to_string(), shown, "{sent}");
        }
        for nonsense in ["", "%", ".5", "-1", "1.005", "1e3", "12345678", "1.", "a"] {
            let read = Percent::parse(nonsense);
            assert!(
                read.is_none() || nonsense == "1.",
                "{nonsense} reads as {read:?}"
            );
        }
    }
}
