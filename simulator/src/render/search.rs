//! Searches: one condition on one registered parameter of a root type.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::context::{Context, named};
use super::envelope::Content;
use super::found::Found;
use super::writer::{ROR, WEB};
use super::{Rendered, envelope};
use crate::http::kind::Kind;
use crate::http::problem::Problem;
use crate::http::search::{Comparison, Condition};
use crate::http::target::Target;

const TEXT: &str = "Regular Expression or String Match";
const NUMBER: &str = "Numeric";

/// The registered parameters of a type: name, comparator and path.
const fn registered(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::ManagedSystem => &[("SystemName", TEXT), ("State", TEXT)],
        Kind::LogicalPartition | Kind::VirtualIoServer => &[
            ("PartitionName", TEXT),
            ("PartitionID", NUMBER),
            ("PartitionState", TEXT),
            ("PartitionType", TEXT),
        ],
        Kind::Cluster => &[("ClusterName", TEXT)],
        Kind::SharedStoragePool => &[("StoragePoolName", TEXT)],
        _ => &[],
    }
}

/// Whether a resource meets the condition.
///
/// # Errors
/// 500 if the type has no such parameter, as captured from an HMC V10R3.
pub(crate) fn matches(
    kind: Kind,
    found: Found<'_>,
    condition: &Condition,
) -> Result<bool, Problem> {
    if !registered(kind)
        .iter()
        .any(|(name, _)| *name == condition.key)
    {
        let key: String = condition.key.chars().take(64).collect();
        let message = format!(
            "The left hand side {key} is not a registered search parameter of {}.",
            kind.name()
        );
        return Err(Problem::new(500, "Unknown internal error.", message));
    }
    Ok(value(found, &condition.key).is_some_and(|value| condition.matches(&value)))
}

fn value(found: Found<'_>, key: &str) -> Option<String> {
    match (found, key) {
        (Found::System(system), "SystemName") => Some(system.name.clone()),
        (Found::System(system), "State") => Some(system.state.to_string()),
        (Found::Cluster(cluster), "ClusterName") => Some(cluster.name.clone()),
        (Found::Pool(pool), "StoragePoolName") => Some(pool.name.clone()),
        _ => {
            let partition = found.as_partition()?;
            match key {
                "PartitionName" => Some(partition.name.clone()),
                "PartitionID" => Some(partition.id.to_string()),
                "PartitionState" => Some(partition.state.to_string()),
                "PartitionType" => Some(partition.kind.to_string()),
                _ => None,
            }
        }
    }
}

/// The part of a feed's own link that repeats the condition.
pub(crate) fn path(condition: &Condition) -> String {
    let operator = if condition.comparison == Comparison::Equal {
        "=="
    } else {
        "!="
    };
    let value = utf8_percent_encode(&condition.value, NON_ALPHANUMERIC);
    format!("/search/({}{operator}'{value}')", condition.key)
}

/// `SearchParameterSet`: what a type may be searched by.
pub(crate) fn parameters(cx: &Context<'_>, target: &Target) -> Rendered {
    let kind = target.kind().unwrap_or(Kind::ManagementConsole);
    let mut w = cx.writer(1024);
    w.root("SearchParameterSet", WEB, None, |w| {
        w.text("ElementName", ROR, kind.name());
        w.section("SearchParameters", ROR, |w| {
            for (name, comparator) in registered(kind) {
                w.member("SearchParameter", |w| {
                    w.text("ParameterName", ROR, name);
                    w.text("Comparator", ROR, comparator);
                    w.text("XPath", ROR, &format!("/{}/{name}", kind.name()));
                });
            }
        });
    });
    let id = named(cx.world.console.uuid, &format!("{}/search", kind.name())).to_string();
    let content = Content {
        id,
        title: "SearchParameterSet",
        service: "web",
        etag: None,
        xml: w.finish().into(),
    };
    Rendered {
        body: envelope(cx, &None).entry(&content, &[]),
        etag: None,
    }
}
