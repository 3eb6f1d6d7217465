//! Edits of a shelf that others edit too.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod edits;
mod groups;
mod random;
mod shelf;
