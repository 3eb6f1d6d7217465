//! State files: text as it comes, and a state of ours with values made wrong. What is accepted holds together, can be
//! written and read again, and time goes on in it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use powervm_fuzz::mutation::falsify;
use powervm_simulator::clock::Millis;
use powervm_simulator::inventory::{Inventory, Sizes};
use powervm_simulator::state::Saved;
use powervm_simulator::{Flavor, Simulator};
use serde_json::Value;

static STATE: LazyLock<Value> = LazyLock::new(|| {
    let sizes = Sizes {
        vioses: 1,
        partitions: 1,
        ..Sizes::default()
    };
    let simulator = Simulator::builder()
        .inventory(Inventory::sized(Flavor::NovaLink, sizes))
        .build()
        .expect("a simulator");
    let text = simulator.save().to_json().expect("a state can be written");
    serde_json::from_slice(&text).expect("it is JSON")
});

fuzz_target!(|data: &[u8]| {
    if data.first() == Some(&b'{') {
        accepted(data);
    } else {
        let mut state = STATE.clone();
        falsify(&mut state, data);
        accepted(state.to_string().as_bytes());
    }
});

fn accepted(text: &[u8]) {
    let Ok(saved) = Saved::from_json(text) else { return };
    let text = saved.to_json().expect("a state can be written");
    assert_eq!(Saved::from_json(&text).expect("and read again"), saved);
    let mut world = (*saved.world).clone();
    world.advance(Millis(saved.now.0.saturating_add(3_600_000)));
}
