//! `cargo xtask fuzz`: the fuzz targets, each for a while.
//!
//! cargo-fuzz is looked for and otherwise built, pinned, below the target folder. A stable toolchain will do: the
//! compiler is told to take the few unstable options that cargo-fuzz passes.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::command;
use crate::workspace::Workspace;

/// The targets of `fuzz/targets`, with what their inputs may be long at most, in bytes.
const TARGETS: &[(&str, u32)] = &[
    ("xml", 4096),
    ("url", 1024),
    ("search", 512),
    ("quick", 256),
    ("document", 4096),
    ("edit", 128),
    ("inventory", 4096),
    ("state", 4096),
    ("weather", 4096),
];

const VERSION: &str = "0.13.1";

/// What to fuzz, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these targets (the files of fuzz/targets), all without it.
    #[arg(value_name = "TARGET", value_parser = known_target)]
    targets: Vec<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

fn known_target(name: &str) -> Result<String, String> {
    if TARGETS.iter().any(|(target, _)| *target == name) {
        return Ok(name.to_owned());
    }
    let names: Vec<_> = TARGETS.iter().map(|(target, _)| *target).collect();
    Err(format!("the targets are {}", names.join(", ")))
}

/// Runs the targets one after the other; goes on after a finding, and fails at the end if there was one.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let path = tools(workspace)?;
    let work = workspace.target().join("fuzz");
    let mut found = Vec::new();
    for (name, longest) in TARGETS {
        if !options.targets.is_empty() && !options.targets.iter().any(|target| target == name) {
            continue;
        }
        let corpus = corpus(workspace, &work, name)?;
        let artifacts = work.join("findings").join(name);
        fs::create_dir_all(&artifacts)?;
        let mut fuzz = cargo_fuzz(workspace, &path);
        fuzz.args(["run", "--fuzz-dir"])
            .arg(workspace.root().join("fuzz"))
            .arg("--target-dir")
            .arg(&work)
            .arg(name)
            .arg(&corpus)
            .arg(workspace.root().join("fuzz").join("seeds").join(name))
            .arg("--")
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(format!("-max_total_time={}", options.seconds))
            .arg(format!("-max_len={longest}"))
            // One input takes no longer than this, and no more memory.
            .args(["-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"]);
        if let Err(error) = command::run(&mut fuzz) {
            eprintln!("{name}: {error:#}; the input is in {}", artifacts.display());
            found.push(*name);
        }
    }
    if !found.is_empty() {
        bail!(
            "findings in {}: make each a test, then mend it",
            found.join(", ")
        );
    }
    println!("no findings");
    Ok(())
}

/// The folder in which a target's inputs grow from run to run, with what the project has of its kind.
fn corpus(workspace: &Workspace, work: &Path, name: &str) -> Result<PathBuf> {
    let corpus = work.join("corpus").join(name);
    fs::create_dir_all(&corpus).with_context(|| format!("cannot make {}", corpus.display()))?;
    if name == "inventory" {
        let example = workspace
            .root()
            .join("simulator/src/inventory/example.toml");
        fs::copy(&example, corpus.join("example"))
            .with_context(|| format!("cannot copy {}", example.display()))?;
    }
    Ok(corpus)
}

/// The search path with cargo-fuzz on it.
fn tools(workspace: &Workspace) -> Result<OsString> {
    let own = workspace.target().join("tools");
    let usual = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(own.join("bin")).chain(env::split_paths(&usual));
    let path = env::join_paths(folders).context("the search path cannot be extended")?;
    let there = cargo_fuzz(workspace, &path)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        let mut install =
            workspace.cargo(["install", "cargo-fuzz", "--locked", "--version", VERSION]);
        command::run(install.arg("--root").arg(&own))
            .context("cargo-fuzz cannot be built; is the package registry reachable?")?;
    }
    Ok(path)
}

fn cargo_fuzz(workspace: &Workspace, path: &OsString) -> Command {
    let mut command = workspace.cargo(["fuzz"]);
    command.env("PATH", path).env("RUSTC_BOOTSTRAP", "1");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_program_and_seeds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        for (name, _) in TARGETS {
            assert!(fuzz.join(format!("targets/{name}.rs")).is_file(), "{name}");
            let seeds = fs::read_dir(fuzz.join("seeds").join(name)).unwrap();
            assert!(seeds.count() > 0, "{name}");
        }
        let programs = fs::read_dir(fuzz.join("targets")).unwrap().count();
        assert_eq!(programs, TARGETS.len());
    }

    #[test]
    fn an_unknown_target_is_refused_with_the_names() {
        let error = known_target("json").unwrap_err();
        assert!(error.contains("inventory"), "{error}");
    }
}
