//! Emulates the PowerVM REST API of an HMC or a NovaLink on sockets.

use std::process::ExitCode;

use clap::Parser as _;
use powervm_simulator::cli::{Cli, main as run};

fn main() -> ExitCode {
    run(Cli::parse())
}
