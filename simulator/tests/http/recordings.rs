//! A session through the recording proxy, replayed and imported.

use http::Method;
use powervm_simulator::inventory;
use powervm_simulator::recording::read_all;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;

use crate::client::{job_body, partition_body};
use crate::process::{PASSWORD, Process};

const KEY: &str = "AAAAB3NzaC1yc2EAAAADAQABsecretkey";
const CHAP: &str = "chap-secret-0815";

/// What somebody does who wants the host simulated; returns the token of the session.
async fn session(proxy: &Process, user: &str) -> String {
    let token = proxy.logon(user).await;
    let get = async |path: &str| {
        let answer = proxy.rest(Method::GET, path, &token, "").await;
        assert!(
            matches!(answer.status, 200 | 204),
            "{path}: {}",
            answer.body
        );
        assert!(!answer.body.contains(proxy.text("upstream")), "{path}");
        answer
    };
    for path in [
        "uom/ManagementConsole",
        "uom/ManagedSystem",
        "uom/LogicalPartition",
        "uom/VirtualIOServer?group=All",
        "uom/Cluster",
        "uom/SharedStoragePool",
        "uom/Tier",
        "uom/LogicalPartition/quick/All",
    ] {
        get(path).await;
    }
    let systems = get("uom/ManagedSystem?group=None").await;
    let (_, rest) = systems.body.split_once("<entry><id>").unwrap();
    let system = rest.split_once('<').unwrap().0;
    let path = format!("uom/ManagedSystem/{system}/LogicalPartition");
    let made = proxy
        .rest(
            Method::PUT,
            &path,
            &token,
            partition_body("made-while-recorded"),
        )
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    let servers = get("uom/VirtualIOServer?group=None").await;
    let vios = servers.text("PartitionUUID");
    for (feed, child) in [
        ("VirtualIOServer", "VolumeGroup"),
        ("LogicalPartition", "ClientNetworkAdapter"),
    ] {
        let feed_body = get(&format!("uom/{feed}?group=None")).await.body;
        for entry in feed_body.split("<entry><id>").skip(1) {
            let id = entry.split_once('<').unwrap().0.to_uppercase();
            get(&format!("uom/{feed}/{id}/{child}")).await;
        }
    }
    for (path, operation, group, name, value) in [
        (
            format!("uom/VirtualIOServer/{vios}"),
            "ISCSIDiscovery",
            "VirtualIOServer",
            "password",
            CHAP.to_owned(),
        ),
        (
            "uom/ManagementConsole/x".to_owned(),
            "CLIRunner",
            "ManagementConsole",
            "cmd",
            format!("mkauthkeys -a \"ssh-rsa {KEY} me@here\""),
        ),
    ] {
        // Refused or not: what was sent is on the wire, and so in the recording.
        let body = job_body(operation, group, &[(name, &value)]);
        proxy
            .rest(Method::PUT, &format!("{path}/do/{operation}"), &token, body)
            .await;
    }
    let wrong = crate::client::logon_body(user, "<Password>mistyped-password-1</Password>");
    proxy.rest(Method::PUT, "web/Logon", "", wrong).await;
    token
}

async fn recorded(flavor: &str, user: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("session.jsonl");
    let path = file.to_str().unwrap();
    let upstream = Process::start(&["serve", "--flavor", flavor, "--partitions", "3"])
        .await
        .unwrap();
    let url = upstream.text("http").to_owned();
    let proxy = Process::start(&["record", "--upstream", &url, "--output", path])
        .await
        .unwrap();
    let token = session(&proxy, user).await;
    let (code, log) = proxy.end("TERM").await;
    assert_eq!(code, Some(0));
    let text = std::fs::read_to_string(&file).unwrap();
    for secret in [PASSWORD, "mistyped-password-1", &token, KEY, CHAP] {
        assert!(!text.contains(secret), "{secret} is recorded");
        assert!(!log.contains(secret), "{secret} is logged");
    }
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let again = Process::start(&["record", "--upstream", &url, "--output", path]).await;
    assert!(again.err().unwrap().contains("session.jsonl"));

    // Served again it tells the same, with links of its own.
    let replay = Process::start(&["replay", path]).await.unwrap();
    let token = replay.logon(user).await;
    let recording = read_all(std::slice::from_ref(&file)).unwrap();
    let mut compared = 0;
    for exchange in &recording.exchanges {
        if exchange.method != "GET" || exchange.url.contains("Event") {
            continue;
        }
        let path = exchange.url.strip_prefix("/rest/api/").unwrap();
        let answer = replay.rest(Method::GET, path, &token, "").await;
        assert_eq!(answer.status, exchange.status, "{path}");
        let own = replay.text("http");
        assert_eq!(
            answer.body.replace(own, &url),
            exchange.body.text(),
            "{path}"
        );
        compared += 1;
    }
    assert!(compared >= 10, "{compared}");
    let unknown = replay
        .rest(Method::GET, "uom/VirtualSwitch", &token, "")
        .await;
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.body.contains("no answer to GET"),
        "{}",
        unknown.body
    );
    replay.end("TERM").await;

    // Imported it makes the same host.
    let imported = inventory::import(&recording, None).unwrap();
    assert_eq!(imported.flavor.as_str(), flavor);
    let room = folder.path().join("room.toml");
    std::fs::write(&room, imported.to_toml().unwrap()).unwrap();
    let room = room.to_str().unwrap();
    let host = Process::start(&[
        "serve",
        "--flavor",
        flavor,
        "--inventory",
        room,
        "--check-invariants",
    ])
    .await
    .unwrap();
    let names = async |process: &Process| {
        let token = process.logon(user).await;
        let quick = process.rest(Method::GET, "uom/LogicalPartition/quick/All", &token, "");
        let quick = quick.await.json();
        let told = |one: &Value| json!([one["PartitionName"], one["UUID"], one["PartitionState"]]);
        let mut told: Vec<_> = quick.as_array().unwrap().iter().map(told).collect();
        told.retain(|one| one[0] != "made-while-recorded");
        told.sort_by_key(Value::to_string);
        told
    };
    assert_eq!(names(&host).await, names(&upstream).await);
}

#[tokio::test]
async fn a_session_with_an_hmc_is_recorded_replayed_and_imported() {
    recorded("hmc", "hscroot").await;
}

#[tokio::test]
async fn a_session_with_a_novalink_is_recorded_replayed_and_imported() {
    recorded("novalink", "neo").await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.jsonl");
    let path = file.to_str().unwrap();
    let proxy = Process::start(&[
        "record",
        "--upstream",
        "http://127.0.0.1:9",
        "--output",
        path,
    ])
    .await
    .unwrap();
    let answer = proxy.rest(Method::GET, "uom/ManagedSystem", "x", "").await;
    assert_eq!(answer.status, 502);
    for url in [
        "hmc.example.com",
        "https://hmc/rest",
        "https://u:p@hmc:12443",
        "ftp://hmc",
    ] {
        let other = folder.path().join("y.jsonl");
        let arguments = [
            "record",
            "--upstream",
            url,
            "--output",
            other.to_str().unwrap(),
        ];
        let refused = Process::start(&arguments).await;
        assert!(refused.err().unwrap().contains("is no URL"), "{url}");
    }
}
