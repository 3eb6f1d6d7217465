//! Our own package for Nova, installed as an operator does it.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command;
use crate::python::Python;
use crate::workspace::Workspace;

/// `pip install ./nova` into this environment, which has Nova and maturin.
///
/// Built without optimisation, so that what cargo has built of the driver serves for it as well.
///
/// # Errors
/// What pip, maturin and cargo say.
pub(crate) fn install(workspace: &Workspace, python: &Python) -> Result<()> {
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
            .args(["--config-settings", "build-args=--profile dev"])
            .arg(workspace.root().join("nova"))
            .env("PATH", paths)
            .env("CARGO_TARGET_DIR", workspace.target()),
    )
    .context("our package for Nova could not be installed")
}
