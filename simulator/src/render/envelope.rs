//! The Atom envelope: feeds and entries round resources.
//!
//! Both flavours call themselves `IBM Power Systems Management Console`. An HMC adds a link to its
//! `ManagementConsole`; a NovaLink does not (recordings `fake_vios_hosting_vios_feed`, `lufeed`).
//! No XML declaration: pypowervm hands bodies to lxml as text, which refuses one that names an encoding.

use bytes::Bytes;
use uuid::Uuid;

use super::text::Text;
use super::writer::{ATOM, UOM, Writer};
use crate::clock::Millis;

const AUTHOR: &str = "IBM Power Systems Management Console";
/// Namespaces that real servers declare on every feed and entry and never use.
const UNUSED: &str =
    r#"xmlns:ns2="http://a9.com/-/spec/opensearch/1.1/" xmlns:ns3="http://www.w3.org/1999/xhtml""#;

/// One resource ready for an envelope.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// `id` of the entry: the resource's UUID.
    pub(crate) id: String,
    /// `title` of the entry: the resource's type.
    pub(crate) title: &'static str,
    /// The media type's service: `uom` or `web`.
    pub(crate) service: &'static str,
    /// The etag, for resources that have one.
    pub(crate) etag: Option<i32>,
    /// The resource's own element.
    pub(crate) xml: Sealed,
}

/// A resource's own element with what follows it in every entry, so that an entry ends with a text that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Sealed(Vec<Bytes>);

/// What follows.
const SEAL: &str = "</content></entry>";

impl From<String> for Sealed {
    fn from(xml: String) -> Self {
        Self::of(Vec::new(), xml)
    }
}

impl Sealed {
    /// An element of these pieces and an end.
    pub(crate) fn of(mut pieces: Vec<Bytes>, mut end: String) -> Self {
        end.push_str(SEAL);
        end.shrink_to_fit();
        pieces.push(Bytes::from(end));
        Self(pieces)
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(Bytes::len).sum()
    }

    fn pieces(&self) -> usize {
        self.0.len()
    }

    fn append_to(&self, text: &mut Text) {
        for piece in &self.0 {
            text.push(piece.clone());
        }
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.concat()).unwrap_or_default()
    }
}

/// The links and the date of one answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    /// `published` and `updated`.
    pub(crate) now: Millis,
    /// Where an HMC's own `ManagementConsole` is.
    pub(crate) console: Option<&'a str>,
}

impl Envelope<'_> {
    /// A document of one entry.
    pub(crate) fn entry(&self, content: &Content, links: &[&str]) -> Text {
        let mut w = Writer::new("", 1024);
        w.raw(r#"<entry xmlns=""#);
        w.raw(ATOM);
        w.raw(r#"" "#);
        w.raw(UNUSED);
        w.raw(">");
        inside(&mut w, &self.now.to_string(), content, links, self.console);
        let mut text = Text::with_capacity(1 + content.xml.pieces());
        text.push(w.finish().into());
        content.xml.append_to(&mut text);
        text
    }

    /// A document of many entries, each with its SELF link. The feed's `id` is a name UUID of its own URL's path.
    pub(crate) fn feed<'c>(
        &self,
        self_href: &str,
        path: &str,
        entries: impl ExactSizeIterator<Item = (&'c Content, String)>,
    ) -> Text {
        let mut w = Writer::new("", 1024);
        let now = self.now.to_string();
        w.raw(r#"<feed xmlns=""#);
        w.raw(ATOM);
        w.raw(r#"" "#);
        w.raw(UNUSED);
        w.raw("><id>");
        w.raw(&Uuid::new_v3(&Uuid::NAMESPACE_URL, path.as_bytes()).to_string());
        w.raw("</id><updated>");
        w.raw(&now);
        w.raw("</updated>");
        link(&mut w, "SELF", self_href);
        if let Some(console) = self.console {
            link(&mut w, "MANAGEMENT_CONSOLE", console);
        }
        w.raw("<generator>");
        w.raw(AUTHOR);
        w.raw("</generator>");
        let mut heads = Heads::of(w, entries.len());
        for (content, href) in entries {
            heads.add(content, |w| {
                w.raw("<entry>");
                inside(w, &now, content, &[href.as_str()], None);
            });
        }
        heads.finish("</feed>")
    }

    /// A feed of the templates service: it has neither links nor an identity (cassette `refresher.yml`).
    pub(crate) fn feed_without_links(&self, contents: &[Content]) -> Text {
        let mut w = Writer::new("", 1024);
        let now = self.now.to_string();
        w.raw(r#"<feed xmlns=""#);
        w.raw(ATOM);
        w.raw(r#"" "#);
        w.raw(UNUSED);
        w.raw("><updated>");
        w.raw(&now);
        w.raw("</updated><generator>");
        w.raw(AUTHOR);
        w.raw("</generator>");
        let mut heads = Heads::of(w, contents.len());
        for content in contents {
            heads.add(content, |w| {
                w.raw("<entry>");
                inside(w, &now, content, &[], None);
            });
        }
        heads.finish("</feed>")
    }
}

/// What a feed has between the kept texts of its entries: one text of its own, cut up at its end.
struct Heads<'c> {
    own: Writer,
    /// Where each kept text has its place.
    places: Vec<(usize, &'c Sealed)>,
    most: usize,
}

impl<'c> Heads<'c> {
    /// Begun by `own`, for so many entries.
    fn of(own: Writer, most: usize) -> Self {
        let places = Vec::with_capacity(most);
        Self { own, places, most }
    }

    fn add(&mut self, content: &'c Content, head: impl FnOnce(&mut Writer)) {
        let before = self.own.len();
        head(&mut self.own);
        let place = self.own.len();
        if self.places.is_empty() {
            // They are all much alike.
            self.own.reserve((place - before + 16) * self.most);
        }
        self.places.push((place, &content.xml));
    }

    fn finish(mut self, end: &str) -> Text {
        self.own.raw(end);
        let own = Bytes::from(self.own.finish());
        let kept: usize = self.places.iter().map(|(_, kept)| kept.pieces()).sum();
        let mut text = Text::with_capacity(self.places.len() + kept + 1);
        let mut begin = 0;
        for (place, kept) in self.places {
            text.push(own.slice(begin..place));
            kept.append_to(&mut text);
            begin = place;
        }
        text.push(own.slice(begin..));
        text
    }
}

/// An entry from its id up to the resource's own element.
fn inside(w: &mut Writer, now: &str, content: &Content, links: &[&str], console: Option<&str>) {
    w.raw("<id>");
    w.escaped(&content.id);
    w.raw("</id><title>");
    w.raw(content.title);
    w.raw("</title><published>");
    w.raw(now);
    w.raw("</published>");
    for href in links {
        link(w, "SELF", href);
    }
    if let Some(console) = console {
        link(w, "MANAGEMENT_CONSOLE", console);
    }
    w.raw("<author><name>");
    w.raw(AUTHOR);
    w.raw("</name></author>");
    if let Some(etag) = content.etag {
        w.raw(r#"<etag:etag xmlns:etag=""#);
        w.raw(UOM);
        w.raw(r#"" xmlns=""#);
        w.raw(UOM);
        w.raw(r#"">"#);
        w.number(etag);
        w.raw("</etag:etag>");
    }
    w.raw(r#"<content type="application/vnd.ibm.powervm."#);
    w.raw(content.service);
    w.raw("+xml; type=");
    w.raw(content.title);
    w.raw(r#"">"#);
}

/// The etag of a feed: its entries' etags folded as a Java list's `hashCode`; the recorded feeds of one entry carry
/// the entry's etag plus 31.
pub(crate) fn feed_etag(etags: impl IntoIterator<Item = Option<i32>>) -> i32 {
    etags.into_iter().fold(1_i32, |hash, etag| {
        hash.wrapping_mul(31).wrapping_add(etag.unwrap_or_default())
    })
}

fn link(w: &mut Writer, rel: &str, href: &str) {
    w.raw(r#"<link rel=""#);
    w.raw(rel);
    w.raw(r#"" href=""#);
    w.escaped(href);
    w.raw(r#""/>"#);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content() -> Content {
        Content {
            id: "a2b11d20-322d-3dcc-84ee-74fce7e90310".to_owned(),
            title: "LogicalUnit",
            service: "uom",
            etag: Some(-7),
            xml: "<x/>".to_owned().into(),
        }
    }

    #[test]
    fn the_console_is_linked_once_a_document() {
        let envelope = Envelope {
            now: Millis::EPOCH,
            console: Some("https://h/rest/api/uom/ManagementConsole/c"),
        };
        let c = content();
        let feed = envelope.feed(
            "https://h/f?group=None",
            "/f",
            [(&c, "https://h/f/1?a=1&b".to_owned())].into_iter(),
        );
        let feed = feed.to_string();
        assert_eq!(feed.matches("MANAGEMENT_CONSOLE").count(), 1);
        assert!(
            feed.contains(r#"<link rel="SELF" href="https://h/f/1?a=1&amp;b"/>"#),
            "{feed}"
        );
        assert_eq!(
            envelope
                .entry(&c, &["s"])
                .to_string()
                .matches("MANAGEMENT_CONSOLE")
                .count(),
            1
        );
        assert!(!feed.contains("<?xml"));
    }

    /// Recording `managementconsole_ssh`: feed 1373645757, its entry 1373645726.
    #[test]
    fn a_feed_of_one_entry_carries_the_entrys_etag_plus_31() {
        assert_eq!(feed_etag([Some(1_373_645_726)]), 1_373_645_757);
    }
}
