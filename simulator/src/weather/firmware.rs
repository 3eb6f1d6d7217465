//! Errors that firmware, Virtual I/O Servers and consoles are known to give, by their codes.
//!
//! Texts are short versions of what the products say (`docs/protocol/errors.md`); clients decide by the code alone.

use super::UNKNOWN_ERROR;
use crate::http::Problem;
use crate::model::Refusal;
use crate::model::job::gate::Fate;

/// One known error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirmwareError {
    /// Such as `HSCL3205`.
    pub code: &'static str,
    /// The HTTP status that it comes with when a request is refused.
    pub status: u16,
    /// What it says after its code.
    pub text: &'static str,
}

/// Every known error.
pub const KNOWN: &[FirmwareError] = &[
    error(
        "HSCL03EC",
        500,
        "There is not enough memory to obtain the requested configuration.",
    ),
    error(
        "HSCL03F4",
        500,
        "There are not enough processing resources available to complete the operation.",
    ),
    error(
        "HSCL05DE",
        500,
        "The partition name is already used by another partition.",
    ),
    error(
        "HSCL05DF",
        500,
        "The partition is not in a state under which this operation can be performed. Check the state of the partition.",
    ),
    error(
        "HSCL05EA",
        500,
        "The partition must be in the Not Activated state.",
    ),
    error("HSCL0617", 500, "A value of the request is not valid."),
    error(
        "HSCL0622",
        500,
        "The number of virtual processors does not go with the processing units.",
    ),
    error(
        "HSCL0831",
        500,
        "The managed system cannot be powered off while partitions are running.",
    ),
    error(
        "HSCL0DB4",
        500,
        "The operating system cannot be shut down: there is no active RMC connection.",
    ),
    error(
        "HSCL1257",
        500,
        "The limit of promiscuous logical ports of the physical port has been reached.",
    ),
    error("HSCL127D", 500, "The SR-IOV logical port operation failed."),
    error(
        "HSCL151B",
        500,
        "The partition cannot be deleted because a virtual terminal session is open.",
    ),
    error(
        "HSCL1558",
        500,
        "The operation is not available in the current state of the partition.",
    ),
    error(
        "HSCL2929",
        500,
        "The dynamic removal of I/O resources failed. The OS return code is 255.",
    ),
    error(
        "HSCL294C",
        500,
        "The dynamic operation needs an active RMC connection to the partition.",
    ),
    error(
        "HSCL294D",
        500,
        "The dynamic removal of virtual I/O resources failed. The OS return code is 1.",
    ),
    error(
        "HSCL2957",
        500,
        "Either there is no RMC connection between the management console and the partition, or the partition does not support dynamic partitioning operations.",
    ),
    error(
        "HSCL2970",
        500,
        "The IOServer command has failed because of the following reason: rc=1",
    ),
    error(
        "HSCL3205",
        500,
        "The Virtual I/O Server is busy processing some other request. Please retry the operation after sometime.",
    ),
    error(
        "HSCL350B",
        500,
        "The user does not have the authority for this operation.",
    ),
    error(
        "HSCL3653",
        500,
        "The Secure Shell communication between the management consoles is not configured.",
    ),
    error(
        "HSCL365C",
        500,
        "The partition could not be suspended in time.",
    ),
    error(
        "HSCL3680",
        500,
        "The partition cannot be activated without a profile: it has no current configuration.",
    ),
    error(
        "HSCL3681",
        500,
        "The partition cannot be activated: it is not in the Not Activated state.",
    ),
    error(
        "HSCL8012",
        500,
        "The partition was not found on the managed system.",
    ),
    error(
        "HSCLA246",
        500,
        "The management console cannot communicate with the partition.",
    ),
    error(
        "HSCLA2CF",
        500,
        "The migration of the partition failed: the partition could not be suspended.",
    ),
    error(
        "HSCLA319",
        500,
        "The virtual Fibre Channel client adapter cannot be hosted by any Virtual I/O Server of the destination managed system.",
    ),
    error(
        "HSCLB022",
        500,
        "The mapping of the virtual Fibre Channel client adapter is not valid.",
    ),
    error(
        "HSCLB023",
        500,
        "The virtual Fibre Channel server adapter was not found.",
    ),
    error(
        "HSCLC63B",
        500,
        "The description must have printable ASCII characters only.",
    ),
    error("PVME01042026", 500, "The partition is already powered on."),
    error(
        "PVME01050402",
        500,
        "The operating system cannot be shut down.",
    ),
    error("PVME01050901", 500, "The partition is already powered off."),
    error(
        "PVME01050905",
        500,
        "The operating system cannot be shut down: there is no active RMC connection.",
    ),
    error("PVME04000005", 500, "The partition is already powered off."),
    error("REST0001", 400, "The request body is not valid."),
    error(
        "REST000B",
        400,
        "The URL presented to the Management Console REST Web Services is not valid.",
    ),
    error("REST0126", 500, "The operation failed."),
    error(
        "REST012A",
        500,
        "Cannot modify Maximum Memory in current state.",
    ),
    error(
        "REST0140",
        500,
        "Invalid Partition Type associated with LogicalPartition",
    ),
    error(
        "REST026C",
        400,
        "The maximum number of event requests has been exceeded.",
    ),
    error(
        "VIOS0014",
        500,
        "Unable to send command to VIOS at this moment. VIOS is busy processing some other request. Please retry the operation after sometime.",
    ),
    error(
        "VIOSE03FF0000-0149",
        500,
        "An unhandled firmware error occurred.",
    ),
];

const fn error(code: &'static str, status: u16, text: &'static str) -> FirmwareError {
    FirmwareError { code, status, text }
}

impl FirmwareError {
    /// The error with this code, if it is known.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        KNOWN.iter().copied().find(|known| known.code == code)
    }

    /// Code and text.
    #[must_use]
    pub fn message(self) -> String {
        format!("{} {}", self.code, self.text)
    }

    /// What a request is refused with. Codes of the hypervisor come wrapped in `REST0126`, as on real servers.
    #[must_use]
    pub fn problem(self) -> Problem {
        let wrapped = self.code.starts_with("HSCL") && !self.code.starts_with("HSCL3205");
        if wrapped && self.status == 500 {
            return Refusal::logic(self.message()).into();
        }
        Problem::new(self.status, UNKNOWN_ERROR, self.message())
    }

    /// How a job ends with it.
    #[must_use]
    pub fn fate(self) -> Fate {
        Fate::Failed(self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_known_once_and_in_order() {
        assert!(KNOWN.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(FirmwareError::find("HSCL9999"), None);
    }

    #[test]
    fn busy_is_told_as_it_is_and_logic_is_wrapped() {
        let message = |code| FirmwareError::find(code).unwrap().problem().message;
        assert!(message("HSCL3205").starts_with("HSCL3205 "));
        assert!(message("VIOS0014").contains("is busy processing some other request"));
        assert!(message("HSCL05DE").starts_with("REST0126 HSCL05DE "));
    }
}
