//! How often an update is tried against others' changes, and how long to wait in between.

use std::time::Duration;

use crate::rest::Session;

/// Updates that are tried before a conflict is reported.
pub(super) const TRIES: u32 = 60;
/// Updates that are tried again after an answer was lost. Reading tells whether the change was made.
pub(super) const LOST_ANSWERS: u32 = 2;

/// Least and longest pause after this many failed tries, in milliseconds: none for the first ten, then in growing
/// random bands, as the clients do that this driver shares its servers with.
fn band(failed: u32) -> (u64, u64) {
    match failed {
        0..=10 => (0, 0),
        11..=20 => (0, 1_000),
        21..=30 => (500, 4_000),
        31..=40 => (2_000, 13_000),
        41..=50 => (6_500, 30_000),
        _ => (0, 60_000),
    }
}

/// Waits before the next try.
pub(super) async fn pause(session: &Session, failed: u32) {
    let (least, most) = band(failed);
    if most > 0 {
        let (least, most) = (Duration::from_millis(least), Duration::from_millis(most));
        tokio::time::sleep(session.jitter().between(least, most)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_in_bands() {
        let longest: Vec<u64> = [1, 10, 11, 21, 31, 41, 51, 60]
            .map(|failed| band(failed).1)
            .to_vec();
        assert_eq!(
            longest,
            [0, 0, 1_000, 4_000, 13_000, 30_000, 60_000, 60_000]
        );
    }
}
