//! What characters XML 1.0 allows where.

/// Whether a document may hold this character at all.
pub(crate) fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Byte offset of the first character that XML forbids.
pub(crate) fn first_forbidden(text: &str) -> Option<usize> {
    // Two plain passes over the bytes, which the compiler vectorises; the slow search runs only on a hit.
    let bytes = text.as_bytes();
    let control = bytes.iter().fold(false, |hit, &b| {
        hit | (b < 0x20 && b != b'\t' && b != b'\n' && b != b'\r')
    });
    let lead = bytes.iter().fold(false, |hit, &b| hit | (b == 0xef));
    if control || lead {
        return text
            .char_indices()
            .find(|&(_, c)| !is_xml_char(c))
            .map(|(at, _)| at);
    }
    None
}

fn is_name_start(c: char) -> bool {
    matches!(c,
        'A'..='Z' | 'a'..='z' | '_'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// Whether this is a name without a colon.
pub(crate) fn is_ncname(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// Splits `prefix:local`; `None` when the name is not well formed.
pub(crate) fn split_name(name: &str) -> Option<(Option<&str>, &str)> {
    match name.split_once(':') {
        Some((prefix, local)) => {
            (is_ncname(prefix) && is_ncname(local)).then_some((Some(prefix), local))
        }
        None => is_ncname(name).then_some((None, name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_as_xml_defines_them() {
        assert_eq!(split_name("a:b"), Some((Some("a"), "b")));
        assert_eq!(split_name("X-API-Session"), Some((None, "X-API-Session")));
        for bad in ["", ":a", "a:", "a:b:c", "1a", "-a", "a b", "a<"] {
            assert_eq!(split_name(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn forbidden_characters_are_found() {
        assert_eq!(first_forbidden("plain\ttext\r\n"), None);
        assert_eq!(first_forbidden("ab\u{0}"), Some(2));
        assert_eq!(first_forbidden("é\u{fffe}"), Some(2));
        assert_eq!(first_forbidden("\u{fffd}ok"), None);
    }
}
