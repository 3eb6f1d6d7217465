//! Any edits, at any time, among any interference.

use std::collections::BTreeSet;
use std::time::Duration;

use powervm_driver::transaction::Group;
use proptest::prelude::*;
use tokio::time::{sleep, timeout};

use crate::shelf::{HREF, MAPPINGS, Reply, Shelf, ensure, has};

#[derive(Debug, Clone)]
struct Arrival {
    at: u64,
    thing: u8,
    kind: u8,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Edits that come at any time, among others' changes, lost answers, refused things and waiters that leave:
    /// whoever is told "done" finds it done, nothing that nobody asked for is there, and nobody waits for ever.
    #[test]
    fn whatever_comes_together_everybody_gets_their_own(
        arrivals in proptest::collection::vec((0_u64..9_000, 0_u8..12, 0_u8..8), 1..24),
        losses in proptest::collection::vec(any::<bool>(), 0..12),
    ) {
        let arrivals: Vec<Arrival> = arrivals.into_iter().map(|(at, thing, kind)| Arrival { at, thing, kind }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(check(arrivals, losses));
    }
}

async fn check(arrivals: Vec<Arrival>, losses: Vec<bool>) {
    let shelf = Shelf::ruled(move |state, things| {
        if things.iter().any(|thing| thing.starts_with("refused")) {
            return Reply::Refuse(500, "HSCL0001 no");
        }
        // Two losses in a row are given up on; that is tested elsewhere.
        let number = state.updates.len();
        let lost = |number: usize| losses.get(number).copied().unwrap_or(false);
        if number % 3 == 0 && lost(number) {
            Reply::Lose
        } else {
            Reply::Accept
        }
    });
    let group = Group::new(shelf.session().await);
    let mut tasks = Vec::new();
    let mut allowed = BTreeSet::new();
    for Arrival { at, thing, kind } in arrivals {
        let name = match kind {
            0 => format!("refused{thing}"),
            1 => format!("other{thing}"),
            _ => format!("thing{thing}"),
        };
        if kind != 0 {
            allowed.insert(name.clone());
        }
        let (group, shelf) = (group.clone(), shelf.clone());
        tasks.push(tokio::spawn(async move {
            sleep(Duration::from_millis(at)).await;
            let patience = if kind == 2 {
                Duration::from_millis(1_200)
            } else {
                Duration::from_secs(100_000)
            };
            match kind {
                1 => shelf.put(&name),
                _ => {
                    match timeout(patience, group.edit(HREF, MAPPINGS, ensure(name.clone()))).await
                    {
                        Ok(Ok(edited)) => {
                            assert!(kind != 0 && has(&edited.entry.content, &name));
                            assert!(shelf.things().contains(&name));
                        }
                        Ok(Err(error)) => {
                            assert!(kind == 0 && error.mentions("HSCL0001"), "{error}")
                        }
                        Err(_) => assert_eq!(kind, 2),
                    }
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    sleep(Duration::from_secs(60)).await;
    let things: BTreeSet<String> = shelf.things().into_iter().collect();
    assert!(things.is_subset(&allowed), "{things:?} {allowed:?}");
}
