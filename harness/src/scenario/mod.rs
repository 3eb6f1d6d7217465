//! Scenarios: what is done to a host, in which order, how much of it at once, and what has to come out.
//!
//! A scenario is a TOML file; `docs/scenarios.md` explains the format to those who write them. [`Scenario::parse`]
//! reads one and refuses what it does not understand by file, line and key. [`catalog`] holds those that the
//! binary carries.

pub mod amount;
pub mod catalog;
mod decode;
pub mod deed;
mod error;
pub mod expect;
mod raw;
pub mod selection;
pub mod step;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use uuid::Uuid;

pub use self::amount::Amount;
pub use self::deed::{Deed, RebootKind};
pub use self::error::ScenarioError;
pub use self::expect::{Expect, Makespan, Refusal, RefusalKind, Used};
pub use self::step::{Action, FlavorSpec, ServerSpec, Step, Work};

/// The scenario file format that this version reads (key `format`).
pub const FORMAT: i64 = 1;

/// The most operations that one step may run at a time.
pub const MAX_PARALLEL: usize = 1000;

/// Where the servers of a scenario keep their boot disks (key `disk`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Disk {
    /// Logical units of a shared storage pool, cloned from an image logical unit.
    Ssp,
    /// Virtual disks in a volume group of one Virtual I/O Server.
    Localdisk,
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ssp => "ssp",
            Self::Localdisk => "localdisk",
        })
    }
}

/// Something that a target must have for a scenario to run on it (key `needs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// A shared storage pool that this host belongs to.
    Ssp,
    /// A volume group for virtual disks.
    Localdisk,
    /// A media repository for config drives.
    MediaRepository,
    /// A virtual switch that a shared Ethernet adapter bridges.
    Sea,
    /// Two Virtual I/O Servers or more.
    TwoVios,
    /// A storage that shows volumes to the host.
    Volumes,
    /// A driver that can read the disks of servers: it runs on the management partition of a NovaLink.
    Capture,
    /// Another host that reaches the same pool and the same storage.
    TwoHosts,
}

impl Capability {
    /// Every capability, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Ssp,
        Self::Localdisk,
        Self::MediaRepository,
        Self::Sea,
        Self::TwoVios,
        Self::Volumes,
        Self::Capture,
        Self::TwoHosts,
    ];

    /// The word for it in scenario files and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssp => "ssp",
            Self::Localdisk => "localdisk",
            Self::MediaRepository => "media-repository",
            Self::Sea => "sea",
            Self::TwoVios => "two-vios",
            Self::Volumes => "volumes",
            Self::Capture => "capture",
            Self::TwoHosts => "two-hosts",
        }
    }

    /// The capability of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.name() == name)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A tempest test that a scenario follows: its full dotted name and its idempotent id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TempestTest {
    /// For example `tempest.scenario.test_server_basic_ops.TestServerBasicOps.test_server_basic_ops`.
    pub name: String,
    /// The `idempotent_id` that tempest gives the test and skip lists name it by.
    pub id: Uuid,
}

/// One scenario, checked and ready to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The file's name without `.toml`; what the command line and the reports call it.
    pub name: String,
    /// The file that it was read from; none of those that are built in, which are selected by name.
    pub path: Option<PathBuf>,
    /// One line for people.
    pub title: String,
    /// Why the scenario exists, in a few sentences.
    pub description: String,
    /// The tempest tests that it follows; empty where tempest has none.
    pub follows: Vec<TempestTest>,
    /// Free words to select by, such as `smoke`.
    pub tags: Vec<String>,
    /// What the target must have; a target without it skips the scenario and says so.
    pub needs: BTreeSet<Capability>,
    /// Where boot disks live.
    pub disk: Disk,
    /// The steps, run one after the other.
    pub steps: Vec<Step>,
}

impl Scenario {
    /// Reads a scenario from the text of its file.
    ///
    /// `name` is the file's name without `.toml`, `origin` what an error message calls the file.
    ///
    /// # Errors
    /// [`ScenarioError`] with line, column and key when the text is not TOML, has an unknown key, lacks one, or
    /// says something that makes no sense (an unknown server, a makespan compared with a step that does not
    /// come before, …).
    pub fn parse(name: &str, origin: &str, text: &str) -> Result<Self, ScenarioError> {
        decode::scenario(name, origin, text)
    }

    /// Whether `word` selects this scenario: its name, a tag, a tempest id, or a part of a tempest name.
    #[must_use]
    pub fn matches(&self, word: &str) -> bool {
        self.name == word
            || self.tags.iter().any(|tag| tag == word)
            || self
                .follows
                .iter()
                .any(|test| test.name.contains(word) || test.id.to_string() == word)
    }
}
