//! Cases on several threads, their results in the order of the cases.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::report::Ended;

/// Runs every case; a panic in one is its failure. `done` is called after each.
pub(super) fn run<C: Sync>(
    cases: &[C],
    threads: usize,
    run: impl Fn(&C) -> Ended + Sync,
    done: &(dyn Fn() + Sync),
) -> Vec<Ended> {
    let next = AtomicUsize::new(0);
    let ended: Mutex<Vec<(usize, Ended)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, 64) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else {
                        return;
                    };
                    let outcome = catch_unwind(AssertUnwindSafe(|| run(case)));
                    let outcome = outcome.unwrap_or_else(|_| Ended {
                        kind: "panic".to_owned(),
                        case: format!("case {number}"),
                        outcome: Err("it panicked".to_owned()),
                    });
                    ended
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((number, outcome));
                    done();
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(number, _)| *number);
    ended.into_iter().map(|(_, ended)| ended).collect()
}
