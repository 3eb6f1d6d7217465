//! `powervm` with every verb that it has: each tells as JSON, each has a dry run that changes nothing, and none leaves its
//! session behind. The verbs are read from `--help`, so that a new one is missed here and nowhere else.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "program/place.rs"]
mod place;
mod program;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use powervm_harness::audit::Inventory;
use powervm_harness::storage::{Protocol, Storage};
use powervm_harness::target::embedded::books;
use powervm_simulator::Simulator;
use powervm_simulator::inventory::{Inventory as Room, Sizes};
use powervm_simulator::weather::{Rule, Weather};
use powervm_simulator::{Flavor, model::names::SystemState};
use serde_json::Value;

use place::Place;
use program::program;

/// What a verb does when it is only to say what it would do.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Does {
    /// It says what would be done.
    Steps,
    /// It tells something, as it always does.
    Tells,
    /// There is nothing that it could be done to, and it says so with this word.
    Refuses(&'static str),
    /// It goes on until it is ended, and only looks.
    Watches,
}
use Does::{Refuses, Steps, Tells, Watches};

/// A command line with what it does; the words of the verb come first.
type Line<'a> = (&'static str, Vec<&'a str>, Does);

const LOST: &str = "3d1c5b0e-7f43-4c38-9c1e-0a5b6c7d8e9f";

/// The verbs of `powervm`, with their nouns, as `--help` names them.
fn verbs(program: &Path, words: &[String], all: &mut BTreeSet<String>) {
    let help = Command::new(program).args(words).arg("--help").output();
    let help = String::from_utf8(help.unwrap().stdout).unwrap();
    assert!(
        help.contains("--json") && help.contains("--dry-run"),
        "{words:?}: {help}"
    );
    let Some((_, commands)) = help.split_once("\nCommands:\n") else {
        all.insert(words.join(" "));
        return;
    };
    for line in commands.lines().take_while(|line| !line.is_empty()) {
        // Where a description needs more than a line, it is set in further.
        let Some(name) = line
            .strip_prefix("  ")
            .filter(|rest| !rest.starts_with(' '))
        else {
            continue;
        };
        let name = name.split_whitespace().next().unwrap();
        if name != "help" {
            let words: Vec<String> = words.iter().cloned().chain([name.to_owned()]).collect();
            verbs(program, &words, all);
        }
    }
}

impl Place {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Really does it, and returns what it tells as JSON.
    async fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat()).await;
        let said = told(arguments, &output);
        assert!(output.status.success(), "{arguments:?}: {said}");
        assert_eq!(self.simulator.sessions().len(), 0, "{arguments:?}");
        said
    }

    fn world(&self) -> Inventory {
        let mut inventory = books::inventory(&self.simulator.world());
        inventory.items.sort();
        inventory
    }

    /// What has been asked of the REST API and is no look.
    fn changes_since(&self, number: u64) -> Vec<String> {
        let changes = self.simulator.requests().read(number, usize::MAX, |asked| {
            asked.method != "GET" && !asked.url.contains("/web/Logon")
        });
        let named = changes
            .iter()
            .map(|asked| format!("{} {}", asked.method, asked.url));
        named.collect()
    }

    /// The names of all files, and what is in those of the store.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut folders = vec![self.folder.path().to_owned()];
        let mut all = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                // That a journal was opened shows in its file.
                let content = match path.is_file() && folder.ends_with("kept") {
                    true => std::fs::read(&path).unwrap(),
                    false => Vec::new(),
                };
                all.push((path.display().to_string(), content));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        all.sort();
        all
    }

    /// What the journal says.
    async fn journal(&self) -> (Value, Value) {
        let pending = self.json(&["recover"]).await;
        (pending, self.json(&["recover", "--history", "1000"]).await)
    }

    /// Lets each of them be dry, and returns what is wrong.
    async fn rehearse(&self, lines: &[Line<'_>]) -> Vec<String> {
        let (world, files, journal) = (self.world(), self.files(), self.journal().await);
        let asked = self.simulator.requests().logged();
        let run = async |line: &Line<'_>| {
            let (verb, arguments, does) = line;
            let words: Vec<&str> = verb.split(' ').chain(arguments.iter().copied()).collect();
            if *does == Watches {
                return None;
            }
            let output = self
                .run(&[&["--json", "--dry-run"], words.as_slice()].concat())
                .await;
            wrong(&words, &output, *does).map(|wrong| format!("{}: {wrong}", words.join(" ")))
        };
        // Only one at a time can look into the journal.
        let looks_back = |line: &Line<'_>| {
            ["recover", "server resize-confirm", "server resize-revert"].contains(&line.0)
        };
        let mut wrong = Vec::new();
        for (alone, at_once) in [(true, 1), (false, 3)] {
            let these = lines.iter().filter(|line| looks_back(line) == alone);
            let runs = stream::iter(these.map(&run)).buffer_unordered(at_once);
            wrong.extend(
                runs.filter_map(std::future::ready)
                    .collect::<Vec<_>>()
                    .await,
            );
        }
        if self.world() != world {
            wrong.push("the world has changed".to_owned());
        }
        if self.journal().await != journal {
            wrong.push("the journal has changed".to_owned());
        }
        let now = self.files();
        if now != files {
            wrong.push(format!("files were changed: {now:?} {files:?}"));
        }
        let changes = self.changes_since(asked);
        if !changes.is_empty() {
            wrong.push(format!("it was asked for changes: {changes:?}"));
        }
        if !self.simulator.sessions().is_empty() {
            wrong.push(format!(
                "{} sessions were left",
                self.simulator.sessions().len()
            ));
        }
        wrong
    }
}

fn told(arguments: &[&str], output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| {
        let why = String::from_utf8_lossy(&output.stderr);
        panic!("{arguments:?}: {error}: {text} {why}")
    })
}

fn wrong(words: &[&str], output: &Output, does: Does) -> Option<String> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code();
    let Ok(said) = serde_json::from_str::<Value>(&text) else {
        return Some(format!("no JSON: {text} {why}"));
    };
    let is_outline = |said: &Value| {
        said.as_array().is_some_and(|all| {
            let has_steps =
                |one: &Value| one["saga"].is_string() && !one["steps"][0]["name"].is_null();
            !all.is_empty() && all.iter().all(has_steps)
        })
    };
    let is_right = match does {
        Steps => code == Some(0) && is_outline(&said),
        // What would stop a deploy is no failure of the look.
        Tells => code == Some(0) && !is_outline(&said) || words == ["doctor"],
        Refuses(part) => {
            let message = said["error"]["message"].as_str().unwrap_or_default();
            code != Some(0)
                && message.contains(part)
                && said["error"]["kind"].is_string()
                && said["error"]["remedy"].is_string()
        }
        Watches => true,
    };
    (!is_right).then(|| format!("{code:?} {said} {why}"))
}

async fn place(program: &Path, flavor: Flavor, systems: u16) -> Place {
    let sizes = Sizes {
        systems,
        ..Sizes::default()
    };
    let simulator = Simulator::builder()
        .flavor(flavor)
        .inventory(Room::sized(flavor, sizes).with_shared_storage())
        .seed(3)
        .weather(Weather::Calm)
        .check_invariants(true)
        .build()
        .unwrap();
    let place = Place::of(program, simulator).await;
    let config = std::fs::read_to_string(place.path("config.toml")).unwrap();
    let kept = format!(
        "nvram_store = \"file\"\nnvram_store_folder = {:?}\n",
        place.path("kept")
    );
    std::fs::create_dir(place.path("kept")).unwrap();
    place.write("config.toml", &(config + &kept));
    place.write("other", "another image, for the cache");
    place
}

#[tokio::test(flavor = "multi_thread")]
async fn each_verb_has_a_dry_run_tells_as_json_and_leaves_no_session() {
    let program = tokio::task::spawn_blocking(program).await.unwrap();
    let mut all = BTreeSet::new();
    verbs(&program, &[], &mut all);
    let console = place(&program, Flavor::Hmc, 2).await;
    let names: Vec<String> = {
        let world = console.simulator.world();
        let systems = world.systems_in_order();
        systems.iter().map(|system| system.name.clone()).collect()
    };
    let (here, there) = (names[0].as_str(), names[1].as_str());
    let (image, other) = (console.path("image"), console.path("other"));
    let here = ["--system", here];
    let on_here = |words: &[&'static str]| [words, &here].concat();
    let create = |name: &'static str, more: &[&'static str]| {
        let words = [
            "server",
            "create",
            name,
            "--image",
            &image,
            "--network",
            "1",
        ];
        [&words[..], more, &here]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    for (name, more) in [
        ("web", &["--config-drive"][..]),
        ("off", &["--no-start"]),
        ("sick", &[]),
        ("large", &["--no-start"]),
        ("lost", &["--no-start", "--uuid", LOST]),
    ] {
        let words = create(name, more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        console.json(&words).await;
    }
    for words in [
        on_here(&["server", "rescue", "sick", "--image"]),
        on_here(&["server", "resize", "large", "--memory", "2048"]),
        on_here(&["server", "delete", "lost", "--keep-disks"]),
        on_here(&["host", "monitor", "--on"]),
        on_here(&["image", "cache"]),
    ] {
        let mut words = words;
        match words[1] {
            "rescue" => words.insert(4, &image),
            "cache" => words.insert(2, &other),
            _ => {}
        }
        console.json(&words).await;
    }
    // Until guests are up and their RMC connections are, too.
    console.simulator.clock().advance(Duration::from_secs(3600));
    let shown = console.json(&on_here(&["server", "show", "web"])).await;
    let mac = shown["interfaces"][0]["mac"].as_str().unwrap().to_owned();
    let storage = Storage::of(&console.simulator);
    let told = console
        .json(&on_here(&["volume", "connector", "off"]))
        .await;
    let mut volumes = Vec::new();
    for name in ["free", "attached"] {
        let id = storage
            .create(name, 1, Protocol::FibreChannel)
            .await
            .unwrap();
        let info = storage.map(&id, &told["connector"], false).await.unwrap();
        console.write(name, &info.to_string());
        volumes.push(console.path(name));
    }
    let attach = [&["volume", "attach", "off", &volumes[1]][..], &here].concat();
    console.json(&attach).await;
    let journal = console.path("journal-there");
    let metadata = console.path("metadata");
    let elsewhere = ["--to-system", there, "--to-journal", &journal];
    let mut lines: Vec<Line<'_>> = vec![
        ("server create", vec!["new", "--image", &image], Steps),
        (
            "server create",
            vec!["web", "--image", &image],
            Refuses("another partition named 'web'"),
        ),
        ("server list", vec![], Tells),
        ("server show", vec!["web"], Tells),
        ("server diagnostics", vec!["web"], Tells),
        ("server meters", vec!["web"], Tells),
        ("server watch", vec![], Watches),
        ("server start", vec!["off"], Steps),
        ("server stop", vec!["web"], Steps),
        ("server reboot", vec!["web"], Steps),
        ("server rescue", vec!["web", "--image", &image], Steps),
        ("server unrescue", vec!["sick"], Steps),
        ("server resize", vec!["off", "--memory", "2048"], Steps),
        ("server depart", vec!["web"], Steps),
        ("server resize-confirm", vec!["large"], Steps),
        ("server resize-revert", vec!["large"], Steps),
        ("server rebuild", vec!["web", "--image", &image], Steps),
        (
            "server evacuate",
            vec!["lost", "--uuid", LOST, "--existing-disk", "--host-is-lost"],
            Steps,
        ),
        (
            "server snapshot",
            vec!["web", "--file", &metadata],
            Refuses("HMC"),
        ),
        ("server dump", vec!["web"], Steps),
        ("server suspend", vec!["web"], Refuses("SuspendCapable")),
        ("server resume", vec!["web"], Tells),
        ("server delete", vec!["web", "off"], Steps),
        (
            "server live-migrate",
            [&["web"][..], &elsewhere].concat(),
            Steps,
        ),
        ("server migrate", [&["web"][..], &elsewhere].concat(), Steps),
        ("server live-migrate-abort", vec!["web"], Refuses("migrat")),
        (
            "server live-migrate-recover",
            vec!["web"],
            Refuses("migrat"),
        ),
        ("server remote-restart-cleanup", vec!["web"], Refuses("")),
        ("interface attach", vec!["web", "1"], Steps),
        ("interface detach", vec!["web", &mac], Steps),
        (
            "volume connector",
            vec!["off", "--metadata", &metadata],
            Tells,
        ),
        ("volume attach", vec!["off", &volumes[0]], Steps),
        ("volume detach", vec!["off", &volumes[1]], Steps),
        ("volume extend", vec!["off", &volumes[1]], Steps),
        ("image list", vec![], Tells),
        ("image cache", vec![&metadata], Refuses("cannot be read")),
        ("image cache", vec![&image], Steps),
        ("image prune", vec![], Steps),
        ("console show", vec!["web"], Refuses("HMC")),
        ("console attach", vec!["web"], Refuses("HMC")),
        ("console serve", vec![], Refuses("HMC")),
        ("console close", vec!["web"], Steps),
        ("store show", vec!["web"], Tells),
        ("store save", vec!["web"], Steps),
        ("store delete", vec!["web"], Steps),
        ("network bridge list", vec![], Tells),
        ("network bridge ensure-vlan", vec!["500"], Steps),
        ("network bridge prune-vlans", vec![], Steps),
        ("network agent", vec![], Steps),
        ("network sriov", vec![], Tells),
        ("network trunks", vec![], Tells),
        ("network trunks", vec!["--sweep"], Steps),
        ("host show", vec![], Tells),
        ("host inventory", vec![], Tells),
        ("host stats", vec![], Tells),
        ("host uptime", vec![], Tells),
        ("host monitor", vec![], Tells),
        ("host monitor", vec!["--on"], Tells),
        ("host monitor", vec!["--off"], Steps),
        ("metrics", vec!["--once"], Tells),
        ("metrics", vec!["--listen", "127.0.0.1:0"], Steps),
        ("config check", vec![], Tells),
        ("config keys", vec![], Tells),
        ("doctor", vec![], Tells),
        ("recover", vec![], Tells),
        ("recover", vec!["--apply"], Tells),
    ];
    for (_, arguments, _) in &mut lines {
        arguments.extend(here);
    }
    let mut wrong = console.rehearse(&lines).await;

    // What a system has to have failed for.
    let failed = {
        let world = console.simulator.world();
        world.systems_in_order()[0].uuid
    };
    let state = SystemState::Error;
    let fail = powervm_simulator::model::Command::SetSystemState {
        system: failed,
        state,
    };
    console.simulator.apply(fail).unwrap();
    let restart: Vec<Line<'_>> = vec![(
        "server remote-restart",
        vec!["web", "--system", there],
        Steps,
    )];
    wrong.extend(console.rehearse(&restart).await);

    // What only a NovaLink does.
    let novalink = place(&program, Flavor::NovaLink, 1).await;
    let image = novalink.path("image");
    novalink
        .json(&["server", "create", "web", "--image", &image])
        .await;
    let local: Vec<Line<'_>> = vec![
        ("console show", vec!["web"], Steps),
        ("console attach", vec!["web"], Steps),
        ("console serve", vec!["--listen", "127.0.0.1:0"], Steps),
    ];
    wrong.extend(novalink.rehearse(&local).await);
    assert!(wrong.is_empty(), "{wrong:#?}");

    let walked = lines.iter().chain(&restart).chain(&local);
    let walked: BTreeSet<String> = walked.map(|(verb, _, _)| (*verb).to_owned()).collect();
    assert_eq!(walked, all, "a verb that is not tried here");
}

/// Servers let in only so many: whoever fails takes its session along.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_leaves_no_session() {
    let program = tokio::task::spawn_blocking(program).await.unwrap();
    let place = place(&program, Flavor::Hmc, 2).await;
    let names: Vec<String> = {
        let world = place.simulator.world();
        let systems = world.systems_in_order();
        systems.iter().map(|system| system.name.clone()).collect()
    };
    let one = names[0].as_str();
    let journal = place.path("journal-there");
    let gone: &[&str] = &[
        "server",
        "live-migrate",
        "web",
        "--system",
        one,
        "--to-system",
    ];
    let gone = [gone, &["nowhere", "--to-journal", &journal]].concat();
    for words in [
        // One of two systems has to be named.
        &["host", "show"][..],
        &["server", "delete", "nobody"],
        &["host", "show", "--system", "nowhere"],
        &["server", "start", "nobody", "--system", one],
        &["server", "show", "nobody", "--system", one],
        &gone,
        &["host", "show", "--system", one, "--cluster", "nowhere"],
    ] {
        let output = place.run(words).await;
        assert!(!output.status.success(), "{words:?}");
        assert_eq!(place.simulator.sessions().len(), 0, "{words:?}");
    }
    // One whose requests are refused after it was let in.
    let busy = Rule::new("GET", "*/ManagedSystem*").answer(500, "no", "HSCL9999 no");
    place.simulator.faults().add(busy).unwrap();
    for words in [
        &["doctor", "--system", one][..],
        &["server", "list", "--system", one],
    ] {
        let output = place.run(words).await;
        assert!(!output.status.success(), "{words:?}");
        assert_eq!(place.simulator.sessions().len(), 0, "{words:?}");
    }
}
