//! Reading a body: the parser's limits, and typed access that refuses in the validator's words.

use std::borrow::Cow;
use std::str::FromStr;

use powervm_schema::xml::{Element, Limits, Namespace};

use crate::model::Refusal;

/// The `ReasonCode` of a body that does not follow the schema.
const INVALID_BODY: &str = "The request body is not valid.";
/// Longest excerpt of a client's text that an answer repeats, in characters.
const EXCERPT: usize = 60;

/// A refusal for a body that does not follow the schema: 400 with `REST0001`.
pub(crate) fn invalid(detail: impl AsRef<str>) -> Refusal {
    Refusal::new(400, INVALID_BODY, format!("REST0001 {}", detail.as_ref()))
}

/// Parses a body and checks that its root is the element `name` of `namespace`.
///
/// # Errors
/// 413 for a body over the limits of [`Limits::REQUEST`]; 400 `REST0001` for anything else that is not such a
/// document.
pub fn parse(bytes: &[u8], namespace: &Namespace, name: &str) -> Result<Element, Refusal> {
    let root = Element::parse_with(bytes, &Limits::REQUEST).map_err(|error| {
        if error.is_limit() {
            Refusal::new(
                413,
                "Request Entity Too Large",
                format!("REST0001 The request body is too large: {error}"),
            )
        } else {
            invalid(format!("Failed to unmarshal input payload. {error}"))
        }
    })?;
    if root.local_name() != name || root.namespace() != namespace {
        let found = excerpt(root.local_name());
        return Err(invalid(format!(
            "cvc-elt.1: Cannot find the declaration of element '{found}'; expected '{name}'."
        )));
    }
    Ok(root)
}

/// The start of a client's text, for a message.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(EXCERPT) {
        Some((at, _)) => Cow::Owned(format!("{}…", text.get(..at).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// The trimmed text of a leaf; nothing if it is absent or empty.
pub(crate) fn text<'e>(parent: &'e Element, name: &str) -> Option<&'e str> {
    parent
        .child_value(name)
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// The text of a leaf that has to be there.
pub(crate) fn required<'e>(parent: &'e Element, name: &str) -> Result<&'e str, Refusal> {
    text(parent, name).ok_or_else(|| incomplete(parent, name))
}

/// A leaf's value, read from its text; nothing if the leaf is absent or empty.
///
/// # Errors
/// 400 if the text is no `kind`.
pub(crate) fn value<T>(
    parent: &Element,
    name: &str,
    kind: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    match text(parent, name) {
        None => Ok(None),
        Some(found) => match read(found) {
            Some(value) => Ok(Some(value)),
            None => Err(wrong_type(name, found, kind)),
        },
    }
}

/// A leaf that holds an integer.
pub(crate) fn integer<T: FromStr>(parent: &Element, name: &str) -> Result<Option<T>, Refusal> {
    value(parent, name, "integer", |text| text.parse().ok())
}

/// A leaf that holds `true` or `false`, in any case.
pub(crate) fn flag(parent: &Element, name: &str) -> Result<Option<bool>, Refusal> {
    value(parent, name, "boolean", |text| match text {
        _ if text.eq_ignore_ascii_case("true") || text == "1" => Some(true),
        _ if text.eq_ignore_ascii_case("false") || text == "0" => Some(false),
        _ => None,
    })
}

/// A leaf that holds one of an enumeration's texts.
pub(crate) fn choice<T>(
    parent: &Element,
    name: &str,
    read: fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    match text(parent, name) {
        None => Ok(None),
        Some(found) => read(found).map(Some).ok_or_else(|| {
            let found = excerpt(found);
            invalid(format!(
                "cvc-enumeration-valid: Value '{found}' is not facet-valid with respect to the enumeration of '{name}'."
            ))
        }),
    }
}

/// The refusal of a leaf whose text is of the wrong type.
pub(crate) fn wrong_type(name: &str, found: &str, kind: &str) -> Refusal {
    let found = excerpt(found);
    invalid(format!(
        "cvc-datatype-valid.1.2.1: '{found}' is not a valid value for '{kind}'. cvc-type.3.1.3: The value '{found}' of element '{name}' is not valid."
    ))
}

/// The refusal of an element that lacks a required child.
pub(crate) fn incomplete(parent: &Element, name: &str) -> Refusal {
    let parent = excerpt(parent.local_name());
    invalid(format!(
        "cvc-complex-type.2.4.b: The content of element '{parent}' is not complete. '{name}' is expected."
    ))
}

/// The `href` of a reference that is an attribute of the element itself or of its first `link`.
pub(crate) fn href<'e>(parent: &'e Element, name: &str) -> Option<&'e str> {
    let element = parent.child(name)?;
    element
        .attribute("href")
        .or_else(|| element.child("link")?.attribute("href"))
        .filter(|href| !href.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UOM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/";

    fn body(inside: &str) -> Element {
        let text = format!(r#"<u:X xmlns:u="{UOM}">{inside}</u:X>"#);
        parse(text.as_bytes(), &Namespace::Uom, "X").unwrap()
    }

    #[test]
    fn prefixes_do_not_matter_and_values_are_typed() {
        let x = body("<u:N> 7 </u:N><u:B>True</u:B><u:E/>");
        assert_eq!(integer::<u32>(&x, "N").unwrap(), Some(7));
        assert_eq!(flag(&x, "B").unwrap(), Some(true));
        assert_eq!(integer::<u32>(&x, "E").unwrap(), None);
        assert_eq!(flag(&x, "Missing").unwrap(), None);
        let refusal = integer::<u32>(&x, "B").unwrap_err();
        assert_eq!(refusal.status, 400);
        assert!(
            refusal.message.starts_with("REST0001 cvc-datatype-valid"),
            "{}",
            refusal.message
        );
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>"#;
        for (text, status) in [
            ("", 400),
            ("not xml", 400),
            ("<X>", 400),
            ("<X/>", 400),
            (
                "<Y xmlns='http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/'/>",
                400,
            ),
            (bomb, 400),
            (deep.as_str(), 413),
        ] {
            let refusal = parse(text.as_bytes(), &Namespace::Uom, "X").unwrap_err();
            assert_eq!(refusal.status, status, "{text}: {}", refusal.message);
            assert!(refusal.message.starts_with("REST0001 ") && refusal.message.len() < 400);
        }
        let huge = vec![b'<'; Limits::REQUEST.bytes + 1];
        assert_eq!(parse(&huge, &Namespace::Uom, "X").unwrap_err().status, 413);
    }

    #[test]
    fn a_message_repeats_little_of_what_was_sent() {
        let refusal = wrong_type("N", &"9".repeat(10_000), "integer");
        assert!(refusal.message.len() < 400);
    }
}
