//! Forwards, backwards, and every way to get from one to the other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use powervm_driver::saga::{
    Event, Phase, Rehearsal, RunOptions, Saga, Step, cancellation, observe_with,
};
use powervm_driver::{Error, ErrorKind};
use proptest::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::world::{Fault, Shape, World, diamond, failure, name, run, saga};

#[tokio::test(start_paused = true)]
async fn branches_run_side_by_side() {
    let start = Instant::now();
    let (world, result) = run(&diamond(), Fault::None, RunOptions::default()).await;
    result.unwrap();
    assert_eq!(world.things().len(), 5);
    // 1 + max(2, 3) + 1 + 2 seconds.
    assert_eq!(start.elapsed().as_secs(), 7);
}

/// The exhaustive loops, on one shape.
async fn check_everything(shape: &Shape) {
    let all: BTreeSet<usize> = (0..shape.len()).collect();
    for step in 0..shape.len() {
        for fault in [Fault::Before(step), Fault::After(step), Fault::Panic(step)] {
            let (world, result) = run(shape, fault, RunOptions::default()).await;
            assert_eq!(world.things(), BTreeSet::new(), "{shape:?} {fault:?}");
            let failure = failure(result);
            assert_eq!(failure.step.as_deref(), Some(name(step).as_str()));
            assert!(failure.left_behind.is_empty());
        }
        let rehearsal = Rehearsal {
            repeat_step: Some(name(step)),
            ..Rehearsal::default()
        };
        let (world, result) = run(
            shape,
            Fault::None,
            RunOptions {
                rehearsal,
                ..RunOptions::default()
            },
        )
        .await;
        result.unwrap();
        assert_eq!(world.things(), all);
        let rehearsal = Rehearsal {
            repeat_undo: Some(name(step)),
            ..Rehearsal::default()
        };
        let last = Fault::After(shape.len() - 1);
        let (world, _) = run(
            shape,
            last,
            RunOptions {
                rehearsal,
                ..RunOptions::default()
            },
        )
        .await;
        assert_eq!(world.things(), BTreeSet::new());
        for at_begin in [true, false] {
            check_cancel(shape, step, at_begin).await;
        }
    }
}

/// Cancels when a step begins or has ended.
async fn check_cancel(shape: &Shape, step: usize, at_begin: bool) {
    let cancel = CancellationToken::new();
    let trigger = cancel.clone();
    let ended = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&ended);
    let observer = observe_with(move |event: &Event| {
        let is_begin = event.phase == Phase::Begin;
        let is_end = matches!(event.phase, Phase::End { .. });
        *counted.lock().unwrap() += usize::from(is_end);
        if event.step == name(step) && ((at_begin && is_begin) || (!at_begin && is_end)) {
            trigger.cancel();
        }
    });
    let (world, result) = run(
        shape,
        Fault::None,
        RunOptions::default().observer(observer).cancel(cancel),
    )
    .await;
    if result.is_ok() {
        // Cancelled when there was nothing left to stop.
        assert_eq!(world.things().len(), shape.len());
        assert_eq!((*ended.lock().unwrap(), at_begin), (shape.len(), false));
        return;
    }
    assert_eq!(world.things(), BTreeSet::new());
    let failure = failure(result);
    assert_eq!(
        (failure.error.kind(), &failure.step),
        (ErrorKind::Cancelled, &None)
    );
}

#[tokio::test(start_paused = true)]
async fn whatever_goes_wrong_in_a_diamond_the_world_is_as_before() {
    check_everything(&diamond()).await;
}

fn shapes() -> impl Strategy<Value = Shape> {
    proptest::collection::vec(
        proptest::collection::vec(any::<proptest::sample::Index>(), 0..3),
        1..7,
    )
    .prop_map(|picks| {
        picks
            .iter()
            .enumerate()
            .map(|(step, after)| {
                let earlier: BTreeSet<usize> = after
                    .iter()
                    .filter(|_| step > 0)
                    .map(|index| index.index(step.max(1)))
                    .collect();
                earlier.into_iter().collect()
            })
            .collect()
    })
}

fn on_a_paused_clock(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_goes_wrong_in_any_graph_the_world_is_as_before(shape in shapes()) {
        on_a_paused_clock(check_everything(&shape));
    }

    /// Several undos that fail for good: everything else is undone all the same, in order, and they are named.
    #[test]
    fn undos_that_fail_are_told_and_stop_nothing(shape in shapes(), stuck in proptest::collection::btree_set(0_usize..7, 0..3)) {
        on_a_paused_clock(async {
            let last = shape.len() - 1;
            let world = Arc::new(World::default());
            let stuck: BTreeSet<usize> = stuck.into_iter().filter(|step| *step <= last).collect();
            *world.stubborn.lock().unwrap() = stuck.iter().map(|step| (*step, 1_000)).collect();
            let result = saga(&shape, Fault::After(last)).run(Arc::clone(&world), RunOptions::default()).await;
            let failure = failure(result);
            assert_eq!(failure.step.as_deref(), Some(name(last).as_str()));
            let told: BTreeSet<String> = failure.left_behind.iter().map(|left| left.step.clone()).collect();
            let left: BTreeSet<String> = world.things().into_iter().map(name).collect();
            assert_eq!(&told, &left);
            assert!(world.violations.lock().unwrap().is_empty());
        });
    }
}

#[tokio::test(start_paused = true)]
async fn running_branches_are_awaited_and_nothing_new_starts() {
    // 0 fails after one second; 1 runs for two and would be followed by 3.
    let shape = vec![vec![], vec![], vec![], vec![1]];
    let (world, result) = run(&shape, Fault::Before(0), RunOptions::default()).await;
    let log = world.log();
    assert!(
        log.contains(&"do 1".to_owned()) && !log.contains(&"do 3".to_owned()),
        "{log:?}"
    );
    assert_eq!(world.things(), BTreeSet::new());
    assert_eq!(failure(result).step.as_deref(), Some("step 0"));
}

#[tokio::test(start_paused = true)]
async fn an_undo_is_tried_three_times() {
    for (fails, left) in [(2, 0), (3, 1)] {
        let world = Arc::new(World::default());
        world.stubborn.lock().unwrap().insert(1, fails);
        let result = saga(&diamond(), Fault::After(4))
            .run(Arc::clone(&world), RunOptions::default())
            .await;
        let failure = failure(result);
        assert_eq!(
            (failure.left_behind.len(), world.things().len()),
            (left, left)
        );
        let text = failure.to_string();
        assert!(
            text.starts_with("toy failed at step 4: step 4 broke"),
            "{text}"
        );
        let expected = if left == 0 {
            "everything it had made was removed again"
        } else {
            "could not undo step 1"
        };
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_saga_undoes_itself() {
    let world = Arc::new(World::default());
    let running = saga(&diamond(), Fault::None).run(Arc::clone(&world), RunOptions::default());
    tokio::time::timeout(Duration::from_millis(2500), running)
        .await
        .unwrap_err();
    assert!(!world.things().is_empty());
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.things(), BTreeSet::new());
    assert!(world.violations.lock().unwrap().is_empty());
    let log = world.log();
    assert!(
        log.contains(&"do 2".to_owned()) && !log.contains(&"do 3".to_owned()),
        "{log:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_saga_starts_nothing() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (world, result) = run(
        &diamond(),
        Fault::None,
        RunOptions::default().cancel(cancel),
    )
    .await;
    assert!(result.is_err() && world.log().is_empty());
}

#[tokio::test]
async fn a_saga_without_steps_is_done() {
    Saga::<World>::new("nothing")
        .run(Arc::default(), RunOptions::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn broken_graphs_run_nothing() {
    let world = Arc::new(World::default());
    let looped =
        saga(&vec![vec![]], Fault::None).step(Step::new("x", |_| async { Ok(()) }).after(["y"]));
    let error = looped
        .run(Arc::clone(&world), RunOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(world.log().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_step_can_heed_the_cancellation_and_an_undo_is_spared_it() {
    let patient = || {
        let wait = |_| async {
            cancellation().cancelled().await;
            Err(Error::Cancelled {
                what: "the upload".to_owned(),
            })
        };
        let undo = |world: Arc<World>| async move {
            assert!(!cancellation().is_cancelled());
            world.log.lock().unwrap().push("undone".to_owned());
            Ok(())
        };
        Saga::new("patient").step(Step::new("wait", wait).undo(undo))
    };
    let cancel = CancellationToken::new();
    let world = Arc::new(World::default());
    let running = tokio::spawn(patient().run(
        Arc::clone(&world),
        RunOptions::default().cancel(cancel.clone()),
    ));
    tokio::time::sleep(Duration::from_secs(1)).await;
    cancel.cancel();
    let failure = failure(running.await.unwrap());
    assert_eq!(
        (failure.error.kind(), world.log().len()),
        (ErrorKind::Cancelled, 1)
    );

    let dropped = Arc::new(World::default());
    let running = patient().run(Arc::clone(&dropped), RunOptions::default());
    tokio::time::timeout(Duration::from_secs(1), running)
        .await
        .unwrap_err();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(dropped.log(), ["undone"]);
}
