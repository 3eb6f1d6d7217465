//! What secrets look like.

use std::ops::Range;

use regex::bytes::Regex;

use super::addresses::{self, Pseudonyms};
use super::{MASK, regex};

/// Words in the names of secrets.
const WORDS: &str = "(?:passwd|password|passphrase|adminpass|admin_pass|_pass|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|credential)";

/// A value in quotes that are escaped, in quotes, or up to the next blank: one group each.
const VALUE: &str = r#"(?:[bu]?\\"((?:\\\\\\"|[^"\\\r\n]|\\[^"\r\n])*)|[bu]?"((?:[^"\\\r\n]|\\.)*)|[bu]?'((?:[^'\\\r\n]|\\.)*)|([^\s"']+))"#;

/// Headers that hold a session or a password.
const HEADERS: &str = "(?:x-auth-token|x-subject-token|x-service-token|x-storage-token|x-api-session|proxy-authorization|authorization|set-cookie|cookie)";

/// How far the end of a private key may be from its begin, in bytes.
pub(super) const LONGEST_KEY: usize = 64 << 10;

/// A place that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// All that was looked at: a window must not end within it.
    pub(super) whole: Range<usize>,
    /// What is taken out.
    pub(super) taken: Range<usize>,
    /// What comes in its place.
    pub(super) with: String,
}

/// The patterns.
#[derive(Debug)]
pub(super) struct Rules {
    patterns: Vec<Regex>,
    hosts: Vec<Regex>,
    key_begin: Regex,
    name: Regex,
}

impl Rules {
    pub(super) fn new(secrets: &[&str], hosts: &[String]) -> Result<Self, regex::Error> {
        let mut patterns = vec![
            // password = x, "password": "x", \"password\": \"x\", password => x
            regex(&format!(
                r#"{WORDS}[\w.-]*(?:\\*["'])?\]?\s{{0,100}}(?:=>|=|:){{1,2}}\s{{0,100}}{VALUE}"#
            ))?,
            // ('password', 'x') and ["--password", "x"]
            regex(&format!(
                r#"{WORDS}[\w.-]*["']\s{{0,100}},\s{{0,100}}{VALUE}"#
            ))?,
            // --password x
            regex(&format!(
                r"--[\w-]{{0,100}}{WORDS}[\w-]*[ \t]{{1,100}}{VALUE}"
            ))?,
            // <Password kb="CUR">x</Password>, and the same escaped
            regex(&format!(
                r"<[\w.:-]{{0,100}}(?:{WORDS}|X-API-Session)[^<>]{{0,1000}}>([^<]+)<"
            ))?,
            regex(&format!(
                r"&lt;[\w.:-]{{0,100}}(?:{WORDS}|X-API-Session)[^<>&]{{0,1000}}&gt;([^<&]+)&lt;"
            ))?,
            regex(&format!(
                r#"{HEADERS}(?:\\*["'])?\s{{0,100}}[:=,]\s{{0,100}}(?:[bu]?\\*["'])?((?:Basic|Bearer|Digest|Negotiate)\s[^\r\n]*|[^\r\n"'\\]+)"#
            ))?,
            regex(r"bearer\s{1,100}([\w.~+/=-]{8,})")?,
            // Fernet tokens, JSON web tokens, hashed passwords.
            regex(r"(gAAAA[\w=-]{20,})")?,
            regex(r"(eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)")?,
            regex(r#"(\$(?:1|5|6|y|2[aby])\$[^\s:"']+)"#)?,
            // https://user:password@host
            regex(r#"[a-z][a-z0-9+.-]{0,30}://([^\s"'<>/?\#]+)@"#)?,
            regex(r#"[a-z][a-z0-9+.-]{0,30}://([^\s"'<>/:@]+:[^\s"'<>@]+)@"#)?,
        ];
        let mut literals: Vec<String> = secrets
            .iter()
            .flat_map(|secret| spellings(secret))
            .collect();
        literals.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
        literals.dedup();
        if !literals.is_empty() {
            patterns.push(regex(&format!("(?-i:({}))", literals.join("|")))?);
        }
        let hosts = hosts
            .iter()
            .map(|host| {
                host.trim()
                    .trim_start_matches(['*', '.'])
                    .trim_end_matches('.')
            })
            .filter(|host| !host.is_empty())
            .map(|host| {
                regex(&format!(
                    r"(?:[a-z0-9_-]{{1,63}}\.){{0,20}}{}",
                    regex::escape(host)
                ))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            patterns,
            hosts,
            key_begin: regex("-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")?,
            name: regex(WORDS)?,
        })
    }

    /// Whether what has this name is a secret.
    pub(super) fn is_secret_name(&self, name: &str) -> bool {
        self.name.is_match(name.as_bytes())
    }

    /// The places of a text that are to be changed, by their begin, none within another.
    pub(super) fn spans(&self, text: &[u8], pseudonyms: &mut Pseudonyms) -> Vec<Span> {
        let mut spans = self.keys(text);
        for pattern in &self.patterns {
            for found in pattern.captures_iter(text) {
                let value = found.iter().skip(1).flatten().next();
                if let (Some(whole), Some(value)) = (found.get(0), value) {
                    spans.push(Span {
                        whole: whole.range(),
                        taken: value.range(),
                        with: MASK.to_owned(),
                    });
                }
            }
        }
        for (number, host) in self.hosts.iter().enumerate() {
            let names = host.find_iter(text).map(|found| found.range());
            spans.extend(
                names
                    .filter(|name| stands_alone(text, name))
                    .map(|name| Span {
                        whole: name.clone(),
                        taken: name,
                        with: format!("host-{}", number + 1),
                    }),
            );
        }
        spans.extend(addresses::spans(text, pseudonyms));
        merged(spans)
    }

    /// Private keys, from their first line to their last.
    fn keys(&self, text: &[u8]) -> Vec<Span> {
        const END: &[u8] = b"-----END ";
        let mut spans = Vec::new();
        let mut from = 0;
        while let Some(begin) = self.key_begin.find_at(text, from) {
            let limit = text.len().min(begin.end().saturating_add(LONGEST_KEY));
            let body = text.get(begin.end()..limit).unwrap_or_default();
            let end = body.windows(END.len()).position(|window| window == END);
            let end = end.map_or(limit, |at| {
                let rest = body.get(at + END.len()..).unwrap_or_default();
                let dashes = rest.windows(5).position(|window| window == b"-----");
                let close = dashes.map_or(rest.len(), |dashes| dashes + 5);
                begin.end() + at + END.len() + close
            });
            spans.push(Span {
                whole: begin.start()..end,
                taken: begin.start()..end,
                with: "*** private key ***".to_owned(),
            });
            from = end;
        }
        spans
    }
}

/// How a secret may be spelled: as it is, in a URL, in JSON, in XML; each line of it by itself.
fn spellings(secret: &str) -> Vec<String> {
    let mut all = Vec::new();
    for line in secret.lines().filter(|line| line.chars().count() >= 3) {
        let url: String = line
            .bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let json = serde_json::to_string(line).unwrap_or_default();
        let json = json
            .get(1..json.len().saturating_sub(1))
            .unwrap_or_default()
            .to_owned();
        let xml = line
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let quoted = xml.replace('"', "&quot;").replace('\'', "&apos;");
        for spelling in [line.to_owned(), url, json, xml, quoted] {
            // Patterns are of bytes: what is not ASCII is written as its bytes.
            let pattern: String = spelling
                .bytes()
                .map(|byte| match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
                    byte => format!("\\x{byte:02x}"),
                })
                .collect();
            all.push(pattern);
        }
    }
    all
}

/// Whether no name goes on before or behind a place.
fn stands_alone(text: &[u8], place: &Range<usize>) -> bool {
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let before = place.start.checked_sub(1).and_then(|at| text.get(at));
    !before.is_some_and(of_name) && !text.get(place.end).is_some_and(of_name)
}

/// Sorts places and joins those that overlap.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| !span.taken.is_empty());
    spans.sort_by_key(|span| (span.taken.start, std::cmp::Reverse(span.taken.end)));
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.taken.start < last.taken.end => {
                last.taken.end = last.taken.end.max(span.taken.end);
                last.whole.start = last.whole.start.min(span.whole.start);
                last.whole.end = last.whole.end.max(span.whole.end);
            }
            _ => merged.push(span),
        }
    }
    merged
}
