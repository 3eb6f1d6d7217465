//! The state survives: ends of all kinds, and files of all kinds.

use std::path::Path;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::client::{job_body, partition_body};
use crate::process::Process;

async fn start(state: &Path) -> Process {
    let state = state.to_str().unwrap();
    let arguments = [
        "serve",
        "--admin",
        "0",
        "--state",
        state,
        "--weather",
        "typical",
        "--partitions",
        "0",
    ];
    Process::start(&arguments).await.unwrap()
}

async fn system(process: &Process, token: &str) -> String {
    let feed = process
        .rest(Method::GET, "uom/ManagedSystem?group=None", token, "")
        .await;
    let (_, rest) = feed.body.split_once("<entry><id>").unwrap();
    rest.split_once('<').unwrap().0.to_owned()
}

async fn create(process: &Process, token: &str, name: &str) -> String {
    let path = format!(
        "uom/ManagedSystem/{}/LogicalPartition",
        system(process, token).await
    );
    let made = process
        .rest(Method::PUT, &path, token, partition_body(name))
        .await;
    assert_eq!(made.status, 200, "{}", made.body);
    made.text("PartitionUUID")
}

async fn get(process: &Process, path: &str) -> Value {
    process.admin(Method::GET, path, Value::Null).await.json()
}

async fn partitions(process: &Process) -> Vec<String> {
    let listing = get(process, "/inventory").await;
    let names = listing["partitions"].as_array().unwrap().iter();
    let mut names: Vec<_> = names
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn everything_survives_an_ordinary_end() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    for (round, signal) in ["TERM", "INT"].into_iter().enumerate() {
        let process = start(&state).await;
        let token = process.logon("neo").await;
        let uuid = create(&process, &token, &format!("kept-{signal}")).await;
        // A job that has not begun, the content of a volume, a clock that was set ahead.
        process
            .admin(Method::PUT, "/stepping", json!({"hold_jobs": true}))
            .await;
        let off = job_body("PowerOff", "VirtualIOServer", &[]);
        let listing = get(&process, "/inventory").await;
        let vios = listing["virtual_io_servers"][round]["uuid"]
            .as_str()
            .unwrap();
        let path = format!("uom/VirtualIOServer/{vios}/do/PowerOff");
        let job = process
            .rest(Method::PUT, &path, &token, off)
            .await
            .text("JobID");
        let content = json!({"bytes": 5, "sha256": "ab".repeat(32)});
        let volume =
            json!({"name": format!("volume-{signal}"), "gigabytes": 3, "content": content});
        process.admin(Method::POST, "/volumes", volume).await;
        process
            .admin(
                Method::POST,
                "/clock/advance",
                json!({"milliseconds": 86_400_000}),
            )
            .await;
        let before = get(&process, "/clock").await["milliseconds"]
            .as_u64()
            .unwrap();
        let held = get(&process, "/stepping").await["held"].clone();
        assert_eq!(process.end(signal).await.0, Some(0));

        let again = start(&state).await;
        assert!(partitions(&again).await.contains(&format!("kept-{signal}")));
        assert!(
            get(&again, "/clock").await["milliseconds"]
                .as_u64()
                .unwrap()
                >= before
        );
        assert_eq!(get(&again, "/stepping").await["held"], held);
        assert!(
            get(&again, "/volumes")
                .await
                .to_string()
                .contains(&format!("volume-{signal}"))
        );
        // Sessions do not survive, as with a restart of the real server.
        let path = format!("uom/jobs/{job}");
        assert_eq!(again.rest(Method::GET, &path, &token, "").await.status, 401);
        let token = again.logon("neo").await;
        assert_eq!(
            again
                .rest(Method::GET, &path, &token, "")
                .await
                .text("Status"),
            "NOT_STARTED"
        );
        // The job goes on, and identifiers do as well: nothing is given twice.
        again
            .admin(Method::PUT, "/stepping", json!({"hold_jobs": false}))
            .await;
        again
            .admin(
                Method::POST,
                "/clock/advance",
                json!({"milliseconds": 3_600_000}),
            )
            .await;
        let ended = again
            .rest(Method::GET, &path, &token, "")
            .await
            .text("Status");
        assert_eq!(ended, "COMPLETED_OK");
        assert_ne!(
            create(&again, &token, &format!("later-{signal}")).await,
            uuid
        );
        assert_eq!(again.end(signal).await.0, Some(0));
    }
}

#[tokio::test]
async fn a_kill_leaves_what_was_saved_last() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let process = start(&state).await;
    let token = process.logon("neo").await;
    create(&process, &token, "saved").await;
    let saved = process
        .admin(Method::POST, "/state/save", Value::Null)
        .await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    create(&process, &token, "lost").await;
    assert_eq!(process.end("KILL").await.0, None);
    let process = start(&state).await;
    assert_eq!(partitions(&process).await, ["novalink", "saved"]);
    // On demand by a signal as well.
    let token = process.logon("neo").await;
    create(&process, &token, "signalled").await;
    process.signal("USR1").await;
    while !process.log().contains("state saved") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.end("KILL").await;
    assert_eq!(
        partitions(&start(&state).await).await,
        ["novalink", "saved", "signalled"]
    );
}

#[tokio::test]
async fn a_kill_in_the_middle_of_saving_leaves_a_whole_state() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    for round in 0..4_u64 {
        let process = start(&state).await;
        process
            .admin(Method::POST, "/state/save", Value::Null)
            .await;
        let url = format!("{}/state/save", process.text("admin"));
        let savers = (0..3).map(|_| {
            let (url, token) = (url.clone(), process.text("admin_token").to_owned());
            tokio::spawn(async move {
                let client = crate::process::http();
                while client.post(&url).bearer_auth(&token).send().await.is_ok() {}
            })
        });
        let savers: Vec<_> = savers.collect();
        tokio::time::sleep(Duration::from_millis(40 + round * 13)).await;
        process.end("KILL").await;
        for saver in savers {
            saver.await.unwrap();
        }
        powervm_simulator::state::read(&state).unwrap().unwrap();
    }
    assert_eq!(partitions(&start(&state).await).await, ["novalink"]);
}

#[tokio::test]
async fn a_file_that_is_no_state_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let path = state.to_str().unwrap();
    start(&state).await.end("TERM").await;
    let good = std::fs::read_to_string(&state).unwrap();
    for (text, told) in [
        (
            good[..good.len() / 2].to_owned(),
            "no state that powervm-sim saved",
        ),
        (
            good.replacen("\"version\":1", "\"version\":2", 1),
            "version 2",
        ),
        (
            good.replacen("powervm-sim state", "another form", 1),
            "another form",
        ),
        (String::new(), "no state"),
        ("\u{0}".repeat(100), "no state"),
    ] {
        std::fs::write(&state, &text).unwrap();
        let refused = Process::start(&["serve", "--state", path])
            .await
            .err()
            .unwrap();
        assert!(
            refused.contains(told) && refused.contains(path),
            "{refused}"
        );
        assert_eq!(std::fs::read_to_string(&state).unwrap(), text);
    }
    std::fs::write(&state, good).unwrap();
    let refused = Process::start(&["serve", "--flavor", "hmc", "--state", path]).await;
    assert!(refused.err().unwrap().contains("--flavor novalink"));
    let running = start(&state).await;
    let second = Process::start(&["serve", "--state", path])
        .await
        .err()
        .unwrap();
    assert!(second.contains("in use by another"), "{second}");
    running.end("TERM").await;
}
