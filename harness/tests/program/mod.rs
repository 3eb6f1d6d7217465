//! `powervm` as a program, for tests that start it.

use std::path::PathBuf;
use std::process::Command;

/// `powervm`, built now unless it is there as it should be.
pub(crate) fn program() -> PathBuf {
    let build = [
        "build",
        "--quiet",
        "-p",
        "powervm-driver",
        "--bin",
        "powervm",
    ];
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(build).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert!(cargo.status().unwrap().success());
    let tests = std::env::current_exe().unwrap();
    tests.ancestors().nth(2).unwrap().join("powervm")
}
