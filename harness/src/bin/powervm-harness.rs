//! Replays deploy scenarios against a PowerVM endpoint, audits for leaks and reports.

use std::process::ExitCode;

fn main() -> ExitCode {
    powervm_harness::cli::main()
}
