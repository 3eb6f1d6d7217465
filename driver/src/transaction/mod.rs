//! Changing documents that others change too.
//!
//! The server takes an update only for the version that was read (`If-Match`); anything else it refuses with 412.
//! So a change is a function of the document, not a document: [`edit()`] reads, applies it, sends the result, and on
//! 412 reads again and applies it anew. A [`Group`] does the same for a resource that many want to change at once,
//! such as a Virtual I/O Server during ten deploys: what waits while an update is on its way goes together in the
//! next one.
//!
//! An edit looks at what is there and makes it what it should be, so that running it again, on its own result or on
//! somebody else's, is right. It says [`Changed::No`] when there is nothing to do, and then nothing is sent.

mod apply;
mod edit;
mod group;
mod pace;

use std::sync::Arc;

use powervm_schema::atom::Entry;

pub use edit::edit;
pub use group::Group;

/// Whether an edit changed the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It has to be sent.
    Yes,
    /// It already was as it should be.
    No,
}

impl From<bool> for Changed {
    fn from(changed: bool) -> Changed {
        if changed { Changed::Yes } else { Changed::No }
    }
}

/// A resource after an edit.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The resource as the server has it now: its answer to the update, or what was read when nothing had to change.
    /// Edits that shared an update share it.
    pub entry: Arc<Entry>,
    /// Whether this edit changed it.
    pub changed: bool,
}
