//! What URLs mean.

use super::*;
use crate::http::group::Group;

const LPAR: &str = "0B5C2A10-1111-4222-8333-444455556666";

fn parse(url: &str) -> Result<Target, Problem> {
    let (path, query) = url
        .split_once('?')
        .map_or((url, None), |(path, query)| (path, Some(query)));
    Target::parse(path, query)
}

#[test]
fn roots_children_and_entries() {
    let target = parse(&format!(
        "/rest/api/uom/LogicalPartition/{LPAR}/ClientNetworkAdapter?group=None"
    ))
    .unwrap();
    assert_eq!(
        target.kinds(),
        [Kind::LogicalPartition, Kind::ClientNetworkAdapter]
    );
    assert_eq!(
        target.id_of(Kind::LogicalPartition),
        Some(Uuid::try_parse(LPAR).unwrap())
    );
    assert!(!target.is_entry() && target.groups.is_empty());
    assert_eq!(
        target.path(),
        format!("LogicalPartition/{LPAR}/ClientNetworkAdapter")
    );
    let target = parse("/rest/api/uom/VirtualIOServer").unwrap();
    assert!(target.groups.contains(Group::ViosStorage) && !target.groups.is_explicit());
}

#[test]
fn actions() {
    let action = |url: &str| parse(url).unwrap().action;
    assert_eq!(
        action(&format!(
            "/rest/api/uom/LogicalPartition/{LPAR}/quick/PartitionState"
        )),
        Action::QuickProperty("PartitionState".into())
    );
    assert_eq!(
        action("/rest/api/uom/LogicalPartition/quick/All"),
        Action::QuickAll
    );
    assert_eq!(
        action("/rest/api/uom/ManagementConsole/do/CLIRunner"),
        Action::Operation("CLIRunner".into())
    );
    assert_eq!(
        action("/rest/api/uom/jobs/1376478617707?group=None"),
        Action::Job(1_376_478_617_707)
    );
    assert_eq!(
        action("/rest/api/uom/jobs/5/cancel?group=None"),
        Action::CancelJob(5)
    );
    assert_eq!(action("/rest/api/web/Logon"), Action::Logon);
    assert_eq!(
        action(&format!("/rest/api/web/File/contents/{LPAR}")),
        Action::FileContents(Uuid::try_parse(LPAR).unwrap())
    );
    let Action::Search(condition) =
        action("/rest/api/uom/LogicalPartition/search/(PartitionName==%27a%2Fb%20c%27)?group=None")
    else {
        panic!("no search");
    };
    assert_eq!(condition.value, "a/b c");
}

#[test]
fn refusals_tell_what_is_wrong() {
    for (url, status, message) in [
        ("/rest/api/uom/Nonsense", 400, "REST000E"),
        ("/rest/api/uom/File", 400, "REST000E"),
        ("/rest/api/uom/VolumeGroup", 400, "REST000E"),
        ("/rest/api/uom/LogicalPartition/42", 400, "no UUID"),
        (
            "/rest/api/uom/LogicalPartition/{0b5c2a10-1111-4222-8333-444455556666}",
            400,
            "no UUID",
        ),
        (
            "/rest/api/uom/Cluster?group=ViosStorageDetail",
            400,
            "REST0026",
        ),
        ("/rest/api/uom/Cluster?limit=4", 400, "REST0123"),
        ("/rest/api/uom/jobs/nulljobs", 404, "REST0005"),
        ("/rest/api/uom//Cluster", 400, "REST000B"),
        ("/rest/api/uom/%ff", 400, "UTF-8"),
        ("/rest/api/uom/%00", 400, "control"),
        ("/rest/api/nothing/Cluster", 400, "services"),
        ("/rest/api/uom", 400, "REST000B"),
        ("/", 404, "REST000B"),
        (
            "/rest/api/uom/ManagedSystem/0b5c2a10-1111-4222-8333-444455556666/LogicalPartition/search/(a==b)",
            400,
            "UUID",
        ),
    ] {
        let problem = parse(url).unwrap_err();
        assert_eq!(problem.status, status, "{url}");
        assert!(
            problem.message.contains(message),
            "{url}: {}",
            problem.message
        );
    }
    assert_eq!(
        parse(&format!("/rest/api/uom/{}", "x".repeat(LONGEST_URL)))
            .unwrap_err()
            .status,
        414
    );
}

proptest::proptest! {
    #[test]
    fn no_url_is_too_strange(path in "(/rest/api/)?(uom|web)?(/(Cluster|LogicalPartition|jobs|quick|do|search|File|contents|%[0-9a-f]{0,2}|\\PC{0,9})){0,6}", query in "\\PC{0,40}") {
        let _ = Target::parse(&path, Some(&query));
        let _ = Condition::parse(&query);
    }
}
