//! Quantities as they stand in documents.
//!
//! All are kept as whole numbers of their smallest step, so that reading and writing is exact and they can be
//! compared and added without rounding. See `docs/protocol/documents.md`, "Numbers".

use std::fmt;
use std::str::FromStr;

use smol_str::{SmolStr, ToSmolStr};

use crate::view::FieldValue;

/// Text that is not a decimal number of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {0}")]
pub struct NotANumber(&'static str);

/// Reads an unsigned decimal as a count of steps of 10^-`digits`; digits beyond are rounded half up.
fn parse_steps(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let mut steps: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut places = fraction.bytes();
    for _ in 0..digits {
        let digit = places.next().map_or(0, |b| u64::from(b - b'0'));
        steps = steps.checked_mul(10)?.checked_add(digit)?;
    }
    let up = places.next().is_some_and(|b| b >= b'5');
    steps.checked_add(u64::from(up))
}

/// Writes a count of steps of 10^-`digits` without trailing zeros.
fn write_steps(f: &mut fmt::Formatter<'_>, steps: u64, digits: u32) -> fmt::Result {
    let scale = 10_u64.pow(digits);
    let (whole, fraction) = (steps / scale, steps % scale);
    if fraction == 0 {
        return f.pad(&whole.to_smolstr());
    }
    let text = format!("{whole}.{fraction:0width$}", width = digits as usize);
    f.pad(text.trim_end_matches('0'))
}

macro_rules! decimal {
    ($(#[$doc:meta])* $Name:ident, $digits:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $Name(u64);

        impl $Name {
            const SCALE: u64 = 10_u64.pow($digits);

            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// So many whole ones.
            pub const fn whole(count: u64) -> Self {
                Self(count.saturating_mul(Self::SCALE))
            }

            /// As a floating point number.
            pub fn as_f64(self) -> f64 {
                self.0 as f64 / Self::SCALE as f64
            }

            /// The nearest to a floating point number; nothing when that is negative or not a number.
            pub fn from_f64(number: f64) -> Self {
                Self((number * Self::SCALE as f64).round() as u64)
            }

            /// The difference, or nothing when the other is more.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }

        impl std::ops::Add for $Name {
            type Output = Self;

            fn add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
        }

        impl std::iter::Sum for $Name {
            fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
                all.fold(Self::ZERO, |sum, next| sum + next)
            }
        }

        impl fmt::Display for $Name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_steps(f, self.0, $digits)
            }
        }

        impl FromStr for $Name {
            type Err = NotANumber;

            fn from_str(text: &str) -> Result<Self, NotANumber> {
                parse_steps(text, $digits).map(Self).ok_or(NotANumber($expected))
            }
        }

        impl FieldValue for $Name {
            const EXPECTED: &'static str = $expected;

            fn from_wire(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn to_wire(&self) -> SmolStr {
                self.to_smolstr()
            }
        }
    };
}

decimal! {
    /// Gigabytes (2^30 bytes) in steps of a millionth, as disks and pools are sized: `60`, `10.5`, `0.001`.
    Gigabytes, 6, "a number of gigabytes"
}

decimal! {
    /// Processing units in steps of a hundredth: `0.5` is half a processor.
    ProcessingUnits, 2, "a number of processing units"
}

impl Gigabytes {
    const BYTES: u128 = 1 << 30;

    /// The least size that holds so many bytes.
    pub fn holding(bytes: u64) -> Self {
        let steps = (u128::from(bytes) * u128::from(Self::SCALE)).div_ceil(Self::BYTES);
        Self(u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// Whole bytes that fit.
    pub fn bytes(self) -> u64 {
        let bytes = u128::from(self.0) * Self::BYTES / u128::from(Self::SCALE);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// Rounded up to a multiple of so many millionths; for `10_000`, to two decimals.
    #[must_use]
    pub fn rounded_up_to(self, millionths: u64) -> Self {
        Self(
            self.0
                .checked_next_multiple_of(millionths.max(1))
                .unwrap_or(u64::MAX),
        )
    }

    /// Millionths of a gigabyte.
    pub const fn millionths(self) -> u64 {
        self.0
    }
}

impl ProcessingUnits {
    /// So many hundredths of a processor.
    pub const fn hundredths(hundredths: u64) -> Self {
        Self(hundredths)
    }

    /// Hundredths of a processor.
    pub const fn as_hundredths(self) -> u64 {
        self.0
    }
}

/// A share in steps of a hundredth of a percent, with its sign: `35%`, `2.5%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// So many hundredths of a percent.
    pub const fn hundredths(hundredths: u64) -> Self {
        Self(hundredths)
    }

    /// Hundredths of a percent.
    pub const fn as_hundredths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_steps(f, self.0, 2)?;
        f.write_str("%")
    }
}

/// The sign may be missing when read.
impl FieldValue for Percent {
    const EXPECTED: &'static str = "a percentage";

    fn from_wire(text: &str) -> Option<Self> {
        parse_steps(text.strip_suffix('%').unwrap_or(text), 2).map(Self)
    }

    fn to_wire(&self) -> SmolStr {
        self.to_smolstr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_read_and_write_exactly() {
        for (text, written) in [
            ("60", "60"),
            ("10.500000", "10.5"),
            ("0.001", "0.001"),
            ("0.00", "0"),
            (".5", "0.5"),
            ("1.0000005", "1.000001"),
        ] {
            assert_eq!(text.parse::<Gigabytes>().unwrap().to_string(), written);
        }
        for bad in [
            "",
            ".",
            "-1",
            "1e3",
            "1,5",
            "nan",
            "18446744073709551616",
            " 1",
        ] {
            assert!(bad.parse::<Gigabytes>().is_err(), "{bad:?}");
        }
        assert_eq!(
            ProcessingUnits::from_wire("0.05"),
            Some(ProcessingUnits::hundredths(5))
        );
        assert_eq!(Percent::from_wire("2.0%"), Some(Percent::hundredths(200)));
        assert_eq!(Percent::hundredths(250).to_wire(), "2.5%");
        assert_eq!(Percent::from_wire("35%").unwrap().to_wire(), "35%");
    }

    #[test]
    fn sizes_convert_to_bytes_and_back() {
        assert_eq!(Gigabytes::whole(3).bytes(), 3 << 30);
        assert_eq!(Gigabytes::holding(1), "0.000001".parse().unwrap());
        for bytes in [0, 1, 512, 1 << 30, (1 << 30) + 1, 123_456_789_012] {
            let size = Gigabytes::holding(bytes);
            assert!(
                size.bytes() >= bytes && size.bytes() < bytes + 1074,
                "{bytes}: {size}"
            );
        }
        assert_eq!(
            Gigabytes::holding(5 << 28).rounded_up_to(1_000_000),
            Gigabytes::whole(2)
        );
        assert_eq!(
            Gigabytes::from_f64(0.5) + Gigabytes::from_f64(-1.0),
            "0.5".parse().unwrap()
        );
    }
}
