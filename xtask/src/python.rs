//! Python for the parts that need it: pip downloads and virtual environments.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// Which Python a program needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Python 3.11 or newer.
    Recent,
    /// Python 3.11, neither older nor newer: the pinned libraries of Nova need one that is newer than 3.10, and
    /// pypowervm's session hook a module of the standard library that 3.12 has no more.
    Exactly311,
}

/// The version that everything runs on, and the only one for [`Wanted::Exactly311`].
const VERSION: (u32, u32) = (3, 11);

/// What to do where Python is missing, in whole or in part.
const INSTALL: &str = "install Python 3.11 with pip and venv (Debian 12: apt-get install python3 python3-pip \
                       python3-venv; elsewhere: pyenv install 3.11), or name it with PYTHON=/path/to/python3.11";

/// A Python interpreter that has been tried.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// Finds a Python with venv (and pip): the one that the environment variable PYTHON names, or the first that will do
    /// of python3, python3.11 and those that pyenv has.
    ///
    /// # Errors
    /// What was tried, and why each of them will not do.
    pub(crate) fn find(wanted: Wanted) -> Result<Self> {
        let candidates = match env::var_os("PYTHON") {
            Some(named) => vec![PathBuf::from(named)],
            None => candidates(&pyenv()),
        };
        let mut refused = Vec::new();
        for program in candidates {
            let python = Self { program };
            match python.check(wanted) {
                Ok(()) => return Ok(python),
                Err(error) => refused.push(format!("  {}: {error}", python.program.display())),
            }
        }
        let needed = match wanted {
            Wanted::Recent => "Python 3.11 or newer",
            Wanted::Exactly311 => "Python 3.11 (no older, no newer)",
        };
        bail!(
            "{needed} is needed and was not found: {INSTALL}. Tried:\n{}",
            refused.join("\n")
        )
    }

    fn check(&self, wanted: Wanted) -> Result<()> {
        let version = match self.ask("import sys; print(*sys.version_info[:2])") {
            Ok(version) => version,
            Err(error) => bail!("{}", error.to_string().lines().next().unwrap_or_default()),
        };
        check_version(&version, wanted)?;
        // A virtual environment brings a pip of its own.
        let (modules, lacking) = match wanted {
            Wanted::Recent => ("import ensurepip, pip, venv", "it has no pip or no venv"),
            Wanted::Exactly311 => ("import ensurepip, venv", "it has no venv"),
        };
        if self.ask(modules).is_err() {
            bail!(lacking);
        }
        Ok(())
    }

    fn ask(&self, program: &str) -> Result<String> {
        command::stdout(Command::new(&self.program).args(["-c", program]))
    }

    /// The interpreter.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// A command that starts this interpreter.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // pip starts cargo.
        command::without_own_package(&mut command);
        command
    }

    /// The virtual environment in `folder` with what `requirements` pins, made anew when the
    /// requirements or this Python have changed since it was made.
    pub(crate) fn environment(&self, folder: &Path, requirements: &Path) -> Result<Self> {
        let program = if cfg!(windows) {
            folder.join("Scripts").join("python.exe")
        } else {
            folder.join("bin").join("python")
        };
        let environment = Self { program };
        let pinned = fs::read_to_string(requirements)
            .with_context(|| format!("cannot read {}", requirements.display()))?;
        let version = self.ask("import sys; print('# Python', sys.version)")?;
        let wanted = format!("{version}{pinned}");
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

/// Refuses a version text such as "3 9" that is not what is wanted.
fn check_version(text: &str, wanted: Wanted) -> Result<()> {
    let mut numbers = text.split_whitespace().map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        bail!("it told its version as {text:?}");
    };
    let will_do = match wanted {
        Wanted::Recent => (major, minor) >= VERSION,
        Wanted::Exactly311 => (major, minor) == VERSION,
    };
    if !will_do {
        bail!("it is version {major}.{minor}");
    }
    Ok(())
}

/// Where pyenv keeps its versions, whether or not there is a pyenv.
fn pyenv() -> PathBuf {
    let root = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv"));
    root.or_else(home).unwrap_or_default().join("versions")
}

/// The programs to try, best first.
fn candidates(pyenv: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["python3", "python3.11"].map(PathBuf::from).into();
    let versions = fs::read_dir(pyenv).into_iter().flatten().flatten();
    let mut kept: Vec<PathBuf> = versions
        .filter(|version| version.file_name().to_string_lossy().starts_with("3.11"))
        .map(|version| version.path().join("bin").join("python3.11"))
        .collect();
    kept.sort();
    found.extend(kept);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_strange_versions_are_refused() {
        assert!(check_version("3 11\n", Wanted::Recent).is_ok());
        assert!(check_version("4 0", Wanted::Recent).is_ok());
        for text in ["3 9", "2 7", "PyPy", ""] {
            assert!(check_version(text, Wanted::Recent).is_err(), "{text}");
            assert!(check_version(text, Wanted::Exactly311).is_err(), "{text}");
        }
    }

    #[test]
    fn nova_gets_its_version_and_no_newer_one() {
        assert!(check_version("3 11", Wanted::Exactly311).is_ok());
        let error = check_version("3 12", Wanted::Exactly311).unwrap_err();
        assert_eq!(error.to_string(), "it is version 3.12");
    }

    #[test]
    fn the_versions_of_pyenv_are_tried_after_those_in_the_path() {
        let folder = env::temp_dir().join(format!("xtask-pyenv-{}", std::process::id()));
        for version in ["3.10.13", "3.11.7", "3.12.1"] {
            fs::create_dir_all(folder.join(version)).unwrap();
        }
        let found = candidates(&folder);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(
            found,
            [
                PathBuf::from("python3"),
                PathBuf::from("python3.11"),
                folder.join("3.11.7").join("bin").join("python3.11"),
            ]
        );
        assert_eq!(candidates(Path::new("/nowhere/at/all")).len(), 2);
    }
}
