use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use secrecy::SecretString;

use super::{LogTree, TreeError};
use crate::scrub::{Known, Scrubber};

const LOG: &str = r#"{"event":"log","format":1,"producer":"p 1"}
{"event":"run-begins","seed":7,"commit":"c0ffee","target":"https://hmc.secret.example:12443","repro":"powervm-harness run --seed 7"}
{"event":"environment","facts":{"python":"3.11.7","os_password":"hunter2","host":"hmc.secret.example at 10.1.2.3"}}
{"event":"configuration","facts":{"disk_driver":"ssp"}}
{"event":"test-begins","test":"tempest.a","worker":1,"follows":[{"name":"tempest.a","id":"u-u"}]}
{"event":"attachment","test":"tempest.a","name":"traceback","text":"token=hunter2 sent to fd00:1::2 & <b>"}
{"event":"test-ends","test":"tempest.a","verdict":"failed","took_us":1234567,"reason":"opensesame was refused by 10.1.2.3"}
{"event":"test-ends","test":"tempest.b","verdict":"skipped","reason":"no second host"}
{"event":"run-ends","verdict":"failed"}
"#;

fn read(root: &Path, name: &str) -> String {
    let bytes = fs::read(root.join(name)).expect("a file");
    if !name.ends_with(".gz") {
        return String::from_utf8(bytes).expect("text");
    }
    let mut text = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_end(&mut text)
        .expect("gzip");
    String::from_utf8_lossy(&text).into_owned()
}

fn make(root: &Path) {
    let log = root.join("events.jsonl");
    fs::write(&log, LOG).expect("a log");
    let known = Known {
        secrets: vec![SecretString::from("opensesame")],
        hosts: vec!["secret.example".to_owned()],
    };
    let scrubber = Scrubber::new(&known).expect("patterns");
    let mut tree = LogTree::create(
        &root.join("logs"),
        "nova 1/2 on hmc.secret.example",
        scrubber,
    )
    .expect("a tree");
    tree.service("nova-compute", "opensesame from 10.1.2.3\n".as_bytes())
        .expect("a log");
    tree.service("../../hmc.secret.example", "x".as_bytes())
        .expect("a log");
    tree.configuration("nova.conf", "[powervm]\npassword = hunter2\n".as_bytes())
        .expect("a file");
    let results = tree.results(&[&log]).expect("results");
    assert_eq!(results.exit_code(), 1);
    tree.finish().expect("indexes");
}

fn files(folder: &Path, below: &str, all: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(&entry.path(), &format!("{name}/"), all);
        } else {
            all.push(name);
        }
    }
    all.sort();
}

#[test]
fn the_tree_is_whole_and_tells_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    make(folder.path());
    let root = folder.path().join("logs");
    let mut all = Vec::new();
    files(&root, "", &mut all);
    assert_eq!(
        all,
        [
            ".htaccess",
            "configuration.txt",
            "environment.txt",
            "etc/index.html",
            "etc/nova.conf.txt.gz",
            "events.jsonl.gz",
            "index.html",
            "job-output.txt",
            "junit.xml",
            "logs/_.._host-1.txt.gz",
            "logs/index.html",
            "logs/nova-compute.txt.gz",
            "report.html",
            "skipped.txt",
            "tempest.txt.gz",
            "testr_results.html.gz",
            "testrepository.subunit.gz",
        ]
    );
    for name in &all {
        let text = read(&root, name);
        for secret in [
            "hunter2",
            "opensesame",
            "secret.example",
            "10.1.2.3",
            "fd00:1::2",
        ] {
            assert!(!text.contains(secret), "{secret} is in {name}:\n{text}");
        }
        if name.ends_with("html") && name != "report.html" {
            assert!(!text.contains("<b>"), "{text}");
        }
    }
    let index = read(&root, "index.html");
    for name in all
        .iter()
        .filter(|name| !name.contains("index") && !name.starts_with('.'))
    {
        assert!(
            index.contains(&format!("href=\"{name}\"")),
            "{name} in {index}"
        );
    }
    assert_eq!(read(&root, "skipped.txt"), "tempest.b: no second host\n");
    let tempest = read(&root, "tempest.txt.gz");
    assert!(
        tempest.starts_with(
            "{1} tempest.a [1.234567s] ... FAILED\n{0} tempest.b ... SKIPPED: no second host\n"
        ),
        "{tempest}"
    );
    assert!(
        tempest.contains(" - Failed: 1\n") && tempest.contains("*** was refused by 192.0.2."),
        "{tempest}"
    );
    assert_eq!(read(&root, "job-output.txt"), tempest);
    assert!(read(&root, "environment.txt").contains("commit: c0ffee"));
    assert_eq!(read(&root, "configuration.txt"), "disk_driver: ssp\n");
    assert!(read(&root, "etc/nova.conf.txt.gz").contains("password = ***"));
}

#[test]
fn the_same_log_makes_the_same_tree() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    for folder in &folders {
        make(folder.path());
    }
    let mut all = Vec::new();
    files(folders[0].path(), "", &mut all);
    for name in all {
        let [one, other] = folders
            .each_ref()
            .map(|folder| fs::read(folder.path().join(&name)).expect("a file"));
        assert!(one == other, "{name}");
    }
}

#[test]
fn a_folder_with_something_in_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("old.txt"), "password").expect("a file");
    let scrubber = Scrubber::new(&Known::default()).expect("patterns");
    let made = LogTree::create(folder.path(), "t", scrubber);
    assert!(matches!(made, Err(TreeError::NotEmpty(_))));
}

#[test]
fn an_event_log_that_is_none_is_refused_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("events.jsonl");
    fs::write(
        &log,
        "{\"event\":\"log\",\"format\":1,\"producer\":\"p\"}\nTraceback\n",
    )
    .expect("a file");
    let scrubber = Scrubber::new(&Known::default()).expect("patterns");
    let mut tree = LogTree::create(&folder.path().join("t"), "t", scrubber).expect("a tree");
    let error = tree.results(&[&log]).expect_err("no log");
    assert!(error.to_string().contains("line 2"), "{error}");
}
