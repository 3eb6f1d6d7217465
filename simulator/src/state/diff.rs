//! What differs between two states, place by place.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{Saved, StateError};

/// The most differences that are listed.
const MOST: usize = 10_000;

/// Fields that say nothing about the machine room: bookkeeping of the model. Secrets stay where they are.
const LEFT_OUT: [&str; 6] = ["generation", "ids", "events", "agenda", "gate", "password"];

/// What differs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Diff {
    /// The differences in the order of their places.
    pub differences: Vec<Difference>,
    /// Whether there are more than are listed.
    pub cut: bool,
}

/// One place where two states differ.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Difference {
    /// Where, such as `/partitions/4B1A…/state`.
    pub path: String,
    /// The name of the innermost thing around it that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was there; absent if there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What is there; absent if there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// Compares two states. Version counters and other bookkeeping are left out.
///
/// # Errors
/// [`StateError::Syntax`] if one of them cannot be written as JSON, which would be a bug.
pub fn diff(before: &Saved, after: &Saved) -> Result<Diff, StateError> {
    let value = |saved: &Saved| {
        serde_json::to_value(&*saved.world).map_err(|error| StateError::Syntax(error.to_string()))
    };
    let (before, after) = (value(before)?, value(after)?);
    let mut found = Diff::default();
    found.compare("", None, Some(&before), Some(&after));
    Ok(found)
}

impl Diff {
    fn compare(
        &mut self,
        path: &str,
        name: Option<&str>,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        if before == after || self.cut {
            return;
        }
        match (before, after) {
            (Some(Value::Object(one)), Some(Value::Object(other))) => {
                let own = other.get("name").or_else(|| one.get("name"));
                let name = own.and_then(Value::as_str).or(name);
                let gone = one.keys().filter(|key| !other.contains_key(*key));
                for key in other.keys().chain(gone) {
                    if !LEFT_OUT.contains(&key.as_str()) && !is_version(key) {
                        let place = format!("{path}/{key}");
                        self.compare(&place, name, one.get(key), other.get(key));
                    }
                }
            }
            (Some(Value::Array(one)), Some(Value::Array(other))) => {
                for index in 0..one.len().max(other.len()) {
                    let place = format!("{path}/{index}");
                    self.compare(&place, name, one.get(index), other.get(index));
                }
            }
            _ => self.note(path, name, before, after),
        }
    }

    fn note(
        &mut self,
        path: &str,
        name: Option<&str>,
        before: Option<&Value>,
        after: Option<&Value>,
    ) {
        if self.differences.len() >= MOST {
            self.cut = true;
            return;
        }
        self.differences.push(Difference {
            path: path.to_owned(),
            name: name.map(str::to_owned),
            before: before.cloned().map(without_secrets),
            after: after.cloned().map(without_secrets),
        });
    }
}

fn is_version(key: &str) -> bool {
    key == "version" || key.ends_with("_version")
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(key, _)| !LEFT_OUT.contains(&key.as_str()) && !is_version(key))
            .map(|(key, value)| (key, without_secrets(value)))
            .collect(),
        Value::Array(values) => values.into_iter().map(without_secrets).collect(),
        other => other,
    }
}
