//! Quick properties: whatever a URL asks for, what comes is JSON or a refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use powervm_fuzz::{Room, text};

const OWNERS: [&str; 5] = ["LogicalPartition/$P", "VirtualIOServer/$V", "ManagedSystem/$S", "Tier/$T", "LogicalPartition"];

fuzz_target!(|data: &[u8]| {
    let Some(path) = text(data) else { return };
    for room in Room::both() {
        for owner in OWNERS {
            if let Ok(target) = room.target(&format!("uom/{owner}/quick/{path}")) {
                let _ = room.quick(&target);
            }
        }
        if let Ok(target) = room.target(path) {
            let _ = room.quick(&target);
        }
    }
});
