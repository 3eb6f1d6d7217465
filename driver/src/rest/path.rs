//! From what callers and servers name a resource by to the path and query of a request.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, Result, printable};

/// Which extended attribute groups a document is asked for with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Groups<'a> {
    /// `group=None`: the plain document. What the known clients ask for by default.
    #[default]
    None,
    /// No `group` at all: the server's own default.
    Omitted,
    /// The groups that the href already has, as after reading an entry with them.
    Kept,
    /// These groups, sent in alphabetical order, as `group=ViosFCMapping,ViosSCSIMapping`.
    Named(&'a [&'a str]),
}

/// The longest path and query that is sent.
const LONGEST: usize = 8 * 1024;

/// What may stand unencoded in a path or query that comes from outside.
const UNSAFE: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'\\')
    .add(b'^')
    .add(b'|');

/// What a search value may hold unencoded: letters, digits and `-._~`.
const SEARCH_VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Path and query of a request to this resource.
///
/// `name` is a path below `/rest/api/uom/` (`LogicalPartition/UUID`), or below `/rest/api/` when it begins with
/// `uom/`, `web/` or `pcm/`, or a whole path, or an href as servers write them. Of an href only path and query
/// count: the host in it is the server's name for itself (`http://localhost:12080` on NovaLink), so the session's
/// own endpoint replaces it.
pub(super) fn resolve(name: &str, groups: Groups<'_>) -> Result<String> {
    let bad = |why: &str| {
        Error::invalid(
            format!("the resource path {:?} {why}", printable(name)),
            "name a resource below /rest/api/, or use the SELF link of a document",
        )
    };
    let local = match name.split_once("://") {
        Some(("http" | "https", rest)) => rest
            .find('/')
            .and_then(|slash| rest.get(slash..))
            .unwrap_or("/"),
        Some(_) => return Err(bad("has an unknown scheme")),
        None => name,
    };
    let (path, query) = local
        .split_once('?')
        .map_or((local, None), |(path, query)| (path, Some(query)));
    let path = match path {
        path if path.starts_with("/rest/api/") => path.to_owned(),
        path if path.starts_with('/') => return Err(bad("is outside /rest/api/")),
        path if ["uom/", "web/", "pcm/"]
            .iter()
            .any(|service| path.starts_with(service)) =>
        {
            format!("/rest/api/{path}")
        }
        path => format!("/rest/api/uom/{path}"),
    };
    if path
        .split('/')
        .skip(1)
        .any(|segment| matches!(segment, "" | "." | ".."))
        || path.contains('#')
    {
        return Err(bad("has empty or relative segments"));
    }
    let mut whole = utf8_percent_encode(&path, UNSAFE).to_string();
    for (index, pair) in parameters(query, groups).iter().enumerate() {
        let _ = write!(
            whole,
            "{}{}",
            if index == 0 { '?' } else { '&' },
            utf8_percent_encode(pair, UNSAFE)
        );
    }
    if whole.len() > LONGEST {
        return Err(bad("is too long"));
    }
    Ok(whole)
}

fn parameters(query: Option<&str>, groups: Groups<'_>) -> Vec<String> {
    let given = query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty());
    let kept = given.filter(|pair| groups == Groups::Kept || !pair.starts_with("group="));
    let mut all: Vec<String> = kept.map(str::to_owned).collect();
    match groups {
        Groups::None => all.push("group=None".into()),
        Groups::Omitted | Groups::Kept => {}
        Groups::Named(names) => {
            let mut names = names.to_vec();
            names.sort_unstable();
            names.dedup();
            all.push(format!("group={}", names.join(",")));
        }
    }
    all
}

/// The search segment `search/(KEY=='VALUE')`: the value encoded throughout, what surrounds it literal.
pub(super) fn search(root: &str, key: &str, value: &str) -> String {
    format!(
        "{root}/search/({key}=='{}')",
        utf8_percent_encode(value, SEARCH_VALUE)
    )
}

/// The path below `/rest/api/`, its identifiers left out: `ManagedSystem/…/VirtualIOServer/…` is
/// `VirtualIOServer`, a job's submission `LogicalPartition/do/PowerOn`. For counting and logging.
pub(super) fn class_of(path_and_query: &str) -> String {
    let path = path_and_query.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path
        .trim_start_matches("/rest/api/")
        .split('/')
        .skip(1)
        .collect();
    let mut class = "";
    let mut rest = segments.iter();
    while let Some(&segment) = rest.next() {
        match segment {
            "do" => return format!("{class}/do/{}", rest.next().copied().unwrap_or_default()),
            "quick" | "search" | "cancel" | "contents" => return format!("{class}/{segment}"),
            segment
                if segment.starts_with(|c: char| c.is_ascii_alphabetic())
                    && !is_identifier(segment) =>
            {
                class = segment
            }
            _ => {}
        }
    }
    class.to_owned()
}

fn is_identifier(segment: &str) -> bool {
    segment.len() == 36 && segment.chars().filter(|c| *c == '-').count() == 4
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0F3D6C2A-1111-4222-8333-444455556666";

    fn path(name: &str, groups: Groups<'_>) -> String {
        resolve(name, groups).unwrap()
    }

    #[test]
    fn short_names_and_hrefs_meet() {
        assert_eq!(
            path("LogicalPartition", Groups::None),
            "/rest/api/uom/LogicalPartition?group=None"
        );
        assert_eq!(path("web/File", Groups::Omitted), "/rest/api/web/File");
        assert_eq!(
            path("/rest/api/uom/Cluster", Groups::Omitted),
            "/rest/api/uom/Cluster"
        );
        assert_eq!(
            path(
                "https://other:1/rest/api/uom/Tier/x?group=None",
                Groups::Kept
            ),
            "/rest/api/uom/Tier/x?group=None"
        );
    }

    #[test]
    fn groups_are_sorted_and_replace_those_of_the_href() {
        let groups = Groups::Named(&["ViosSCSIMapping", "ViosFCMapping", "ViosFCMapping"]);
        assert_eq!(
            path(
                "http://h/rest/api/uom/VirtualIOServer/1?group=None&force=true",
                groups
            ),
            "/rest/api/uom/VirtualIOServer/1?force=true&group=ViosFCMapping,ViosSCSIMapping"
        );
        assert_eq!(path("X?group=A", Groups::Omitted), "/rest/api/uom/X");
    }

    #[test]
    fn a_server_cannot_send_us_elsewhere() {
        for bad in [
            "/etc/passwd",
            "ftp://h/rest/api/uom/X",
            "http://h",
            "X/../../web/Logon",
            "a//b",
            "http://h/x",
            "X#y",
        ] {
            assert!(resolve(bad, Groups::Kept).is_err(), "{bad}");
        }
        assert!(resolve(&"x".repeat(10_000), Groups::None).is_err());
        assert_eq!(
            path("X y\r\nHost: z", Groups::Omitted),
            "/rest/api/uom/X%20y%0D%0AHost:%20z"
        );
    }

    #[test]
    fn search_values_are_encoded_throughout() {
        assert_eq!(
            search("LogicalPartition", "PartitionName", "it's a/b"),
            "LogicalPartition/search/(PartitionName=='it%27s%20a%2Fb')"
        );
    }

    #[test]
    fn classes_have_no_identifiers() {
        for (path, class) in [
            (
                format!("/rest/api/uom/ManagedSystem/{UUID}/VirtualIOServer/{UUID}?group=None"),
                "VirtualIOServer",
            ),
            (
                format!("/rest/api/uom/LogicalPartition/{UUID}/do/PowerOn"),
                "LogicalPartition/do/PowerOn",
            ),
            (
                format!("/rest/api/uom/LogicalPartition/{UUID}/quick/PartitionState"),
                "LogicalPartition/quick",
            ),
            (
                "/rest/api/uom/jobs/1376478617707/cancel?group=None".into(),
                "jobs/cancel",
            ),
            (
                format!("/rest/api/web/File/contents/{UUID}"),
                "File/contents",
            ),
            ("/rest/api/web/Logon".into(), "Logon"),
        ] {
            assert_eq!(class_of(&path), class, "{path}");
        }
    }
}
