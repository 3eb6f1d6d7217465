//! The host: its system, its Virtual I/O Servers, its switches.

pub mod switches;
pub mod system;
pub mod vios;

use powervm_schema::view::FieldError;

pub use switches::{Switch, Switches};
pub use system::System;
pub use vios::{Vios, VnicAbility};

use crate::error::{Error, ErrorKind, Result};

/// A field that has to be there: absent or unreadable, the server's document is of no use.
pub(crate) fn required<T>(
    what: &str,
    field: std::result::Result<Option<T>, FieldError>,
) -> Result<T> {
    field.ok().flatten().ok_or_else(|| {
        Error::operation(
            ErrorKind::BadAnswer,
            format!("the server does not tell {what}"),
            "check that the endpoint is the REST API of an HMC or NovaLink",
        )
    })
}
