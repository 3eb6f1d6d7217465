//! One HTML file with everything in it: results, timeline by worker, calls, latencies, faults.
//!
//! The page holds the results as JSON, and a script of its own that builds what is seen, with text nodes only: no text
//! of a log is ever read as markup. Its content security policy allows that script, that style, and nothing else.

mod data;

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::results::Results;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Writes the page.
///
/// # Errors
/// Those of the output.
pub fn write<W: Write>(results: &Results, out: &mut W) -> io::Result<()> {
    let data = serde_json::to_string(&data::Page::of(results))?;
    // Within the element, only what could end it or begin a comment matters; all of that begins with this character.
    let data = data.replace('<', "\\u003c");
    let title = escaped(&data::title(results));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    );
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <noscript>This page needs JavaScript; tempest.txt.gz and junit.xml beside it do not.</noscript>\n\
         <main id=\"page\"></main>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )
}

fn hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// A text as it may stand in markup and in quoted attributes.
#[must_use]
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE, write};
    use crate::event::{Event, TestBegins, TestEnds, Verdict};
    use crate::results::Results;

    const HOSTILE: &str =
        "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>'\"&amp;";

    fn page(name: &str) -> String {
        let begins = Event::TestBegins(TestBegins {
            test: name.to_owned(),
            title: name.to_owned(),
            repro: Some(name.to_owned()),
            ..TestBegins::default()
        });
        let ends = Event::TestEnds(TestEnds {
            test: name.to_owned(),
            verdict: Verdict::Failed,
            took_us: Some(1),
            reason: Some(name.to_owned()),
            audited: false,
        });
        let results = Results::of_entries([begins.into(), ends.into()]).expect("results");
        let mut page = Vec::new();
        write(&results, &mut page).expect("a page");
        String::from_utf8(page).expect("text")
    }

    #[test]
    fn no_text_of_a_log_becomes_markup() {
        let page = page(HOSTILE);
        assert_eq!(page.matches("<script").count(), 2, "the data and our own");
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("<img") && !page.contains("<!--"));
        let data = page
            .split("id=\"data\">")
            .nth(1)
            .and_then(|rest| rest.split("</script>").next());
        let data: serde_json::Value = serde_json::from_str(data.expect("data")).expect("JSON");
        assert_eq!(data["tests"][0]["name"], HOSTILE, "and none is lost");
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = page("t");
        for word in [
            "src=",
            "href=\"http",
            "url(",
            "@import",
            "fetch(",
            "XMLHttpRequest",
        ] {
            assert!(!page.contains(word), "{word}");
        }
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</script"));
    }
}
