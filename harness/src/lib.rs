//! Replays deploy scenarios against a PowerVM endpoint, audits for leaks and reports.
