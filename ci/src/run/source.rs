//! The Nova to run: a change from Gerrit, or a folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::stage::{Site, StageError, last_line};

/// Where a Nova comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A patch set, fetched from a git.
    Change {
        /// The change.
        number: u64,
        /// The patch set.
        patch_set: u32,
        /// The commit that it has to be.
        commit: Option<String>,
    },
    /// A folder with a Nova in it, which stays as it is.
    Folder(PathBuf),
}

/// The name under which Gerrit keeps a patch set: `refs/changes/34/1234/5`.
#[must_use]
pub fn reference(number: u64, patch_set: u32) -> String {
    format!("refs/changes/{:02}/{number}/{patch_set}", number % 100)
}

/// Brings it into `WORK/source`; says where that is, and of a patch set which commit it is.
///
/// # Errors
/// git or the folder does not give it.
pub(super) async fn fetch(
    site: &Site,
    source: &Source,
    git: &str,
    limit: Duration,
) -> Result<(PathBuf, Option<String>), StageError> {
    let folder = site.work.join("source");
    let mut found = None;
    match source {
        Source::Folder(from) => {
            let mut command = site.command("cp");
            command
                .args(["-R", "-P", "--"])
                .arg(from.join("."))
                .arg(&folder);
            std::fs::create_dir_all(&folder).map_err(|error| StageError::Impossible {
                stage: "source".to_owned(),
                why: error.to_string(),
            })?;
            site.run("source", command, limit).await?;
        }
        Source::Change {
            number,
            patch_set,
            commit,
        } => {
            let reference = reference(*number, *patch_set);
            run_git(site, &["init", "--quiet", "source"], &site.work, limit).await?;
            let words = [
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--no-recurse-submodules",
                "--",
                git,
                &reference,
            ];
            run_git(site, &words, &folder, limit).await?;
            run_git(site, &["rev-parse", "FETCH_HEAD"], &folder, limit).await?;
            let fetched = last_line(&site.output("source"));
            if commit.as_ref().is_some_and(|commit| *commit != fetched) {
                return Err(StageError::Impossible {
                    stage: "source".to_owned(),
                    why: format!(
                        "{reference} of {git} is {fetched} and not the patch set's commit"
                    ),
                });
            }
            found = Some(fetched);
            run_git(
                site,
                &["checkout", "--quiet", "--detach", "FETCH_HEAD"],
                &folder,
                limit,
            )
            .await?;
        }
    }
    Ok((folder, found))
}

async fn run_git(
    site: &Site,
    words: &[&str],
    folder: &Path,
    limit: Duration,
) -> Result<(), StageError> {
    let mut command = site.command("git");
    // Nobody's configuration, no hooks, no questions, no programs instead of a network.
    command
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "protocol.ext.allow=never",
        ])
        .args(words)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .current_dir(folder);
    site.run("source", command, limit).await
}

#[cfg(test)]
mod tests {
    use super::reference;

    #[test]
    fn references_are_gerrits() {
        assert_eq!(reference(1234, 5), "refs/changes/34/1234/5");
        assert_eq!(reference(7, 1), "refs/changes/07/7/1");
    }
}
