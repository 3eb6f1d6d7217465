//! Inventory files: a world that holds together, or an error that says why there is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use powervm_fuzz::text;
use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::Inventory;
use powervm_simulator::model::Flavor;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let Ok(inventory) = Inventory::from_toml(text) else { return };
    for flavor in [Flavor::NovaLink, Flavor::Hmc] {
        if let Ok(world) = inventory.world(flavor, 7, Millis::EPOCH) {
            let violations = world.violations();
            assert!(violations.is_empty(), "{violations:?}");
        }
    }
});
