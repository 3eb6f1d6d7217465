//! Gerrit's REST interface, as far as a CI needs it.
//!
//! The rules are those of Gerrit's public documentation, `rest-api.html` and `rest-api-changes.html`: JSON behind a
//! first line `)]}'` that keeps browsers from running it, the prefix `/a/` for those who log on, pages that end with
//! `_more_changes`, plain text with errors.

pub mod client;
pub mod error;
pub mod model;
pub mod socket;
pub mod time;
pub mod transport;

pub use client::{Credentials, Gerrit, Page};
pub use error::GerritError;
pub use model::{AccountInfo, ChangeInfo, MessageInfo, Notify, ReviewInput, Status};
pub use time::Timestamp;
