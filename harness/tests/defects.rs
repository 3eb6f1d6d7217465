//! `docs/defects.md` promises a test for each mistake that is not repeated. Each has to be there.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

const PAGE: &str = include_str!("../../docs/defects.md");

/// `file::function`, as the last column has them.
fn named(line: &str) -> Vec<(&str, &str)> {
    let column = line.trim_end_matches([' ', '|']).rsplit(" | ").next();
    let quoted = column.unwrap_or_default().split('`').skip(1).step_by(2);
    quoted.filter_map(|test| test.split_once(".rs::")).collect()
}

#[test]
fn each_mistake_that_is_not_repeated_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let is_row = |line: &&str| {
        line.strip_prefix("| ")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    let rows: Vec<&str> = PAGE.lines().filter(is_row).collect();
    assert!(rows.len() >= 25, "{}", rows.len());
    for row in rows {
        let tests = named(row);
        assert!(!tests.is_empty(), "no test: {row}");
        for (file, function) in tests {
            let text = std::fs::read_to_string(root.join(format!("{file}.rs")));
            let text = text.unwrap_or_else(|error| panic!("{file}.rs: {error}"));
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            let heads = [format!("fn {function}()"), format!("async fn {function}()")];
            let is_test = lines.iter().enumerate().any(|(number, line)| {
                heads.iter().any(|head| line.starts_with(head.as_str()))
                    && lines[..number]
                        .iter()
                        .rev()
                        .take_while(|before| before.starts_with('#'))
                        .any(|before| before.contains("test"))
            });
            assert!(is_test, "{file}.rs has no test {function}");
        }
    }
}
