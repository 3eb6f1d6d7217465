//! What may stand on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::scenario::{Disk, MAX_PARALLEL};

/// Replays deploy scenarios against a PowerVM endpoint, audits for leaks and reports.
///
/// Exit codes: 0 everything passed, 1 something failed or was left behind, 255 could not run (a wrong command line is
/// one of the reasons).
#[derive(Debug, Parser)]
#[command(name = "powervm-harness", version, arg_required_else_help = true)]
pub(super) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios and report.
    Run(Box<Run>),
    /// List the scenarios.
    List(List),
    /// Make reports and a log tree of event logs, and end as the run did.
    Report(Box<Report>),
    /// Look for what was left behind on a host.
    Audit(Audit),
    /// Deploy and delete over and over, and see whether anything breaks, stays or grows.
    Soak(Soak),
    /// Repeat and fail every step and undo of every operation, and let the driver die at every record of its journal.
    Sagas(Matrix),
    /// Let the driver die at every request of every operation, and see whether the next one recovers.
    Crashes(Matrix),
    /// Let every request of every operation fail in every way, and see whether the host stays as it was.
    Faults(Matrix),
    /// A third-party CI: watch Gerrit, run changes of Nova, and vote.
    Ci(powervm_ci::cli::Ci),
}

/// `run`
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Names, tags, tempest names or ids, or paths of .toml files; all scenarios without any.
    pub scenarios: Vec<String>,
    /// Which of them.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// How many scenarios at a time, each on a simulator of its own; embedded only.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub concurrency: u8,
    /// Where to run.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Raw disk image to deploy, a file or an http(s) URL; a small bootable-looking one is made without it.
    #[arg(long, value_name = "FILE|URL")]
    pub image: Option<String>,
    /// Folder for the event log (events.jsonl) and what is made of it: report.html, junit.xml, results.subunit,
    /// report.json.
    #[arg(long, value_name = "DIR", default_value = "target/powervm-harness")]
    pub report: PathBuf,
    /// The commit that is run, for reports; that of the checkout in which it is run without it.
    #[arg(long, env = "POWERVM_COMMIT", value_name = "HASH")]
    pub commit: Option<String>,
    /// Print how long the driver's own steps took as well.
    #[arg(long)]
    pub phases: bool,
    /// Print the JSON report instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Show no progress.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Which scenarios, as tempest's own runner selects tests.
#[derive(Debug, Args)]
pub(super) struct SelectionArguments {
    /// Those that follow a test whose full name, with its id in brackets, this regular expression finds something in;
    /// may be given more than once.
    #[arg(long, value_name = "REGEX")]
    pub like: Vec<String>,
    /// Those that follow a test of this list: an id or a regular expression a line, comments after #.
    #[arg(long, value_name = "FILE")]
    pub include_list: Option<PathBuf>,
    /// Skip those that follow tests of this list alone, and report the comment above them as the reason.
    #[arg(long, value_name = "FILE")]
    pub exclude_list: Option<PathBuf>,
}

/// `report`
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Event logs, in the order in which they are read: a run's own, and those of others that belong to it.
    #[arg(long, value_name = "FILE", required = true)]
    pub from: Vec<PathBuf>,
    /// Write a subunit v2 stream.
    #[arg(long, value_name = "FILE")]
    pub subunit: Option<PathBuf>,
    /// Write JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write one HTML file with everything in it.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Make a log tree in a folder that is empty or not there, scrubbed of secrets and addresses.
    #[arg(long, value_name = "DIR")]
    pub logs: Option<PathBuf>,
    /// What the log tree is called.
    #[arg(long, default_value = "PowerVM", requires = "logs")]
    pub title: String,
    /// The job's console, for the log tree.
    #[arg(long, value_name = "FILE", requires = "logs")]
    pub console: Option<PathBuf>,
    /// Log of a service, for the log tree.
    #[arg(long, value_name = "NAME=FILE", requires = "logs", value_parser = named)]
    pub service: Vec<(String, PathBuf)>,
    /// File of the configuration, for the log tree.
    #[arg(long, value_name = "NAME=FILE", requires = "logs", value_parser = named)]
    pub conf: Vec<(String, PathBuf)>,
    /// Name of a host or domain to be taken out of the log tree.
    #[arg(long, value_name = "NAME", requires = "logs")]
    pub hide_host: Vec<String>,
    /// File with secrets to be taken out of the log tree, one a line.
    #[arg(long, value_name = "FILE", requires = "logs")]
    pub secrets_file: Option<PathBuf>,
    /// Print how long the driver's own steps took as well.
    #[arg(long)]
    pub phases: bool,
    /// Print no table.
    #[arg(long, short)]
    pub quiet: bool,
}

fn named(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(file)))
        }
        _ => Err("has to be NAME=FILE".to_owned()),
    }
}

/// `list`
#[derive(Debug, Args)]
pub(super) struct List {
    /// What to list, as for `run`; all scenarios without any.
    pub scenarios: Vec<String>,
    /// Which of them.
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `audit`
#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Which host.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Write the inventory into a file, to compare with later.
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Compare with an inventory that --save wrote; whatever differs fails the audit.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `soak`
#[derive(Debug, Args)]
pub(super) struct Soak {
    /// How many deploys, each with its delete.
    #[arg(long, default_value_t = 1000)]
    pub deploys: usize,
    /// Instead of deploys alone, mixed load for so many simulated hours: deploys, power, migrations, edits through the
    /// REST API, crashes. Embedded only.
    #[arg(long, value_name = "HOURS", conflicts_with_all = ["deploys", "disk"], value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub hours: Option<u64>,
    /// Deploys with everything that happens to a server: power, moves, volumes and interfaces attached and detached.
    /// Only in stormy weather may some of it fail. Embedded only.
    #[arg(long, conflicts_with_all = ["hours", "disk"])]
    pub mixed: bool,
    /// How many at a time.
    #[arg(long, default_value_t = 10, value_parser = parallel)]
    pub parallel: usize,
    /// Where boot disks go.
    #[arg(long, value_enum, default_value_t = DiskArgument::Ssp)]
    pub disk: DiskArgument,
    /// Where to run.
    #[command(flatten)]
    pub target: TargetArguments,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn parallel(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(parallel) if (1..=MAX_PARALLEL).contains(&parallel) => Ok(parallel),
        _ => Err(format!("has to be 1 to {MAX_PARALLEL}")),
    }
}

/// `sagas`, `crashes` and `faults`
#[derive(Debug, Args)]
pub(super) struct Matrix {
    /// Parts of operations' names, such as `spawn` or `destroy, ssp, hmc`; all operations without any.
    pub operations: Vec<String>,
    /// Strike only every so many of the requests, beginning at one that the seed chooses.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub stride: usize,
    /// One thing at each request instead of everything that can befall it: the kinds in turn.
    #[arg(long)]
    pub in_turn: bool,
    /// Pairs of faults to draw for each operation (faults only).
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub pairs: usize,
    /// Decides identifiers and what is drawn.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Cases at the same time.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub threads: usize,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Where boot disks go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DiskArgument {
    /// The shared storage pool.
    Ssp,
    /// A volume group of one Virtual I/O Server.
    Localdisk,
}

impl From<DiskArgument> for Disk {
    fn from(disk: DiskArgument) -> Self {
        match disk {
            DiskArgument::Ssp => Self::Ssp,
            DiskArgument::Localdisk => Self::Localdisk,
        }
    }
}

/// Which target, and how it is.
#[derive(Debug, Args)]
pub(super) struct TargetArguments {
    /// `embedded` for a simulator in this process, or the URL of an HMC, a NovaLink or a powervm-sim.
    #[arg(long, value_name = "embedded|URL", default_value = "embedded")]
    pub target: String,
    /// Decides names, identifiers and everything random; the same seed gives the same report.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Weather of the embedded simulator: calm, typical, stormy or a weather file.
    #[arg(long, value_name = "W", default_value = "typical")]
    pub weather: String,
    /// Which product the embedded simulator is.
    #[arg(long, value_enum, default_value_t = FlavorArgument::Novalink)]
    pub flavor: FlavorArgument,
    /// Check the embedded simulator's invariants after every change.
    #[arg(long)]
    pub check_invariants: bool,
    /// How an endpoint is reached.
    #[command(flatten)]
    pub endpoint: EndpointArguments,
}

/// How to log on to an endpoint. The password never stands on the command line: it is read from a file or from the
/// environment variable POWERVM_PASSWORD.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Endpoint")]
pub(super) struct EndpointArguments {
    /// User name; without one, the token file of a local NovaLink is used.
    #[arg(long, env = "POWERVM_USER")]
    pub user: Option<String>,
    /// File that holds the password.
    #[arg(long, env = "POWERVM_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// PEM file of the authority that vouches for the endpoint's certificate.
    #[arg(long, env = "POWERVM_CA", value_name = "FILE", conflicts_with_all = ["fingerprint", "insecure"])]
    pub ca: Option<PathBuf>,
    /// SHA-256 fingerprint of the endpoint's certificate.
    #[arg(
        long,
        env = "POWERVM_FINGERPRINT",
        value_name = "HEX",
        conflicts_with = "insecure"
    )]
    pub fingerprint: Option<String>,
    /// Believe any certificate.
    #[arg(long)]
    pub insecure: bool,
    /// Configuration file of the driver; the scenario decides where boot disks go.
    #[arg(long, env = "POWERVM_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Admin API of a powervm-sim, to look at what lies on its disks.
    #[arg(long, env = "POWERVM_ADMIN", value_name = "URL")]
    pub admin: Option<String>,
    /// Volumes for scenarios that attach some: a JSON list of Cinder's connection_info, shown to the host already. With
    /// --admin the simulator's storage makes them.
    #[arg(long, value_name = "FILE")]
    pub volumes: Option<PathBuf>,
    /// Another host that shares pool and storage, for scenarios that move servers: the URL of its NovaLink.
    #[arg(long, value_name = "URL")]
    pub second: Option<String>,
    /// The system of the other host, where its console manages several; without --second, of the same console.
    #[arg(long, value_name = "NAME")]
    pub second_system: Option<String>,
}

/// The products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FlavorArgument {
    /// A NovaLink partition.
    Novalink,
    /// A Hardware Management Console.
    Hmc,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
