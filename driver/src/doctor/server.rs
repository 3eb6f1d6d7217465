//! The server itself: who it is, its clock, and what its user may read.

use powervm_schema::system::ManagementConsole;

use super::Diagnosis;
use crate::host::System;
use crate::rest::{Flavor, Groups, Session, Trust};

/// Seconds by which the clocks may differ: etags and jobs do not care, logs and certificates do.
const CLOCKS_AGREE: u64 = 60;

/// Version and transport.
pub(super) async fn examine(session: &Session, diagnosis: &mut Diagnosis) {
    let endpoint = session.endpoint();
    let product = match session.flavor() {
        Flavor::Hmc => "an HMC",
        Flavor::NovaLink => "a NovaLink",
    };
    let origin = endpoint.origin();
    let remedy = "use https with --ca or --fingerprint";
    if !endpoint.is_tls() && !endpoint.is_loopback() {
        let found = format!("{origin} is {product}; the password travels unencrypted");
        diagnosis.odd("connection", found, remedy);
    } else if endpoint.is_tls() && *endpoint.trusted() == Trust::Anything {
        let found = format!("{origin} is {product}; its certificate is not checked");
        diagnosis.odd("connection", found, remedy);
    } else {
        diagnosis.good("connection", format!("{origin} is {product}, logged on"));
    }
    let read = session.get_feed("ManagementConsole", Groups::None).await;
    let Some(feed) = diagnosis.wanted("version", read) else {
        return;
    };
    let Some(entry) = feed.entries.first() else {
        let remedy = "check that the endpoint is the REST API of an HMC or NovaLink";
        diagnosis.odd("version", "the server does not tell who it is", remedy);
        return;
    };
    let console = ManagementConsole(&entry.content);
    let version = console.version().map_or_else(String::new, |version| {
        let part = |name: &str, part: Option<&str>| {
            part.map_or_else(String::new, |part| format!(" {name}{part}"))
        };
        format!(
            "{}{}{}{}",
            part("V", version.version()),
            part("R", version.release()),
            part("M", version.maintenance()),
            part("", version.service_pack_name()),
        )
    });
    let name = console.name().unwrap_or("without a name");
    diagnosis.good("version", format!("{name}{version}"));
}

/// Whether the server's clock and ours agree.
pub(super) fn compare_clocks(session: &Session, now: u64, diagnosis: &mut Diagnosis) {
    let Some(theirs) = session.server_time() else {
        diagnosis.unknown(
            "clock",
            "the server's answers have no date",
            "compare the clocks by hand",
        );
        return;
    };
    let apart = theirs.abs_diff(now);
    if apart <= CLOCKS_AGREE {
        diagnosis.good("clock", format!("{apart} s apart from this machine's"));
    } else {
        let found = format!("{apart} s apart from this machine's");
        diagnosis.odd("clock", found, "let both follow the same time servers");
    }
}

/// Whether the user may read what a deploy reads besides what was read already.
pub(super) async fn examine_permissions(
    session: &Session,
    system: &System,
    diagnosis: &mut Diagnosis,
) {
    let partitions = format!("ManagedSystem/{}/LogicalPartition", system.uuid);
    let mut all_read = true;
    for (about, path) in [
        ("permission to read partitions", partitions.as_str()),
        ("permission to read files", "web/File"),
    ] {
        let read = session.get_feed(path, Groups::None).await;
        all_read &= diagnosis.needed(about, read).is_some();
    }
    if all_read {
        diagnosis.good("permission to read", "partitions and files can be read");
    }
    diagnosis.unknown(
        "permission to change",
        "whether the user may make partitions shows only when one is made",
        "make and delete a small server",
    );
}
