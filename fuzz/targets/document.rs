//! Bodies of changes: the first line is method and URL, the rest the body. The world holds together whatever comes.
#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use powervm_fuzz::{Room, text};

fuzz_target!(|data: &[u8]| {
    let Some((line, body)) = text(data).and_then(|text| text.split_once('\n')) else { return };
    let (method, url) = match line.split_once(' ') {
        Some(("PUT", url)) => (Method::PUT, url),
        Some(("POST", url)) => (Method::POST, url),
        Some(("DELETE", url)) => (Method::DELETE, url),
        _ => return,
    };
    for room in Room::both() {
        room.change(&method, url, room.named(body).as_bytes());
    }
});
