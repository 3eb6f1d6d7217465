//! Python for the parts that need it: pip downloads and virtual environments.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// The oldest Python that the pinned clients install on.
const OLDEST: (u32, u32) = (3, 11);

/// What to do where Python is missing, in whole or in part.
const INSTALL: &str = "install Python 3.11 or newer with pip and venv \
                       (Debian, Ubuntu: apt-get install python3 python3-pip python3-venv)";

/// A Python interpreter that has been tried.
#[derive(Debug)]
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// Finds python3 (or what the environment variable PYTHON names) and checks its version
    /// and that it has pip and venv.
    pub(crate) fn find() -> Result<Self> {
        let program = env::var_os("PYTHON").map_or_else(|| "python3".into(), PathBuf::from);
        let python = Self { program };
        let version = python
            .ask("import sys; print(*sys.version_info[:2])")
            .with_context(|| format!("no usable Python: {INSTALL}"))?;
        check_version(&version)?;
        python
            .ask("import ensurepip, pip, venv")
            .with_context(|| format!("this Python has no pip or no venv: {INSTALL}"))?;
        Ok(python)
    }

    fn ask(&self, program: &str) -> Result<String> {
        command::stdout(Command::new(&self.program).args(["-c", program]))
    }

    /// A command that starts this interpreter.
    pub(crate) fn command(&self) -> Command {
        Command::new(&self.program)
    }

    /// The virtual environment in `folder` with what `requirements` pins, made anew when the
    /// requirements have changed since it was made.
    pub(crate) fn environment(&self, folder: &Path, requirements: &Path) -> Result<Self> {
        let program = if cfg!(windows) {
            folder.join("Scripts").join("python.exe")
        } else {
            folder.join("bin").join("python")
        };
        let environment = Self { program };
        let wanted = fs::read_to_string(requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let stamp = folder.join("requirements.installed");
        let installed = fs::read_to_string(&stamp).unwrap_or_default();
        if installed == wanted && environment.ask("").is_ok() {
            return Ok(environment);
        }
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        command::run(self.command().args(["-m", "venv"]).arg(folder))?;
        command::run(
            environment
                .command()
                .args(["-m", "pip", "install", "--quiet"])
                .args(["--disable-pip-version-check", "--only-binary", ":all:"])
                .arg("--requirement")
                .arg(requirements),
        )
        .context(
            "pip could not install the pinned clients: is the Python package index reachable?",
        )?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(environment)
    }
}

/// Refuses a version text such as "3 9" that is older than [`OLDEST`].
fn check_version(text: &str) -> Result<()> {
    let mut numbers = text.split_whitespace().map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        bail!("python3 told its version as {text:?}: {INSTALL}");
    };
    if (major, minor) < OLDEST {
        bail!("python3 is version {major}.{minor}: {INSTALL}, or name another with PYTHON=...");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_strange_versions_are_refused() {
        assert!(check_version("3 11\n").is_ok());
        assert!(check_version("4 0").is_ok());
        assert!(check_version("3 9").is_err());
        assert!(check_version("2 7").is_err());
        assert!(check_version("PyPy").is_err());
        assert!(check_version("").is_err());
    }
}
