//! Work on several threads, its results in the order of the work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// It panicked; the panic's own message is on the standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Panicked;

/// Does all of it. `done` is called after each, with its place.
pub(crate) fn run<C: Sync, T: Send>(
    work: &[C],
    threads: usize,
    run: impl Fn(&C) -> T + Sync,
    done: impl Fn(usize, &Result<T, Panicked>) + Sync,
) -> Vec<Result<T, Panicked>> {
    let next = AtomicUsize::new(0);
    let ended: Mutex<Vec<(usize, Result<T, Panicked>)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, 64) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = work.get(place) else {
                        return;
                    };
                    let outcome = catch_unwind(AssertUnwindSafe(|| run(one)));
                    let outcome = outcome.map_err(|_| Panicked);
                    done(place, &outcome);
                    ended
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((place, outcome));
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(place, _)| *place);
    ended.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::run;

    #[test]
    fn results_keep_their_places_and_a_panic_is_one_of_them() {
        let work: Vec<u32> = (0..40).collect();
        let squares = run(
            &work,
            4,
            |number| {
                assert_ne!(*number, 7, "this one panics");
                number * number
            },
            |_, _| {},
        );
        assert_eq!(squares.len(), 40);
        assert!(squares[7].is_err());
        assert!((0..40).all(|n| n == 7 || squares[n].as_ref().ok() == Some(&work[n].pow(2))));
    }
}
