//! The Atom envelope: feeds, entries, links and etags.
//!
//! Shapes as recorded from real servers; see `docs/protocol/documents.md`, "The envelope".

mod link_feed;

pub use link_feed::{LinkEntry, LinkFeed};

use crate::xml::{Element, Limits, Namespace, ParseError, excerpt};

/// Who writes every feed and entry.
pub const AUTHOR: &str = "IBM Power Systems Management Console";

/// A link of a feed or an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// What the link is, such as `SELF` or `MANAGEMENT_CONSOLE`; empty when the server gave none.
    pub rel: String,
    /// Where it leads: an absolute URI.
    pub href: String,
    /// Media type of the target, if given.
    pub media_type: Option<String>,
}

impl Link {
    /// The link of an object to itself.
    pub fn to_self(href: impl Into<String>) -> Self {
        Self {
            rel: "SELF".to_owned(),
            href: href.into(),
            media_type: None,
        }
    }

    fn from_element(element: &Element) -> Self {
        let attribute = |name| element.attribute(name).map(str::to_owned);
        Self {
            rel: attribute("rel").unwrap_or_default(),
            href: attribute("href").unwrap_or_default(),
            media_type: attribute("type"),
        }
    }

    fn to_element(&self) -> Element {
        let element = Element::new(Namespace::Atom, "link");
        match (&self.media_type, self.rel.as_str()) {
            (None, rel) => element.with_attributes(&[("rel", rel), ("href", &self.href)]),
            (Some(media_type), "") => {
                element.with_attributes(&[("type", media_type), ("href", &self.href)])
            }
            (Some(media_type), rel) => {
                element.with_attributes(&[("rel", rel), ("type", media_type), ("href", &self.href)])
            }
        }
    }
}

/// The first link with this `rel`, in upper or lower case (metric feeds write `self`).
fn href<'l>(links: &'l [Link], rel: &str) -> Option<&'l str> {
    links
        .iter()
        .find(|link| link.rel.eq_ignore_ascii_case(rel))
        .map(|link| link.href.as_str())
}

/// One object with its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// UUID of the object, in the case in which the server writes it.
    pub id: String,
    /// Name of the content's type; free text in metric feeds.
    pub title: String,
    /// Time stamp, ISO 8601 with milliseconds and zone; empty when absent.
    pub published: String,
    /// Links in document order.
    pub links: Vec<Link>,
    /// Version of the object as text, without white space; web objects have none.
    pub etag: Option<String>,
    /// The object.
    pub content: Element,
}

impl Entry {
    /// An entry titled by the name of its content, with nothing else in it.
    pub fn new(id: impl Into<String>, content: Element) -> Self {
        Self {
            id: id.into(),
            title: content.local_name().to_owned(),
            published: String::new(),
            links: Vec::new(),
            etag: None,
            content,
        }
    }

    /// Parses a document whose root is an entry.
    ///
    /// # Errors
    /// When it is not XML, or not an entry with content.
    pub fn parse(document: &[u8]) -> Result<Self, ParseError> {
        Self::from_element(Element::parse(document)?)
    }

    /// Takes an `entry` element apart.
    ///
    /// # Errors
    /// When it is another element, or has no `content` with an element in it.
    pub fn from_element(element: Element) -> Result<Self, ParseError> {
        expect(&element, "entry", "an Atom entry")?;
        let mut entry = Self {
            id: String::new(),
            title: String::new(),
            published: String::new(),
            links: Vec::new(),
            etag: None,
            content: Element::new(Namespace::None, ""),
        };
        let mut content = None;
        for child in element.into_children() {
            match child.local_name() {
                "id" => entry.id = trimmed(&child),
                "title" => entry.title = trimmed(&child),
                "published" => entry.published = trimmed(&child),
                "link" => entry.links.push(Link::from_element(&child)),
                "etag" => entry.etag = Some(trimmed(&child)).filter(|etag| !etag.is_empty()),
                "content" if content.is_none() => content = child.into_children().next(),
                _ => {}
            }
        }
        match content {
            Some(content) => Ok(Self { content, ..entry }),
            None => Err(ParseError::Unexpected {
                expected: "an Atom entry with an object as its content",
                found: "an entry without one".to_owned(),
            }),
        }
    }

    /// The entry as the root of a document of its own.
    pub fn to_element(&self) -> Element {
        self.fill(envelope("entry"))
    }

    /// The entry as a server writes it.
    pub fn to_xml(&self) -> String {
        self.to_element().to_xml()
    }

    fn fill(&self, element: Element) -> Element {
        let mut element = element
            .with_leaf("id", &self.id)
            .with_leaf("title", &self.title);
        if !self.published.is_empty() {
            element.push(Element::leaf(Namespace::Atom, "published", &self.published));
        }
        self.links
            .iter()
            .for_each(|link| element.push(link.to_element()));
        element.push(Element::new(Namespace::Atom, "author").with_leaf("name", AUTHOR));
        if let Some(etag) = &self.etag {
            element.push(etag_element(etag));
        }
        let content = Element::new(Namespace::Atom, "content")
            .with_attributes(&[("type", &media_type(&self.content))])
            .with(self.content.clone());
        element.with(content)
    }

    /// The link of the object to itself: what an update goes to, query and all.
    pub fn self_href(&self) -> Option<&str> {
        self.href("SELF")
    }

    /// The first link with this `rel`, whatever its case.
    pub fn href(&self, rel: &str) -> Option<&str> {
        href(&self.links, rel)
    }
}

/// Several objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// UUID of the feed, constant for its URL.
    pub id: String,
    /// Time stamp, ISO 8601 with milliseconds and zone; empty when absent.
    pub updated: String,
    /// Links in document order.
    pub links: Vec<Link>,
    /// The objects in document order.
    pub entries: Vec<Entry>,
}

impl Feed {
    /// Parses a document whose root is a feed.
    ///
    /// # Errors
    /// When it is not XML, or not a feed of entries with content.
    pub fn parse(document: &[u8]) -> Result<Self, ParseError> {
        Self::from_element(Element::parse(document)?)
    }

    /// Takes a `feed` element apart.
    ///
    /// # Errors
    /// When it is another element, or one of its entries has no content.
    pub fn from_element(element: Element) -> Result<Self, ParseError> {
        expect(&element, "feed", "an Atom feed")?;
        let mut feed = Self::default();
        for child in element.into_children() {
            match child.local_name() {
                "id" => feed.id = trimmed(&child),
                "updated" => feed.updated = trimmed(&child),
                "link" => feed.links.push(Link::from_element(&child)),
                "entry" => feed.entries.push(Entry::from_element(child)?),
                _ => {}
            }
        }
        Ok(feed)
    }

    /// The feed as the root of a document.
    pub fn to_element(&self) -> Element {
        let mut element = envelope("feed")
            .with_leaf("id", &self.id)
            .with_leaf("updated", &self.updated);
        self.links
            .iter()
            .for_each(|link| element.push(link.to_element()));
        element.push(Element::leaf(Namespace::Atom, "generator", AUTHOR));
        for entry in &self.entries {
            element.push(entry.fill(Element::new(Namespace::Atom, "entry")));
        }
        element
    }

    /// The feed as a server writes it.
    pub fn to_xml(&self) -> String {
        self.to_element().to_xml()
    }

    /// The link of the feed to itself.
    pub fn self_href(&self) -> Option<&str> {
        href(&self.links, "SELF")
    }
}

/// What the body of a response can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Several objects.
    Feed(Feed),
    /// One object.
    Entry(Entry),
    /// An element without envelope, such as the answer to a logon.
    Bare(Element),
}

impl Body {
    /// Parses a document, whichever of the three it is.
    ///
    /// # Errors
    /// When it is not XML, or its envelope is broken.
    pub fn parse(document: &[u8]) -> Result<Self, ParseError> {
        Self::parse_with(document, &Limits::default())
    }

    /// Parses a document within these limits.
    ///
    /// # Errors
    /// See [`Body::parse`].
    pub fn parse_with(document: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let element = Element::parse_with(document, limits)?;
        if element.is(&Namespace::Atom, "feed") {
            Feed::from_element(element).map(Self::Feed)
        } else if element.is(&Namespace::Atom, "entry") {
            Entry::from_element(element).map(Self::Entry)
        } else {
            Ok(Self::Bare(element))
        }
    }
}

/// The media type of an object: `application/vnd.ibm.powervm.uom+xml; type=LogicalPartition`.
pub fn media_type(content: &Element) -> String {
    let service = match content.namespace() {
        Namespace::Web => "web",
        Namespace::Pcm => return "application/xml".to_owned(),
        _ => "uom",
    };
    format!(
        "application/vnd.ibm.powervm.{service}+xml; type={}",
        content.local_name()
    )
}

fn expect(element: &Element, local: &str, expected: &'static str) -> Result<(), ParseError> {
    if element.is(&Namespace::Atom, local) {
        return Ok(());
    }
    Err(ParseError::Unexpected {
        expected,
        found: format!("the element {}", excerpt(element.local_name())),
    })
}

fn trimmed(element: &Element) -> String {
    element.text().trim().to_owned()
}

fn envelope(local: &'static str) -> Element {
    Element::new(Namespace::Atom, local).with_declarations(&[
        ("", Namespace::Atom),
        ("ns2", Namespace::OpenSearch),
        ("ns3", Namespace::Xhtml),
    ])
}

/// `<etag:etag xmlns:etag="…uom…" xmlns="…uom…">`, as every entry of a feed has it.
fn etag_element(etag: &str) -> Element {
    let mut element = Element::prefixed(Namespace::Uom, "etag", "etag")
        .with_declarations(&[("etag", Namespace::Uom), ("", Namespace::Uom)]);
    element.set_text(etag);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        let content =
            Element::resource_root(Namespace::Uom, "Tier", "V1_3_0").with_leaf("Name", "t");
        Entry {
            published: "2026-01-01T00:00:00.000Z".into(),
            links: vec![Link::to_self("http://h/Tier/1?group=None")],
            etag: Some("-17".into()),
            ..Entry::new("uuid-1", content)
        }
    }

    #[test]
    fn an_entry_comes_back_as_written() {
        let entry = entry();
        assert_eq!(Entry::parse(entry.to_xml().as_bytes()), Ok(entry.clone()));
        assert_eq!(entry.self_href(), Some("http://h/Tier/1?group=None"));
        assert!(matches!(
            Body::parse(entry.to_xml().as_bytes()),
            Ok(Body::Entry(_))
        ));
    }

    #[test]
    fn a_feed_comes_back_as_written() {
        let feed = Feed {
            id: "f".into(),
            updated: "2026-01-01T00:00:00.000Z".into(),
            links: vec![Link::to_self("http://h/Tier")],
            entries: vec![
                entry(),
                Entry {
                    etag: None,
                    ..entry()
                },
            ],
        };
        assert_eq!(Feed::parse(feed.to_xml().as_bytes()), Ok(feed.clone()));
        assert_eq!(feed.self_href(), Some("http://h/Tier"));
    }

    #[test]
    fn the_envelope_declares_its_namespaces_once() {
        let feed = Feed {
            entries: vec![entry()],
            ..Feed::default()
        };
        assert_eq!(
            feed.to_xml().matches("http://www.w3.org/2005/Atom").count(),
            1
        );
    }

    #[test]
    fn other_documents_are_named_in_the_refusal() {
        let refusal = Entry::parse(b"<html/>").unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "expected an Atom entry, found the element html"
        );
        let refusal =
            Entry::parse(br#"<entry xmlns="http://www.w3.org/2005/Atom"><content/></entry>"#)
                .unwrap_err();
        assert!(
            matches!(refusal, ParseError::Unexpected { .. }),
            "{refusal}"
        );
    }

    #[test]
    fn a_comment_before_the_object_is_not_the_object() {
        let entry = Entry::parse(
            br#"<entry xmlns="http://www.w3.org/2005/Atom"><content> <!-- c --> <X xmlns="urn:x"/></content></entry>"#,
        )
        .unwrap();
        assert_eq!(entry.content.local_name(), "X");
    }
}
