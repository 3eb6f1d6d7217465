//! Where scenarios run: a simulator in this process, or any endpoint.
//!
//! The engine knows a target only through [`Target`] and a [`Host`] that it opened; what the driver and the
//! simulator call things stays in [`embedded`] and [`remote`].

mod capabilities;
pub mod driven;
pub mod embedded;
mod flavor;
mod host;
pub mod look;
pub mod metered;
pub mod remote;
mod traffic;
mod volumes;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use powervm_driver::rest::CallObserver;
use serde::Serialize;
use thiserror::Error;

use crate::scenario::{Capability, Disk};
use crate::survey::Survey;

pub use self::flavor::Flavor;
pub use self::host::{
    Capacity, Content, Failure, Host, Instance, Order, PhaseWatch, ServerView, Size, Task, Usage,
};
pub(crate) use self::traffic::template;
pub use self::traffic::{Meter, Traffic};
pub use self::volumes::VolumeSource;

/// What a target is, for reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Description {
    /// `embedded` or the endpoint's URL; never a secret.
    pub name: String,
    /// `novalink` or `hmc`.
    pub flavor: String,
    /// The simulator's weather; empty for an endpoint, whose weather is its own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub weather: String,
    /// Whether time is the harness's, so that a run can be repeated to the byte.
    pub virtual_clock: bool,
}

/// A target that cannot be used at all.
#[derive(Debug, Error)]
pub enum TargetError {
    /// The simulator could not be made.
    #[error("cannot start the embedded simulator: {0}")]
    Simulator(String),
    /// The endpoint could not be reached, refused the logon or cannot host what the scenario needs.
    #[error("cannot use {endpoint}: {problem}")]
    Endpoint {
        /// The endpoint.
        endpoint: String,
        /// Why not, and what to do.
        problem: String,
    },
}

/// What a scenario wants opened.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// The scenario's name, for logs.
    pub scenario: &'a str,
    /// Where boot disks go.
    pub disk: Disk,
    /// Whether there have to be two hosts with one pool and one storage.
    pub two_hosts: bool,
}

/// Sees the requests that scenarios bring about.
pub trait CallWatch: Send + Sync {
    /// Who sees those of the scenario of this name.
    fn of_scenario(self: Arc<Self>, name: &str) -> Arc<dyn CallObserver>;
}

/// A place to run scenarios.
pub trait Target: Send + Sync {
    /// What it is.
    fn describe(&self) -> Description;

    /// What it can do, as far as that is known before a host is opened.
    fn capabilities(&self) -> BTreeSet<Capability>;

    /// Opens a host for one scenario. An embedded target makes a fresh one each time.
    fn open<'a>(
        &'a self,
        opening: Opening<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Host>, TargetError>>;

    /// Reads what the REST API shows, without changing anything.
    fn survey(&self) -> BoxFuture<'_, Result<Survey, TargetError>>;
}
