//! Whether a JSON value is as a JSON schema says, as far as our own schemas say anything: for tests of what we publish.

use serde_json::Value;

/// Checks `value` against `schema`, a part of `document` to which references lead. Fields that an object schema with
/// properties does not name are wrong unless it allows them in so many words.
///
/// # Errors
/// The place and what is wrong there.
pub(crate) fn conforms(
    document: &Value,
    schema: &Value,
    value: &Value,
    place: &str,
) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = document.pointer(reference.trim_start_matches('#'));
        let target = target.ok_or_else(|| format!("{place}: {reference} leads nowhere"))?;
        return conforms(document, target, value, place);
    }
    if schema == &Value::Bool(false) {
        return Err(format!("{place}: nothing may be here"));
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[key].as_array() {
            let tried: Vec<_> = choices
                .iter()
                .map(|choice| conforms(document, choice, value, place))
                .collect();
            if !tried.iter().any(Result::is_ok) {
                return Err(format!(
                    "{place}: {value} is none of the choices: {tried:?}"
                ));
            }
        }
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        conforms(document, part, value, place)?;
    }
    if let Some(choices) = schema["enum"].as_array()
        && !choices.contains(value)
    {
        return Err(format!("{place}: {value} is none of {choices:?}"));
    }
    if let Some(only) = schema.get("const")
        && only != value
    {
        return Err(format!("{place}: {value} is not {only}"));
    }
    kind(schema, value, place)?;
    if let Some(fields) = value.as_object() {
        object(document, schema, fields, place)?;
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, value) in values.iter().enumerate() {
            conforms(document, items, value, &format!("{place}/{index}"))?;
        }
    }
    Ok(())
}

fn kind(schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let fits = |kind: &&str| match *kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    if !kinds.iter().any(fits) {
        return Err(format!("{place}: {value} is no {kinds:?}"));
    }
    for (bound, within) in [("minimum", true), ("maximum", false)] {
        if let (Some(bound), Some(number)) = (schema[bound].as_f64(), value.as_f64())
            && (within && number < bound || !within && number > bound)
        {
            return Err(format!("{place}: {number} is beyond {bound}"));
        }
    }
    Ok(())
}

fn object(
    document: &Value,
    schema: &Value,
    fields: &serde_json::Map<String, Value>,
    place: &str,
) -> Result<(), String> {
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if !fields.contains_key(name) {
            return Err(format!("{place}: no {name}"));
        }
    }
    let properties = schema["properties"].as_object();
    for (name, field) in fields {
        let inner = format!("{place}/{name}");
        match properties.and_then(|properties| properties.get(name)) {
            Some(schema) => conforms(document, schema, field, &inner)?,
            None => match schema.get("additionalProperties") {
                Some(others) => conforms(document, others, field, &inner)?,
                None if properties.is_some() => {
                    return Err(format!("{inner} is not described"));
                }
                None => {}
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_as_described_is_told() {
        let document = json!({
            "type": "object",
            "required": ["a"],
            "properties": { "a": { "$ref": "#/$defs/small" }, "b": { "type": ["string", "null"] }, "c": { "items": { "enum": [1, 2] } } },
            "additionalProperties": false,
            "$defs": { "small": { "type": "integer", "minimum": 0, "maximum": 9 } },
        });
        let told = |value: Value| conforms(&document, &document, &value, "");
        assert_eq!(told(json!({"a": 3, "b": null, "c": [1, 2]})), Ok(()));
        for wrong in [
            json!([]),
            json!({}),
            json!({"a": 10}),
            json!({"a": "3"}),
            json!({"a": 3, "b": 1}),
            json!({"a": 3, "c": [3]}),
            json!({"a": 3, "d": 1}),
        ] {
            assert!(told(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
