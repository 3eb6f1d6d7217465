//! The form of VCR, a Ruby tool: YAML with `http_interactions`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::{Captured, Exchange, Headers, ReadError};

#[derive(Deserialize)]
struct Cassette {
    http_interactions: Vec<Interaction>,
}

#[derive(Deserialize)]
struct Interaction {
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    uri: String,
    #[serde(default)]
    body: Body,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
}

#[derive(Deserialize)]
struct Response {
    status: Status,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    #[serde(default)]
    body: Body,
}

#[derive(Deserialize)]
struct Status {
    code: u16,
}

#[derive(Default, Deserialize)]
struct Body {
    string: Option<String>,
    base64_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Several(Vec<String>),
    One(String),
    Nothing(()),
}

/// Whether a text is in this form.
pub(super) fn is_cassette(text: &str) -> bool {
    let head = text.get(..text.floor_char_boundary(4096)).unwrap_or(text);
    head.contains("http_interactions:")
}

/// Reads a cassette.
pub(super) fn parse(text: &str) -> Result<Vec<Exchange>, ReadError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: None,
            max_total_scalar_bytes: 1 << 30,
            max_nodes: 5_000_000,
            max_events: 10_000_000,
        },
    };
    let cassette: Cassette = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| ReadError::Syntax(error.to_string().chars().take(500).collect()))?;
    let exchanges = cassette.http_interactions.into_iter().map(|interaction| {
        let uri = interaction.request.uri;
        let url = uri
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)))
            .map_or_else(|| uri.clone(), str::to_owned);
        Exchange {
            at_ms: 0,
            took_ms: 0,
            method: interaction.request.method.to_uppercase(),
            url,
            request_headers: headers(interaction.request.headers),
            request_body: captured(interaction.request.body),
            status: interaction.response.status.code,
            headers: headers(interaction.response.headers),
            body: captured(interaction.response.body),
        }
    });
    Ok(exchanges.collect())
}

fn headers(map: BTreeMap<String, Values>) -> Headers {
    let flat = map.into_iter().flat_map(|(name, values)| {
        let values = match values {
            Values::Several(values) => values,
            Values::One(value) => vec![value],
            Values::Nothing(()) => Vec::new(),
        };
        values.into_iter().map(move |value| (name.clone(), value))
    });
    flat.collect()
}

fn captured(body: Body) -> Captured {
    let decoded = body.base64_string.and_then(|text| {
        let text: String = text.split_ascii_whitespace().collect();
        String::from_utf8(STANDARD.decode(text).ok()?).ok()
    });
    Captured::kept(body.string.or(decoded).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASSETTE: &str = "---\nhttp_interactions:\n- request:\n    method: put\n    uri: https://hmc:12443/rest/api/web/Logon\n    body:\n      encoding: UTF-8\n      string: \"<a>b</a>\"\n    headers:\n      Accept:\n      - \"*/*\"\n      X-Api-Session: xxx\n  response:\n    status:\n      code: 200\n      message: OK\n    headers:\n      Content-Type:\n      - application/json\n    body:\n      encoding: UTF-8\n      string: |\n        <x>\n          1\n        </x>\n    http_version:\n  recorded_at: Tue, 22 Nov 2022 15:48:03 GMT\nrecorded_with: VCR 6.1.0\n";

    #[test]
    fn a_cassette_is_read() {
        assert!(is_cassette(CASSETTE));
        let exchange = &parse(CASSETTE).unwrap()[0];
        assert_eq!(
            (&*exchange.method, &*exchange.url, exchange.status),
            ("PUT", "/rest/api/web/Logon", 200)
        );
        assert_eq!(exchange.request_header("x-api-session"), Some("xxx"));
        assert_eq!(exchange.body.text(), "<x>\n  1\n</x>\n");
    }

    #[test]
    fn other_yaml_is_refused() {
        for text in [
            "http_interactions: 3",
            "http_interactions:\n- {}",
            "http_interactions: [&a [*a]]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
