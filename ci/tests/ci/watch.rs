//! Watching, on a paused clock: what happens in Gerrit becomes runs, and runs become votes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use powervm_ci::config::Config;
use powervm_ci::queue::{Queue, Run, State};
use powervm_ci::run::{Outcome, RunResult};
use powervm_ci::watch::{Hint, Runner, Watch};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::client;
use crate::gerrit::state::{ALICE, OWN};
use crate::gerrit::{FakeGerrit, Trouble};

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn config() -> Config {
    let text = r#"
        name = "powervm"
        contact = "https://wiki.example.org/ci"
        state = "/nowhere"
        logs = "/nowhere"
        logs_url = "https://ci.example.org"
        [gerrit]
        page = 3
        pages = 2
        [vote]
        label = "Verified"
        [run]
        parallel = 2
    "#;
    toml::from_str(text).unwrap()
}

/// Takes ten minutes for each run, and notes what it ran.
#[derive(Default)]
pub(crate) struct Slow {
    pub(crate) begun: Mutex<Vec<String>>,
    pub(crate) cancelled: Mutex<Vec<String>>,
    pub(crate) results: Mutex<Vec<Outcome>>,
    pub(crate) most: Mutex<(usize, usize)>,
}

/// The slow runner, shared.
pub(crate) struct Shared(pub(crate) Arc<Slow>);

impl Runner for Shared {
    fn run(&self, run: Run, cancel: CancellationToken) -> BoxFuture<'static, RunResult> {
        let slow = Arc::clone(&self.0);
        Box::pin(async move {
            slow.begun.lock().unwrap().push(run.id.clone());
            {
                let mut most = slow.most.lock().unwrap();
                most.0 += 1;
                most.1 = most.1.max(most.0);
            }
            let ended = tokio::select! {
                () = cancel.cancelled() => false,
                () = tokio::time::sleep(MINUTE * 10) => true,
            };
            slow.most.lock().unwrap().0 -= 1;
            if !ended {
                slow.cancelled.lock().unwrap().push(run.id);
                return RunResult::error("it was cancelled");
            }
            let outcome = slow
                .results
                .lock()
                .unwrap()
                .pop()
                .unwrap_or(Outcome::Success);
            RunResult {
                outcome,
                seconds: 600,
                jobs: Vec::new(),
                why: None,
            }
        })
    }
}

/// A watch in a task of its own.
struct Site {
    gerrit: FakeGerrit,
    queue: Arc<Queue>,
    slow: Arc<Slow>,
    hints: mpsc::Sender<Hint>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Site {
    fn begin(gerrit: &FakeGerrit, queue: &Arc<Queue>, config: Config) -> Self {
        let slow = Arc::new(Slow::default());
        let (hints, heard) = mpsc::channel(8);
        let cancel = CancellationToken::new();
        let watch = Watch {
            config,
            gerrit: client(gerrit),
            queue: Arc::clone(queue),
            runner: Arc::new(Shared(Arc::clone(&slow))),
            seed: 1,
        };
        let stop = cancel.clone();
        let task =
            tokio::spawn(async move { watch.watch(Some(heard), false, stop).await.unwrap() });
        Self {
            gerrit: gerrit.clone(),
            queue: Arc::clone(queue),
            slow,
            hints,
            cancel,
            task,
        }
    }

    async fn new() -> Self {
        let gerrit = FakeGerrit::new();
        gerrit.upload(900);
        gerrit.tick(10);
        let site = Self::begin(&gerrit, &Arc::new(Queue::in_memory().unwrap()), config());
        site.pass(1).await;
        site
    }

    async fn pass(&self, minutes: u32) {
        tokio::time::sleep(MINUTE * minutes).await;
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }

    fn states(&self, change: u64) -> Vec<State> {
        let runs = self.queue.runs();
        runs.into_iter()
            .filter(|run| run.change == change)
            .map(|run| run.state)
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_patch_set_is_run_and_voted_on_once() {
    let site = Site::new().await;
    site.gerrit.upload(1);
    site.pass(30).await;
    let said = site.gerrit.said(1);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0]
            .text
            .starts_with("Patch Set 1: Verified+1\n\nBuild succeeded (check pipeline)."),
        "{said:?}"
    );
    assert!(
        said[0]
            .text
            .contains("* powervm https://ci.example.org/1-1-"),
        "{said:?}"
    );
    // Talk is no reason to run it again; neither is what we said ourselves, nor what was there before we came.
    site.gerrit.comment(1, ALICE, "Looks good");
    site.gerrit.comment(1, OWN, "recheck");
    site.gerrit.comment(900, ALICE, "What about this one?");
    site.pass(30).await;
    assert_eq!(
        site.gerrit.said(1).len(),
        2,
        "and the one that we just put there"
    );
    assert!(site.states(900).is_empty());
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_comment_asks_for_another_run_wherever_it_was_written() {
    let site = Site::new().await;
    site.gerrit.upload(1);
    site.pass(30).await;
    site.gerrit.comment(1, ALICE, "recheck");
    site.pass(30).await;
    site.gerrit.reply(1, ALICE, "recheck powervm");
    site.pass(30).await;
    assert_eq!(site.gerrit.said(1).len(), 3);
    // Of a change from before we came, too.
    site.gerrit.comment(900, ALICE, "recheck bug 7");
    site.pass(30).await;
    assert_eq!(site.gerrit.said(900).len(), 1);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn many_rechecks_while_it_waits_are_one_run() {
    let site = Site::new().await;
    site.gerrit.upload(1);
    site.pass(3).await;
    for _ in 0..5 {
        site.gerrit.comment(1, ALICE, "recheck");
        site.pass(1).await;
    }
    site.pass(60).await;
    assert_eq!(
        site.slow.begun.lock().unwrap().len(),
        2,
        "the one under way, and one more"
    );
    assert_eq!(site.gerrit.said(1).len(), 2);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_newer_patch_set_takes_the_place_of_the_older() {
    let site = Site::new().await;
    site.gerrit.upload(1);
    site.pass(3).await;
    assert_eq!(site.states(1), [State::Running]);
    site.gerrit.upload(1);
    site.pass(3).await;
    assert_eq!(site.states(1), [State::Superseded, State::Running]);
    assert_eq!(site.slow.cancelled.lock().unwrap().len(), 1);
    site.pass(30).await;
    let said = site.gerrit.said(1);
    assert_eq!((said.len(), said[0].patch_set), (1, 2));
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_closed_or_taken_back_is_left_alone() {
    let site = Site::new().await;
    for number in 1..=3 {
        site.gerrit.upload(number);
    }
    site.gerrit.edit(3, |change| change.wip = true);
    site.pass(3).await;
    assert!(site.states(3).is_empty());
    site.gerrit.edit(1, |change| change.status = "MERGED");
    site.gerrit.edit(2, |change| change.status = "ABANDONED");
    site.pass(30).await;
    assert_eq!(site.slow.cancelled.lock().unwrap().len(), 2);
    assert!(site.gerrit.said(1).is_empty() && site.gerrit.said(2).is_empty());
    // Ready at last.
    site.gerrit.edit(3, |change| change.wip = false);
    site.pass(30).await;
    assert_eq!(site.gerrit.said(3).len(), 1);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn more_changes_than_pages_are_all_read_and_never_too_many_run() {
    let site = Site::new().await;
    for number in 1..=20 {
        site.gerrit.upload(number);
    }
    site.pass(240).await;
    for number in 1..=20 {
        assert_eq!(site.gerrit.said(number).len(), 1, "{number}");
    }
    assert_eq!(site.slow.most.lock().unwrap().1, 2);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_gerrit_that_is_away_for_a_day_costs_nothing_but_time() {
    let site = Site::new().await;
    site.gerrit.upload(1);
    site.pass(3).await;
    for trouble in [
        Trouble::Down,
        Trouble::Html,
        Trouble::Status(429, Some(600)),
        Trouble::Status(503, None),
    ] {
        site.gerrit.lock().outage = Some(trouble);
        site.gerrit.lock().requests.clear();
        site.pass(6 * 60).await;
        let asked = site.gerrit.lock().requests.len();
        // The sweep and the vote, each some ten minutes apart.
        assert!(asked < 200, "{trouble:?}: {asked} requests in six hours");
    }
    site.gerrit.upload(2);
    site.gerrit.lock().outage = None;
    site.pass(60).await;
    assert_eq!(
        (site.gerrit.said(1).len(), site.gerrit.said(2).len()),
        (1, 1)
    );
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_run_is_tried_again_and_says_nothing() {
    let site = Site::new().await;
    *site.slow.results.lock().unwrap() = vec![Outcome::Success, Outcome::Error];
    site.gerrit.upload(1);
    site.pass(60).await;
    assert_eq!(site.gerrit.said(1).len(), 1);
    *site.slow.results.lock().unwrap() = vec![Outcome::Error, Outcome::Error];
    site.gerrit.upload(2);
    site.pass(60).await;
    assert!(site.gerrit.said(2).is_empty());
    assert!(matches!(site.states(2).as_slice(), [State::Errored { .. }]));
    // People can ask for it again.
    site.gerrit.comment(2, ALICE, "recheck");
    site.pass(60).await;
    assert_eq!(site.gerrit.said(2).len(), 1);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_votes_against_it() {
    let site = Site::new().await;
    *site.slow.results.lock().unwrap() = vec![Outcome::Failure];
    site.gerrit.upload(1);
    site.pass(30).await;
    let said = site.gerrit.said(1);
    assert!(
        said[0]
            .text
            .starts_with("Patch Set 1: Verified-1\n\nBuild failed (check pipeline)."),
        "{said:?}"
    );
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_looked_at_at_once() {
    let mut slow = config();
    slow.gerrit.poll_seconds = 86_400;
    let gerrit = FakeGerrit::new();
    let site = Site::begin(&gerrit, &Arc::new(Queue::in_memory().unwrap()), slow);
    site.gerrit.upload(900);
    site.pass(1).await;
    site.gerrit.upload(1);
    site.hints.send(Hint::Happened).await.unwrap();
    site.pass(1).await;
    assert_eq!(site.states(1), [State::Running]);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_puts_runs_back_and_the_next_start_goes_on() {
    let site = Site::new().await;
    site.gerrit.upload(1);
    site.pass(3).await;
    let (gerrit, queue) = (site.gerrit.clone(), Arc::clone(&site.queue));
    site.stop().await;
    assert_eq!(queue.runs()[0].state, State::Queued);
    assert_eq!(queue.runs()[0].interruptions, 0);
    let site = Site::begin(&gerrit, &queue, config());
    site.pass(30).await;
    assert_eq!(gerrit.said(1).len(), 1);
    site.stop().await;
}

#[test]
fn a_queue_has_one_user_and_is_nobody_elses() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("state").join("queue.redb");
    let first = Queue::open(&path).unwrap();
    let second = Queue::open(&path).unwrap_err();
    assert!(
        second.to_string().contains("another `ci watch`"),
        "{second}"
    );
    drop(first);
    let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
    assert_eq!(mode & 0o777, 0o600);
    std::fs::write(&path, b"no queue at all").unwrap();
    let damaged = Queue::open(&path).unwrap_err();
    assert!(damaged.to_string().contains("move it away"), "{damaged}");
}
