//! The tree: elements, their nodes and attributes, and how to read them.

use std::borrow::Cow;
use std::sync::Arc;

use smol_str::SmolStr;

use super::Namespace;

/// An element with its attributes and content.
///
/// Equality is exact: prefixes, attribute order and white space count.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    pub(super) prefix: Option<SmolStr>,
    pub(super) local: SmolStr,
    pub(super) namespace: Namespace,
    // Shared by elements with equal lists; most of a document's elements have one of a few.
    pub(super) attributes: Option<Arc<[Attribute]>>,
    pub(super) nodes: Vec<Node>,
}

/// One piece of an element's content.
#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    /// A child element.
    Element(Element),
    /// Text, with entities resolved.
    Text(SmolStr),
    /// A CDATA section.
    CData(SmolStr),
    /// A comment, without `<!--` and `-->`.
    Comment(SmolStr),
    /// A processing instruction, without `<?` and `?>`.
    Instruction(SmolStr),
}

impl Node {
    /// The child element, if this is one.
    pub fn as_element(&self) -> Option<&Element> {
        match self {
            Self::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The child element, if this is one.
    pub fn as_element_mut(&mut self) -> Option<&mut Element> {
        match self {
            Self::Element(element) => Some(element),
            _ => None,
        }
    }
}

/// An attribute or a namespace declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub(super) prefix: Option<SmolStr>,
    pub(super) local: SmolStr,
    pub(super) namespace: Namespace,
    pub(super) value: SmolStr,
}

impl Attribute {
    /// The prefix as written; `xmlns` for the declaration of a prefix.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// The name without its prefix.
    pub fn local_name(&self) -> &str {
        &self.local
    }

    /// The namespace; [`Namespace::None`] for an unprefixed attribute.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The value, with entities resolved and white space normalised as XML demands.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether this declares a namespace (`xmlns` or `xmlns:…`).
    pub fn is_declaration(&self) -> bool {
        self.namespace == Namespace::Xmlns
    }

    /// The prefix that this declaration binds; empty for the default namespace. `None` when it declares nothing.
    pub(super) fn declares(&self) -> Option<&str> {
        match (&self.namespace, &self.prefix) {
            (Namespace::Xmlns, Some(_)) => Some(&self.local),
            (Namespace::Xmlns, None) => Some(""),
            _ => None,
        }
    }
}

impl Element {
    /// An empty, unprefixed element; written in a default namespace.
    ///
    /// The name is trusted: pass one that XML allows.
    pub fn new(namespace: Namespace, local: impl Into<SmolStr>) -> Self {
        Self {
            prefix: None,
            local: local.into(),
            namespace,
            attributes: None,
            nodes: Vec::new(),
        }
    }

    /// An unprefixed element that holds this text and nothing else.
    pub fn leaf(namespace: Namespace, local: impl Into<SmolStr>, text: impl Into<SmolStr>) -> Self {
        let mut element = Self::new(namespace, local);
        element.set_text(text);
        element
    }

    /// A resource as a server writes it: `<X:X xmlns:X="…" xmlns="…" xmlns:ns2="…" schemaVersion="…">`, whose
    /// children are unprefixed.
    ///
    /// Clients in several languages look names up without namespaces, and nothing but a resource's own root is
    /// ever prefixed by a real server (`docs/protocol/documents.md`, "Prefixes").
    pub fn resource_root(
        namespace: Namespace,
        local: impl Into<SmolStr>,
        schema_version: &str,
    ) -> Self {
        let local = local.into();
        Self::prefixed(namespace.clone(), local.clone(), local.clone())
            .with_declarations(&[
                (&local, namespace.clone()),
                ("", namespace),
                ("ns2", Namespace::K2),
            ])
            .with_attributes(&[("schemaVersion", schema_version)])
    }

    /// An empty element with a prefix.
    pub(crate) fn prefixed(
        namespace: Namespace,
        prefix: impl Into<SmolStr>,
        local: impl Into<SmolStr>,
    ) -> Self {
        Self {
            prefix: Some(prefix.into()),
            ..Self::new(namespace, local)
        }
    }

    /// The name without its prefix.
    pub fn local_name(&self) -> &str {
        &self.local
    }

    /// The prefix as written.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// The resolved namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Whether name and namespace are these.
    pub fn is(&self, namespace: &Namespace, local: &str) -> bool {
        self.local == local && self.namespace == *namespace
    }

    /// All attributes in document order, namespace declarations included.
    pub fn attributes(&self) -> &[Attribute] {
        self.attributes.as_deref().unwrap_or_default()
    }

    /// The value of the attribute with this local name, whatever its namespace; declarations do not count.
    pub fn attribute(&self, local: &str) -> Option<&str> {
        self.attributes()
            .iter()
            .find(|a| a.local == local && !a.is_declaration())
            .map(Attribute::value)
    }

    /// All content in document order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The child elements in document order.
    pub fn children(&self) -> impl DoubleEndedIterator<Item = &Element> {
        self.nodes.iter().filter_map(Node::as_element)
    }

    /// The child elements with this local name, in document order.
    pub fn children_named<'e>(
        &'e self,
        local: &str,
    ) -> impl DoubleEndedIterator<Item = &'e Element> {
        self.children().filter(move |child| child.local == local)
    }

    /// The first child element with this local name, whatever its namespace.
    pub fn child(&self, local: &str) -> Option<&Element> {
        self.children().find(|child| child.local == local)
    }

    /// The element found by going down these local names, taking the first of each.
    pub fn descend(&self, path: &[&str]) -> Option<&Element> {
        path.iter()
            .try_fold(self, |element, local| element.child(local))
    }

    /// The text and CDATA directly inside, joined; empty when there is none.
    pub fn text(&self) -> Cow<'_, str> {
        let mut pieces = self.nodes.iter().filter_map(Node::as_text);
        match (pieces.next(), pieces.next()) {
            (None, _) => Cow::Borrowed(""),
            (Some(only), None) => Cow::Borrowed(only),
            (Some(first), Some(second)) => {
                let mut joined = String::with_capacity(first.len() + second.len());
                joined.push_str(first);
                joined.push_str(second);
                pieces.for_each(|piece| joined.push_str(piece));
                Cow::Owned(joined)
            }
        }
    }

    /// The value of a leaf: its CDATA section if it has one, else its first text; `None` when that is empty.
    ///
    /// An element that is present but empty reads like one that is absent, as it does for the known clients.
    pub fn value(&self) -> Option<&str> {
        let cdata = self.nodes.iter().find_map(|node| match node {
            Node::CData(text) => Some(text.as_str()),
            _ => None,
        });
        let value = match cdata {
            Some(text) => text,
            None => self.nodes.iter().find_map(Node::as_text)?,
        };
        (!value.is_empty()).then_some(value)
    }

    /// The [`value`](Element::value) of the first child with this local name.
    pub fn child_value(&self, local: &str) -> Option<&str> {
        self.child(local)?.value()
    }

    /// This element and everything below it, parents before children.
    pub fn descendants(&self) -> impl Iterator<Item = &Element> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(next.children().rev());
            Some(next)
        })
    }
}

impl Node {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::CData(text) => Some(text),
            _ => None,
        }
    }
}
