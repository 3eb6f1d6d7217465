//! Which product a target is.

use std::fmt;

use powervm_driver::rest;
use powervm_simulator::model;

/// The two products that offer the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// A NovaLink partition.
    NovaLink,
    /// A Hardware Management Console.
    Hmc,
}

impl Flavor {
    /// The word for it in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NovaLink => "novalink",
            Self::Hmc => "hmc",
        }
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Flavor> for model::Flavor {
    fn from(flavor: Flavor) -> Self {
        match flavor {
            Flavor::NovaLink => Self::NovaLink,
            Flavor::Hmc => Self::Hmc,
        }
    }
}

impl From<rest::Flavor> for Flavor {
    fn from(flavor: rest::Flavor) -> Self {
        match flavor {
            rest::Flavor::NovaLink => Self::NovaLink,
            rest::Flavor::Hmc => Self::Hmc,
        }
    }
}
