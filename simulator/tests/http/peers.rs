//! Two simulators between which partitions move: in one process, over sockets, and as two programs.

use std::path::Path;
use std::time::Duration;

use http::Method;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::model::command::UpdatePartition;
use powervm_simulator::model::names::SystemState;
use powervm_simulator::model::{Command, Owner};
use powervm_simulator::peer::Remote;
use powervm_simulator::serve::{AdminOptions, ServeOptions, Serving, serve};
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

use crate::client::{Answer, Client, UOM, job_body};
use crate::process::Process;

const TOKEN: &str = "a-token-of-the-peer";

/// One half of a machine room of two systems with two partitions each and one storage.
fn half(flavor: Flavor, system: &str, weather: Weather) -> powervm_simulator::builder::Builder {
    let sizes = Sizes {
        systems: 2,
        partitions: 2,
        ..Sizes::default()
    };
    Simulator::builder()
        .flavor(flavor)
        .seed(7)
        .weather(weather)
        .check_invariants(true)
        .inventory(Inventory::sized(flavor, sizes).with_shared_storage())
        .only_system(system)
}

fn running(simulator: &Simulator) -> String {
    let world = simulator.world();
    let mut all = world.partitions.values();
    let one = all.find(|partition| partition.name.ends_with("existing-0001"));
    one.unwrap().uuid.to_string().to_uppercase()
}

/// The public key of a NovaLink becomes one of the other's authorised ones; HMCs are configured to know each other.
async fn trust(here: &Client, there: &Client) {
    if here.simulator.flavor() == Flavor::Hmc {
        return;
    }
    let key = here.get("ManagementConsole").await.text("PublicSSHKey");
    let uuid = there.get("ManagementConsole").await.text("AtomID");
    let body = format!(
        r#"<ManagementConsole:ManagementConsole xmlns:ManagementConsole="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><Metadata><Atom><AtomID>{uuid}</AtomID></Atom></Metadata><AuthorizedKeys schemaVersion="V1_0"><Metadata><Atom/></Metadata><AuthorizedKey>{key}</AuthorizedKey></AuthorizedKeys></ManagementConsole:ManagementConsole>"#
    );
    let url = format!("/rest/api/uom/ManagementConsole/{uuid}");
    let answer = there.send(Method::POST, &url, &[], body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

async fn submit(client: &Client, uuid: &str, operation: &str) -> String {
    let parameters = [
        ("TargetManagedSystemName", "neo2"),
        ("TargetRemoteHMCIPAddress", "192.0.2.11"),
        ("TargetRemoteHMCUserID", "wlp"),
    ];
    let path = format!("LogicalPartition/{uuid}/do/{operation}");
    let body = job_body(operation, "LogicalPartition", &parameters);
    let answer = client.put(&path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("JobID")
}

/// The job's last answer.
async fn ended(client: &Client, job: &str) -> Answer {
    for _ in 0..3_000 {
        let poll = client.get(&format!("jobs/{job}?group=None")).await;
        if !["NOT_STARTED", "RUNNING"].contains(&poll.text("Status").as_str()) {
            return poll;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("job {job} does not end");
}

async fn migrated(client: &Client, uuid: &str) {
    let job = submit(client, uuid, "MigrateValidate").await;
    let poll = ended(client, &job).await;
    assert_eq!(poll.text("Status"), "COMPLETED_OK", "{}", poll.body);
    let job = submit(client, uuid, "Migrate").await;
    let poll = ended(client, &job).await;
    assert_eq!(poll.text("Status"), "COMPLETED_OK", "{}", poll.body);
}

async fn has_moved(here: &Client, there: &Client, uuid: &str) {
    let path = format!("LogicalPartition/{uuid}");
    assert_eq!(here.get(&path).await.status, 404);
    let moved = there.get(&path).await;
    assert_eq!(moved.text("PartitionState"), "running");
    assert_eq!(moved.text("MigrationState"), "Not_Migrating");
    let servers = there
        .get("VirtualIOServer?group=ViosSCSIMapping,ViosFCMapping")
        .await;
    let mapped = servers.body.matches(&path).count();
    assert!(mapped >= 4, "{mapped} mappings");
    for client in [here, there] {
        assert_eq!(client.simulator.violations(), [] as [String; 0]);
        assert_eq!(client.simulator.world().violations(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_moves_between_two_simulators_of_one_process() {
    for flavor in [Flavor::Hmc, Flavor::NovaLink] {
        let there = half(flavor, "neo2", Weather::Typical).build().unwrap();
        let here = half(flavor, "neo", Weather::Typical)
            .peer("192.0.2.11", there.as_peer())
            .build()
            .unwrap();
        let _attending = here.attend_peers();
        let (here, there) = (Client::of(&here).await, Client::of(&there).await);
        let uuid = running(&here.simulator);
        if flavor == Flavor::NovaLink {
            let job = submit(&here, &uuid, "Migrate").await;
            let refused = ended(&here, &job).await;
            assert!(refused.body.contains("HSCL3653"), "{}", refused.body);
        }
        trust(&here, &there).await;
        migrated(&here, &uuid).await;
        has_moved(&here, &there, &uuid).await;
    }
}

/// Serves a simulator with its admin API, and tells of it as a ready file does.
async fn served(simulator: &Simulator, ready_file: &Path) -> Serving {
    let anywhere = "127.0.0.1:0".parse().unwrap();
    let options = ServeOptions {
        http: Some(anywhere),
        admin: Some(AdminOptions {
            address: anywhere,
            token: SecretString::from(TOKEN),
        }),
        ..ServeOptions::default()
    };
    let serving = serve(simulator, &options).await.unwrap();
    let admin = format!("http://{}", serving.admin.unwrap());
    tell(ready_file, &admin, TOKEN);
    serving
}

fn tell(ready_file: &Path, admin: &str, token: &str) {
    let ready = json!({ "admin": admin, "admin_token": token });
    std::fs::write(ready_file, ready.to_string()).unwrap();
}

#[tokio::test]
async fn a_partition_moves_over_sockets_there_and_back() {
    for flavor in [Flavor::Hmc, Flavor::NovaLink] {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a.json", "b.json"].map(|name| folder.path().join(name));
        let remote = |path: &Path| Arc::new(Remote::new(path).unwrap());
        let here = half(flavor, "neo", Weather::Calm)
            .peer("192.0.2.11", remote(&b))
            .build()
            .unwrap();
        let there = half(flavor, "neo2", Weather::Calm)
            .peer("192.0.2.10", remote(&a))
            .build()
            .unwrap();
        let (one, other) = (served(&here, &a).await, served(&there, &b).await);
        let (here, there) = (Client::of(&here).await, Client::of(&there).await);
        trust(&here, &there).await;
        trust(&there, &here).await;
        let uuid = running(&here.simulator);
        migrated(&here, &uuid).await;
        has_moved(&here, &there, &uuid).await;
        // Its logical units went along, and back.
        let path = format!("LogicalPartition/{uuid}/do/Migrate");
        let parameters = [
            ("TargetManagedSystemName", "neo"),
            ("TargetRemoteHMCIPAddress", "192.0.2.10"),
        ];
        let body = job_body("Migrate", "LogicalPartition", &parameters);
        let job = there.put(&path, body).await.text("JobID");
        let poll = ended(&there, &job).await;
        assert_eq!(poll.text("Status"), "COMPLETED_OK", "{}", poll.body);
        has_moved(&there, &here, &uuid).await;
        one.stop().await;
        other.stop().await;
    }
}

#[tokio::test]
async fn a_partition_of_a_failed_system_starts_over_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let ready_file = folder.path().join("b.json");
    let there = half(Flavor::Hmc, "neo2", Weather::Calm).build().unwrap();
    let here = half(Flavor::Hmc, "neo", Weather::Calm)
        .peer("192.0.2.11", Arc::new(Remote::new(&ready_file).unwrap()))
        .build()
        .unwrap();
    let serving = served(&there, &ready_file).await;
    let _attending = here.attend_peers();
    let (here, there) = (Client::of(&here).await, Client::of(&there).await);
    let uuid = running(&here.simulator);
    let world = here.simulator.world();
    let partition: uuid::Uuid = uuid.parse().unwrap();
    let partition = &world.partitions[&partition];
    let mut update = UpdatePartition::of(Owner::Partition(partition.uuid));
    let mut settings = partition.settings.clone();
    settings.simplified_remote_restart = true;
    update.settings = Some(settings);
    let update = Command::UpdatePartition(Box::new(update));
    here.simulator.apply(update).unwrap();
    let failed = Command::SetSystemState {
        system: partition.system,
        state: SystemState::Error,
    };
    here.simulator.apply(failed).unwrap();
    for operation in ["validate", "restart"] {
        let parameters = [
            ("Operation", operation),
            ("targetManagedSystem", "neo2"),
            ("targetRemoteHMCIPAddress", "192.0.2.11"),
            ("targetRemoteHMCUserId", "hscroot"),
        ];
        let path = format!("LogicalPartition/{uuid}/do/RemoteRestart");
        let body = job_body("RemoteRestart", "LogicalPartition", &parameters);
        let job = here.put(&path, body).await.text("JobID");
        let poll = ended(&here, &job).await;
        assert_eq!(poll.text("Status"), "COMPLETED_OK", "{}", poll.body);
        assert!(poll.body.contains("detailedStatus"), "{}", poll.body);
    }
    has_moved(&here, &there, &uuid).await;
    serving.stop().await;
}

/// A server that says the same to everybody, and nothing if it has nothing to say.
async fn chatterbox(says: Option<&'static str>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Some(says) = says {
                let _ = stream.write_all(says.as_bytes()).await;
            }
        }
    });
    url
}

#[tokio::test]
async fn a_peer_that_talks_nonsense_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ready_file = folder.path().join("b.json");
    let here = half(Flavor::Hmc, "neo", Weather::Calm)
        .peer("192.0.2.11", Arc::new(Remote::new(&ready_file).unwrap()))
        .build()
        .unwrap();
    let _attending = here.attend_peers();
    let here = Client::of(&here).await;
    let uuid = running(&here.simulator);
    let there = half(Flavor::Hmc, "neo2", Weather::Calm).build().unwrap();
    let stranger = served(&there, &ready_file).await;
    let admin = format!("http://{}", stranger.admin.unwrap());

    let nonsense = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"what\":1";
    let error = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
    let refusal = "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}";
    let answers = [
        (chatterbox(Some("what?\r\n\r\n")).await, TOKEN, ""),
        (chatterbox(Some(nonsense)).await, TOKEN, "cannot be read"),
        (chatterbox(Some(error)).await, TOKEN, "500"),
        (chatterbox(Some(refusal)).await, TOKEN, "cannot be read"),
        (chatterbox(None).await, TOKEN, ""),
        ("http://127.0.0.1:1".to_owned(), TOKEN, ""),
        ("file:///etc/passwd".to_owned(), TOKEN, "no URL"),
        (admin, "another-token", "token"),
    ];
    for (url, token, why) in answers {
        tell(&ready_file, &url, token);
        let job = submit(&here, &uuid, "Migrate").await;
        let poll = ended(&here, &job).await;
        assert_eq!(poll.text("Status"), "COMPLETED_WITH_ERROR", "{url}");
        assert!(poll.body.contains("cannot be reached"), "{}", poll.body);
        assert!(poll.body.contains(why), "{url}: {}", poll.body);
        assert!(!poll.body.contains(TOKEN) && !poll.body.contains("another-token"));
        let partition = here.get(&format!("LogicalPartition/{uuid}")).await;
        assert_eq!(partition.text("MigrationState"), "Not_Migrating");
    }
    for text in ["", "{}", "no json"] {
        std::fs::write(&ready_file, text).unwrap();
        let job = submit(&here, &uuid, "Migrate").await;
        let poll = ended(&here, &job).await;
        assert!(poll.body.contains("b.json"), "{}", poll.body);
    }
    stranger.stop().await;
}

#[tokio::test]
async fn two_programs_are_peers() {
    let half = |system: &'static str| {
        let mut line = vec![
            "serve",
            "--flavor",
            "hmc",
            "--systems",
            "2",
            "--shared-storage",
        ];
        line.extend(["--partitions", "2", "--check-invariants", "--admin", "0"]);
        line.extend(["--only-system", system]);
        line
    };
    let there = Process::start(&half("neo2")).await.unwrap();
    let peer = format!("192.0.2.11={}", there.ready_file().display());
    let mut line = half("neo");
    line.extend(["--peer", &peer]);
    let here = Process::start(&line).await.unwrap();
    let partitions = |told: Value| -> Vec<(String, String)> {
        let all = told["partitions"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        all.map(|one| (text(&one["name"]), text(&one["uuid"])))
            .collect()
    };
    let listed = async |process: &Process| {
        let told = process.admin(Method::GET, "/inventory", Value::Null).await;
        partitions(serde_json::from_str(&told.body).unwrap())
    };
    let before = listed(&here).await;
    let (name, uuid) = before
        .iter()
        .find(|(name, _)| name == "existing-0001")
        .unwrap()
        .clone();
    let token = here.logon("hscroot").await;
    let parameters = [
        ("TargetManagedSystemName", "neo2"),
        ("TargetRemoteHMCIPAddress", "192.0.2.11"),
        ("TargetRemoteHMCUserID", "hscroot"),
    ];
    let path = format!("uom/LogicalPartition/{}/do/Migrate", uuid.to_uppercase());
    let body = job_body("Migrate", "LogicalPartition", &parameters);
    let submitted = here.rest(Method::PUT, &path, &token, body).await;
    assert_eq!(submitted.status, 200, "{}", submitted.body);
    let mut left = before;
    for _ in 0..300 {
        left = listed(&here).await;
        if !left.iter().any(|(other, _)| *other == name) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!left.iter().any(|(other, _)| *other == name), "{left:?}");
    assert!(listed(&there).await.contains(&(name, uuid)));
    let arrivals = there.admin(Method::GET, "/arrivals", Value::Null).await;
    assert!(arrivals.body.contains("\"arrived\""), "{}", arrivals.body);
    for process in [here, there] {
        let told = process.admin(Method::GET, "/invariants", Value::Null).await;
        assert!(told.body.contains("\"violations\":[]"), "{}", told.body);
        assert!(!process.log().contains(process.text("admin_token")));
    }
}
