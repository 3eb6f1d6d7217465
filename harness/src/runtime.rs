//! The runtimes that scenarios run on.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A runtime with a clock that the run owns, for embedded targets: whenever everything waits, the clock jumps to the
/// next moment that somebody waits for, so minutes of weather take seconds. One thread, and one helper thread that
/// keeps blocking work in its order, so that a seed repeats a run.
///
/// # Errors
/// When the system gives no threads or no event queue.
pub fn virtual_clock() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
}

/// A runtime on the machine's clock, for endpoints.
///
/// # Errors
/// As [`virtual_clock`].
pub fn machine_clock() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::virtual_clock;
    use crate::wall::WallClock;

    #[test]
    fn an_hour_passes_at_once() {
        let wall = WallClock::start();
        let runtime = virtual_clock().expect("a runtime");
        runtime.block_on(async { tokio::time::sleep(Duration::from_secs(3600)).await });
        assert!(wall.elapsed() < Duration::from_secs(60));
    }
}
