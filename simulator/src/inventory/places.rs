//! Where in a file an inventory is wrong: the keys and lines of the values that an error names.

use std::cmp::Reverse;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::InventoryError;

/// How many places are told.
const MOST: usize = 3;

/// A value of the file that an error names.
struct Place {
    key: String,
    line: usize,
}

/// An error of an inventory in a file: what is wrong, and where the values stand that it names.
#[derive(Debug)]
pub struct Located {
    error: InventoryError,
    places: Vec<Place>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, {}", self.line, self.key)
    }
}

impl std::fmt::Display for Located {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.error)?;
        let (told, more) = self
            .places
            .split_at_checked(MOST)
            .unwrap_or((&self.places, &[]));
        let shown: Vec<String> = told.iter().map(ToString::to_string).collect();
        if !shown.is_empty() {
            write!(f, " (see {}", shown.join("; "))?;
            if !more.is_empty() {
                write!(f, "; and {} more", more.len())?;
            }
            write!(f, ")")?;
        }
        Ok(())
    }
}

impl std::error::Error for Located {}

impl Located {
    /// The places in `text`, the file, of what `error` names. The text of a syntax error has its place already.
    #[must_use]
    pub fn new(error: InventoryError, text: &str) -> Self {
        let mut places = Vec::new();
        if !matches!(error, InventoryError::Syntax(_))
            && let Ok(table) = DeTable::parse(text)
        {
            let message = error.to_string();
            let named: Vec<&str> = words(&message).collect();
            let mut found = Vec::new();
            gather(table.get_ref(), "", &mut |key, value, at| {
                if let Some(order) = named.iter().position(|word| *word == value) {
                    let weight = (value.len(), Reverse(order));
                    found.push((weight, key.to_owned(), at));
                }
            });
            // The longest of the named values tells most: `web-1/vios9` rather than a number; then the first of them,
            // as messages begin with what is wrong.
            let heaviest = found.iter().map(|(weight, ..)| *weight).max();
            let telling = found
                .into_iter()
                .filter(|(weight, ..)| Some(*weight) == heaviest);
            places.extend(telling.map(|(_, key, at)| Place {
                key,
                line: line_of(text, at),
            }));
        }
        Self { error, places }
    }
}

/// The words of a message without the punctuation around them.
fn words(message: &str) -> impl Iterator<Item = &str> {
    message
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| ".,;:\"'()".contains(c)))
        .filter(|word| !word.is_empty())
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Tells every text and number of a table with its key, such as `systems.vioses.disks.name`, and its offset.
fn gather(table: &DeTable<'_>, above: &str, told: &mut impl FnMut(&str, &str, usize)) {
    for (key, value) in table {
        let key = key.get_ref();
        let key = if above.is_empty() {
            key.to_string()
        } else {
            format!("{above}.{key}")
        };
        leaf(value, &key, told);
    }
}

fn leaf(value: &Spanned<DeValue<'_>>, key: &str, told: &mut impl FnMut(&str, &str, usize)) {
    let at = value.span().start;
    match value.get_ref() {
        DeValue::String(text) => told(key, text, at),
        DeValue::Integer(number) => told(key, number.as_str(), at),
        DeValue::Array(values) => values.iter().for_each(|value| leaf(value, key, told)),
        DeValue::Table(table) => gather(table, key, told),
        DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::Millis;
    use crate::inventory::{EXAMPLE, Inventory};
    use crate::model::Flavor;

    use super::*;

    fn told(right: &str, wrong: &str) -> (String, usize) {
        assert!(EXAMPLE.contains(right), "{right}");
        let text = EXAMPLE.replacen(right, wrong, 1);
        let read = Inventory::from_toml(&text).unwrap();
        let error = read.world(Flavor::Hmc, 1, Millis::EPOCH).unwrap_err();
        let begin = EXAMPLE.find(right).unwrap();
        (
            Located::new(error, &text).to_string(),
            line_of(&text, begin),
        )
    }

    #[test]
    fn contradictions_are_told_with_their_keys_and_lines() {
        for (right, wrong, key) in [
            (
                "disks = [\"hdisk1\"]",
                "disks = [\"hdisk99\"]",
                "systems.vioses.volume_groups.disks",
            ),
            ("vlan = 100\n", "vlan = 9999\n", "systems.partitions.vlan"),
            (
                "nodes = [\"web-1/vios1\", \"web-1/vios2\"]",
                "nodes = [\"web-1/vios9\"]",
                "clusters.nodes",
            ),
            (
                "members = [\"web-1\", ",
                "members = [\"web-9\", ",
                "groups.members",
            ),
            (
                "reserve_policy = \"SinglePath\"",
                "reserve_policy = \"Sometimes\"",
                "systems.vioses.disks.reserve_policy",
            ),
        ] {
            let (text, line) = told(right, wrong);
            let place = format!("(see line {line}, {key})");
            assert!(text.ends_with(&place), "{wrong}: {text}, not {place}");
        }
    }

    #[test]
    fn syntax_errors_have_their_place_once() {
        let text = EXAMPLE.replacen("memory_mb", "memori_mb", 1);
        let line = line_of(&text, text.find("memori_mb").unwrap());
        let error = Inventory::from_toml(&text).unwrap_err();
        let told = Located::new(error, &text).to_string();
        assert!(
            told.contains(&format!("line {line}")) && told.contains("`memori_mb`"),
            "{told}"
        );
        assert!(!told.contains("(see"), "{told}");
    }
}
