//! `powervm network agent` as a process: told of ports on standard input, and told to end.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod program;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use powervm_simulator::Simulator;
use powervm_simulator::serve::{ServeOptions, serve};
use powervm_simulator::weather::Weather;
use secrecy::ExposeSecret;
use serde_json::Value;

use program::program;

/// Ends the process whatever becomes of the test.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Agent {
    fn say(&mut self, ports: &str) {
        let input = self.0.stdin.as_mut().unwrap();
        writeln!(input, "{ports}").unwrap();
        input.flush().unwrap();
    }
}

/// Reads rounds until one has bridged this VLAN.
fn until_bridged(told: &mut BufReader<ChildStdout>, vlan: u64) {
    loop {
        let mut line = String::new();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended");
        let round: Value = serde_json::from_str(&line).unwrap();
        let provisioned = &round["bridges"][0]["provisioned"];
        if provisioned.as_array().unwrap().contains(&vlan.into()) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_bridges_what_it_is_told_of_and_ends_when_it_is_told_to() {
    let program = tokio::task::spawn_blocking(program).await.unwrap();
    let simulator = Simulator::builder()
        .seed(3)
        .weather(Weather::Calm)
        .check_invariants(true)
        .build()
        .unwrap();
    let options = ServeOptions {
        http: Some(([127, 0, 0, 1], 0).into()),
        ..ServeOptions::default()
    };
    let serving = serve(&simulator, &options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let credentials = simulator.credentials();
    let mut command = Command::new(program);
    command
        .env(
            "POWERVM_ENDPOINT",
            format!("http://{}", serving.http.unwrap()),
        )
        .env("POWERVM_USER", &credentials.user)
        .env(
            "POWERVM_PASSWORD_FILE",
            file("password", credentials.password.expose_secret()),
        )
        .env(
            "POWERVM_CONFIG",
            file("config.toml", "[powervm]\ndisk_driver = \"ssp\"\n"),
        )
        .env_remove("POWERVM_PASSWORD")
        .args(["--json", "network", "agent", "--no-prune", "--ports", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || {
        let mut agent = Agent(command.spawn().unwrap());
        let mut told = BufReader::new(agent.0.stdout.take().unwrap());
        agent.say(r#"[{"vlan": 700}]"#);
        until_bridged(&mut told, 700);
        agent.say("this is no list");
        agent.say(r#"[{"vlan": 700}, {"vlan": 701}]"#);
        until_bridged(&mut told, 701);
        let number = agent.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &number]).status();
        assert!(told.unwrap().success());
        agent.0.wait().unwrap()
    });
    let ended = ended.await.unwrap();
    assert_eq!(ended.code(), Some(0), "{ended}");
    let world = simulator.world();
    for vios in world.vioses.values() {
        let adapters = vios.partition.network_adapters.values();
        let carried: Vec<u16> = adapters.flat_map(|of| of.tagged_vlans.clone()).collect();
        assert!(carried.contains(&700) && carried.contains(&701));
    }
    assert_eq!(simulator.violations(), Vec::<String>::new());
}
