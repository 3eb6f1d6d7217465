//! The lines that the programs of `conformance/` print: `ok - NAME`, `not ok - NAME: WHY`, `skipped - NAME: WHY`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use powervm_report::event::Verdict;

/// Most checks that are read of a program.
pub(super) const MOST: usize = 20_000;
/// Longest name or reason, in characters.
const LONGEST: usize = 2000;

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    /// Its name, the same whether it passed or not; a number is added where it comes again.
    pub(super) test: String,
    /// How it came out.
    pub(super) verdict: Verdict,
    /// Why it did not pass.
    pub(super) reason: Option<String>,
}

/// The checks that an output tells of.
pub(super) fn said(output: impl Read) -> Vec<Said> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
    let checks = lines.filter_map(|line| check(&String::from_utf8_lossy(&line)));
    let numbered = checks.map(|mut said| {
        let count = seen.entry(said.test.clone()).or_default();
        *count += 1;
        if *count > 1 {
            said.test = format!("{} ({count})", said.test);
        }
        said
    });
    numbered.take(MOST).collect()
}

/// Its name without the number that [`said`] added.
pub(super) fn unnumbered(test: &str) -> &str {
    let number = |rest: &str| rest.parse::<usize>().is_ok();
    match test
        .strip_suffix(')')
        .and_then(|test| test.rsplit_once(" ("))
    {
        Some((name, rest)) if number(rest) => name,
        _ => test,
    }
}

fn check(line: &str) -> Option<Said> {
    let words = [
        ("ok - ", Verdict::Passed),
        ("not ok - ", Verdict::Failed),
        ("skipped - ", Verdict::Skipped),
    ];
    let (rest, verdict) = words
        .iter()
        .find_map(|(word, verdict)| Some((line.strip_prefix(word)?, *verdict)))?;
    let bounded = |text: &str| text.trim().chars().take(LONGEST).collect::<String>();
    let (name, reason) = match verdict {
        Verdict::Passed => (rest, None),
        _ => named(rest),
    };
    Some(Said {
        test: bounded(name),
        verdict,
        reason: reason.map(bounded),
    })
}

/// A name may begin with words such as `ssp: `, which have no blank before their colon.
fn named(text: &str) -> (&str, Option<&str>) {
    let colons = text.match_indices(": ").map(|(place, _)| place);
    let mut before = 0;
    for colon in colons {
        let part = text.get(before..colon).unwrap_or_default();
        if part.contains(' ') {
            return (text.get(..colon).unwrap_or(text), text.get(colon + 2..));
        }
        before = colon + 2;
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_have_the_same_name_whether_they_pass_or_not() {
        let text = "+ python x.py\nok - ssp: the services start\nnot ok - ssp: the services start: Timeout: after 60 s\n\
                    skipped - a console opens: no VNC\nnot ok - ssp: boots\n3 passed, 2 failed\n";
        let said = said(text.as_bytes());
        let told: Vec<_> = said
            .iter()
            .map(|said| (said.test.as_str(), said.verdict, said.reason.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("ssp: the services start", Verdict::Passed, None),
                (
                    "ssp: the services start (2)",
                    Verdict::Failed,
                    Some("Timeout: after 60 s")
                ),
                ("a console opens", Verdict::Skipped, Some("no VNC")),
                ("ssp: boots", Verdict::Failed, None),
            ]
        );
    }
}
