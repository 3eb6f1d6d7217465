//! The namespaces of PowerVM documents.

use std::fmt;

use smol_str::SmolStr;

/// A namespace name.
///
/// The ones that PowerVM documents use are variants, anything else is kept as it came.
/// See `docs/protocol/documents.md`, "Namespaces".
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Namespace {
    /// No namespace at all.
    #[default]
    None,
    /// The Atom envelope: feeds and entries.
    Atom,
    /// Logon, files, jobs and errors.
    Web,
    /// Systems, partitions, storage, networks and events.
    Uom,
    /// Performance and capacity monitoring.
    Pcm,
    /// Declared as `ns2` on every resource, used by nothing.
    K2,
    /// Declared as `ns2` on feeds and entries, used by nothing.
    OpenSearch,
    /// Declared as `ns3` on feeds and entries, used by nothing.
    Xhtml,
    /// What the prefix `xml` stands for.
    Xml,
    /// The namespace of namespace declarations themselves.
    Xmlns,
    /// Any other namespace name.
    Other(SmolStr),
}

impl Namespace {
    const KNOWN: [Namespace; 9] = [
        Namespace::Uom,
        Namespace::Web,
        Namespace::Atom,
        Namespace::K2,
        Namespace::OpenSearch,
        Namespace::Xhtml,
        Namespace::Pcm,
        Namespace::Xml,
        Namespace::Xmlns,
    ];

    /// The namespace name; empty for [`Namespace::None`].
    pub fn uri(&self) -> &str {
        match self {
            Self::None => "",
            Self::Atom => "http://www.w3.org/2005/Atom",
            Self::Web => "http://www.ibm.com/xmlns/systems/power/firmware/web/mc/2012_10/",
            Self::Uom => "http://www.ibm.com/xmlns/systems/power/firmware/uom/mc/2012_10/",
            Self::Pcm => "http://www.ibm.com/xmlns/systems/power/firmware/pcm/mc/2012_10/",
            Self::K2 => "http://www.w3.org/XML/1998/namespace/k2",
            Self::OpenSearch => "http://a9.com/-/spec/opensearch/1.1/",
            Self::Xhtml => "http://www.w3.org/1999/xhtml",
            Self::Xml => "http://www.w3.org/XML/1998/namespace",
            Self::Xmlns => "http://www.w3.org/2000/xmlns/",
            Self::Other(uri) => uri,
        }
    }

    /// The namespace with this name; the empty name is [`Namespace::None`].
    pub fn from_uri(uri: &str) -> Self {
        if uri.is_empty() {
            return Self::None;
        }
        Self::KNOWN
            .into_iter()
            .find(|known| known.uri() == uri)
            .unwrap_or_else(|| Self::Other(SmolStr::new(uri)))
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_maps_back_to_its_variant() {
        for known in Namespace::KNOWN {
            assert_eq!(Namespace::from_uri(known.uri()), known);
        }
        assert_eq!(Namespace::from_uri(""), Namespace::None);
        assert_eq!(
            Namespace::from_uri("urn:x"),
            Namespace::Other("urn:x".into())
        );
    }
}
