//! The XML reader: no panic, within its limits, and what it reads it writes so that it reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use powervm_schema::atom::Body;
use powervm_schema::xml::{Element, Limits};

fuzz_target!(|data: &[u8]| {
    let _ = Body::parse(data);
    let Ok(element) = Element::parse_with(data, &Limits::REQUEST) else { return };
    let text = element.to_xml();
    let again = Element::parse(text.as_bytes()).expect("what was written can be read");
    assert_eq!(again, element);
    assert_eq!(again.to_xml(), text);
});
