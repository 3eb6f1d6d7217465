//! Sizes and shares as REST documents write them: decimal text without trailing zeros.

use std::fmt;

const MILLION: u64 = 1_000_000;
const BYTES_PER_GIGABYTE: u128 = 1 << 30;

/// A size in gigabytes of 2^30 bytes, to six decimals: `60`, `1.410669`, `0.001`.
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
pub struct Gigabytes(u64);

impl Gigabytes {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole gigabytes.
    #[must_use]
    pub const fn whole(gigabytes: u64) -> Self {
        Self(gigabytes.saturating_mul(MILLION))
    }

    /// Millionths of a gigabyte.
    #[must_use]
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// The size as millionths of a gigabyte.
    #[must_use]
    pub const fn millionths(self) -> u64 {
        self.0
    }

    /// From megabytes, rounded down to the millionth.
    #[must_use]
    pub fn from_megabytes(megabytes: u64) -> Self {
        Self(clamp(u128::from(megabytes) * u128::from(MILLION) / 1024))
    }

    /// The smallest size that holds so many bytes.
    #[must_use]
    pub fn holding_bytes(bytes: u64) -> Self {
        Self(clamp(
            (u128::from(bytes) * u128::from(MILLION)).div_ceil(BYTES_PER_GIGABYTE),
        ))
    }

    /// How many bytes fit.
    #[must_use]
    pub fn bytes(self) -> u64 {
        clamp(u128::from(self.0) * BYTES_PER_GIGABYTE / u128::from(MILLION))
    }

    /// Whole megabytes, rounded up.
    #[must_use]
    pub fn megabytes(self) -> u64 {
        clamp((u128::from(self.0) * 1024).div_ceil(u128::from(MILLION)))
    }

    /// Reads a decimal number such as `10.500000`; digits after the sixth decimal are dropped. Nothing for signs,
    /// exponents, other text, or numbers that are too large.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_decimal(text, 6).map(Self)
    }

    /// The sum; stays at the largest value instead of wrapping round.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; zero if `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The next multiple of `megabytes`; the size itself if that is zero.
    #[must_use]
    pub fn rounded_up_to(self, megabytes: u64) -> Self {
        if megabytes == 0 {
            return self;
        }
        let megabyte_steps = u128::from(self.0) * 1024;
        let step = u128::from(megabytes) * u128::from(MILLION);
        Self(clamp(megabyte_steps.div_ceil(step) * step / 1024))
    }
}

impl fmt::Display for Gigabytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0, 6)
    }
}

impl std::iter::Sum for Gigabytes {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::ZERO, Self::plus)
    }
}

/// Processing units in hundredths: `0.5`, `12`. The hypervisor knows no finer share.
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
pub struct ProcUnits(u32);

impl ProcUnits {
    /// No share.
    pub const ZERO: Self = Self(0);

    /// So many whole processors.
    #[must_use]
    pub const fn whole(processors: u32) -> Self {
        Self(processors.saturating_mul(100))
    }

    /// Hundredths of a processor.
    #[must_use]
    pub const fn from_hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// The share as hundredths of a processor.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }

    /// Reads a decimal number such as `0.50`; digits after the second decimal are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        parse_decimal(text, 2)
            .and_then(|hundredths| u32::try_from(hundredths).ok())
            .map(Self)
    }

    /// The sum; stays at the largest value instead of wrapping round.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; zero if `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many times the share.
    #[must_use]
    pub const fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

impl fmt::Display for ProcUnits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, u64::from(self.0), 2)
    }
}

impl std::iter::Sum for ProcUnits {
    fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
        units.fold(Self::ZERO, Self::plus)
    }
}

fn clamp(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Digits with a point somewhere, as a whole number of the smallest unit that so many decimals tell; what is smaller is
/// dropped.
fn parse_decimal(text: &str, decimals: u32) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if (whole.is_empty() && fraction.is_empty())
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let mut value: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut digits = fraction.bytes().map(|byte| u64::from(byte - b'0'));
    for _ in 0..decimals {
        value = value
            .checked_mul(10)?
            .checked_add(digits.next().unwrap_or(0))?;
    }
    Some(value)
}

/// The same, but nothing for what the decimals cannot hold.
pub(in crate::model) fn parse_exact_decimal(text: &str, decimals: u32) -> Option<u64> {
    let kept = usize::try_from(decimals).ok()?;
    let fraction = text
        .trim()
        .split_once('.')
        .map_or("", |(_, fraction)| fraction);
    let mut lost = fraction.bytes().skip(kept);
    parse_decimal(text, decimals).filter(|_| lost.all(|digit| digit == b'0'))
}

fn write_decimal(f: &mut fmt::Formatter<'_>, value: u64, decimals: usize) -> fmt::Result {
    let unit = 10_u64.pow(u32::try_from(decimals).unwrap_or(0));
    let text = format!("{}.{:0decimals$}", value / unit, value % unit);
    f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_print_as_real_servers_print_them() {
        for (text, printed) in [
            ("60", "60"),
            ("10.500000", "10.5"),
            ("1.410669", "1.410669"),
            ("0.001000", "0.001"),
            (".5", "0.5"),
        ] {
            assert_eq!(Gigabytes::parse(text).unwrap().to_string(), printed);
        }
        for text in ["", ".", "-1", "1e3", "a", "99999999999999999999", "1.2.3"] {
            assert_eq!(Gigabytes::parse(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_round_up_and_back() {
        assert_eq!(Gigabytes::holding_bytes(1 << 30), Gigabytes::whole(1));
        for bytes in [1, 4_550_656, (1 << 30) + 1, u64::MAX] {
            assert!(
                Gigabytes::holding_bytes(bytes).bytes()
                    >= bytes.min(Gigabytes::holding_bytes(bytes).bytes())
            );
        }
        assert!(Gigabytes::holding_bytes(4_550_656).bytes() >= 4_550_656);
        assert_eq!(
            Gigabytes::parse("0.3").unwrap().rounded_up_to(64),
            Gigabytes::from_megabytes(320)
        );
        assert_eq!(Gigabytes::whole(2).rounded_up_to(64), Gigabytes::whole(2));
        assert_eq!(Gigabytes::from_megabytes(51_200), Gigabytes::whole(50));
    }

    #[test]
    fn units_keep_two_decimals() {
        assert_eq!(ProcUnits::parse("0.50").unwrap().to_string(), "0.5");
        assert_eq!(ProcUnits::parse("0.05").unwrap().hundredths(), 5);
        assert_eq!(ProcUnits::parse("2").unwrap(), ProcUnits::whole(2));
        assert_eq!(ProcUnits::parse("x"), None);
    }
}
