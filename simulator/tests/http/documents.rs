//! Feeds, entries, conditional requests, searches, quick properties.

use axum::body::Body;
use http::Method;
use powervm_schema::atom::{Entry, Feed};
use powervm_simulator::inventory::Inventory;
use powervm_simulator::{Flavor, Simulator};

use crate::client::{Client, partition_body};

#[tokio::test]
async fn an_entry_has_its_etag_twice_and_links_to_itself_with_its_groups() {
    let client = Client::new().await;
    let path = format!(
        "VirtualIOServer/{}?group=ViosSCSIMapping,ViosStorage",
        client.vios()
    );
    let answer = client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!answer.body.starts_with("<?xml"));
    let entry = Entry::parse(answer.body.as_bytes()).unwrap();
    assert_eq!(
        entry.self_href(),
        Some(format!("http://sim.test:12080/rest/api/uom/{path}").as_str())
    );
    assert_eq!(entry.etag.as_deref(), Some(answer.header("etag")));
    assert!(answer.header("etag").parse::<i32>().is_ok());
    assert!(answer.header("x-transaction-id").starts_with("XT"));
    assert!(!answer.header("x-hmc-schema-version").is_empty());
}

#[tokio::test]
async fn what_has_not_changed_is_304() {
    let client = Client::new().await;
    let url = format!(
        "/rest/api/uom/LogicalPartition/{}?group=None",
        client.partition("lpar1").await
    );
    let etag = client
        .send(Method::GET, &url, &[], Body::empty())
        .await
        .header("etag")
        .to_owned();
    for tag in [etag.clone(), format!("\"{etag}\"")] {
        let answer = client
            .send(Method::GET, &url, &[("If-None-Match", &tag)], Body::empty())
            .await;
        assert_eq!(
            (
                answer.status.as_u16(),
                answer.body.as_str(),
                answer.header("etag")
            ),
            (304, "", etag.as_str())
        );
    }
    let answer = client
        .send(Method::GET, &url, &[("If-None-Match", "1")], Body::empty())
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_change_from_a_stale_state_is_412() {
    let client = Client::new().await;
    let uuid = client.partition("lpar1").await;
    let url = format!("/rest/api/uom/LogicalPartition/{uuid}?group=None");
    let read = client.send(Method::GET, &url, &[], Body::empty()).await;
    let entry = Entry::parse(read.body.as_bytes()).unwrap();
    let renamed = entry.content.to_xml().replace(">lpar1<", ">lpar2<");
    let first = client
        .send(
            Method::POST,
            &url,
            &[("If-Match", read.header("etag"))],
            renamed.clone(),
        )
        .await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.text("PartitionName"), "lpar2");
    assert_ne!(first.header("etag"), read.header("etag"));
    let stale = client
        .send(
            Method::POST,
            &url,
            &[("If-Match", read.header("etag"))],
            renamed.clone(),
        )
        .await;
    assert_eq!(
        (stale.status.as_u16(), stale.text("HTTPStatus").as_str()),
        (412, "412")
    );
    let quoted = format!("\"{}\"", first.header("etag"));
    let second = client
        .send(Method::POST, &url, &[("If-Match", &quoted)], renamed)
        .await;
    assert_eq!(second.status, 200);
    let delete = client
        .send(Method::DELETE, &url, &[("If-Match", "17")], Body::empty())
        .await;
    assert_eq!(delete.status, 412);
    assert_eq!(
        client
            .delete(&format!("LogicalPartition/{uuid}"))
            .await
            .status,
        204
    );
    assert_eq!(
        client.get(&format!("LogicalPartition/{uuid}")).await.status,
        404
    );
    assert_eq!(client.simulator.counters().preconditions_failed, 2);
}

#[tokio::test]
async fn an_empty_feed_is_204() {
    let client = Client::new().await;
    let answer = client
        .get(&format!("Tier/{}/LogicalUnit?group=None", client.tier()))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (204, "text/plain")
    );
    let answer = client
        .send(Method::GET, "/rest/api/web/File", &[], Body::empty())
        .await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn what_is_not_there_is_404_in_the_products_words() {
    for (flavor, code) in [(Flavor::NovaLink, "REST029B"), (Flavor::Hmc, "REST000B")] {
        let client = Client::of(&Simulator::builder().flavor(flavor).build().unwrap()).await;
        let unknown = "0B5C2A10-1111-4222-8333-444455556666";
        for path in [
            format!("LogicalPartition/{unknown}"),
            format!("LogicalPartition/{unknown}/quick/PartitionState"),
            format!("LogicalPartition/{}", client.vios()),
            format!("VirtualIOServer/{unknown}/VolumeGroup"),
            format!("ManagedSystem/{unknown}/LogicalPartition"),
        ] {
            let answer = client.get(&path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(
                answer.text("ReasonCode"),
                "The supplied URI does not identify a known resource."
            );
            assert!(answer.text("Message").starts_with(code), "{}", answer.body);
            assert_eq!(answer.text("RequestURI"), format!("/rest/api/uom/{path}"));
        }
    }
}

#[tokio::test]
async fn wrong_methods_are_405_and_told_the_right_ones() {
    let client = Client::new().await;
    let entry = format!("/rest/api/uom/ManagedSystem/{}", client.system());
    for (method, path, allow) in [
        (Method::POST, "/rest/api/uom/ManagedSystem", "GET, PUT"),
        (Method::PUT, entry.as_str(), "GET, POST, DELETE"),
        (Method::PATCH, entry.as_str(), "GET, POST, DELETE"),
        (Method::HEAD, entry.as_str(), "GET, POST, DELETE"),
        (Method::GET, "/rest/api/web/Logon", "PUT, DELETE"),
        (
            Method::POST,
            "/rest/api/uom/ManagementConsole/do/CLIRunner",
            "GET, PUT",
        ),
        (Method::PUT, "/rest/api/uom/jobs/1", "GET, DELETE"),
        (Method::GET, "/rest/api/uom/jobs/1/cancel", "POST"),
        (
            Method::DELETE,
            "/rest/api/uom/LogicalPartition/quick/All",
            "GET",
        ),
    ] {
        let answer = client.send(method.clone(), path, &[], Body::empty()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, allow),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn a_search_finds_by_name_and_by_number() {
    let client = Client::new().await;
    let uuid = client.partition("my lpar").await;
    let found = client
        .get("LogicalPartition/search/(PartitionName=='my%20lpar')?group=None")
        .await;
    assert_eq!(found.status, 200, "{}", found.body);
    let feed = Feed::parse(found.body.as_bytes()).unwrap();
    assert_eq!(
        feed.entries
            .iter()
            .map(|entry| entry.id.as_str())
            .collect::<Vec<_>>(),
        [uuid.as_str()]
    );
    assert_eq!(
        client
            .get("LogicalPartition/search/(PartitionName=='other')?group=None")
            .await
            .status,
        204
    );
    let others = client
        .get("LogicalPartition/search/(PartitionName!='my%20lpar')?group=None")
        .await;
    assert!(others.status == 200 && !others.body.contains(&uuid));
    assert_eq!(
        client
            .get("VirtualIOServer/search/(PartitionID==2)?group=None")
            .await
            .status,
        200
    );
    assert_eq!(
        client
            .get("LogicalPartition/search/PartitionID")
            .await
            .status,
        500
    );
    assert_eq!(
        client
            .get("LogicalPartition/search/(Colour==blue)")
            .await
            .status,
        500
    );
}

#[tokio::test]
async fn quick_properties_are_bare_json() {
    let client = Client::new().await;
    let uuid = client.partition("lpar1").await;
    let answer = client
        .get(&format!("LogicalPartition/{uuid}/quick/PartitionState"))
        .await;
    assert_eq!(answer.body, "\"not activated\"");
    assert_eq!(
        (answer.header("content-type"), answer.header("etag")),
        ("application/json; charset=UTF-8", "")
    );
    let all = client.get("LogicalPartition/quick/All").await;
    let all: serde_json::Value = serde_json::from_str(&all.body).unwrap();
    assert!(
        all.as_array()
            .unwrap()
            .iter()
            .any(|partition| partition["UUID"] == uuid.as_str())
    );
    let object = client.get(&format!("LogicalPartition/{uuid}/quick")).await;
    assert!(object.body.starts_with('{'));
    assert_eq!(
        client
            .get(&format!("LogicalPartition/{uuid}/quick/All"))
            .await
            .status,
        404
    );
    let typed = [(
        "Accept",
        "application/vnd.ibm.powervm.uom+xml; type=LogicalPartition",
    )];
    let url = format!("/rest/api/uom/LogicalPartition/{uuid}/quick/PartitionState");
    assert_eq!(
        client
            .send(Method::GET, &url, &typed, Body::empty())
            .await
            .status,
        406
    );
}

#[tokio::test]
async fn the_etag_of_a_group_set_changes_with_its_own_groups_only() {
    let client = Client::new().await;
    let etag = async |groups: &str| {
        let path = format!("VirtualIOServer/{}?group={groups}", client.vios());
        client.get(&path).await.header("etag").to_owned()
    };
    let (mappings, storage) = (etag("ViosSCSIMapping").await, etag("ViosStorage").await);
    let file = client.file("a.iso", None, None).await;
    assert_eq!(client.upload(&file, "some bytes").await.status, 204);
    assert_eq!(etag("ViosSCSIMapping").await, mappings);
    assert_ne!(etag("ViosStorage").await, storage);
}

#[tokio::test]
async fn links_repeat_the_host_of_the_request() {
    let client = Client::new().await;
    let url = format!("/rest/api/uom/ManagedSystem/{}", client.system());
    let own = client.send(Method::GET, &url, &[], Body::empty()).await;
    assert!(
        own.body
            .contains("http://sim.test:12080/rest/api/uom/ManagedSystem/")
    );
    let answer = client
        .send(
            Method::GET,
            &url,
            &[("X-Transaction-ID", "XT77")],
            Body::empty(),
        )
        .await;
    assert_eq!(answer.header("x-transaction-id"), "XT77");
}

#[tokio::test]
async fn a_partition_that_exists_already_is_refused_and_nothing_changes() {
    let client = Client::new().await;
    client.partition("lpar1").await;
    let before = client.simulator.world();
    let answer = client
        .put(
            &format!("ManagedSystem/{}/LogicalPartition", client.system()),
            partition_body("lpar1"),
        )
        .await;
    assert!(answer.status.is_client_error() || answer.status.is_server_error());
    assert_eq!(*client.simulator.world(), *before);
}

#[tokio::test]
async fn a_novalink_tells_nothing_of_pool_members_that_it_does_not_manage() {
    let inventory = Inventory::from_toml(
        r#"
        [[systems]]
        name = "one"
        serial = "2125D4A"
        vioses = [{ name = "vios1", disks = [], volume_groups = [] }]
        [systems.management_partition]
        [[systems]]
        name = "two"
        serial = "2125D4B"
        vioses = [{ name = "vios1", disks = [], volume_groups = [] }]
        [systems.management_partition]
        [[enterprise_pools]]
        id = "0042"
        name = "pool"
        processors = 8
        memory_mb = 65536
        members = [{ system = "two", processors = 4, memory_mb = 32768 }]
    "#,
    )
    .unwrap();
    let novalinks = Simulator::builder()
        .flavor(Flavor::NovaLink)
        .inventory(inventory)
        .build()
        .unwrap();
    for (novalink, members) in novalinks.novalinks().iter().zip([0, 1]) {
        let client = Client::of(novalink).await;
        let pools = client.get("PowerEnterprisePool").await;
        let pool = Feed::parse(pools.body.as_bytes())
            .unwrap()
            .entries
            .remove(0);
        let answer = client
            .get(&format!(
                "PowerEnterprisePool/{}/PowerEnterprisePoolMember",
                pool.id
            ))
            .await;
        let found = if answer.status == 204 {
            Vec::new()
        } else {
            Feed::parse(answer.body.as_bytes()).unwrap().entries
        };
        assert_eq!(found.len(), members, "{}", answer.body);
    }
}
