//! What the generated accessors are made of.

use std::borrow::{Borrow, BorrowMut};

use smol_str::SmolStr;

use super::{FieldError, FieldValue};
use crate::xml::{Element, Namespace, ParseError, excerpt};

/// What a view can stand on: `Element`, `&Element` or `&mut Element`.
///
/// A loan for `'s` gives an element for `'e`: for `&'e Element` that is the lifetime of the document, however
/// short the view lives; for the others it is the loan's own. So getters of a borrowed view can return text
/// that outlives the view.
pub trait Source<'s, 'e>: Borrow<Element> {
    /// The element.
    fn source(&'s self) -> &'e Element;
}

impl<'s> Source<'s, 's> for Element {
    fn source(&'s self) -> &'s Element {
        self
    }
}

impl<'e> Source<'_, 'e> for &'e Element {
    fn source(&self) -> &'e Element {
        self
    }
}

impl<'s> Source<'s, 's> for &mut Element {
    fn source(&'s self) -> &'s Element {
        self
    }
}

/// What all owned views have in common, for code that is generic over resources.
pub trait View: Sized {
    /// Name of the element.
    const TYPE: &'static str;
    /// Namespace of the element.
    const NAMESPACE: Namespace;
    /// Known children in schema order.
    const ORDER: &'static [&'static str];

    /// The view on this element, whatever its name is.
    fn from_element(element: Element) -> Self;

    /// The element.
    fn into_element(self) -> Element;

    /// The element.
    fn as_element(&self) -> &Element;
}

/// Refuses an element with another name.
pub(crate) fn expect_name(element: &Element, expected: &'static str) -> Result<(), ParseError> {
    if element.local_name() == expected {
        return Ok(());
    }
    Err(ParseError::Unexpected {
        expected,
        found: format!("the element {}", excerpt(element.local_name())),
    })
}

/// A new element as clients build one: complex types carry a schema version and empty metadata.
pub(crate) fn new_element(
    namespace: Namespace,
    name: impl Into<SmolStr>,
    since: Option<&str>,
) -> Element {
    let version = since.unwrap_or("V1_0");
    let metadata = Element::new(namespace.clone(), SmolStr::new_static("Metadata"))
        .with(Element::new(namespace.clone(), SmolStr::new_static("Atom")));
    Element::new(namespace, name)
        .with_attributes(&[("schemaVersion", version)])
        .with(metadata)
}

fn new_leaf(namespace: Namespace, name: &'static str, since: Option<&str>) -> Element {
    let leaf = Element::new(namespace, SmolStr::new_static(name));
    match since {
        Some(version) => leaf.with_attributes(&[("ksv", version)]),
        None => leaf,
    }
}

pub(crate) fn get_value<T: FieldValue>(
    element: &Element,
    name: &str,
) -> Result<Option<T>, FieldError> {
    let Some(text) = element
        .child_value(name)
        .map(str::trim)
        .filter(|text| !text.is_empty())
    else {
        return Ok(None);
    };
    T::from_wire(text)
        .map(Some)
        .ok_or_else(|| FieldError::new(name, text, T::EXPECTED))
}

/// A row of a table, as its setters need it.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) namespace: Namespace,
    pub(crate) order: &'static [&'static str],
    pub(crate) since: Option<&'static str>,
}

pub(crate) fn set_leaf(element: &mut impl BorrowMut<Element>, row: Row, text: SmolStr) {
    element
        .borrow_mut()
        .child_or_insert(row.name, row.order, || {
            new_leaf(row.namespace, row.name, row.since)
        })
        .set_text(text);
}

pub(crate) fn push_text(element: &mut impl BorrowMut<Element>, row: Row, text: SmolStr) {
    let mut leaf = new_leaf(row.namespace, row.name, row.since);
    leaf.set_text(text);
    element.borrow_mut().insert_ordered(leaf, row.order);
}

pub(crate) fn get_texts<'e>(
    element: &'e Element,
    name: &'static str,
) -> impl Iterator<Item = &'e str> + use<'e> {
    element
        .children()
        .filter(move |child| child.local_name() == name)
        .filter_map(Element::value)
}

pub(crate) fn get_list<'e>(
    element: &'e Element,
    container: &'static str,
    member: &'static str,
) -> impl DoubleEndedIterator<Item = &'e Element> + use<'e> {
    element
        .child(container)
        .into_iter()
        .flat_map(Element::children)
        .filter(move |child| child.local_name() == member)
}

pub(crate) fn get_text_list<'e>(
    element: &'e Element,
    container: &'static str,
    member: &'static str,
) -> impl Iterator<Item = &'e str> + use<'e> {
    get_list(element, container, member).filter_map(Element::value)
}

fn container(element: &mut impl BorrowMut<Element>, row: Row) -> &mut Element {
    element
        .borrow_mut()
        .child_or_insert(row.name, row.order, || {
            new_element(row.namespace, SmolStr::new_static(row.name), row.since)
        })
}

pub(crate) fn push_list(element: &mut impl BorrowMut<Element>, row: Row, member: Element) {
    container(element, row).push(member);
}

pub(crate) fn push_text_list(
    element: &mut impl BorrowMut<Element>,
    row: Row,
    member: &'static str,
    text: SmolStr,
) {
    let leaf = Element::leaf(row.namespace.clone(), SmolStr::new_static(member), text);
    container(element, row).push(leaf);
}

pub(crate) fn retain_list(
    element: &mut impl BorrowMut<Element>,
    name: &'static str,
    member: &'static str,
    mut keep: impl FnMut(&Element) -> bool,
) {
    if let Some(container) = element.borrow_mut().child_mut(name) {
        container.retain_children(|child| child.local_name() != member || keep(child));
    }
}

pub(crate) fn set_href(element: &mut impl BorrowMut<Element>, row: Row, href: &str) {
    let leaf = element
        .borrow_mut()
        .child_or_insert(row.name, row.order, || {
            new_leaf(row.namespace, row.name, row.since)
        });
    leaf.set_attribute("href", href);
    leaf.set_attribute("rel", "related");
}

pub(crate) fn links_of<'e>(
    element: &'e Element,
    name: &'static str,
) -> impl DoubleEndedIterator<Item = &'e str> + use<'e> {
    get_list(element, name, "link").filter_map(|link| link.attribute("href"))
}

fn link_container(element: &mut impl BorrowMut<Element>, row: Row) -> &mut Element {
    element
        .borrow_mut()
        .child_or_insert(row.name, row.order, || {
            new_leaf(row.namespace, row.name, row.since)
        })
}

pub(crate) fn clear_links(element: &mut impl BorrowMut<Element>, row: Row) {
    link_container(element, row).retain_children(|child| child.local_name() != "link");
}

pub(crate) fn push_link(element: &mut impl BorrowMut<Element>, row: Row, href: &str) {
    let link = Element::new(row.namespace.clone(), SmolStr::new_static("link"))
        .with_attributes(&[("href", href), ("rel", "related")]);
    link_container(element, row).push(link);
}

/// Two orders one after the other.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which checks every index"
)]
pub(crate) const fn joined<const N: usize>(
    first: &[&'static str],
    second: &[&'static str],
) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() {
            first[at]
        } else {
            second[at - first.len()]
        };
        at += 1;
    }
    all
}
