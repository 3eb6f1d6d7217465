//! Quick properties: single values and flat objects as JSON.
//!
//! `…/<UUID>/quick/<Property>` answers a bare value, `…/<UUID>/quick` an object, `…/quick/All` an array of objects
//! that also have `UUID`. Booleans are strings, all but `MigrationDisable`; numbers of decimal fields may come in
//! scientific notation (`2E+1`); what is absent is `null`, or sometimes the string `"null"`. See
//! `docs/protocol/quick.md`.

use serde_json::{Map, Number, Value};

use crate::units::ProcessingUnits;
use crate::view::FieldValue;
use crate::xml::excerpt;

/// JSON that is not what the schema promises.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the quick property is {found}, expected {expected}")]
pub struct QuickError {
    /// What would have been right.
    pub expected: &'static str,
    /// What it was, cut to 40 characters.
    pub found: String,
}

impl QuickError {
    fn new(expected: &'static str, found: &str) -> Self {
        Self {
            expected,
            found: excerpt(found),
        }
    }
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub struct QuickValue(pub Value);

impl QuickValue {
    /// Parses the body of `quick/<Property>`.
    ///
    /// # Errors
    /// When it is not one JSON value without members.
    pub fn parse(body: &[u8]) -> Result<Self, QuickError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(_)) => Err(QuickError::new("a single value", "an object")),
            Ok(Value::Array(_)) => Err(QuickError::new("a single value", "an array")),
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(QuickError::new("a single value", &error.to_string())),
        }
    }

    /// Text.
    pub fn text(text: &str) -> Self {
        Self(Value::String(text.to_owned()))
    }

    /// A truth value, which servers write as a string.
    pub fn boolean(value: bool) -> Self {
        Self::text(if value { "true" } else { "false" })
    }

    /// A whole number.
    pub fn number(number: u64) -> Self {
        Self(Value::Number(number.into()))
    }

    /// A number of processing units, as a JSON number.
    pub fn units(units: ProcessingUnits) -> Self {
        match units.as_hundredths() {
            hundredths if hundredths % 100 == 0 => Self::number(hundredths / 100),
            _ => Self(Number::from_f64(units.as_f64()).map_or(Value::Null, Value::Number)),
        }
    }

    /// Nothing.
    pub fn null() -> Self {
        Self(Value::Null)
    }

    /// The text of a string; `None` for null, the string `null` and everything else.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str().filter(|text| *text != "null")
    }

    /// The value read as text of this type, whether it is a string, a number or a boolean; `None` for null.
    ///
    /// # Errors
    /// When it is something else.
    pub fn get<T: FieldValue>(&self) -> Result<Option<T>, QuickError> {
        let text = match &self.0 {
            Value::Null => return Ok(None),
            Value::String(text) if text == "null" || text.is_empty() => return Ok(None),
            Value::String(text) => text.clone(),
            Value::Number(number) => plain(number),
            other => other.to_string(),
        };
        T::from_wire(text.trim())
            .map(Some)
            .ok_or_else(|| QuickError::new(T::EXPECTED, &text))
    }

    /// The body of the response.
    pub fn to_json(&self) -> String {
        self.0.to_string()
    }
}

/// A number without exponent and without a needless fraction, so that `2E+1` reads as a whole number.
fn plain(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if !number.is_u64() && !number.is_i64() => float.to_string(),
        _ => number.to_string(),
    }
}

/// Several named values of one object, in the order of the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QuickObject(pub Map<String, Value>);

impl QuickObject {
    /// Parses the body of `<UUID>/quick`.
    ///
    /// # Errors
    /// When it is not one JSON object.
    pub fn parse(body: &[u8]) -> Result<Self, QuickError> {
        serde_json::from_slice(body)
            .map(Self)
            .map_err(|error| QuickError::new("an object", &error.to_string()))
    }

    /// Parses the body of `quick/All`.
    ///
    /// # Errors
    /// When it is not a JSON array of objects.
    pub fn parse_all(body: &[u8]) -> Result<Vec<Self>, QuickError> {
        let objects: Vec<Map<String, Value>> = serde_json::from_slice(body)
            .map_err(|error| QuickError::new("an array of objects", &error.to_string()))?;
        Ok(objects.into_iter().map(Self).collect())
    }

    /// The value of a property; null when the object does not have it.
    pub fn property(&self, name: &str) -> QuickValue {
        QuickValue(self.0.get(name).cloned().unwrap_or(Value::Null))
    }

    /// Adds a property at the end, or replaces it.
    pub fn set(&mut self, name: &str, value: QuickValue) -> &mut Self {
        self.0.insert(name.to_owned(), value.0);
        self
    }

    /// The body of the response.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// The body of the response of `quick/All`.
    pub fn all_to_json(objects: &[Self]) -> String {
        Value::Array(
            objects
                .iter()
                .map(|object| Value::Object(object.0.clone()))
                .collect(),
        )
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::PartitionState;

    #[test]
    fn values_read_as_the_servers_write_them() {
        let value = |json: &str| QuickValue::parse(json.as_bytes()).unwrap();
        assert_eq!(
            value("\"not activated\"").get(),
            Ok(Some(PartitionState::NotActivated))
        );
        assert_eq!(value("\"true\"").get(), Ok(Some(true)));
        assert_eq!(value("false").get(), Ok(Some(false)));
        assert_eq!(value("5.12E+3").get(), Ok(Some(5120_u64)));
        assert_eq!(value("2E+1").get(), Ok(Some(ProcessingUnits::whole(20))));
        assert_eq!(
            value("0.05").get(),
            Ok(Some(ProcessingUnits::hundredths(5)))
        );
        assert_eq!(value("null").get::<u64>(), Ok(None));
        assert_eq!(value("\"null\"").get::<bool>(), Ok(None));
        assert!(value("\"many\"").get::<u64>().is_err());
    }

    #[test]
    fn other_json_is_refused() {
        for body in ["{}", "[]", "", "running", "\"open"] {
            assert!(QuickValue::parse(body.as_bytes()).is_err(), "{body}");
        }
        assert!(QuickObject::parse(b"[]").is_err());
        assert!(QuickObject::parse_all(b"{}").is_err());
    }

    #[test]
    fn objects_keep_their_order() {
        let json = r#"{"UUID":"1","PartitionState":"running","CurrentMemory":1024,"MigrationDisable":false}"#;
        let object = QuickObject::parse(json.as_bytes()).unwrap();
        assert_eq!(object.to_json(), json);
        assert_eq!(object.property("PartitionState").as_str(), Some("running"));
        assert_eq!(object.property("Absent"), QuickValue::null());
        let all = QuickObject::all_to_json(&[object.clone(), object.clone()]);
        assert_eq!(
            QuickObject::parse_all(all.as_bytes()),
            Ok(vec![object.clone(), object])
        );
    }

    #[test]
    fn values_are_written_as_the_servers_do() {
        assert_eq!(
            QuickValue::text("open firmware").to_json(),
            "\"open firmware\""
        );
        assert_eq!(QuickValue::boolean(true).to_json(), "\"true\"");
        assert_eq!(
            QuickValue::units(ProcessingUnits::hundredths(50)).to_json(),
            "0.5"
        );
        assert_eq!(QuickValue::units(ProcessingUnits::whole(2)).to_json(), "2");
    }
}
