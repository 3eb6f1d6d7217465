//! Writing a tree back.

use smol_str::SmolStr;

use super::{Attribute, Element, Namespace, Node, chars};

impl Element {
    /// This element as XML, without an XML declaration.
    ///
    /// Always well formed: namespaces that the tree needs and does not declare are declared, and characters
    /// that XML forbids become U+FFFD. Elements without content are written `<X/>`; nothing is indented.
    pub fn to_xml(&self) -> String {
        let mut out = String::with_capacity(1024);
        self.write_to(&mut out);
        out
    }

    /// Appends this element as XML, as [`to_xml`](Element::to_xml) does.
    pub fn write_to(&self, out: &mut String) {
        Writer {
            out,
            bindings: Vec::new(),
            hide: |_, _| false,
        }
        .element(None, self);
    }
}

/// What a prefix stands for at a place; the empty prefix is the default namespace.
type Binding<'t> = (&'t str, &'t Namespace);

pub(super) struct Writer<'o, 't> {
    pub(super) out: &'o mut String,
    pub(super) bindings: Vec<(&'t str, Bound<'t>)>,
    /// Whether the text of this element (second) of this parent (first) is to be masked.
    pub(super) hide: fn(Option<&Element>, &Element) -> bool,
}

/// What a declaration names: resolved, or as its attribute says.
#[derive(Clone, Copy)]
pub(super) enum Bound<'t> {
    Namespace(&'t Namespace),
    Uri(&'t str),
}

impl Bound<'_> {
    fn uri(&self) -> &str {
        match self {
            Self::Namespace(namespace) => namespace.uri(),
            Self::Uri(uri) => uri,
        }
    }
}

impl<'t> Writer<'_, 't> {
    pub(super) fn element(&mut self, parent: Option<&Element>, element: &'t Element) {
        let outer = self.bindings.len();
        for attribute in element.attributes() {
            if let Some(prefix) = attribute.declares() {
                self.bindings.push((prefix, Bound::Uri(attribute.value())));
            }
        }
        let declared = self.bindings.len();
        self.require(element.prefix().unwrap_or_default(), &element.namespace);
        for attribute in element.attributes() {
            if let (Some(prefix), false) = (attribute.prefix(), attribute.is_declaration()) {
                self.require(prefix, &attribute.namespace);
            }
        }

        self.out.push('<');
        self.name(element.prefix.as_ref(), &element.local);
        self.attributes(element, declared);
        if element.nodes.is_empty() {
            self.out.push_str("/>");
        } else {
            self.out.push('>');
            if (self.hide)(parent, element) {
                self.out.push_str("***");
            } else {
                element
                    .nodes
                    .iter()
                    .for_each(|node| self.node(element, node));
            }
            self.out.push_str("</");
            self.name(element.prefix.as_ref(), &element.local);
            self.out.push('>');
        }
        self.bindings.truncate(outer);
    }

    /// Binds the prefix to the namespace unless it is so bound already.
    fn require(&mut self, prefix: &'t str, namespace: &'t Namespace) {
        if prefix == "xml" || self.bound(prefix) == namespace.uri() {
            return;
        }
        self.bindings.push((prefix, Bound::Namespace(namespace)));
    }

    fn bound(&self, prefix: &str) -> &str {
        self.bindings
            .iter()
            .rev()
            .find(|(known, _)| *known == prefix)
            .map_or("", |(_, bound)| bound.uri())
    }

    /// Declarations that were added (from index `added` on) come first and replace the element's own.
    fn attributes(&mut self, element: &Element, added: usize) {
        let added: Vec<Binding<'t>> = self
            .bindings
            .iter()
            .skip(added)
            .filter_map(|(prefix, bound)| match bound {
                Bound::Namespace(namespace) => Some((*prefix, *namespace)),
                Bound::Uri(_) => None,
            })
            .collect();
        for (prefix, namespace) in &added {
            self.out.push_str(if prefix.is_empty() {
                " xmlns"
            } else {
                " xmlns:"
            });
            self.out.push_str(prefix);
            self.value(namespace.uri());
        }
        for attribute in element.attributes() {
            let replaced = attribute
                .declares()
                .is_some_and(|own| added.iter().any(|(prefix, _)| *prefix == own));
            if !replaced {
                self.attribute(attribute);
            }
        }
    }

    fn attribute(&mut self, attribute: &Attribute) {
        self.out.push(' ');
        self.name(attribute.prefix.as_ref(), &attribute.local);
        self.value(&attribute.value);
    }

    fn value(&mut self, value: &str) {
        self.out.push_str("=\"");
        escape(self.out, value, true);
        self.out.push('"');
    }

    fn name(&mut self, prefix: Option<&SmolStr>, local: &str) {
        if let Some(prefix) = prefix {
            self.out.push_str(prefix);
            self.out.push(':');
        }
        self.out.push_str(local);
    }

    fn node(&mut self, parent: &'t Element, node: &'t Node) {
        match node {
            Node::Element(child) => self.element(Some(parent), child),
            Node::Text(text) => escape(self.out, text, false),
            Node::CData(text) => {
                self.out.push_str("<![CDATA[");
                self.out
                    .push_str(&clean(text).replace("]]>", "]]]]><![CDATA[>"));
                self.out.push_str("]]>");
            }
            Node::Comment(text) => {
                self.out.push_str("<!--");
                let text = clean(text).replace("--", "- -");
                self.out.push_str(&text);
                self.out
                    .push_str(if text.ends_with('-') { " -->" } else { "-->" });
            }
            Node::Instruction(text) => {
                self.out.push_str("<?");
                self.out.push_str(&clean(text).replace("?>", "? >"));
                self.out.push_str("?>");
            }
        }
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if chars::is_xml_char(c) { c } else { '\u{fffd}' })
        .collect()
}

/// Appends text with what XML needs escaped.
fn escape(out: &mut String, text: &str, attribute: bool) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            // A bare carriage return would come back as a line feed.
            b'\r' => "&#13;",
            b'"' if attribute => "&quot;",
            b'\n' if attribute => "&#10;",
            b'\t' if attribute => "&#9;",
            b'\t' | b'\n' => continue,
            0..0x20 => "\u{fffd}",
            // The lead byte that U+FFFE and U+FFFF share with others.
            0xef if text
                .get(at..)
                .and_then(|rest| rest.chars().next())
                .is_some_and(|c| !chars::is_xml_char(c)) =>
            {
                out.push_str(text.get(plain..at).unwrap_or_default());
                out.push('\u{fffd}');
                plain = at + 3;
                continue;
            }
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push_str(replacement);
        plain = at + 1;
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reparsed(element: &Element) -> Element {
        Element::parse(element.to_xml().as_bytes()).unwrap()
    }

    #[test]
    fn a_bare_request_declares_its_namespace_once() {
        let element = Element::new(Namespace::Web, "LogonRequest")
            .with_attributes(&[("schemaVersion", "V1_0")])
            .with_leaf("UserID", "a<b>&\"c\"");
        assert_eq!(
            element.to_xml(),
            "<LogonRequest xmlns=\"http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/\" \
             schemaVersion=\"V1_0\"><UserID>a&lt;b&gt;&amp;\"c\"</UserID></LogonRequest>"
        );
    }

    #[test]
    fn a_resource_root_is_written_as_servers_write_it() {
        let element =
            Element::resource_root(Namespace::Uom, "Tier", "V1_3_0").with_leaf("Name", "t");
        let uom = Namespace::Uom;
        assert_eq!(
            element.to_xml(),
            format!(
                "<Tier:Tier xmlns:Tier=\"{uom}\" xmlns=\"{uom}\" \
                 xmlns:ns2=\"http://www.w3.org/XML/1998/namespace/k2\" schemaVersion=\"V1_3_0\"><Name>t</Name></Tier:Tier>"
            )
        );
        assert_eq!(reparsed(&element), element);
    }

    #[test]
    fn a_detached_subtree_declares_what_it_needs() {
        let root = Element::parse(
            br#"<u:A xmlns:u="urn:u" xmlns="urn:d" xmlns:p="urn:p"><B p:x="1"><u:C/><D xmlns=""/></B></u:A>"#,
        )
        .unwrap();
        let detached = root.child("B").unwrap();
        let again = reparsed(detached);
        assert_eq!(again.namespace(), &Namespace::Other("urn:d".into()));
        assert_eq!(again.attribute("x"), Some("1"));
        assert_eq!(
            again.child("C").unwrap().namespace(),
            &Namespace::Other("urn:u".into())
        );
        assert_eq!(again.child("D").unwrap().namespace(), &Namespace::None);
        assert_eq!(reparsed(&again), again);
    }

    #[test]
    fn a_moved_child_keeps_its_namespace() {
        let mut root = Element::parse(br#"<A xmlns="urn:a"/>"#).unwrap();
        root.push(Element::new(Namespace::None, "Plain"));
        root.push(Element::new(Namespace::Uom, "Uom"));
        let again = reparsed(&root);
        assert_eq!(again.child("Plain").unwrap().namespace(), &Namespace::None);
        assert_eq!(again.child("Uom").unwrap().namespace(), &Namespace::Uom);
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let mut element = Element::new(Namespace::None, "X");
        element.set_text("a\u{0}b\u{fffe}c\rd\te");
        element.set_attribute("y", "1\n2\t3\r4\u{1}");
        let again = reparsed(&element);
        assert_eq!(again.text(), "a\u{fffd}b\u{fffd}c\rd\te");
        assert_eq!(again.attribute("y"), Some("1\n2\t3\r4\u{fffd}"));
    }

    #[test]
    fn sections_that_would_end_early_do_not() {
        let mut element = Element::new(Namespace::None, "X");
        element.push_node(Node::CData("a]]>b".into()));
        element.push_node(Node::Comment("a--b-".into()));
        element.push_node(Node::Instruction("a ?> b".into()));
        assert_eq!(reparsed(&element).text(), "a]]>b");
    }
}
