//! What has to come out of a step.

use std::fmt;

use serde::Serialize;

/// Why an operation was refused, in words that do not depend on who refused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalKind {
    /// The host has not enough memory left.
    NoMemory,
    /// The host has not enough processors left.
    NoProcessors,
    /// The pool or volume group has not enough space left.
    NoSpace,
    /// A partition of that name exists already.
    NameInUse,
    /// The flavor asks for something that no host could give.
    BadFlavor,
    /// There is no such server.
    NotFound,
    /// The operation was cancelled.
    Cancelled,
    /// Anything else.
    Other,
}

impl RefusalKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::NoMemory,
        Self::NoProcessors,
        Self::NoSpace,
        Self::NameInUse,
        Self::BadFlavor,
        Self::NotFound,
        Self::Cancelled,
        Self::Other,
    ];

    /// The word for it in scenario files and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoMemory => "no-memory",
            Self::NoProcessors => "no-processors",
            Self::NoSpace => "no-space",
            Self::NameInUse => "name-in-use",
            Self::BadFlavor => "bad-flavor",
            Self::NotFound => "not-found",
            Self::Cancelled => "cancelled",
            Self::Other => "other",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Operations of the step that have to be refused (key `expect.refused`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// Text that the message must hold, whatever the case.
    pub message: Option<String>,
    /// How many of the step's operations; all of them without it.
    pub count: Option<usize>,
}

/// A bound on a step's makespan, relative to an earlier step of the scenario (key `expect.makespan`).
#[derive(Debug, Clone, PartialEq)]
pub struct Makespan {
    /// The most that the makespan may be, as a multiple of the other step's.
    pub times: f64,
    /// The name of the earlier step.
    pub of: String,
    /// The weathers that the bound is meant for; all of them when empty.
    pub weather: Vec<String>,
}

/// What has to come out of a step; the default is that every operation succeeds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expect {
    /// Which operations have to be refused; every other one has to succeed.
    pub refused: Option<Refusal>,
    /// The partition state afterwards, as the REST API spells it (`running`, `not activated`).
    pub state: Option<String>,
    /// Servers that the host lists afterwards.
    pub listed: Vec<String>,
    /// Servers that the host does not list afterwards.
    pub absent: Vec<String>,
    /// The whole inventory afterwards is the one before the step.
    pub untouched: bool,
    /// The longest that the step may take, in seconds.
    pub within_s: Option<f64>,
    /// The longest that the step may take, relative to an earlier one.
    pub makespan: Option<Makespan>,
    /// How many images the step uploads, exactly.
    pub image_uploads: Option<u64>,
    /// The most mapping writes to any one Virtual I/O Server, divided by the step's operations.
    pub mapping_writes: Option<f64>,
    /// The most HTTP requests, divided by the step's operations.
    pub requests: Option<f64>,
    /// The number of the host that the servers are on afterwards.
    pub host: Option<usize>,
    /// What the driver counts as in use beyond what was in use before the scenario.
    pub used: Option<Used>,
}

/// What is in use of a host (key `expect.used`); what is not named is not compared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Used {
    /// Processing units of running servers.
    pub proc_units: Option<f64>,
    /// Memory of servers in MB.
    pub memory_mb: Option<i64>,
    /// Space of boot disks and images in whole GB.
    pub disk_gb: Option<i64>,
}
