//! Programs of the workspace, for tests that start them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `powervm`, built now unless it is there as it should be.
#[allow(
    dead_code,
    reason = "not each test that starts programs starts this one alone"
)]
pub(crate) fn program() -> PathBuf {
    programs().join("powervm")
}

/// The folder with `powervm` and `powervm-sim`, built now unless they are there as they should be.
pub(crate) fn programs() -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args([
        "build",
        "--quiet",
        "--bin",
        "powervm",
        "--bin",
        "powervm-sim",
    ]);
    cargo.args(["-p", "powervm-driver", "-p", "powervm-simulator"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    // What cargo says of this package to the test that it runs: build scripts look at that (ring's does), and most of the
    // workspace would be built anew.
    for (name, _) in env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_")
            || told.starts_with("CARGO_MANIFEST_")
            || told == "OUT_DIR"
        {
            cargo.env_remove(name);
        }
    }
    assert!(
        cargo.status().unwrap().success(),
        "the programs cannot be built"
    );
    let test = env::current_exe().unwrap();
    test.parent().and_then(Path::parent).unwrap().to_owned()
}
