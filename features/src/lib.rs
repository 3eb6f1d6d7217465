//! One set of features of the dependencies, whichever part of the workspace is built.
//!
//! Cargo builds a dependency with the features that the packages of one command ask for. Tests ask for more than programs
//! do, so that `cargo test --workspace` and then `cargo build -p powervm-driver` built most of it twice. This crate is empty
//! and asks for all of them (docs/decisions/dependencies.md); a test of `xtask` tells what it lacks.
