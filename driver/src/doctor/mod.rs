//! Looks a host over before anything is deployed on it, and says what would stop a deploy.
//!
//! Everything is read; nothing is changed, no job is started. What only a change can show, such as whether the user may
//! make partitions, is named as unknown.

mod finding;
mod host;
mod network;
mod server;
mod storage;

pub use finding::{Diagnosis, Finding, Verdict};

use crate::config::Config;
use crate::rest::Session;

/// Looks at everything that a deploy with this configuration needs. `now` is the time of this machine, in seconds
/// since 1970.
///
/// What cannot be read is a finding too, and keeps only from what depends on it.
pub async fn examine(session: &Session, config: &Config, now: u64) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    server::examine(session, &mut diagnosis).await;
    server::compare_clocks(session, now, &mut diagnosis);
    let Some(system) = host::system(session, config, &mut diagnosis).await else {
        return diagnosis;
    };
    let vioses = host::vioses(session, &system, config, &mut diagnosis).await;
    storage::examine(session, &system, &vioses, config, &mut diagnosis).await;
    network::examine(session, &system, config, &mut diagnosis).await;
    server::examine_permissions(session, &system, &mut diagnosis).await;
    diagnosis
}
