//! `index.html` of a folder.

use crate::html::escaped;

use super::Listed;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;\
color:#1d2330;background:#fbfbfd}h1{font-size:1.3rem}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #d9dde6}\
td:nth-child(2),th:nth-child(2){text-align:right;font-variant-numeric:tabular-nums}a{color:#0b5cad}\
@media(prefers-color-scheme:dark){body{color:#dfe3ec;background:#14171d}td,th{border-color:#333a47}a{color:#79b4f2}}";

/// The page that lists a folder's files.
pub(super) fn page(title: &str, summary: &[String], files: &[(&str, &Listed)]) -> String {
    let title = escaped(title);
    let summary: String = summary
        .iter()
        .map(|line| format!("<p>{}</p>\n", escaped(line)))
        .collect();
    let rows: String = files
        .iter()
        .map(|(path, listed)| row(path, listed))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n{summary}\
         <table>\n<tr><th>file<th>bytes<th>what it is</tr>\n{rows}</table>\n</html>\n"
    )
}

fn row(path: &str, listed: &Listed) -> String {
    let path = escaped(path);
    format!(
        "<tr><td><a href=\"{path}\">{path}</a><td>{}<td>{}</tr>\n",
        listed.bytes,
        escaped(&listed.about)
    )
}
