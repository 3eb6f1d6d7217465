//! `powervm config …`

use clap::Subcommand;

#[derive(Debug, Clone, Subcommand)]
pub(in crate::cli) enum ConfigVerb {
    /// Say everything that is wrong with the configuration, and what it comes to
    ///
    /// Reads the file, the options, the environment and the files that they name, asks no server, and ends with 2 if
    /// something is wrong. Warnings do not count. Of secrets it says where they are, never what they are.
    Check,
    /// List all keys with their values, defaults and meanings
    Keys,
}
