//! One driver a host: whoever changes a system holds its serial number on this machine.
//!
//! A journal's own lock keeps two processes from one journal; this keeps two with journals of their own, or one that
//! comes through the HMC and one through NovaLink, from one system. `docs/decisions/host-lock.md` says why it is a
//! name of a socket, and what it cannot see.

use std::io;

use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// A system that no other driver of this machine may change while this is held. The kernel lets go of it with the
/// process, however that ends.
#[derive(Debug)]
pub(super) struct HostLock {
    machine: String,
    #[cfg(target_os = "linux")]
    _name: std::os::unix::net::UnixListener,
}

impl HostLock {
    /// Takes the system with this machine type, model and serial number. `space` tells systems apart that bear the
    /// same number, as simulated ones do.
    ///
    /// # Errors
    /// Another process has it.
    pub(super) fn take(machine: &str, space: &str) -> Result<Self> {
        let digest = Sha256::digest(format!("{space}\n{machine}"));
        let digest: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self::named(machine, &format!("powervm-driver-{digest}")).map_err(|error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                return Error::operation(
                    ErrorKind::Precondition,
                    format!("another powervm driver of this machine works on the system {machine}"),
                    "wait until it has ended, or stop it; where it is another system with the same number, as \
                     simulated ones have, give each a host_lock of its own",
                );
            }
            Error::caused(
                ErrorKind::Local,
                format!("the system {machine} cannot be locked on this machine"),
                "see whether this process may open sockets",
                error,
            )
        })
    }

    #[cfg(target_os = "linux")]
    fn named(machine: &str, name: &str) -> io::Result<Self> {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixListener};
        let address = SocketAddr::from_abstract_name(name)?;
        Ok(Self {
            machine: machine.to_owned(),
            _name: UnixListener::bind_addr(&address)?,
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn named(machine: &str, _: &str) -> io::Result<Self> {
        tracing::warn!(
            machine,
            "nothing keeps other drivers of this machine away: it is no Linux"
        );
        Ok(Self {
            machine: machine.to_owned(),
        })
    }

    /// The system that it is about.
    pub(super) fn machine(&self) -> &str {
        &self.machine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_held_by_one_and_let_go_of() {
        let take = |machine| HostLock::take(machine, "host_lock::tests");
        let held = take("8247-22L*1").unwrap();
        let error = take("8247-22L*1").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Precondition);
        assert!(error.to_string().contains("8247-22L*1"), "{error}");
        let _other = take("8247-22L*2").unwrap();
        let _elsewhere = HostLock::take("8247-22L*1", "host_lock::tests, elsewhere").unwrap();
        drop(held);
        take("8247-22L*1").unwrap();
    }
}
