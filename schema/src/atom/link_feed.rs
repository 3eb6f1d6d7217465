//! Feeds whose entries have no content: each links to a file of metrics.

use super::{Link, expect, href, trimmed};
use crate::xml::{Element, ParseError};

/// A feed of links, as performance and capacity monitoring writes them.
///
/// Source: the recordings `ltm_feed.txt` and `stm_feed.txt`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkFeed {
    /// UUID of the system.
    pub id: String,
    /// Time stamp of the latest sample, ISO 8601.
    pub updated: String,
    /// Links in document order; the one to itself is `self` here.
    pub links: Vec<Link>,
    /// The files in document order.
    pub entries: Vec<LinkEntry>,
}

/// A file of metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkEntry {
    /// UUID of the entry.
    pub id: String,
    /// Name of the file.
    pub title: String,
    /// Time stamp of the last sample, ISO 8601.
    pub updated: String,
    /// Time stamp of the first sample, ISO 8601.
    pub published: String,
    /// Where the file is.
    pub href: String,
    /// What was measured: `phyp`, `vios_2`, `lpar` …
    pub category: String,
}

impl LinkFeed {
    /// Parses a document whose root is a feed.
    ///
    /// # Errors
    /// When it is not XML, or not a feed.
    pub fn parse(document: &[u8]) -> Result<Self, ParseError> {
        Self::from_element(Element::parse(document)?)
    }

    /// Takes a `feed` element apart.
    ///
    /// # Errors
    /// When it is another element.
    pub fn from_element(element: Element) -> Result<Self, ParseError> {
        expect(&element, "feed", "an Atom feed")?;
        let mut feed = Self::default();
        for child in element.children() {
            match child.local_name() {
                "id" => feed.id = trimmed(child),
                "updated" => feed.updated = trimmed(child),
                "link" => feed.links.push(Link::from_element(child)),
                "entry" => feed.entries.push(LinkEntry::from_element(child)),
                _ => {}
            }
        }
        Ok(feed)
    }

    /// The link of the feed to itself.
    pub fn self_href(&self) -> Option<&str> {
        href(&self.links, "self")
    }
}

impl LinkEntry {
    fn from_element(element: &Element) -> Self {
        let text = |name| element.child(name).map(trimmed).unwrap_or_default();
        let attribute = |name: &str, attribute: &str| {
            let value = element
                .child(name)
                .and_then(|child| child.attribute(attribute));
            value.unwrap_or_default().to_owned()
        };
        Self {
            id: text("id"),
            title: text("title"),
            updated: text("updated"),
            published: text("published"),
            href: attribute("link", "href"),
            category: attribute("category", "term"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_metrics_are_listed() {
        let feed = LinkFeed::parse(
            br#"<feed xmlns="http://www.w3.org/2005/Atom"><id>s</id><link rel="self" href="http://h/f"/>
                <entry><id>1</id><title type="text">LTM.json</title><link type="j" href="http://h/1"/>
                <category term="phyp"/></entry></feed>"#,
        )
        .unwrap();
        assert_eq!(feed.self_href(), Some("http://h/f"));
        let entry = feed.entries.first().unwrap();
        assert_eq!(
            (entry.href.as_str(), entry.category.as_str()),
            ("http://h/1", "phyp")
        );
    }
}
