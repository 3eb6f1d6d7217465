//! Options of the VNC repeater: `vnc_use_x509_auth` and its certificates.

use std::fs::File;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Problem, secret_file};

/// The options of the `[powervm]` group that concern the VNC repeater.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct VncOptions {
    /// Whether who connects is asked for TLS (VeNCrypt, x509None).
    pub vnc_use_x509_auth: bool,
    /// Authorities whose certificates clients have to show; empty for none.
    pub vnc_ca_certs: PathBuf,
    /// The repeater's certificate, with those between it and its authority.
    pub vnc_server_cert: PathBuf,
    /// The key of that certificate.
    pub vnc_server_key: PathBuf,
}

impl VncOptions {
    /// What contradicts what.
    pub(super) fn contradictions(&self) -> Vec<Problem> {
        let needed = [
            ("vnc_server_cert", &self.vnc_server_cert),
            ("vnc_server_key", &self.vnc_server_key),
        ];
        let missing = needed
            .iter()
            .filter(|(_, path)| self.vnc_use_x509_auth && path.as_os_str().is_empty());
        missing
            .map(|(key, _)| Problem::of("vnc_use_x509_auth", format!("needs {key}")))
            .collect()
    }

    /// What is wrong with the files, where they are used.
    pub(super) fn file_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (key, path) in [
            ("vnc_ca_certs", &self.vnc_ca_certs),
            ("vnc_server_cert", &self.vnc_server_cert),
        ] {
            let is_used = self.vnc_use_x509_auth && !path.as_os_str().is_empty();
            if is_used && let Err(error) = File::open(path) {
                let what = format!("the file {} cannot be read: {error}", path.display());
                problems.push(Problem::of(key, what));
            }
        }
        if self.vnc_use_x509_auth {
            if !self.vnc_server_key.as_os_str().is_empty() {
                problems.extend(secret_file("vnc_server_key", &self.vnc_server_key));
            }
            if self.vnc_ca_certs.as_os_str().is_empty() {
                let what = "is empty: whoever reaches the repeater is let in, though encrypted";
                problems.push(Problem::odd("vnc_ca_certs", what));
            }
        }
        problems
    }
}
