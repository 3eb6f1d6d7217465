//! Search expressions, as expressions and at the end of URLs, on every type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use powervm_fuzz::{Room, text};
use powervm_simulator::http::Condition;

const TYPES: [&str; 4] = ["LogicalPartition", "VirtualIOServer", "ManagedSystem", "Cluster"];

fuzz_target!(|data: &[u8]| {
    let Some(expression) = text(data) else { return };
    if let Ok(condition) = Condition::parse(expression) {
        let same = condition.matches(&condition.value);
        assert_ne!(same, condition.matches(&format!("{}x", condition.value)));
    }
    for kind in TYPES {
        for room in Room::both() {
            if let Ok(target) = room.target(&format!("uom/{kind}/search/{expression}")) {
                let _ = room.read(&target);
            }
        }
    }
});
