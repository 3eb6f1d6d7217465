//! Patterns with `*`, for branches and comments.

/// Whether the whole text matches; `*` stands for any number of any letters, and nothing else is special.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else {
            return false;
        };
        text = after;
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_anything_and_nothing() {
        for (pattern, text) in [
            ("master", "master"),
            ("stable/*", "stable/2026.1"),
            ("*", ""),
            ("a*b*c", "a-b-b-c"),
            ("recheck*", "recheck"),
            ("*ci", "a ci"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("master", "master2"),
            ("stable/*", "unstable/1"),
            ("a*b*c", "a-c"),
            ("ab*ba", "aba"),
            ("", "x"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
