//! `powervm`: makes and manages servers on a PowerVM host.

use std::process::ExitCode;

fn main() -> ExitCode {
    powervm_driver::cli::main()
}
