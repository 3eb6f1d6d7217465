//! Weather files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use powervm_fuzz::text;

fuzz_target!(|data: &[u8]| {
    if let Some(text) = text(data) {
        let _ = powervm_simulator::weather::file::parse(text);
    }
});
