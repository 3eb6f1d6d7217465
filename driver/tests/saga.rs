//! Sagas in a toy world: whatever fails, wherever, and however often something is repeated, the world is in the end
//! as it was, or as it should be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use powervm_driver::saga::{
    Event, Observer, Phase, Rehearsal, RunOptions, Saga, SagaFailure, Step, observe_with,
};
use powervm_driver::{Error, ErrorKind};
use proptest::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// For each step, the steps it comes after, all of them earlier in the list.
type Shape = Vec<Vec<usize>>;

/// Where to go wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// The step does nothing and fails.
    Before(usize),
    /// The step does its work and fails.
    After(usize),
    /// The step does its work and panics.
    Panic(usize),
}

#[derive(Default)]
struct World {
    things: Mutex<BTreeSet<usize>>,
    /// What a correct saga never does.
    violations: Mutex<Vec<String>>,
    /// How many undo calls of a step still fail.
    stubborn: Mutex<BTreeMap<usize, u32>>,
    log: Mutex<Vec<String>>,
}

impl World {
    fn things(&self) -> BTreeSet<usize> {
        self.things.lock().unwrap().clone()
    }

    fn violated(&self, text: String) {
        self.violations.lock().unwrap().push(text);
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn name(step: usize) -> String {
    format!("step {step}")
}

fn broken(step: usize) -> Error {
    Error::operation(ErrorKind::Refused, format!("{} broke", name(step)), "none")
}

/// Steps take 1 to 3 seconds, so branches overlap in many ways.
fn pause(step: usize) -> Duration {
    Duration::from_secs(1 + (step as u64 * 7) % 3)
}

fn saga(shape: &Shape, fault: Fault) -> Saga<World> {
    let mut saga = Saga::new("toy");
    for (step, after) in shape.iter().enumerate() {
        let needs = after.clone();
        let dependents: Vec<usize> = (0..shape.len())
            .filter(|later| shape[*later].contains(&step))
            .collect();
        let action = move |world: Arc<World>| {
            let needs = needs.clone();
            async move {
                for need in needs {
                    if !world.things().contains(&need) {
                        world.violated(format!("{step} ran without {need}"));
                    }
                }
                tokio::time::sleep(pause(step)).await;
                if fault == Fault::Before(step) {
                    return Err(broken(step));
                }
                world.things.lock().unwrap().insert(step);
                world.log.lock().unwrap().push(format!("do {step}"));
                match fault {
                    Fault::After(at) if at == step => Err(broken(step)),
                    Fault::Panic(at) if at == step => panic!("a defect"),
                    _ => Ok(()),
                }
            }
        };
        let undo = move |world: Arc<World>| {
            let dependents = dependents.clone();
            async move {
                for dependent in dependents {
                    let stuck = world.stubborn.lock().unwrap().contains_key(&dependent);
                    if world.things().contains(&dependent) && !stuck {
                        world.violated(format!("{step} was undone before {dependent}"));
                    }
                }
                tokio::time::sleep(pause(step)).await;
                if let Some(left) = world.stubborn.lock().unwrap().get_mut(&step)
                    && *left > 0
                {
                    *left -= 1;
                    return Err(broken(step));
                }
                world.things.lock().unwrap().remove(&step);
                world.log.lock().unwrap().push(format!("undo {step}"));
                Ok(())
            }
        };
        let names: Vec<String> = after.iter().map(|step| name(*step)).collect();
        saga.push(Step::new(name(step), action).undo(undo).after(names));
    }
    saga
}

async fn run(shape: &Shape, fault: Fault, options: RunOptions) -> (Arc<World>, Result<(), Error>) {
    let world = Arc::new(World::default());
    let result = saga(shape, fault).run(Arc::clone(&world), options).await;
    assert_eq!(
        *world.violations.lock().unwrap(),
        Vec::<String>::new(),
        "{shape:?} {fault:?}"
    );
    (world, result)
}

fn failure(result: Result<(), Error>) -> Arc<SagaFailure> {
    match result {
        Err(Error::Saga(failure)) => failure,
        other => panic!("a saga's failure, not {other:?}"),
    }
}

/// disk and network side by side, then mapping, then power.
fn diamond() -> Shape {
    vec![vec![], vec![0], vec![0], vec![1, 2], vec![3]]
}

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

/// A journal that can refuse.
struct Journal {
    entries: Mutex<Vec<Event>>,
    refuse: fn(&Event) -> bool,
}

impl Observer for Journal {
    fn observe<'a>(
        &'a self,
        event: &'a Event,
    ) -> futures_util::future::BoxFuture<'a, Result<(), Error>> {
        self.entries.lock().unwrap().push(event.clone());
        let refused = (self.refuse)(event);
        Box::pin(async move { if refused { Err(broken(99)) } else { Ok(()) } })
    }
}

#[derive(serde::Serialize, Default)]
struct Deploy {
    disk: Mutex<Option<String>>,
}

fn deploy() -> Saga<Deploy> {
    let make = |deploy: Arc<Deploy>| async move {
        *deploy.disk.lock().unwrap() = Some("lu1".to_owned());
        Ok(())
    };
    let unmake = |deploy: Arc<Deploy>| async move {
        *deploy.disk.lock().unwrap() = None;
        Ok(())
    };
    let saga = Saga::new("deploy").step(Step::new("disk", make).undo(unmake));
    saga.step(Step::new("power", |_| async { Err(broken(0)) }).after(["disk"]))
        .journaled()
}

#[tokio::test]
async fn a_journal_sees_the_context_with_every_event_and_reads_it_back() {
    let journal = Arc::new(Journal {
        entries: Mutex::default(),
        refuse: |_| false,
    });
    let options = RunOptions::default().observer(Arc::clone(&journal) as Arc<dyn Observer>);
    deploy().run(Arc::default(), options).await.unwrap_err();
    let entries = journal.entries.lock().unwrap().clone();
    let story: Vec<String> = entries
        .iter()
        .map(|event| {
            let json = serde_json::to_value(event).unwrap();
            assert_eq!(
                &serde_json::from_value::<Event>(json.clone()).unwrap(),
                event
            );
            format!(
                "{} {} {}",
                json["step"], json["phase"], json["context"]["disk"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        story,
        [
            "disk begin null",
            "disk end lu1",
            "power begin lu1",
            "power failed lu1",
            "disk undo_begin lu1",
            "disk undo_end null"
        ]
    );
}

#[tokio::test]
async fn a_saga_never_runs_ahead_of_its_journal() {
    let refusals: [fn(&Event) -> bool; 2] = [
        |event| event.phase == Phase::Begin,
        |event| matches!(event.phase, Phase::End { .. }),
    ];
    for refuse in refusals {
        let journal = Arc::new(Journal {
            entries: Mutex::default(),
            refuse,
        });
        let context = Arc::new(Deploy::default());
        let options = RunOptions::default().observer(journal as Arc<dyn Observer>);
        let failure = failure(deploy().run(Arc::clone(&context), options).await);
        assert_eq!(failure.step.as_deref(), Some("disk"));
        assert_eq!(*context.disk.lock().unwrap(), None);
    }
}

#[tokio::test]
async fn a_journal_that_fails_while_undoing_stops_nothing() {
    let refuse = |event: &Event| {
        matches!(
            event.phase,
            Phase::UndoBegin | Phase::UndoEnd { .. } | Phase::Failed { .. }
        )
    };
    let journal = Arc::new(Journal {
        entries: Mutex::default(),
        refuse,
    });
    let context = Arc::new(Deploy::default());
    let options = RunOptions::default().observer(journal as Arc<dyn Observer>);
    let failure = failure(deploy().run(Arc::clone(&context), options).await);
    assert_eq!(
        (failure.step.as_deref(), failure.left_behind.len()),
        (Some("power"), 0)
    );
    assert_eq!(*context.disk.lock().unwrap(), None);
}
