//! The form of pypowervm's test data: sections `INFO{`, `HEADERS{` and `BODY{`, each closed by `END OF SECTION}`; the
//! first two are Python dictionaries.

use super::{Captured, Exchange};

const END: &str = "END OF SECTION}";

/// Whether a text is in this form.
pub(super) fn is_sections(text: &str) -> bool {
    text.contains("INFO{") && text.contains("BODY{") && text.contains(END)
}

/// The exchange of a file; none if it has no body.
pub(super) fn parse(text: &str) -> Option<Exchange> {
    let info = section(text, "INFO{").unwrap_or_default();
    let headers = section(text, "HEADERS{").unwrap_or_default();
    let body = section(text, "BODY{")?.trim().to_owned();
    let path = value(info, "path").unwrap_or_default();
    // Some paths were recorded whole, others from the service on, most from the resource type on.
    let url = match path.find("/rest/api/") {
        Some(at) => path.get(at..).unwrap_or_default().to_owned(),
        None => format!("/rest/api/uom/{}", path.trim_start_matches('/')),
    };
    let status = value(info, "status").and_then(|status| status.parse().ok());
    Some(Exchange {
        at_ms: 0,
        took_ms: 0,
        method: "GET".to_owned(),
        url,
        request_headers: Vec::new(),
        request_body: Captured::default(),
        status: status.unwrap_or(200),
        headers: pairs(headers),
        body: Captured::kept(body),
    })
}

fn section<'a>(text: &'a str, begin: &str) -> Option<&'a str> {
    let from = text.find(begin)? + begin.len();
    let rest = text.get(from..)?;
    rest.get(..rest.find(END)?)
}

/// The value of a key in a dictionary: a text in quotes, or a number.
fn value(dictionary: &str, key: &str) -> Option<String> {
    pairs(dictionary)
        .into_iter()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

/// The pairs of a flat dictionary whose keys are texts.
fn pairs(dictionary: &str) -> Vec<(String, String)> {
    let mut rest = dictionary.trim().trim_start_matches('{');
    let mut found = Vec::new();
    while let Some((key, after)) = quoted(rest) {
        let Some(after) = after.trim_start().strip_prefix(':') else {
            break;
        };
        let after = after.trim_start();
        let (value, after) = match quoted_here(after) {
            Some(read) => read,
            None => {
                let end = after.find([',', '}']).unwrap_or(after.len());
                let (plain, after) = after.split_at(end);
                (plain.trim().to_owned(), after)
            }
        };
        found.push((key, value));
        rest = after;
    }
    found
}

/// The next text in quotes, wherever it begins.
fn quoted(text: &str) -> Option<(String, &str)> {
    let at = text.find(['\'', '"'])?;
    quoted_here(text.get(at..)?)
}

/// A text in quotes that begins here, perhaps with a `u` before it.
fn quoted_here(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('u').unwrap_or(text);
    let quote = text.chars().next().filter(|c| "'\"".contains(*c))?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c if c == quote => return Some((value, text.get(at + 1..).unwrap_or_default())),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "####\n# head\nINFO{\n{'comment': None, 'path': u'Tier', 'reason': 'OK', 'status': 200}\nEND OF SECTION}\nHEADERS{\n{'ETag': '212', 'Cache-Control': \"no-cache='x, y'\"}\nEND OF SECTION}\nBODY{\n\n<feed/>\nEND OF SECTION}\n";

    #[test]
    fn a_file_is_read() {
        assert!(is_sections(FILE));
        let exchange = parse(FILE).unwrap();
        assert_eq!(
            (&*exchange.url, exchange.status, exchange.body.text()),
            ("/rest/api/uom/Tier", 200, "<feed/>")
        );
        assert_eq!(exchange.header("etag"), Some("212"));
        assert_eq!(exchange.header("cache-control"), Some("no-cache='x, y'"));
    }

    #[test]
    fn broken_files_give_what_they_have() {
        assert_eq!(parse("INFO{"), None);
        for cut in 0..FILE.len() {
            let _ = parse(&FILE[..cut]);
        }
        let odd =
            parse("INFO{{'status': oops, 'path'END OF SECTION}BODY{x END OF SECTION}").unwrap();
        assert_eq!((odd.status, odd.body.text()), (200, "x"));
    }
}
