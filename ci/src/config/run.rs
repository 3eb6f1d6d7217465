//! How changes are run.

use std::path::PathBuf;

use serde::Deserialize;

/// `[run]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// Runs at a time.
    pub parallel: usize,
    /// How often a run is tried that could not run at all.
    pub tries: u32,
    /// Seconds before it is tried again.
    pub retry_seconds: u64,
    /// What `powervm-harness ci run` is started with, such as `["sudo", "-u", "nova-change", "--"]` or a container's
    /// program: a change is a stranger's code.
    pub isolation: Vec<String>,
    /// Folder that runs work in, and that keeps what pip downloads; `work` in the CI's own folder without it. What runs
    /// are isolated as has to be able to write into it.
    pub work: Option<PathBuf>,
    /// Where changes are fetched from with git: `refs/changes/NN/N/M` has to be there.
    pub git: String,
    /// The Python to make environments with.
    pub python: PathBuf,
    /// The checkout of this project, for the programs in `conformance/`.
    pub checkout: PathBuf,
    /// Our package for Nova: a wheel, or the folder `nova` of a checkout.
    pub package: PathBuf,
    /// `powervm-sim`; the one beside this program without it.
    pub simulator: Option<PathBuf>,
    /// File that pins the packages that Nova needs; those of the conformance programs without it.
    pub constraints: Option<PathBuf>,
    /// The version that a Nova without tags in its git says it has.
    pub nova_version: String,
    /// Scenarios to run, as for `powervm-harness run`; all without any.
    pub scenarios: Vec<String>,
    /// The programs of `conformance/` that use Nova's API.
    pub programs: Vec<String>,
    /// Hosts and domains whose names do not belong into logs for all to see: `lab.example`.
    pub hidden_hosts: Vec<String>,
    /// How long things may take.
    pub limits: Limits,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            parallel: 1,
            tries: 2,
            retry_seconds: 300,
            isolation: Vec::new(),
            work: None,
            git: "https://opendev.org/openstack/nova".to_owned(),
            python: "python3.11".into(),
            checkout: ".".into(),
            package: "nova".into(),
            simulator: None,
            constraints: None,
            nova_version: "99.0.0".to_owned(),
            scenarios: Vec::new(),
            programs: vec!["nova_today".to_owned()],
            hidden_hosts: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// `[run.limits]`: seconds, and what a process may have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// All of a run.
    pub whole: u64,
    /// Fetching the source.
    pub source: u64,
    /// Making the environment: packages, Nova, our package.
    pub environment: u64,
    /// The scenarios.
    pub scenarios: u64,
    /// Each program.
    pub program: u64,
    /// The largest file that a process may write, in MiB.
    pub file_mib: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            whole: 3600,
            source: 600,
            environment: 1200,
            scenarios: 900,
            program: 1800,
            file_mib: 2048,
        }
    }
}
