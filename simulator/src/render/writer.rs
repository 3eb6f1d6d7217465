//! Writes the XML of a resource straight into a string.
//!
//! The documents a real server sends carry, on every property, what the schema allows with it (`kb`), whether it
//! changes by itself (`kxe`), since which schema version it exists (`ksv`) and the extended attribute group that it
//! belongs to (`group`). A renderer names these once beside each property, in the order of the recordings; the
//! writer does the rest. There is no white space between elements, so that an element has the same text wherever it
//! is embedded: pypowervm compares elements by their raw text (docs/protocol/resources.md).

use std::fmt::{Display, Write as _};

/// Namespace of the Atom envelope.
pub(crate) const ATOM: &str = "http://www.w3.org/2005/Atom";
/// Namespace of the user object model: every resource but those of [`WEB`].
pub(crate) const UOM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/";
/// Namespace of partition templates.
pub(crate) const TEMPLATES: &str =
    "http://www.ibm.com/xmlns/systems/power/firmware/templates/mc/2012_10/";
/// Namespace of performance monitoring.
pub(crate) const PCM: &str = "http://www.ibm.com/xmlns/systems/power/firmware/pcm/mc/2012_10/";
/// Namespace of logon, files, jobs and errors.
pub(crate) const WEB: &str = "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/";
/// A namespace that real servers declare on every resource and never use.
const K2: &str = "http://www.w3.org/XML/1998/namespace/k2";

/// The annotations of one property.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facets {
    /// `kb` and `kxe` as they are written, of a property that does not change by itself and of one that does.
    kb: [&'static str; 2],
    volatile: bool,
    since: &'static str,
    group: &'static str,
}

macro_rules! facets {
    ($kb:literal) => {
        Facets {
            kb: [
                concat!(" kb=\"", $kb, "\" kxe=\"false\""),
                concat!(" kb=\"", $kb, "\" kxe=\"true\""),
            ],
            volatile: false,
            since: "",
            group: "",
        }
    };
}

impl Facets {
    /// The same, for a property that exists since a schema version (`ksv`).
    pub(crate) const fn since(self, version: &'static str) -> Self {
        Self {
            since: version,
            ..self
        }
    }

    /// The same, for a property that changes by itself (`kxe="true"`): it does not take part in etags.
    pub(crate) const fn volatile(self) -> Self {
        Self {
            volatile: true,
            ..self
        }
    }

    /// The same, for a property of an extended attribute group.
    pub(crate) const fn group(self, name: &'static str) -> Self {
        Self {
            group: name,
            ..self
        }
    }
}

/// Read only, required.
pub(crate) const ROR: Facets = facets!("ROR");
/// Read only, optional.
pub(crate) const ROO: Facets = facets!("ROO");
/// Read only, assigned by the server.
pub(crate) const ROA: Facets = facets!("ROA");
/// Create and update, required.
pub(crate) const CUR: Facets = facets!("CUR");
/// Create and update, with a default.
pub(crate) const CUD: Facets = facets!("CUD");
/// Create and update, assigned by the server when absent.
pub(crate) const CUA: Facets = facets!("CUA");
/// Create only, required.
pub(crate) const COR: Facets = facets!("COR");
/// Create only, with a default.
pub(crate) const COD: Facets = facets!("COD");
/// Update only, required.
pub(crate) const UOR: Facets = facets!("UOR");
/// Update only, with a default.
pub(crate) const UOD: Facets = facets!("UOD");

/// Whether text with this byte may not stay as it is; U+FFFE and U+FFFF begin with 0xEF.
const fn is_special(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | 0xef | b'&' | b'<' | b'>' | b'"')
}

/// An XML document, or a part of one, in the making.
#[derive(Debug)]
pub(crate) struct Writer {
    out: String,
    schema_version: &'static str,
}

impl Writer {
    /// An empty document whose complex elements carry `schema_version`.
    pub(crate) fn new(schema_version: &'static str, capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            schema_version,
        }
    }

    /// What was written.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// What was written; what comes next begins anew.
    pub(crate) fn take(&mut self) -> String {
        let next = String::with_capacity(self.out.len());
        std::mem::replace(&mut self.out, next)
    }

    /// How much was written, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// Makes room for so many bytes more.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.out.reserve(bytes);
    }

    /// A number.
    pub(crate) fn number(&mut self, number: impl Into<i64>) {
        let _ = write!(self.out, "{}", number.into());
    }

    /// Text that is XML already.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    /// A resource's own root, `<X:X …>`, the only element that carries a prefix, with its identity in `Metadata`.
    /// `identity` is the `AtomID` and the milliseconds of `AtomCreated`; resources without one (job templates,
    /// errors) have an empty `Atom`.
    pub(crate) fn root(
        &mut self,
        name: &str,
        namespace: &str,
        identity: Option<(&str, u64)>,
        body: impl FnOnce(&mut Self),
    ) {
        let _ = write!(
            self.out,
            r#"<{name}:{name} xmlns:{name}="{namespace}" xmlns="{namespace}" xmlns:ns2="{K2}" schemaVersion="{}">"#,
            self.schema_version
        );
        match identity {
            Some((id, created)) => {
                self.raw("<Metadata><Atom><AtomID>");
                self.escaped(id);
                let _ = write!(
                    self.out,
                    "</AtomID><AtomCreated>{created}</AtomCreated></Atom></Metadata>"
                );
            }
            None => self.raw("<Metadata><Atom/></Metadata>"),
        }
        body(self);
        let _ = write!(self.out, "</{name}:{name}>");
    }

    /// As [`Writer::root`] for resources whose `Atom` tells the identity alone, as templates.
    pub(crate) fn identified_root(
        &mut self,
        name: &str,
        namespace: &str,
        id: &str,
        body: impl FnOnce(&mut Self),
    ) {
        let _ = write!(
            self.out,
            r#"<{name}:{name} xmlns:{name}="{namespace}" xmlns="{namespace}" xmlns:ns2="{K2}" schemaVersion="{}"><Metadata><Atom><AtomID>{id}</AtomID></Atom></Metadata>"#,
            self.schema_version
        );
        body(self);
        let _ = write!(self.out, "</{name}:{name}>");
    }

    /// A property with text.
    pub(crate) fn text(&mut self, name: &str, facets: Facets, value: &str) {
        self.start(name, facets);
        if value.is_empty() {
            self.raw("/>");
            return;
        }
        self.raw(">");
        self.escaped(value);
        self.end(name);
    }

    /// A property with text that may be absent; absent means that the element is not written.
    pub(crate) fn optional(&mut self, name: &str, facets: Facets, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, facets, value);
        }
    }

    /// A property whose value prints itself without characters that need escaping: numbers, booleans, identifiers.
    pub(crate) fn value(&mut self, name: &str, facets: Facets, value: impl Display) {
        self.start(name, facets);
        let _ = write!(self.out, ">{value}");
        self.end(name);
    }

    /// A property that is true or false.
    pub(crate) fn flag(&mut self, name: &str, facets: Facets, flag: bool) {
        self.start(name, facets);
        self.raw(if flag { ">true" } else { ">false" });
        self.end(name);
    }

    /// A property that is a small number. Lists are full of them, and to print one is most of what it costs.
    pub(crate) fn count(&mut self, name: &str, facets: Facets, count: u16) {
        self.start(name, facets);
        self.raw(">");
        let mut power = 10_000;
        while power > 1 && count < power {
            power /= 10;
        }
        while power > 0 {
            let digit = u8::try_from(count / power % 10).unwrap_or_default();
            self.out.push(char::from(b'0' + digit));
            power /= 10;
        }
        self.end(name);
    }

    /// A property that is a reference to another resource.
    pub(crate) fn reference(&mut self, name: &str, facets: Facets, href: &str) {
        self.start(name, facets);
        self.raw(r#" href=""#);
        self.escaped(href);
        self.raw(r#"" rel="related"/>"#);
    }

    /// A member of a list of references.
    pub(crate) fn link(&mut self, href: &str) {
        self.raw(r#"<link href=""#);
        self.escaped(href);
        self.raw(r#"" rel="related"/>"#);
    }

    /// A list of references; written as an empty element when there are none.
    pub(crate) fn links(
        &mut self,
        name: &str,
        facets: Facets,
        hrefs: impl IntoIterator<Item = String>,
    ) {
        self.start(name, facets);
        let mut hrefs = hrefs.into_iter().peekable();
        if hrefs.peek().is_none() {
            self.raw("/>");
            return;
        }
        self.raw(">");
        for href in hrefs {
            self.link(&href);
        }
        self.end(name);
    }

    /// A complex property: annotated, versioned, with `Metadata`.
    pub(crate) fn section(&mut self, name: &str, facets: Facets, body: impl FnOnce(&mut Self)) {
        self.start(name, facets);
        self.version_and_metadata();
        body(self);
        self.end(name);
    }

    /// As [`Writer::section`], with an identity and the milliseconds of its creation in `Metadata`.
    pub(crate) fn identified_section(
        &mut self,
        name: &str,
        facets: Facets,
        (id, created): (&str, u64),
        body: impl FnOnce(&mut Self),
    ) {
        self.start(name, facets);
        let _ = write!(
            self.out,
            r#" schemaVersion="{}"><Metadata><Atom><AtomID>{id}</AtomID><AtomCreated>{created}</AtomCreated></Atom></Metadata>"#,
            self.schema_version
        );
        body(self);
        self.end(name);
    }

    /// A member of a list or a choice: versioned, with `Metadata`, not annotated.
    pub(crate) fn member(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.raw("<");
        self.raw(name);
        self.version_and_metadata();
        body(self);
        self.end(name);
    }

    /// A choice as a property: annotated, neither versioned nor with `Metadata`.
    pub(crate) fn choice(&mut self, name: &str, facets: Facets, body: impl FnOnce(&mut Self)) {
        self.start(name, facets);
        self.raw(">");
        body(self);
        self.end(name);
    }

    /// A bare element around others.
    pub(crate) fn wrapper(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        self.raw("<");
        self.raw(name);
        self.raw(">");
        body(self);
        self.end(name);
    }

    /// A bare element with text.
    pub(crate) fn plain(&mut self, name: &str, value: &str) {
        self.raw("<");
        self.raw(name);
        self.raw(">");
        self.escaped(value);
        self.end(name);
    }

    fn version_and_metadata(&mut self) {
        self.raw(r#" schemaVersion=""#);
        self.raw(self.schema_version);
        self.raw(r#""><Metadata><Atom/></Metadata>"#);
    }

    fn start(&mut self, name: &str, facets: Facets) {
        let Facets {
            kb,
            volatile,
            since,
            group,
        } = facets;
        self.raw("<");
        self.raw(name);
        if !group.is_empty() {
            self.raw(r#" group=""#);
            self.raw(group);
            self.raw(r#"""#);
        }
        let [steady, moving] = kb;
        self.raw(if volatile { moving } else { steady });
        if !since.is_empty() {
            self.raw(r#" ksv=""#);
            self.raw(since);
            self.raw(r#"""#);
        }
    }

    fn end(&mut self, name: &str) {
        self.raw("</");
        self.raw(name);
        self.raw(">");
    }

    /// Text escaped for content and attribute values alike. Characters that XML 1.0 cannot hold become `?`, as a
    /// name that reached the model must never make a whole feed unreadable.
    pub(crate) fn escaped(&mut self, text: &str) {
        // Nearly all text is plain. A look at all bytes, which many of them share, is quicker than one that ends early.
        let special = |found, byte| found | is_special(byte);
        if !text.bytes().fold(false, special) {
            self.out.push_str(text);
            return;
        }
        let mut from = 0;
        for (at, c) in text.char_indices() {
            let replacement = match c {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\r' => "&#13;",
                '\t' | '\n' => continue,
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "?",
                _ => continue,
            };
            self.out.push_str(text.get(from..at).unwrap_or_default());
            self.out.push_str(replacement);
            from = at + c.len_utf8();
        }
        self.out.push_str(text.get(from..).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: impl FnOnce(&mut Writer)) -> String {
        let mut w = Writer::new("V1_0", 0);
        body(&mut w);
        w.finish()
    }

    #[test]
    fn a_count_is_printed_as_any_number() {
        for count in [0, 1, 9, 10, 11, 99, 100, 4094, 9_999, 10_000, u16::MAX] {
            assert_eq!(
                written(|w| w.count("C", CUR, count)),
                written(|w| w.value("C", CUR, count))
            );
        }
    }

    #[test]
    fn a_property_carries_its_annotations() {
        assert_eq!(
            written(|w| w.text("Uptime", ROO.since("V1_5_0").volatile(), "7")),
            r#"<Uptime kb="ROO" kxe="true" ksv="V1_5_0">7</Uptime>"#
        );
        assert_eq!(
            written(|w| w.section("PhysicalVolumes", CUD.group("ViosStorage"), |_| ())),
            r#"<PhysicalVolumes group="ViosStorage" kb="CUD" kxe="false" schemaVersion="V1_0"><Metadata><Atom/></Metadata></PhysicalVolumes>"#
        );
        assert_eq!(
            written(|w| w.text("ReferenceCode", ROO, "")),
            r#"<ReferenceCode kb="ROO" kxe="false"/>"#
        );
        assert_eq!(
            written(|w| w.links("L", CUD, [])),
            r#"<L kb="CUD" kxe="false"/>"#
        );
    }

    #[test]
    fn text_is_escaped_and_never_breaks_the_document() {
        assert_eq!(
            written(|w| w.escaped("a<b>&\"c\"\u{1}é\r")),
            "a&lt;b&gt;&amp;&quot;c&quot;?é&#13;"
        );
        assert_eq!(written(|w| w.escaped("é\u{ffff}\u{fffe}ﬀ")), "é??ﬀ");
    }
}
