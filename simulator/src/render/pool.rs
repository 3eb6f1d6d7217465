//! `SharedStoragePool`, `Tier` and `LogicalUnit`. Recordings `ssp`, `tier`, `lufeed`.

use super::context::Context;
use super::writer::{CUD, CUR, ROR, UOM};
use super::{physical_volume, storage};
use crate::model::pool::{LogicalUnit, SharedStoragePool, Tier};

/// `SharedStoragePool`. Its logical units are those of all its tiers.
pub(crate) fn render(cx: &Context<'_>, pool: &SharedStoragePool) -> String {
    let tiers: Vec<_> = cx.world.tiers_of(pool.uuid).collect();
    let units: usize = tiers.iter().map(|tier| tier.units.len()).sum();
    let mut w = cx.writer(4096 + units * 768);
    w.root(
        "SharedStoragePool",
        UOM,
        Some((&pool.uuid.to_string(), cx.created())),
        |w| {
            w.section("LogicalUnits", CUD, |w| {
                for unit in tiers.iter().flat_map(|tier| tier.units.values()) {
                    w.member("LogicalUnit", |w| storage::logical_unit_properties(w, unit));
                }
            });
            w.value("MultiDataTierConfigured", CUD, tiers.len() > 1);
            w.flag("MultiFailureGroupConfigured", CUD, false);
            w.section("PhysicalVolumes", CUR, |w| {
                for volume in &pool.physical_volumes {
                    physical_volume::write_of_pool(w, volume, true);
                }
            });
            w.value("Capacity", CUR, pool.capacity);
            w.value("FreeSpace", CUR, cx.world.free_in_pool(pool.uuid));
            w.value(
                "OverCommitSpace",
                CUR,
                cx.world.overcommitted_by_pool(pool.uuid),
            );
            w.value(
                "TotalLogicalUnitSize",
                CUR,
                cx.world.promised_by_pool(pool.uuid),
            );
            w.value(
                "AlertThreshold",
                CUD,
                format_args!("{}%", pool.alert_threshold),
            );
            w.text("StoragePoolName", CUR, &pool.name);
            w.text("UniqueDeviceID", ROR, &pool.udid);
            let own = |tier: &Tier| {
                cx.href(&format!(
                    "SharedStoragePool/{}/Tier/{}",
                    pool.uuid, tier.uuid
                ))
            };
            // Both links in the cassette `refresher.yml`; `ssp` is of an older schema.
            w.links(
                "AssociatedTiers",
                CUD.since("V1_3_0"),
                tiers.iter().map(|tier| own(tier)),
            );
            w.reference(
                "AssociatedCluster",
                CUD.since("V1_3_0"),
                &cx.href(&format!("Cluster/{}", pool.cluster)),
            );
        },
    );
    w.finish()
}

/// `Tier`. Its failure group holds the pool's volumes.
pub(crate) fn render_tier(cx: &Context<'_>, tier: &Tier) -> String {
    let mut w = cx.writer(4096);
    let (required, read, default) = (
        CUR.since("V1_3_0"),
        ROR.since("V1_3_0"),
        CUD.since("V1_3_0"),
    );
    w.root(
        "Tier",
        UOM,
        Some((&tier.uuid.to_string(), cx.created())),
        |w| {
            w.text("Name", required, &tier.name);
            w.text("UniqueDeviceID", read, &tier.udid);
            w.text(
                "Type",
                default,
                if tier.is_default {
                    "UnrestrictedSystemTier"
                } else {
                    "UserTier"
                },
            );
            w.value("IsDefault", default, tier.is_default);
            w.value("Capacity", read, tier.capacity);
            w.text("MirrorState", read, "NotMirrored");
            let pool = cx.world.pools.get(&tier.pool);
            w.section("FailureGroups", default, |w| {
                w.member("FailureGroup", |w| {
                    w.text("Name", required, &tier.failure_group);
                    w.text("UniqueDeviceID", read, &tier.failure_group_udid);
                    w.value("Capacity", read, tier.capacity);
                    w.text("State", read, "Online");
                    w.section("PhysicalVolumes", default, |w| {
                        for volume in pool.iter().flat_map(|pool| &pool.physical_volumes) {
                            physical_volume::write_of_pool(w, volume, true);
                        }
                    });
                });
            });
            if let Some(pool) = pool {
                let path = format!("Cluster/{}/SharedStoragePool/{}", pool.cluster, pool.uuid);
                w.reference("AssociatedSharedStoragePool", default, &cx.href(&path));
            }
        },
    );
    w.finish()
}

/// `LogicalUnit`, a child of its tier.
pub(crate) fn render_unit(cx: &Context<'_>, unit: &LogicalUnit) -> String {
    let mut w = cx.writer(1536);
    w.root(
        "LogicalUnit",
        UOM,
        Some((&unit.uuid.to_string(), cx.created())),
        |w| {
            storage::logical_unit_properties(w, unit);
        },
    );
    w.finish()
}
