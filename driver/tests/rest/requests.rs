//! What goes over the wire when all is well.

use http::Method;
use powervm_driver::rest::{CallCounts, Flavor, Groups};
use powervm_schema::xml::{Element, Namespace};
use serde_json::json;

use crate::fake::{Fake, PASSWORD, TOKEN, answer, feed, resource, with_etag};

const LPAR: &str = "0F3D6C2A-1111-4222-8333-444455556666";

fn plain() -> Fake {
    Fake::new(|seen, _| match seen.method.as_str() {
        "GET" if seen.uri.contains("/quick/") => answer(200, "\"running\""),
        "GET" if seen.uri.contains(LPAR) => with_etag(
            "-215935973",
            answer(
                200,
                resource("LogicalPartition", LPAR, "?group=None", "1", "<A/>"),
            ),
        ),
        "GET" if seen.uri.contains("Empty") => answer(204, ""),
        "GET" => answer(
            200,
            feed(&[resource("LogicalPartition", LPAR, "?group=None", "-7", "")]),
        ),
        "PUT" | "POST" => with_etag(
            "\"8\"",
            answer(
                200,
                resource("LogicalPartition", LPAR, "?group=None", "", "<B/>"),
            ),
        ),
        _ => answer(204, ""),
    })
}

#[tokio::test]
async fn logon_carries_escaped_credentials_and_no_token() {
    let fake = plain();
    let session = fake.session().await;
    assert_eq!(session.flavor(), Flavor::NovaLink);
    let logon = &fake.seen()[0];
    assert_eq!(logon.line(), "PUT /rest/api/web/Logon");
    assert_eq!(
        logon.header("content-type"),
        Some("application/vnd.ibm.powervm.web+xml; type=LogonRequest")
    );
    assert_eq!(
        logon.header("accept"),
        Some("application/vnd.ibm.powervm.web+xml; type=LogonResponse")
    );
    assert_eq!(logon.header("x-audit-memento"), Some("powervm"));
    assert_eq!(logon.header("x-api-session"), None);
    let body = Element::parse(logon.body.as_bytes()).unwrap();
    assert!(body.is(&Namespace::Web, "LogonRequest"));
    assert_eq!(body.child("Password").unwrap().text(), PASSWORD);
}

#[tokio::test]
async fn reads_ask_for_their_groups() {
    let fake = plain();
    let session = fake.session().await;
    let entry = session
        .get_entry(&format!("LogicalPartition/{LPAR}"), Groups::None)
        .await
        .unwrap();
    // The header's etag is the entry's; the one inside may be another's.
    assert_eq!(entry.etag.as_deref(), Some("-215935973"));
    session
        .get_feed(
            "VirtualIOServer",
            Groups::Named(&["ViosSCSIMapping", "ViosFCMapping"]),
        )
        .await
        .unwrap();
    session.get_feed("Cluster", Groups::Omitted).await.unwrap();
    assert!(
        session
            .get_feed("Empty", Groups::None)
            .await
            .unwrap()
            .entries
            .is_empty()
    );
    session
        .search("LogicalPartition", "PartitionName", "a b/c")
        .await
        .unwrap();
    assert_eq!(
        session
            .quick(
                &format!("LogicalPartition/{LPAR}?group=None"),
                "PartitionState"
            )
            .await
            .unwrap(),
        json!("running")
    );
    assert_eq!(
        fake.lines(),
        [
            format!("GET /rest/api/uom/LogicalPartition/{LPAR}?group=None"),
            "GET /rest/api/uom/VirtualIOServer?group=ViosFCMapping,ViosSCSIMapping".to_owned(),
            "GET /rest/api/uom/Cluster".to_owned(),
            "GET /rest/api/uom/Empty?group=None".to_owned(),
            "GET /rest/api/uom/LogicalPartition/search/(PartitionName=='a%20b%2Fc')?group=None"
                .to_owned(),
            format!("GET /rest/api/uom/LogicalPartition/{LPAR}/quick/PartitionState"),
        ]
    );
    let seen = fake.seen();
    assert_eq!(
        seen[1].header("x-api-session"),
        Some(format!("{TOKEN}1=").as_str())
    );
    assert_eq!(seen[1].header("accept"), Some("application/atom+xml"));
    assert_eq!(seen.last().unwrap().header("accept"), Some("*/*"));
}

#[tokio::test]
async fn updates_go_to_the_self_link_with_the_etag() {
    let fake = plain();
    let session = fake.session().await;
    let entry = session
        .get_entry(&format!("LogicalPartition/{LPAR}"), Groups::None)
        .await
        .unwrap();
    let updated = session.update(&entry).await.unwrap();
    assert_eq!(
        updated.etag.as_deref(),
        Some("8"),
        "quotes are not part of an etag"
    );
    session
        .create("ManagedSystem/x/LogicalPartition", &entry.content)
        .await
        .unwrap();
    session
        .delete(updated.self_href().unwrap(), updated.etag.as_deref())
        .await
        .unwrap();
    let seen = &fake.seen()[2..];
    assert_eq!(
        seen[0].line(),
        format!("POST /rest/api/uom/LogicalPartition/{LPAR}?group=None")
    );
    assert_eq!(seen[0].header("if-match"), Some("-215935973"));
    assert_eq!(
        seen[0].header("content-type"),
        Some("application/vnd.ibm.powervm.uom+xml; type=LogicalPartition")
    );
    assert_eq!(
        seen[0].header("accept"),
        Some("application/atom+xml; charset=UTF-8")
    );
    assert!(
        Element::parse(seen[0].body.as_bytes())
            .unwrap()
            .child("A")
            .is_some()
    );
    assert_eq!(
        seen[1].line(),
        "PUT /rest/api/uom/ManagedSystem/x/LogicalPartition"
    );
    assert_eq!(seen[1].header("if-match"), None);
    assert_eq!(
        seen[2].line(),
        format!("DELETE /rest/api/uom/LogicalPartition/{LPAR}")
    );
    assert_eq!(seen[2].header("if-match"), Some("8"));
}

#[tokio::test]
async fn an_unchanged_entry_is_not_sent_again() {
    let fake = Fake::new(|seen, _| match seen.header("if-none-match") {
        Some("5") => answer(304, ""),
        _ => with_etag(
            "6",
            answer(200, resource("LogicalPartition", LPAR, "", "6", "")),
        ),
    });
    let session = fake.session().await;
    let path = format!("LogicalPartition/{LPAR}");
    assert!(
        session
            .get_entry_if_changed(&path, Groups::None, "5")
            .await
            .unwrap()
            .is_none()
    );
    let entry = session
        .get_entry_if_changed(&path, Groups::None, "4")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(entry.etag.as_deref(), Some("6"));
}

#[tokio::test]
async fn requests_are_counted_by_kind_and_scope() {
    let fake = plain();
    let session = fake.session().await;
    let deploy = CallCounts::new();
    let scoped = session.counted_in(deploy.clone());
    session
        .get_feed("VirtualIOServer", Groups::None)
        .await
        .unwrap();
    scoped
        .get_feed("VirtualIOServer", Groups::None)
        .await
        .unwrap();
    scoped
        .ensure_deleted(&format!("LogicalPartition/{LPAR}"))
        .await
        .unwrap();
    assert_eq!(session.counts().of(&Method::GET, "VirtualIOServer"), 2);
    assert_eq!(session.counts().of(&Method::PUT, "Logon"), 1);
    assert_eq!(deploy.of(&Method::GET, "VirtualIOServer"), 1);
    assert_eq!(deploy.of(&Method::DELETE, "LogicalPartition"), 1);
    assert_eq!((session.counts().total(), deploy.total()), (4, 2));
}

#[tokio::test]
async fn a_logged_off_session_asks_no_more() {
    let fake = plain();
    let session = fake.session().await;
    session.logoff().await.unwrap();
    session.logoff().await.unwrap();
    let error = session.get_feed("Cluster", Groups::None).await.unwrap_err();
    assert!(error.to_string().contains("open a new session"), "{error}");
    let seen = fake.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].line(), "DELETE /rest/api/web/Logon");
    assert_eq!(
        seen[1].header("x-api-session"),
        Some(format!("{TOKEN}1=").as_str())
    );
}
