//! How a tree shows itself in a log: as XML, with secrets masked.

use std::fmt;

use super::write::Writer;
use super::{Element, Node};

/// Leaves that hold a secret wherever they stand.
const SECRET: [&str; 4] = ["Password", "X-API-Session", "EncryptionKey", "Passphrase"];

/// Whether the text of `element`, a child of `parent`, must not be shown.
fn is_secret(parent: Option<&Element>, element: &Element) -> bool {
    let name = element.local_name();
    if SECRET
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
        || name.ends_with("Password")
    {
        return true;
    }
    name == "ParameterValue"
        && parent
            .and_then(|parameter| parameter.child_value("ParameterName"))
            .is_some_and(|name| name.to_ascii_lowercase().contains("password"))
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        Writer {
            out: &mut out,
            bindings: Vec::new(),
            hide: is_secret,
        }
        .element(None, self);
        f.write_str(&out)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element(element) => element.fmt(f),
            Self::Text(_) => f.write_str("Text(…)"),
            Self::CData(_) => f.write_str("CData(…)"),
            Self::Comment(_) => f.write_str("Comment(…)"),
            Self::Instruction(_) => f.write_str("Instruction(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let shown = |xml: &str| format!("{:?}", Element::parse(xml.as_bytes()).unwrap());
        for xml in [
            "<L><UserID>u</UserID><Password>hush</Password></L>",
            "<L><UserID>u</UserID><X-API-Session><![CDATA[hush]]></X-API-Session></L>",
            "<P><UserID>u</UserID><ParameterName>discoveryPassword</ParameterName><ParameterValue>hush</ParameterValue></P>",
        ] {
            assert!(!shown(xml).contains("hush"), "{}", shown(xml));
            assert!(shown(xml).contains("<UserID>u</UserID>"), "{}", shown(xml));
        }
    }
}
