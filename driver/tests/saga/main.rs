//! Sagas in a toy world: whatever fails, wherever, and however often something is repeated, the world is in the end
//! as it was, or as it should be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod journal;
mod runs;
mod world;
