//! Documents of the server's own, edited by a script and posted back.
#![no_main]

use std::sync::LazyLock;

use http::Method;
use libfuzzer_sys::fuzz_target;
use powervm_fuzz::{Room, mutation};
use powervm_schema::xml::Element;

/// What there is to be edited. With all groups a Virtual I/O Server brings its mappings.
const URLS: [&str; 7] = [
    "uom/LogicalPartition/$P",
    "uom/LogicalPartition/$Q",
    "uom/VirtualIOServer/$V?group=ViosSCSIMapping,ViosFCMapping",
    "uom/VirtualIOServer/$V/VolumeGroup/$G",
    "uom/ManagedSystem/$S?group=SystemNetwork",
    "uom/SharedStoragePool/$O",
    "uom/LogicalPartition/$P/ClientNetworkAdapter/$A",
];

static ELEMENTS: LazyLock<Vec<Vec<Element>>> = LazyLock::new(|| {
    let of = |room: &Room| URLS.iter().map(|url| room.own_element(url)).collect();
    Room::both().map(of).into()
});

fuzz_target!(|data: &[u8]| {
    let Some((which, script)) = data.split_first() else { return };
    let number = usize::from(*which) % URLS.len();
    for (room, elements) in Room::both().into_iter().zip(ELEMENTS.iter()) {
        let mut element = elements[number].clone();
        mutation::apply(&mut element, script);
        room.change(&Method::POST, URLS[number], element.to_xml().as_bytes());
    }
});
