//! Changing a tree.

use std::sync::Arc;

use smol_str::SmolStr;

use super::{Attribute, Element, Namespace, Node};

/// Stands before everything in every order.
const METADATA: &str = "Metadata";

impl Element {
    /// Sets an unprefixed attribute, in place if it is there, else after the others.
    pub fn set_attribute(&mut self, local: &str, value: impl Into<SmolStr>) {
        let mut attributes = self.attributes().to_vec();
        match attributes
            .iter_mut()
            .find(|a| a.prefix.is_none() && a.local == local && !a.is_declaration())
        {
            Some(attribute) => attribute.value = value.into(),
            None => attributes.push(Attribute {
                prefix: None,
                local: SmolStr::new(local),
                namespace: Namespace::None,
                value: value.into(),
            }),
        }
        self.attributes = Some(Arc::from(attributes));
    }

    /// Takes the attributes with this local name away; says whether there was one.
    pub fn remove_attribute(&mut self, local: &str) -> bool {
        let before = self.attributes().len();
        let kept: Vec<Attribute> = self
            .attributes()
            .iter()
            .filter(|a| a.local != local || a.is_declaration())
            .cloned()
            .collect();
        let removed = kept.len() != before;
        if removed {
            self.attributes = (!kept.is_empty()).then(|| Arc::from(kept));
        }
        removed
    }

    /// Sets several unprefixed attributes at once; cheaper than one by one.
    #[must_use]
    pub fn with_attributes(mut self, attributes: &[(&'static str, &str)]) -> Self {
        let new = attributes.iter().map(|&(local, value)| Attribute {
            prefix: None,
            local: SmolStr::new_static(local),
            namespace: Namespace::None,
            value: SmolStr::new(value),
        });
        self.attributes = Some(self.attributes().iter().cloned().chain(new).collect());
        self
    }

    /// Declares namespaces here, after the attributes that are there; the empty prefix is the default namespace.
    ///
    /// Never needed for correctness (what a tree needs is declared when it is written), only to have the
    /// declarations where real servers have them.
    #[must_use]
    pub fn with_declarations(mut self, declarations: &[(&str, Namespace)]) -> Self {
        const XMLNS: SmolStr = SmolStr::new_static("xmlns");
        let new = declarations.iter().map(|(prefix, namespace)| Attribute {
            prefix: (!prefix.is_empty()).then_some(XMLNS),
            local: if prefix.is_empty() {
                XMLNS
            } else {
                SmolStr::new(prefix)
            },
            namespace: Namespace::Xmlns,
            value: SmolStr::new(namespace.uri()),
        });
        self.attributes = Some(self.attributes().iter().cloned().chain(new).collect());
        self
    }

    /// This element with one more child at its end.
    #[must_use]
    pub fn with(mut self, child: Element) -> Self {
        self.push(child);
        self
    }

    /// This element with a leaf of its own namespace at its end.
    #[must_use]
    pub fn with_leaf(self, local: impl Into<SmolStr>, text: impl Into<SmolStr>) -> Self {
        let leaf = Element::leaf(self.namespace.clone(), local, text);
        self.with(leaf)
    }

    /// Replaces all content by this text; no text leaves the element empty.
    pub fn set_text(&mut self, text: impl Into<SmolStr>) {
        let text = text.into();
        self.nodes.clear();
        if !text.is_empty() {
            self.nodes.reserve_exact(1);
            self.nodes.push(Node::Text(text));
        }
    }

    /// Replaces all content by one CDATA section.
    pub fn set_cdata(&mut self, text: impl Into<SmolStr>) {
        self.nodes.clear();
        self.nodes.push(Node::CData(text.into()));
    }

    /// Adds a child at the end.
    pub fn push(&mut self, child: Element) {
        self.nodes.push(Node::Element(child));
    }

    /// Adds any node at the end.
    pub fn push_node(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Inserts a child where `order`, a list of local names, puts it.
    ///
    /// It goes after the last sibling that the order puts before it or beside it (`Metadata` precedes all), or
    /// else before the first that the order puts after it, or else to the front. Siblings that the order does
    /// not name stay where they are. A child that the order does not name goes to the end.
    pub fn insert_ordered(&mut self, child: Element, order: &[&str]) -> &mut Element {
        let at = match rank(child.local_name(), order) {
            Some(rank) => self.place_of(rank, order),
            None => self.nodes.len(),
        };
        self.insert_at(at, child)
    }

    /// The first child with this local name; when there is none, `make` makes it and `order` places it.
    pub fn child_or_insert(
        &mut self,
        local: &str,
        order: &[&str],
        make: impl FnOnce() -> Element,
    ) -> &mut Element {
        match self
            .nodes
            .iter()
            .position(|node| node.as_element().is_some_and(|child| child.local == local))
        {
            Some(at) => self.element_at(at),
            None => self.insert_ordered(make(), order),
        }
    }

    fn place_of(&self, new: usize, order: &[&str]) -> usize {
        let mut greater = None;
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let Some(sibling) = node
                .as_element()
                .and_then(|sibling| rank(sibling.local_name(), order))
            else {
                continue;
            };
            if sibling <= new {
                return at + 1;
            }
            greater = Some(at);
        }
        greater.unwrap_or(0)
    }

    fn insert_at(&mut self, at: usize, child: Element) -> &mut Element {
        self.nodes.insert(at, Node::Element(child));
        self.element_at(at)
    }

    /// The element at this index of the nodes, which the caller has just found or put there.
    fn element_at(&mut self, at: usize) -> &mut Element {
        match self.nodes.get_mut(at) {
            Some(Node::Element(child)) => child,
            _ => unreachable!("the caller found an element at this index"),
        }
    }

    /// The first child with this local name.
    pub fn child_mut(&mut self, local: &str) -> Option<&mut Element> {
        self.children_mut().find(|child| child.local == local)
    }

    /// The child elements in document order.
    pub fn children_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Element> {
        self.nodes.iter_mut().filter_map(Node::as_element_mut)
    }

    /// Takes the first child with this local name out.
    pub fn remove(&mut self, local: &str) -> Option<Element> {
        let at = self
            .nodes
            .iter()
            .position(|node| node.as_element().is_some_and(|child| child.local == local))?;
        match self.nodes.remove(at) {
            Node::Element(child) => Some(child),
            _ => None,
        }
    }

    /// Keeps the child elements that `keep` wants; other nodes stay.
    pub fn retain_children(&mut self, mut keep: impl FnMut(&Element) -> bool) {
        self.nodes
            .retain(|node| node.as_element().is_none_or(&mut keep));
    }

    /// Takes all content away.
    pub fn clear(&mut self) {
        self.nodes.clear();
    }

    /// Takes the child elements out, in document order.
    pub fn into_children(self) -> impl Iterator<Item = Element> {
        self.nodes.into_iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            _ => None,
        })
    }
}

/// Position in the order, `Metadata` first.
fn rank(local: &str, order: &[&str]) -> Option<usize> {
    if local == METADATA {
        return Some(0);
    }
    order
        .iter()
        .position(|known| *known == local)
        .map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &[&str] = &["A", "B", "C", "D"];

    fn root(children: &[&str]) -> Element {
        children
            .iter()
            .fold(Element::new(Namespace::Uom, "R"), |root, name| {
                root.with(Element::new(Namespace::Uom, *name))
            })
    }

    fn names(element: &Element) -> Vec<&str> {
        element.children().map(Element::local_name).collect()
    }

    #[test]
    fn a_child_goes_where_the_order_puts_it() {
        for (siblings, new, expected) in [
            (&[][..], "B", &["B"][..]),
            (&["A", "C"], "B", &["A", "B", "C"]),
            (&["C", "D"], "B", &["B", "C", "D"]),
            (&["Metadata", "C"], "A", &["Metadata", "A", "C"]),
            (
                &["Metadata", "New", "C"],
                "B",
                &["Metadata", "B", "New", "C"],
            ),
            (&["A", "B", "B", "C"], "B", &["A", "B", "B", "B", "C"]),
            (&["New"], "B", &["B", "New"]),
            (&["A", "B"], "Newer", &["A", "B", "Newer"]),
            (&["A"], "Metadata", &["Metadata", "A"]),
        ] {
            let mut root = root(siblings);
            root.insert_ordered(Element::new(Namespace::Uom, new), ORDER);
            assert_eq!(names(&root), expected, "{siblings:?} + {new}");
        }
    }

    #[test]
    fn attributes_are_set_in_place_and_removed() {
        let mut element =
            Element::new(Namespace::Uom, "X").with_attributes(&[("kb", "ROR"), ("kxe", "false")]);
        element.set_attribute("kb", "CUD");
        element.set_attribute("href", "h");
        let seen: Vec<_> = element
            .attributes()
            .iter()
            .map(|a| (a.local_name(), a.value()))
            .collect();
        assert_eq!(seen, [("kb", "CUD"), ("kxe", "false"), ("href", "h")]);
        assert!(element.remove_attribute("kxe"));
        assert!(!element.remove_attribute("kxe"));
        assert_eq!(element.attribute("kxe"), None);
    }

    #[test]
    fn children_are_found_made_and_taken() {
        let mut element = root(&["A", "C"]);
        element
            .child_or_insert("B", ORDER, || Element::new(Namespace::Uom, "B"))
            .set_text("made");
        element
            .child_or_insert("B", ORDER, || Element::new(Namespace::Uom, "B"))
            .set_text("found");
        assert_eq!(names(&element), ["A", "B", "C"]);
        assert_eq!(element.child_value("B"), Some("found"));
        assert_eq!(
            element
                .remove("B")
                .map(|b| b.text().into_owned())
                .as_deref(),
            Some("found")
        );
        element.retain_children(|child| child.local_name() != "A");
        assert_eq!(names(&element), ["C"]);
    }
}
