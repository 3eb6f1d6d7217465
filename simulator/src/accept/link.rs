//! References in bodies: only the last UUID counts.
//!
//! Clients write them as root or as child URIs, with whatever host they know the server by.

use powervm_schema::xml::Element;
use uuid::Uuid;

use super::body::{excerpt, href, invalid};
use crate::model::Refusal;
pub(crate) use crate::model::resource::last_uuid;

/// The resource that a reference names; nothing if the reference is absent.
///
/// # Errors
/// 400 if it names none.
pub(crate) fn linked(parent: &Element, name: &str) -> Result<Option<Uuid>, Refusal> {
    href(parent, name)
        .map(|link| last_uuid(link).ok_or_else(|| nameless(name, link)))
        .transpose()
}

/// The resources that a list of references names; nothing if the list is absent.
///
/// # Errors
/// 400 if one of them names none.
pub(crate) fn links(parent: &Element, name: &str) -> Result<Option<Vec<Uuid>>, Refusal> {
    let Some(list) = parent.child(name) else {
        return Ok(None);
    };
    let hrefs = list
        .children_named("link")
        .filter_map(|link| link.attribute("href"));
    hrefs
        .map(|link| last_uuid(link).ok_or_else(|| nameless(name, link)))
        .collect::<Result<Vec<Uuid>, Refusal>>()
        .map(Some)
}

fn nameless(name: &str, link: &str) -> Refusal {
    invalid(format!("{name} names no resource: '{}'.", excerpt(link)))
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
