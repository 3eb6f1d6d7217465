//! The API's own description, made of the same table that serves it.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::operation::{Answer, Operation};

/// The description as an OpenAPI 3.1 document.
pub(super) fn document(operations: &[Operation]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations {
        let described = describe(operation, &mut generator);
        let methods = paths
            .entry(operation.path)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(methods) = methods {
            methods.insert(operation.method.as_str().to_lowercase(), described);
        }
    }
    let mut schemas = generator.take_definitions(true);
    schemas.insert(
        "Error".to_owned(),
        json!({
            "type": "object",
            "required": ["error"],
            "properties": { "error": { "type": "string", "description": "what is wrong and what would do" } },
        }),
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "powervm-sim admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The simulator's own API, for tests and tools. It is served on the loopback interface only.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "the token that the simulator wrote at its start" },
            },
            "schemas": schemas,
        },
    })
}

fn describe(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut described =
        json!({ "operationId": identifier(operation), "summary": operation.summary });
    let parameters: Vec<Value> = path_parameters(operation.path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .chain(operation.query.iter().map(|(name, meaning)| {
            json!({ "name": name, "in": "query", "description": meaning, "schema": { "type": "string" } })
        }))
        .collect();
    let mut responses = Map::new();
    let (status, success) = match &operation.answer {
        Answer::Json(schema) => (
            "200",
            json!({ "description": "done", "content": { "application/json": { "schema": schema(generator) } } }),
        ),
        Answer::Text(media_type) => (
            "200",
            json!({ "description": "done", "content": { *media_type: { "schema": { "type": "string" } } } }),
        ),
        Answer::Nothing => ("204", json!({ "description": "done" })),
    };
    responses.insert(status.to_owned(), success);
    let wrong = (
        400,
        "the body or a parameter is not as documented, or there is a token in the URL",
    );
    let refusals = operation
        .refusals
        .iter()
        .copied()
        .chain([wrong])
        .chain((!operation.open).then_some((401, "no token, or a wrong one")));
    for (status, why) in refusals {
        let refusal = json!({
            "description": why,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
        });
        responses.entry(status.to_string()).or_insert(refusal);
    }
    if let Value::Object(fields) = &mut described {
        if !parameters.is_empty() {
            fields.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = operation.body {
            let content = json!({ "application/json": { "schema": body(generator) } });
            let body = json!({ "required": true, "content": content });
            fields.insert("requestBody".to_owned(), body);
        }
        fields.insert("responses".to_owned(), Value::Object(responses));
        if operation.open {
            fields.insert("security".to_owned(), json!([]));
        }
    }
    described
}

/// The names in braces.
fn path_parameters(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

/// Such as `post_clock_advance`.
fn identifier(operation: &Operation) -> String {
    let path = operation.path.replace(['{', '}'], "");
    let path = path.replace(['/', '.', '-'], "_");
    format!("{}{path}", operation.method.as_str().to_lowercase())
}
