//! References in bodies: only the last UUID counts.
//!
//! Clients write them as root or as child URIs, with whatever host they know the server by.

use uuid::Uuid;

/// The length of a UUID's text.
const LENGTH: usize = 36;

/// The last UUID in a link.
pub(crate) fn last_uuid(href: &str) -> Option<Uuid> {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    path.rsplit('/')
        .filter(|part| part.len() == LENGTH)
        .find_map(|part| Uuid::try_parse(part).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_uuid_counts_whatever_is_around_it() {
        let uuid = "0B0BDF5B-5C4D-4F3C-8B5A-0F2C6B6C2B11";
        for href in [
            format!("https://h:12443/rest/api/uom/LogicalPartition/{uuid}"),
            format!(
                "http://localhost/rest/api/uom/ManagedSystem/e7344c5b-79b5-3e73-8f64-94821424bc25/LogicalPartition/{uuid}?group=None"
            ),
            format!("LogicalPartition/{uuid}/do/PowerOn"),
        ] {
            assert_eq!(last_uuid(&href), Uuid::parse_str(uuid).ok(), "{href}");
        }
        for href in [
            "",
            "/",
            "https://h/LogicalPartition/",
            "not-a-uuid-but-exactly-36-characters",
        ] {
            assert_eq!(last_uuid(href), None);
        }
    }
}
