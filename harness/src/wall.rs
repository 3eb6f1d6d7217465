//! The wall clock and the memory of this process, for the terminal and for limits. Never for reports of
//! embedded runs: these have to be the same on every machine.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use powervm_report::moment::Wall;

/// A moment on the wall clock.
#[derive(Debug, Clone, Copy)]
pub struct WallClock(Instant);

impl WallClock {
    /// Now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "what people wait for is wall time, which a paused clock cannot tell"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The date and time of now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "logs of runs on real hosts tell when they were made"
    )]
    pub fn date() -> Wall {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let micros = since.unwrap_or_default().as_micros();
        Wall::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    /// How long ago that was.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The resident memory of this process in KiB, from `/proc/self/statm`; none where there is no such file.
#[must_use]
pub fn resident_kib() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    resident_pages(&statm).map(|pages| pages.saturating_mul(page_kib()))
}

/// The second field: pages in memory.
fn resident_pages(statm: &str) -> Option<u64> {
    statm.split_whitespace().nth(1)?.parse().ok()
}

/// The size of a page in KiB, from the auxiliary vector (entry 6, `AT_PAGESZ`): 4 on most machines, 64 on POWER.
fn page_kib() -> u64 {
    fs::read("/proc/self/auxv")
        .ok()
        .and_then(|auxv| page_size(&auxv))
        .map_or(4, |bytes| bytes / 1024)
}

fn page_size(auxv: &[u8]) -> Option<u64> {
    let (words, _) = auxv.as_chunks::<8>();
    words.as_chunks::<2>().0.iter().find_map(|[key, value]| {
        (u64::from_ne_bytes(*key) == 6).then(|| u64::from_ne_bytes(*value))
    })
}

#[cfg(test)]
mod tests {
    use super::{page_size, resident_kib, resident_pages};

    #[test]
    fn statm_and_auxv_are_read() {
        assert_eq!(resident_pages("1000 250 30 4 0 5 0\n"), Some(250));
        assert_eq!(resident_pages(""), None);
        let mut auxv = Vec::new();
        for word in [3_u64, 1, 6, 65_536, 0, 0] {
            auxv.extend(word.to_ne_bytes());
        }
        assert_eq!(page_size(&auxv), Some(65_536));
        assert_eq!(page_size(b"short"), None);
        if cfg!(target_os = "linux") {
            assert!(resident_kib().is_some_and(|kib| kib > 500));
        }
    }
}
