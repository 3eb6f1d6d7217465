//! A virtual environment with the change's Nova and our package.
//!
//! What is pinned and ours comes first, through the cache that runs share; then the change's own code runs for the first
//! time, and from then on nothing is written into that cache by us.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::stage::{Site, StageError};
use crate::config::RunConfig;

/// The name of the stage, and of its output.
pub(super) const STAGE: &str = "environment";
/// The stage in which a change's code runs first.
pub(super) const INSTALL: &str = "install";

/// What builds Nova's package: the one that a new environment brings is too old for its licence field.
const BUILDS: &str = "setuptools>=77,<82";

/// Makes `WORK/env` with everything but Nova; gives its Python.
///
/// # Errors
/// Python, pip or the package index does not do it: that says nothing of the change.
pub(super) async fn prepare(
    site: &Site,
    config: &RunConfig,
    cache: &Path,
) -> Result<PathBuf, StageError> {
    let limit = Duration::from_secs(config.limits.environment);
    let mut venv = site.command(&config.python);
    venv.args(["-m", "venv", "env"]);
    site.run(STAGE, venv, limit).await?;
    let python = site.work.join("env").join("bin").join("python");
    pin(site, config)?;
    let mut packages = pip(site, &python);
    packages.args(["--cache-dir"]).arg(cache).args([
        "--only-binary",
        ":all:",
        BUILDS,
        "--requirement",
        "pinned.txt",
    ]);
    site.run(STAGE, packages, limit).await?;
    let mut ours = pip(site, &python);
    // A folder needs maturin and cargo; an operator gives a wheel.
    ours.args(["--no-deps", "--no-build-isolation", "--cache-dir"])
        .arg(cache)
        .arg(&config.package);
    site.run(STAGE, ours, limit).await?;
    Ok(python)
}

/// Installs the change's Nova.
///
/// # Errors
/// It cannot be installed, which is the change's own doing.
pub(super) async fn install(
    site: &Site,
    config: &RunConfig,
    python: &Path,
    source: &Path,
) -> Result<(), StageError> {
    let limit = Duration::from_secs(config.limits.environment);
    let mut nova = pip(site, python);
    nova.args(["--no-build-isolation", "--no-cache-dir"])
        .args(["--constraint", "pinned.txt"])
        .arg(source);
    if !source.join("PKG-INFO").is_file() {
        // A shallow clone has no tags to tell its version by.
        nova.env("PBR_VERSION", &config.nova_version);
    }
    site.run(INSTALL, nova, limit).await?;
    let mut check = site.command(python);
    check.args(["-m", "pip", "--disable-pip-version-check", "freeze"]);
    site.run("packages", check, limit).await
}

fn pip(site: &Site, python: &Path) -> Command {
    let mut command = site.command(python);
    command
        .args([
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            "install",
            "--quiet",
            // Few of the modules are ever imported.
            "--no-compile",
        ])
        .env("PIP_CONFIG_FILE", "/etc/pip.conf");
    command
}

/// What is pinned, without Nova itself.
fn pin(site: &Site, config: &RunConfig) -> Result<(), StageError> {
    let requirements = config
        .checkout
        .join("conformance")
        .join("requirements")
        .join("nova-today.txt");
    let path = config.constraints.as_ref().unwrap_or(&requirements);
    let impossible = |path: &Path, error: std::io::Error| StageError::Impossible {
        stage: STAGE.to_owned(),
        why: format!("{}: {error}", path.display()),
    };
    let text = fs::read_to_string(path).map_err(|error| impossible(path, error))?;
    let target = site.work.join("pinned.txt");
    fs::write(&target, without_nova(&text)).map_err(|error| impossible(&target, error))
}

fn without_nova(text: &str) -> String {
    let is_nova = |line: &str| {
        let name: String = line
            .trim()
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect();
        name.eq_ignore_ascii_case("nova")
    };
    text.lines()
        .filter(|line| !is_nova(line))
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::without_nova;

    #[test]
    fn nova_comes_from_the_change_and_nowhere_else() {
        let text = "# nova 34\nnova==34.0.0\nNova >= 3\npython-novaclient==1\noslo.log==8\n";
        assert_eq!(
            without_nova(text),
            "# nova 34\npython-novaclient==1\noslo.log==8\n"
        );
    }
}
