//! Lossless element trees.
//!
//! [`Element::parse`] keeps what a document says: names with their prefixes, namespace declarations in place,
//! attribute order, text and CDATA apart, comments, processing instructions. Namespaces are resolved, so a
//! subtree knows its namespace wherever it is moved, and [`Element::to_xml`] declares what the subtree needs.
//! Documents are hostile until parsed: see [`Limits`].

mod cache;
mod chars;
mod debug;
mod edit;
mod element;
mod error;
mod limits;
mod namespace;
mod parse;
mod write;

pub use element::{Attribute, Element, Node};
pub(crate) use error::excerpt;
pub use error::{ParseError, Position};
pub use limits::Limits;
pub use namespace::Namespace;
