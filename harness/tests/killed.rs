//! A real process, really killed: `powervm` over a socket, SIGKILL at a request, and what the next one makes of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "program/place.rs"]
mod place;
mod program;

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use powervm_harness::audit::{Inventory, Policy, compare};
use powervm_harness::target::embedded::books;
use powervm_simulator::Simulator;
use powervm_simulator::model::names::PartitionState;
use powervm_simulator::weather::{Rule, Weather};
use secrecy::ExposeSecret;

use place::Place;
use program::program;

const INSTANCE: &str = "3d1c5b0e-7f43-4c38-9c1e-0a5b6c7d8e9f";
/// The exit code of what was interrupted and undone (docs/use.md).
const CANCELLED: i32 = 130;

impl Place {
    async fn new(program: &Path) -> Self {
        let simulator = Simulator::builder()
            .seed(3)
            .weather(Weather::Calm)
            .check_invariants(true)
            .build()
            .unwrap();
        Self::of(program, simulator).await
    }

    async fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs it until a request meets the rule, which keeps it waiting for longer than it will live.
    async fn keep_at(&self, rule: Rule, arguments: &[&str]) -> Child {
        self.begin(rule.delay(Duration::from_secs(3600)), arguments)
            .await
    }

    /// Runs it until a request meets the rule.
    async fn begin(&self, rule: Rule, arguments: &[&str]) -> Child {
        let faults = self.simulator.faults();
        let rule = faults.add(rule).unwrap();
        let mut child = self.command(arguments).spawn().unwrap();
        while faults.hits(rule) != Some(1) {
            if let Some(status) = child.try_wait().unwrap() {
                let output = child.wait_with_output().unwrap();
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                panic!("{arguments:?} ended before it was killed: {status}: {told}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        faults.clear();
        child
    }

    /// Kills it there.
    async fn kill_at(&self, rule: Rule, arguments: &[&str]) {
        let mut child = self.keep_at(rule, arguments).await;
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The state of the server's partition.
    fn state(&self) -> PartitionState {
        let world = self.simulator.world();
        let owner = world.owner(INSTANCE.parse().unwrap()).unwrap();
        world.partition(owner).unwrap().state
    }

    fn world(&self) -> Inventory {
        books::inventory(&self.simulator.world())
    }

    fn assert_same(&self, before: &Inventory) {
        let after = self.world();
        let audit = compare(std::slice::from_ref(before), &[after], Policy::Ssp);
        assert!(audit.is_clean(), "{:#?}", audit.findings);
        assert_eq!(self.simulator.violations(), Vec::<String>::new());
    }

    fn create(&self) -> Vec<String> {
        let image = self.folder.path().join("image");
        [
            "server",
            "create",
            "web",
            "--uuid",
            INSTANCE,
            "--image",
            image.to_str().unwrap(),
            "--network",
            "1",
            "--config-drive",
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

fn texts(owned: &[String]) -> Vec<&str> {
    owned.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn a_killed_powervm_is_cleaned_up_after() {
    let program = program();
    let strikes: [(&str, Rule); 2] = [
        (
            "half way through an upload",
            Rule::new("PUT", "/rest/api/web/File/contents/*").nth(1),
        ),
        (
            "the mappings are made, the answer is not",
            Rule::new("POST", "*/VirtualIOServer/*").nth(1).after(),
        ),
    ];
    for (when, rule) in strikes {
        let place = Place::new(&program).await;
        let before = place.world();
        let create = place.create();
        place.kill_at(rule, &texts(&create)).await;
        let shown = place.succeed(&["recover", "--json"]).await;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            (&shown[0]["title"], &shown[0]["plan"]),
            (&"create web".into(), &"undo".into()),
            "{when}"
        );
        place.succeed(&["recover", "--apply", "--json"]).await;
        place.assert_same(&before);
        assert_eq!(place.succeed(&["recover", "--json"]).await.trim(), "[]");
        place.succeed(&texts(&create)).await;
        place.succeed(&["server", "delete", "web"]).await;
        place.assert_same(&before);
        let history = place.succeed(&["recover", "--history", "--json"]).await;
        let history: serde_json::Value = serde_json::from_str(&history).unwrap();
        let outcomes: Vec<&str> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["ended"]["outcome"].as_str().unwrap())
            .collect();
        assert_eq!(outcomes, ["done", "done", "undone"], "{when}");
        let journal = std::fs::read(place.folder.path().join("journal")).unwrap();
        let secret = place
            .simulator
            .credentials()
            .password
            .expose_secret()
            .to_owned();
        assert!(
            !journal
                .windows(secret.len())
                .any(|part| part == secret.as_bytes())
        );
    }
}

#[tokio::test]
async fn an_interrupted_or_terminated_powervm_undoes_before_it_ends() {
    let program = program();
    for signal in ["-INT", "-TERM"] {
        let place = Place::new(&program).await;
        let before = place.world();
        // The mappings are made, and the answer takes a second.
        let rule = Rule::new("POST", "*/VirtualIOServer/*").nth(1).after();
        let rule = rule.delay(Duration::from_secs(1));
        let child = place.begin(rule, &texts(&place.create())).await;
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
        let output = ended.await.unwrap().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(CANCELLED), "{signal}: {told}");
        assert!(told.contains("undoing what was begun"), "{signal}: {told}");
        // At once, and not by the next command; and it logs off.
        place.assert_same(&before);
        assert_eq!(place.simulator.sessions().len(), 0, "{signal}");
        assert_eq!(place.succeed(&["recover", "--json"]).await.trim(), "[]");
    }
}

#[tokio::test]
async fn an_interrupted_removal_is_finished_by_the_next_command() {
    let place = Place::new(&program()).await;
    let before = place.world();
    place.succeed(&texts(&place.create())).await;
    let rule = Rule::new("DELETE", "*/LogicalUnit/*").nth(1);
    place.kill_at(rule, &["server", "delete", "web"]).await;
    let shown = place.succeed(&["recover"]).await;
    assert!(
        shown.contains("delete web") && shown.contains("finished"),
        "{shown}"
    );
    // It has nothing to do, but before it says so it finishes what was begun.
    let nothing = place.run(&["server", "delete", "web"]).await;
    assert_eq!(nothing.status.code(), Some(3));
    let told = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert!(told.contains("recovered: finished: 'delete web'"), "{told}");
    place.assert_same(&before);
}

/// What is done with a server, each killed over a socket, and what the next start makes of it.
#[tokio::test]
async fn whatever_is_killed_is_finished_or_undone() {
    let place = Place::new(&program()).await;
    place.succeed(&texts(&place.create())).await;
    let image = place.folder.path().join("image");
    let image = image.to_str().unwrap();
    let other = place.folder.path().join("other");
    std::fs::write(&other, "another image, for the cache").unwrap();
    let other = other.to_str().unwrap();
    let done = |method: &str, path: &str| Rule::new(method, path).nth(1).after();
    let sent = |method: &str, path: &str| Rule::new(method, path).nth(1);
    let running = PartitionState::Running;
    let off = PartitionState::NotActivated;
    let cases: &[(&[&str], Rule, &str, PartitionState)] = &[
        (
            &["server", "reboot", "web"],
            done("PUT", "*/do/PowerOff"),
            "finish",
            running,
        ),
        (
            &["server", "stop", "web"],
            done("PUT", "*/do/PowerOff"),
            "finish",
            off,
        ),
        (
            &["interface", "attach", "web", "1"],
            done("PUT", "*/ClientNetworkAdapter"),
            "undo",
            off,
        ),
        (
            &["image", "cache", other],
            sent("PUT", "/rest/api/web/File/contents/*"),
            "undo",
            off,
        ),
        (
            &["server", "start", "web"],
            done("PUT", "*/do/PowerOn"),
            "finish",
            running,
        ),
        (
            &["server", "rescue", "web", "--image", image],
            done("POST", "*/VirtualIOServer/*"),
            "undo",
            running,
        ),
        (
            &["server", "resize", "web", "--memory", "2048"],
            done("POST", "*/LogicalPartition/*"),
            "undo",
            running,
        ),
    ];
    for (arguments, rule, plan, state) in cases {
        let before = place.world();
        place.kill_at(rule.clone(), arguments).await;
        let shown = place.succeed(&["recover", "--json"]).await;
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown[0]["plan"], *plan, "{arguments:?}");
        place.succeed(&["recover", "--apply"]).await;
        assert_eq!(place.succeed(&["recover", "--json"]).await.trim(), "[]");
        if *plan == "undo" {
            place.assert_same(&before);
        }
        assert_eq!(place.simulator.violations(), Vec::<String>::new());
        assert_eq!(place.state(), *state, "{arguments:?}");
    }
}

#[tokio::test]
async fn two_at_a_time_change_no_host() {
    let place = Place::new(&program()).await;
    let rule = Rule::new("PUT", "*/do/PowerOn");
    let mut first = place.keep_at(rule, &texts(&place.create())).await;
    let second = place.run(&["server", "delete", "web"]).await;
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        told.contains("another powervm driver works on this host"),
        "{told}"
    );
    // Nor does a journal of its own help, nor another address of the host.
    let journal = place.folder.path().join("another journal");
    let url = place.url.replace("127.0.0.1", "localhost");
    let third = place
        .run(&[
            "server",
            "delete",
            "web",
            "--endpoint",
            &url,
            "--journal",
            journal.to_str().unwrap(),
        ])
        .await;
    assert!(!third.status.success());
    let told = String::from_utf8_lossy(&third.stderr).into_owned();
    assert!(
        told.contains("another powervm driver of this machine works on the system"),
        "{told}"
    );
    // Looking is free.
    assert!(place.succeed(&["server", "list"]).await.contains("web"));
    first.kill().unwrap();
    first.wait().unwrap();
}
