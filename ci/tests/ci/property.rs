//! Random events, restarts and deaths: each patch set has at most one vote for each thing that asked for one, and none
//! is lost.

use std::sync::Arc;
use std::time::Duration;

use powervm_ci::queue::{Queue, State};
use powervm_ci::watch::Watch;
use proptest::prelude::*;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::client;
use crate::gerrit::state::ALICE;
use crate::gerrit::{FakeGerrit, Trouble};
use crate::watch::{Shared, Slow, config};

/// What happens.
#[derive(Debug, Clone, Copy)]
enum Event {
    Upload(u64),
    Recheck(u64),
    Reply(u64),
    Talk(u64),
    Close(u64),
    Reopen(u64),
    TakeBack(u64),
    /// The CI is stopped politely, or killed, and started again.
    Stop,
    Kill,
    Trouble(Trouble),
    Pass(u32),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::Down),
        Just(Trouble::Slow(Duration::from_secs(100))),
        Just(Trouble::Status(409, None)),
        Just(Trouble::Status(429, Some(60))),
        Just(Trouble::Status(500, None)),
        Just(Trouble::Truncated),
        Just(Trouble::Html),
        Just(Trouble::ResetAfter),
        Just(Trouble::ResetBefore),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let change = 1_u64..5;
    prop_oneof![
        4 => change.clone().prop_map(Event::Upload),
        3 => change.clone().prop_map(Event::Recheck),
        2 => change.clone().prop_map(Event::Reply),
        1 => change.clone().prop_map(Event::Talk),
        1 => change.clone().prop_map(Event::Close),
        1 => change.clone().prop_map(Event::Reopen),
        1 => change.prop_map(Event::TakeBack),
        1 => Just(Event::Stop),
        2 => Just(Event::Kill),
        4 => trouble().prop_map(Event::Trouble),
        6 => (1_u32..40).prop_map(Event::Pass),
    ]
}

/// A CI that is started, stopped and killed; its queue is in a file, as ever.
struct Life {
    gerrit: FakeGerrit,
    folder: tempfile::TempDir,
    task: Option<(JoinHandle<()>, CancellationToken)>,
}

impl Life {
    fn queue(&self) -> Queue {
        Queue::open(&self.folder.path().join("state").join("queue.redb")).unwrap()
    }

    fn start(&mut self) {
        let mut config = config();
        config.gerrit.pages = 20;
        let watch = Watch {
            config,
            gerrit: client(&self.gerrit),
            queue: Arc::new(self.queue()),
            runner: Arc::new(Shared(Arc::new(Slow::default()))),
            seed: 3,
        };
        let cancel = CancellationToken::new();
        let stop = cancel.clone();
        let task = tokio::spawn(async move { watch.watch(None, false, stop).await.unwrap() });
        self.task = Some((task, cancel));
    }

    async fn end(&mut self, kill: bool) {
        let Some((task, cancel)) = self.task.take() else {
            return;
        };
        if kill {
            task.abort();
            let _ = task.await;
        } else {
            cancel.cancel();
            task.await.unwrap();
        }
    }

    async fn happen(&mut self, event: Event) {
        let gerrit = &self.gerrit;
        let known = |change: &u64| gerrit.lock().changes.contains_key(change);
        let is_open = |change: &u64| known(change) && gerrit.lock().changes[change].status == "NEW";
        match event {
            Event::Upload(change) if !known(&change) || is_open(&change) => gerrit.upload(change),
            Event::Recheck(change) if known(&change) => gerrit.comment(change, ALICE, "recheck"),
            Event::Reply(change) if known(&change) => gerrit.reply(change, ALICE, "recheck"),
            Event::Talk(change) if known(&change) => gerrit.comment(change, ALICE, "Hm."),
            Event::Close(change) if known(&change) => {
                gerrit.edit(change, |change| change.status = "ABANDONED")
            }
            Event::Reopen(change) if known(&change) => gerrit.edit(change, |change| {
                change.status = "NEW";
                change.wip = false;
            }),
            Event::TakeBack(change) if known(&change) => {
                gerrit.edit(change, |change| change.wip = true)
            }
            Event::Stop | Event::Kill => {
                self.end(matches!(event, Event::Kill)).await;
                self.start();
            }
            Event::Trouble(trouble) => gerrit.trouble([None, Some(trouble)]),
            Event::Pass(minutes) => {
                gerrit.tick(i64::from(minutes) * 60);
                tokio::time::sleep(Duration::from_secs(60) * minutes).await;
            }
            _ => {}
        }
    }
}

async fn live(events: Vec<Event>) -> Result<(), TestCaseError> {
    let gerrit = FakeGerrit::new();
    let folder = tempfile::tempdir().unwrap();
    let mut life = Life {
        gerrit: gerrit.clone(),
        folder,
        task: None,
    };
    life.start();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut kills = 0;
    for event in events {
        // A run that is always cut short is given up, which is not what is looked at here.
        kills += usize::from(matches!(event, Event::Kill));
        if !matches!(event, Event::Kill) || kills < 3 {
            life.happen(event).await;
        }
    }
    // Whatever there is is done.
    gerrit.lock().troubles.clear();
    tokio::time::sleep(Duration::from_secs(24 * 3600)).await;
    life.end(false).await;
    let queue = life.queue();
    for (number, change) in &gerrit.lock().changes {
        let ours: Vec<_> = change
            .messages
            .iter()
            .filter(|message| message.tag.is_some())
            .collect();
        let mut names: Vec<_> = ours
            .iter()
            .map(|message| message.text.trim_end().lines().last())
            .collect();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(
            names.len(),
            ours.len(),
            "two votes for one run of {}",
            number
        );
        for patch_set in 1..=change.patch_sets.len() as u32 {
            let of_it =
                |text: &str| text.lines().last() == Some("recheck") || text.contains("(1 comment)");
            let asked = 1 + change
                .messages
                .iter()
                .filter(|m| m.patch_set == patch_set && m.author == ALICE && of_it(&m.text))
                .count();
            let votes = ours
                .iter()
                .filter(|message| message.patch_set == patch_set)
                .count();
            prop_assert!(
                votes <= asked,
                "{} votes on {},{}",
                votes,
                number,
                patch_set
            );
        }
        let newest = change.patch_sets.len() as u32;
        if change.status == "NEW" && !change.wip {
            let last = queue
                .runs()
                .into_iter()
                .rfind(|run| run.change == *number && run.patch_set == newest);
            let is_voted = last
                .as_ref()
                .is_some_and(|run| matches!(run.state, State::Voted { .. }));
            prop_assert!(is_voted, "{},{} was lost: {:?}", number, newest, last);
            prop_assert!(ours.iter().any(|message| message.patch_set == newest));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_thing_that_asks_has_one_vote_and_none_is_lost(events in proptest::collection::vec(event(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(live(events))?;
    }
}
