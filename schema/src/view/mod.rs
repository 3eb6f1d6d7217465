//! Typed views on elements, and the table that declares one.
//!
//! A view is a struct around an element, `LogicalPartition<E = Element>(pub E)`, with a getter and a setter for
//! each known child. `E` is `Element` (owned), `&Element` or `&mut Element`. Getters parse and report what they
//! cannot parse; setters insert at the place that the schema gives; whatever the table does not know stays as
//! it is. What a getter of a borrowed view returns lives as long as the document, not as the view.
//!
//! Each resource is declared by one table, in schema order (see `docs/protocol/documents.md`, "Element order"):
//! a row gives an element's name, its kind and the names of its accessors.
//!
//! | kind | getter, setters |
//! |---|---|
//! | `text` | `get() -> Option<&str>`, `set(impl Into<SmolStr>)` |
//! | `value(T)` | `get() -> Result<Option<T>, FieldError>`, `set(T)` |
//! | `texts` | an element that repeats: `get() -> impl Iterator<Item = &str>`, `push(impl Into<SmolStr>)` |
//! | `text_list("Member")` | leaves in a container: `get() -> impl Iterator<Item = &str>`, `push(impl Into<SmolStr>)` |
//! | `child(View)` | `get() -> Option<View<&Element>>`, `get_mut() -> View<&mut Element>`, which creates it |
//! | `list(View in "Member")` | `get() -> impl Iterator<Item = View<&Element>>`, `push(View)`, `retain(FnMut(View<&Element>) -> bool)` |
//! | `href` | the attribute: `get() -> Option<&str>`, `set(&str)` |
//! | `links` | `link` children: `get() -> impl Iterator<Item = &str>`, `set(&[&str])` |
//! | `opaque` | none; the row only gives the place |
//!
//! A text or value that is present but empty reads as `None`.

mod field;
mod inspect;
mod support;
mod table;

pub use field::{FieldError, FieldValue};
pub use inspect::Inspection;
pub(crate) use support::{
    Row, clear_links, expect_name, get_list, get_text_list, get_texts, get_value, joined, links_of,
    new_element, push_link, push_list, push_text, push_text_list, retain_list, set_href, set_leaf,
};
pub use support::{Source, View};
pub(crate) use table::{spelled, view};
