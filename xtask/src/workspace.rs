//! Where the workspace and its build folder are.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// The workspace that xtask was built from.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
    cargo: OsString,
}

impl Workspace {
    /// Asks cargo where the workspace and its target folder are.
    pub(crate) fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask's manifest lies in no folder")?
            .to_path_buf();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut ask = Command::new(&cargo);
        ask.current_dir(&root)
            .args(["metadata", "--no-deps", "--format-version", "1"]);
        let answer = command::stdout(&mut ask)?;
        let metadata: serde_json::Value =
            serde_json::from_str(&answer).context("cargo metadata answered no JSON")?;
        let Some(target) = metadata.get("target_directory").and_then(|t| t.as_str()) else {
            bail!("cargo metadata names no target folder");
        };
        Ok(Self {
            target: PathBuf::from(target),
            root,
            cargo,
        })
    }

    /// The folder of the workspace's Cargo.toml.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that cargo builds into; what xtask fetches lies below it too.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The path of a binary that a debug build of the workspace makes.
    pub(crate) fn debug_binary(&self, name: &str) -> PathBuf {
        self.binary("debug", name)
    }

    /// The path of a binary that a release build makes.
    pub(crate) fn release_binary(&self, name: &str) -> PathBuf {
        self.binary("release", name)
    }

    fn binary(&self, folder: &str, name: &str) -> PathBuf {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        self.target.join(folder).join(file)
    }

    /// A cargo command in the workspace's folder.
    pub(crate) fn cargo<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(&self.root).args(arguments);
        command::without_own_package(&mut command);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_cargo_hears_nothing_of_this_package() {
        let workspace = Workspace {
            root: PathBuf::from("."),
            target: PathBuf::from("target"),
            cargo: "cargo".into(),
        };
        let command = workspace.cargo(["build"]);
        let removed: Vec<_> = command
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        // Cargo sets both for the tests that it runs.
        for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            assert!(removed.iter().any(|gone| gone == name), "{removed:?}");
        }
    }
}
