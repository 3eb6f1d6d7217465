//! Links between servers: documents name their server in every `href`, and a proxy or a replay is another one.

/// Puts `origin` (`http://host:port`) in the place of every server that a link into the REST API names.
pub(super) fn point_to(text: &str, origin: &str) -> String {
    let mut pointed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("/rest/api/") {
        let (before, after) = rest.split_at(at);
        // A server's name is short, and no link begins further back than the last quote, bracket or blank.
        let begin = before
            .rfind(|c: char| "\"'<> \t\r\n".contains(c))
            .map_or(0, |quote| quote + 1);
        let (kept, server) = before.split_at(begin);
        let is_server = server
            .strip_prefix("https://")
            .or_else(|| server.strip_prefix("http://"))
            .is_some_and(|authority| {
                !authority.is_empty()
                    && authority.len() < 300
                    && !authority.contains(['/', '?', '#', '@'])
            });
        pointed.push_str(kept);
        pointed.push_str(if is_server { origin } else { server });
        let (path, next) = after.split_at("/rest/api/".len());
        pointed.push_str(path);
        rest = next;
    }
    pointed.push_str(rest);
    pointed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_new_server_and_other_text_stays() {
        let text = r#"<link rel="SELF" href="https://9.1.2.3:12443/rest/api/uom/Tier?group=None"/><a>https://x/rest/api/uom/Y</a> /rest/api/web http://a/b"#;
        assert_eq!(
            point_to(text, "http://localhost:1"),
            r#"<link rel="SELF" href="http://localhost:1/rest/api/uom/Tier?group=None"/><a>http://localhost:1/rest/api/uom/Y</a> /rest/api/web http://a/b"#
        );
    }

    #[test]
    fn what_only_looks_like_a_link_stays() {
        for text in [
            "",
            "/rest/api/",
            "https:///rest/api/x",
            "ftp://x/rest/api/x",
            "https://a/b/rest/api/x",
            "é/rest/api/é",
        ] {
            assert_eq!(point_to(text, "http://o"), text);
        }
    }
}
