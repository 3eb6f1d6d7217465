//! Two NovaLinks in one machine room: what each sees, and a partition that moves between them.

use std::time::Duration;

use axum::body::Body;
use http::Method;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::weather::Weather;
use powervm_simulator::{Flavor, Simulator};

use crate::client::{Answer, Client, UOM, WEB, job_body, novalink};

const EVENTS: &str =
    "Event?QUEUE_CLIENTKEY_METHOD=USE_APPLICATIONID&QUEUE_APPLICATIONID=app&group=None";

/// Two systems with two partitions each, the first one running, and one storage.
fn inventory(flavor: Flavor) -> Inventory {
    let sizes = Sizes {
        systems: 2,
        partitions: 2,
        ..Sizes::default()
    };
    Inventory::sized(flavor, sizes).with_shared_storage()
}

async fn pair(weather: Weather) -> (Client, Client) {
    let room = novalink(weather)
        .inventory(inventory(Flavor::NovaLink))
        .build()
        .unwrap();
    let novalinks = room.novalinks();
    let [here, there] = &novalinks[..] else {
        panic!("{} NovaLinks", novalinks.len());
    };
    (Client::of(here).await, Client::of(there).await)
}

fn running(simulator: &Simulator) -> String {
    let world = simulator.world();
    let mut all = world.partitions.values();
    let one = all.find(|partition| partition.name.ends_with("existing-0001"));
    one.unwrap().uuid.to_string().to_uppercase()
}

/// The texts of all elements of one name.
fn texts(answer: &Answer, name: &str) -> Vec<String> {
    let open = format!("<{name}");
    let parts = answer.body.split(open.as_str()).skip(1);
    parts
        .filter_map(|part| {
            let rest = part.strip_prefix('>').or_else(|| {
                part.strip_prefix(' ')?
                    .split_once('>')
                    .map(|(_, rest)| rest)
            })?;
            Some(rest.split_once('<')?.0.to_owned())
        })
        .collect()
}

/// Puts the public key of one console among the authorised keys of the other, as clients do.
async fn trust(here: &Client, there: &Client) {
    let key = here.get("ManagementConsole").await.text("PublicSSHKey");
    let feed = there.get("ManagementConsole").await;
    let uuid = feed.text("AtomID");
    let body = format!(
        r#"<ManagementConsole:ManagementConsole xmlns:ManagementConsole="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><Metadata><Atom><AtomID>{uuid}</AtomID></Atom></Metadata><AuthorizedKeys schemaVersion="V1_0"><Metadata><Atom/></Metadata><AuthorizedKey>{key}</AuthorizedKey></AuthorizedKeys></ManagementConsole:ManagementConsole>"#
    );
    let url = format!("/rest/api/uom/ManagementConsole/{uuid}");
    let answer = there.send(Method::POST, &url, &[], body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(texts(&answer, "AuthorizedKey"), [key]);
}

async fn migrate(client: &Client, uuid: &str, target: &str) -> String {
    let parameters = [
        ("TargetManagedSystemName", target),
        ("TargetRemoteHMCIPAddress", "192.0.2.11"),
        ("TargetRemoteHMCUserID", "wlp"),
        ("OVSOverride", "2"),
        ("VLANBridgeOverride", "2"),
    ];
    let answer = client
        .put(
            &format!("LogicalPartition/{uuid}/do/Migrate"),
            job_body("Migrate", "LogicalPartition", &parameters),
        )
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text("JobID")
}

/// The answers to a job's polls, once a second, until it has ended.
async fn watch(client: &Client, job: &str) -> Vec<Answer> {
    let mut polls = Vec::new();
    loop {
        let poll = client.get(&format!("jobs/{job}?group=None")).await;
        assert_eq!(poll.status, 200);
        let ended = !["NOT_STARTED", "RUNNING"].contains(&poll.text("Status").as_str());
        polls.push(poll);
        if ended {
            return polls;
        }
        assert!(polls.len() < 300);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_moves_from_one_novalink_to_the_other() {
    let (here, there) = pair(Weather::Typical).await;
    let uuid = running(&here.simulator);
    let path = format!("LogicalPartition/{uuid}");
    for client in [&here, &there] {
        assert_eq!(client.get(EVENTS).await.text("EventType"), "NEW_CLIENT");
    }
    let refused = migrate(&here, &uuid, "neo2").await;
    let refused = watch(&here, &refused).await.pop().unwrap();
    assert!(refused.body.contains("HSCL3653"), "{}", refused.body);

    trust(&here, &there).await;
    let mapped = |answer: &Answer| {
        answer
            .body
            .matches(&format!("LogicalPartition/{uuid}"))
            .count()
    };
    let servers = "VirtualIOServer?group=ViosSCSIMapping,ViosFCMapping";
    assert!(mapped(&here.get(servers).await) >= 4);
    assert_eq!(mapped(&there.get(servers).await), 0);
    let wwpns = |answer: &Answer| -> Vec<String> {
        let all = texts(answer, "WWPNs").into_iter();
        let mut all: Vec<String> = all.filter(|pair| pair.contains(' ')).collect();
        all.sort();
        all.dedup();
        all
    };
    let names = wwpns(&here.get(servers).await);
    assert_eq!(names.len(), 2);
    let elsewhere = wwpns(&there.get(servers).await);

    let job = migrate(&here, &uuid, "neo2").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let underway = here.get(&path).await;
    assert_eq!(
        (
            underway.text("PartitionState"),
            underway.text("MigrationState")
        ),
        ("migrating running".into(), "Migration_In_Progress".into())
    );
    let counts = |answer: &Answer| answer.text("NumberOfActiveMigrationsInProgress");
    assert_eq!(counts(&here.get("ManagedSystem").await), "1");
    assert_eq!(counts(&there.get("ManagedSystem").await), "1");
    assert_eq!(there.get(&path).await.status, 404);
    let quick = here.get(&format!("{path}/quick/PartitionState")).await;
    assert_eq!(quick.body, "\"migrating running\"");
    let polls = watch(&here, &job).await;
    let mut progress: Vec<String> = polls
        .iter()
        .flat_map(|poll| texts(poll, "LinearProgress"))
        .collect();
    progress.dedup();
    assert_eq!(progress.last().unwrap(), "1.0");
    assert!(progress.len() > 3 && progress.is_sorted(), "{progress:?}");
    let done = polls.last().unwrap();
    assert_eq!(done.text("Status"), "COMPLETED_OK", "{}", done.body);

    assert_eq!(here.get(&path).await.status, 404);
    let moved = there.get(&path).await;
    assert_eq!(
        (moved.text("PartitionState"), moved.text("MigrationState")),
        ("running".into(), "Not_Migrating".into())
    );
    assert!(
        moved
            .body
            .contains(&format!("ManagedSystem/{}", there.system()))
    );
    assert_eq!(mapped(&here.get(servers).await), 0);
    let arrived = there.get(servers).await;
    assert!(mapped(&arrived) >= 4);
    let all = wwpns(&arrived);
    assert!(names.iter().all(|pair| all.contains(pair)));
    assert_eq!(all.len(), names.len() + elsewhere.len());

    let told = |answer: &Answer| -> Vec<(String, bool)> {
        let kinds = texts(answer, "EventType").into_iter();
        let about = texts(answer, "EventData").into_iter();
        kinds
            .zip(about.map(|data| data.ends_with(&format!("LogicalPartition/{uuid}"))))
            .collect()
    };
    let (left, reached) = (
        told(&here.get(EVENTS).await),
        told(&there.get(EVENTS).await),
    );
    assert!(left.contains(&("DELETE_URI".into(), true)), "{left:?}");
    assert!(!left.contains(&("ADD_URI".into(), true)), "{left:?}");
    assert!(reached.contains(&("ADD_URI".into(), true)), "{reached:?}");
    assert!(
        !reached.contains(&("DELETE_URI".into(), true)),
        "{reached:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_migration_is_stopped_midway() {
    let (here, there) = pair(Weather::Typical).await;
    trust(&here, &there).await;
    let uuid = running(&here.simulator);
    let job = migrate(&here, &uuid, "neo2").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let path = format!("LogicalPartition/{uuid}/do/MigrateAbort");
    // The target's NovaLink has nothing to do with it.
    let foreign = there
        .put(&path, job_body("MigrateAbort", "LogicalPartition", &[]))
        .await;
    assert_eq!(foreign.status, 404);
    let abort = here
        .put(&path, job_body("MigrateAbort", "LogicalPartition", &[]))
        .await;
    let abort = watch(&here, &abort.text("JobID")).await.pop().unwrap();
    assert_eq!(abort.text("Status"), "COMPLETED_OK");
    let ended = watch(&here, &job).await.pop().unwrap();
    assert_eq!(ended.text("Status"), "COMPLETED_WITH_ERROR");
    let there_again = here.get(&format!("LogicalPartition/{uuid}")).await;
    assert_eq!(there_again.text("MigrationState"), "Not_Migrating");
    assert_eq!(
        there.get(&format!("LogicalPartition/{uuid}")).await.status,
        404
    );
}

#[tokio::test(start_paused = true)]
async fn a_novalink_changes_nothing_of_another_system() {
    let (here, there) = pair(Weather::Calm).await;
    let uuid = running(&there.simulator);
    let before = there.get(&format!("LogicalPartition/{uuid}")).await;
    let document = before.body.split_once("<content").unwrap().1;
    let document = document.split_once('>').unwrap().1;
    let document = document.split_once("</content>").unwrap().0.to_owned();
    let console = there.get("ManagementConsole").await.text("AtomID");
    let vios = there.vios();
    let uom = |path: String| format!("/rest/api/uom/{path}");
    let power = job_body("PowerOff", "LogicalPartition", &[("immediate", "true")]);
    let file = format!(
        r#"<File:File xmlns:File="{WEB}" xmlns="{WEB}" schemaVersion="V1_0"><Metadata><Atom/></Metadata><Filename>f</Filename><InternetMediaType>application/octet-stream</InternetMediaType><FileEnumType>BROKERED_MEDIA_ISO</FileEnumType><TargetVirtualIOServerUUID>{vios}</TargetVirtualIOServerUUID></File:File>"#
    );
    let requests = [
        (
            Method::POST,
            uom(format!("LogicalPartition/{uuid}")),
            document,
        ),
        (
            Method::DELETE,
            uom(format!("LogicalPartition/{uuid}")),
            String::new(),
        ),
        (
            Method::PUT,
            uom(format!("LogicalPartition/{uuid}/do/PowerOff")),
            power,
        ),
        (Method::PUT, "/rest/api/web/File".to_owned(), file),
        (
            Method::POST,
            uom(format!("ManagementConsole/{console}")),
            format!(
                r#"<ManagementConsole:ManagementConsole xmlns:ManagementConsole="{UOM}" xmlns="{UOM}" schemaVersion="V1_0"><Metadata><Atom/></Metadata></ManagementConsole:ManagementConsole>"#
            ),
        ),
    ];
    for (method, url, body) in requests {
        let answer = here.send(method.clone(), &url, &[], body.clone()).await;
        assert_eq!(answer.status, 404, "{method} {url}: {}", answer.body);
        // The right one has nothing against it, but for deleting a partition that runs.
        if method != Method::DELETE {
            let answer = there.send(method.clone(), &url, &[], body).await;
            assert_eq!(answer.status, 200, "{method} {url}: {}", answer.body);
        }
    }
    let job = there
        .put(
            &format!("LogicalPartition/{uuid}/do/PowerOff"),
            job_body("PowerOff", "LogicalPartition", &[]),
        )
        .await
        .text("JobID");
    assert_eq!(here.get(&format!("jobs/{job}")).await.status, 404);
    assert_eq!(here.delete(&format!("jobs/{job}")).await.status, 404);
    assert_eq!(there.delete(&format!("jobs/{job}")).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn a_session_is_one_novalinks() {
    let (here, there) = pair(Weather::Calm).await;
    let stranger = Client {
        token: here.token.clone(),
        ..there.clone()
    };
    assert_eq!(stranger.get("ManagedSystem").await.status, 401);
    assert_eq!(here.get("ManagedSystem").await.status, 200);
    // Neither does the same name of an application share a queue.
    for client in [&here, &there] {
        assert_eq!(client.get(EVENTS).await.text("EventType"), "NEW_CLIENT");
    }
    let logoff = here.send(Method::DELETE, "/rest/api/web/Logon", &[], Body::empty());
    assert_eq!(logoff.await.status, 204);
    assert_eq!(there.get("ManagedSystem").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_common_cluster_has_links_to_ones_own_servers() {
    let (here, there) = pair(Weather::Calm).await;
    let mut linked = Vec::new();
    for client in [&here, &there, &here] {
        let cluster = client.get("Cluster").await;
        assert_eq!(cluster.body.matches("<HostName ").count(), 4);
        let own = format!("ManagedSystem/{}/VirtualIOServer/", client.system());
        let links = cluster.body.matches("<VirtualIOServer ").count();
        assert_eq!((links, cluster.body.matches(&own).count()), (2, 2));
        linked.push(cluster.body);
    }
    assert_eq!(linked[0], linked[2]);
    assert_ne!(linked[0], linked[1]);
    let units = |answer: &Answer| texts(answer, "UnitName");
    let path = format!("Tier/{}/LogicalUnit", here.tier());
    assert_eq!(
        units(&here.get(&path).await),
        units(&there.get(&path).await)
    );
}

#[tokio::test(start_paused = true)]
async fn an_hmc_moves_partitions_between_its_systems() {
    let simulator = Simulator::builder()
        .flavor(Flavor::Hmc)
        .inventory(inventory(Flavor::Hmc))
        .weather(Weather::Typical)
        .check_invariants(true)
        .build()
        .unwrap();
    let client = Client::of(&simulator).await;
    let uuid = running(&simulator);
    let path = format!("LogicalPartition/{uuid}");
    let system = |answer: &Answer| {
        let rest = answer
            .body
            .split_once("<AssociatedManagedSystem ")
            .unwrap()
            .1;
        let rest = rest.split_once("ManagedSystem/").unwrap().1;
        rest.split_once('"').unwrap().0.to_owned()
    };
    let before = system(&client.get(&path).await);
    let world = simulator.world();
    let target = world
        .systems
        .values()
        .find(|system| system.uuid.to_string() != before)
        .unwrap();
    let job = migrate(&client, &uuid, &target.name).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let state = client.get(&format!("{path}/quick/MigrationState")).await;
    assert_eq!(state.body, "\"Migration_In_Progress\"");
    let done = watch(&client, &job).await.pop().unwrap();
    assert_eq!(done.text("Status"), "COMPLETED_OK", "{}", done.body);
    assert_eq!(system(&client.get(&path).await), target.uuid.to_string());
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_control_up_may_only_look() {
    let (here, there) = pair(Weather::Calm).await;
    let job = |client: &Client, operation: &'static str| {
        let client = client.clone();
        async move {
            let path = format!("ManagedSystem/{}/do/{operation}", client.system());
            let answer = client
                .put(&path, job_body(operation, "ManagedSystem", &[]))
                .await;
            watch(&client, &answer.text("JobID")).await.pop().unwrap()
        }
    };
    let released = job(&here, "ReleaseController").await;
    assert_eq!(released.text("Status"), "COMPLETED_OK", "{}", released.body);
    let again = job(&here, "ReleaseController").await;
    assert_eq!(again.text("Status"), "COMPLETED_WITH_ERROR");
    let create = |client: &Client, name: &'static str| {
        let client = client.clone();
        async move {
            let path = format!("ManagedSystem/{}/LogicalPartition", client.system());
            client.put(&path, crate::client::partition_body(name)).await
        }
    };
    let refused = create(&here, "one").await;
    assert!(refused.status.as_u16() >= 400 && refused.body.contains("controller"));
    assert_eq!(here.get("LogicalPartition").await.status, 200);
    assert_eq!(create(&there, "two").await.status, 200);
    let system = here.get("ManagedSystem").await;
    assert_eq!(system.text("IsPowerVMManagementController"), "false");
    job(&here, "RequestController").await;
    assert_eq!(create(&here, "one").await.status, 200);
}
