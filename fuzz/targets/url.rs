//! The URL grammar: a URL that is understood has a SELF link that means the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use powervm_fuzz::{Room, text};
use powervm_simulator::http::{Action, Base, Target};

fuzz_target!(|data: &[u8]| {
    let Some(url) = text(data) else { return };
    for room in Room::both() {
        let Ok(target) = room.target(url) else { continue };
        let _ = room.read(&target);
        if target.action != Action::Document {
            continue;
        }
        let base = Base::new("http", "h");
        let link = base.self_href(&target);
        let link = link.strip_prefix("http://h").expect("a link has the base");
        let (path, query) = link.split_once('?').map_or((link, None), |(path, query)| (path, Some(query)));
        let again = Target::parse(path, query).expect("a SELF link can be read");
        assert_eq!((&again.steps, &again.action), (&target.steps, &target.action));
        assert_eq!(again.groups.bits(), target.groups.bits());
    }
});
