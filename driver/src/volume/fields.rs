//! Reads fields of JSON that somebody else wrote: each is of the expected type and of a size that
//! means something, or is refused by name.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The longest text of a field.
const LONGEST: usize = 1024;
/// The longest list.
const MOST: usize = 256;

/// An object of `connection_info`, with its name for messages.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    name: &'static str,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(name: &'static str, value: &'a Value) -> Result<Self> {
        match value.as_object() {
            Some(object) => Ok(Self { name, object }),
            None => Err(refused(format!("{name} is no JSON object"))),
        }
    }

    pub(crate) fn child(&self, key: &'static str) -> Result<Self> {
        match self.object.get(key) {
            Some(value) => Fields::of(key, value),
            None => Err(self.missing(key)),
        }
    }

    /// A value; `null` is none.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.value(key)
            .map(|value| self.as_text(key, value))
            .transpose()
    }

    pub(crate) fn required_text(&self, key: &str) -> Result<&'a str> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A whole number, also where it is written as text.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>> {
        self.value(key)
            .map(|value| self.as_number(key, value))
            .transpose()
    }

    /// A list of texts; a single text is a list of one, and no field an empty one.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<&'a str>> {
        self.list(key)?
            .into_iter()
            .map(|value| self.as_text(key, value))
            .collect()
    }

    /// A list of numbers.
    pub(crate) fn numbers(&self, key: &str) -> Result<Vec<u64>> {
        self.list(key)?
            .into_iter()
            .map(|value| self.as_number(key, value))
            .collect()
    }

    /// The keys of this object with their lists of texts.
    pub(crate) fn lists(&self) -> Result<Vec<(&'a str, Vec<&'a str>)>> {
        if self.object.len() > MOST {
            return Err(self.wrong(self.name, &format!("has more than {MOST} members")));
        }
        self.object
            .keys()
            .map(|key| Ok((key.as_str(), self.texts(key)?)))
            .collect()
    }

    fn list(&self, key: &str) -> Result<Vec<&'a Value>> {
        let values: Vec<&Value> = match self.value(key) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().take(MOST + 1).collect(),
            Some(value) => vec![value],
        };
        if values.len() > MOST {
            return Err(self.wrong(key, &format!("has more than {MOST} members")));
        }
        Ok(values)
    }

    fn as_text(&self, key: &str, value: &'a Value) -> Result<&'a str> {
        match value.as_str() {
            Some(text) if text.len() > LONGEST => {
                Err(self.wrong(key, &format!("has more than {LONGEST} bytes")))
            }
            Some(text) if text.chars().any(char::is_control) => {
                Err(self.wrong(key, "has control characters"))
            }
            Some(text) => Ok(text),
            None => Err(self.wrong(key, "is no text")),
        }
    }

    fn as_number(&self, key: &str, value: &Value) -> Result<u64> {
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong(key, "is no whole number from 0"))
    }

    fn missing(&self, key: &str) -> Error {
        refused(format!("{}.{key} is missing", self.name))
    }

    /// The value itself is not repeated: it may be a secret.
    pub(crate) fn wrong(&self, key: &str, why: &str) -> Error {
        let key: String = key.chars().take(40).collect();
        refused(format!("{}.{key} {why}", self.name))
    }
}

pub(crate) fn refused(what: String) -> Error {
    Error::invalid(
        format!("the volume's connection cannot be used: {what}"),
        "give connection_info as Cinder answers it for this host's connector",
    )
}
