//! Our own package for Nova, installed as an operator does it.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command;
use crate::python::Python;
use crate::workspace::Workspace;

/// The profile without optimisation.
pub(crate) const DEV: &str = "dev";
/// The profile that is measured.
pub(crate) const RELEASE: &str = "release";

/// `pip install ./nova` into this environment, which has Nova and maturin, built with a profile of cargo's: with
/// [`DEV`] what cargo has built of the driver for tests serves for it as well.
///
/// # Errors
/// What pip, maturin and cargo say.
pub(crate) fn install(workspace: &Workspace, python: &Python, profile: &str) -> Result<()> {
    let programs = python.program().parent().map(PathBuf::from);
    let paths = env::var_os("PATH").unwrap_or_default();
    let paths = programs.into_iter().chain(env::split_paths(&paths));
    let paths = env::join_paths(paths).context("PATH cannot be set")?;
    command::run(
        python
            .command()
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            .args(["--no-deps", "--no-build-isolation", "--force-reinstall"])
            .args([
                "--config-settings",
                &format!("build-args=--profile {profile}"),
            ])
            .arg(workspace.root().join("nova"))
            .env("PATH", paths)
            .env("CARGO_TARGET_DIR", workspace.target()),
    )
    .context("our package for Nova could not be installed")
}
