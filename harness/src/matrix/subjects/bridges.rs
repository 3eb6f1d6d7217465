//! VLANs of network bridges.

use powervm_driver::operations::{BridgeRef, Control, Driver, Prune};

use super::{Entry, Failed, LIMIT, POOL};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "bridge VLANs",
        disks: POOL,
        prepare: |_, _| Box::pin(async { Ok(()) }),
        run: |driver, control| Box::pin(provision(driver, control, &[500, 501])),
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
    // All but one VLAN stay: a trunk adapter that goes with its last one comes back with another address, and pruning
    // again is to find nothing.
    Entry {
        name: "prune VLANs",
        disks: POOL,
        prepare: |driver, control| Box::pin(provision(driver, control, &[500, 501])),
        run: |driver, control| {
            Box::pin(async move {
                let prune = Prune {
                    keep: (1..=4094).filter(|vlan| *vlan != 500).collect(),
                    limit: 1,
                };
                driver
                    .prune(&BridgeRef::Only, &prune, control)
                    .await
                    .map(drop)
            })
        },
        reverse: None,
        failed: Failed::AsBefore,
        limit: LIMIT,
    },
];

async fn provision(
    driver: &Driver,
    control: &Control,
    vlans: &[u16],
) -> powervm_driver::Result<()> {
    let vlans = vlans.iter().copied().collect();
    driver
        .provision(&BridgeRef::Only, &vlans, control)
        .await
        .map(drop)
}
