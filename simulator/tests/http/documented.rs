//! The examples of the documentation, run as they stand there.

use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::binary::PROGRAM;

const DOCUMENT: &str = include_str!("../../../docs/simulator.md");

/// The document's block in this language.
fn block(language: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

/// Runs a text with an interpreter that finds `powervm-sim`; returns what it printed.
async fn run(interpreter: &[&str], text: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(interpreter[0]);
    command
        .args(&interpreter[1..])
        .arg(text)
        .current_dir(folder.path());
    command.env("PATH", path).env_remove("POWERVM_SIM_PASSWORD");
    let output = timeout(Duration::from_secs(60), command.output());
    let output = output.await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_shell_example_works() {
    let printed = run(&["bash", "-euc"], block("sh")).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 3, "{printed}");
    assert_eq!(lines[0], "1");
    assert!(
        lines[1].contains("\"now\":\"2026-01-01T01:00:0"),
        "{printed}"
    );
    assert_eq!(lines[2], r#"{"violations":[],"refused":[]}"#);
}

#[tokio::test]
async fn the_python_example_works() {
    let printed = run(&["python3", "-c"], block("python")).await;
    assert_eq!(printed, "flavor: hmc\npartitions: 3\nfaults: 1\n");
}

#[tokio::test]
async fn the_documented_faults_are_taken() {
    let world = powervm_simulator::Simulator::builder()
        .build()
        .unwrap()
        .world();
    let mut taken = 0;
    for line in block("json").lines() {
        let line = line.replace("\"web-1\"", "\"novalink\"");
        let order: powervm_simulator::admin::faults::Order = serde_json::from_str(&line).unwrap();
        order
            .rule(&world)
            .unwrap_or_else(|why| panic!("{line}: {why}"));
        taken += 1;
    }
    assert_eq!(taken, 10);
}
