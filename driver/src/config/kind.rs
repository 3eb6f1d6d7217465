//! What values a key takes.

use std::fmt;

use toml::Value;

use super::volumes::{ports, split};
use crate::error::printable;

/// What values a key takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// A whole number, and what it counts.
    Whole {
        /// The least one.
        least: u64,
        /// The greatest one; none for no bound of its own.
        most: Option<u64>,
        /// What it counts: `seconds`.
        unit: &'static str,
    },
    /// A number.
    Fraction {
        /// The least one.
        least: f64,
        /// The greatest one.
        most: f64,
    },
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// A text, which may be empty; what it is.
    Text(&'static str),
    /// A text that cannot be empty; what it is.
    Name(&'static str),
    /// A file, a folder or a command of this machine; which.
    Path(&'static str),
    /// A text that nobody is told.
    Secret,
    /// Names of letters, digits, `-` and `_`, separated by commas.
    Names,
    /// Names of Fibre Channel ports, separated by commas.
    Ports,
    /// A Python class of the drivers for OpenStack, below this module.
    Class(&'static str),
}

impl Kind {
    /// What is wrong with a value, `None` for nothing.
    #[must_use]
    pub fn wrong(&self, value: &Value) -> Option<String> {
        if self.takes(value) {
            return None;
        }
        let wanted = self.wanted();
        Some(match self {
            Self::Secret => format!("has to be {wanted}"),
            _ => format!("has to be {wanted}, not {}", printable(&value.to_string())),
        })
    }

    fn takes(&self, value: &Value) -> bool {
        let is_text = |fits: &dyn Fn(&str) -> bool| value.as_str().is_some_and(fits);
        match self {
            Self::Flag => value.is_bool(),
            Self::Whole { least, most, .. } => value.as_integer().is_some_and(|number| {
                u64::try_from(number)
                    .is_ok_and(|number| number >= *least && most.is_none_or(|most| number <= most))
            }),
            Self::Fraction { least, most } => {
                // Whole numbers of a configuration are small.
                #[allow(clippy::cast_precision_loss)]
                let whole = value.as_integer().map(|number| number as f64);
                let number = value.as_float().or(whole);
                number.is_some_and(|number| (*least..=*most).contains(&number))
            }
            Self::Choice(words) => {
                is_text(&|text| words.iter().any(|word| word.eq_ignore_ascii_case(text)))
            }
            Self::Text(_) | Self::Path(_) | Self::Secret => value.is_str(),
            Self::Name(_) => is_text(&|text| !text.trim().is_empty()),
            Self::Names => {
                let is_name = |name: &String| {
                    name.bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
                };
                split(value).is_some_and(|names| !names.is_empty() && names.iter().all(is_name))
            }
            Self::Ports => ports(value).is_some(),
            Self::Class(module) => is_text(&|text| text.starts_with(module)),
        }
    }

    fn wanted(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => words.join(" or "),
            Self::Name(what) => format!("{what}, and not empty"),
            Self::Names => "names of letters, digits, '-' and '_', separated by commas".to_owned(),
            Self::Ports => {
                "names of 16 hexadecimal digits, with or without colons, separated by commas"
                    .to_owned()
            }
            Self::Path(what) => format!("{what}, as text"),
            other => other.to_string(),
        }
    }
}

/// As the documentation has it.
impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => formatter.write_str("true, false"),
            Self::Whole { least, most, unit } => {
                match most {
                    Some(most) if *most < u64::from(u32::MAX) => {
                        write!(formatter, "{least} to {most}")?;
                    }
                    _ => write!(formatter, "{least} and more")?,
                }
                if unit.is_empty() {
                    return Ok(());
                }
                write!(formatter, ", {unit}")
            }
            Self::Fraction { least, most } => write!(formatter, "{least} to {most}"),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                write!(formatter, "{}, in any case", words.join(", "))
            }
            Self::Text(what) | Self::Name(what) | Self::Path(what) => formatter.write_str(what),
            Self::Secret => formatter.write_str("text"),
            Self::Names => formatter.write_str("names, separated by commas"),
            Self::Ports => {
                formatter.write_str("port names, separated by commas, with or without colons")
            }
            Self::Class(module) => write!(formatter, "`{module}…`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_repeated() {
        let value = Value::Array(vec!["hush".into()]);
        let wrong = Kind::Secret.wrong(&value).unwrap();
        assert!(!wrong.contains("hush"), "{wrong}");
    }

    #[test]
    fn values_are_held_against_their_kind() {
        let whole = Kind::Whole {
            least: 1,
            most: Some(16),
            unit: "",
        };
        for (kind, text, fits) in [
            (Kind::Flag, "true", true),
            (Kind::Flag, "1", false),
            (Kind::Flag, "\"true\"", false),
            (whole, "16", true),
            (whole, "17", false),
            (whole, "-1", false),
            (whole, "1.0", false),
            (
                Kind::Fraction {
                    least: 0.05,
                    most: 1.0,
                },
                "1",
                true,
            ),
            (
                Kind::Fraction {
                    least: 0.05,
                    most: 1.0,
                },
                "0.04",
                false,
            ),
            (
                Kind::Fraction {
                    least: 0.05,
                    most: 1.0,
                },
                "nan",
                false,
            ),
            (Kind::Choice(&["ssp"]), "\"SSP\"", true),
            (Kind::Choice(&["ssp"]), "\"\"", false),
            (Kind::Text("text"), "\"\"", true),
            (Kind::Name("text"), "\" \"", false),
            (Kind::Names, "\"A, B\"", true),
            (Kind::Names, "[\"A\", 1]", false),
            (Kind::Names, "\",\"", false),
            (Kind::Ports, "\"\"", true),
            (Kind::Ports, "\"12\"", false),
            (Kind::Class("a.b."), "\"a.b.C\"", true),
            (Kind::Class("a.b."), "\"a.c.C\"", false),
        ] {
            let table: toml::Table = format!("x = {text}").parse().unwrap();
            let wrong = kind.wrong(&table["x"]);
            assert_eq!(wrong.is_none(), fits, "{kind:?} {text}: {wrong:?}");
        }
    }
}
