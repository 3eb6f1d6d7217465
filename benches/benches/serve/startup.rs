//! From the start of the process until it says that it serves.

use anyhow::Result;

use crate::Effort;
use crate::process::Server;
use crate::report::Report;

/// Partitions, how they are spread, and the goal in seconds.
const ROOMS: [(&str, &[&str], f64); 2] = [
    (
        "1,000",
        &["--flavor", "hmc", "--systems", "2", "--partitions", "500"],
        0.2,
    ),
    (
        "10,000",
        &["--flavor", "hmc", "--systems", "20", "--partitions", "500"],
        2.0,
    ),
];

pub(crate) fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    report.part(
        "Start",
        "wall seconds from starting powervm-sim to its ready line; the best of several, for neighbours slow it down",
    );
    for (partitions, arguments, goal) in ROOMS {
        let mut times = Vec::new();
        for _ in 0..effort.starts {
            times.push(Server::simulator(arguments)?.took.as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or(f64::NAN);
        let best = times.first().copied().unwrap_or(f64::NAN);
        report.figure(
            &format!("{partitions} partitions, median of {} [s]", times.len()),
            format!("{median:.3}"),
        );
        report.at_most(&format!("{partitions} partitions, best [s]"), best, goal);
    }
    Ok(())
}
