//! The steps of a scenario.

use std::collections::BTreeMap;
use std::fmt;

use super::amount::Amount;
use super::deed::Deed;
use super::expect::Expect;

/// The size of a server.
#[derive(Debug, Clone, PartialEq)]
pub struct FlavorSpec {
    /// Virtual processors.
    pub vcpus: u32,
    /// Memory in MB.
    pub memory_mb: Amount,
    /// Boot disk in GB; 0 takes the image's size.
    pub root_gb: Amount,
    /// Extra specs of the flavor, with their `powervm:` prefix.
    pub extra_specs: BTreeMap<String, String>,
}

impl Default for FlavorSpec {
    fn default() -> Self {
        Self {
            vcpus: 1,
            memory_mb: Amount::Exactly(512),
            root_gb: Amount::Exactly(1),
            extra_specs: BTreeMap::new(),
        }
    }
}

/// What a server is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerSpec {
    /// Its size.
    pub flavor: FlavorSpec,
    /// The VLANs of its interfaces, in their order.
    pub networks: Vec<u16>,
    /// Whether it gets a config drive.
    pub config_drive: bool,
    /// Whether it is powered on at the end of the deploy.
    pub power_on: bool,
    /// Which image it boots from: servers of a scenario with the same word here share one image, with another word
    /// they have another image of the same content.
    pub image: String,
    /// The server of this scenario whose partition name it takes instead of its own, to provoke a clash.
    pub named_like: Option<String>,
    /// The volume that it boots from, by its word; it has no disk of its own then.
    pub boot_volume: Option<String>,
    /// More volumes that it has from the start.
    pub volumes: Vec<String>,
    /// The number of the host that it is deployed on: 1 or 2.
    pub host: usize,
    /// The phase, as the driver names it, at whose beginning the deploy is broken off: what has been made by then is the
    /// same at any pace of the host.
    pub cancel_in: Option<String>,
}

impl Default for ServerSpec {
    fn default() -> Self {
        Self {
            flavor: FlavorSpec::default(),
            networks: vec![1],
            config_drive: true,
            power_on: true,
            image: "main".to_owned(),
            named_like: None,
            boot_volume: None,
            volumes: Vec::new(),
            host: 1,
            cancel_in: None,
        }
    }
}

/// What is done to a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Deploy it.
    Create(Box<ServerSpec>),
    /// Read it and compare it with its flavor.
    Show,
    /// Do something else to it.
    Do(Deed),
    /// Delete it with everything that belongs to it.
    Delete,
}

impl Action {
    /// The word for it in scenario files and reports.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Show => "show",
            Self::Do(deed) => deed.verb(),
            Self::Delete => "delete",
        }
    }
}

/// One action on one server or, in parallel, on `server-1` to `server-n`.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The server, as the scenario names it.
    pub server: String,
    /// How many servers at once; 1 is the server itself, more are numbered from 1.
    pub parallel: usize,
    /// What is done.
    pub action: Action,
}

impl Work {
    /// The names of the servers that the work is done to.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        if self.parallel == 1 {
            vec![self.server.clone()]
        } else {
            (1..=self.parallel)
                .map(|number| format!("{}-{number}", self.server))
                .collect()
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.verb(), self.server)?;
        if self.parallel > 1 {
            write!(f, " ×{}", self.parallel)
        } else {
            Ok(())
        }
    }
}

/// One step: work that begins at once, and what has to come out of it. Without work it only looks (`list`).
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name, unique in the scenario.
    pub name: String,
    /// Everything that is done at the same time.
    pub work: Vec<Work>,
    /// What has to come out.
    pub expect: Expect,
}

impl Step {
    /// What the step does, in one word: its verb, `list`, or `together` for several kinds of work.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self.work.as_slice() {
            [] => "list",
            [work] => work.action.verb(),
            _ => "together",
        }
    }

    /// How many operations the step begins.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.work.iter().map(|work| work.parallel).sum()
    }
}
