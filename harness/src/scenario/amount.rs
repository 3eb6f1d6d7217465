//! Amounts of memory or disk that may depend on what the host has free.

use std::fmt;

/// An amount in the unit of its key: megabytes of memory, gigabytes of disk.
///
/// Refusal scenarios need a server that does not fit, whatever the host; they say `"free + 256"` instead of a
/// number. [`Amount::resolve`] turns it into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// A plain number.
    Exactly(u64),
    /// What is free plus this many units (`"free + 256"`, `"free"`).
    FreePlus(u64),
    /// This many percent of what is free (`"60% of free"`), rounded down to the host's granularity.
    PercentOfFree(u64),
}

impl Amount {
    /// Reads `"free"`, `"free + N"` or `"N% of free"`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("free") {
            let rest = rest.trim();
            if rest.is_empty() {
                return Some(Self::FreePlus(0));
            }
            return rest
                .strip_prefix('+')?
                .trim()
                .parse()
                .ok()
                .map(Self::FreePlus);
        }
        let percent = text
            .strip_suffix("of free")?
            .trim()
            .strip_suffix('%')?
            .trim();
        percent
            .parse()
            .ok()
            .filter(|percent| *percent <= 100)
            .map(Self::PercentOfFree)
    }

    /// The number of units on a host with `free` units left that hands them out in multiples of `granularity`.
    #[must_use]
    pub fn resolve(self, free: u64, granularity: u64) -> u64 {
        let granularity = granularity.max(1);
        let down = |amount: u64| amount / granularity * granularity;
        match self {
            Self::Exactly(amount) => amount,
            Self::FreePlus(more) => {
                down(free).saturating_add(more.div_ceil(granularity).saturating_mul(granularity))
            }
            Self::PercentOfFree(percent) => {
                down((u128::from(free) * u128::from(percent) / 100) as u64)
            }
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(amount) => write!(f, "{amount}"),
            Self::FreePlus(more) => write!(f, "free + {more}"),
            Self::PercentOfFree(percent) => write!(f, "{percent}% of free"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Amount;

    #[test]
    fn reads_the_three_forms_and_nothing_else() {
        assert_eq!(Amount::parse("free"), Some(Amount::FreePlus(0)));
        assert_eq!(Amount::parse(" free + 256 "), Some(Amount::FreePlus(256)));
        assert_eq!(
            Amount::parse("60% of free"),
            Some(Amount::PercentOfFree(60))
        );
        for wrong in [
            "",
            "freedom",
            "free - 1",
            "101% of free",
            "60 of free",
            "-3% of free",
            "much",
        ] {
            assert_eq!(Amount::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn resolves_to_whole_regions() {
        assert_eq!(Amount::Exactly(300).resolve(1000, 256), 300);
        assert_eq!(Amount::FreePlus(1).resolve(1000, 256), 1024);
        assert_eq!(Amount::FreePlus(256).resolve(1024, 256), 1280);
        assert_eq!(Amount::PercentOfFree(60).resolve(10_000, 256), 5888);
        assert_eq!(Amount::PercentOfFree(100).resolve(u64::MAX, 0), u64::MAX);
    }
}
