//! `powervm-sim inventory`: examples, the schema, and inventories made of recordings.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;

use crate::inventory::{self, Inventory};
use crate::recording::read_all;

/// What to do with inventories.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print an inventory with everything that one can hold, with comments.
    Example,
    /// Print the JSON schema of inventory files.
    Schema,
    /// Make an inventory of recorded documents of a real host, and print it.
    #[command(after_help = IMPORT_HELP)]
    Import {
        /// Recordings: of powervm-sim record, VCR cassettes, pypowervm's test data, bare XML; or folders of them.
        #[arg(value_name = "RECORDING", required = true)]
        recordings: Vec<PathBuf>,

        /// Only the managed system with this name or UUID.
        #[arg(long, value_name = "SYSTEM")]
        system: Option<String>,

        /// File to write the inventory to; standard output if absent.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

const IMPORT_HELP: &str = "\
What the inventory cannot express, or what the documents do not say, is told on standard error.

Examples:
  powervm-sim inventory import session.jsonl --output host.toml
  powervm-sim serve --flavor hmc --inventory host.toml";

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Example => print(inventory::EXAMPLE),
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&Inventory::schema())?;
            print(&format!("{schema}\n"))
        }
        Command::Import {
            recordings,
            system,
            output,
        } => {
            let recording = read_all(recordings)?;
            let imported = inventory::import(&recording, system.as_deref())?;
            for remark in &imported.remarks {
                eprintln!("powervm-sim: {remark}");
            }
            let text = imported.to_toml()?;
            match output {
                Some(path) => std::fs::write(path, text)
                    .with_context(|| format!("{} cannot be written", path.display())),
                None => print(&text),
            }
        }
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has read enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => done.context("standard output cannot be written"),
    }
}
