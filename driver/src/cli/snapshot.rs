//! `powervm server snapshot`

use secrecy::SecretString;

use super::arguments::Snapshot;
use super::output::{Output, Table};
use crate::error::{Error, Result};
use crate::operations::{Control, Driver, ServerRef, SnapshotInfo, SnapshotRequest};
use crate::storage::capture::CaptureTarget;

/// Variable of the environment that holds the token of the image service.
const TOKEN: &str = "POWERVM_IMAGE_TOKEN";

pub(super) async fn run(
    driver: &Driver,
    given: &Snapshot,
    output: &Output,
    control: &Control,
) -> Result<()> {
    let target = match (&given.file, &given.url) {
        (Some(file), _) => CaptureTarget::File(file.clone()),
        (None, Some(url)) => CaptureTarget::Url {
            url: url.clone(),
            token: token()?,
            through: None,
        },
        (None, None) => {
            return Err(Error::invalid(
                "the image has no place to go",
                "give --file or --url",
            ));
        }
    };
    let request = SnapshotRequest {
        server: ServerRef::parse(&given.server),
        target,
    };
    output.print(&driver.snapshot(request, control).await?, shown)
}

fn token() -> Result<Option<SecretString>> {
    match std::env::var(TOKEN) {
        Ok(token) => Ok(Some(SecretString::from(token))),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::invalid(
            format!("{TOKEN} is no UTF-8 text"),
            "set it again",
        )),
    }
}

fn shown(made: &SnapshotInfo) -> Table {
    let mut table = Table::of_fields();
    table
        .field("server", &made.server)
        .field("disk", &made.disk)
        .field("image", &made.image)
        .field("bytes", made.content.bytes)
        .field("sha256", &made.content.sha256)
        .field("md5", &made.content.md5);
    table
}
