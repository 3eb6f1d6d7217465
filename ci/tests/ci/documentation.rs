//! What the documentation shows to copy is what the programs take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use powervm_ci::config::Config;
use serde_json::Value;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/third-party-ci.md");
    fs::read_to_string(path).unwrap()
}

/// The blocks of this language.
pub(crate) fn blocks(language: &str) -> Vec<String> {
    let page = page();
    let begin = format!("```{language}\n");
    let parts = page.split(&begin).skip(1);
    parts
        .map(|part| part.split("\n```").next().unwrap().to_owned() + "\n")
        .collect()
}

/// The keys that stand behind a `#`, too.
fn uncommented(text: &str) -> String {
    text.lines()
        .flat_map(|line| [line.strip_prefix("# ").unwrap_or(line), "\n"])
        .collect()
}

#[test]
fn the_configuration_is_read_and_has_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("ci.toml");
    let text = &blocks("toml")[0];
    // What is as it is without being said is true as well.
    fs::write(&path, uncommented(text)).unwrap();
    let all = Config::load(&path).unwrap();
    assert!(all.stream.is_some());
    fs::write(&path, text).unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(config.gerrit.project, "openstack-dev/sandbox");
    // A key that is not shown is a key that nobody finds: Debug names them all.
    let told = format!("{config:?}");
    let names = told
        .split(['{', ','])
        .filter_map(|part| part.split_once(':'))
        .map(|(name, _)| name.trim());
    for name in names
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    {
        let shown = text.lines().any(|line| {
            let line = line.trim_start_matches(['#', ' ', '[']);
            line.split(['=', ']', '.']).any(|word| word.trim() == name)
        });
        assert!(shown, "{name} is not in the documentation");
    }
}

#[test]
fn the_zuul_jobs_are_yaml_of_jobs_and_projects() {
    let blocks = blocks("yaml");
    let jobs: Value = serde_saphyr::from_str(&blocks[0]).unwrap();
    let kinds: Vec<&str> = jobs
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|entry| entry.as_object().unwrap().keys())
        .map(String::as_str)
        .collect();
    assert_eq!(kinds, ["pipeline", "job", "project"]);
    // A job that does not vote fails no build: Zuul would report each change as passed.
    assert!(jobs[1]["job"].get("voting").is_none());
    // The logs of a run that failed are fetched too: what comes after a failed task of the same playbook is not played.
    for (key, block) in [("run", &blocks[1]), ("post-run", &blocks[2])] {
        let play: Value = serde_saphyr::from_str(block).unwrap();
        assert!(play[0]["hosts"].is_string());
        assert_eq!(play[0]["tasks"].as_array().unwrap().len(), 1, "{key}");
        let file = jobs[1]["job"][key].as_str().unwrap();
        assert!(page().contains(&format!("`{file}`")), "{file} is shown");
    }
}

#[test]
fn systemd_takes_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("powervm-ci.service");
    // The program need not be on this machine.
    let unit = blocks("ini")[0].replace("/usr/local/bin/powervm-harness", "/bin/true");
    fs::write(&path, unit).unwrap();
    let Ok(output) = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output()
    else {
        // There is no systemd on this machine.
        return;
    };
    let told = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = told
        .lines()
        .filter(|line| line.contains("powervm-ci.service"))
        .collect();
    assert!(ours.is_empty(), "{ours:?}");
}
