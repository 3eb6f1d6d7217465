//! What the fuzz targets share: a machine room without sockets, and documents made wrong.

pub mod mutation;
pub mod room;

pub use room::Room;

/// The text of an input, if it is one; what is no UTF-8 does not get past hyper's own readers.
pub fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}
