//! What a hostile or a broken client sends gets an answer, never a crash.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::Method;

use crate::client::{Client, UOM, partition_body};

async fn create(client: &Client, body: impl Into<Body>) -> (u16, String) {
    let answer = client
        .put(
            &format!("ManagedSystem/{}/LogicalPartition", client.system()),
            body,
        )
        .await;
    let message = if answer.status.is_success() {
        String::new()
    } else {
        answer.text("Message")
    };
    (answer.status.as_u16(), message)
}

#[tokio::test]
async fn documents_that_are_none_are_400() {
    let client = Client::new().await;
    let good = partition_body("x");
    let half = good[..good.len() / 2].to_owned();
    let entities = good
        .replacen(
            '<',
            "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><",
            1,
        )
        .replace(">x<", ">&b;<");
    let external = good
        .replacen(
            '<',
            "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><",
            1,
        )
        .replace(">x<", ">&a;<");
    let number = good.replace(">1024<", ">plenty<");
    let kind = good.replace("AIX/Linux", "Toaster");
    let other = format!(r#"<Toaster xmlns="{UOM}"/>"#);
    for body in [
        "".to_owned(),
        "hello".to_owned(),
        "{}".to_owned(),
        half,
        entities,
        external,
        number,
        kind,
        other,
    ] {
        let (status, message) = create(&client, body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(message.starts_with("REST0001"), "{message}");
    }
    let binary = create(&client, vec![0xff_u8, 0xfe, 0x00, 0x3c]).await;
    assert_eq!(binary.0, 400);
    assert_eq!(create(&client, good).await.0, 200);
}

#[tokio::test]
async fn documents_that_are_too_large_or_too_deep_are_413() {
    let client = Client::new().await;
    let deep = partition_body("x").replace(
        ">x<",
        &format!(">{}{}<", "<a>".repeat(1000), "</a>".repeat(1000)),
    );
    assert_eq!(create(&client, deep).await.0, 413);
    let wide = partition_body("x").replace(">x<", &format!(">{}<", "<a/>".repeat(500_000)));
    assert_eq!(create(&client, wide).await.0, 413);
    let chunk = Bytes::from(vec![b' '; 1 << 20]);
    let endless = stream::iter((0..40).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    assert_eq!(create(&client, Body::from_stream(endless)).await.0, 413);
    let broken = stream::iter([Ok(Bytes::from("<a>")), Err(std::io::Error::other("gone"))]);
    assert_eq!(create(&client, Body::from_stream(broken)).await.0, 400);
}

#[tokio::test]
async fn urls_that_make_no_sense_are_told_so() {
    let client = Client::new().await;
    let long = format!(
        "LogicalPartition/search/(PartitionName=='{}')",
        "x".repeat(9000)
    );
    for (path, status) in [
        ("Toaster", 400),
        ("LogicalPartition/42", 400),
        ("LogicalPartition/0B5C2A10-1111-4222-8333-44445555666G", 400),
        ("LogicalPartition/%2e%2e/%2e%2e/etc", 400),
        ("LogicalPartition/%00", 400),
        ("LogicalPartition?group=Toaster", 400),
        ("LogicalPartition?limit=3", 400),
        (
            "LogicalPartition/0B5C2A10-1111-4222-8333-444455556666/do/Toast",
            404,
        ),
        ("ManagementConsole/do/Toast", 400),
        ("jobs/9999999999999", 404),
        ("jobs/-1", 404),
        ("jobs/99999999999999999999999999", 404),
        (long.as_str(), 414),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.body);
        assert_eq!(answer.text("HTTPStatus"), status.to_string());
    }
}

#[tokio::test]
async fn markup_in_a_url_does_not_become_markup_in_the_answer() {
    let client = Client::new().await;
    let answer = client.get("%3Cscript%3E%26?group=None").await;
    assert_eq!(answer.status, 400);
    powervm_schema::xml::Element::parse(answer.body.as_bytes()).unwrap();
    assert!(!answer.body.contains("<script>"));
    let answer = client
        .send(
            Method::GET,
            "/rest/api/uom/ManagedSystem",
            &[("Host", "a\"b<c")],
            Body::empty(),
        )
        .await;
    powervm_schema::xml::Element::parse(answer.body.as_bytes()).unwrap();
}

#[tokio::test]
async fn logons_that_make_no_sense_are_refused() {
    let client = Client {
        token: String::new(),
        ..Client::new().await
    };
    for (body, status) in [
        (String::new(), 400),
        ("<LogonRequest/>".to_owned(), 400),
        (crate::client::logon_body("neo", ""), 401),
        (crate::client::logon_body("", "<Password></Password>"), 401),
        (
            crate::client::logon_body(&"u".repeat(100_000), "<Password>p</Password>"),
            401,
        ),
    ] {
        let answer = client
            .send(Method::PUT, "/rest/api/web/Logon", &[], body)
            .await;
        assert_eq!(answer.status.as_u16(), status);
    }
}
