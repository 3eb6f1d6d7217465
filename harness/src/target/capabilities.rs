//! What an endpoint has, so that scenarios which need more are skipped with a reason.

use std::collections::BTreeSet;

use powervm_driver::Result;
use powervm_driver::config::Config;
use powervm_driver::rest::{Groups, Session};
use powervm_schema::network::VirtualSwitch;
use powervm_schema::system::ManagedSystem;

use crate::scenario::Capability;
use crate::survey::Survey;

/// The capabilities of the host behind a session, driven with this configuration.
pub(super) async fn of(session: &Session, config: &Config) -> Result<BTreeSet<Capability>> {
    let survey = Survey::read(session).await?;
    let mut found = BTreeSet::new();
    let servers = survey
        .partitions
        .iter()
        .filter(|partition| partition.is_vios)
        .count();
    if servers >= 2 {
        found.insert(Capability::TwoVios);
    }
    if !survey.pools.is_empty() {
        found.insert(Capability::Ssp);
    }
    let group = |name: &str| survey.volume_groups.iter().any(|group| group.name == name);
    if group(&config.volume_group_name) {
        found.insert(Capability::Localdisk);
    }
    let has_repository = survey
        .volume_groups
        .iter()
        .any(|group| group.repository.is_some());
    if has_repository || group(&config.vopt_media_volume_group) {
        found.insert(Capability::MediaRepository);
    }
    if has_default_switch(session).await? {
        found.insert(Capability::Sea);
    }
    Ok(found)
}

/// Whether a system has the switch that shared Ethernet adapters bridge by default.
async fn has_default_switch(session: &Session) -> Result<bool> {
    for system in session
        .get_feed("ManagedSystem", Groups::None)
        .await?
        .entries
    {
        tracing::debug!(
            name = ManagedSystem(&system.content).name(),
            "looking for the default switch"
        );
        let path = format!("ManagedSystem/{}/VirtualSwitch", system.id);
        let switches = session.get_feed(&path, Groups::None).await?.entries;
        let is_default = |name: &str| name.starts_with("ETHERNET0");
        if switches.iter().any(|switch| {
            VirtualSwitch(&switch.content)
                .name()
                .is_some_and(is_default)
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}
