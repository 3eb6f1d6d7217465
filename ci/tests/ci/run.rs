//! Runs, with a Python, a harness and a git of the tests' own: what is started, in what order, and what is said of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use powervm_ci::config::Config;
use powervm_ci::queue::{Run, State};
use powervm_ci::run::{Order, Outcome, Programs, ResultFile, RunResult, Source, reference, run};
use powervm_ci::trigger::Cause;
use powervm_ci::watch::{Processes, Runner};
use powervm_report::results::Results;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Stands in for Python: makes an environment with itself in it, notes what pip is told, and runs programs with sh.
const PYTHON: &str = r#"#!/bin/sh
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip")
    echo "pip $*"
    for word; do last=$word; done
    [ ! -f "$last/broken" ] || { echo "error: it cannot be built of https://ci:hush-hush@10.77.1.2/simple"; exit 1; } ;;
*) exec /bin/sh "$@" ;;
esac
"#;

struct Site {
    folder: TempDir,
    config: Config,
    programs: Programs,
}

fn script(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

impl Site {
    fn new(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        script(&root.join("python"), PYTHON);
        script(
            &root.join("harness"),
            "#!/bin/sh\nmkdir -p \"$4\"; echo \"harness $*\"; echo '5 passed'\n",
        );
        script(&root.join("sim"), "#!/bin/sh\n");
        let checkout = root.join("checkout").join("conformance");
        fs::create_dir_all(checkout.join("requirements")).unwrap();
        fs::write(
            checkout.join("requirements").join("nova-today.txt"),
            "nova==34.0.0\noslo.log==8\n",
        )
        .unwrap();
        script(&checkout.join("nova_today.py"), program);
        fs::create_dir_all(root.join("nova").join("nova")).unwrap();
        fs::write(root.join("nova").join("setup.py"), "").unwrap();
        let text = format!(
            r#"
            name = "powervm"
            contact = "https://wiki.example.org/ci"
            state = "state"
            logs = "logs"
            logs_url = "https://ci.example.org"
            [gerrit]
            [run]
            git = "{git}"
            python = "{python}"
            checkout = "checkout"
            package = "ours.whl"
            [run.limits]
            program = 2
            "#,
            git = root.join("git").display(),
            python = root.join("python").display(),
        );
        fs::write(root.join("ci.toml"), text).unwrap();
        let config = Config::load(&root.join("ci.toml")).unwrap();
        let programs = Programs {
            harness: root.join("harness"),
            simulator: root.join("sim"),
        };
        Self {
            folder,
            config,
            programs,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn run(&self, source: Source) -> RunResult {
        let order = Order {
            source,
            run_id: "r".to_owned(),
            logs: self.path("logs").join("r"),
        };
        run(
            &self.config,
            &order,
            &self.programs,
            CancellationToken::new(),
        )
        .await
    }

    async fn run_folder(&self) -> RunResult {
        self.run(Source::Folder(self.path("nova"))).await
    }

    fn log(&self, name: &str) -> String {
        self.unpacked(&format!("logs/{name}.txt.gz"))
    }

    fn unpacked(&self, name: &str) -> String {
        let path = self.path("logs").join("r").join(name);
        let output = Command::new("gzip").arg("-dc").arg(path).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

const PASSES: &str = "env > \"$4/seen.txt\"; ln -s /etc \"$4/etc\"; echo 'ok - a'; echo 'Authorization: Basic c2VjcmV0OnNlY3JldA=='; echo '12 passed, 0 failed, 1 skipped'\n";

#[tokio::test]
async fn a_folder_is_run_in_an_environment_of_its_own() {
    let site = Site::new(PASSES);
    let result = site.run_folder().await;
    assert_eq!(
        result.outcome,
        Outcome::Success,
        "{result:?} {}",
        site.log("nova-today")
    );
    let jobs: Vec<_> = result
        .jobs
        .iter()
        .map(|job| (job.name.as_str(), job.counts.as_deref()))
        .collect();
    let counts = Some("12 passed, 0 failed, 1 skipped");
    assert_eq!(
        jobs,
        [("scenarios", Some("5 passed")), ("nova-today", counts)]
    );
    // What is pinned comes first, without Nova; the change's code has no cache of ours.
    let environment = site.log("environment");
    assert!(
        environment.contains("--cache-dir") && environment.contains("ours.whl"),
        "{environment}"
    );
    let install = site.log("install");
    assert!(
        install.contains("--no-cache-dir") && install.contains("work/r/source"),
        "{install}"
    );
    // What a program leaves is kept, but for links; its environment is a clean one.
    let seen = site.log("seen");
    assert!(
        seen.contains("HOME=") && seen.contains("work/r/home"),
        "{seen}"
    );
    assert!(!seen.contains("CARGO_"), "{seen}");
    for name in [
        "index.html",
        "report.html",
        "junit.xml",
        "environment.txt",
        "job-output.txt",
    ] {
        assert!(site.path("logs/r").join(name).is_file(), "{name}");
    }
    let junit = fs::read_to_string(site.path("logs/r/junit.xml")).unwrap();
    assert!(
        junit.contains("nova-today: a") && junit.contains("scenarios: as a whole"),
        "{junit}"
    );
    assert!(
        fs::read_dir(site.path("logs")).unwrap().count() == 1,
        "nothing half made is left"
    );
    assert!(!site.path("state/work/r").exists());
    assert_eq!(
        ResultFile::read(&site.path("logs/r")).unwrap().result,
        result
    );
    assert!(
        fs::read_dir(site.path("nova")).unwrap().count() == 2,
        "the folder stays as it is"
    );
}

/// A program whose checks write an event log as well, and which is cut short in the last.
const TELLS: &str = r#"echo 'ok - ssp: boots'; echo 'not ok - ssp: it moves: there: why: so'; echo 'ok - only printed'
cat > "$POWERVM_EVENTS" <<'LOG'
{"event":"log","format":1,"producer":"conformance"}
{"event":"run-begins","wall":"2026-11-23T10:00:00Z"}
{"event":"test-begins","wall":"2026-11-23T10:00:01Z","test":"ssp: boots"}
{"event":"call","wall":"2026-11-23T10:00:02Z","test":"ssp: boots","method":"GET","path":"/rest/api/uom/Cluster","status":200,"took_us":1500}
{"event":"test-ends","wall":"2026-11-23T10:00:03Z","test":"ssp: boots","verdict":"passed"}
{"event":"test-begins","wall":"2026-11-23T10:00:04Z","test":"ssp: it moves: there"}
{"event":"test-ends","wall":"2026-11-23T10:00:05Z","test":"ssp: it moves: there","verdict":"failed","reason":"why"}
{"event":"test-begins","wall":"2026-11-23T10:00:06Z","test":"ssp: stops"}
not an event
LOG
exit 1
"#;

#[tokio::test]
async fn what_jobs_wrote_themselves_is_taken_over_with_times_and_calls() {
    let site = Site::new(TELLS);
    let scenarios = r#"#!/bin/sh
echo '1 passed'; mkdir -p "$4"; cat > "$4/events.jsonl" <<'LOG'
{"event":"log","format":1,"producer":"powervm-harness"}
{"event":"run-begins","seed":1,"at_us":0}
{"event":"test-ends","test":"test_server_basic_ops","verdict":"passed","took_us":5,"at_us":5}
{"event":"run-ends","verdict":"passed","at_us":6}
LOG
"#;
    script(&site.path("harness"), scenarios);
    let result = site.run_folder().await;
    assert_eq!(result.outcome, Outcome::Failure, "{result:?}");
    let log = site.path("events.jsonl");
    fs::write(&log, site.unpacked("events.jsonl.gz")).unwrap();
    let results = Results::read(&log).unwrap();
    let mut tests: Vec<_> = results
        .tests
        .iter()
        .map(|test| (test.run.as_str(), test.name.as_str(), test.verdict.name()))
        .collect();
    tests.sort_unstable();
    assert_eq!(
        tests,
        [
            ("nova-today", "nova-today: ssp: boots", "passed"),
            ("nova-today", "nova-today: ssp: it moves: there", "failed"),
            ("nova-today", "nova-today: ssp: stops", "failed"),
            ("r", "nova-today: as a whole", "failed"),
            ("r", "nova-today: only printed", "passed"),
            ("r", "scenarios: as a whole", "passed"),
            ("scenarios", "test_server_basic_ops", "passed"),
        ]
    );
    let boots = results
        .tests
        .iter()
        .find(|test| test.name.ends_with("boots"))
        .unwrap();
    assert_eq!((boots.begin_us, boots.took_us), (1_000_000, 2_000_000));
    assert_eq!(boots.calls.len(), 1);
    assert_eq!(results.exit_code(), 1, "a log that was cut short is closed");
    // The console is what stages printed, in their order, and nothing else.
    let console = fs::read_to_string(site.path("logs/r/job-output.txt")).unwrap();
    assert!(!console.contains("\"event\""), "{console}");
    let places: Vec<_> = ["-m venv", "--constraint", "nova_today.py"]
        .iter()
        .map(|words| console.find(words).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?} {console}");
}

#[tokio::test]
async fn failures_are_told_from_what_could_not_run() {
    let failed =
        Site::new("echo 'not ok - a: why'; echo '1 passed, 1 failed, 0 skipped'; exit 1\n");
    let result = failed.run_folder().await;
    assert_eq!(
        (result.outcome, result.outcome.exit_code()),
        (Outcome::Failure, 1),
        "{result:?}"
    );

    let slow = Site::new("sleep 98770\n");
    assert_eq!(slow.run_folder().await.outcome, Outcome::TimedOut);

    let broken = Site::new(PASSES);
    fs::write(broken.path("nova").join("broken"), "").unwrap();
    let result = broken.run_folder().await;
    assert_eq!(result.outcome, Outcome::Failure);
    assert!(
        result.why.as_ref().unwrap().contains("it cannot be built"),
        "{result:?}"
    );
    assert_eq!(result.jobs.last().unwrap().name, "install");
    // Both are for everybody to read: what is said in Gerrit, and the result beside the logs.
    let file = fs::read_to_string(broken.path("logs").join("r").join("result.json")).unwrap();
    for text in [result.why.as_ref().unwrap(), &file] {
        assert!(!text.contains("hush-hush") && !text.contains("10.77.1.2"));
    }

    let mut none = Site::new(PASSES);
    none.config.run.python = "/nowhere/python".into();
    let result = none.run_folder().await;
    assert_eq!(
        (result.outcome, result.outcome.exit_code()),
        (Outcome::Error, 255)
    );
    let gone = Site::new(PASSES);
    let result = gone.run(Source::Folder(gone.path("nothing"))).await;
    assert_eq!(result.outcome, Outcome::Error, "{result:?}");
}

fn git(folder: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_change_is_fetched_from_where_gerrit_keeps_it() {
    let site = Site::new(PASSES);
    let nova = site.path("nova");
    git(&nova, &["init", "--quiet"]);
    git(&nova, &["add", "."]);
    git(&nova, &["commit", "--quiet", "-m", "A change"]);
    let commit = git(&nova, &["rev-parse", "HEAD"]);
    git(site.folder.path(), &["init", "--quiet", "--bare", "git"]);
    let target = site.path("git").display().to_string();
    git(
        &nova,
        &[
            "push",
            "--quiet",
            &target,
            &format!("HEAD:{}", reference(1234, 5)),
        ],
    );
    let change = |patch_set, commit: &str| Source::Change {
        number: 1234,
        patch_set,
        commit: Some(commit.to_owned()),
    };
    let result = site.run(change(5, &commit)).await;
    assert_eq!(
        result.outcome,
        Outcome::Success,
        "{result:?} {}",
        site.log("source")
    );
    let file = ResultFile::read(&site.path("logs/r")).unwrap();
    assert_eq!(
        (file.change, file.patch_set, file.commit),
        (Some(1234), Some(5), Some(commit.clone()))
    );
    // Who names no commit is told which one it was.
    let unnamed = Source::Change {
        number: 1234,
        patch_set: 5,
        commit: None,
    };
    assert_eq!(site.run(unnamed).await.outcome, Outcome::Success);
    let file = ResultFile::read(&site.path("logs/r")).unwrap();
    assert_eq!(file.commit, Some(commit.clone()));
    // Not the commit that Gerrit told of, or none at all.
    let result = site.run(change(5, &"0".repeat(40))).await;
    assert!(result.why.unwrap().contains("not the patch set's commit"));
    assert_eq!(site.run(change(6, &commit)).await.outcome, Outcome::Error);
}

#[tokio::test]
async fn a_run_that_nobody_wants_ends_and_leaves_nothing() {
    let site = Site::new("sleep 98771\n");
    let cancel = CancellationToken::new();
    cancel.cancel();
    let order = Order {
        source: Source::Folder(site.path("nova")),
        run_id: "r".to_owned(),
        logs: site.path("logs").join("r"),
    };
    let result = run(&site.config, &order, &site.programs, cancel).await;
    assert_eq!(result.outcome, Outcome::Error);
    assert!(!site.path("state/work/r").exists());
}

/// Stands in for `powervm-harness`: notes how it was called, and leaves a result.
const CI_RUN: &str = r#"#!/bin/sh
for word; do [ "$before" = --logs ] && logs=$word; before=$word; done
mkdir -p "$logs"; env > "$logs/env"; echo "$*" > "$logs/words"
[ -f "$0.broken" ] && exit 3
echo '{"run_id": "r", "outcome": "FAILURE", "seconds": 7}' > "$logs/result.json"
exit 1
"#;

#[tokio::test]
async fn a_watch_runs_changes_in_processes_of_their_own_with_isolation_around() {
    let mut site = Site::new(PASSES);
    script(&site.path("ci-run"), CI_RUN);
    site.config.run.isolation = vec!["env".to_owned(), "ISOLATED=yes".to_owned()];
    let run = Run {
        number: 1,
        id: "1234-5-0a1b2c3d".to_owned(),
        change: 1234,
        patch_set: 5,
        commit: "a".repeat(40),
        branch: "master".to_owned(),
        cause: Cause::PatchSet,
        tries: 0,
        interruptions: 0,
        state: State::Running,
    };
    let runner = Processes::new(
        site.config.clone(),
        site.path("ci.toml"),
        site.path("ci-run"),
    );
    let result = runner.run(run.clone(), CancellationToken::new()).await;
    assert_eq!(
        (result.outcome, result.seconds),
        (Outcome::Failure, 7),
        "{result:?}"
    );
    let logs = site.path("logs").join(&run.id);
    let words = fs::read_to_string(logs.join("words")).unwrap();
    assert!(
        words.starts_with("ci run --config ") && words.contains("--change 1234/5 --commit aaaa"),
        "{words}"
    );
    let env = fs::read_to_string(logs.join("env")).unwrap();
    assert!(
        env.contains("ISOLATED=yes") && !env.contains("CARGO_") && !env.contains("HOME="),
        "{env}"
    );
    // One that breaks down has no result, and not that of an earlier try.
    fs::write(site.path("ci-run.broken"), "").unwrap();
    let result = runner.run(run, CancellationToken::new()).await;
    assert_eq!(result.outcome, Outcome::Error, "{result:?}");
    assert!(result.why.unwrap().contains("left no result"));
}
