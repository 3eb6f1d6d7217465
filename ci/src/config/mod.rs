//! The configuration: one TOML file. Unknown keys are refused by their names; `docs/third-party-ci.md` shows one whole.

mod check;
mod gerrit;
mod run;
mod vote;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use gerrit::{GerritConfig, StreamConfig};
pub use run::{Limits, RunConfig};
pub use vote::VoteConfig;

/// Largest file, in bytes.
const MOST_BYTES: u64 = 1 << 20;

/// Everything that an operator can say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What the CI is called: `recheck NAME` asks for it, jobs and the tag of its comments begin with it. Lower-case
    /// letters, digits, `-` and `_`.
    pub name: String,
    /// The page that tells who runs it, which every comment links to.
    pub contact: String,
    /// Folder of its own: the queue, the folders that runs work in, what pip downloads.
    pub state: PathBuf,
    /// Folder that a web server shows: each run has a folder in it.
    pub logs: PathBuf,
    /// The address of that folder.
    pub logs_url: String,
    /// Where changes come from; a run of a folder does without.
    #[serde(default)]
    pub gerrit: GerritConfig,
    /// Events over ssh, beside asking now and then.
    #[serde(default)]
    pub stream: Option<StreamConfig>,
    /// What is said in Gerrit.
    #[serde(default)]
    pub vote: VoteConfig,
    /// How changes are run.
    #[serde(default)]
    pub run: RunConfig,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// It is no TOML, has a key that there is not, lacks one or has one of another kind.
    #[error("the configuration {}: {error}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line, key and what is wrong.
        error: Box<toml::de::Error>,
    },
    /// Values that cannot be meant.
    #[error("the configuration {}: {}", path.display(), problems.join("; "))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// One sentence each.
        problems: Vec<String>,
    },
}

impl Config {
    /// Reads and checks a file. Relative paths in it count from its folder.
    ///
    /// # Errors
    /// It cannot be read, has keys that there are not, or values that cannot be meant.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        };
        if fs::metadata(path).map_err(unreadable)?.len() > MOST_BYTES {
            return Err(ConfigError::Invalid {
                path: path.to_owned(),
                problems: vec![format!("it has more than {MOST_BYTES} bytes")],
            });
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Wrong {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        config.resolve(&folder);
        let problems = config.problems();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError::Invalid {
                path: path.to_owned(),
                problems,
            })
        }
    }

    fn resolve(&mut self, folder: &Path) {
        let run = &mut self.run;
        let stream = self.stream.as_mut();
        let mut paths: Vec<&mut PathBuf> = vec![&mut self.state, &mut self.logs];
        paths.extend(self.gerrit.password_file.as_mut());
        paths.extend(self.gerrit.ca.as_mut());
        if let Some(stream) = stream {
            paths.extend(stream.key.as_mut());
            paths.push(&mut stream.known_hosts);
        }
        paths.extend([&mut run.checkout, &mut run.package]);
        paths.extend(run.simulator.as_mut());
        paths.extend(run.work.as_mut());
        paths.extend(run.constraints.as_mut());
        for path in paths {
            *path = folder.join(&*path);
        }
    }

    /// The file of the queue.
    #[must_use]
    pub fn queue_file(&self) -> PathBuf {
        self.state.join("queue.redb")
    }

    /// The folder that runs work in.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.run
            .work
            .clone()
            .unwrap_or_else(|| self.state.join("work"))
    }

    /// The address of a run's logs.
    #[must_use]
    pub fn logs_of(&self, run: &str) -> String {
        format!("{}/{run}/", self.logs_url.trim_end_matches('/'))
    }
}
