//! The parts of a live migration, as Nova's two compute services ask for them.
//!
//! What one host has found goes to the other as the driver's own [`MigrationData`], in JSON: Nova only carries it.

use powervm_driver::operations::Metadata;
use powervm_driver::operations::{
    ConsoleAccess, Control, DestinationHost, Driver, MigrationData, MigrationOptions, NovaMethod,
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::operations::tell;
use crate::request::{One, connections, read};
use crate::trouble::Trouble;

/// A server that may come to this host.
#[derive(Debug, Deserialize)]
struct Coming {
    instance: Uuid,
    /// How the other console reaches this host's.
    address: Option<String>,
    /// The user there.
    user: Option<String>,
}

/// A server on its way.
#[derive(Debug, Deserialize)]
struct Passage {
    data: MigrationData,
    #[serde(default)]
    volumes: Vec<Value>,
    /// Whether the destination has to place memory and processors as well as the source does.
    #[serde(default)]
    affinity: bool,
}

/// A server that has come.
#[derive(Debug, Deserialize)]
struct Landing {
    instance: Uuid,
    /// What is known of its migration: nothing after a restart of the compute service.
    data: Option<MigrationData>,
    #[serde(default)]
    volumes: Vec<Value>,
    #[serde(default)]
    metadata: Metadata,
}

/// Does it, if the operation is a part of a live migration; gives nothing for other names.
///
/// # Errors
/// A request that cannot be read, and what the operation fails with.
pub(crate) async fn perform(
    driver: &Driver,
    name: &str,
    request: &Value,
    control: &Control,
) -> Result<Option<Value>, Trouble> {
    match name {
        "check_migration_destination" => {
            let asked: Coming = read(request)?;
            let own = ConsoleAccess::default();
            let access = ConsoleAccess {
                address: asked.address,
                user: asked.user.unwrap_or(own.user),
            };
            let checked = driver.check_migration_destination(asked.instance, access);
            tell(checked.await?)
        }
        "check_migration_source" => {
            let asked: Passage = read(request)?;
            tell(driver.check_migration_source(asked.data).await?)
        }
        "pre_live_migration" => {
            let asked: Passage = read(request)?;
            let volumes = connections(&asked.volumes)?;
            let prepared = driver.pre_live_migration(asked.data, &volumes, control);
            tell(prepared.await?)
        }
        "live_migration" => {
            let asked: Passage = read(request)?;
            let volumes = connections(&asked.volumes)?;
            let options = MigrationOptions {
                affinity: asked.affinity,
                // As the known clients have it: whoever owns the bridges makes the VLAN when the server is there.
                override_vlan_bridge: true,
                ..MigrationOptions::default()
            };
            let moved = driver.live_migration(&asked.data, &volumes, &options, control);
            tell(moved.await?)
        }
        "abort_live_migration" => {
            let asked: One = read(request)?;
            tell(driver.live_migration_abort(asked.instance, control).await?)
        }
        "leave_behind" => {
            let asked: Passage = read(request)?;
            let volumes = connections(&asked.volumes)?;
            let tidied = driver.post_live_migration_at_source(&asked.data, &volumes);
            tell(tidied.await?)
        }
        "receive" => {
            let asked: Landing = read(request)?;
            let volumes = connections(&asked.volumes)?;
            let data = asked.data.unwrap_or_else(|| unknown(asked.instance));
            let come = driver.post_live_migration_at_destination(&data, &volumes, &asked.metadata);
            tell(come.await?)
        }
        "rollback_live_migration" => {
            let asked: Passage = read(request)?;
            let volumes = connections(&asked.volumes)?;
            let back =
                driver.rollback_live_migration_at_destination(&asked.data, &volumes, control);
            tell(back.await?)
        }
        _ => return Ok(None),
    }
    .map(Some)
}

/// What Nova asked for when it is such an operation.
pub(crate) fn method(name: &str) -> Option<NovaMethod> {
    Some(match name {
        "check_migration_destination" | "check_migration_source" => NovaMethod::CheckLiveMigration,
        "pre_live_migration" => NovaMethod::PreLiveMigration,
        "live_migration" | "rollback_live_migration" => NovaMethod::LiveMigration,
        "abort_live_migration" => NovaMethod::AbortLiveMigration,
        "leave_behind" | "receive" => NovaMethod::PostLiveMigration,
        _ => return None,
    })
}

/// Of a migration of which only the server is known.
fn unknown(instance: Uuid) -> MigrationData {
    MigrationData {
        instance,
        destination: DestinationHost {
            system: String::new(),
            system_uuid: String::new(),
            console: String::new(),
            access: ConsoleAccess::default(),
            memory_region_mb: 0,
            compatibility_modes: Vec::new(),
            takes_ibmi: false,
            pool: None,
        },
        source: None,
        prepared: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn data_of_a_migration_survive_their_way_through_nova() {
        let data = unknown(Uuid::from_u128(7));
        let text = serde_json::to_string(&json!({"data": data, "affinity": true})).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        let passage: Passage = read(&told).unwrap();
        assert_eq!(passage.data, data);
        assert!(passage.affinity && passage.volumes.is_empty());
    }

    #[test]
    fn each_part_is_a_method_of_novas() {
        assert_eq!(method("receive"), Some(NovaMethod::PostLiveMigration));
        assert_eq!(method("spawn"), None);
    }
}
