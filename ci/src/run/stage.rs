//! One command of a run: its output in a file, its time and its files bounded.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::process::{self, Ended};

/// Places and limits that all commands of a run share.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The run's own folder: home, temporary files, source and environment are in it.
    pub(super) work: PathBuf,
    /// Where outputs go.
    pub(super) logs: PathBuf,
    /// The largest file that a command may write, in MiB.
    pub(super) file_mib: u64,
    /// When the run began.
    pub(super) begun: Instant,
    /// When all of it has to be over.
    pub(super) until: Instant,
    /// Ends it before.
    pub(super) cancel: CancellationToken,
}

/// Why a command did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StageError {
    /// It ended with another code than 0.
    #[error("{stage} failed ({}): {last}", code.map_or_else(|| "by a signal".to_owned(), |code| format!("code {code}")))]
    Failed {
        /// Which.
        stage: String,
        /// The exit code.
        code: Option<i32>,
        /// The last line of its output.
        last: String,
    },
    /// It took too long.
    #[error("{0} took too long")]
    TimedOut(String),
    /// Nobody wants it any more.
    #[error("it was cancelled")]
    Cancelled,
    /// It cannot be started, or its output cannot be kept.
    #[error("{stage}: {why}")]
    Impossible {
        /// Which.
        stage: String,
        /// What the system said.
        why: String,
    },
}

impl Site {
    /// A command with a clean environment: home and temporary files are in the run's folder.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        // 512 bytes to a block, as POSIX has it; no dumps of memory.
        let blocks = self.file_mib.saturating_mul(2048);
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                "ulimit -c 0; ulimit -f \"$1\"; shift; exec \"$@\"",
                "powervm-ci",
            ])
            .arg(blocks.to_string())
            .arg(program);
        process::cleaned(&mut command);
        command
            .env("HOME", self.work.join("home"))
            .env("TMPDIR", self.work.join("tmp"))
            .env("XDG_CACHE_HOME", self.work.join("tmp"))
            .current_dir(&self.work)
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end within `limit` and what is left of the run; its output goes to the end of `LOGS/stage.txt`.
    ///
    /// # Errors
    /// It did not end with 0.
    pub(super) async fn run(
        &self,
        stage: &str,
        mut command: Command,
        limit: Duration,
    ) -> Result<(), StageError> {
        let impossible = |error: io::Error| StageError::Impossible {
            stage: stage.to_owned(),
            why: error.to_string(),
        };
        let path = self.output(stage);
        let mut output = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(impossible)?;
        writeln!(output, "+ {}", told(&command)).map_err(impossible)?;
        command
            .stdout(output.try_clone().map_err(impossible)?)
            .stderr(output);
        let begun = Instant::now();
        let limit = limit.min(self.until.saturating_duration_since(begun));
        tracing::info!(stage, "begins");
        let ended = process::watched(command, limit, process::GRACE, &self.cancel).await;
        tracing::info!(stage, seconds = begun.elapsed().as_secs(), "is over");
        match ended.map_err(impossible)? {
            Ended::Exited(Some(0)) => Ok(()),
            Ended::Exited(code) => Err(StageError::Failed {
                stage: stage.to_owned(),
                code,
                last: last_words(&path),
            }),
            Ended::TimedOut => Err(StageError::TimedOut(stage.to_owned())),
            Ended::Cancelled => Err(StageError::Cancelled),
        }
    }

    /// The file of a stage's output.
    #[must_use]
    pub(super) fn output(&self, stage: &str) -> PathBuf {
        self.logs.join(format!("{stage}.txt"))
    }
}

/// The words of the command itself, without the shell that sets its limits.
fn told(command: &Command) -> String {
    let words = command
        .get_args()
        .skip(4)
        .map(|word| word.to_string_lossy().into_owned());
    words.collect::<Vec<_>>().join(" ")
}

/// The last line of a file that says anything.
pub(super) fn last_line(path: &Path) -> String {
    let text = end(path);
    bounded(text.lines().rev().find(|line| !line.trim().is_empty()))
}

/// The last line that speaks of an error, for a program may end with a hint; without one, the last line.
fn last_words(path: &Path) -> String {
    let text = end(path);
    // The first line is the command itself.
    let told = |line: &&str| line.to_lowercase().contains("error") && !line.starts_with("+ ");
    match text.lines().rev().find(told) {
        Some(line) => bounded(Some(line)),
        None => last_line(path),
    }
}

fn bounded(line: Option<&str>) -> String {
    let line = line.unwrap_or_default().trim().chars();
    line.filter(|c| !c.is_control()).take(300).collect()
}

/// The end of a file.
fn end(path: &Path) -> String {
    /// Enough for a line.
    const END: u64 = 8192;
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END)))?;
        let mut bytes = Vec::new();
        file.take(END).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(folder: &Path) -> Site {
        for name in ["home", "tmp"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
        }
        Site {
            work: folder.to_owned(),
            logs: folder.to_owned(),
            file_mib: 1,
            begun: Instant::now(),
            until: Instant::now() + Duration::from_secs(60),
            cancel: CancellationToken::new(),
        }
    }

    fn shell(site: &Site, script: &str) -> Command {
        let mut command = site.command("/bin/sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn output_is_kept_and_a_failure_says_its_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let site = site(folder.path());
        let minute = Duration::from_secs(60);
        site.run("a", shell(&site, "echo one; echo \"$HOME\" >&2"), minute)
            .await
            .unwrap();
        let kept = std::fs::read_to_string(site.output("a")).unwrap();
        assert!(kept.starts_with("+ /bin/sh -c echo one;"), "{kept}");
        assert!(kept.contains("one\n") && kept.contains("/home\n"), "{kept}");
        let error = site
            .run("b", shell(&site, "echo why; echo; exit 7"), minute)
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "b failed (code 7): why");
        let script = "echo 'ERROR: no such package'; echo 'hint: see above'; exit 1";
        let error = site
            .run("c", shell(&site, script), minute)
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "c failed (code 1): ERROR: no such package"
        );
    }

    #[tokio::test]
    async fn files_and_time_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut site = site(folder.path());
        let minute = Duration::from_secs(60);
        let script = "exec head -c 3000000 /dev/zero > large";
        let error = site
            .run("large", shell(&site, script), minute)
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                StageError::Failed {
                    code: None | Some(_),
                    ..
                }
            ),
            "{error}"
        );
        let size = std::fs::metadata(folder.path().join("large"))
            .unwrap()
            .len();
        assert!(size <= 1 << 20, "{size}");
        site.until = Instant::now();
        let error = site
            .run("late", shell(&site, "exec sleep 98766"), minute)
            .await
            .unwrap_err();
        assert_eq!(error, StageError::TimedOut("late".to_owned()));
    }
}
